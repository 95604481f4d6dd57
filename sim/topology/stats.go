package topology

import (
	"fmt"
	"slices"
	"time"

	"i3bench/internal/prng"
)

// Stats describes a matrix, for the reader of a report who wants to know what
// kind of network a run was on.
type Stats struct {
	Nodes   int // number of nodes
	Unknown int // ordered pairs that were not measured

	MedianRTT time.Duration // of the pairs that were measured
	MaxRTT    time.Duration // of the pairs that were measured

	// Asymmetric is the share of the pairs measured in both directions whose
	// two round-trip times differ.
	Asymmetric float64

	// TriangleViolations is the share of the ordered triples of distinct nodes
	// (i, j, k), all measured, for which the way from i to k is longer than
	// through j. It is counted up to 512 nodes, and beyond that estimated from
	// 4 million triples, to within 0.1 percentage points.
	TriangleViolations float64
}

// String returns the statistics in one line.
func (s Stats) String() string {
	return fmt.Sprintf("%d nodes, unmeasured pairs %d, round trip median %v, max %v, "+
		"%.1f%% of pairs asymmetric, %.1f%% of triples break the triangle inequality",
		s.Nodes, s.Unknown, s.MedianRTT, s.MaxRTT, 100*s.Asymmetric, 100*s.TriangleViolations)
}

// Stats returns the statistics of the matrix.
func (m *Matrix) Stats() Stats {
	s := Stats{Nodes: m.n}
	known := make([]time.Duration, 0, m.n*m.n)
	pairs, asymmetric := 0, 0
	for i := range m.n {
		for j, there := range m.row(i) {
			back := m.OneWay(j, i)
			if i == j {
				continue
			}
			if there == Unknown {
				s.Unknown++
				continue
			}
			known = append(known, 2*there)
			if back != Unknown {
				pairs++
				asymmetric += count(there != back)
			}
		}
	}
	if len(known) > 0 {
		slices.Sort(known)
		s.MedianRTT, s.MaxRTT = known[len(known)/2], known[len(known)-1]
	}
	s.Asymmetric = share(asymmetric, pairs)
	s.TriangleViolations = m.triangleViolations()
	return s
}

// triangleViolations returns the share described at [Stats].
func (m *Matrix) triangleViolations() float64 {
	const countAll, samples = 512, 4 << 20
	if m.n > countAll {
		return m.sampleTriangles(samples)
	}
	triples, violations := 0, 0
	for i := range m.n {
		from := m.row(i)
		for j := range m.n {
			if i == j || from[j] == Unknown {
				continue
			}
			for k, onward := range m.row(j) {
				if k == i || k == j || onward == Unknown || from[k] == Unknown {
					continue
				}
				triples++
				violations += count(from[k] > from[j]+onward)
			}
		}
	}
	return share(violations, triples)
}

// sampleTriangles estimates the share from that many draws of three nodes. The
// seed is fixed: a matrix has one such estimate.
func (m *Matrix) sampleTriangles(draws int) float64 {
	random := prng.New(0, 0)
	triples, violations := 0, 0
	for range draws {
		i, j, k := random.IntN(m.n), random.IntN(m.n), random.IntN(m.n)
		direct, first, onward := m.OneWay(i, k), m.OneWay(i, j), m.OneWay(j, k)
		if i == j || j == k || i == k || min(direct, first, onward) == Unknown {
			continue
		}
		triples++
		violations += count(direct > first+onward)
	}
	return share(violations, triples)
}

// count returns 1 for true.
func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// share returns part/whole, and 0 of nothing.
func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
