package topology

import (
	"fmt"
	"slices"
	"time"

	"i3bench/internal/prng"
)

// NetworkStats describes a network, for the reader of a report who wants to know
// what kind of network a run was on.
type NetworkStats struct {
	Places     int // where hosts may be attached
	Domains    int // of places
	Nodes      int // of the graph
	Links      int // of the graph, two for each edge
	MeanDegree float64

	// MaxOneWay and LookAhead are those of all pairs of places, and of all pairs
	// of different domains.
	MaxOneWay time.Duration
	LookAhead time.Duration

	// MedianOneWay and MeanHops, the mean number of links of a path, are those of
	// all pairs of places of a network of up to 512, and beyond that estimated
	// from 131,072 pairs.
	MedianOneWay time.Duration
	MeanHops     float64
}

// String returns the statistics in one line.
func (s NetworkStats) String() string {
	return fmt.Sprintf("%d nodes, %d links, mean degree %.2f, %d places in %d domains, "+
		"one way median %v, max %v, between domains at least %v, %.1f links on average",
		s.Nodes, s.Links, s.MeanDegree, s.Places, s.Domains,
		s.MedianOneWay.Round(time.Microsecond), s.MaxOneWay.Round(time.Microsecond),
		s.LookAhead.Round(time.Microsecond), s.MeanHops)
}

// Stats returns the statistics of the network. It looks at all pairs of places,
// which takes about half a second for 10,000.
func (n *Network) Stats() NetworkStats {
	s := NetworkStats{
		Places: n.Len(), Domains: n.Domains(), Nodes: n.Nodes(), Links: n.Links(), LookAhead: n.LookAhead(),
		MeanDegree: share(n.Links(), n.Nodes()),
	}
	for i := range n.at {
		for j := range n.at[:i] {
			s.MaxOneWay = max(s.MaxOneWay, n.OneWay(i, j))
		}
	}
	var latencies []time.Duration
	hops := 0
	n.samplePairs(func(i, j int) {
		latencies = append(latencies, n.OneWay(i, j))
		n.VisitPath(i, j, func(int) { hops++ })
	})
	if len(latencies) > 0 {
		slices.Sort(latencies)
		s.MedianOneWay = latencies[len(latencies)/2]
	}
	s.MeanHops = share(hops, len(latencies))
	return s
}

// samplePairs calls visit for all pairs of different places, each in one
// direction, or for many random ones. The seed is fixed: a network has one such
// sample.
func (n *Network) samplePairs(visit func(i, j int)) {
	const visitAll, samples = 512, 1 << 17
	if n.Len() <= visitAll {
		for i := range n.Len() {
			for j := range i {
				visit(i, j)
			}
		}
		return
	}
	random := prng.New(0, forStats)
	for range samples {
		i, j := random.IntN(n.Len()), random.IntN(n.Len()-1)
		if j >= i {
			j++
		}
		visit(i, j)
	}
}
