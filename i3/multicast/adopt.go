package multicast

import (
	"i3bench/i3"
	"i3bench/i3/machine"
)

// An adoption is a receiver's care for its parent's identifier after the owner
// has left or crashed. The data flow needs none: the link lives as long as the
// subtree refreshes it. But nobody answers queries for it any more, and nobody
// of its repair group, so that neither joins nor repairs find the subtree.
type adoption struct {
	active bool
	level  int      // of the identifier in the chain
	secret i3.Nonce // with which its link may be removed, if the owner said so
	full   bool
	rank   uint64 // of two adopters the lower one stays
	seen   machine.Time
	timer  machine.Timer
}

// adoptWait bounds the random delay before a child adopts.
const adoptWait = machine.Second / 2

// set returns the set in which the adopted identifier stands.
func (a *adoption) set(chain []i3.ID) i3.ID {
	if a.full {
		return FullSet(chain[a.level-1])
	}
	return JoinSet(chain[a.level-1])
}

// watchOwner notices that the parent's owner has not refreshed its link for
// three of its periods. Only [OwnerFirst] makes owners heard regularly.
func (r *Receiver) watchOwner(now machine.Time) {
	if r.cfg.Refresh != OwnerFirst || r.adopted.active || r.Level() < 2 || r.adopted.timer.Due() != machine.Never {
		return
	}
	period := r.cfg.Host.Lifetime / 2 / machine.Duration(r.cfg.Host.Hurry)
	if now.Sub(r.adopted.seen) > 3*period {
		r.timers.Set(&r.adopted.timer, keyAdopt, now.Add(r.uniform(1, adoptWait)))
	}
}

// ownerLeaves is told that the owner of an identifier leaves it.
func (r *Receiver) ownerLeaves(now machine.Time, body []byte) {
	if r.Level() < 2 || i3.IDFrom([i3.IDSize]byte(body)) != r.parent() || r.adopted.active {
		return
	}
	copy(r.adopted.secret[:], body[i3.IDSize:])
	r.timers.Set(&r.adopted.timer, keyAdopt, now.Add(r.uniform(1, adoptWait)))
}

// adopt takes over the parent's identifier: it tells the siblings, asks how many
// triggers it has, and answers for it from then on.
func (r *Receiver) adopt(now machine.Time, out *machine.Outbox) {
	if r.state != attached || r.Level() < 2 {
		return
	}
	a := &r.adopted
	a.active, a.level, a.full, a.rank, a.seen = true, len(r.chain)-2, false, r.rng.Uint64()>>1+1, now
	r.count.Adoptions++
	b := r.message(now, TypeAdopt, 0, r.Level(), a.rank)
	r.toID(r.parent(), r.parent().AppendTo(b), out)
	r.host.Maintain(now, r.host.Own(a.set(r.chain)), out)
	r.host.Maintain(now, r.host.Own(RepairGroup(r.chain[a.level-1], r.suffix)), out)
	r.host.Probe([]i3.ID{r.parent()}, out)
	r.putOff(now, a.level)
}

// ownerFound is told that an identifier has an owner: the old one is alive after
// all (rank 0), or a sibling has adopted it. Of two adopters one yields.
func (r *Receiver) ownerFound(now machine.Time, id i3.ID, rank uint64, _ *machine.Outbox) {
	a := &r.adopted
	if r.Level() < 2 || id != r.parent() || a.active && rank >= a.rank {
		return
	}
	a.seen = now
	r.timers.Stop(&a.timer)
	if a.active {
		r.dropAdoption()
	}
}

// dropAdoption stops answering for the adopted identifier.
func (r *Receiver) dropAdoption() {
	a := &r.adopted
	if !a.active {
		return
	}
	r.host.Forget(r.host.Own(a.set(r.chain)))
	r.host.Forget(r.host.Own(RepairGroup(r.chain[a.level-1], r.suffix)))
	a.active = false
}

// adoptedCount learns how many links the adopted identifier has, and moves it to
// the right set.
func (r *Receiver) adoptedCount(now machine.Time, a i3.Ack, out *machine.Outbox) {
	ad := &r.adopted
	if !ad.active || a.Trigger.ID != r.chain[ad.level] || a.Count >= a.Limit == ad.full {
		return
	}
	old := ad.set(r.chain)
	ad.full = !ad.full
	r.host.Maintain(now, r.host.Own(ad.set(r.chain)), out)
	r.host.Remove(now, r.host.Own(old), i3.Nonce{}, out)
}
