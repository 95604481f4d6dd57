package multicast

import (
	"slices"

	"i3bench/i3/machine"
)

// A pending request is one that was passed upward for a subtree and is not
// answered yet: the paper's pending_repair_req. It is set only where the request
// is passed on; Figure 10 read literally sets it for the answered ones too, and
// then nobody else who lost the packet is ever answered.
type pending struct {
	seq   uint64
	timer machine.Timer
	level int16 // of the chain's identifier whose subtree lost the packet
	tries int8
	of    uint8 // the stream, see swap
}

// maxUpward is how often a request is passed upward before it is dropped; the
// requesters go on asking.
const maxUpward = 8

// requested answers a repair request to a group this receiver belongs to, for
// itself or as the adopter of its parent's identifier.
func (r *Receiver) requested(now machine.Time, m Message, body []byte, out *machine.Outbox) {
	q, err := ParseRequest(body)
	if err != nil {
		r.count.DropMalformed++
		return
	}
	r.count.RequestsReceived++
	if r.joined && m.Epoch != r.epoch {
		r.count.DropUnexpected++
		return
	}
	level := slices.Index(r.chain[:len(r.chain)-1], q.Group)
	if level < 0 {
		r.count.DropUnexpected++
		return
	}
	if payload := r.stream.cache.get(m.Seq); payload != nil {
		r.repair(now, m, q, payload, r.Level(), out)
		return
	}
	if m.Flags&FlagProbed == 0 && !r.cfg.Repair.Literal {
		r.passOn(now, m, q, out)
		return
	}
	r.passUp(now, m.Seq, level, out)
}

// passOn asks a second member of the group before the whole group is taken to
// have lost the packet: most often only this one did.
func (r *Receiver) passOn(now machine.Time, m Message, q Request, out *machine.Outbox) {
	r.count.Passed++
	b := m
	b.Flags |= FlagProbed
	c := b.AppendTo(out.Scratch())
	r.toID(RepairGroup(q.Group, ^r.suffix), q.AppendTo(c), out)
}

// passUp takes everyone below the identifier at level to have lost the packet
// and asks the group one level up to repair the whole subtree.
func (r *Receiver) passUp(now machine.Time, seq uint64, level int, out *machine.Outbox) {
	x := r.more()
	for i := range x.pending {
		if p := &x.pending[i]; p.seq == seq && int(p.level) == level && p.of == r.current {
			return // already asked for
		}
	}
	if len(x.pending) == maxPending {
		r.count.DropPending++
		return
	}
	x.pending = append(x.pending, pending{seq: seq, level: int16(level), of: r.current})
	r.sendUp(now, &x.pending[len(x.pending)-1], out)
}

func (r *Receiver) sendUp(now machine.Time, p *pending, out *machine.Outbox) {
	up := int(p.level) - 1
	if !r.cfg.Repair.Literal && p.tries >= siblingTries {
		up = -1
	}
	suffix := r.memberFor(p.seq)
	if !r.cfg.Repair.Literal && p.tries%2 == 1 {
		suffix = ^suffix
	}
	p.tries++
	r.count.Escalated++
	group := r.groupAt(up)
	q := Request{Group: group, Target: r.chain[p.level], Requester: r.host.Self()}
	r.sendRequest(now, p.seq, 0, RepairGroup(group, suffix), q, out)
	r.timers.Set(&p.timer, r.of(keyUpward, p.seq), now.Add(r.retryAfter(int(p.tries))))
}

// pendingDue sends requests upward again.
func (r *Receiver) pendingDue(now machine.Time, seq, key uint64, at machine.Time, out *machine.Outbox) {
	x := r.more()
	for i := 0; i < len(x.pending); i++ {
		p := &x.pending[i]
		if p.seq != seq || p.of != r.current || !r.timers.Fired(&p.timer, key, at, now) {
			continue
		}
		if p.tries == maxUpward || r.state != attached {
			x.pending = slices.Delete(x.pending, i, i+1)
			i--
			continue
		}
		r.sendUp(now, p, out)
	}
}

// dropAllPending forgets all of them: the receiver leaves its place.
func (r *Receiver) dropAllPending() {
	if r.rare != nil {
		r.rare.pending = nil
	}
}

// dropPending forgets the requests for a packet that has arrived.
func (r *Receiver) dropPending(seq uint64) {
	if x := r.rare; x != nil && len(x.pending) > 0 {
		x.pending = slices.DeleteFunc(x.pending, func(p pending) bool { return p.seq == seq && p.of == r.current })
	}
}
