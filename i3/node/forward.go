package node

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// An arrival is a data packet that waits to be matched: the identifier it is
// now at, the template that replaces its header when that identifier is not the
// one it came with, and its wire form.
type arrival struct {
	id       i3.ID
	template []byte
	wire     []byte
}

// data takes a data packet in: it lowers the hop limit in place, once, so that
// all copies share the bytes, and queues the packet for matching or passes it
// on to the node that owns its identifier.
func (n *Node) data(now machine.Time, from netip.AddrPort, p i3.Packet, wire []byte, out *machine.Outbox) {
	if p.HopLimit == 0 {
		n.count.DropHopLimit++
		return
	}
	i3.SetHopLimit(wire, p.HopLimit-1)
	if n.owns(p.ID.Prefix()) {
		n.wave = append(n.wave, arrival{id: p.ID, wire: wire})
		return
	}
	switch {
	case n.borrowed(p.ID.Prefix()):
		n.count.Borrowed++
		out.Forward(n.fetch.from, nil, wire)
	case n.lent(now, from, p.ID.Prefix()):
		n.count.Lent++
		n.wave = append(n.wave, arrival{id: p.ID, wire: wire})
	default:
		n.passOn(from, p.ID.Prefix(), wire, out)
	}
}

// passOn passes a data packet on to the node that owns its prefix, but not back to the node that it came from.
func (n *Node) passOn(from netip.AddrPort, prefix uint64, wire []byte, out *machine.Outbox) {
	owner, ok := n.ring.Owner(prefix)
	switch {
	case !ok || owner == n.cfg.Self:
		n.count.DropNoOwner++
		return
	case n.member == nil:
	case owner == from:
		n.count.DropReturned++
		return
	default:
		n.member.Misdirected(from, prefix, len(wire), out)
	}
	n.count.Misdirected++
	out.Forward(owner, nil, wire)
}

// forward matches all waiting packets and makes their copies, then those that
// a local chain brought to another identifier of this node, and so on.
func (n *Node) forward(now machine.Time, out *machine.Outbox) {
	budget := maxCopies
	for local := 0; len(n.wave) > 0; local++ {
		if local == maxLocal {
			n.count.DropHopLimit += uint64(len(n.wave))
			return
		}
		n.ids = n.ids[:0]
		for i := range n.wave {
			n.ids = append(n.ids, n.wave[i].id)
		}
		n.table.MatchBatch(n.ids, tick(now), &n.matches)
		if n.paced {
			n.limitPackets(now)
		}
		n.next = n.next[:0]
		for i := range n.wave {
			budget = n.copies(now, n.wave[i], n.matches.Targets[n.matches.Off[i]:n.matches.Off[i+1]], budget, out)
		}
		n.wave, n.next = n.next, n.wave
	}
}

// copies makes the copies of one packet, one for each target.
func (n *Node) copies(now machine.Time, a arrival, tgs []handle, budget int, out *machine.Outbox) int {
	if len(tgs) == 0 {
		n.count.DropNoMatch++
		n.pushBack(now, a, out)
		return budget
	}
	n.count.Matched++
	body := a.wire
	if a.template != nil {
		body = a.wire[i3.TemplateSize:]
	}
	for _, h := range tgs {
		if budget == 0 {
			n.count.DropBudget++
			continue
		}
		budget--
		t := n.targets.at(h)
		if id, ok := t.id(); ok {
			n.toID(id, t, a, out)
			continue
		}
		n.count.Copies++
		n.count.HostCopies++
		out.Forward(t.host(), a.template, body)
	}
	return budget
}

// toID sends a packet along a trigger chain, to another node or within this one.
func (n *Node) toID(id i3.ID, t *target, a arrival, out *machine.Outbox) {
	if n.owns(id.Prefix()) {
		n.next = append(n.next, arrival{id: id, template: t.wire[:], wire: a.wire})
		return
	}
	owner, ok := n.route(id.Prefix())
	if !ok || owner == n.cfg.Self {
		n.count.DropNoOwner++
		return
	}
	n.count.Copies++
	out.Forward(owner, t.wire[:], a.wire[i3.TemplateSize:])
}
