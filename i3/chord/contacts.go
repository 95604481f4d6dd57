package chord

import (
	"net/netip"
	"slices"

	"i3bench/i3/machine"
)

// Contacts are the addresses by which a member or a guest finds its ring when it knows nobody who lives: those that it
// was given, and those that it has heard of last. These outlive each other, and those given.
type contacts struct {
	given []netip.AddrPort
	heard []netip.AddrPort // the last one first
	turn  int              // which is asked first
}

// maxHeard bounds the members heard of; what was heard of longest ago is forgotten.
const maxHeard = 32

// at returns the i-th to ask. There must be one.
func (c *contacts) at(i int) netip.AddrPort {
	i = (c.turn + i) % c.len()
	if i < len(c.heard) {
		return c.heard[i]
	}
	return c.given[i-len(c.heard)]
}

func (c *contacts) len() int { return len(c.heard) + len(c.given) }

// all returns all, in the order in which to ask them.
func (c *contacts) all() (all []netip.AddrPort) {
	for i := range c.len() {
		all = append(all, c.at(i))
	}
	return all
}

// hear notes members, but for self.
func (c *contacts) hear(places []Place, self netip.AddrPort) {
	for _, p := range slices.Backward(places) {
		if p.Addr == self || len(c.heard) > 0 && c.heard[0] == p.Addr {
			continue
		}
		c.heard = slices.DeleteFunc(c.heard, func(a netip.AddrPort) bool { return a == p.Addr })
		c.heard = slices.Insert(c.heard, 0, p.Addr)
		c.heard = c.heard[:min(len(c.heard), maxHeard)]
	}
}

// otherRingEvery is how many periods there are between two looks for another ring.
const otherRingEvery = 8

// lookForOtherRing asks a contact, as if the member knew nobody, who comes after it. If that is nearer than the
// successor the contact is of another ring, and the two become one: so do those of members that were cut off from
// each other for long, as far as they have heard of each other.
func (m *Member) lookForOtherRing(now machine.Time, out *machine.Outbox) {
	m.otherAt = now.Add(otherRingEvery * m.cfg.Period)
	if m.contacts.len() == 0 {
		return
	}
	m.contacts.turn++
	m.begin(now, find{prefix: m.cfg.Self.Prefix + 1, purpose: toMeet, seeds: []netip.AddrPort{m.contacts.at(0)}}, out)
}

// met takes over what a contact says: it is asked itself, like one that has joined in between.
func (m *Member) met(now machine.Time, who Place, out *machine.Outbox) {
	if m.joined && who != m.cfg.Self {
		m.do(now, m.pointers.followed(who), out)
	}
}
