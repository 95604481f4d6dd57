package topology

import (
	"testing"

	"pgregory.net/rapid"
)

// However many nodes are removed first, all pairs come out as of the oracle, also
// where a graph falls into parts.
func TestAllPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "n")
		g := &graph{nodes: n}
		w := make(web, n)
		for range rapid.IntRange(0, 4*n).Draw(t, "edges") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b")
			if a == b {
				continue
			}
			ns := rapid.Uint32Range(1, rapid.SampledFrom([]uint32{2, 1000, far / 30}).Draw(t, "most")).Draw(t, "ns")
			g.add(a, b, ns)
			w.lower(int32(a), int32(b), ns)
		}
		limit := rapid.IntRange(0, n).Draw(t, "limit")
		got := allPairs(w, limit)
		oracle := newOracle(g)
		for a := range n {
			for b, want := range oracle.from(a) {
				if want < 0 {
					want = far
				}
				if have := got.at(int32(a), int32(b)); int64(have) != int64(want) {
					t.Fatalf("limit %d: distance from %d to %d is %d, want %d", limit, a, b, have, want)
				}
			}
		}
	})
}

// Of a star with a tail, all nodes go if those with one neighbour may; of a
// complete graph none.
func TestEliminate(t *testing.T) {
	star, complete := make(web, 6), make(web, 6)
	for v := range int32(5) {
		star.lower(v, max(4, v+1), 1) // 0, 1, 2 and 3 with 4, and 4 with 5
		for u := range v + 1 {
			complete.lower(u, v+1, 1)
		}
	}
	if order := star.eliminate(1); len(order) != 6 {
		t.Errorf("of a star %v are removed, want all", order)
	}
	if order := complete.eliminate(4); len(order) != 0 {
		t.Errorf("of a complete graph %v are removed, want none", order)
	}
}
