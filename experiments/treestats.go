package experiments

import (
	"math"
	"slices"

	"i3bench/i3/machine"
	"i3bench/reports"
)

// A treeStats is what section 6.1 of the paper measures of a tree: the latency
// of one packet to every receiver, beside that of the shortest path, and how
// often it crossed each link.
type treeStats struct {
	stretch   []float64 // ascending; receivers at the source's place have none
	rad, rmd  float64   // NaN if all receivers are there
	colocated int
	unreached int
	depthMax  int
	depthMean float64
	queries   float64 // processed for each join since the last size
	// Copies on each directed link that was used, ascending, and the most on a link
	// in both directions.
	stress     []float64
	undirected float64
}

// measure sends one packet through the tree and says how it fared.
func (g *group) measure() treeStats {
	seq := g.send()
	g.run(longestPath)
	s := g.latencies(seq)
	s.addStress(g)
	return s
}

// latencies compares the way of the packet seq through the tree with the direct
// one.
func (g *group) latencies(seq uint64) (s treeStats) {
	var tree, direct, maxTree, maxDirect machine.Duration
	from := g.bed.Source().Site
	for _, m := range g.members {
		s.depthMax = max(s.depthMax, m.Machine.Level())
		s.depthMean += float64(m.Machine.Level()) / float64(len(g.members))
		switch {
		case m.latest != seq:
			s.unreached++
			continue
		case m.Site == from:
			s.colocated++
			continue
		}
		d := machine.Duration(g.cfg.Net.OneWay(from, m.Site))
		s.stretch = append(s.stretch, float64(m.latency)/float64(d))
		tree, direct = tree+m.latency, direct+d
		maxTree, maxDirect = max(maxTree, m.latency), max(maxDirect, d)
	}
	slices.Sort(s.stretch)
	s.rad, s.rmd = float64(tree)/float64(direct), float64(maxTree)/float64(maxDirect)
	return s
}

// addStress follows every link of the tree along its path. A link of the tree
// carries one copy of each packet, from the node of the parent's identifier to
// the node of the child's; the last hop is on a LAN.
func (s *treeStats) addStress(g *group) {
	copies := make([]int, g.cfg.Net.Links())
	for _, e := range g.links() {
		g.cfg.Net.VisitPath(e.from, e.to, func(link int) { copies[link]++ })
	}
	for link, n := range copies {
		if n > 0 {
			s.stress = append(s.stress, float64(n))
			s.undirected = max(s.undirected, float64(n+copies[link^1]))
		}
	}
	slices.Sort(s.stress)
	if len(s.stress) == 0 {
		s.undirected = math.NaN()
	}
}

// A treeLink is a link of the tree between the sites of two identifiers.
type treeLink struct{ from, to int }

// links returns the links of the tree, each once: those of every receiver's chain.
func (g *group) links() []treeLink {
	seen := make(map[[2]uint64]bool, len(g.members)) // by the suffixes of the two identifiers
	var links []treeLink
	for _, m := range g.members {
		chain := m.Machine.Chain()
		for i := len(chain) - 1; i > 0; i-- {
			key := [2]uint64{chain[i-1].Suffix(), chain[i].Suffix()}
			if seen[key] {
				break // and with it all those above
			}
			seen[key] = true
			links = append(links, treeLink{g.bed.SiteOf(chain[i-1]), g.bed.SiteOf(chain[i])})
		}
	}
	return links
}

// samples hands the figures of a tree to the sink. Of ratios over no receivers, or
// a stress of no links, there is none.
func (s *treeStats) samples(sink Sink, seed uint64, name string, n int) {
	for _, f := range []struct {
		kind  string
		value float64
	}{
		{reports.KindRAD, s.rad},
		{reports.KindRMD, s.rmd},
		{reports.KindStretchP50, reports.Percentile(s.stretch, 0.5)},
		{reports.KindStretchP90, reports.Percentile(s.stretch, 0.9)},
		{reports.KindStretchP99, reports.Percentile(s.stretch, 0.99)},
		{reports.KindStressMax, reports.Percentile(s.stress, 1)},
		{reports.KindStressP99, reports.Percentile(s.stress, 0.99)},
		{reports.KindStressUndirected, s.undirected},
		{reports.KindDepthMax, float64(s.depthMax)},
		{reports.KindDepthMean, s.depthMean},
		{reports.KindJoinQueries, s.queries},
		{reports.KindColocated, float64(s.colocated)},
		{reports.KindUnreached, float64(s.unreached)},
	} {
		if !math.IsNaN(f.value) {
			sink.Sample(reports.Sample{
				Stage: reports.StageTree, Kind: f.kind, Seed: seed, Group: name, N: int64(n), Value: f.value,
			})
		}
	}
}
