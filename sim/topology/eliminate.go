package topology

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// This file computes all shortest paths of a sparse graph, much faster than one
// search from each node would: in three steps of what is known as contraction
// (Geisberger et al., "Contraction Hierarchies", WEA 2008) and sweeps (Delling
// et al., "PHAST", IPDPS 2011), without their heuristics.
//
//  1. Nodes of few neighbours are removed, one after the other. Every two
//     neighbours of a removed node get an edge as long as the way through it, so
//     that no distance among the others changes.
//  2. Few nodes are left, the core, with edges between most of them: Floyd. From
//     there the distances of all nodes to the core are found in reverse order of
//     removal.
//  3. From each node there is a shortest path that first goes to nodes removed
//     ever later, then perhaps through the core, then back to nodes removed ever
//     earlier. So one pass over all nodes in the order of removal and one in
//     reverse give all distances from one node.

// maxUp is the largest number of neighbours with which a node is removed. Its
// value decides how long it takes and nothing else.
const maxUp = 32

// A spoke is an edge as seen from one of its ends.
type spoke struct {
	to int32
	ns uint32
}

// A web is a graph whose edges change: of each node the spokes in ascending
// order, at most one to each other node.
type web [][]spoke

// find returns where the spoke from a to b is, or belongs.
func (w web) find(a, b int32) (int, bool) {
	return slices.BinarySearchFunc(w[a], b, func(s spoke, b int32) int { return cmp.Compare(s.to, b) })
}

// lower makes the edge between a and b at most that long.
func (w web) lower(a, b int32, ns uint32) {
	w.lowerOne(a, b, ns)
	w.lowerOne(b, a, ns)
}

func (w web) lowerOne(a, b int32, ns uint32) {
	i, found := w.find(a, b)
	if !found {
		w[a] = slices.Insert(w[a], i, spoke{b, ns})
	}
	w[a][i].ns = min(w[a][i].ns, ns)
}

// remove takes node v away. Its spokes stay, since they say how it was joined.
func (w web) remove(v int32) {
	for i, a := range w[v] {
		if at, found := w.find(a.to, v); found {
			w[a.to] = slices.Delete(w[a.to], at, at+1)
		}
		for _, b := range w[v][:i] {
			w.lower(a.to, b.to, min(a.ns+b.ns, far))
		}
	}
}

// eliminate removes nodes of at most limit neighbours, always one that has the
// fewest, and returns them in order.
func (w web) eliminate(limit int) []int32 {
	waiting := make([][]int32, limit+1) // by number of neighbours; some entries are outdated
	wait := func(v int32) int {
		degree := len(w[v])
		if degree <= limit {
			waiting[degree] = append(waiting[degree], v)
		}
		return degree
	}
	for v := range w {
		wait(int32(v))
	}
	var order []int32
	gone := make([]bool, len(w))
	for degree := 0; degree <= limit; {
		last := len(waiting[degree]) - 1
		if last < 0 {
			degree++
			continue
		}
		v := waiting[degree][last]
		waiting[degree] = waiting[degree][:last]
		if gone[v] || len(w[v]) != degree {
			continue
		}
		w.remove(v)
		gone[v] = true
		order = append(order, v)
		for _, s := range w[v] {
			degree = min(degree, wait(s.to))
		}
	}
	return order
}

// A sweeper finds all distances from any one node. It numbers the nodes by rank:
// first those removed, in that order, then the core.
type sweeper struct {
	rank    []int32 // of each node
	removed int
	first   []int32  // of each removed node the first of its spokes, and one more at the end
	spokes  []spoke  // of the removed nodes, to higher ranks
	core    int      // number of nodes of the core
	toCore  []uint32 // distances from each node to each of the core, by rank
}

// newSweeper removes nodes from w.
func newSweeper(w web, limit int) *sweeper {
	order := w.eliminate(limit)
	s := &sweeper{rank: make([]int32, len(w)), removed: len(order), core: len(w) - len(order)}
	for v := range s.rank {
		s.rank[v] = -1
	}
	for rank, v := range order {
		s.rank[v] = int32(rank)
	}
	for v, rank := range s.rank {
		if rank < 0 {
			s.rank[v] = int32(len(order))
			order = append(order, int32(v))
		}
	}
	for _, v := range order[:s.removed] {
		s.first = append(s.first, int32(len(s.spokes)))
		for _, to := range w[v] {
			s.spokes = append(s.spokes, spoke{s.rank[to.to], to.ns})
		}
	}
	s.first = append(s.first, int32(len(s.spokes)))
	s.reachCore(w, order[s.removed:])
	return s
}

// up returns the spokes of a removed node.
func (s *sweeper) up(rank int) []spoke { return s.spokes[s.first[rank]:s.first[rank+1]] }

// across returns the distances from a node to those of the core.
func (s *sweeper) across(rank int) []uint32 { return s.toCore[rank*s.core:][:s.core] }

// reachCore finds the distances to the core: of its own nodes first, then of
// those removed, the last first, each through the neighbours it had left.
func (s *sweeper) reachCore(w web, core []int32) {
	within := unjoined(s.core)
	for i, v := range core {
		for _, to := range w[v] {
			within.lower(int32(i), s.rank[to.to]-int32(s.removed), to.ns)
		}
	}
	within.close(s.core)
	s.toCore = make([]uint32, len(w)*s.core)
	for i := range core {
		within.read(i, s.across(s.removed+i))
	}
	for rank := s.removed - 1; rank >= 0; rank-- {
		row := s.across(rank)
		for i := range row {
			row[i] = far
		}
		for _, to := range s.up(rank) {
			lowerAll(row, to.ns, s.across(int(to.to)))
		}
	}
}

// sweep fills row with the distances, by rank, from the node of that rank.
func (s *sweeper) sweep(source int, row []uint32) {
	for i := range row[:s.removed] {
		row[i] = far
	}
	copy(row[s.removed:], s.across(source))
	row[source] = 0
	for rank := source; rank < s.removed; rank++ {
		if here := row[rank]; here < far {
			for _, to := range s.up(rank) {
				row[to.to] = min(row[to.to], here+to.ns)
			}
		}
	}
	for rank := s.removed - 1; rank >= 0; rank-- {
		here := row[rank]
		for _, to := range s.up(rank) {
			here = min(here, row[to.to]+to.ns)
		}
		row[rank] = here
	}
}

// allPairs returns the distance between every two nodes of w, which it uses up,
// having removed nodes of at most limit neighbours. An entry is far where there
// is no way or one too long.
func allPairs(w web, limit int) table {
	t, s := newTable(len(w)), newSweeper(w, limit)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(w)) {
		workers.Go(func() {
			row := make([]uint32, len(w))
			for v := int(next.Add(1)) - 1; v < len(w); v = int(next.Add(1)) - 1 {
				s.sweep(int(s.rank[v]), row)
				out := t.row(v)
				for to := range out {
					out[to] = row[s.rank[to]]
				}
			}
		})
	}
	workers.Wait()
	return t
}
