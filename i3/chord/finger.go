package chord

import (
	"net/netip"
	"slices"

	"i3bench/i3/machine"
)

// Fingers are members far away, one for each level i: the nearest in round trips of up to [DefaultSuccessors] members
// that begin at self + 2^i and lie before self + 2^(i+1) ("proximity neighbour selection", Dabek et al., "Designing a
// DHT for Low Latency and High Throughput", NSDI 2004). What the list of successors reaches needs none.
type fingers struct {
	at    [64]Place
	level int // that was looked for last
	round uint32
	open  bool // nobody has answered in this round yet
}

// forget removes a member that does not answer.
func (f *fingers) forget(a netip.AddrPort) {
	for i := range f.at {
		if f.at[i].Addr == a {
			f.at[i] = Place{}
		}
	}
}

// first notes the first that answers in a round.
func (f *fingers) first(level int, round uint32, p Place) {
	if f.open && round == f.round {
		f.at[level], f.open = p, false
	}
}

// near returns the members known that come last before a prefix, at most maxNear, the last one first.
func (m *Member) near(prefix uint64) []Place {
	near := make([]Place, 0, maxNear)
	add := func(p Place) {
		if !p.known() || !between(m.cfg.Self.Prefix, p.Prefix, prefix) || slices.Contains(near, p) {
			return
		}
		i := len(near)
		for i > 0 && prefix-p.Prefix < prefix-near[i-1].Prefix {
			i--
		}
		if i == maxNear {
			return
		}
		if len(near) == maxNear {
			near = near[:maxNear-1]
		}
		near = slices.Insert(near, i, p)
	}
	for _, p := range m.pointers.succ {
		add(p)
	}
	for _, p := range m.fingers.at {
		add(p)
	}
	return near
}

// fixFinger looks for the finger of the next level that needs one.
func (m *Member) fixFinger(now machine.Time, out *machine.Outbox) {
	last := m.pointers.succ[len(m.pointers.succ)-1]
	if last == m.cfg.Self {
		m.fingers.at = [64]Place{} // the successors are all members
		return
	}
	for range 64 {
		m.fingers.level = (m.fingers.level + 63) % 64
		start := m.cfg.Self.Prefix + 1<<m.fingers.level
		if !(Range{m.cfg.Self.Prefix, last.Prefix}).Contains(start) {
			m.fingers.round++
			m.fingers.open = true
			m.begin(now, find{prefix: start, purpose: toFinger, level: m.fingers.level, round: m.fingers.round}, out)
			return
		}
		m.fingers.at[m.fingers.level] = Place{}
	}
}

// choose asks the owner of a finger's first prefix, and those that follow, all at once: the first to answer is the
// finger.
func (m *Member) choose(now machine.Time, f *find, owner *message, out *machine.Outbox) {
	within := Range{f.prefix - 1, f.prefix - 1 + 1<<f.level}
	some := false
	for _, p := range append([]Place{owner.self}, owner.succ...) {
		if p == m.cfg.Self || !within.Contains(p.Prefix) {
			break
		}
		r := request{to: p, size: pingSize, purpose: forFinger, ref: f.level, round: f.round, once: true}
		some = m.ask(now, r, out) || some
	}
	if !some {
		m.fingers.at[f.level] = Place{}
	}
}
