package scratch

import (
	"fmt"
	"os"
	"sort"
	"testing"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/sim"
	"i3bench/sim/topology"
	"i3bench/testbed"
)

func TestWan(t *testing.T) {
	m, err := topology.ReadFile(os.Getenv("RTT"))
	if err != nil {
		t.Fatal(err)
	}
	for _, D := range []int{4, 8} {
		for _, sp := range []multicast.SearchPolicy{{}, {Width: 2}, {Width: 4}, {Width: 4, Slack: 30 * machine.Millisecond}} {
			below, tot, maxd := 0, 0, 0
			var shares []float64
			for seed := uint64(1); seed <= 10; seed++ {
				b, n, d := one(t, m, D, sp, seed)
				below += b
				tot += n
				maxd = max(maxd, d)
				shares = append(shares, float64(b)/float64(n))
			}
			sort.Float64s(shares)
			fmt.Printf("D=%d %+v share<2 %.3f min %.2f max %.2f depth %d\n", D, sp, float64(below)/float64(tot), shares[0], shares[9], maxd)
		}
	}
}

func one(t *testing.T, m *topology.Matrix, D int, sp multicast.SearchPolicy, seed uint64) (below, tot, depth int) {
	pick, err := m.Pick(seed, 50)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := m.Sub(pick)
	if err != nil {
		t.Fatal(err)
	}
	net := testbed.NewNetwork(sub, 50*machine.Microsecond, testbed.Loss{})
	w := sim.New(sim.Config{Seed: seed, Network: net})
	bed, err := testbed.New(testbed.Config{
		Open: func() (testbed.Endpoint, error) { return w.Open() }, Seed: seed, Nodes: 50, Degree: D, Network: net,
		Group: multicast.Config{Search: sp},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Sleep(2 * machine.Second)
	rng := prng.New(seed, 77)
	order := rng.Perm(100)
	type rec struct {
		r    *testbed.Receiver
		lats []float64
	}
	var rs []*rec
	for _, k := range order {
		x := &rec{}
		x.r, err = bed.AddReceiver(k%50, multicast.Events{Deliver: func(now machine.Time, seq uint64, sent int64, _ []byte) {
			x.lats = append(x.lats, float64(int64(now)-sent))
		}})
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, x)
		x.r.Join()
		w.Sleep(60 * machine.Millisecond)
	}
	w.Sleep(10 * machine.Second)
	for _, x := range rs {
		x.lats = nil
	}
	for i := 0; i < 10; i++ {
		bed.Source().Send([]byte("x"))
		w.Sleep(50 * machine.Millisecond)
	}
	w.Sleep(3 * machine.Second)
	for _, x := range rs {
		depth = max(depth, x.r.Machine.Level())
		if x.r.Site == 0 {
			continue
		}
		if len(x.lats) == 0 {
			t.Logf("no data %+v", x.r.Machine.Counters())
			tot++
			continue
		}
		sort.Float64s(x.lats)
		tot++
		if x.lats[len(x.lats)/2]/float64(sub.OneWay(0, x.r.Site)) < 2 {
			below++
		}
	}
	return
}
