package node

import (
	"net/netip"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// A node that has joined borrows: until it has all triggers of what it owns, it matches no packet, and passes what
// comes for these prefixes on to the one that has them, which matches packets for nobody but it.

const (
	// maxLends is to how many a node lends at a time: those that join before it one after the other.
	maxLends = 4
	// lendMost is for how long it lends after the last question: as long as such a question is repeated.
	lendMost = handTries * handRetry
)

// Lends are those to whom a node lends.
type lends [maxLends]lend

// A lend is the prefixes of a node that asks for their triggers.
type lend struct {
	to netip.AddrPort
	chord.Range
	until machine.Time
}

// lendTo lends to somebody, for a while from now on. Of too many the one who has asked longest ago is forgotten.
func (n *Node) lendTo(now machine.Time, to netip.AddrPort, what chord.Range) {
	oldest := &n.lends[0]
	for i := range n.lends {
		if l := &n.lends[i]; l.until < oldest.until {
			oldest = l
		}
	}
	*oldest = lend{to, what, now.Add(lendMost)}
}

// within reports whether all of one range lies in another, which is not the whole circle.
func within(r, in chord.Range) bool {
	return r.Lo-in.Lo < r.Hi-in.Lo && r.Hi-in.Lo <= in.Hi-in.Lo
}

// ownsOther takes over from the ring what the node owns by now. If somebody has joined before it, it lends to that what
// it has owned itself; if somebody has failed there, some of its mirrors are its own.
func (n *Node) ownsOther(now machine.Time, owned chord.Range) {
	if pred := n.member.Predecessor(); pred.Prefix == owned.Lo && n.owned.Hi == owned.Hi && n.owned.Contains(owned.Lo) {
		n.lendTo(now, pred.Addr, chord.Range{Lo: n.owned.Lo, Hi: owned.Lo})
	}
	n.owned = owned
	n.mirrors.keeper.next = now
}

// lent reports whether the node matches a packet for somebody, who has sent it.
func (n *Node) lent(now machine.Time, from netip.AddrPort, prefix uint64) bool {
	for i := range n.lends {
		if l := &n.lends[i]; l.until > now && l.to == from && l.Contains(prefix) {
			return true
		}
	}
	return false
}

// mayAsk reports whether somebody may ask for the triggers of some prefixes: the member before the node for what is not
// its own, and another, which was that before others joined between them, for what is lent to it.
func (n *Node) mayAsk(now machine.Time, who netip.AddrPort, what chord.Range) bool {
	pred := n.member.Predecessor()
	before := pred.Addr == who && within(what, chord.Range{Lo: n.owned.Hi, Hi: pred.Prefix})
	return n.lendsOn(now, who, what) || before
}

// lendsOn lends what is asked for as long as questions come, if it has been lent before, or is what the member before
// the node owns as the ring says: that may have started anew. Nothing else is lent, whatever the question says, for
// anybody can write one.
func (n *Node) lendsOn(now machine.Time, to netip.AddrPort, what chord.Range) bool {
	for i := range n.lends {
		if l := &n.lends[i]; l.until > now && l.to == to && within(what, l.Range) {
			l.until = now.Add(lendMost)
			return true
		}
	}
	b := n.member.Before()
	owned := chord.Range{Lo: b[1].Prefix, Hi: b[0].Prefix}
	if b[0].Addr != to || !b[1].Addr.IsValid() || !within(what, owned) {
		return false
	}
	n.lendTo(now, to, owned)
	return true
}

// borrows reports whether it has joined, and not all triggers yet.
func (n *Node) borrows() bool { return n.given && n.leave.step < passing }

// borrowed reports whether the node has no triggers of a prefix yet, which another has for it.
func (n *Node) borrowed(prefix uint64) bool { return n.borrows() && n.fetch.owned.Contains(prefix) }

// route returns where a packet for a prefix goes whose triggers another has.
func (n *Node) route(prefix uint64) (netip.AddrPort, bool) {
	if n.borrowed(prefix) {
		return n.fetch.from, true
	}
	return n.ring.Owner(prefix)
}
