package experiments

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/reports"
	"i3bench/sim/topology"
)

// smallNet is a transit-stub network with 48 places.
func smallNet(t testing.TB, seed uint64) *topology.Network {
	t.Helper()
	net, err := topology.TransitStub(seed, topology.Shape{
		TransitDomains: 2, TransitNodes: 3, Stubs: 2, StubNodes: 4, TopEdge: 1, TransitEdge: 0.6, StubEdge: 0.5,
	}, topology.Amended)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// smallGroup is a group on it.
func smallGroup(t testing.TB, seed uint64) GroupConfig {
	return GroupConfig{
		Net: smallNet(t, seed), Seed: seed, Degree: 3, Variant: LiteralVariant(), Lifetime: 10 * time.Second,
	}
}

// A stepped is an experiment that a [Job] runs, as those of the other tests are.
type stepped struct {
	work int
	run  func(ctx context.Context, sink Sink, step func(int)) (string, error)
}

// Run runs it. Its steps never become fewer, and its trace is a sample.
func (s stepped) Run(ctx context.Context, sink Sink, progress Progress) error {
	last := 0
	trace, err := s.run(ctx, sink, func(done int) {
		if done < last {
			panic(fmt.Sprintf("%d steps done, and %d before", done, last))
		}
		last = done
		progress(done, s.work, "steps")
	})
	if err == nil && len(trace) > 0 {
		sink.Sample(reports.Sample{Stage: reports.StageTree, Kind: reports.KindTrace, Group: "test", Status: trace})
	}
	return err
}

// sameWithWorkers compares the samples of an experiment with one thread and with
// three.
func sameWithWorkers(t *testing.T, e func(workers int) experiment) {
	t.Helper()
	var one, three recorder
	for r, workers := range map[*recorder]int{&one: 1, &three: 3} {
		if err := e(workers).Run(t.Context(), r, func(int, int, string) {}); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := one.sorted(), three.sorted(); a != b {
		t.Errorf("three threads gave other samples: %s", firstDifference(a, b))
	}
}

// Clock skew and jitter make other runs, each.
func TestFaultsMatter(t *testing.T) {
	traces := make(map[string]Faults)
	for _, f := range []Faults{{}, {Skew: time.Second}, {Jitter: time.Millisecond}} {
		cfg := smallGroup(t, 1)
		cfg.Faults = f
		trace := grown(t, cfg, 20).world.TraceHash()
		if before, ok := traces[trace]; ok {
			t.Errorf("%v has the trace of %v", f, before)
		}
		traces[trace] = f
	}
}

// grown is a group of n receivers, and is closed by the test.
func grown(t *testing.T, cfg GroupConfig, n int) *group {
	t.Helper()
	g, err := newGroup(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.close)
	if err := g.grow(t.Context(), n, func(int) {}); err != nil {
		t.Fatal(err)
	}
	return g
}

// Every receiver has a packet after the sum of the delays between the nodes of the
// identifiers above it. Times the stretch of each is in the statistics.
func TestLatencyIsThatOfTheChain(t *testing.T) {
	for _, v := range []Variant{LiteralVariant(), RelaysVariant()} {
		cfg := smallGroup(t, 3)
		cfg.Variant = v
		g := grown(t, cfg, 60)
		seq := g.send()
		g.run(longestPath)
		var stretch []float64
		from := g.bed.Source().Site
		for i, m := range g.members {
			at := from
			way := time.Duration(0)
			for _, id := range m.Machine.Chain() {
				way += cfg.Net.OneWay(at, g.bed.SiteOf(id))
				at = g.bed.SiteOf(id)
			}
			way += cfg.Net.OneWay(at, m.Site)
			way += 2 // ns, for the datagrams within a place: from the source, and to the receiver
			if m.latest != seq || m.latency != machine.Duration(way) {
				t.Errorf("%s: receiver %d has packet %d after %v, expected %d after %v", v.Name, i, m.latest,
					time.Duration(m.latency), seq, way)
			}
			if m.Site != from {
				stretch = append(stretch, float64(way)/float64(cfg.Net.OneWay(from, m.Site)))
			}
		}
		s := g.latencies(seq)
		slices.Sort(stretch)
		if !slices.Equal(s.stretch, stretch) || s.colocated+len(stretch) != 60 || s.unreached != 0 {
			t.Errorf("%s: stretch %v, expected %v; %d colocated", v.Name, s.stretch, stretch, s.colocated)
		}
	}
}

// Of four receivers one is at the source's place and one without the packet; the
// others have it after twice and three times the direct way.
func TestRatiosByHand(t *testing.T) {
	g := grown(t, smallGroup(t, 1), 4)
	from := g.bed.Source().Site
	near, far := (from+1)%g.cfg.Net.Len(), from
	for i := range g.cfg.Net.Len() {
		if g.cfg.Net.OneWay(from, i) > g.cfg.Net.OneWay(from, far) {
			far = i
		}
	}
	d := func(site int) machine.Duration { return machine.Duration(g.cfg.Net.OneWay(from, site)) }
	for i, set := range []struct {
		site    int
		latest  uint64
		latency machine.Duration
	}{{far, 9, 3 * d(far)}, {near, 9, 2 * d(near)}, {from, 9, 5}, {far, 8, d(far)}} {
		m := g.members[i]
		m.Site, m.latest, m.latency = set.site, set.latest, set.latency
	}
	s := g.latencies(9)
	rad := float64(2*d(near)+3*d(far)) / float64(d(near)+d(far))
	if s.rad != rad || s.rmd != 3 || !slices.Equal(s.stretch, []float64{2, 3}) || s.colocated != 1 || s.unreached != 1 {
		t.Errorf("%+v, expected RAD %v, RMD 3", s, rad)
	}
	var r recorder
	s.samples(&r, 1, "g", 4)
	if got := r.of(reports.KindStretchP50)[0].Value; got != 2 {
		t.Errorf("the median of 2 and 3 is %v, expected the nearest rank, 2", got)
	}
	// Ratios over nobody are no samples.
	for _, m := range g.members {
		m.Site = from
	}
	s = g.latencies(9)
	r = recorder{}
	s.samples(&r, 1, "g", 4)
	r.known(t)
	if len(r.of(reports.KindRAD))+len(r.of(reports.KindStretchP90)) > 0 || len(r.of(reports.KindColocated)) != 1 {
		t.Errorf("samples %v without a receiver elsewhere", r.counts())
	}
}

// nodeCounters sums those of all nodes.
func nodeCounters(g *group) (sum node.Counters) {
	for _, n := range g.bed.Nodes() {
		c := n.Machine.Counters()
		sum.Copies += c.Copies
		sum.HostCopies += c.HostCopies
	}
	return sum
}

// quiet lets the world run until nothing is on its way but the next heartbeat, and
// returns how many packets and heartbeats the source has sent.
func quiet(g *group) uint64 {
	g.run(5 * time.Second) // heartbeats come once a second by now
	c := func() uint64 {
		c := g.bed.Source().Machine.Counters()
		return c.Sent + c.Heartbeats
	}
	for before := c(); c() == before; {
		g.run(0)
	}
	g.run(800 * time.Millisecond)
	return c()
}

// The nodes make a copy of what the source sends for each link of the tree between
// two of them, and one for each receiver; the stress of links counts just these.
func TestStressIsWhatNodesCopy(t *testing.T) {
	for _, v := range []Variant{LiteralVariant(), RelaysVariant()} {
		cfg := smallGroup(t, 2)
		cfg.Variant, cfg.Lifetime = v, time.Hour // no refreshes, which are copied, too
		g := grown(t, cfg, 80)
		first, before := quiet(g), nodeCounters(g)
		s := g.measure()
		last, after := quiet(g), nodeCounters(g)
		messages, copies := last-first, after.Copies-before.Copies
		hosts := after.HostCopies - before.HostCopies
		links, hops := uint64(0), 0.0
		for _, e := range g.links() {
			if e.from != e.to {
				links++
			}
			cfg.Net.VisitPath(e.from, e.to, func(int) { hops++ })
		}
		ends := uint64(80 + 1 + v.Relays) // the source hears the group and its relays, too
		if messages < 2 || hosts != ends*messages || copies-hosts != links*messages {
			t.Errorf("%s: %d messages, %d copies to %d identifiers of hosts, %d to nodes, expected %d for each", v.Name,
				messages, hosts, ends, copies-hosts, links)
		}
		sum := 0.0
		for _, n := range s.stress {
			sum += n
		}
		most := s.stress[len(s.stress)-1]
		if sum != hops || !slices.IsSorted(s.stress) || s.undirected < most || s.undirected > 2*most {
			t.Errorf("%s: stress %v is of %v hops, expected %v; %v in both directions", v.Name, s.stress, sum, hops,
				s.undirected)
		}
	}
}

// Each receiver's identifier hangs under one other, and so does each relay.
func TestLinksAreATree(t *testing.T) {
	cfg := smallGroup(t, 2)
	cfg.Variant = RelaysVariant()
	cfg.Variant.Relays = 2
	g := grown(t, cfg, 50)
	relays := make(map[uint64]bool)
	for _, m := range g.members {
		if chain := m.Machine.Chain(); len(chain) > 2 {
			relays[chain[1].Suffix()] = true
		}
	}
	for _, m := range g.members {
		delete(relays, m.Machine.Chain()[len(m.Machine.Chain())-1].Suffix()) // a receiver's, not a relay's
	}
	if got := len(g.links()); got != 50+len(relays) || len(relays) == 0 {
		t.Errorf("%d links, expected one for each of 50 receivers and of %d relays", got, len(relays))
	}
}

func TestNets(t *testing.T) {
	for _, name := range []Net{"A-M", "B-L", "C-M", "D-L", PowerLaw} {
		if err := name.Check(); err != nil || name.Places() < 8192 {
			t.Errorf("%s: %v, %d places", name, err, name.Places())
		}
	}
	for name, says := range map[Net]string{
		"A":         `network "A": want an instance and a reading, such as A-M, or powerlaw`,
		"":          `network "": want an instance`,
		"E-M":       `"E"`,
		"A-X":       `"X"`,
		"A-M-L":     `"M-L"`,
		"a-m":       `"a"`,
		"powerlaws": "want",
	} {
		_, err := name.Open(1)
		if err == nil || name.Check() == nil || !strings.Contains(err.Error(), says) || name.Places() != 0 {
			t.Errorf("%q: %v, %d places; expected an error that says %s", string(name), err, name.Places(), says)
		}
	}
	all, err := Net("B-L").Open(1)
	if err != nil || all.Len() != Net("B-L").Places() {
		t.Fatalf("%v, %d places of %d", err, all.Len(), Net("B-L").Places())
	}
	some, err := Net("B-L").servers(1, 40)
	if err != nil || some.Len() != 40 {
		t.Errorf("%v, %d servers", err, some.Len())
	}
	if _, err := Net("B-L").servers(1, all.Len()+1); err == nil {
		t.Error("more servers than places")
	}
}

// Runs that need the same network at the same time share it; it is kept for the
// next, and those that were not used for long are dropped.
func TestNetCache(t *testing.T) {
	var c netCache
	get := func(seed uint64, inside func(*topology.Network)) {
		t.Helper()
		_, err := c.use(netKey{"A-M", seed, 10}, func(n *topology.Network) (string, error) {
			inside(n)
			return "", nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var first *topology.Network
	get(1, func(one *topology.Network) {
		first = one
		get(1, func(again *topology.Network) {
			if again != one {
				t.Error("generated twice for two users")
			}
		})
		for seed := uint64(2); seed < 9; seed++ {
			get(seed, func(*topology.Network) {})
			if len(c.nets) > 1+idleNets {
				t.Errorf("%d networks are kept, one of them in use", len(c.nets))
			}
		}
		get(1, func(again *topology.Network) {
			if again != one {
				t.Error("one that is in use was dropped")
			}
		})
	})
	get(1, func(again *topology.Network) {
		if again != first {
			t.Error("the one used last was dropped")
		}
	})
	for seed := range uint64(idleNets) {
		get(20+seed, func(*topology.Network) {})
	}
	get(1, func(again *topology.Network) {
		if again == first {
			t.Error("kept for ever")
		}
	})
	if _, err := c.use(netKey{"A-M", 1, 1 << 20}, nil); err == nil {
		t.Error("more servers than places")
	}
}
