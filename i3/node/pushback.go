package node

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// Limits of pushback.
const (
	// pushApart is how far apart two pushbacks must be for a link to be removed.
	pushApart = 300 * machine.Millisecond
	// pushYoung is how long after its insertion or last refresh a link is not removed: the
	// trigger that it leads to may be on its way.
	pushYoung = 3 * machine.Second
	// pushRate is how many pushbacks a node sends in a second, and at once after a pause.
	pushRate = 100
)

// pushPace is the pace of pushbacks.
var pushPace = machine.PaceOf(pushRate, pushRate)

// A pushback is what a node needs to tell others that their links lead to nothing, and to be
// told of its own.
//
// A link's cookie is a keyed hash of its trigger, in the template that packets leave with:
// made once, sent with every packet at no cost, and shown again by who tells of it.
type pushback struct {
	links map[uint32]pushed // by cookie; of two with one cookie the later has none

	owned chord.Range  // what it owned when it last met a packet that nothing matches
	quiet machine.Time // it tells nobody before: hosts may have yet to refresh all
	begun bool
	full  machine.Time // the bucket of pushbacks, see pushPace
}

// A pushed is a link of this node.
type pushed struct {
	id        i3.ID
	handle    handle
	refreshed machine.Time
	told      machine.Time // of the first pushback since, zero if there was none
}

// bake puts a link's cookie into the template of its target.
func (n *Node) bake(id i3.ID, e *target) {
	if n.push == nil || e.kind != toID {
		return
	}
	const domain = "i3 link\x00"
	var in [len(domain) + 32 + 2*i3.IDSize]byte
	b := append(append(in[:0], domain...), n.cfg.Secret[:]...)
	to, _ := e.id()
	sum := sha256.Sum256(to.AppendTo(id.AppendTo(b)))
	cookie := binary.BigEndian.Uint32(sum[:])
	if _, taken := n.push.links[cookie]; !taken {
		i3.SetCookie(e.wire[:], cookie)
	}
}

// refreshed notes that a trigger was inserted or refreshed.
func (n *Node) refreshed(now machine.Time, id i3.ID, h handle) {
	if n.push == nil {
		return
	}
	if e := n.targets.at(h); e.kind == toID {
		if c := i3.Cookie(e.wire[:]); c != 0 {
			n.push.links[c] = pushed{id: id, handle: h, refreshed: now}
		}
	}
}

// unbake forgets the link that a handle was of.
func (n *Node) unbake(h handle) {
	if n.push == nil {
		return
	}
	if e := n.targets.at(h); e.kind == toID {
		c := i3.Cookie(e.wire[:])
		if l, ok := n.push.links[c]; ok && l.handle == h {
			delete(n.push.links, c)
		}
	}
}

// pushBack tells the node that a packet came from that nothing matches it, if it came over
// a link, and if this node can know that.
func (n *Node) pushBack(now machine.Time, a arrival, out *machine.Outbox) {
	if n.push == nil || !n.settled(now, a.id) || a.template != nil || i3.Cookie(a.wire) == 0 ||
		!pushPace.Take(&n.push.full, now, 1) {
		return
	}
	from, ok := n.sender(a.wire)
	if !ok {
		return
	}
	n.count.Pushbacks++
	n.reply = i3.Packet{Kind: i3.KindPushback, HopLimit: 1, Flow: i3.Cookie(a.wire), ID: a.id}.AppendTo(n.reply[:0])
	out.Send(from, n.reply)
}

// settled reports whether the node has owned an identifier for so long that all its triggers
// must be in the table, and hands nothing over.
func (n *Node) settled(now machine.Time, id i3.ID) bool {
	p := n.push
	if !p.begun || p.owned != n.owned {
		p.begun, p.owned, p.quiet = true, n.owned, now.Add(n.cfg.Lifetime)
	}
	return now >= p.quiet && n.owned.Contains(id.Prefix()) &&
		min(n.hand.next, n.fetch.next) == machine.Never && n.leave.step == 0
}

// sender returns where a packet of the batch came from. Only packets that nothing matches
// are looked for, few a second, so that the usual ones need not carry it.
func (n *Node) sender(wire []byte) (from netip.AddrPort, ok bool) {
	for _, d := range n.batch {
		for rest := d.Bytes; len(rest) > 0; {
			_, w, tail, err := i3.Next(rest)
			if err != nil || w == nil {
				break
			}
			if &w[0] == &wire[0] {
				return d.From, true
			}
			rest = tail
		}
	}
	return netip.AddrPort{}, false
}

// pushedBack takes a pushback. The second in a row, some time after the first, removes the link: it
// leads to nothing, and nobody has refreshed it.
func (n *Node) pushedBack(now machine.Time, from netip.AddrPort, p i3.Packet) {
	if n.push == nil {
		n.count.DropKind++
		return
	}
	if p.Length != 0 {
		n.count.DropMalformed++
		return
	}
	l, ok := n.push.links[p.Flow]
	if !ok || !n.leadsTo(l, p.ID, from) || now.Sub(l.refreshed) < pushYoung || n.leave.step != 0 {
		n.count.DropPushback++
		return
	}
	switch {
	case l.told == 0 || now.Sub(l.told) > n.cfg.Lifetime:
		l.told = now
		n.push.links[p.Flow] = l
	case now.Sub(l.told) >= pushApart:
		n.count.Pruned++
		n.table.Remove(l.id, l.handle)
		n.journal.note(l.id, n.targets.at(l.handle), true)
		n.release(l.id, l.handle)
	}
}

// leadsTo reports whether a link leads to an identifier whose owner, as far as this node
// knows, is at an address.
func (n *Node) leadsTo(l pushed, id i3.ID, owner netip.AddrPort) bool {
	to, ok := n.targets.at(l.handle).id()
	at, known := n.ring.Owner(id.Prefix())
	return ok && to == id && known && at == owner
}
