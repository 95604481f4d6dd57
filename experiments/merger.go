package experiments

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"i3bench/loadgen/coord"
	"i3bench/reports"
)

// A merger makes the samples of several processes those of one: counters of one name, and what was offered in
// one second, become their sum. Others it hands on.
type merger struct {
	sink Sink

	mu      sync.Mutex
	clock   time.Duration // by which the least well known clock may be off
	counts  map[string]float64
	offered map[offeredKey]*reports.Sample
	parts   map[mark][]reports.Sample // of operations that are about all receivers
}

// An offeredKey names a second of a kind of operation.
type offeredKey struct {
	kind  string
	start int64
}

func newMerger(sink Sink) *merger {
	return &merger{
		sink: sink, counts: make(map[string]float64), offered: make(map[offeredKey]*reports.Sample),
		parts: make(map[mark][]reports.Sample),
	}
}

// Sample implements [Sink].
func (m *merger) Sample(s reports.Sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case s.Stage == stagePart:
		k := mark{s.Host, uint64(s.N)}
		m.parts[k] = append(m.parts[k], s)
	case s.Kind == reports.KindCount:
		m.counts[s.Group] += s.Value
	case s.Kind == reports.KindOffered:
		key := offeredKey{s.Group, s.StartNS}
		if sum := m.offered[key]; sum != nil {
			sum.N += s.N
			sum.Value += s.Value
		} else {
			m.offered[key] = &s
		}
	default:
		m.sink.Sample(s)
	}
}

// agent samples who an agent was, and how many samples came from it.
func (m *merger) agent(seed uint64, number int, who coord.Member, samples int) {
	m.clock = max(m.clock, who.ClockError)
	name := fmt.Sprintf("samples of agent %d (%v)", number, who)
	name = strings.NewReplacer(",", " ", "\"", " ", "\n", " ", "\r", " ").Replace(name)
	count(m.sink, reports.StageLoad, seed, name, uint64(samples))
}

// finish hands on the sums.
func (m *merger) finish(seed uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[countLost] = max(0, m.counts[countSent]-m.counts[countReceived])
	count(m.sink, reports.StageLoad, seed, "clocks of agents may be off by ns", uint64(m.clock))
	for _, name := range slices.Sorted(maps.Keys(m.counts)) {
		count(m.sink, reports.StageLoad, seed, name, uint64(m.counts[name]))
	}
	for _, key := range slices.SortedFunc(maps.Keys(m.offered), func(a, b offeredKey) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.start, b.start))
	}) {
		m.sink.Sample(*m.offered[key])
	}
}
