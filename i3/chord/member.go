package chord

import (
	"net/netip"
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// A Member is the state machine of one member of a ring. It must not be copied once it is in use.
type Member struct {
	cfg      Config
	pointers pointers
	guest    *Guest // of a guest, which never joins
	owners   owners
	wanted   machine.Timer // until it looks for owners
	joined   bool
	taken    bool
	fingers  fingers
	finds    [MaxFinds]find
	requests [maxRequests]request
	timers   machine.Timers
	period   machine.Timer
	fingerAt machine.Time // when it looks for the next finger, at the earliest
	rng      prng.Source
	flows    Flows
	patience patience
	serial   uint32 // of lookups
	asking   uint32 // of questions for pointers
	tells    uint64 // that have come since the one that waits to be looked into
	tickets  uint32
	count    Counters

	departure departure
	contacts  contacts
	otherAt   machine.Time // when it looks for another ring, at the earliest
	forebears forebears
}

// Keys of timers; below them are the numbers of requests.
const (
	keyPeriod = maxRequests + iota
	keyLeave
	keyOwners
)

// NewMember returns a member that has yet to join, unless it is a ring of its own. Its Deadline is now, so that a
// driver calls Expire, by which it begins.
func NewMember(cfg Config, now machine.Time) (*Member, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	m := &Member{
		cfg:      cfg,
		pointers: newPointers(cfg.Self, cfg.Successors),
		joined:   len(cfg.Join) == 0,
		contacts: contacts{given: cfg.Join},
		rng:      prng.New(cfg.Seed, cfg.Self.Prefix),
	}
	m.flows = NewFlows(cfg.Secret)
	m.timers.Set(&m.period, keyPeriod, max(now, 1))
	return m, nil
}

// Self returns the member's own place.
func (m *Member) Self() Place { return m.cfg.Self }

// Joined reports whether it is a member of a ring by now, and has not left.
func (m *Member) Joined() bool { return m.joined }

// Taken reports whether it cannot join because another member has its position.
func (m *Member) Taken() bool { return m.taken }

// Counters returns what the member has done so far.
func (m *Member) Counters() Counters { return m.count }

// Range returns the prefixes that it owns, and false as long as it has not joined.
func (m *Member) Range() (Range, bool) {
	return Range{m.pointers.pred.Prefix, m.cfg.Self.Prefix}, m.joined && m.pointers.pred.known()
}

// Predecessor returns the member before it, or the zero Place if it knows none.
func (m *Member) Predecessor() Place { return m.pointers.pred }

// Successors returns the members that follow it, the next one first. In a small ring the last is the member itself.
func (m *Member) Successors() []Place { return append([]Place(nil), m.pointers.succ...) }

// Owner returns the address to which a packet for prefix goes next: its owner's if that is known, otherwise that of the
// last member before it that is. It returns false as long as it has not joined. What a member that has left owned, its
// successor does. (See [Ring].)
func (m *Member) Owner(prefix uint64) (netip.AddrPort, bool) {
	left := m.departure.left
	if !m.joined && !left {
		return netip.AddrPort{}, false
	}
	if r, ok := m.Range(); ok && r.Contains(prefix) {
		return m.cfg.Self.Addr, true
	}
	if a, ok := m.owners.use(prefix); ok {
		return a, true
	}
	before := m.cfg.Self
	if left && m.pointers.pred.known() {
		before = m.pointers.pred
	}
	for _, s := range m.pointers.succ {
		if (Range{before.Prefix, s.Prefix}).Contains(prefix) {
			if s == m.cfg.Self && m.joined { // all the way round: it is before self, whatever the list says
				s = m.pointers.pred
			}
			return s.Addr, s.known()
		}
		before = s
	}
	if m.owners.want(prefix) {
		m.timers.Set(&m.wanted, keyOwners, max(1, m.owners.next))
	}
	if near := m.near(prefix); len(near) > 0 {
		return near[0].Addr, true
	}
	return m.pointers.succ[0].Addr, true
}

// Deadline returns when something is next due.
func (m *Member) Deadline() machine.Time { return m.timers.Next() }

// Expire does what is due.
func (m *Member) Expire(now machine.Time, out *machine.Outbox) {
	for {
		key, at, ok := m.timers.Pop(now)
		switch {
		case !ok:
			return
		case key < maxRequests:
			if r := &m.requests[key]; m.timers.Fired(&r.timer, key, at, now) {
				m.overdue(now, key, out)
			}
		case key == keyOwners:
			if m.timers.Fired(&m.wanted, key, at, now) && m.joined {
				m.lookForOwners(now, out)
			}
		case key == keyLeave:
			if m.timers.Fired(&m.departure.timer, key, at, now) {
				m.notify(now, out)
			}
		case m.timers.Fired(&m.period, key, at, now):
			m.look(now, out)
		}
	}
}

// look does what is due once a period, or sooner. A member that has lost all others joins anew, if there is a ring to
// join. One that has left looks after its successors only, to know who owns what was its own.
func (m *Member) look(now machine.Time, out *machine.Outbox) {
	m.timers.Set(&m.period, keyPeriod, now.Add(m.rngBetween(m.cfg.Period*3/4, m.cfg.Period*5/4)))
	if m.guest != nil {
		m.lookForOwners(now, out)
		return
	}
	left := m.departure.left
	if m.alone() && m.contacts.len() > 0 && !m.joining() && !left {
		m.contacts.turn++
		m.begin(now, find{prefix: m.cfg.Self.Prefix, purpose: toJoin, seeds: m.contacts.all()}, out)
	}
	if m.joined && !m.alone() && now >= m.otherAt {
		m.lookForOtherRing(now, out)
	}
	if (m.joined || left) && m.pointers.free() {
		m.stabilize(now, out)
	}
	if m.joined {
		m.owners.hints = maxHints
		m.lookForOwners(now, out)
	}
	if m.joined && m.forebears.looks {
		m.lookBehind(now, out)
	}
	if m.joined && now >= m.fingerAt {
		m.fingerAt = now.Add(m.cfg.Period)
		m.fixFinger(now, out)
	}
}

// alone reports whether it knows of nobody else on the ring.
func (m *Member) alone() bool { return m.pointers.succ[0] == m.cfg.Self }

// joining reports whether it looks for its place.
func (m *Member) joining() bool {
	return slices.ContainsFunc(m.finds[:], func(f find) bool { return f.open && f.purpose == toJoin })
}

// stabilize begins a look at the successors, and forgets a question about news.
func (m *Member) stabilize(now machine.Time, out *machine.Outbox) {
	m.dropQuestion()
	m.do(now, m.pointers.stabilize(), out)
}

// dropQuestion forgets the question for pointers that is under way, if there is one.
func (m *Member) dropQuestion() {
	for i := range m.requests {
		if q := &m.requests[i]; q.open && q.purpose == forPointers {
			q.open = false
			m.timers.Stop(&q.timer)
		}
	}
}

func (m *Member) rngBetween(lo, hi machine.Duration) machine.Duration {
	return machine.Duration(m.rng.Between(int64(lo), int64(hi)))
}

// do carries out what the pointers want.
func (m *Member) do(now machine.Time, t todo, out *machine.Outbox) {
	if t.ask.known() {
		r := request{to: t.ask, size: fullSize, prefix: m.cfg.Self.Prefix, purpose: forPointers}
		m.asking++
		r.once, r.round = m.pointers.unproven(), m.asking
		if !m.ask(now, r, out) {
			m.pointers.step = idle // too much under way: again in a period
		}
	}
	if t.tell.known() && m.joined {
		m.say(kindTell, t.tell, out)
	}
}

// say tells somebody that self is there, in as many bytes as the question has by which that finds out: who forges
// the sender gains nothing.
func (m *Member) say(kind messageKind, to Place, out *machine.Outbox) {
	m.send(to.Addr, 0, &message{kind: kind, self: m.cfg.Self}, fullSize, out)
}

// Receive handles datagrams of which all packets are of [i3.KindRing].
func (m *Member) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	for _, d := range batch {
		for rest := d.Bytes; len(rest) > 0; {
			p, wire, tail, err := i3.Next(rest)
			if err != nil || wire != nil && p.Kind != i3.KindRing {
				m.count.DropMalformed++
				break
			}
			if wire == nil {
				break // padding
			}
			m.Packet(now, d.From, p, i3.Payload(wire), out)
			rest = tail
		}
	}
}

// Packet handles one packet of [i3.KindRing].
func (m *Member) Packet(now machine.Time, from netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox) {
	msg, err := parseMessage(payload)
	switch {
	case err != nil:
		m.count.DropMalformed++
	case msg.self.Addr != from && msg.kind != kindAsk:
		m.count.DropStranger++
	case msg.kind == kindAsk:
		m.answer(from, p.Flow, &msg, len(payload), out)
	case msg.kind == kindAnswer:
		m.answered(now, from, p.Flow, &msg, out)
	case msg.kind == kindMoved:
		m.moved(now, from, msg.prefix)
	case len(payload) < fullSize:
		m.count.DropMalformed++
	case m.joined && msg.kind == kindTell:
		m.count.Told++
		m.told(now, msg.self, out)
	case m.joined && msg.kind == kindFollow:
		m.count.Told++
		m.followed(now, msg.self, out)
	case m.joined:
		m.count.Told++
		m.leaves(now, msg.self, out)
	}
}

// told hears from one that says to come before it. Of several that have not been looked into yet each has the same
// chance, so that who says it all the time keeps nobody out.
func (m *Member) told(now machine.Time, by Place, out *machine.Outbox) {
	if m.tells++; !m.pointers.news.known() {
		m.tells = 1
	}
	m.do(now, m.pointers.told(by, m.rng.Uint64n(m.tells) == 0), out)
}

// followed hears from one that comes after it. If that is its successor, this has a new list.
func (m *Member) followed(now machine.Time, by Place, out *machine.Outbox) {
	if by != m.pointers.succ[0] {
		m.do(now, m.pointers.followed(by), out)
		return
	}
	m.soon(now)
}

// soon brings the next look at the successors forward.
func (m *Member) soon(now machine.Time) {
	if at := now.Add(m.rngBetween(m.cfg.Period/16, m.cfg.Period/4)); at < m.period.Due() {
		m.timers.Set(&m.period, keyPeriod, at)
	}
}

// answer tells somebody the state, in no more bytes than the question had.
func (m *Member) answer(to netip.AddrPort, flow uint32, q *message, size int, out *machine.Outbox) {
	m.count.Answered++
	m.departure.knows(to, &m.timers)
	m.send(to, flow, m.own(q.prefix), min(size, fullSize), out)
}

// own returns the answer to a question about a prefix.
func (m *Member) own(prefix uint64) *message {
	a := &message{kind: kindAnswer, self: m.cfg.Self, prefix: prefix}
	if m.joined {
		a.member, a.pred, a.succ, a.near = true, m.pointers.pred, m.pointers.succ, m.near(prefix)
	}
	return a
}

func (m *Member) send(to netip.AddrPort, flow uint32, msg *message, size int, out *machine.Outbox) {
	b := i3.Packet{
		Kind: i3.KindRing, HopLimit: 1, Length: uint16(size), Flow: flow, ID: i3.NewID(msg.prefix, i3.Key{}, 0),
	}.AppendTo(out.Scratch())
	b = msg.appendTo(b, size)
	out.Send(to, b)
	out.Keep(b)
}
