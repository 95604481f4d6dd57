package topology

import (
	"container/heap"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// dijkstra returns the latency of the shortest path from a node to each other,
// or less than 0 where there is none. It is the oracle: one search of the whole
// graph, which knows nothing of domains, hubs and tables.
func dijkstra(g *graph, source int32) []time.Duration {
	found := make([]time.Duration, g.nodes)
	for v := range found {
		found[v] = -1
	}
	front := &frontier{{node: source}}
	for front.Len() > 0 {
		here := heap.Pop(front).(reached)
		if found[here.node] >= 0 {
			continue
		}
		found[here.node] = here.distance
		for _, e := range g.edges {
			for side, v := range e.ends {
				if to := e.ends[1-side]; v == here.node && found[to] < 0 {
					heap.Push(front, reached{node: to, distance: here.distance + time.Duration(e.latency)})
				}
			}
		}
	}
	return found
}

// checkNetwork compares all that a network says of its places with the graph.
func checkNetwork(t *rapid.T, n *Network) {
	nearest := time.Duration(math.MaxInt64)
	for i := range n.Len() {
		want := dijkstra(n.graph, int32(n.Node(i)))
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
	n, err := TransitStub(seed, drawShape(t), rapid.SampledFrom([]Reading{Literal, Amended}).Draw(t, "reading"))
	if err != nil {
		t.Skipf("no such network: %v", err)
	}
	return n
}

// drawShape draws a shape of few nodes, often with extra edges.
func drawShape(t *rapid.T) Shape {
	s := Shape{TopEdge: 0.5, TransitEdge: 0.6, StubEdge: rapid.SampledFrom([]float64{0.4, 0.6, 1}).Draw(t, "stub edge")}
	s.sizes(rapid.IntRange(1, 3).Draw(t, "transit domains"), rapid.IntRange(1, 3).Draw(t, "transit nodes"),
		rapid.IntRange(1, 3).Draw(t, "stubs"), rapid.IntRange(1, 5).Draw(t, "stub nodes"))
	s.ExtraTransitStub = rapid.IntRange(0, min(6, (s.transits()-1)*s.Places()/2)).Draw(t, "extra transit-stub")
	if stubs := s.transits() * s.Stubs; stubs > 1 {
		s.ExtraStubStub = rapid.IntRange(0, min(6, s.Places()*(stubs-1)/4)).Draw(t, "extra stub-stub")
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
