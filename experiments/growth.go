package experiments

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"time"

	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
)

// Growth is the experiment of sections 6.1 and 6.2 of the paper: a group grows
// in virtual time; at each of several sizes one packet measures the tree, and the
// refreshes of its triggers are counted for some lifetimes.
type Growth struct {
	Config GroupConfig
	Name   string // of variant and network, the group of the samples
	Scheme string // of the refreshes, see [reports.StageRefresh]; empty: they are not measured
	Sizes  []int  // strictly ascending
	// Periods is the number of lifetimes T for which refreshes are counted.
	Periods int
	// Counted is the largest size at which they are counted. Default: the largest.
	Counted int
	// Uniform has the refreshes of [multicast.Uniform] counted as well, on the very
	// same trees, which grow and are measured with the scheme of Config: on those of
	// this size or less, 0 for none. Each of these counts is worth a run of its own
	// at the largest size, where a trigger is refreshed a thousand times in T and
	// announced to a whole branch each time; so beyond longCount it lasts half as long.
	Uniform int
}

// lifetimeWork is how much work a lifetime T is for each receiver, see [Job]: the
// source's heartbeats come to it, and it refreshes its triggers.
const lifetimeWork = 0.4

// longCount is the largest size at which refreshes of refresh-unif are counted in full.
const longCount = 4096

// longestPath is more than any packet takes through a tree.
const longestPath = 6 * time.Second

// Work returns how much work the experiment is, see [Job].
func (e Growth) Work() int {
	work := e.largest()
	for i := range e.Sizes {
		for _, c := range e.countings(i) {
			work += c.work
		}
	}
	return work
}

// A counting is one of the refreshes with a scheme.
type counting struct {
	scheme multicast.RefreshScheme
	name   string // of the scheme
	work   int
	count  time.Duration // for how long
	last   bool          // of this scheme: its samples say how the refreshes depend on what is below
}

// countings returns those of refreshes at the i-th size, in order.
func (e Growth) countings(i int) (all []counting) {
	n := e.Sizes[i]
	whole := time.Duration(e.Periods) * e.Config.lifetime()
	if most := cmp.Or(e.Counted, e.largest()); e.Scheme != "" && n <= most {
		all = append(all, e.counting(e.Config.Variant.Refresh, e.Scheme, i, whole, most))
	}
	if n <= e.Uniform {
		if n > longCount {
			whole /= 2
		}
		all = append(all, e.counting(multicast.Uniform, reports.SchemeUniform, i, whole, e.Uniform))
	}
	return all
}

// counting returns one at the i-th size, for so long, of those up to a size.
func (e Growth) counting(s multicast.RefreshScheme, name string, i int, d time.Duration, most int) counting {
	n := e.Sizes[i]
	work := lifetimeWork * float64(n) * (1 + d.Seconds()/e.Config.lifetime().Seconds())
	if s == multicast.Uniform {
		work *= 1 + float64(n)/8192 // as measured
	}
	return counting{s, name, int(work), d, n == e.largest() || e.Sizes[i+1] > most}
}

// largest returns the size at the end.
func (e Growth) largest() int { return e.Sizes[len(e.Sizes)-1] }

// Run runs the experiment and returns the hash of its trace.
func (e Growth) Run(ctx context.Context, sink Sink, step func(done int)) (trace string, err error) {
	g, err := newGroup(e.Config)
	if err != nil {
		return "", err
	}
	defer g.close()
	last, work, queries := 0, 0, uint64(0)
	for i, n := range e.Sizes {
		if err := g.grow(ctx, n, func(n int) { step(work + n) }); err != nil {
			return "", fmt.Errorf("%d receivers: %w", n, err)
		}
		q := g.queries()
		s := g.measure()
		s.queries = float64(q-queries) / float64(n-last)
		last, queries = n, q
		s.samples(sink, e.Config.Seed, e.Name, n)
		for _, c := range e.countings(i) {
			tick := func(done float64) { step(work + n + int(done*float64(c.work))) }
			if err := e.refreshes(ctx, g, c, sink, tick); err != nil {
				return "", fmt.Errorf("%d receivers: %w", n, err)
			}
			work += c.work
			step(work + n)
		}
	}
	return g.world.TraceHash(), nil
}

// queries returns how many distance queries all hosts have processed.
func (g *group) queries() (n uint64) {
	n = g.bed.Source().Machine.Counters().Queries
	for _, m := range g.members {
		n += m.Machine.Counters().Queries
	}
	return n
}

// refreshes counts the refreshes of each trigger for some lifetimes, after one in
// which the newest triggers find their pace. It tells how much of it is done.
func (e Growth) refreshes(ctx context.Context, g *group, c counting, sink Sink, tick func(float64)) error {
	g.setRefresh(c.scheme)
	defer g.setRefresh(e.Config.Variant.Refresh)
	warm := e.Config.lifetime()
	if err := g.runFor(ctx, warm, func(done float64) { tick(done * float64(warm) / float64(warm+c.count)) }); err != nil {
		return err
	}
	for _, m := range g.members {
		clear(m.refreshed)
	}
	if err := g.runFor(ctx, c.count, func(done float64) {
		tick((float64(warm) + done*float64(c.count)) / float64(warm+c.count))
	}); err != nil {
		return err
	}
	totals := g.refreshTotals()
	sum, most, periods := 0.0, 0.0, float64(c.count)/float64(warm)
	for i := range totals {
		perT := float64(totals[i].refreshes) / periods
		sum, most = sum+perT, max(most, perT)
	}
	sample := reports.Sample{
		Stage: reports.StageRefresh, Seed: e.Config.Seed, Group: c.name + "/" + e.Name, N: int64(len(g.members)),
	}
	sample.Kind, sample.Value = reports.KindRefreshMean, sum/float64(len(totals))
	sink.Sample(sample)
	sample.Kind, sample.Value = reports.KindRefreshMax, most
	sink.Sample(sample)
	if c.last {
		refreshesBySize(totals, periods, sample, sink)
	}
	return nil
}

// setRefresh changes the refresh scheme of all receivers.
func (g *group) setRefresh(s multicast.RefreshScheme) {
	for _, m := range g.members {
		m.Machine.SetRefresh(s)
	}
}

// lifetime returns T.
func (c *GroupConfig) lifetime() time.Duration {
	return cmp.Or(c.Lifetime, time.Duration(host.DefaultLifetime))
}

// runFor lets the world run, looks at the context once a second, and tells how much is done.
func (g *group) runFor(ctx context.Context, d time.Duration, tick func(done float64)) error {
	began := g.world.Now()
	for end := began.Add(machine.Duration(d)); g.world.Now() < end; g.run(time.Second) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		tick(g.world.Now().Sub(began).Seconds() / d.Seconds())
	}
	tick(1)
	return nil
}

// A triggerTotal is what is known of one trigger of the tree.
type triggerTotal struct {
	refreshes int
	below     int // receivers under it
	// The vulnerability v of section 4, from a refresh to its announcement, is the
	// way of a receiver's request to the trigger's node and back, the way of its
	// announcement to the node below, and that from there to another receiver.
	toNode   machine.Duration // sum over receivers: to the node and back, and to the one below
	latency  machine.Duration // sum over receivers: from the source
	nearest  machine.Duration // the least of these: that of the node below
	measured int              // receivers in these sums
}

func (t *triggerTotal) vulnerability() machine.Duration {
	if t.measured == 0 {
		return 0
	}
	return (t.toNode+t.latency)/machine.Duration(t.measured) - t.nearest
}

// refreshTotals gathers what the receivers know of each trigger of their chains.
func (g *group) refreshTotals() []triggerTotal {
	index := make(map[uint64]int, len(g.members)) // by the suffix of the identifier below
	totals := make([]triggerTotal, 0, len(g.members))
	for _, m := range g.members {
		chain := m.Machine.Chain()
		for i := 1; i < len(chain); i++ {
			k, ok := index[chain[i].Suffix()]
			if !ok {
				k = len(totals)
				index[chain[i].Suffix()] = k
				totals = append(totals, triggerTotal{nearest: machine.Duration(machine.Never)})
			}
			t := &totals[k]
			t.below++
			if i < len(m.refreshed) {
				t.refreshes += int(m.refreshed[i])
			}
			if m.latest == 0 {
				continue
			}
			above, below := g.bed.SiteOf(chain[i-1]), g.bed.SiteOf(chain[i])
			t.toNode += machine.Duration(2*g.cfg.Net.OneWay(m.Site, above) + g.cfg.Net.OneWay(m.Site, below))
			t.latency += m.latency
			t.nearest = min(t.nearest, m.latency)
			t.measured++
		}
	}
	return totals
}

// refreshesBySize samples the refreshes of triggers with about as many receivers
// under them: a sample for each power of two.
func refreshesBySize(totals []triggerTotal, periods float64, s reports.Sample, sink Sink) {
	var buckets [32]struct {
		triggers, refreshes, below int
		v                          machine.Duration
	}
	for i := range totals {
		b := &buckets[bits.Len(uint(totals[i].below))]
		b.triggers++
		b.refreshes += totals[i].refreshes
		b.below += totals[i].below
		b.v += totals[i].vulnerability()
	}
	s.Kind = reports.KindRefreshSize
	for _, b := range buckets {
		if b.triggers == 0 {
			continue
		}
		s.N, s.Host = int64(b.below/b.triggers), b.triggers
		s.Value = float64(b.refreshes) / float64(b.triggers) / periods
		s.ServiceNS = int64(b.v) / int64(b.triggers)
		sink.Sample(s)
	}
}
