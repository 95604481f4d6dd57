package experiments

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"i3bench/internal/cputime"
	"i3bench/loadgen"
	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

// Capacity measures apart what the rate that [Find] looks for is made of, and offers no load to a group on sockets. In
// virtual time: how many datagrams a group sends for joins and repairs, and how many receivers of the pool that keeps
// busy, by the rate and by how long a datagram takes. On the processor: what the machines, the driver and the
// generator need for a datagram and an operation.
type Capacity struct {
	Load   // the group; of its rates and times none is used
	Rates  []float64
	Delays []time.Duration // of a datagram, mean
	Rounds int
	For    time.Duration // how long a row is measured in a round
	Limit  time.Duration // of the latency of a join, p99
	// Found is what a search has found elsewhere, kept beside the prediction. See [reports.FoundSamples].
	Found []reports.Sample
	// Before is how many rounds another run has measured of the same, whose counts are there: only costs are measured.
	Before int
}

// Times of the simulated runs.
const (
	capacityWarm   = 300 * time.Millisecond
	capacityLength = 1300 * time.Millisecond
	capacityIdle   = 1 // operations a second of a group that does nothing but stay
)

// Run counts and measures.
func (e Capacity) Run(ctx context.Context, sink Sink, progress Progress) error {
	r := capacityRun{Capacity: e, ctx: ctx, sink: sink, progress: progress}
	r.total = (len(e.Rates)+1)*len(e.Delays) + 3 + 3*e.Rounds
	if e.Before > 0 {
		r.total = 1 + 3*e.Rounds
		if err := r.ways(); err != nil {
			return fmt.Errorf("capacity: %w", err)
		}
		return r.measure()
	}
	for _, g := range []struct {
		name  string
		value float64
	}{
		{reports.GivenCores, float64(runtime.NumCPU())}, {reports.GivenPool, float64(e.Pool)},
		{reports.GivenLimit, float64(e.Limit)},
	} {
		sink.Sample(reports.Sample{Stage: reports.StageCapacity, Kind: reports.KindGiven, Group: g.name, Value: g.value})
	}
	for _, s := range e.Found {
		sink.Sample(s)
	}
	if err := r.count(); err != nil {
		return fmt.Errorf("capacity: %w", err)
	}
	if err := r.measure(); err != nil {
		return fmt.Errorf("capacity: %w", err)
	}
	return nil
}

// A capacityRun is the experiment while it goes on.
type capacityRun struct {
	Capacity
	ctx         context.Context
	sink        Sink
	progress    Progress
	done, total int
	traffic     traffic
}

func (r *capacityRun) step(what string) {
	r.done++
	r.progress(r.done, r.total, what)
}

// middle is the rate and the delay of what is counted or measured once.
func (r *capacityRun) middle() (float64, time.Duration) {
	return r.Rates[len(r.Rates)/2], r.Delays[len(r.Delays)/2]
}

// count counts in virtual time.
func (r *capacityRun) count() error {
	for _, rate := range append([]float64{capacityIdle}, r.Rates...) {
		for _, d := range r.Delays {
			if _, err := r.work(reports.GroupBoth, rate, d); err != nil {
				return err
			}
		}
	}
	rate, d := r.middle()
	for _, part := range []string{reports.KindJoin, reports.KindRepair} {
		if _, err := r.work(part, rate, d); err != nil {
			return err
		}
	}
	return r.ways()
}

// ways finds out who sends how much to whom.
func (r *capacityRun) ways() error {
	rate, d := r.middle()
	p, err := r.simulate(reports.GroupBoth, rate, d, r.Pool, true)
	if err != nil {
		return err
	}
	r.traffic = traffic{len(p.places), p.edges}
	r.step("the ways of datagrams")
	return nil
}

// manyVisitors is how many receivers may join and leave at a time where it is counted how many do.
const manyVisitors = 2048

// work counts what operations at a rate make of work.
func (r *capacityRun) work(part string, rate float64, d time.Duration) (*probe, error) {
	p, err := r.simulate(part, rate, d, manyVisitors, true)
	if err != nil {
		return nil, err
	}
	s := reports.Sample{
		Stage: reports.StageCapacity, Kind: reports.KindWork, Seed: r.Seed, Group: part, N: int64(rate),
		ServiceNS: int64(d), Value: p.perSecond(),
	}
	r.sink.Sample(s)
	s.Kind, s.Value = reports.KindBusy, p.meanBusy()
	r.sink.Sample(s)
	r.step(fmt.Sprintf("virtual time, %.0f of %s a second, %v a datagram", rate, part, d))
	return p, nil
}

// simulate offers joins, repairs, or both, in virtual time.
func (r *capacityRun) simulate(part string, rate float64, d time.Duration, visitors int, count bool) (*probe, error) {
	c := scenario.Cluster{
		Nodes: r.Nodes, Degree: r.Degree, Standing: r.Standing, Visitors: visitors, Rate: r.PerSecond, Size: r.Size,
		Search: "lan", Timeout: 5 * time.Second,
	}
	var load []scenario.Stream
	for _, kind := range []string{reports.KindJoin, reports.KindRepair} {
		if part == kind || part == reports.GroupBoth {
			mix := map[string]float64{kind: 1}
			load = append(load, scenario.Stream{Schedule: "constant", Rate: rate, Mix: mix})
		}
	}
	s := scenario.Scenario{Shorten: 1, Cluster: c, Phases: []scenario.Phase{{For: capacityLength, Load: load}}}
	spans, err := s.Resolve(r.Seed)
	if err != nil {
		return nil, err
	}
	p := &probe{delay: d, warm: capacityWarm, length: capacityLength, count: count}
	e := Scenario{World: Sim, Cluster: c, Spans: spans, Seed: r.Seed, probe: p}
	return p, e.Run(r.ctx, nowhere{}, func(int, int, string) {})
}

// nowhere takes samples that nobody wants.
type nowhere struct{}

// Sample forgets a sample.
func (nowhere) Sample(reports.Sample) {}

// measure measures what things cost the processor, in rounds: what else the machine has to do for a while then strikes
// one round of all and not all rounds of one.
func (r *capacityRun) measure() error {
	for round := r.Before; round < r.Before+r.Rounds; round++ {
		for _, f := range []func(uint64) (reports.Sample, error){r.machines, r.carry, r.generate} {
			s, err := f(uint64(round + 1))
			if err == nil {
				err = r.ctx.Err()
			}
			if err != nil {
				return err
			}
			s.Stage, s.Seed = reports.StageCapacity, uint64(round+1)
			r.sink.Sample(s)
			r.step(fmt.Sprintf("round %d, %s", round+1, s.Kind))
		}
	}
	return nil
}

// machines measures what the machines of a group need for a datagram: the simulator's time for all of them, without
// anybody who counts.
func (r *capacityRun) machines(uint64) (s reports.Sample, err error) {
	rate, d := r.middle()
	before := cputime.Now()
	p, err := r.simulate(reports.GroupBoth, rate, d, r.Pool, false)
	spent := cputime.Now() - before
	n := p.sent()
	return reports.Sample{
		Kind: reports.KindMachine, N: int64(n), Value: float64(spent) / float64(max(1, n)), ServiceNS: int64(spent),
	}, err
}

// carry measures what the driver needs for a datagram where as many are under way as receivers can join.
func (r *capacityRun) carry(round uint64) (reports.Sample, error) {
	c, err := r.traffic.carry(r.Pool, r.For, r.Seed+round)
	return reports.Sample{
		Kind: reports.KindCarry, N: c.moves, Value: float64(c.processor) / float64(max(1, c.moves)),
		StartNS: int64(c.wall), ServiceNS: int64(c.processor),
	}, err
}

// generate measures what the generator needs for an operation that is over as soon as another goroutine has seen it.
func (r *capacityRun) generate(uint64) (s reports.Sample, err error) {
	rate, _ := r.middle()
	g := loadRun{Load: Load{For: r.For}, begin: time.Now().Add(loadLead)}
	ops := newOperations(&collector{sink: nowhere{}}, reports.KindJoin) // as in a search
	ops.begin = g.begin
	orders, ended := make(chan *operation, maxOrders), make(chan struct{})
	go func() {
		defer close(ended)
		for o := range orders {
			ops.begun(o)
			o.succeeded()
		}
	}()
	before := cputime.Now()
	err = g.pace(r.ctx, ops, rate, func(_ loadgen.Op, intended time.Time) { orders <- ops.start(intended) })
	close(orders)
	<-ended
	spent, n := cputime.Now()-before, int64(ops.done())
	return reports.Sample{
		Kind: reports.KindGenerate, N: n, Value: float64(spent) / float64(max(1, n)), ServiceNS: int64(spent),
	}, err
}
