package chord

import (
	"cmp"
	"net/netip"
	"slices"

	"i3bench/i3/machine"
)

// A Finding is the result of a lookup.
type Finding struct {
	Ticket uint32 // that Find returned
	Prefix uint64
	Owner  Place
	Hops   int  // members that were asked and answered
	OK     bool // otherwise nobody answered who could help
}

// A find is a lookup: it asks members before the prefix for later ones, until one knows what comes after it, and then
// the first of these that lives. It is iterative: each answer comes back, and who does not answer is passed over.
type find struct {
	prefix  uint64
	purpose findPurpose
	ticket  uint32
	level   int // of a finger
	round   uint32

	open   bool
	serial uint32           // of the lookup, so that an answer for one that is over changes nothing
	seeds  []netip.AddrPort // who to ask where nobody is known
	before []Place          // members before the prefix, not asked yet, the last first
	owners []Place          // those at and after it, the first first, if somebody has said
	asked  []netip.AddrPort

	ownerAsked bool    // the last who was asked may be the owner
	owner      message // the state of the owner found so far
	lives      bool    // there is one
	sure       bool    // and it says that it is, or nobody else who might know is left
	hops       int
	silent     int // members that were asked and did not answer
}

type findPurpose uint8

const (
	toFind findPurpose = iota
	toFinger
	toJoin
	toOwner
	toMeet
)

// Bounds of a lookup.
const (
	maxBefore = 8 // members that it remembers to ask
	maxSilent = 6 // members that do not answer: one that lies can name as many as it likes, and any bystander
)

// Find looks for the owner of a prefix, and tells Config.Found, maybe during the call. It returns false if too many
// lookups are under way or it has not joined.
func (m *Member) Find(now machine.Time, prefix uint64, out *machine.Outbox) (ticket uint32, ok bool) {
	if !m.joined {
		return 0, false
	}
	m.tickets++
	return m.tickets, m.begin(now, find{prefix: prefix, purpose: toFind, ticket: m.tickets}, out)
}

// begin starts a lookup.
func (m *Member) begin(now machine.Time, f find, out *machine.Outbox) bool {
	for i := range m.finds {
		if m.finds[i].open {
			continue
		}
		m.count.Finds++
		m.serial++
		f.open, f.serial = true, m.serial
		m.finds[i] = f
		if r, ok := m.Range(); ok && r.Contains(f.prefix) && f.purpose != toJoin {
			m.finish(now, &m.finds[i], m.own(f.prefix), out)
			return true
		}
		if m.joined && f.purpose != toMeet {
			m.finds[i].learn(m.own(f.prefix))
		}
		m.next(now, i, out)
		return true
	}
	m.count.DropFull++
	return false
}

// learn takes from an answer who comes before the prefix, and who owns it.
func (f *find) learn(a *message) {
	for _, p := range append(a.near, a.succ...) {
		if between(a.self.Prefix, p.Prefix, f.prefix) && !slices.Contains(f.asked, p.Addr) && !slices.Contains(f.before, p) {
			f.before = append(f.before, p)
		}
	}
	slices.SortFunc(f.before, func(p, q Place) int { return cmp.Compare(f.prefix-p.Prefix, f.prefix-q.Prefix) })
	f.before = f.before[:min(len(f.before), maxBefore)]
	last := a.self
	for i, s := range a.succ {
		if (Range{last.Prefix, s.Prefix}).Contains(f.prefix) {
			f.owners = slices.Clone(a.succ[i:])
			return
		}
		last = s
	}
}

// next asks the next member, or ends the lookup.
func (m *Member) next(now machine.Time, i int, out *machine.Outbox) {
	f := &m.finds[i]
	to, ok := f.pick()
	switch {
	case f.lives && (!ok || len(f.asked) == maxHops):
		m.finish(now, f, &f.owner, out)
	case !ok || len(f.asked) == maxHops || f.silent == maxSilent:
		m.count.Failed++
		m.finish(now, f, nil, out)
	case to.Addr == m.cfg.Self.Addr:
		f.asked = append(f.asked, to.Addr)
		m.heard(now, i, m.own(f.prefix), out)
	default:
		f.asked = append(f.asked, to.Addr)
		size := shortSize
		if f.purpose == toJoin || f.purpose == toFinger && f.ownerAsked {
			size = fullSize
		}
		r := request{to: to, size: size, prefix: f.prefix, purpose: forFind, ref: i, round: f.serial}
		if !m.ask(now, r, out) {
			m.count.Failed++
			m.finish(now, f, nil, out)
		}
	}
}

// pick takes whom to ask next: one who may be the owner, if somebody has said; otherwise the last member before the
// prefix, or a seed. Nobody if there is an owner and it is sure; one that names a member before itself that is dead
// is not, for there may be another, which the last member before the prefix knows.
func (f *find) pick() (to Place, ok bool) {
	f.ownerAsked = f.purpose != toJoin
	for f.ownerAsked && len(f.owners) > 0 {
		to, f.owners = f.owners[0], f.owners[1:]
		nearer := !f.lives || to.Prefix-f.prefix < f.owner.self.Prefix-f.prefix
		if nearer && !slices.Contains(f.asked, to.Addr) {
			return to, true
		}
	}
	f.ownerAsked = false
	if f.lives {
		if f.sure {
			return to, false
		}
		f.sure = true // or as sure as can be, after one more
	}
	for len(f.before) > 0 {
		to, f.before = f.before[0], f.before[1:]
		if !slices.Contains(f.asked, to.Addr) {
			return to, true
		}
	}
	for len(f.seeds) > 0 {
		to, f.seeds = Place{Addr: f.seeds[0]}, f.seeds[1:]
		if !slices.Contains(f.asked, to.Addr) {
			return to, true
		}
	}
	return to, false
}

// findAnswered goes on with a lookup.
func (m *Member) findAnswered(now machine.Time, q *request, a *message, out *machine.Outbox) {
	if f := &m.finds[q.ref]; f.open && f.serial == q.round {
		f.hops++
		m.heard(now, q.ref, a, out)
	}
}

// findSilent goes on with a lookup whose question nobody has answered.
func (m *Member) findSilent(now machine.Time, q *request, out *machine.Outbox) {
	if f := &m.finds[q.ref]; f.open && f.serial == q.round {
		f.silent++
		m.next(now, q.ref, out)
	}
}

// heard takes from an answer what helps, and goes on.
func (m *Member) heard(now machine.Time, i int, a *message, out *machine.Outbox) {
	f := &m.finds[i]
	switch {
	case !a.member || len(a.succ) == 0: // it has yet to join
	case f.purpose == toJoin && (m.departure.left || !m.alone()): // by another lookup, or by others that have joined it
		f.open = false
		return
	case f.purpose == toJoin:
		if m.join(now, f, a, out) {
			return
		}
		f.learn(a)
	case f.ownerAsked:
		f.owner, f.lives, f.sure, f.owners = *a, true, true, nil
		if a.pred.known() && a.self.Prefix != f.prefix && (Range{f.prefix - 1, a.self.Prefix - 1}).Contains(a.pred.Prefix) {
			f.sure, f.owners = false, []Place{a.pred} // which is nearer, if it lives
		}
	default:
		f.learn(a)
	}
	m.next(now, i, out)
}

// join makes m a member if the one that answers is the last before it, and reports whether the lookup is over.
func (m *Member) join(now machine.Time, f *find, a *message, out *machine.Outbox) bool {
	if a.self.Prefix == m.cfg.Self.Prefix || a.succ[0].Prefix == m.cfg.Self.Prefix {
		m.taken = a.self != m.cfg.Self && a.succ[0] != m.cfg.Self // not if others have not noticed yet that it was away
		f.open = false
		return true
	}
	if !m.pointers.join(a.self, a.succ) {
		return false
	}
	m.joined, m.taken, f.open = true, false, false
	m.count.Joined++
	m.say(kindFollow, a.self, out)
	m.stabilize(now, out)
	return true
}

// finish ends a lookup with the state of the owner, or without one.
func (m *Member) finish(now machine.Time, f *find, owner *message, out *machine.Outbox) {
	f.open = false
	done := Finding{Ticket: f.ticket, Prefix: f.prefix, Hops: f.hops}
	if owner != nil {
		done.Owner, done.OK = owner.self, true
	}
	switch f.purpose {
	case toFind:
		if m.cfg.Found != nil {
			m.cfg.Found(now, done, out)
		}
	case toOwner:
		m.ownerFound(now, f, owner)
	case toMeet:
		if owner != nil {
			m.met(now, owner.self, out)
		}
	case toFinger:
		if owner != nil {
			m.choose(now, f, owner, out)
		} else {
			m.fingers.at[f.level] = Place{}
		}
	}
}
