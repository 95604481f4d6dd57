package experiments

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/reports"
	"i3bench/sim/topology"
	"i3bench/testbed"
	"i3bench/verify"
)

// WAN is the experiment of section 7.2: a tree over nodes with measured
// round-trip times, its stretch without losses, and then the repairs of packets
// sent with the losses of section 6.3.
type WAN struct {
	World   Kind
	Matrix  *topology.Matrix
	Nodes   int // sites drawn from the matrix, an i3 node each; the paper has 50
	PerNode int // receivers at each; the paper has 2
	Degree  int // D
	Seeds   []uint64
	// Variants are run beside each other, on the same sites.
	Variants []Variant
	// Packets are sent with losses and counted, PerSecond of them a second, after
	// WarmUp others, from which receivers learn their loss rates.
	Packets   int
	WarmUp    int
	PerSecond float64
}

// A Variant is a way to build and repair the tree.
type Variant struct {
	Name    string
	Search  multicast.SearchPolicy
	Repair  multicast.RepairPolicy
	Refresh multicast.RefreshScheme
	Relays  int                   // at the source, see [multicast.Config]
	Probe   multicast.ProbePolicy // for nearer parents
}

// PaperVariant is the paper's protocol to the letter: greedy search, and repair
// by rel-loss with the constants of section 6.3.
func PaperVariant() Variant {
	return Variant{Name: "paper", Repair: multicast.PaperRepair(multicast.LowestLoss)}
}

// WideVariant descends into four full children at each level and asks a second
// sibling before it climbs the tree.
func WideVariant() Variant {
	return Variant{Name: "wide", Search: multicast.SearchPolicy{Width: 4}}
}

// Parts of the experiment.
const (
	wanStagger  = 40 * time.Millisecond // between joins
	wanProbes   = 10                    // packets for the stretch
	wanProbeGap = 200 * time.Millisecond
	wanSize     = 128 // bytes of a packet
	wanJoinMax  = 60 * time.Second
	wanQuietMax = 30 * time.Second // for the last repair
)

// Run runs all seeds and variants beside each other: their delays, not the
// processor, take the time. In virtual time it is the processor, and as many run
// as there are cores.
func (e WAN) Run(ctx context.Context, sink Sink, progress Progress) error {
	limit := len(e.Seeds) * len(e.Variants)
	if e.World == Sim {
		limit = runtime.GOMAXPROCS(0)
	}
	slots := make(chan struct{}, limit)
	total := len(e.Seeds) * len(e.Variants) * (e.Nodes*e.PerNode + wanProbes + e.WarmUp + e.Packets)
	var done atomic.Int64
	step := func(what string) { progress(int(done.Add(1)), total, what) }
	var wg sync.WaitGroup
	errs := make([]error, len(e.Seeds)*len(e.Variants))
	for i := range errs {
		seed, v := e.Seeds[i/len(e.Variants)], e.Variants[i%len(e.Variants)]
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if _, err := e.run(ctx, seed, v, sink, step); err != nil {
				errs[i] = fmt.Errorf("wan, seed %d, %s: %w", seed, v.Name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// A wanRun is one seed and variant.
type wanRun struct {
	WAN
	ctx     context.Context
	seed    uint64
	variant Variant
	sink    Sink
	step    func(string)
	world   World
	net     *testbed.Network
	sites   *topology.Matrix
	bed     *testbed.Bed
	members []*member
	before  []multicast.Counters // of each member, before the losses
}

// run is one run. It returns the hash of its trace, if it has one.
func (e WAN) run(ctx context.Context, seed uint64, v Variant, sink Sink, step func(string)) (trace string, err error) {
	r := &wanRun{WAN: e, ctx: ctx, seed: seed, variant: v, sink: sink, step: step}
	if err := r.open(); err != nil {
		return "", err
	}
	defer r.bed.Close()
	defer func() { closeAll(r.members) }()
	for _, part := range []func() error{r.grow, r.stretch, r.lose} {
		if err := part(); err != nil {
			return "", err
		}
	}
	return traceOf(r.world), nil
}

// open deploys the nodes and the source on sites of the matrix.
func (r *wanRun) open() error {
	pick, err := r.Matrix.Pick(r.seed, r.Nodes)
	if err != nil {
		return err
	}
	if r.sites, err = r.Matrix.Sub(pick); err != nil {
		return err
	}
	r.net = testbed.NewNetwork(r.sites, 0, testbed.PaperLoss(r.seed))
	r.net.Mute(true)
	if r.world, err = NewWorld(r.World, r.seed, r.net, 0); err != nil {
		return err
	}
	v := r.variant
	r.bed, err = testbed.New(testbed.Config{
		Open: r.world.Open, Network: r.net, Seed: r.seed, Nodes: r.Nodes, Degree: r.Degree,
		Group: multicast.Config{
			Search: v.Search, Repair: v.Repair, Refresh: v.Refresh, Relays: v.Relays, Host: host.Config{Hurry: 3},
		},
	})
	return err
}

// grow lets the receivers join in random order.
func (r *wanRun) grow() error {
	pause(r.ctx, r.world, time.Second) // the source's triggers
	rng := prng.New(r.seed, 1)
	for _, k := range rng.Perm(r.Nodes * r.PerNode) {
		m, err := addMember(r.bed, k%r.Nodes)
		if err != nil {
			return err
		}
		r.members = append(r.members, m)
		m.start()
		r.world.Sleep(wanStagger)
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		r.step("joining")
	}
	for _, m := range r.members {
		if !waitUntil(r.ctx, r.world, wanJoinMax, m.joined) {
			return r.failed(fmt.Errorf("receiver %d did not join within %v", m.Number, wanJoinMax))
		}
	}
	return nil
}

// failed returns the context's error if there is one.
func (r *wanRun) failed(err error) error {
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	return err
}

// stretch measures the latency of every receiver through the finished tree: the
// smallest of a few packets, since delays are fixed and what varies is how soon
// a busy machine gets to run a process.
func (r *wanRun) stretch() error {
	for _, m := range r.members {
		m.look(func() { m.latencies = nil })
	}
	// The runs side by side begin at different times, so that their packets do
	// not all come at once.
	r.world.Sleep(time.Duration(prng.Hash3(r.seed, 2, 0, 0) % uint64(wanProbeGap)))
	s := newStream(r.world, r.bed.Source(), wanSize, float64(time.Second)/float64(wanProbeGap))
	for range wanProbes {
		s.send()
		r.step("stretch")
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
	}
	pause(r.ctx, r.world, 3*time.Second)
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	for _, m := range r.members {
		m.look(func() { r.sampleStretch(m) })
	}
	return nil
}

func (r *wanRun) sampleStretch(m *member) {
	s := reports.Sample{
		Stage: reports.StageWAN, Seed: r.seed, Group: r.variant.Name, Host: m.Number, Level: m.Machine.Level(),
	}
	if len(m.latencies) == 0 {
		count(r.sink, reports.StageWAN, r.seed, "receivers without a packet in the stretch measurement", 1)
		return
	}
	tree := slices.Min(m.latencies)
	direct := r.sites.OneWay(r.bed.Source().Site, m.Site)
	if m.Site == r.bed.Source().Site {
		s.Kind = reports.KindColocated
		s.Value = float64(tree)
		r.sink.Sample(s)
		return
	}
	s.Kind, s.Value = reports.KindStretch, float64(tree)/float64(direct)
	r.sink.Sample(s)
	s.Kind, s.Value, s.ServiceNS = reports.KindLatency, float64(tree), int64(direct)
	r.sink.Sample(s)
}

// lose sends packets through a network that loses them, and waits for the last
// repair.
func (r *wanRun) lose() error {
	r.net.Mute(false)
	s := newStream(r.world, r.bed.Source(), wanSize, r.PerSecond)
	s.last = r.highest()
	if err := r.send(s, r.WarmUp); err != nil {
		return err
	}
	for _, m := range r.members {
		m.look(func() {
			r.before = append(r.before, m.Machine.Counters())
			m.delivery = verify.Delivery{}
			m.delivery.Joined(s.last)
			m.repairs = nil
		})
	}
	if err := r.send(s, r.Packets); err != nil {
		return err
	}
	awaitAll(r.ctx, r.world, wanQuietMax, r.members, s.last)
	if r.ctx.Err() != nil {
		return r.ctx.Err() // what is still to come is not missing
	}
	for i, m := range r.members {
		m.look(func() { r.sampleLosses(m, r.before[i], s.last) })
	}
	return nil
}

// send sends n packets.
func (r *wanRun) send(s *stream, n int) error {
	for range n {
		s.send()
		r.step("losses")
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
	}
	return nil
}

// highest returns the source's last sequence number.
func (r *wanRun) highest() (seq uint64) {
	r.bed.Source().Endpoint.Do(func(machine.Time, *machine.Outbox) { seq = r.bed.Source().Machine.Highest() })
	return seq
}

func (r *wanRun) sampleLosses(m *member, before multicast.Counters, last uint64) {
	c := m.Machine.Counters()
	lost := c.Repaired - before.Repaired + c.Abandoned - before.Abandoned
	s := reports.Sample{
		Stage: reports.StageWAN, Kind: reports.KindDuplicates, Seed: r.seed, Group: r.variant.Name, Host: m.Number,
		Level: m.Machine.Level(), N: int64(lost), Value: float64(c.Duplicates - before.Duplicates),
	}
	r.sink.Sample(s)
	for _, took := range m.repairs {
		r.sink.Sample(reports.Sample{
			Stage: reports.StageWAN, Kind: reports.KindRepair, Seed: r.seed, Group: r.variant.Name, Host: m.Number,
			Value: float64(took),
		})
	}
	r.sink.Sample(delivered(reports.StageWAN, r.seed, r.variant.Name, m, last))
}

// delivered is the sample of a member's delivery.
func delivered(stage string, seed uint64, group string, m *member, last uint64) reports.Sample {
	v := m.delivery.Judge(last)
	s := reports.Sample{
		Stage: stage, Kind: reports.KindDelivered, Seed: seed, Group: group, Host: m.Number,
		N: int64(v.Owed), Value: float64(v.Once), Status: reports.StatusOK,
	}
	if !v.OK() {
		s.Status = reports.StatusMissing
	}
	return s
}
