package multicast

import (
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// Leave takes the receiver out of the tree. The tree below it stays: its link
// is removed only when nothing hangs under it, else its children are told to
// look after it. Leave does nothing unless the receiver is attached; a search
// is broken off.
func (r *Receiver) Leave(now machine.Time, out *machine.Outbox) {
	switch r.state {
	case searching, attaching:
		if r.state == attaching {
			r.host.Remove(now, r.host.Own(r.own()), i3.Nonce{}, out)
		}
		r.left(now)
		return
	case attached:
	default:
		return
	}
	r.state = leaving
	for _, id := range r.memberships() {
		r.host.Remove(now, r.host.Own(id), i3.Nonce{}, out)
	}
	r.host.Remove(now, r.host.Own(r.own()), i3.Nonce{}, out)
}

// memberships returns the sets and groups in which the receiver has a trigger.
func (r *Receiver) memberships() []i3.ID {
	ids := []i3.ID{r.set(), RepairGroup(r.parent(), r.suffix)}
	if !r.enter.IsZero() {
		ids = append(ids, r.leave)
	}
	if r.adopted.active {
		ids = append(ids, r.adopted.set(r.chain), RepairGroup(r.chain[r.adopted.level-1], r.suffix))
	}
	return ids
}

// leaveAcked goes on with leaving. The count that comes with the removal of the
// own trigger tells whether anything hangs under the identifier.
func (r *Receiver) leaveAcked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	last := len(r.chain) - 1
	switch a.Trigger {
	case r.host.Own(r.own()):
		if a.Count == 0 {
			r.host.Remove(now, r.link(last), r.secret, out)
			return
		}
		r.handOver(now, r.own(), r.secret, out)
		if r.adopted.active {
			r.handOver(now, r.parent(), r.adopted.secret, out)
		}
		r.left(now)
	case r.link(last):
		r.unlinked(now, a, out)
		r.left(now)
	}
}

// unlinked is told that the receiver's link is gone. If it had adopted its
// parent's identifier, that is handed over, or removed if it was the last.
func (r *Receiver) unlinked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	switch {
	case r.adopted.active && a.Count == 0:
		r.host.Remove(now, r.link(r.adopted.level), r.adopted.secret, out)
	case r.adopted.active:
		r.handOver(now, r.parent(), r.adopted.secret, out)
	case a.Count == a.Limit-1:
		r.hint(now, out)
	}
}

// handOver tells the subtree of an identifier that its owner leaves, and the
// secret with which the next one may remove its link.
func (r *Receiver) handOver(now machine.Time, id i3.ID, secret i3.Nonce, out *machine.Outbox) {
	b := r.message(now, TypeLeaving, 0, len(r.chain)-1, 0)
	r.toID(id, append(id.AppendTo(b), secret[:]...), out)
}

// left makes the receiver idle.
func (r *Receiver) left(now machine.Time) {
	r.reset()
	if f := r.cfg.Events.Left; f != nil {
		f(now)
	}
}

// reset forgets the place in the tree. Packets kept for repairs stay.
func (r *Receiver) reset() {
	r.state, r.joined, r.full = idle, false, false
	r.enter, r.leave = i3.ID{}, i3.ID{}
	r.join.rounds = 0
	r.timers.Stop(&r.join.timer)
	r.timers.Stop(&r.house)
	r.timers.Stop(&r.adopted.timer)
	r.adopted = adoption{}
	r.links = r.links[:0]
	r.stream.losses = slices.Delete(r.stream.losses, 0, len(r.stream.losses))
	r.pending = slices.Delete(r.pending, 0, len(r.pending))
}

// rejoin gives up this place in the tree and searches for another.
func (r *Receiver) rejoin(now machine.Time, out *machine.Outbox) {
	r.forget()
	r.join.rounds = 0
	r.beginSearch(now, out)
}

// forget drops the receiver's triggers without a word; they expire.
func (r *Receiver) forget() {
	for _, id := range []i3.ID{r.own(), r.set(), r.enter, r.leave, RepairGroup(r.parent(), r.suffix)} {
		r.host.Forget(r.host.Own(id))
	}
	r.dropAdoption()
	r.reset()
}
