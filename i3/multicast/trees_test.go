package multicast_test

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
	"i3bench/testbed"
)

// firstTree is the first seed: the bounds of a trial were chosen by looking at seeds 1 to 3.
const firstTree = 101

var treeSeeds = flag.Int("trees.seeds", 2, "seeds of TestTreesForMetrics; one in a short run")

// A taster notes what comes down the tree to one receiver, and when.
type taster struct {
	*testbed.Receiver
	joined      bool
	packets     int
	late        machine.Duration // from the source, summed up
	first, last machine.Time     // of the packets since the last look
	since       int
}

// tasters deploys receivers, one at each of the given sites.
func (b *bed) tasters(sites ...int) (all []*taster) {
	b.tb.Helper()
	for _, site := range sites {
		r := &taster{}
		under, err := b.AddReceiver(site, multicast.Events{
			Joined: func(machine.Time, uint64) { r.joined = true },
			Deliver: func(now machine.Time, _ uint64, sent int64, _ []byte) {
				if sent == 0 {
					return // a repair
				}
				if r.packets++; r.since == 0 {
					r.first = now
					r.late += now.Sub(machine.Time(sent))
				}
				r.since, r.last = r.since+1, now
			},
		})
		if err != nil {
			b.tb.Fatal(err)
		}
		r.Receiver = under
		all = append(all, r)
	}
	return all
}

// The trees that are compared: 40 receivers at 20 sites, of which every third is bad.
const (
	treeSites     = 20
	treeReceivers = 40
	badEvery      = 3
	treePayload   = 1000
)

// treeSetup is a group that builds its tree for a metric.
func treeSetup(seed uint64, m multicast.Metric) setup {
	return setup{
		seed: seed, nodes: treeSites, degree: 4, delays: newPlane(seed, treeSites, 60*time.Millisecond),
		group: multicast.Config{Search: multicast.SearchPolicy{Metric: m, Width: 2}},
	}
}

func bad(site int) bool { return site%badEvery == badEvery-1 }

// narrowSites puts the nodes of bad sites behind 2 Mbit/s, the others and all hosts behind 100.
func narrowSites(s setup) setup {
	s.behind = func(number int, e testbed.Endpoint) testbed.Endpoint {
		a := testbed.Access{Up: 100e6, Down: 100e6}
		if number < treeSites && bad(number) {
			a = testbed.Access{Up: 2e6, Down: 2e6}
		}
		return testbed.Behind(e, a)
	}
	return s
}

// A lossyNet loses a tenth of what goes from or to the nodes of bad sites.
type lossyNet struct{ *testbed.Network }

func (n lossyNet) Between(from, to int64) machine.Path {
	p := n.Network.Between(from, to)
	if a, b := int(from>>32), int(to>>32); a != b && (bad(a) || bad(b)) {
		p.Loss = 0.1
	}
	return p
}

func (n lossyNet) Path(from, to netip.AddrPort) machine.Path {
	a, okA := n.Place(from)
	b, okB := n.Place(to)
	if !okA || !okB {
		return n.Network.Path(from, to)
	}
	return n.Between(a, b)
}

func lossySites(s setup) setup {
	s.paths = func(n *testbed.Network) machine.Network { return lossyNet{n} }
	return s
}

// A taste is what a tree does for its receivers.
type taste struct {
	bandwidth float64 // kbit/s to a receiver at a good site, mean
	least     float64 // and the least
	loss      float64 // of a hundred packets, of those receivers
	worst     float64
	delay     float64 // ms, of the first packet of a burst
	trains    float64 // sent, a receiver
	moves     float64
}

// burst sends packets at once.
func (b *bed) burst(n int, then machine.Duration) {
	for range n {
		b.Source().Send(make([]byte, treePayload))
	}
	b.world.Sleep(then)
}

// grown lets a tree grow while the source sends, one receiver after the other, and measures what comes to whom.
func grown(t *testing.T, s setup) (w taste) {
	t.Helper()
	b := newBed(t, s)
	b.burst(4, 300*millisecond)
	all := b.tasters(spread(treeReceivers, treeSites)...)
	for _, r := range all {
		r.Join()
		for range 4 {
			b.burst(4, 300*millisecond)
		}
	}
	for range 50 { // who moves has moved
		b.burst(4, 300*millisecond)
	}
	for _, r := range all {
		if !r.joined || r.Machine.Level() == 0 {
			t.Fatalf("a receiver at site %d is not in the tree: %+v", r.Site, r.Machine.Measures())
		}
		r.packets, r.since, r.late = 0, 0, 0
	}
	const bursts, length = 30, 8
	gaps := make([]float64, len(all)) // ns a bit
	for range bursts {
		b.burst(length, 500*millisecond)
		for i, r := range all {
			if r.since > 1 {
				gaps[i] += float64(r.last.Sub(r.first)) / float64((r.since-1)*8*(treePayload+72+28)) / bursts
			}
			r.since = 0
		}
	}
	w.least = math.Inf(1)
	good := 0
	for i, r := range all {
		c := r.Machine.Measures()
		w.trains += float64(c.Trains) / treeReceivers
		w.moves += float64(c.Shortfalls) / treeReceivers
		w.delay += float64(r.late) / 1e6 / bursts / treeReceivers
		if bad(r.Site) {
			continue
		}
		good++
		rate, lost := 1e6/max(gaps[i], 1e-9), 100*(1-float64(r.packets)/(bursts*length))
		w.bandwidth, w.least = w.bandwidth+rate, min(w.least, rate)
		w.loss, w.worst = w.loss+lost, max(w.worst, lost)
	}
	w.bandwidth, w.loss = w.bandwidth/float64(good), w.loss/float64(good)
	return w
}

// The narrowest way to a receiver at a good site is much wider in a tree built for the bandwidth than in that built for
// the delay, and fewer packets get lost in one built for the loss; the price is delay. The flag -trees.seeds says of
// how many seeds the figures are.
func TestTreesForMetrics(t *testing.T) {
	for _, c := range []struct {
		name   string
		metric multicast.Metric
		site   func(setup) setup
	}{
		{"bandwidth", multicast.Bandwidth, narrowSites},
		{"loss", multicast.Loss, lossySites},
	} {
		t.Run(c.name, func(t *testing.T) {
			samples := map[string][]float64{}
			note := func(tree, what string, x float64) {
				key := fmt.Sprintf("%s: tree for the %s", what, tree)
				samples[key] = append(samples[key], x)
			}
			var plain, tuned []taste
			seeds := *treeSeeds
			if testing.Short() {
				seeds = 1
			}
			for seed := range uint64(seeds) {
				plain = append(plain, grown(t, c.site(treeSetup(firstTree+seed, multicast.Delay))))
				tuned = append(tuned, grown(t, c.site(treeSetup(firstTree+seed, c.metric))))
				for tree, w := range map[string]taste{"delay": plain[seed], c.name: tuned[seed]} {
					if c.metric == multicast.Bandwidth {
						note(tree, "Mbit/s, mean", w.bandwidth/1e3)
						note(tree, "Mbit/s, least", w.least/1e3)
					} else {
						note(tree, "% lost, mean", w.loss)
						note(tree, "% lost, most", w.worst)
					}
					note(tree, "delay, ms", w.delay)
					note(tree, "trains a receiver", w.trains)
					note(tree, "moves a receiver", w.moves)
				}
				note(c.name, "delay over that of the other", tuned[seed].delay/plain[seed].delay)
			}
			logEstimates(t, samples)
			mean := func(all []taste, f func(taste) float64) (sum float64) {
				for _, w := range all {
					sum += f(w) / float64(len(all))
				}
				return sum
			}
			least, loss := func(w taste) float64 { return w.least }, func(w taste) float64 { return w.loss }
			if c.metric == multicast.Bandwidth && mean(tuned, least) < 4*mean(plain, least) {
				t.Error("the narrowest way is not four times as wide")
			}
			if c.metric == multicast.Loss && mean(tuned, loss) > mean(plain, loss)/2 {
				t.Error("more than half as many packets get lost")
			}
		})
	}
}

// logEstimates logs the mean of every figure over the seeds, and its interval.
func logEstimates(t *testing.T, samples map[string][]float64) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(samples)) {
		e := reports.NewEstimate(samples[what])
		t.Logf("%-45s %8.2f (%.2f to %.2f, %d seeds)", what, e.Mean, e.Low, e.High, e.Seeds)
	}
}
