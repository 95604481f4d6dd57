package chord

import (
	"net/netip"
	"slices"

	"i3bench/i3/machine"
)

// A request is a question under way.
type request struct {
	to      Place // its prefix is unknown in step join
	size    int   // of the question, and the most of the answer
	prefix  uint64
	purpose purpose
	ref     int    // the lookup, or the level of the finger
	round   uint32 // of it, so that an answer for one that is over changes nothing
	once    bool   // it is not repeated: nobody has heard yet from who is asked

	open  bool
	flow  uint32
	tries int
	sent  machine.Time // for the first time
	timer machine.Timer
}

// A purpose is what a question is asked for.
type purpose uint8

const (
	forPointers purpose = iota
	forFind
	forFinger
	forBehind
)

// Sizes of questions.
const (
	fullSize  = messageHead + (1+maxNear+DefaultSuccessors)*placeSize // for all that a member knows
	shortSize = messageHead + (1+maxNear+4)*placeSize                 // for what a lookup needs
	pingSize  = messageHead
)

// ask sends a question, if not too many are under way.
func (m *Member) ask(now machine.Time, r request, out *machine.Outbox) bool {
	for i := range m.requests {
		if q := &m.requests[i]; !q.open {
			timer := q.timer // its entry in the queue may be there yet
			*q = r
			q.open, q.flow, q.sent, q.timer = true, m.flows.Next(), now, timer
			m.sendRequest(now, q, uint64(i), out)
			return true
		}
	}
	m.count.DropFull++
	return false
}

func (m *Member) sendRequest(now machine.Time, q *request, key uint64, out *machine.Outbox) {
	m.count.Asked++
	m.send(q.to.Addr, q.flow, &message{kind: kindAsk, self: m.cfg.Self, prefix: q.prefix}, q.size, out)
	wait := min(m.patience.wait()<<q.tries, maxWait)
	if q.once {
		wait = maxWait
	}
	m.timers.Set(&q.timer, key, now.Add(wait))
	q.tries++
}

// most returns how often a question is sent: seldom to those of whom another has said that they are there, for one that
// lies may name a bystander.
func (q *request) most() int {
	switch {
	case q.once:
		return 1
	case q.purpose == forFind:
		return maxHearsay
	}
	return maxTries
}

// overdue repeats a question, or gives up.
func (m *Member) overdue(now machine.Time, i uint64, out *machine.Outbox) {
	q := &m.requests[i]
	if q.tries < q.most() {
		m.count.Repeated++
		m.sendRequest(now, q, i, out)
		return
	}
	if !q.once {
		m.count.Silent++
	}
	q.open = false
	m.fingers.forget(q.to.Addr)
	m.owners.forget(q.to.Addr)
	m.forebears.forget(q.to.Addr)
	switch q.purpose {
	case forPointers:
		if q.round == m.asking {
			m.lost(now, out)
		}
	case forFind:
		m.findSilent(now, q, out)
	}
}

// answered finds the question to an answer, and goes on with what it was asked for.
func (m *Member) answered(now machine.Time, from netip.AddrPort, flow uint32, a *message, out *machine.Outbox) {
	for i := range m.requests {
		q := &m.requests[i]
		if !q.open || q.flow != flow || q.to.Addr != from {
			continue
		}
		q.open = false
		m.timers.Stop(&q.timer)
		if q.tries == 1 { // otherwise nobody knows to which one this is the answer (Karn)
			m.patience.learn(now.Sub(q.sent))
		}
		switch {
		case q.purpose == forPointers:
			m.pointersAnswered(now, q, a, out)
		case q.purpose == forFind:
			m.findAnswered(now, q, a, out)
		case q.purpose == forBehind:
			m.behindAnswered(now, q, a, out)
		case a.member:
			m.fingers.first(q.ref, q.round, a.self)
		}
		if !a.member { // q may be another by now
			m.fingers.forget(from)
			m.owners.forget(from)
			m.leaves(now, a.self, out)
		}
		return
	}
	m.count.DropStranger++
}

// lost goes on with the pointers when who was asked is no member. A successor that follows does not wait for a period.
func (m *Member) lost(now machine.Time, out *machine.Outbox) {
	successor := m.pointers.step == askSuccessor
	m.do(now, m.pointers.silent(), out)
	if successor && m.pointers.free() {
		m.stabilize(now, out)
	}
}

// pointersAnswered goes on with the pointers. Somebody who has started anew at another position, has yet to join, or
// has left, is as good as dead.
func (m *Member) pointersAnswered(now machine.Time, q *request, a *message, out *machine.Outbox) {
	if q.round != m.asking || m.pointers.step == idle {
		return // it joined anew meanwhile
	}
	if a.self != q.to || !a.member || len(a.succ) == 0 {
		m.lost(now, out)
		return
	}
	before := m.pointers.succ
	m.do(now, m.pointers.answered(a.pred, a.succ), out)
	m.contacts.hear(m.pointers.succ, m.cfg.Self.Addr)
	if slices.Equal(before, m.pointers.succ) {
		return
	}
	m.soon(now) // news seldom come alone
	if m.joined && m.pointers.pred != m.cfg.Self {
		m.say(kindFollow, m.pointers.pred, out) // whose list is to change, too
	}
}

// A patience is how long to wait for an answer, by the round trips there were (RFC 6298).
type patience struct{ mean, spread machine.Duration }

func (p *patience) learn(rtt machine.Duration) {
	if p.mean == 0 {
		p.mean, p.spread = rtt, rtt/2
		return
	}
	p.spread += (max(rtt-p.mean, p.mean-rtt) - p.spread) / 4
	p.mean += (rtt - p.mean) / 8
}

func (p *patience) wait() machine.Duration {
	if p.mean == 0 {
		return firstWait
	}
	return min(max(p.mean+4*p.spread, minWait), maxWait)
}
