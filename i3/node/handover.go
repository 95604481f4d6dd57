package node

import (
	"math"
	"net/netip"
	"slices"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/matcher"
)

// Limits of a handover.
const (
	// handCells is how many cells of the table one question is answered from.
	handCells = 4096
	// handRetry is how long to wait for an answer, and handTries how often to ask before the triggers are left to
	// be refreshed by hosts.
	handRetry = 250 * machine.Millisecond
	handTries = 20
	// noEpoch is one of cookies that never comes: no nonce was found right yet.
	noEpoch = math.MaxUint32
)

// A handover is what a node takes over from the one before it, which leaves.
type handover struct {
	from  netip.AddrPort
	owned chord.Range
	at    uint64 // cursor
	flow  uint32 // of the question from there, however often it is asked
	tries int
	most  int          // how often to ask, once as long as there was no answer to an offer
	has   bool         // it has all, and tells so
	next  machine.Time // when to ask again, machine.Never if there is nothing to take over
	until machine.Time // then hosts have refreshed all
}

// askHandover asks for the triggers from the cursor on.
func (n *Node) askHandover(now machine.Time, out *machine.Outbox) {
	h := &n.hand
	if h.tries++; h.tries > h.most || now >= h.until {
		if h.most > 1 && !h.has { // otherwise nobody has ever answered, or nothing is missing
			n.count.HandoverFailed++
		}
		h.next = machine.Never
		return
	}
	h.next = now.Add(handRetry)
	n.sendHandover(h.from, h.flow, &i3.Handover{Cursor: h.at, Lo: h.owned.Lo, Hi: h.owned.Hi}, out)
}

func (n *Node) sendHandover(to netip.AddrPort, flow uint32, h *i3.Handover, out *machine.Outbox) {
	p := i3.Packet{
		Kind: i3.KindHandover, HopLimit: 1, Length: i3.HandoverHead + i3.MaxHanded*i3.EntrySize, Flow: flow,
	}
	n.reply = h.AppendTo(p.AppendTo(n.reply[:0]))
	out.Send(to, n.reply)
}

// handover handles a question for triggers, or an answer.
func (n *Node) handover(now machine.Time, from netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox) {
	if i3.IsMirror(payload) {
		n.mirrorMessage(now, from, p.Flow, payload, out)
		return
	}
	h := i3.Handover{Handed: n.scratch.handed}
	defer func() { n.scratch.handed = h.Handed }()
	switch {
	case i3.ParseHandover(payload, &h) != nil:
		n.count.DropMalformed++
	case !h.Bring && h.More:
		n.offered(now, from, h, out)
	case !h.Bring:
		n.handOver(now, from, p.Flow, h, out)
	case n.hand.next != machine.Never && from == n.hand.from && p.Flow == n.hand.flow:
		n.takeOver(now, h, out)
	case !n.fetched(now, from, p.Flow, h, out):
		n.count.DropStranger++
	}
}

// handOver answers a question for triggers. They are for nobody but the node that comes before this one, and of no
// prefixes but those before it, even if another has joined between them meanwhile; and for the one after, if this one
// leaves.
func (n *Node) handOver(now machine.Time, to netip.AddrPort, flow uint32, q i3.Handover, out *machine.Outbox) {
	asked := chord.Range{Lo: q.Lo, Hi: q.Hi}
	if n.toHeir(to, asked) {
		n.handToHeir(now, flow, q, out)
		return
	}
	switch {
	case !n.mayAsk(now, to, asked):
		n.count.DropStranger++
		return
	case n.borrows(): // it has not all itself: there will be more
		n.sendHandover(to, flow, &i3.Handover{Bring: true, More: true, Lo: q.Lo, Hi: q.Hi, Cursor: q.Cursor}, out)
		return
	}
	a := n.page(now, q, i3.MaxHanded, n.scratch.page[:0])
	n.scratch.page = a.Handed
	n.count.HandedOver += uint64(len(a.Handed))
	n.sendHandover(to, flow, &a, out)
}

// page returns the triggers from the cursor of a question on, behind some others, as many as make so many with these. A
// cursor is one of the table and, above that, how many triggers of the identifier there were handed over: it may have
// more than there is room for.
func (n *Node) page(now machine.Time, q i3.Handover, most int, to []i3.Handed) i3.Handover {
	asked := chord.Range{Lo: q.Lo, Hi: q.Hi}
	a := i3.Handover{Bring: true, Lo: q.Lo, Hi: q.Hi, Cursor: q.Cursor, More: true, Handed: to}
	skip := int(q.Cursor >> matcher.CursorBits)
	for cells := 0; a.More && cells < handCells; cells++ {
		fit, seen := len(a.Handed), 0
		from := matcher.Cursor(a.Cursor & (1<<matcher.CursorBits - 1))
		at, more := n.table.Scan(from, 1, tick(now), func(id i3.ID, tg matcher.Target, at matcher.Tick) {
			if seen++; seen > skip && len(a.Handed) <= most && asked.Contains(id.Prefix()) {
				a.Handed = append(a.Handed, n.handed(now, id, tg, at))
			}
		})
		switch {
		case len(a.Handed) <= most:
			a.Cursor, a.More, skip = uint64(at), more, 0
			continue
		case fit > len(to): // the cell is for the next packet
			a.Handed = a.Handed[:fit]
		default:
			a.Handed = a.Handed[:most]
			a.Cursor += uint64(most-len(to)) << matcher.CursorBits
		}
		break
	}
	return a
}

// handed returns a trigger as it is handed over. It is given more to live than it has: its host may refresh it here for
// the last time after that, and then not for half a lifetime.
func (n *Node) handed(now machine.Time, id i3.ID, tg matcher.Target, expire matcher.Tick) i3.Handed {
	all := matcher.Tick(n.cfg.Lifetime / machine.Millisecond)
	h := n.targets.at(tg).handed(id)
	h.LifetimeMS = uint32(min(expire-tick(now)+all/3, all))
	return h
}

// handed returns a trigger as it is handed over, without a lifetime.
func (e *target) handed(id i3.ID) i3.Handed {
	if to, ok := e.id(); ok {
		return i3.Handed{Trigger: i3.Trigger{ID: id, Target: i3.ToID(to)}, Owner: i3.Key(e.proof)}
	}
	return i3.Handed{Trigger: i3.Trigger{ID: id, Target: i3.ToHost(e.host(), i3.Key(e.wire[i3.AddrSize:][:16]))}}
}

// handedTarget returns the target of a trigger that was handed over. No nonce of it was found right yet.
func (n *Node) handedTarget(t i3.Handed) target {
	e := targetOf(t.Trigger.Target)
	if e.epoch = noEpoch; e.kind == toID {
		e.proof = t.Owner
	}
	n.bake(t.Trigger.ID, &e)
	return e
}

// takeOver inserts triggers of the one before, and asks for more. Those of hosts have to be proven again with
// their next refresh; until then the node believes the one that owned them before.
//
// One that has all owns them before it says so, since from then on the other does not.
func (n *Node) takeOver(now machine.Time, a i3.Handover, out *machine.Outbox) {
	h := &n.hand
	for _, t := range a.Handed {
		n.takeTrigger(now, h.owned, t)
	}
	switch {
	case a.More:
	case !h.has:
		h.has = true
		n.heir = heir{h.owned, now.Add(heirMost)}
	default:
		h.next = machine.Never
		return
	}
	h.tries, h.most, h.at, h.flow = 0, handTries, a.Cursor, n.flows.Next()
	n.askHandover(now, out)
}

// takeTrigger inserts one, if it is one of the prefixes that were asked for and the node would take it from a host.
func (n *Node) takeTrigger(now machine.Time, asked chord.Range, t i3.Handed) {
	left := machine.Duration(t.LifetimeMS) * machine.Millisecond
	prefix := t.Trigger.ID.Prefix()
	if left > n.cfg.Lifetime+machine.Second || !asked.Contains(prefix) || i3.CheckConstraint(t.Trigger) != nil ||
		n.folds(now, t.Trigger) {
		n.count.HandoverRefused++
		return
	}
	h, known := n.find(t.Trigger)
	mirror := known && n.targets.at(h).pass != 0
	switch {
	case mirror:
		n.own(n.targets.at(h))
	case !known:
		h = n.targets.add(n.handedTarget(t))
	case n.outlives(h, t.Trigger.ID, now.Add(left)):
		return
	}
	if _, err := n.table.Insert(t.Trigger.ID, h, tick(now), tick(now.Add(left))); err != nil {
		n.count.HandoverRefused++
		if !known {
			n.targets.release(h)
		}
		return
	}
	n.refreshed(now, t.Trigger.ID, h)
	n.count.TakenOver++
	if n.sweepAt == machine.Never {
		n.sweepAt = now.Add(sweepEvery)
	}
}

// outlives reports whether a trigger that is in the table lives beyond some time.
func (n *Node) outlives(h handle, id i3.ID, at machine.Time) bool {
	winner, live := n.table.Match(id, tick(at), n.siblings[:0])
	n.siblings = live
	return winner == id && slices.Contains(live, h)
}
