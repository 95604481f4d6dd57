package chord

import (
	"net/netip"

	"i3bench/i3/machine"
)

// maxBehind is how many members before itself a member knows, if it is to know them.
const maxBehind = 3

// Forebears are who comes before the predecessor, as those have said who come after: the predecessor names the first of
// at, and that one the second.
type forebears struct {
	looks bool
	of    Place // the predecessor that has named the first
	at    [maxBehind - 1]Place
}

// LookBehind makes the member look who comes before its predecessor, from now on: for [Member.Before]. That takes two
// short questions a period.
func (m *Member) LookBehind() { m.forebears.looks = true }

// Before returns the members before it, the nearest first, as far as they are known: the predecessor, the one before
// that, and so on. In a small ring the last is the member itself. Without [Member.LookBehind] it is the predecessor
// alone.
func (m *Member) Before() [maxBehind]Place {
	pred, b := m.pointers.pred, &m.forebears
	switch {
	case !m.joined || !pred.known():
		return [maxBehind]Place{}
	case pred == m.cfg.Self:
		return [maxBehind]Place{pred}
	case pred == b.of:
		return [maxBehind]Place{pred, b.at[0], b.at[1]}
	case pred == b.at[0]: // the one between has died
		return [maxBehind]Place{pred, b.at[1]}
	}
	return [maxBehind]Place{pred}
}

// lookBehind asks the two members before it who comes before them.
func (m *Member) lookBehind(now machine.Time, out *machine.Outbox) {
	for i, p := range m.Before() {
		if i < maxBehind-1 && p.known() && p != m.cfg.Self {
			m.askBehind(now, i, p, out)
		}
	}
}

// askBehind asks the i-th member before it, unless it is being asked.
func (m *Member) askBehind(now machine.Time, i int, who Place, out *machine.Outbox) {
	for k := range m.requests {
		if q := &m.requests[k]; q.open && q.purpose == forBehind && q.to == who {
			return
		}
	}
	m.ask(now, request{to: who, size: roomFor(1), prefix: who.Prefix, purpose: forBehind, ref: i}, out)
}

// behindAnswered takes over whom the i-th member before it has named, if it is that still. Nobody is believed about
// anything but the place before its own.
func (m *Member) behindAnswered(now machine.Time, q *request, a *message, out *machine.Outbox) {
	before := m.Before()
	fits := a.pred.known() && (a.pred == m.cfg.Self || between(m.cfg.Self.Prefix, a.pred.Prefix, q.to.Prefix))
	if !a.member || a.self != q.to || before[q.ref] != q.to || !fits {
		return
	}
	b := &m.forebears
	b.of = before[0]
	switch {
	case q.ref == 1:
		b.at = [2]Place{before[1], a.pred}
	case a.pred != before[1]:
		b.at = [2]Place{a.pred}
		if a.pred != m.cfg.Self {
			m.askBehind(now, 1, a.pred, out)
		}
	default:
		b.at = [2]Place{before[1], before[2]}
	}
}

// forget forgets somebody who does not answer.
func (b *forebears) forget(who netip.AddrPort) {
	for i, p := range b.at {
		if p.Addr == who {
			clear(b.at[i:])
		}
	}
}
