package topology

import (
	"fmt"

	"i3bench/internal/prng"
)

// What a stream of random numbers is drawn for.
const (
	forStructure = iota
	forLatencies
	forPlaces
	forStats
)

// maxTries is how often a random graph is drawn until it is connected.
const maxTries = 100

// TransitStub returns a transit-stub network. The same seed, shape and reading
// give the same network, and both readings of the same seed and shape differ in
// latencies alone. Hosts may be attached to stub nodes, and each stub domain is a
// domain.
//
// It is made like those of GT-ITM (Zegura, Calvert and Bhattacharjee, "How to
// Model an Internetwork", INFOCOM 1996) with its method of pure random edges: a
// connected random graph of transit domains, each a connected random graph of
// transit nodes, each with stub domains that are connected random graphs, too. A
// stub domain is joined with its transit node by one edge from a random node,
// and two transit domains by one edge between random nodes. A random graph is
// drawn until it is connected, at most 100 times.
//
// Two things differ. Edges have no length and routes no policy: a latency is
// drawn for each edge, and routes are the shortest in latency. Without extra
// edges these leave a domain only where they must, as GT-ITM's do, except that
// two nodes of a transit domain may be nearer to each other through a second one.
// And an extra edge never doubles another.
func TransitStub(seed uint64, shape Shape, reading Reading) (*Network, error) {
	p, err := plan(seed, shape, reading)
	if err != nil {
		return nil, err
	}
	return assemble(p.g, shape.transits(), p.stubs)
}

// A planner makes the graph of a transit-stub network. Transit nodes come first,
// domain by domain, then stub nodes in the order of their transit nodes.
type planner struct {
	shape     Shape
	reading   Reading
	random    prng.Source // for everything but latencies
	latencies prng.Source
	g         *graph
	transits  []span // of each transit domain
	stubs     []span // of each stub domain
	owner     []int  // transit node of each stub domain
}

// plan makes the graph.
func plan(seed uint64, shape Shape, reading Reading) (*planner, error) {
	if err := shape.check(); err != nil {
		return nil, err
	}
	if reading != Literal && reading != Amended {
		return nil, fmt.Errorf("topology: transit-stub: %v: want Literal or Amended", reading)
	}
	p := &planner{
		shape: shape, reading: reading,
		random: prng.New(seed, forStructure), latencies: prng.New(seed, forLatencies),
		g: &graph{nodes: shape.Nodes()},
	}
	if err := p.planTransits(); err != nil {
		return nil, err
	}
	if err := p.planStubs(); err != nil {
		return nil, err
	}
	p.addTransitStub(shape.ExtraTransitStub)
	p.addStubStub(shape.ExtraStubStub)
	return p, nil
}

// A span is a domain: consecutive nodes.
type span struct{ first, size int }

// pick returns a random node of the span.
func (s span) pick(random *prng.Source) int { return s.first + random.IntN(s.size) }

// join adds an edge with a latency of its class.
func (p *planner) join(a, b int, c class) { p.g.add(a, b, p.reading.latency(c).draw(&p.latencies)) }

// vary returns n numbers of the given mean, at least 1 each: a number of times,
// one is taken from a random one (if it is more than 1) and given to another.
func (p *planner) vary(n, mean, times int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = mean
	}
	for range times {
		if from := p.random.IntN(n); sizes[from] > 1 {
			sizes[from]--
			sizes[p.random.IntN(n)]++
		}
	}
	return sizes
}

// connect returns the edges of a connected random graph of n nodes, in which each
// edge was drawn with the given probability.
func (p *planner) connect(n int, probability float64, what string) ([][2]int, error) {
	for range maxTries {
		var edges [][2]int
		parts := newParts(n)
		for a := range n {
			for b := a + 1; b < n; b++ {
				if p.random.Float64() < probability {
					edges = append(edges, [2]int{a, b})
					parts.join(a, b)
				}
			}
		}
		if parts.count == 1 {
			return edges, nil
		}
	}
	return nil, fmt.Errorf("topology: transit-stub: %d %s with edge probability %v: "+
		"not connected in %d draws, want a larger probability", n, what, probability, maxTries)
}

// planTransits adds the transit nodes and the edges among them.
func (p *planner) planTransits() error {
	top, err := p.connect(p.shape.TransitDomains, p.shape.TopEdge, "transit domains")
	if err != nil {
		return err
	}
	first := 0
	for _, size := range p.vary(p.shape.TransitDomains, p.shape.TransitNodes, 3*p.shape.TransitDomains) {
		edges, err := p.connect(size, p.shape.TransitEdge, "nodes of a transit domain")
		if err != nil {
			return err
		}
		for _, e := range edges {
			p.join(first+e[0], first+e[1], intraTransit)
		}
		p.transits = append(p.transits, span{first, size})
		first += size
	}
	for _, e := range top {
		p.join(p.transits[e[0]].pick(&p.random), p.transits[e[1]].pick(&p.random), interTransit)
	}
	return nil
}

// planStubs adds the stub domains, each with the edge to its transit node.
func (p *planner) planStubs() error {
	first := p.shape.transits()
	for _, domain := range p.transits {
		for i, stubs := range p.vary(domain.size, p.shape.Stubs, 3*domain.size) {
			for _, size := range p.vary(stubs, p.shape.StubNodes, 3*stubs) {
				stub := span{first, size}
				if err := p.planStub(domain.first+i, stub); err != nil {
					return err
				}
				first += size
			}
		}
	}
	return nil
}

// planStub adds one stub domain.
func (p *planner) planStub(transit int, stub span) error {
	edges, err := p.connect(stub.size, p.shape.StubEdge, "nodes of a stub domain")
	if err != nil {
		return err
	}
	for _, e := range edges {
		p.join(stub.first+e[0], stub.first+e[1], intraStub)
	}
	p.join(transit, stub.pick(&p.random), transitStub)
	p.stubs = append(p.stubs, stub)
	p.owner = append(p.owner, transit)
	return nil
}

// addTransitStub adds so many extra edges from a transit node to a stub node of
// another's.
func (p *planner) addTransitStub(count int) {
	domains := p.domains()
	p.addExtra(count, transitStub, func() (int, int, bool) {
		a := p.random.IntN(p.shape.transits())
		b := p.shape.transits() + p.random.IntN(p.shape.Places())
		return a, b, p.owner[domains[b]] != a
	})
}

// addStubStub adds so many extra edges between nodes of different stub domains.
func (p *planner) addStubStub(count int) {
	domains := p.domains()
	stubs := span{p.shape.transits(), p.shape.Places()}
	p.addExtra(count, interStub, func() (int, int, bool) {
		a, b := stubs.pick(&p.random), stubs.pick(&p.random)
		return min(a, b), max(a, b), domains[a] != domains[b]
	})
}

// addExtra adds so many different edges that draw returned with true.
func (p *planner) addExtra(count int, c class, draw func() (a, b int, ok bool)) {
	taken := make(map[[2]int]bool, count)
	for len(taken) < count {
		if a, b, ok := draw(); ok && !taken[[2]int{a, b}] {
			taken[[2]int{a, b}] = true
			p.join(a, b, c)
		}
	}
}

// domains returns the stub domain of each node, and -1 for transit nodes.
func (p *planner) domains() []int {
	domains := make([]int, p.g.nodes)
	for v := range domains {
		domains[v] = -1
	}
	for i, stub := range p.stubs {
		for v := stub.first; v < stub.first+stub.size; v++ {
			domains[v] = i
		}
	}
	return domains
}

// Parts are the connected parts of a graph that gains edges (union-find).
type parts struct {
	parent []int
	count  int
}

func newParts(n int) *parts {
	p := &parts{parent: make([]int, n), count: n}
	for i := range p.parent {
		p.parent[i] = i
	}
	return p
}

// find returns the node that stands for the part of a node.
func (p *parts) find(a int) int {
	for p.parent[a] != a {
		p.parent[a] = p.parent[p.parent[a]]
		a = p.parent[a]
	}
	return a
}

// join makes one part of the parts of two nodes.
func (p *parts) join(a, b int) {
	if a, b = p.find(a), p.find(b); a != b {
		p.parent[a] = b
		p.count--
	}
}
