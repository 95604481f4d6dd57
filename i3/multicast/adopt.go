package multicast

import (
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// An adoption is a receiver's care for an identifier of its chain after the owner
// has left or crashed. The data flow needs none: the link lives as long as the
// subtree refreshes it. But nobody answers queries for it any more, and nobody
// of its repair group, so that neither joins nor repairs find the subtree.
//
// A receiver adopts upwards from its parent's identifier, one after the other:
// when an owner leaves who had adopted the one above, both need a new one.
type adoption struct {
	level  int      // of the identifier in the chain
	secret i3.Nonce // with which its link may be removed, if the owner said so
	full   bool
	rank   uint64 // of two adopters the lower one stays
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

// watched returns the level of the identifier that this receiver adopts next if
// it loses its owner. At level 0 there is nothing to adopt: it is the source's.
func (r *Receiver) watched() int { return max(0, len(r.chain)-2-len(r.adopted())) }

// adoptionAt returns the adoption of the identifier at a level, or nil.
func (r *Receiver) adoptionAt(level int) *adoption {
	for k, adopted := 0, r.adopted(); k < len(adopted); k++ {
		if adopted[k].level == level {
			return &adopted[k]
		}
	}
	return nil
}

// watchOwner notices that the owner of the watched identifier has not refreshed
// its link for three of its periods. Only [OwnerFirst] makes owners heard
// regularly.
func (r *Receiver) watchOwner(now machine.Time) {
	if r.scheme != OwnerFirst || r.watched() == 0 {
		return
	}
	period := r.cfg.Host.Lifetime / 2 / machine.Duration(r.cfg.Host.Hurry)
	if now.Sub(r.links[r.watched()].seen) > 3*period {
		r.adoptSoon(now)
	}
}

// adoptSoon adopts the watched identifier after a random delay, unless a sibling
// does before.
func (r *Receiver) adoptSoon(now machine.Time) {
	if c := r.tend(); c.timer.Due() == machine.Never {
		r.timers.Set(&c.timer, keyAdopt, now.Add(r.uniform(1, adoptWait)))
	}
}

// ownerLeaves is told that the owner of an identifier leaves it. If it is not the
// watched one, it may be later.
func (r *Receiver) ownerLeaves(now machine.Time, body []byte) {
	i := slices.Index(r.chain, i3.IDFrom([i3.IDSize]byte(body)))
	if i < 1 || i > r.watched() {
		return
	}
	r.orphaned(i, i3.Nonce(body[i3.IDSize:]))
	if i == r.watched() {
		r.adoptSoon(now)
	}
}

// adopt takes over the watched identifier: it tells the siblings, asks how many
// triggers it has, and answers for it from then on.
func (r *Receiver) adopt(now machine.Time, out *machine.Outbox) {
	level := r.watched()
	if r.state != attached || level == 0 {
		return
	}
	c := r.tend()
	c.adopted = append(c.adopted, adoption{
		level: level, secret: r.orphan(level).secret, rank: r.rng.Uint64()>>1 + 1,
	})
	a := &c.adopted[len(c.adopted)-1]
	r.count.Adoptions++
	r.claim(now, a, out)
	r.host.Maintain(now, r.host.Own(a.set(r.chain)), out)
	r.host.Maintain(now, r.host.Own(RepairGroup(r.chain[level-1], r.suffix)), out)
	r.host.Probe([]i3.ID{r.chain[level]}, out)
	r.putOff(now, level)
	if next := r.watched(); next > 0 && r.orphan(next).now {
		r.adoptSoon(now)
	}
}

// claim tells all below an identifier that this receiver has adopted it. It is
// said again with every refresh of the adopted link, so that a sibling that has
// not heard it, and adopted too, hears it then.
func (r *Receiver) claim(now machine.Time, a *adoption, out *machine.Outbox) {
	b := r.message(now, TypeAdopt, 0, r.Level(), a.rank, out)
	r.toID(r.chain[a.level], r.chain[a.level].AppendTo(b), out)
}

// ownerFound is told that an identifier has an owner: the old one is alive after
// all (rank 0), or somebody has adopted it. Of two adopters one yields.
func (r *Receiver) ownerFound(now machine.Time, id i3.ID, rank uint64, out *machine.Outbox) {
	i := slices.Index(r.chain, id)
	if i < 1 || i == len(r.chain)-1 {
		return
	}
	if a := r.adoptionAt(i); a != nil {
		if rank >= a.rank {
			return
		}
		r.dropAdoptions(now, i, out)
	}
	r.links[i].seen = now
	r.owned(i)
	if r.care != nil && i == r.watched() {
		r.timers.Stop(&r.care.timer)
	}
}

// dropAdoptions stops answering for the adopted identifiers from a level
// upwards.
func (r *Receiver) dropAdoptions(now machine.Time, level int, out *machine.Outbox) {
	adopted := r.adopted()
	for k := len(adopted) - 1; k >= 0 && adopted[k].level <= level; k-- {
		a := &adopted[k]
		r.host.Remove(now, r.host.Own(a.set(r.chain)), i3.Nonce{}, out)
		r.host.Remove(now, r.host.Own(RepairGroup(r.chain[a.level-1], r.suffix)), i3.Nonce{}, out)
		r.care.adopted = adopted[:k]
	}
}

// adoptedCount learns how many links an adopted identifier has, and moves it to
// the right set.
func (r *Receiver) adoptedCount(now machine.Time, ack i3.Ack, out *machine.Outbox) {
	for k, adopted := 0, r.adopted(); k < len(adopted); k++ {
		a := &adopted[k]
		if ack.Trigger.ID != r.chain[a.level] || (ack.Count >= ack.Limit) == a.full {
			continue
		}
		old := a.set(r.chain)
		a.full = !a.full
		r.host.Maintain(now, r.host.Own(a.set(r.chain)), out)
		r.host.Remove(now, r.host.Own(old), i3.Nonce{}, out)
	}
}

// An orphan is an identifier of the chain whose owner has left, and the secret
// with which its link may be removed.
type orphan struct {
	level  int
	secret i3.Nonce
	now    bool // it has no owner yet
}

// A care is what a receiver knows of orphans, and which it has adopted, and what it
// needs to change its place. Few receivers ever have any.
type care struct {
	mover   *mover     // nil unless it looks for nearer parents, or has moved
	adopted []adoption // from the parent's identifier upwards, without a gap
	orphans []orphan
	timer   machine.Timer // of the next adoption
}

// tend returns the receiver's care, which it gives it if it has none.
func (r *Receiver) tend() *care {
	if r.care == nil {
		r.care = new(care)
	}
	return r.care
}

// adopted returns the receiver's adoptions.
func (r *Receiver) adopted() []adoption {
	if r.care == nil {
		return nil
	}
	return r.care.adopted
}

// forsake forgets all orphans, adopted or not.
func (r *Receiver) forsake() {
	if r.care != nil {
		r.timers.Stop(&r.care.timer)
		r.care.adopted, r.care.orphans = nil, nil
	}
}

// orphan returns what is known of the identifier at a level as an orphan.
func (r *Receiver) orphan(level int) orphan {
	if r.care != nil {
		for _, o := range r.care.orphans {
			if o.level == level {
				return o
			}
		}
	}
	return orphan{}
}

// orphaned notes that the owner of the identifier at a level has left.
func (r *Receiver) orphaned(level int, secret i3.Nonce) {
	c := r.tend()
	c.orphans = slices.DeleteFunc(c.orphans, func(o orphan) bool { return o.level == level })
	c.orphans = append(c.orphans, orphan{level, secret, true})
}

// owned notes that the identifier at a level has an owner. The secret stays: it is
// good for as long as the link is there.
func (r *Receiver) owned(level int) {
	if r.care == nil {
		return
	}
	for k := range r.care.orphans {
		if r.care.orphans[k].level == level {
			r.care.orphans[k].now = false
		}
	}
}
