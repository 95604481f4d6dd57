package node

import (
	"math"
	"net/netip"

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

// A handover is what a node fetches from the one that owned its prefixes before.
type handover struct {
	from  netip.AddrPort
	owned chord.Range
	at    uint64 // cursor
	flow  uint32 // of the last question
	flows chord.Flows
	tries int
	next  machine.Time // when to ask again, machine.Never if there is nothing to fetch
}

// fetch begins to fetch the triggers of the prefixes that the node owns since it has joined a ring.
func (n *Node) fetch(now machine.Time, out *machine.Outbox) {
	next := n.cfg.Member.Successors()[0]
	if next.Addr == n.cfg.Self {
		return
	}
	n.hand = handover{from: next.Addr, owned: n.cfg.Range, flows: n.hand.flows, next: now}
	n.askHandover(now, out)
}

// askHandover asks for the triggers from the cursor on.
func (n *Node) askHandover(now machine.Time, out *machine.Outbox) {
	h := &n.hand
	if h.tries++; h.tries > handTries {
		n.count.HandoverFailed++
		h.next = machine.Never
		return
	}
	h.flow = h.flows.Next()
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
	var h i3.Handover
	switch {
	case i3.ParseHandover(payload, &h) != nil:
		n.count.DropMalformed++
	case !h.Bring:
		n.handOver(now, from, p.Flow, h, out)
	case n.hand.next == machine.Never || from != n.hand.from || p.Flow != n.hand.flow:
		n.count.DropStranger++
	default:
		n.takeOver(now, h, out)
	}
}

// handOver answers a question for triggers. They are for nobody but the node that comes before this one, and of no
// prefixes but those before it.
func (n *Node) handOver(now machine.Time, to netip.AddrPort, flow uint32, q i3.Handover, out *machine.Outbox) {
	asked := chord.Range{Lo: q.Lo, Hi: q.Hi}
	if pred := n.cfg.Member.Predecessor(); pred.Addr != to || pred.Prefix != q.Hi || asked.Contains(n.cfg.Range.Hi) {
		n.count.DropStranger++
		return
	}
	a := i3.Handover{Bring: true, Lo: q.Lo, Hi: q.Hi, Cursor: q.Cursor, More: true}
	for cells := 0; a.More && cells < handCells; cells++ {
		fit := len(a.Handed)
		at, more := n.table.Scan(matcher.Cursor(a.Cursor), 1, tick(now), func(id i3.ID, tg matcher.Target, at matcher.Tick) {
			if asked.Contains(id.Prefix()) {
				a.Handed = append(a.Handed, n.handed(now, id, tg, at))
			}
		})
		if len(a.Handed) > i3.MaxHanded {
			if fit > 0 { // the cell is for the next packet
				a.Handed = a.Handed[:fit]
				break
			}
			a.Handed = a.Handed[:i3.MaxHanded] // of an identifier that has more than a packet: its hosts will refresh the rest
		}
		a.Cursor, a.More = uint64(at), more
	}
	n.count.HandedOver += uint64(len(a.Handed))
	n.sendHandover(to, flow, &a, out)
}

// handed returns a trigger as it is handed over.
func (n *Node) handed(now machine.Time, id i3.ID, tg matcher.Target, expire matcher.Tick) i3.Handed {
	e := n.targets.at(tg)
	h := i3.Handed{Trigger: i3.Trigger{ID: id}, LifetimeMS: uint32(expire - tick(now))}
	if to, ok := e.id(); ok {
		h.Trigger.Target, h.Owner = i3.ToID(to), i3.Key(e.proof)
	} else {
		h.Trigger.Target = i3.ToHost(e.host(), i3.Key(e.wire[i3.AddrSize:][:16]))
	}
	return h
}

// takeOver inserts triggers that are handed over, and asks for more. Those of hosts have to be proven again with
// their next refresh; until then the node believes the one that owned them before.
func (n *Node) takeOver(now machine.Time, h i3.Handover, out *machine.Outbox) {
	for _, t := range h.Handed {
		n.takeTrigger(now, t)
	}
	n.hand.tries, n.hand.at = 0, h.Cursor
	if !h.More {
		n.hand.next = machine.Never
		return
	}
	n.askHandover(now, out)
}

// takeTrigger inserts one, if it is one that the node would take from a host.
func (n *Node) takeTrigger(now machine.Time, t i3.Handed) {
	_, known := n.find(t.Trigger)
	left := machine.Duration(t.LifetimeMS) * machine.Millisecond
	if known || left > n.cfg.Lifetime+machine.Second || !n.cfg.Range.Contains(t.Trigger.ID.Prefix()) ||
		i3.CheckConstraint(t.Trigger) != nil || n.folds(now, t.Trigger) {
		return
	}
	e := targetOf(t.Trigger.Target)
	if e.epoch = noEpoch; e.kind == toID {
		e.proof = t.Owner
	}
	h := n.targets.add(e)
	if _, err := n.table.Insert(t.Trigger.ID, h, tick(now), tick(now.Add(left))); err != nil {
		n.targets.release(h)
		return
	}
	n.count.TakenOver++
	if n.sweepAt == machine.Never {
		n.sweepAt = now.Add(sweepEvery)
	}
}
