package sim_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/sim"
	"i3bench/sim/topology"
	"i3bench/testbed"
)

// small is a transit-stub network of 48 places in about 12 stub domains.
var small = topology.Shape{
	TransitDomains: 2, TransitNodes: 3, Stubs: 2, StubNodes: 4, TopEdge: 0.5, TransitEdge: 0.6, StubEdge: 0.42,
}

// A deployment is a group in a world, through which a run leads it.
type deployment struct {
	world     *sim.World
	bed       *testbed.Bed
	rng       prng.Source
	receivers []*testbed.Receiver
}

// deploy makes a run of 40 nodes and 60 receivers, with the losses of section
// 6.3, clocks that differ and datagrams that overtake each other.
func deploy(t *testing.T, cfg sim.Config) *deployment {
	t.Helper()
	delays, err := topology.TransitStub(cfg.Seed, small, topology.Reading(cfg.Seed%2))
	if err != nil {
		t.Fatal(err)
	}
	net := testbed.NewNetwork(delays, 0, testbed.PaperLoss(cfg.Seed))
	cfg.Network, cfg.Jitter = net, 2*machine.Millisecond
	w := sim.New(cfg)
	bed, err := testbed.New(testbed.Config{
		Open:    func() (testbed.Endpoint, error) { return w.Open() },
		Network: net, Seed: cfg.Seed, Nodes: 40, SourceSite: 7, Degree: 3, MaxSkew: machine.Second,
		Group: multicast.Config{Cache: 64, Host: host.Config{Lifetime: 6 * machine.Second, Hurry: 3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &deployment{world: w, bed: bed, rng: prng.New(cfg.Seed, 77)}
}

// lead lets receivers join, sends packets, and lets nodes lose their memory and
// receivers leave and crash meanwhile.
func (d *deployment) lead(t *testing.T) {
	t.Helper()
	d.world.Sleep(500 * machine.Millisecond)
	for i := range 60 {
		r, err := d.bed.AddReceiver(d.rng.IntN(40), multicast.Events{})
		if err != nil {
			t.Fatal(err)
		}
		d.receivers = append(d.receivers, r)
		r.Join()
		d.world.Sleep(machine.Duration(d.rng.IntN(int(60 * machine.Millisecond))))
		if i%2 == 1 {
			d.bed.Source().Send([]byte("early"))
		}
	}
	for i := range 40 {
		d.bed.Source().Send(fmt.Append(nil, "packet ", i, strings.Repeat("x", d.rng.IntN(500))))
		switch i % 8 {
		case 3:
			if err := d.bed.RestartNode(d.rng.IntN(40)); err != nil {
				t.Fatal(err)
			}
		case 5:
			d.receivers[d.rng.IntN(60)].Endpoint.Close()
		case 7:
			d.receivers[d.rng.IntN(60)].Leave()
		}
		d.world.Run(d.world.Whole(d.world.Now().Add(machine.Duration(d.rng.IntN(int(100 * machine.Millisecond))))))
	}
	d.world.Sleep(3 * machine.Second)
}

// outcome is what a run comes to.
func outcome(t *testing.T, cfg sim.Config) (trace string, count sim.Counters) {
	t.Helper()
	d := deploy(t, cfg)
	d.lead(t)
	return d.world.TraceHash(), d.world.Counters()
}

// The engine's trace is that of the reference, over 50 seeds, for 1, 2 and 7
// shards and 1, 2 and 3 workers; 2 seeds with -short.
func TestDeploymentIsReference(t *testing.T) {
	seeds := uint64(50)
	if testing.Short() {
		seeds = 2
	}
	var runs, events atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				want, count := outcome(t, sim.Config{Seed: seed, Reference: true})
				checkEventful(t, count)
				for _, shards := range []int{1, 2, 7} {
					for workers := 1; workers <= 3; workers++ {
						got, c := outcome(t, sim.Config{Seed: seed, Shards: shards, Workers: workers})
						if got != want || c != count {
							t.Errorf("seed %d, %d shards, %d workers: trace %.8s, %+v, reference %.8s, %+v",
								seed, shards, workers, got, c, want, count)
						}
						runs.Add(1)
						events.Add(int64(c.Events))
					}
				}
			})
		}
	})
	t.Logf("%d runs compared with the reference: %d seeds, 1, 2 and 7 shards, 1, 2 and 3 workers; %d events",
		runs.Load(), seeds, events.Load())
}

// checkEventful fails a test whose run is not worth comparing.
func checkEventful(t *testing.T, c sim.Counters) {
	t.Helper()
	if c.Delivered < 5000 || c.Lost < 100 || c.NoHost < 10 {
		t.Errorf("%+v: nothing much was run", c)
	}
}

var update = flag.Bool("update", false, "rewrite testdata/divided.txt")

// The trace of a divided world is the one on file, in every build: with and
// without the race detector, with any number of processors.
func TestTraceOnFile(t *testing.T) {
	trace, count := outcome(t, sim.Config{Seed: 1, Workers: 2})
	checkEventful(t, count)
	const file = "testdata/divided.txt"
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, []byte(trace+"\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if trace != strings.TrimSpace(string(want)) {
		t.Errorf("trace %s, on file %s: the protocol changed (go test ./sim -update), or this build differs", trace, want)
	}
}
