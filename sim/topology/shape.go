package topology

import (
	"fmt"
	"math"
	"time"

	"i3bench/internal/prng"
)

// A Range is a range of latencies, both ends included.
type Range struct {
	Least, Most time.Duration
}

// draw returns a latency of the range, uniform over its nanoseconds.
func (r Range) draw(random *prng.Source) uint32 {
	return uint32(random.Between(int64(r.Least), int64(r.Most)+1))
}

// check returns what is wrong with the range.
func (r Range) check() error {
	if r.Least < 1 || r.Most < r.Least || r.Most > time.Second {
		return fmt.Errorf("%v to %v: want a range within 1ns to 1s", r.Least, r.Most)
	}
	return nil
}

// A Reading says which latencies the edges of a transit-stub network have. The
// paper gives "between 1 and 3 ms for intra-transit domain links, between 5 and
// 10 ms for transit-stub links, and between 20 and 50 ms for inter-transit
// links", which leaves out those inside a stub domain.
type Reading int

const (
	// Literal, "L", takes the sentence as it stands, and 1 to 3 ms inside a stub
	// domain, too. It is the default.
	Literal Reading = iota
	// Amended, "M", supposes that "intra-transit" is a slip for "intra-stub", and
	// that inter-transit links are those between any two transit nodes, of the
	// same domain or not: 20 to 50 ms.
	Amended
)

// String returns the letter of the reading.
func (r Reading) String() string {
	switch r {
	case Literal:
		return "L"
	case Amended:
		return "M"
	}
	return fmt.Sprintf("Reading(%d)", int(r))
}

// ParseReading returns the reading of a letter, L or M.
func ParseReading(letter string) (Reading, error) {
	for _, r := range []Reading{Literal, Amended} {
		if letter == r.String() {
			return r, nil
		}
	}
	return 0, fmt.Errorf("topology: reading %.20q: want L or M", letter)
}

// A class is what an edge of a transit-stub network joins.
type class int

const (
	intraStub class = iota
	interStub
	transitStub
	intraTransit
	interTransit
)

// latency returns the range for a class of edges. About edges between two stub
// domains the paper, which has none, says nothing: they are like those between a
// stub and a transit domain.
func (r Reading) latency(c class) Range {
	const ms = time.Millisecond
	near, middle, wide := Range{1 * ms, 3 * ms}, Range{5 * ms, 10 * ms}, Range{20 * ms, 50 * ms}
	switch {
	case c == intraStub, c == intraTransit && r == Literal:
		return near
	case c == transitStub, c == interStub:
		return middle
	}
	return wide
}

// A Shape describes a transit-stub network, in the terms of GT-ITM. Numbers of
// nodes are means of what varies at random; their total does not vary.
type Shape struct {
	// TransitDomains is the number of transit domains, at least 1.
	TransitDomains int
	// TransitNodes is the mean number of nodes of a transit domain, at least 1.
	TransitNodes int
	// Stubs is the mean number of stub domains at a transit node, at least 1.
	Stubs int
	// StubNodes is the mean number of nodes of a stub domain, at least 1.
	StubNodes int

	// TopEdge is the probability of an edge between two transit domains.
	TopEdge float64
	// TransitEdge is the probability of an edge between two nodes of the same
	// transit domain.
	TransitEdge float64
	// StubEdge is the probability of an edge between two nodes of the same stub
	// domain.
	StubEdge float64

	// ExtraTransitStub is the number of edges between a transit node and a stub
	// node of another's domain, beyond those that each stub domain has.
	ExtraTransitStub int
	// ExtraStubStub is the number of edges between nodes of different stub
	// domains.
	ExtraStubStub int
}

// Instance returns one of four shapes of about 10,000 nodes by its name. The
// paper says no more than that number.
//
//	A  10 transit domains of 10 nodes with 9 stubs each, of 11 nodes: 10,000
//	B  10 transit domains of 5 nodes with 10 stubs each, of 20 nodes: 10,050
//	C  8 transit domains of 4 nodes with 3 stubs each, of 104 nodes: 10,016
//	D  4 transit domains of 25 nodes with 9 stubs each, of 11 nodes: 10,000
//
// A is the one to take where there is no reason for another. B has the
// proportions of the networks on which application-level multicast was usually
// simulated then, C few large stubs and D few large transit domains.
func Instance(name string) (Shape, error) {
	shape := Shape{TopEdge: 0.5, TransitEdge: 0.6, StubEdge: 0.42}
	switch name {
	case "A":
		shape.sizes(10, 10, 9, 11)
	case "B":
		shape.sizes(10, 5, 10, 20)
	case "C":
		shape.sizes(8, 4, 3, 104)
		shape.TopEdge, shape.StubEdge = 0.6, 0.06
	case "D":
		shape.sizes(4, 25, 9, 11)
		shape.TopEdge, shape.TransitEdge = 1, 0.3
	default:
		return Shape{}, fmt.Errorf("topology: instance %.20q: want A, B, C or D", name)
	}
	return shape, nil
}

// sizes sets the four numbers of a shape.
func (s *Shape) sizes(transitDomains, transitNodes, stubs, stubNodes int) {
	s.TransitDomains, s.TransitNodes, s.Stubs, s.StubNodes = transitDomains, transitNodes, stubs, stubNodes
}

// Nodes returns the number of nodes, transit and stub.
func (s Shape) Nodes() int { return s.transits() + s.Places() }

// Places returns the number of stub nodes.
func (s Shape) Places() int { return s.transits() * s.Stubs * s.StubNodes }

// transits returns the number of transit nodes.
func (s Shape) transits() int { return s.TransitDomains * s.TransitNodes }

// Bounds of a shape, which keep the time to find its paths within seconds: it
// grows with the cube of either.
const (
	maxTransits  = 1024
	maxStubNodes = 1024
)

// check returns what is wrong with a shape.
func (s Shape) check() error {
	for _, field := range []struct {
		name        string
		value, most int
	}{
		{"transit domains", s.TransitDomains, maxTransits},
		{"nodes per transit domain", s.TransitNodes, maxTransits},
		{"transit nodes in all", s.transits(), maxTransits},
		{"stub domains per transit node", s.Stubs, MaxNodes},
		{"nodes per stub domain", s.StubNodes, maxStubNodes},
	} {
		if field.value < 1 || field.value > field.most {
			return fmt.Errorf("topology: transit-stub: %d %s: want 1 to %d", field.value, field.name, field.most)
		}
	}
	if s.Nodes() > MaxNodes {
		return fmt.Errorf("topology: transit-stub: %d nodes in all: want at most %d", s.Nodes(), MaxNodes)
	}
	for _, field := range []struct {
		name string
		p    float64
	}{
		{"transit domains", s.TopEdge},
		{"nodes of a transit domain", s.TransitEdge},
		{"nodes of a stub domain", s.StubEdge},
	} {
		if math.IsNaN(field.p) || field.p < 0 || field.p > 1 {
			return fmt.Errorf("topology: transit-stub: probability %v of an edge between two %s: want 0 to 1",
				field.p, field.name)
		}
	}
	return s.checkExtra()
}

// checkExtra returns what is wrong with the numbers of extra edges. They are
// drawn until there are so many different ones, and with at most half of all
// pairs taken that does not take long.
func (s Shape) checkExtra() error {
	places, stubs := s.Places(), s.transits()*s.Stubs
	// The largest domain bounds the pairs inside domains.
	largest := places - (stubs - 1)
	for _, field := range []struct {
		name        string
		value, most int
	}{
		{"transit-stub", s.ExtraTransitStub, (s.transits() - 1) * places / 2},
		{"stub-stub", s.ExtraStubStub, max(0, places*(places-largest)/4)},
	} {
		if field.value < 0 || field.value > field.most {
			return fmt.Errorf("topology: transit-stub: %d extra %s edges: want 0 to %d", field.value, field.name, field.most)
		}
	}
	return nil
}
