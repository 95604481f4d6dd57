package node

import (
	"errors"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/matcher"
)

// request handles an insertion or removal. It answers with one packet of at
// most as many entries: challenges to the target as long as a nonce is wrong,
// else acknowledgements to the sender.
func (n *Node) request(now machine.Time, from netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox) {
	if !n.parseRequest(p.Kind, payload) || !n.admit(now, from) {
		return
	}
	if to, bad := n.unproven(now); bad > 0 {
		n.challenge(now, to, p, bad, out)
		return
	}
	n.begin(i3.KindAck, p, len(n.entries))
	for _, in := range n.entries {
		var a i3.Ack
		if p.Kind == i3.KindInsert {
			a = n.insert(now, from, in)
		} else {
			a = n.remove(now, in)
		}
		n.reply = a.AppendTo(n.reply)
	}
	out.Send(from, n.reply)
}

// parseRequest decodes the entries of a request into n.entries and checks that
// all host targets are one address: a request proves one address.
func (n *Node) parseRequest(kind i3.Kind, payload []byte) bool {
	if i3.CheckEntries(payload) != nil {
		n.count.DropMalformed++
		return false
	}
	n.entries = n.entries[:0]
	var addr netip.AddrPort
	for ; len(payload) > 0; payload = payload[i3.EntrySize:] {
		in, err := i3.ParseInsert(payload)
		if err != nil || in.Probe && kind == i3.KindRemove { // a probe needs no nonce
			n.count.DropMalformed++
			return false
		}
		if a, ok := in.Trigger.Target.Host(); ok {
			if addr.IsValid() && a != addr {
				n.count.DropTargets++
				return false
			}
			addr = a
		}
		n.entries = append(n.entries, in)
	}
	return true
}

// unproven returns the address that the request's host triggers name and how
// many of them carry no valid nonce. Probes change nothing and need none.
func (n *Node) unproven(now machine.Time) (to netip.AddrPort, bad int) {
	for _, in := range n.entries {
		if n.needsChallenge(now, in) {
			to, _ = in.Trigger.Target.Host()
			bad++
		}
	}
	return to, bad
}

func (n *Node) needsChallenge(now machine.Time, in i3.Insert) bool {
	if in.Trigger.Target.IsID() || in.Probe {
		return false
	}
	epoch := cookieEpochAt(now)
	if h, ok := n.find(in.Trigger); ok && n.targets.at(h).proven(epoch, in.Nonce) {
		return false // as it was at the last refresh
	}
	return !n.cookies.Check(epoch, in.Trigger, in.Nonce)
}

// find returns the handle of a trigger's target if the trigger is in the table,
// live or expired.
func (n *Node) find(t i3.Trigger) (handle, bool) {
	want := targetOf(t.Target)
	n.siblings = n.table.Stored(t.ID, n.siblings[:0])
	for _, h := range n.siblings {
		if n.targets.at(h).leads(&want) {
			return h, true
		}
	}
	return 0, false
}

func cookieEpochAt(now machine.Time) uint32 { return uint32(now / machine.Time(cookieEpoch)) }

// challenge sends the right nonces of the unproven triggers to the address
// they name, never to the sender of the request.
func (n *Node) challenge(now machine.Time, to netip.AddrPort, p i3.Packet, bad int, out *machine.Outbox) {
	n.count.Challenged++
	n.begin(i3.KindChallenge, p, bad)
	for _, in := range n.entries {
		if n.needsChallenge(now, in) {
			c := i3.Challenge{Trigger: in.Trigger, Nonce: n.cookies.Nonce(cookieEpochAt(now), in.Trigger)}
			n.reply = c.AppendTo(n.reply)
		}
	}
	out.Send(to, n.reply)
}

// begin starts the answer to p with room for so many entries.
func (n *Node) begin(k i3.Kind, p i3.Packet, entries int) {
	h := i3.Packet{Kind: k, HopLimit: 1, Length: uint16(entries * i3.EntrySize), Flow: p.Flow, ID: p.ID}
	n.reply = h.AppendTo(n.reply[:0])
}

// insert inserts, refreshes or probes one trigger whose nonce is proven.
func (n *Node) insert(now machine.Time, from netip.AddrPort, in i3.Insert) i3.Ack {
	h, known := n.find(in.Trigger)
	switch {
	case !n.owns(in.Trigger.ID.Prefix()), n.leavesTo(known || in.Probe):
		n.count.NotOwner++
		return n.ack(now, in.Trigger, i3.StatusNotOwner)
	case !known && i3.CheckConstraint(in.Trigger) != nil: // a known one was checked before
		n.count.Refused++
		return n.ack(now, in.Trigger, i3.StatusRefused)
	case in.Probe:
		n.count.Probed++
		return n.ack(now, in.Trigger, i3.StatusProbed)
	case n.folds(now, in.Trigger):
		n.count.Refused++
		return n.ack(now, in.Trigger, i3.StatusRefused)
	case !known && n.mirrors.on && n.Triggers() >= n.cfg.MaxTriggers:
		return n.ack(now, in.Trigger, n.refusal(matcher.ErrFull))
	}
	if !known {
		e := targetOf(in.Trigger.Target)
		if e.kind == toID {
			e.proof, e.epoch = in.Owner, uint32(n.quota.claimed(from))
		}
		if s, over := n.over(in.Trigger.ID, &e); over {
			return n.ack(now, in.Trigger, s)
		}
		n.bake(in.Trigger.ID, &e)
		h = n.targets.add(e)
	}
	return n.ack(now, in.Trigger, n.store(now, from, in, h, known))
}

// store puts a trigger into the table, or refreshes it if it is known.
func (n *Node) store(now machine.Time, from netip.AddrPort, in i3.Insert, h handle, known bool) i3.Status {
	expire := tick(now.Add(n.cfg.Lifetime + machine.Millisecond - 1)) // rounded up: never before its time
	if _, err := n.table.Insert(in.Trigger.ID, h, tick(now), expire); err != nil {
		if !known {
			n.targets.release(h)
		}
		return n.refusal(err)
	}
	e := n.targets.at(h)
	n.charge(from, in.Trigger.ID, e)
	n.refreshed(now, in.Trigger.ID, h)
	if !known {
		n.journal.note(in.Trigger.ID, e, false)
	} else if e.pass != 0 {
		n.own(e)
		n.count.MirrorsTaken++
	}
	return n.inserted(now, in, e, known)
}

// inserted counts an insertion, or a refresh if the trigger was known, and
// returns its status.
func (n *Node) inserted(now machine.Time, in i3.Insert, e *target, known bool) i3.Status {
	if e.kind == toHost {
		e.proof, e.epoch = in.Nonce, cookieEpochAt(now)
	}
	if known {
		n.count.Refreshed++
		return i3.StatusRefreshed
	}
	n.count.Inserted++
	if n.sweepAt == machine.Never {
		n.sweepAt = now.Add(sweepEvery)
	}
	return i3.StatusInserted
}

// folds reports whether a trigger would bring a second copy of its packets to one
// place: another live trigger of its identifier leads to an identifier that
// differs in the suffix only. The right constraint gives all children of an
// identifier one key, so it cannot tell, and level upon level of such triggers
// would multiply one packet without end.
func (n *Node) folds(now machine.Time, t i3.Trigger) bool {
	id, chain := t.Target.ID()
	if !chain {
		return false
	}
	winner, siblings := n.table.Match(t.ID, tick(now), n.siblings[:0])
	n.siblings = siblings
	if winner != t.ID {
		return false
	}
	for _, h := range siblings {
		if other, ok := n.targets.at(h).id(); ok && other != id && other.Exact() == id.Exact() {
			return true
		}
	}
	return false
}

// refusal counts an error of the table and returns its status.
func (n *Node) refusal(err error) i3.Status {
	if errors.Is(err, matcher.ErrPerID) {
		n.count.Full++
		return i3.StatusFull
	}
	n.count.NoRoom++
	return i3.StatusNoRoom
}

// remove removes one trigger. A host trigger's nonce is proven; an identifier
// target asks for the secret of whoever inserted it first.
func (n *Node) remove(now machine.Time, in i3.Insert) i3.Ack {
	if n.leavesTo(false) {
		n.count.NotOwner++
		return n.ack(now, in.Trigger, i3.StatusNotOwner)
	}
	h, ok := n.find(in.Trigger)
	if !ok {
		return n.ack(now, in.Trigger, i3.StatusMissing)
	}
	if n.targets.at(h).pass != 0 && !n.owns(in.Trigger.ID.Prefix()) {
		n.count.NotOwner++
		return n.ack(now, in.Trigger, i3.StatusNotOwner)
	}
	if e := n.targets.at(h); e.kind == toID && (e.proof == [16]byte{} || i3.OwnerOf(in.Nonce) != e.proof) {
		n.count.Refused++
		return n.ack(now, in.Trigger, i3.StatusRefused)
	}
	n.table.Remove(in.Trigger.ID, h)
	n.journal.note(in.Trigger.ID, n.targets.at(h), true)
	n.release(in.Trigger.ID, h)
	n.count.Removed++
	return n.ack(now, in.Trigger, i3.StatusRemoved)
}

// ack describes a trigger's identifier as it is now.
func (n *Node) ack(now machine.Time, t i3.Trigger, s i3.Status) i3.Ack {
	return i3.Ack{
		Trigger:    t,
		Status:     s,
		Count:      uint16(n.table.Count(t.ID, tick(now))),
		Limit:      uint16(n.cfg.MaxPerID),
		LifetimeMS: uint32(n.cfg.Lifetime / machine.Millisecond),
		Epoch:      n.cfg.Epoch,
		Lo:         n.owned.Lo,
		Hi:         n.owned.Hi,
	}
}
