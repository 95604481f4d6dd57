package topology

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// checkPlan checks the structure of a transit-stub graph edge by edge.
func checkPlan(t failer, p *planner) {
	s, domains := p.shape, p.domains()
	sizes := 0
	for _, stub := range p.stubs {
		sizes += stub.size
	}
	if len(p.stubs) != s.transits()*s.Stubs || sizes != s.Places() || p.g.nodes != s.transits()+sizes {
		t.Fatalf("%d stub domains of %d nodes, %d nodes in all, want %d, %d and %d",
			len(p.stubs), sizes, p.g.nodes, s.transits()*s.Stubs, s.Places(), s.Nodes())
	}
	transit := make([]int, s.transits()) // transit domain of each transit node
	for i, d := range p.transits {
		for v := range d.size {
			transit[d.first+v] = i
		}
	}
	all, inside := newParts(p.g.nodes), newParts(p.g.nodes)
	counts := make(map[class]int)
	homes := make([]int, len(p.stubs)) // edges of each stub domain to its transit node
	top := make(map[[2]int]int)
	for i, e := range p.g.edges {
		a, b := int(min(e.ends[0], e.ends[1])), int(max(e.ends[0], e.ends[1]))
		c := classOf(a, b, s.transits(), domains, transit)
		if r, got := p.reading.latency(c), time.Duration(e.latency); got < r.Least || got > r.Most {
			t.Fatalf("edge %d of class %d takes %v, want %v to %v", i, c, got, r.Least, r.Most)
		}
		counts[c]++
		all.join(a, b)
		switch {
		case c == transitStub && p.owner[domains[b]] == a:
			homes[domains[b]]++
		case c == interTransit:
			top[[2]int{transit[a], transit[b]}]++
		case c == intraStub || c == intraTransit:
			inside.join(a, b)
		}
	}
	if all.count != 1 || inside.count != len(p.transits)+len(p.stubs) {
		t.Fatalf("%d parts, and %d by edges inside domains, want 1 and %d",
			all.count, inside.count, len(p.transits)+len(p.stubs))
	}
	if counts[transitStub] != len(p.stubs)+s.ExtraTransitStub || counts[interStub] != s.ExtraStubStub {
		t.Fatalf("%d transit-stub and %d stub-stub edges, want %d and %d",
			counts[transitStub], counts[interStub], len(p.stubs)+s.ExtraTransitStub, s.ExtraStubStub)
	}
	for i, edges := range homes {
		if edges != 1 {
			t.Fatalf("%d edges from stub domain %d to its transit node, want 1", edges, i)
		}
	}
	for pair, edges := range top {
		if edges != 1 {
			t.Fatalf("%d edges between transit domains %v, want 1", edges, pair)
		}
	}
	checkSimple(t, p.g)
}

// classOf returns what an edge joins, from where its ends lie.
func classOf(a, b, transits int, domains, transit []int) class {
	switch {
	case a < transits && b < transits && transit[a] == transit[b]:
		return intraTransit
	case a < transits && b < transits:
		return interTransit
	case a < transits:
		return transitStub
	case domains[a] == domains[b]:
		return intraStub
	}
	return interStub
}

// checkSimple checks that no edge joins a node with itself or doubles another.
func checkSimple(t failer, g *graph) {
	seen := make(map[[2]int32]bool)
	for _, e := range g.edges {
		pair := [2]int32{min(e.ends[0], e.ends[1]), max(e.ends[0], e.ends[1])}
		if pair[0] == pair[1] || seen[pair] {
			t.Fatalf("edge %v is a loop or a double", pair)
		}
		seen[pair] = true
	}
}

func TestPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := drawShape(t)
		reading := rapid.SampledFrom([]Reading{Literal, Amended}).Draw(t, "reading")
		p, err := plan(rapid.Uint64().Draw(t, "seed"), shape, reading)
		if err != nil {
			t.Skipf("no such network: %v", err)
		}
		checkPlan(t, p)
	})
}

func TestInstances(t *testing.T) {
	for name, want := range map[string]int{"A": 10_000, "B": 10_050, "C": 10_016, "D": 10_000} {
		shape := instance(t, name)
		for seed := range uint64(5) {
			p, err := plan(seed, shape, Literal)
			if err != nil {
				t.Fatal(err)
			}
			if p.g.nodes != want {
				t.Errorf("%s: %d nodes, want %d", name, p.g.nodes, want)
			}
			checkPlan(t, p)
			checkSpread(t, name, p)
		}
	}
}

// checkSpread checks that sizes vary as they should, that random edges are as
// many as their probability says, and that latencies fill their ranges.
func checkSpread(t *testing.T, name string, p *planner) {
	t.Helper()
	pairs, edges, different := 0.0, 0.0, make(map[int]bool)
	for _, stub := range p.stubs {
		pairs += float64(stub.size*(stub.size-1)) / 2
		different[stub.size] = true
	}
	least, most := time.Duration(math.MaxInt64), time.Duration(0)
	domains := p.domains()
	for _, e := range p.g.edges {
		if d := domains[e.ends[0]]; d >= 0 && d == domains[e.ends[1]] {
			edges++
			least, most = min(least, time.Duration(e.latency)), max(most, time.Duration(e.latency))
		}
	}
	// Drawing until connected prefers graphs with more edges.
	if ratio := edges / pairs / p.shape.StubEdge; ratio < 0.99 || ratio > 1.1 || len(different) < 5 {
		t.Errorf("%s: %.0f of %.0f edges inside stub domains, %d sizes of these", name, edges, pairs, len(different))
	}
	if least > 1010*time.Microsecond || most < 2990*time.Microsecond {
		t.Errorf("%s: latencies inside stub domains are %v to %v, want about 1 to 3 ms", name, least, most)
	}
}

// Sizes keep their sum, are at least 1, and differ.
func TestVary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := plan(rapid.Uint64().Draw(t, "seed"), Shape{1, 1, 1, 1, 0, 0, 0, 0, 0}, Literal)
		if err != nil {
			t.Fatal(err)
		}
		n, mean := rapid.IntRange(1, 50).Draw(t, "n"), rapid.IntRange(1, 20).Draw(t, "mean")
		sizes := p.vary(n, mean, 3*n)
		sum := 0
		for _, size := range sizes {
			sum += size
		}
		if len(sizes) != n || sum != n*mean || slices.Min(sizes) < 1 {
			t.Fatalf("vary(%d, %d) = %v", n, mean, sizes)
		}
		if n >= 20 && mean > 1 && slices.Min(sizes) == slices.Max(sizes) {
			t.Fatalf("vary(%d, %d) did not: %v", n, mean, sizes)
		}
	})
}

// Each number loses what it gives and gains what it is given, three times on
// average: a variance of 6, for the first ones and the last.
func TestVaryIsFair(t *testing.T) {
	p, err := plan(1, Shape{1, 1, 1, 1, 0, 0, 0, 0, 0}, Literal)
	if err != nil {
		t.Fatal(err)
	}
	sizes := p.vary(4000, 20, 12_000)
	for _, half := range [][]int{sizes[:2000], sizes[2000:]} {
		sum, squares := 0, 0
		for _, size := range half {
			sum += size - 20
			squares += (size - 20) * (size - 20)
		}
		if mean, variance := float64(sum)/2000, float64(squares)/2000; math.Abs(mean) > 0.3 || math.Abs(variance-6) > 1 {
			t.Errorf("deviations have mean %.2f and variance %.2f, want 0 and 6", mean, variance)
		}
	}
}

// The ranges are those of the paper's sentence, in milliseconds.
func TestReadings(t *testing.T) {
	for c, want := range map[class][2]Range{
		intraStub:    {{1, 3}, {1, 3}},
		transitStub:  {{5, 10}, {5, 10}},
		interStub:    {{5, 10}, {5, 10}},
		intraTransit: {{1, 3}, {20, 50}},
		interTransit: {{20, 50}, {20, 50}},
	} {
		for r, ms := range want {
			got := Reading(r).latency(c)
			if got.Least != ms.Least*time.Millisecond || got.Most != ms.Most*time.Millisecond {
				t.Errorf("reading %v, class %d: %v, want %d to %d ms", Reading(r), c, got, ms.Least, ms.Most)
			}
		}
	}
}

// fingerprint returns a hash of a network: its edges, their latencies, and the
// distances and paths from one place.
func fingerprint(n *Network) string {
	h := fnv.New64a()
	for _, e := range n.graph.edges {
		fmt.Fprintf(h, "%d %d %d\n", e.ends[0], e.ends[1], e.latency)
	}
	for j := range n.Len() {
		fmt.Fprintf(h, "%d %d", n.Domain(j), n.OneWay(n.Len()/2, j))
		n.VisitPath(n.Len()/2, j, func(link int) { fmt.Fprintf(h, " %d", link) })
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// These hashes pin the generator: a change of it changes every run on these
// networks.
func TestTransitStubPinned(t *testing.T) {
	for _, c := range []struct {
		instance string
		reading  Reading
		want     string
	}{
		{"A", Literal, "15895283cdfa2409"}, {"A", Amended, "72702440cd9d2a64"},
	} {
		n, err := TransitStub(1, instance(t, c.instance), c.reading)
		if err != nil {
			t.Fatal(err)
		}
		if got := fingerprint(n); got != c.want {
			t.Errorf("TransitStub(1, %s, %v) hashes to %s, want %s", c.instance, c.reading, got, c.want)
		}
	}
}

// The same seed gives the same network, another seed another; the other reading
// gives the same edges with other latencies.
func TestTransitStubDependsOn(t *testing.T) {
	shape := instance(t, "D")
	shape.ExtraTransitStub, shape.ExtraStubStub = 20, 20
	build := func(seed uint64, r Reading) *Network {
		n, err := TransitStub(seed, shape, r)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	literal, again, other, amended := build(1, Literal), build(1, Literal), build(2, Literal), build(1, Amended)
	if fingerprint(literal) != fingerprint(again) {
		t.Error("the same seed gives two networks")
	}
	same := 0
	for i := range min(len(literal.graph.edges), len(other.graph.edges)) {
		same += count(literal.graph.edges[i].latency == other.graph.edges[i].latency)
	}
	if same > 10 {
		t.Errorf("seeds 1 and 2 share %d latencies", same)
	}
	same = 0
	for i, e := range literal.graph.edges {
		if e.ends != amended.graph.edges[i].ends {
			t.Fatalf("edge %d joins %v in one reading and %v in the other", i, e.ends, amended.graph.edges[i].ends)
		}
		same += count(e.latency == amended.graph.edges[i].latency)
	}
	if share := float64(same) / float64(len(literal.graph.edges)); share < 0.9 || share == 1 {
		t.Errorf("%.3f of the latencies are the same in both readings, want all but those inside transit domains", share)
	}
}

func TestTransitStubErrors(t *testing.T) {
	for want, change := range map[string]func(*Shape){
		"0 transit domains: want 1 to 1024":                  func(s *Shape) { s.TransitDomains = 0 },
		"-1 nodes per transit domain: want 1 to 1024":        func(s *Shape) { s.TransitNodes = -1 },
		"1100 transit nodes in all: want 1 to 1024":          func(s *Shape) { s.TransitDomains = 110 },
		"0 stub domains per transit node: want 1 to 16384":   func(s *Shape) { s.Stubs = 0 },
		"1025 nodes per stub domain: want 1 to 1024":         func(s *Shape) { s.StubNodes = 1025 },
		"90100 nodes in all: want at most 16384":             func(s *Shape) { s.StubNodes = 100 },
		"probability 1.5 of an edge between two transit dom": func(s *Shape) { s.TopEdge = 1.5 },
		"probability NaN of an edge between two nodes of a ": func(s *Shape) { s.StubEdge = math.NaN() },
		"-1 extra transit-stub edges: want 0 to 490050":      func(s *Shape) { s.ExtraTransitStub = -1 },
		"9999999 extra stub-stub edges: want 0 to 2225025":   func(s *Shape) { s.ExtraStubStub = 9999999 },
		"10 transit domains with edge probability 0.001: no": func(s *Shape) { s.TopEdge = 0.001 },
		"nodes of a transit domain with edge probability 0:": func(s *Shape) { s.TransitEdge = 0 },
		"nodes of a stub domain with edge probability 0.01:": func(s *Shape) { s.StubEdge = 0.01 },
	} {
		shape := instance(t, "A")
		change(&shape)
		_, err := TransitStub(1, shape, Literal)
		if err == nil || !strings.HasPrefix(err.Error(), "topology: transit-stub: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", shape, err, want)
		}
	}
	if _, err := TransitStub(1, instance(t, "A"), 2); err == nil || !strings.Contains(err.Error(), "Reading(2): want") {
		t.Errorf("reading 2: error %v", err)
	}
	if _, err := Instance("E"); err == nil || !strings.Contains(err.Error(), `instance "E": want A, B, C or D`) {
		t.Errorf("instance E: error %v", err)
	}
	for _, r := range []Reading{Literal, Amended} {
		if got, err := ParseReading(r.String()); err != nil || got != r {
			t.Errorf("ParseReading(%q) = %v, %v", r, got, err)
		}
	}
	if _, err := ParseReading("l"); err == nil || !strings.Contains(err.Error(), `reading "l": want L or M`) {
		t.Errorf("reading l: error %v", err)
	}
}
