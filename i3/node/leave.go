package node

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// Limits of leaving.
const (
	// leaveMost is how long a node tries to have its triggers taken over before it leaves without that.
	leaveMost = 10 * machine.Second
	// quietFor is how long there must be no data for a node that has left before it is done; hosts look after owners
	// more often. quietMost is how long it waits for that.
	quietFor  = 2500 * machine.Millisecond
	quietMost = 15 * machine.Second
	// heirMost is how long one that has taken over may own what the ring does not say that it owns.
	heirMost = 10 * machine.Second
	// receipt marks the cursor behind the last trigger, which nobody can guess: who asks from there has got the page
	// before it, and so all.
	receipt = 1 << 63
)

// A leaveStep is how far a node is that leaves its ring.
type leaveStep uint8

const (
	staying  leaveStep = iota
	offering           // it offers its triggers to its successor
	handing            // that takes them, and nobody may add or remove any
	passing            // it has left the ring, and passes on what still comes
	departed           // nothing comes any more
)

// A departure is what a node knows that leaves.
type departure struct {
	step  leaveStep
	heir  netip.AddrPort // who was offered the triggers last
	owned chord.Range    // of which prefixes
	at    uint64         // the last cursor that was asked for
	end   uint64         // the cursor behind the last trigger, 0 before it was told
	tries int            // offers since there was progress
	next  machine.Time   // when to go on, machine.Never if there is nothing to do
	until machine.Time
	data  uint64 // that had come when it was last looked
}

// An heir is what a node owns before the ring says so: it has taken it over from the one before, which leaves.
type heir struct {
	chord.Range
	until machine.Time // 0 if it is nothing
}

// owns reports whether the node matches packets for a prefix: the ring says so and it has not given its triggers away,
// or it has been given those.
func (n *Node) owns(prefix uint64) bool {
	return n.owned.Contains(prefix) && !n.given || n.heir.until != 0 && n.heir.Contains(prefix)
}

// Leave makes the node leave its ring: its successor takes over its triggers, and then the member leaves. Packets are
// matched here until the successor has all triggers, and passed on to it from then on. A node of a fixed ring has
// nothing to leave.
func (n *Node) Leave(now machine.Time, out *machine.Outbox) {
	switch {
	case n.leave.step != staying:
	case n.member == nil:
		n.leave.step = departed
	default:
		n.scratch = scratchIn(out)
		n.leave = departure{step: offering, next: now, until: now.Add(leaveMost)}
		n.depart(now, out)
		n.followRing(now, out)
	}
}

// Left reports whether the node has left, and it seems that nobody sends it data any more: a driver may end it.
func (n *Node) Left() bool { return n.leave.step == departed }

// leavesTo reports whether a request is left to the successor. What is known is refreshed as long as the node owns it:
// that changes no place in the table, and handed lets it live as long there.
func (n *Node) leavesTo(known bool) bool {
	return n.leave.step >= passing || n.leave.step == handing && !known
}

// depart does what is due on the way out.
func (n *Node) depart(now machine.Time, out *machine.Outbox) {
	d := &n.leave
	switch {
	case d.step == passing:
		n.quiet(now)
	case n.alone, n.member.Successors()[0].Addr == n.cfg.Self, now >= d.until:
		n.partWithout(now, out)
	case min(n.hand.next, n.fetch.next) != machine.Never || n.heir.until != 0:
		// what it takes over itself is to go on with the rest
		d.next = now.Add(handRetry)
	default:
		n.offer(now, out)
	}
}

// offer offers the triggers to the successor, which asks for them.
func (n *Node) offer(now machine.Time, out *machine.Outbox) {
	d := &n.leave
	if to := n.member.Successors()[0].Addr; to != d.heir {
		d.heir, d.tries = to, 0 // the one before has died, or left itself
	}
	if d.tries++; d.tries > handTries {
		n.partWithout(now, out)
		return
	}
	d.owned, d.next = n.owned, now.Add(handRetry)
	n.sendHandover(d.heir, 0, &i3.Handover{More: true, Lo: d.owned.Lo, Hi: d.owned.Hi}, out)
}

// partWithout leaves the ring though nobody has the triggers, if there are any. The node goes on matching what reaches
// it.
func (n *Node) partWithout(now machine.Time, out *machine.Outbox) {
	if n.Triggers() > 0 {
		n.count.LeaveFailed++
	}
	n.part(now, out)
}

// part leaves the ring.
func (n *Node) part(now machine.Time, out *machine.Outbox) {
	d := &n.leave
	d.step, d.data = passing, n.count.Data
	d.next, d.until = now.Add(quietFor), now.Add(quietMost)
	n.hand.next, n.fetch.next = machine.Never, machine.Never
	n.member.Leave(now, out)
}

// quiet ends the node if no data have come for a while.
func (n *Node) quiet(now machine.Time) {
	d := &n.leave
	if d.data == n.count.Data && n.member.Left() || now >= d.until {
		d.step, d.next = departed, machine.Never
		return
	}
	d.data, d.next = n.count.Data, now.Add(quietFor)
}

// toHeir reports whether a question for triggers is from the one to whom they were offered, and about those.
func (n *Node) toHeir(from netip.AddrPort, asked chord.Range) bool {
	return n.leave.step != staying && from == n.leave.heir && asked == n.leave.owned
}

// handToHeir answers that. Who asks from behind the last trigger has all, and matches packets from now on.
func (n *Node) handToHeir(now machine.Time, flow uint32, q i3.Handover, out *machine.Outbox) {
	d := &n.leave
	switch {
	case q.Cursor == d.end && d.end != 0 && (d.step == handing || n.given):
		if !n.given {
			n.given = true
			n.part(now, out)
		}
		n.sendHandover(d.heir, flow, &i3.Handover{Bring: true, Lo: q.Lo, Hi: q.Hi, Cursor: d.end}, out)
		return
	case d.step >= passing || q.Cursor&receipt != 0:
		n.count.DropStranger++ // it is too late, or it has asked for nothing before
		return
	case d.step == offering || d.at != q.Cursor:
		d.tries = 0
	}
	d.step, d.at, d.next = handing, q.Cursor, now.Add(2*handRetry)
	a := n.page(now, q, i3.MaxHanded, n.scratch.page[:0])
	n.scratch.page = a.Handed
	n.count.HandedOver += uint64(len(a.Handed))
	if !a.More {
		if d.end == 0 {
			d.end = receipt | uint64(n.flows.Next())
		}
		a.Cursor = d.end
	}
	n.sendHandover(d.heir, flow, &a, out)
}

// offered takes an offer of the one before: it asks for the triggers. An offer that is forged has one question sent, as
// long as itself, to that one.
func (n *Node) offered(now machine.Time, from netip.AddrPort, o i3.Handover, out *machine.Outbox) {
	h, owned := &n.hand, chord.Range{Lo: o.Lo, Hi: o.Hi}
	pred := n.member.Predecessor()
	switch {
	case n.leave.step != staying || pred.Addr != from || pred.Prefix != o.Hi || owned.Contains(n.owned.Hi):
		n.count.DropStranger++
		return
	case n.fetch.next != machine.Never:
		return // one after the other
	case h.next == machine.Never:
		n.hand = handover{from: from, owned: owned, flow: n.flows.Next(), most: 1, until: now.Add(n.cfg.Lifetime)}
	case h.from != from || h.owned != owned || h.most > 1:
		return // one after the other
	}
	h.tries = 0
	n.hurryMirror(now, from)
	n.askHandover(now, out)
}

// followHeir ends what the node owns as an heir when the ring says that it does, or has not done so for too long.
func (n *Node) followHeir(now machine.Time) {
	if n.heir.until != 0 && (n.owned.Contains(n.heir.Hi) || now >= n.heir.until) {
		n.heir.until = 0
	}
}
