package live

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"i3bench/internal/hist"
)

// DefaultEvery is the time between two snapshots.
const DefaultEvery = time.Second

// A Config says what a [Meter] is for.
type Config struct {
	// Show is handed each snapshot, one after the other. It must not call the meter.
	Show func(Snapshot)
	// Every is the time between two snapshots. Default [DefaultEvery].
	Every time.Duration
}

// A Meter keeps the account of a run. Its methods may be called by several goroutines; those that an operation pays for
// take a lock for some ten nanoseconds and never wait for who shows a snapshot.
type Meter struct {
	cfg    Config
	showMu sync.Mutex // held while a snapshot is shown
	number uint64

	mu      sync.Mutex
	title   string
	what    string
	phase   string
	doing   string
	done    int
	total   int
	kinds   map[string]*kind
	late    lateness
	account *account // nil as long as nothing is offered
	last    *Load
	shown   time.Time
}

// A lateness is how late operations were started.
type lateness struct{ recent, overall hist.Histogram }

// A kind counts the operations of one kind.
type kind struct {
	sent, done, failed uint64
	recentFailed       uint64
	recent, overall    hist.Histogram // of those done; overall lacks what recent has
	before             Operation
}

// NewMeter returns a meter.
func NewMeter(cfg Config) *Meter {
	if cfg.Every <= 0 {
		cfg.Every = DefaultEvery
	}
	return &Meter{cfg: cfg, kinds: make(map[string]*kind), shown: time.Now()}
}

// Stage says that something new begins, and forgets what was before.
func (m *Meter) Stage(title, what string) {
	m.mu.Lock()
	m.what = what
	m.title, m.phase, m.doing, m.done, m.total = title, "", "", 0, 0
	m.account, m.last = nil, nil
	m.mu.Unlock()
	m.publish("", "")
}

// Step says how far the run is: done of total steps, and what it is doing. While nothing is offered it shows a
// snapshot now and then.
func (m *Meter) Step(done, total int, doing string) {
	m.mu.Lock()
	m.done, m.total, m.doing = done, total, doing
	due := m.account == nil && time.Since(m.shown) >= m.cfg.Every
	m.mu.Unlock()
	if due {
		m.publish("", "")
	}
}

// Begin says that load begins: operations are counted from now on, and those from before forgotten. The state is that
// from which counters count.
func (m *Meter) Begin(s State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kinds = make(map[string]*kind)
	m.late = lateness{}
	m.account = newAccount(s)
	m.last = nil
	m.shown = time.Now()
}

// Started counts an operation that was started so long after its intended time.
func (m *Meter) Started(name string, late time.Duration) {
	m.mu.Lock()
	m.of(name).sent++
	m.late.recent.Record(int64(late))
	m.mu.Unlock()
}

// Ended counts an operation that has ended so long after its intended time.
func (m *Meter) Ended(name string, ok bool, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.of(name)
	if !ok {
		k.failed++
		k.recentFailed++
		return
	}
	k.done++
	k.recent.Record(int64(took))
}

// of returns the counts of a kind. The caller holds the lock.
func (m *Meter) of(name string) *kind {
	k := m.kinds[name]
	if k == nil {
		k = new(kind)
		m.kinds[name] = k
	}
	return k
}

// Due reports whether it is time for another snapshot.
func (m *Meter) Due() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Since(m.shown) >= m.cfg.Every
}

// See makes a snapshot with what receivers and nodes have counted, and shows it.
func (m *Meter) See(s State) {
	m.mu.Lock()
	if m.account != nil {
		m.phase = s.Phase
		m.last = m.load(s)
	}
	if s.Over {
		m.account = nil
	}
	m.mu.Unlock()
	m.publish("", "")
}

// End shows the last snapshot, which says how the run has ended and in which file its report is.
func (m *Meter) End(outcome, report string) { m.publish(outcome, report) }

// publish shows a snapshot.
func (m *Meter) publish(ended, report string) {
	m.showMu.Lock()
	defer m.showMu.Unlock()
	m.number++
	m.mu.Lock()
	m.shown = time.Now()
	s := Snapshot{
		Schema: Schema, Number: m.number, Clock: m.shown, Title: m.title, What: m.what, Phase: m.phase, Doing: m.doing,
		Done: m.done, Total: m.total, Load: m.last, Ended: ended, Report: report,
	}
	m.mu.Unlock()
	if m.cfg.Show != nil {
		m.cfg.Show(s)
	}
}

// load makes the part of a snapshot about operations and the system. The caller holds the lock.
func (m *Meter) load(s State) *Load {
	span := m.account.span(s)
	l := &Load{At: max(0, s.At.Seconds()), For: s.For.Seconds(), Span: span, Over: s.Over, Operations: []Operation{}}
	for name := range s.Offered {
		m.of(name) // also those of which none was started yet
	}
	if s.Over {
		m.widen()
	}
	var sum Operation
	for _, name := range slices.SortedFunc(maps.Keys(m.kinds), byWeight) {
		o := m.kinds[name].operation(name, s.Offered[name], span)
		l.Operations = append(l.Operations, o)
		sum.Offered, sum.Sent = sum.Offered+o.Offered, sum.Sent+o.Sent
	}
	l.Generator = m.generator(s.Limits, sum, s.Over)
	m.account.see(s, l)
	return l
}

// byWeight orders kinds of operations: joins, repairs, and the others by name.
func byWeight(a, b string) int {
	weight := func(name string) int {
		if i := slices.Index([]string{joinKind, repairKind}, name); i >= 0 {
			return i
		}
		return 2
	}
	return cmp.Or(weight(a)-weight(b), strings.Compare(a, b))
}

// widen makes the span that is under way begin with the load. The caller holds the lock.
func (m *Meter) widen() {
	for _, k := range m.kinds {
		k.recent.Merge(&k.overall)
		k.overall, k.recentFailed, k.before = hist.Histogram{}, k.failed, Operation{}
	}
	m.late.recent.Merge(&m.late.overall)
	m.late.overall = hist.Histogram{}
}

// operation returns what came of a kind, and begins a new span.
func (k *kind) operation(name string, offered uint64, span float64) Operation {
	o := Operation{
		Kind: name, Offered: max(offered, k.sent), Sent: k.sent, Done: k.done, Failed: k.failed,
		InFlight: k.sent - k.done - k.failed,
	}
	o.OfferedRate = rate(o.Offered, k.before.Offered, span)
	o.SentRate = rate(o.Sent, k.before.Sent, span)
	o.DoneRate = rate(o.Done, k.before.Done, span)
	o.FailedRate = rate(o.Failed, k.before.Failed, span)
	o.Recent = latency(&k.recent, k.recentFailed)
	k.overall.Merge(&k.recent)
	o.Overall = latency(&k.overall, k.failed)
	k.recent, k.recentFailed, k.before = hist.Histogram{}, 0, o
	return o
}

// rate is how much a count has grown in each second of a span.
func rate(now, before uint64, span float64) float64 {
	if span <= 0 || now < before {
		return 0
	}
	return float64(now-before) / span
}

// latency returns the percentiles of what succeeded and so many that failed.
func latency(h *hist.Histogram, failed uint64) Latency {
	l := Latency{
		Count: h.Count() + failed, P50: percentile(h, failed, 0.5), P99: percentile(h, failed, 0.99),
		P999: percentile(h, failed, 0.999), Max: h.Max(),
	}
	if failed > 0 {
		l.Max = Beyond
	}
	return l
}

// percentile is that of the nearest rank, or Beyond where one that failed has it.
func percentile(h *hist.Histogram, failed uint64, share float64) int64 {
	rank := math.Ceil(share * float64(h.Count()+failed))
	if rank > float64(h.Count()) {
		return Beyond
	}
	if rank == 0 {
		return 0
	}
	return h.Quantile((rank - 0.5) / float64(h.Count()))
}
