package topology

import (
	"fmt"
	"time"

	"i3bench/internal/prng"
)

// MaxNodes is the largest number of nodes of a [Matrix]. Memory grows with its
// square: 8 bytes per pair, 2 GiB at the limit.
const MaxNodes = 16384

// Unknown is the delay between two nodes whose round-trip time was not measured.
const Unknown time.Duration = -1

// A Matrix holds the delay of every ordered pair of nodes, which are numbered
// from 0. It does not change once made, so that any number of goroutines may use
// it.
type Matrix struct {
	n      int
	oneWay []time.Duration // row by row
}

// Len returns the number of nodes.
func (m *Matrix) Len() int { return m.n }

// OneWay returns the time a datagram takes from node i to node j: half of the
// round-trip time measured from i to j, 0 for i = j, [Unknown] where it was not
// measured. Like an index of a slice, i and j must lie in [0, Len()).
func (m *Matrix) OneWay(i, j int) time.Duration {
	return m.row(i)[j]
}

// Domain returns the domain of a node: each has its own, of the same number.
func (m *Matrix) Domain(i int) int { return i }

// Domains returns the number of domains, which is that of nodes.
func (m *Matrix) Domains() int { return m.n }

// LookAhead returns the least OneWay of two different nodes, which is at least 1
// ns, where it was measured; 0 where it was for no two. It looks at all of them.
func (m *Matrix) LookAhead() time.Duration {
	least := Unknown
	for i := range m.n {
		for j, delay := range m.row(i) {
			if i != j && delay != Unknown && (least == Unknown || delay < least) {
				least = delay
			}
		}
	}
	return max(least, 0)
}

// row returns the delays from node i.
func (m *Matrix) row(i int) []time.Duration { return m.oneWay[i*m.n : (i+1)*m.n] }

// Pick returns n distinct nodes, chosen and ordered by the seed, of which every
// two have been measured in both directions.
//
// It goes through all nodes in random order and takes each that is known to all
// taken so far. Where measurements are missing this need not find the largest
// such set, so the error, which says how many nodes it found, means "not with
// this seed".
func (m *Matrix) Pick(seed uint64, n int) ([]int, error) {
	if n < 1 || n > m.n {
		return nil, fmt.Errorf("topology: pick %d nodes: want 1 to %d, the size of the matrix", n, m.n)
	}
	source := prng.New(seed, 0)
	picked := make([]int, 0, n)
	for _, candidate := range source.Perm(m.n) {
		if m.knownToAll(candidate, picked) {
			if picked = append(picked, candidate); len(picked) == n {
				return picked, nil
			}
		}
	}
	return nil, fmt.Errorf("topology: pick %d nodes of %d with seed %d: "+
		"found %d of which every two are measured, want fewer nodes, another seed or a fuller matrix",
		n, m.n, seed, len(picked))
}

// knownToAll reports whether node i was measured to and from each of others.
func (m *Matrix) knownToAll(i int, others []int) bool {
	for _, j := range others {
		if m.OneWay(i, j) == Unknown || m.OneWay(j, i) == Unknown {
			return false
		}
	}
	return true
}

// Sub returns the matrix of the given nodes alone, renumbered in that order. It
// fails where a node is not in the matrix or named twice.
func (m *Matrix) Sub(nodes []int) (*Matrix, error) {
	seen := make(map[int]bool, len(nodes))
	for _, i := range nodes {
		if i < 0 || i >= m.n || seen[i] {
			return nil, fmt.Errorf("topology: sub-matrix with node %d: want distinct nodes from 0 to %d", i, m.n-1)
		}
		seen[i] = true
	}
	sub := &Matrix{n: len(nodes), oneWay: make([]time.Duration, 0, len(nodes)*len(nodes))}
	for _, i := range nodes {
		row := m.row(i)
		for _, j := range nodes {
			sub.oneWay = append(sub.oneWay, row[j])
		}
	}
	return sub, nil
}
