package multicast

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// A former is the place that a receiver left last while others were below it, to whom it left its link. If these leave
// at the same moment, nobody hears of the other, and the link would stay until it expires: a branch that leads
// nowhere, in which a search may end. So the last one to go tells the former owner, as it tells an owner whose
// identifier has a free slot again, and that one takes the link back.
type former struct {
	link   i3.Trigger
	secret i3.Nonce
	parent netip.AddrPort // the host that replied for the identifier above
}

// leaveBehind remembers the receiver's place, which it has handed over.
func (r *Receiver) leaveBehind() {
	r.more().former = former{r.link(len(r.chain) - 1), r.secret, r.parentHost}
}

// id returns the identifier that the place was, or zero.
func (f *former) id() i3.ID {
	id, _ := f.link.Target.ID()
	return id
}

// formerHinted asks, if a hint is about the former place, whether anything hangs below it: whoever hints may be wrong.
func (r *Receiver) formerHinted(id i3.ID, out *machine.Outbox) bool {
	if e := r.rare; e == nil || id.IsZero() || id != e.former.id() {
		return false
	}
	r.host.Probe([]i3.ID{id}, out)
	return true
}

// formerAcked takes the former place's link back if nothing hangs below it, and then tells the owner above, as whoever
// leaves does. Who joins there meanwhile finds itself alone, and looks elsewhere (see attachAcked).
func (r *Receiver) formerAcked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	if r.rare == nil {
		return
	}
	switch f := &r.rare.former; {
	case a.Status == i3.StatusProbed && a.Trigger.ID == f.id() && a.Count == 0:
		r.host.Remove(now, f.link, f.secret, out)
	case a.Status == i3.StatusRemoved && a.Trigger == f.link:
		if a.Count == a.Limit-1 || a.Count == 0 {
			r.hintTo(now, f.parent, f.link.ID, out)
		}
		*f = former{}
	}
}
