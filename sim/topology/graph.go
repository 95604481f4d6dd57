package topology

import "cmp"

// A graph is what is between the hosts: nodes and the edges that join them. An
// edge has two directions, each of which is a link: edge e is the links 2e, from
// its first end to its second, and 2e+1.
type graph struct {
	nodes int
	edges []edge
	first []int32 // of each node the first of its arcs, and one more at the end
	arcs  []arc   // in ascending order of links
}

// An edge joins two different nodes.
type edge struct {
	ends    [2]int32
	latency uint32 // in nanoseconds, from 1 to far-1
}

// An arc is a link as seen from the node where it begins.
type arc struct{ to, link int32 }

// add joins two nodes. Once all edges are there, index makes the arcs.
func (g *graph) add(a, b int, latency uint32) {
	g.edges = append(g.edges, edge{[2]int32{int32(a), int32(b)}, latency})
}

func (g *graph) index() {
	g.first = make([]int32, g.nodes+1)
	for _, e := range g.edges {
		g.first[e.ends[0]+1]++
		g.first[e.ends[1]+1]++
	}
	for v := range g.nodes {
		g.first[v+1] += g.first[v]
	}
	g.arcs = make([]arc, 2*len(g.edges))
	next := append([]int32(nil), g.first...)
	for i, e := range g.edges {
		for side, v := range e.ends {
			g.arcs[next[v]] = arc{to: e.ends[1-side], link: int32(2*i + side)}
			next[v]++
		}
	}
}

// from returns the links that begin at node v.
func (g *graph) from(v int32) []arc { return g.arcs[g.first[v]:g.first[v+1]] }

// latency returns that of a link, in nanoseconds.
func (g *graph) latency(link int32) uint32 { return g.edges[link>>1].latency }

// compare orders nodes by degree and, where that is the same, by number.
func (g *graph) compare(a, b int32) int {
	return cmp.Or(cmp.Compare(len(g.from(a)), len(g.from(b))), cmp.Compare(a, b))
}
