package experiments

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"i3bench/reports"
)

// smallCapacity is of a group that takes no time.
func smallCapacity() Capacity {
	l := smallLoad()
	l.Pool = 16
	return Capacity{
		Load: l, Rates: []float64{20, 40}, Delays: []time.Duration{100 * time.Microsecond, 2 * time.Millisecond}, Rounds: 2,
		For: 50 * time.Millisecond, Limit: 250 * time.Millisecond,
	}
}

// Every rate and delay is counted, every cost measured in each round, and the result can be predicted from.
func TestCapacity(t *testing.T) {
	e := smallCapacity()
	var r recorder
	last, total := 0, 0
	err := e.Run(t.Context(), &r, func(done, of int, what string) {
		if done != last+1 || done > of || what == "" {
			t.Errorf("progress %d of %d after %d, %q", done, of, last, what)
		}
		last, total = done, of
	})
	if err != nil || last != total {
		t.Fatalf("%v, progress %d of %d", err, last, total)
	}
	want := map[string]int{
		reports.KindGiven: 3, reports.KindWork: 8, reports.KindBusy: 8, reports.KindMachine: 2, reports.KindCarry: 2,
		reports.KindGenerate: 2,
	}
	if got := r.counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("samples %v, want %v", got, want)
	}
	for _, s := range r.samples {
		if s.Stage != reports.StageCapacity || s.Kind != reports.KindBusy && !(s.Value > 0) {
			t.Errorf("%+v", s)
		}
	}
	work := map[float64][]float64{} // by rate, in the order of delays
	for _, s := range r.of(reports.KindWork) {
		if s.Group == reports.GroupBoth {
			work[float64(s.N)] = append(work[float64(s.N)], s.Value)
		}
	}
	if !(work[40][0] > work[20][0] && work[20][0] > work[capacityIdle][0]) {
		t.Errorf("datagrams %v: want more of them the more is offered", work)
	}
}

// A second run of the same measures costs alone, in rounds that follow.
func TestCapacityAgain(t *testing.T) {
	e := smallCapacity()
	e.Before = 2
	var r recorder
	if err := e.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{reports.KindMachine: 2, reports.KindCarry: 2, reports.KindGenerate: 2}
	if got := r.counts(); !reflect.DeepEqual(got, want) || r.samples[0].Seed != 3 {
		t.Errorf("samples %v from round %d on, want %v from the third", got, r.samples[0].Seed, want)
	}
}

// What is counted is the same in every run, and by a probe that does not count the world is the same.
func TestProbeRepeats(t *testing.T) {
	run := func(count bool) *probe {
		r := capacityRun{Capacity: smallCapacity(), ctx: t.Context(), sink: nowhere{}}
		p, err := r.simulate(reports.GroupBoth, 40, time.Millisecond, 16, count)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	a, b, without := run(true), run(true), run(false)
	if a.datagrams != b.datagrams || a.busy != b.busy || !reflect.DeepEqual(a.edges, b.edges) || a.datagrams == 0 {
		t.Errorf("%d and %d datagrams, %d and %d busy", a.datagrams, b.datagrams, a.busy, b.busy)
	}
	if a.sent() != without.sent() || without.datagrams != 0 || a.sent() < uint64(a.datagrams) {
		t.Errorf("%d datagrams carried with somebody who counts, %d without", a.sent(), without.sent())
	}
	sum := 0
	for _, f := range a.edges {
		sum += f.datagrams
	}
	if sum != a.datagrams {
		t.Errorf("%d datagrams over all edges, %d in all", sum, a.datagrams)
	}
}

// Little's law: as many receivers are busy as join a second, times how long each is. A slower network keeps more of
// them busy.
func TestProbeBusy(t *testing.T) {
	r := capacityRun{Capacity: smallCapacity(), ctx: t.Context(), sink: nowhere{}}
	fast, err := r.simulate(reports.GroupBoth, 40, 100*time.Microsecond, 64, true)
	slow, err2 := r.simulate(reports.GroupBoth, 40, 10*time.Millisecond, 64, true)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if !(slow.meanBusy() > 2*fast.meanBusy()) || math.IsNaN(fast.meanBusy()) {
		t.Errorf("%v receivers busy where a datagram takes 0.1 ms, %v where it takes 10", fast.meanBusy(), slow.meanBusy())
	}
}

// A scenario without a probe is as it ever was: the world has its delays, and endpoints are the driver's own.
func TestNoProbe(t *testing.T) {
	var p *probe
	if net, jitter := p.paths(); net != nil || jitter != QueryTime {
		t.Errorf("%v and %v, want no network and the time of a query", net, jitter)
	}
	p.began(nil)
}

// Datagrams go round between endpoints of which one may have nothing to say.
func TestCarry(t *testing.T) {
	ways := traffic{4, map[edge]*flow{{0, 1}: {3, 300}, {1, 0}: {1, 5000}, {1, 2}: {2, 10}, {2, 0}: {1, 100}}}
	c, err := ways.carry(8, 50*time.Millisecond, 1)
	if err != nil || c.moves < 10 || c.wall < 50*time.Millisecond {
		t.Errorf("%+v, %v; want datagrams that go round", c, err)
	}
	if _, err := (traffic{}).carry(0, time.Millisecond, 1); err == nil {
		t.Error("nothing was carried, and that is no error")
	}
}

// An interrupted run ends at once.
func TestCapacityStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := smallCapacity()
	if err := e.Run(ctx, nowhere{}, func(int, int, string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
}

// The nodes of a small group are counted, each figure once, and repeat.
func TestNodeLoad(t *testing.T) {
	p := Plan{
		LargeSeeds: []uint64{101}, Sizes: []int{64}, Servers: 64, Degree: 8, Lifetime: 5 * time.Second, Nets: []Net{"A-M"},
		Variants: []Variant{RelaysVariant()},
	}
	jobs := p.NodeLoads()
	if len(jobs) != 1 {
		t.Fatalf("%d jobs, want that of 4 nodes alone", len(jobs))
	}
	run := func() (out []reports.Sample, trace string) {
		var b buffer
		trace, err := jobs[0].Run(t.Context(), &b, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		return b.samples, trace
	}
	got, trace := run()
	again, same := run()
	if !reflect.DeepEqual(got, again) || trace != same {
		t.Error("two runs differ")
	}
	value := map[string]float64{}
	for _, s := range got {
		if s.Stage != reports.StageNodes || s.N != 64 || s.Host != 4 || s.Group != "relays/A-M" {
			t.Errorf("%+v", s)
		}
		value[s.Kind] = s.Value
	}
	for kind, bounds := range map[string][2]float64{
		reports.KindDepthMean: {1, 6}, reports.KindLocal: {0, 1}, reports.KindHottest: {1, 4}, reports.KindTriggers: {3, 6},
		reports.KindRestRequests: {0.1, 5}, reports.KindRestCopies: {0.1, 20}, reports.KindJoinPackets: {5, 1000},
	} {
		if v, ok := value[kind]; !ok || v < bounds[0] || v > bounds[1] {
			t.Errorf("%s %v, want %v", kind, v, bounds)
		}
	}
	if len(got) != 7 {
		t.Errorf("%d samples", len(got))
	}
}
