package multicast

import (
	"i3bench/i3"
	"i3bench/i3/machine"
)

// Leave takes the receiver out of the tree. The tree below it stays: its link
// is removed only when nothing hangs under it, else its children are told to
// look after it. Leave does nothing if the receiver is idle or leaves already; a
// search, or the wait for its next round, is broken off.
func (r *Receiver) Leave(now machine.Time, out *machine.Outbox) {
	switch {
	case r.state == attached:
		r.dropSeats(now, out)
	case r.state == leaving || r.Idle():
		return
	default:
		if r.state == attaching { // what was asked for may be there already
			r.host.Remove(now, r.ownTrigger(), i3.Nonce{}, out)
			r.host.Remove(now, r.link(len(r.chain)-1), r.secret, out)
			r.host.Remove(now, r.host.Own(r.above.set(false)), i3.Nonce{}, out)
			r.host.Remove(now, r.host.Own(r.above.group(r.suffix)), i3.Nonce{}, out)
		}
		r.stopTrains(now, out)
		r.left(now)
		return
	}
	r.state = leaving
	for _, id := range r.memberships() {
		r.host.Remove(now, r.host.Own(id), i3.Nonce{}, out)
	}
	r.host.Remove(now, r.ownTrigger(), i3.Nonce{}, out)
}

// memberships returns the sets and groups in which the receiver has a trigger.
func (r *Receiver) memberships() []i3.ID {
	ids := []i3.ID{r.above.set(r.full), r.above.group(r.suffix)}
	if r.moving {
		ids = append(ids, r.above.set(!r.full))
	}
	if id, ok := r.agentID(); ok {
		ids = append(ids, id)
	}
	for _, a := range r.adopted() {
		ids = append(ids, a.set(r.chain), RepairGroup(r.chain[a.level-1], r.suffix))
	}
	return ids
}

// leaveAcked goes on with leaving. The count that comes with the removal of the
// own trigger tells whether anything hangs under the identifier.
func (r *Receiver) leaveAcked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	last := len(r.chain) - 1
	switch i := r.linkIndex(a.Trigger); {
	case r.isOwn(a.Trigger) && a.Count == 0:
		r.host.Remove(now, r.link(last), r.secret, out)
	case r.isOwn(a.Trigger):
		r.handOver(now, r.own(), r.secret, out)
		r.leaveBehind()
		r.handOverAdopted(now, last, out)
		r.left(now)
	case i >= r.unlinking() && !a.Status.Alive(): // else a refresh that was under way
		r.unlinked(now, i, a, out)
	}
}

// unlinking returns the level of the topmost identifier whose link the receiver
// removes when it leaves: the last that it has adopted, or its own.
func (r *Receiver) unlinking() int { return r.watched() + 1 }

// unlinked is told that a link of the leaving receiver is gone. If it had adopted
// the identifier above, that is handed over, or removed if nothing is left there.
func (r *Receiver) unlinked(now machine.Time, i int, a i3.Ack, out *machine.Outbox) {
	above := r.adoptionAt(i - 1)
	switch {
	case above != nil && a.Count == 0:
		r.host.Remove(now, r.link(i-1), above.secret, out)
		return
	case above != nil:
		r.handOverAdopted(now, i, out)
	case i == len(r.chain)-1 && (a.Count == a.Limit-1 || a.Count == 0):
		r.hint(now, out)
	}
	r.left(now)
}

// handOverAdopted hands over the adopted identifiers above the i-th.
func (r *Receiver) handOverAdopted(now machine.Time, i int, out *machine.Outbox) {
	for _, a := range r.adopted() {
		if a.level < i {
			r.handOver(now, r.chain[a.level], a.secret, out)
		}
	}
}

// handOver tells the subtree of an identifier that its owner leaves, and the
// secret with which the next one may remove its link.
func (r *Receiver) handOver(now machine.Time, id i3.ID, secret i3.Nonce, out *machine.Outbox) {
	b := r.message(now, TypeLeaving, 0, len(r.chain)-1, 0, out)
	r.toID(id, append(id.AppendTo(b), secret[:]...), out)
}

// left makes the receiver idle.
func (r *Receiver) left(now machine.Time) {
	r.reset()
	r.joined = false
	r.stream.losses = nil
	r.forget()
	if f := r.events.Left; f != nil {
		f(now)
	}
}

// reset forgets the place in the tree, but not the stream: packets kept for
// repairs stay, and who searches for another place is still owed what it missed.
func (r *Receiver) reset() {
	r.state, r.full, r.children = idle, false, 0
	r.moving = false
	r.join, r.rounds = nil, 0
	r.timers.Stop(&r.refreshTimer)
	r.timers.Stop(&r.house)
	r.forsake()
	r.links = r.links[:0]
	r.dropAllPending()
}

// rejoin gives up this place in the tree and searches for another. It takes its
// triggers back, for queries and requests that still came to them would be lost,
// and tells its children, if it has any, to look after its identifier.
func (r *Receiver) rejoin(now machine.Time, out *machine.Outbox) {
	r.dropSeats(now, out)
	last := len(r.chain) - 1
	if r.children == 0 {
		r.host.Remove(now, r.link(last), r.secret, out)
	} else {
		r.handOver(now, r.own(), r.secret, out)
	}
	r.handOverAdopted(now, last, out)
	for _, id := range append(r.memberships(), r.own()) {
		r.host.Remove(now, r.host.Own(id), i3.Nonce{}, out)
	}
	r.reset()
	r.beginSearch(now, out)
}
