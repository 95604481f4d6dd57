package topology

import (
	"fmt"
	"time"

	"i3bench/internal/prng"
)

// A PowerLawShape describes a network whose degrees follow a power law. The zero
// value is the default.
type PowerLawShape struct {
	// Nodes is how many nodes there are, at most [MaxNodes]; 0 means 10,000.
	Nodes int
	// Edges is with how many nodes each new one is joined, at least 1 and fewer
	// than Nodes; 0 means 2, which makes the mean degree 4.
	Edges int
	// Latency is the range of the latency of an edge; zero means 1 to 50 ms,
	// which the three classes of the paper's transit-stub network span together.
	Latency Range
}

// orDefault returns the shape with the defaults filled in, or what is wrong.
func (s PowerLawShape) orDefault() (PowerLawShape, error) {
	if s.Nodes == 0 {
		s.Nodes = 10_000
	}
	if s.Edges == 0 {
		s.Edges = min(2, max(s.Nodes-1, 1))
	}
	if s.Latency == (Range{}) {
		s.Latency = Range{time.Millisecond, 50 * time.Millisecond}
	}
	if s.Nodes < 2 || s.Nodes > MaxNodes {
		return s, fmt.Errorf("topology: power law: %d nodes: want 2 to %d", s.Nodes, MaxNodes)
	}
	if s.Edges < 1 || s.Edges >= s.Nodes {
		return s, fmt.Errorf("topology: power law: %d edges for each of %d nodes: want 1 to %d",
			s.Edges, s.Nodes, s.Nodes-1)
	}
	if err := s.Latency.check(); err != nil {
		return s, fmt.Errorf("topology: power law: latency of an edge: %w", err)
	}
	return s, nil
}

// PowerLaw returns a network of nodes of which few have very many neighbours. The
// same seed and shape give the same network. Hosts may be attached to all nodes,
// and each node is a domain of its own.
//
// It grows by preferential attachment (Barabási and Albert, "Emergence of
// Scaling in Random Networks", Science 286, 1999): the first Edges+1 nodes are
// all joined with each other; each later one is joined with as many different
// earlier ones as Edges says, which are drawn with probability in proportion to
// their degree, a node drawn again not counting. The draw is that of an end of an
// existing edge (Batagelj and Brandes, "Efficient Generation of Large Random
// Networks", Physical Review E 71, 2005). Degrees then have a density of about
// k^-3.
//
// The paper says no more of its power-law networks than that results were
// similar; sizes and latencies are our choice.
func PowerLaw(seed uint64, shape PowerLawShape) (*Network, error) {
	shape, err := shape.orDefault()
	if err != nil {
		return nil, err
	}
	return assemble(shape.attach(seed), shape.Nodes, nil)
}

// attach returns the graph of a complete s.
func (s PowerLawShape) attach(seed uint64) *graph {
	g := &graph{nodes: s.Nodes}
	random, latencies := prng.New(seed, forStructure), prng.New(seed, forLatencies)
	join := func(a, b int) { g.add(a, b, s.Latency.draw(&latencies)) }
	for b := range s.Edges + 1 {
		for a := range b {
			join(a, b)
		}
	}
	taken := make([]int, g.nodes) // by which node a node was drawn last
	for b := s.Edges + 1; b < g.nodes; b++ {
		ends := uint64(2 * len(g.edges)) // b's own do not take part
		for range s.Edges {
			a := b
			for a == b || taken[a] == b {
				end := random.Uint64n(ends)
				a = int(g.edges[end/2].ends[end%2])
			}
			taken[a] = b
			join(a, b)
		}
	}
	return g
}
