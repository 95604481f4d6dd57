package topology

import (
	"container/heap"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"i3bench/internal/prng"
)

// An oracle finds distances by one search of the whole graph for each node: it
// knows nothing of domains, hubs, tables and the order of arcs.
type oracle [][]spoke

func newOracle(g *graph) oracle {
	o := make(oracle, g.nodes)
	for _, e := range g.edges {
		o[e.ends[0]] = append(o[e.ends[0]], spoke{e.ends[1], e.latency})
		o[e.ends[1]] = append(o[e.ends[1]], spoke{e.ends[0], e.latency})
	}
	return o
}

// from returns the latency of the shortest path from a node to each other, or
// less than 0 where there is none (Dijkstra).
func (o oracle) from(source int) []time.Duration {
	found := make([]time.Duration, len(o))
	for v := range found {
		found[v] = -1
	}
	front := &frontier{{node: int32(source)}}
	for front.Len() > 0 {
		here := heap.Pop(front).(reached)
		if found[here.node] >= 0 {
			continue
		}
		found[here.node] = here.distance
		for _, to := range o[here.node] {
			if found[to.to] < 0 {
				heap.Push(front, reached{node: to.to, distance: here.distance + time.Duration(to.ns)})
			}
		}
	}
	return found
}

// checkNetwork compares all that a network says of its places with the graph.
func checkNetwork(t *rapid.T, n *Network) {
	nearest := time.Duration(math.MaxInt64)
	oracle := newOracle(n.graph)
	for i := range n.Len() {
		want := oracle.from(n.Node(i))
		for j := range n.Len() {
			got := n.OneWay(i, j)
			if got != want[n.Node(j)] {
				t.Fatalf("OneWay(%d, %d) = %v, want %v", i, j, got, want[n.Node(j)])
			}
			if n.Domain(i) != n.Domain(j) {
				nearest = min(nearest, got)
			}
			checkPath(t, n, i, j)
		}
		if d := n.Domain(i); d < 0 || d >= n.Domains() {
			t.Fatalf("Domain(%d) = %d of %d", i, d, n.Domains())
		}
	}
	if nearest == math.MaxInt64 {
		nearest = 0
	}
	if n.LookAhead() != nearest {
		t.Fatalf("LookAhead() = %v, want %v", n.LookAhead(), nearest)
	}
}

// A failer is a test of either kind.
type failer interface {
	Fatalf(format string, args ...any)
}

// checkPath checks that the path from place i to place j begins and ends there,
// that each link begins where the last one ended, that it takes as long as OneWay
// says, and that the way back is the same.
func checkPath(t failer, n *Network, i, j int) {
	at, sum := n.Node(i), time.Duration(0)
	var there, back []int
	n.VisitPath(i, j, func(link int) {
		from, to := n.LinkEnds(link)
		if from != at || n.LinkLatency(link) <= 0 || link < 0 || link >= n.Links() {
			t.Fatalf("path from %d to %d goes on from node %d to %d by way of link %d from %d", i, j, at, to, link, from)
		}
		at = to
		sum += n.LinkLatency(link)
		there = append(there, link)
	})
	if at != n.Node(j) || sum != n.OneWay(i, j) {
		t.Fatalf("path from %d to %d ends at node %d after %v, want node %d after %v",
			i, j, at, sum, n.Node(j), n.OneWay(i, j))
	}
	n.VisitPath(j, i, func(link int) { back = append(back, link^1) })
	for k := range there {
		if len(back) != len(there) || back[len(back)-1-k] != there[k] {
			t.Fatalf("path from %d to %d is %v, but the reverse of the way back %v", i, j, there, back)
		}
	}
}

// drawNetwork draws a small network of either kind.
func drawNetwork(t *rapid.T) *Network {
	seed := rapid.Uint64().Draw(t, "seed")
	if rapid.Bool().Draw(t, "power law") {
		nodes := rapid.IntRange(2, 60).Draw(t, "nodes")
		n, err := PowerLaw(seed, PowerLawShape{
			Nodes: nodes, Edges: rapid.IntRange(1, min(nodes-1, 5)).Draw(t, "edges"),
			Latency: rapid.SampledFrom([]Range{{}, {1, 3}, {time.Second, time.Second}}).Draw(t, "latency"),
		})
		if err != nil {
			t.Skipf("no such network: %v", err)
		}
		return n
	}
	shape := drawShape(t)
	p, err := plan(seed, shape, rapid.SampledFrom([]Reading{Literal, Amended}).Draw(t, "reading"))
	if err != nil {
		t.Skipf("no such network: %v", err)
	}
	// With latencies out of any range, the way through another domain is often
	// the shorter one, and many are equally short.
	if most := rapid.SampledFrom([]int{0, 3, 1000}).Draw(t, "most"); most > 0 {
		random := prng.New(seed, 9)
		for i := range p.g.edges {
			p.g.edges[i].latency = uint32(1 + random.IntN(most))
		}
	}
	n, err := assemble(p.g, shape.transits(), p.stubs)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// drawShape draws a shape of few nodes, often with extra edges.
func drawShape(t *rapid.T) Shape {
	s := Shape{TopEdge: 0.5, TransitEdge: 0.6, StubEdge: rapid.SampledFrom([]float64{0.4, 0.6, 1}).Draw(t, "stub edge")}
	s.sizes(rapid.IntRange(1, 3).Draw(t, "transit domains"), rapid.IntRange(1, 3).Draw(t, "transit nodes"),
		rapid.IntRange(1, 3).Draw(t, "stubs"), rapid.IntRange(1, 5).Draw(t, "stub nodes"))
	s.ExtraTransitStub = rapid.IntRange(0, min(60, (s.transits()-1)*s.Places()/2)).Draw(t, "extra transit-stub")
	if stubs := s.transits() * s.Stubs; stubs > 1 {
		s.ExtraStubStub = rapid.IntRange(0, min(60, s.Places()*(stubs-1)/4)).Draw(t, "extra stub-stub")
	}
	return s
}

func TestAgainstDijkstra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkNetwork(t, drawNetwork(t)) })
}

// A sub-network is its places in the whole network, and says how near they are.
func TestSub(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNetwork(t)
		places, err := n.Places(rapid.Uint64().Draw(t, "places"), rapid.IntRange(1, n.Len()).Draw(t, "k"))
		if err != nil {
			t.Fatal(err)
		}
		sub, err := n.Sub(places)
		if err != nil {
			t.Fatal(err)
		}
		checkNetwork(t, sub)
		for a, i := range places {
			if sub.Node(a) != n.Node(i) || sub.Domain(a) != n.Domain(i) {
				t.Fatalf("place %d of the sub-network is node %d, domain %d, want place %d, which is node %d, domain %d",
					a, sub.Node(a), sub.Domain(a), i, n.Node(i), n.Domain(i))
			}
		}
	})
}

// The named networks are too large for all pairs; these are all places seen from
// some of them.
func TestNamedAgainstDijkstra(t *testing.T) {
	rows := 20
	if testing.Short() {
		rows = 3
	}
	random := prng.New(1, 0)
	for name, n := range namedNetworks(t) {
		oracle := newOracle(n.graph)
		for range rows {
			i := random.IntN(n.Len())
			want := oracle.from(n.Node(i))
			for j := range n.Len() {
				if got := n.OneWay(i, j); got != want[n.Node(j)] {
					t.Fatalf("%s: OneWay(%d, %d) = %v, want %v", name, i, j, got, want[n.Node(j)])
				}
			}
			for range 100 {
				checkPath(t, n, i, random.IntN(n.Len()))
			}
		}
		if name != "extra" {
			continue // all pairs of one network are enough
		}
		if least := nearestPair(n); n.LookAhead() != least {
			t.Errorf("%s: LookAhead() = %v, want %v", name, n.LookAhead(), least)
		}
	}
}

// nearestPair returns the least distance between places of different domains, by
// asking for all pairs.
func nearestPair(n *Network) time.Duration {
	least := time.Duration(math.MaxInt64)
	for i := range n.Len() {
		for j := range i {
			if n.Domain(i) != n.Domain(j) {
				least = min(least, n.OneWay(i, j))
			}
		}
	}
	return least
}

// namedNetworks returns the instances in both readings, one with extra edges, and
// the power-law network that is the default.
func namedNetworks(t *testing.T) map[string]*Network {
	t.Helper()
	networks := make(map[string]*Network)
	keep := func(name string, n *Network, err error) {
		if err != nil {
			t.Fatal(err)
		}
		networks[name] = n
	}
	for _, name := range []string{"A", "B", "C", "D"} {
		for _, reading := range []Reading{Literal, Amended} {
			n, err := TransitStub(1, instance(t, name), reading)
			keep(name+reading.String(), n, err)
		}
	}
	shape := instance(t, "A")
	shape.ExtraTransitStub, shape.ExtraStubStub = 100, 100
	n, err := TransitStub(1, shape, Literal)
	keep("extra", n, err)
	if !testing.Short() {
		n, err = PowerLaw(1, PowerLawShape{})
		keep("power law", n, err)
	}
	return networks
}

// instance returns a shape by its name.
func instance(t *testing.T, name string) Shape {
	t.Helper()
	shape, err := Instance(name)
	if err != nil {
		t.Fatal(err)
	}
	return shape
}

// Places are distinct, in range, the same for the same seed, and each place comes
// first equally often.
func TestPlaces(t *testing.T) {
	n, err := PowerLaw(1, PowerLawShape{Nodes: 10})
	if err != nil {
		t.Fatal(err)
	}
	first := make([]int, 10)
	for seed := range uint64(10_000) {
		places, err := n.Places(seed, 4)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := n.Places(seed, 4)
		if _, err := n.Sub(places); err != nil || len(places) != 4 || !slices.Equal(places, again) {
			t.Fatalf("Places(%d, 4) = %v, then %v (%v)", seed, places, again, err)
		}
		first[places[0]]++
	}
	for i, count := range first {
		if math.Abs(float64(count)-1000) > 5*math.Sqrt(900) {
			t.Errorf("place %d is first in %d of 10000 choices, want about 1000", i, count)
		}
	}
}

func TestNetworkErrors(t *testing.T) {
	n, err := PowerLaw(1, PowerLawShape{Nodes: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []int{-1, 0, 4} {
		want := fmt.Sprintf("topology: choose %d places: want 1 to 3, which the network has", k)
		if _, err := n.Places(1, k); err == nil || err.Error() != want {
			t.Errorf("Places(1, %d): error %v, want %q", k, err, want)
		}
	}
	for _, places := range [][]int{{0, 3}, {-1}, {1, 2, 1}} {
		_, err := n.Sub(places)
		if err == nil || !strings.Contains(err.Error(), "want distinct places from 0 to 2") {
			t.Errorf("Sub(%v): error %v", places, err)
		}
	}
	if empty, err := n.Sub(nil); err != nil || empty.Len() != 0 || empty.LookAhead() != 0 {
		t.Errorf("Sub(nil) = %v, %v, want no places", empty, err)
	}
}

// A simulator asks for every datagram.
func TestQueriesDoNotAllocate(t *testing.T) {
	shape := instance(t, "A")
	shape.ExtraTransitStub, shape.ExtraStubStub = 50, 50
	n, err := TransitStub(1, shape, Literal)
	if err != nil {
		t.Fatal(err)
	}
	random := prng.New(1, 0)
	var sum time.Duration
	visit := func(link int) { sum += n.LinkLatency(link) }
	if allocs := testing.AllocsPerRun(1000, func() {
		i, j := random.IntN(n.Len()), random.IntN(n.Len())
		sum += n.OneWay(i, j)
		n.VisitPath(i, j, visit)
	}); allocs != 0 {
		t.Errorf("%v allocations per pair, want 0", allocs)
	}
}

// The statistics of a triangle with a short cut, by hand: 0-1 1 ms, 1-2 2 ms, 0-2
// 9 ms, of which the last is no shortest path.
func TestNetworkStats(t *testing.T) {
	g := &graph{nodes: 3}
	g.add(0, 1, 1e6)
	g.add(1, 2, 2e6)
	g.add(0, 2, 9e6)
	n, err := assemble(g, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := NetworkStats{
		Places: 3, Domains: 3, Nodes: 3, Links: 6, MeanDegree: 2,
		MaxOneWay: 3 * time.Millisecond, LookAhead: time.Millisecond,
		MedianOneWay: 2 * time.Millisecond, MeanHops: 4.0 / 3,
	}
	if got := n.Stats(); got != want {
		t.Errorf("Stats() = %+v, want %+v", got, want)
	}
	const line = "3 nodes, 6 links, mean degree 2.00, 3 places in 3 domains, " +
		"one way median 2ms, max 3ms, between domains at least 1ms, 1.3 links on average"
	if got := want.String(); got != line {
		t.Errorf("String() = %q, want %q", got, line)
	}
}

// The estimate for large networks agrees with the count.
func TestSampledStats(t *testing.T) {
	n, err := PowerLaw(1, PowerLawShape{Nodes: 600})
	if err != nil {
		t.Fatal(err)
	}
	var all []time.Duration
	hops := 0
	for i := range n.Len() {
		for j := range i {
			all = append(all, n.OneWay(i, j))
			n.VisitPath(i, j, func(int) { hops++ })
		}
	}
	slices.Sort(all)
	s, median := n.Stats(), all[len(all)/2]
	if s.MaxOneWay != all[len(all)-1] || (s.MedianOneWay-median).Abs() > median/50 ||
		math.Abs(s.MeanHops-float64(hops)/float64(len(all))) > 0.05 {
		t.Errorf("%v, counted %d links on %d paths, median %v, max %v", s, hops, len(all), median, all[len(all)-1])
	}
}

// A sample is of pairs of two places, and every place is in one.
func TestSamplePairs(t *testing.T) {
	for _, nodes := range []int{2, 512, 513, 700} {
		n, err := PowerLaw(1, PowerLawShape{Nodes: nodes})
		if err != nil {
			t.Fatal(err)
		}
		seen := make([]bool, 2*nodes)
		pairs := 0
		n.samplePairs(func(i, j int) {
			if i == j {
				t.Fatalf("of %d nodes, %d is paired with itself", nodes, i)
			}
			pairs++
			seen[i], seen[nodes+j] = true, true
		})
		if all := nodes * (nodes - 1) / 2; nodes <= 512 && pairs != all || nodes > 512 && slices.Contains(seen, false) {
			t.Errorf("of %d nodes, %d of %d pairs are taken, and not each place first and second", nodes, pairs, all)
		}
	}
}

// A path that does not fit into the tables is refused, not cut short.
func TestTooLong(t *testing.T) {
	for _, stubs := range [][]span{nil, {{1, 3}}} {
		for last, fits := range map[uint32]bool{far - 2e9 - 1: true, far - 2e9: false} {
			g := &graph{nodes: 4}
			g.add(0, 1, 1e9)
			g.add(1, 2, 1e9)
			g.add(2, 3, last)
			n, err := assemble(g, 4-3*len(stubs), stubs)
			switch {
			case !fits:
				if err == nil || !strings.Contains(err.Error(), "a shortest path takes 2.147s or more") {
					t.Errorf("last edge %d ns: error %v", last, err)
				}
			case err != nil:
				t.Error(err)
			case stubs == nil && n.OneWay(0, 3) != far-1:
				t.Errorf("OneWay(0, 3) = %v, want %v", n.OneWay(0, 3), time.Duration(far-1))
			}
		}
	}
}

// What a simulator takes is what a matrix and a network have in common.
var _, _ interface {
	Len() int
	OneWay(i, j int) time.Duration
	Domain(i int) int
	Domains() int
	LookAhead() time.Duration
} = (*Matrix)(nil), (*Network)(nil)

func TestMatrixDomains(t *testing.T) {
	m, err := Read("rtt", strings.NewReader("0 4 100\n20 0 30\n-1 10 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m.LookAhead() != 2*time.Millisecond || m.Domains() != 3 || m.Domain(2) != 2 {
		t.Errorf("LookAhead() = %v, Domains() = %d, Domain(2) = %d, want 2ms, 3, 2",
			m.LookAhead(), m.Domains(), m.Domain(2))
	}
	if m, err = Read("rtt", strings.NewReader("0 -1\n-1 0\n")); err != nil || m.LookAhead() != 0 {
		t.Errorf("nothing measured: LookAhead() = %v, %v, want 0", m.LookAhead(), err)
	}
}
