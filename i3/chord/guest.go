package chord

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// A Corrector is a [Ring] that may be wrong, and wants to hear of it.
type Corrector interface {
	Ring
	// Wrong hears that who was said to be the owner of prefix is not.
	Wrong(prefix uint64)
	// Doubt hears that the owner of prefix does not answer.
	Doubt(prefix uint64)
}

// A Guest is a [Ring] for a host: it is no member, but asks members who owns what, and remembers that. The first
// question about a prefix it answers with some member, which passes data on, while it looks for the owner; owners that
// are in use it asks again and again whether they are there.
//
// It is part of a machine, see [Guest.Beside].
type Guest struct {
	m   *Member
	now machine.Time
}

var _ Corrector = (*Guest)(nil)

// NewGuest returns a guest at cfg.Self.Addr of the ring that cfg.Join are members of, at least one. The rest of the
// configuration but for Seed means nothing.
func NewGuest(cfg Config, now machine.Time) (*Guest, error) {
	if len(cfg.Join) == 0 {
		return nil, errNoMembers
	}
	cfg.Self.Prefix, cfg.Found, cfg.Period, cfg.Successors = 0, nil, 0, 0
	m, err := NewMember(cfg, now)
	if err != nil {
		return nil, err
	}
	g := &Guest{m: m, now: max(now, 1)}
	m.guest = g
	return g, nil
}

// Owner returns the address to which a packet for prefix goes: its owner's, or some member's. (See [Ring].)
func (g *Guest) Owner(prefix uint64) (netip.AddrPort, bool) {
	if a, ok := g.m.owners.use(prefix); ok {
		return a, true
	}
	g.want(prefix)
	if all := g.m.owners.known; len(all) > 0 {
		return all[int(prefix%uint64(len(all)))].place.Addr, true
	}
	return g.m.contacts.at(0), true
}

// Wrong makes the guest look for the owner of prefix again. (See [Corrector].)
func (g *Guest) Wrong(prefix uint64) {
	g.m.owners.remove(prefix)
	g.want(prefix)
}

// Doubt makes the guest ask the owner of prefix whether it is there, or another member if none is known. (See
// [Corrector].)
func (g *Guest) Doubt(prefix uint64) {
	g.m.contacts.turn++
	if g.m.owners.doubt(g.now, prefix) {
		g.wake()
		return
	}
	g.want(prefix)
}

// Counters returns what the guest has done so far.
func (g *Guest) Counters() Counters { return g.m.count }

// want notes a prefix to look for when the machine is next called.
func (g *Guest) want(prefix uint64) {
	if g.m.owners.want(prefix) {
		g.wake()
	}
}

// wake brings the next call of look forward.
func (g *Guest) wake() { g.m.timers.Set(&g.m.period, keyPeriod, g.now) }

// seeds returns whom to ask where nobody is known.
func (g *Guest) seeds() []netip.AddrPort {
	seeds := g.m.contacts.all()
	for _, k := range g.m.owners.known {
		if len(seeds) >= maxHops {
			break
		}
		seeds = append(seeds, k.place.Addr)
	}
	return seeds
}

// heard takes over what a lookup has found besides the owner, which is looked for again when it does not answer, and so
// is no contact. Without a result, the next asks others first.
func (g *Guest) heard(owner *message) {
	if owner == nil {
		g.m.contacts.turn++
		return
	}
	g.m.contacts.hear(owner.succ, owner.self.Addr)
}

// Beside returns a machine that is m with the guest beside it: the guest gets the packets of the ring, and m, whose
// [Ring] it is, all others.
func (g *Guest) Beside(m machine.Machine) machine.Machine { return &beside{g, m} }

type beside struct {
	guest *Guest
	machine.Machine
}

// Deadline returns when either has something to do.
func (b *beside) Deadline() machine.Time { return min(b.guest.m.Deadline(), b.Machine.Deadline()) }

// Expire does what is due for both.
func (b *beside) Expire(now machine.Time, out *machine.Outbox) {
	b.guest.now = now
	b.guest.m.Expire(now, out)
	b.Machine.Expire(now, out)
}

// Receive divides the packets.
func (b *beside) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	b.guest.now = now
	for _, d := range batch {
		for rest := d.Bytes; len(rest) > 0; {
			var others int
			others, rest = b.ring(now, d.From, rest, out)
			if others > 0 {
				b.Machine.Receive(now, []machine.Datagram{{From: d.From, Bytes: d.Bytes[:others]}}, out)
			}
			d.Bytes = rest
		}
	}
}

// ring goes through the packets of a datagram up to the first of the ring, hands that to the guest, and returns how
// many bytes are before it and what comes after it. Where it cannot read on, all is before it.
func (b *beside) ring(now machine.Time, from netip.AddrPort, d []byte, out *machine.Outbox) (before int, after []byte) {
	for rest := d; len(rest) > 0; {
		p, wire, tail, err := i3.Next(rest)
		if err != nil || wire == nil {
			break
		}
		if p.Kind == i3.KindRing {
			b.guest.m.Packet(now, from, p, i3.Payload(wire), out)
			return len(d) - len(rest), tail
		}
		rest = tail
	}
	return len(d), nil
}
