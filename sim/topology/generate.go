package topology

import (
	"fmt"
	"math"
	"time"

	"i3bench/internal/prng"
)

// The parameters of the synthetic network. They are round numbers chosen for
// plausibility; none is fitted to a measurement.
const (
	msPerKm = 0.01 // round trip in fibre: light covers 200 km in 1 ms, both ways

	worldWidth = 25_000 // km around the world at the latitudes where people live

	regionsPerContinent = 4
	siteSpread          = 250 // km from the middle of a region, along each axis
	nodesPerSite        = 2   // on average

	siteMs          = 0.1  // round trip within a site, without the last miles
	fastMs          = 1    // slowest round trip of a good last mile
	poorShare       = 0.2  // share of the nodes with a poor last mile
	poorMaxMs       = 30   // slowest round trip of a poor last mile
	directInflation = 1.4  // length of the straightest cable over the distance
	maxInflation    = 8    // of the most crooked route
	asymmetry       = 0.03 // of the time on the way, either side
)

// A continent is a rectangle on the map, in km, with a share of the sites.
type continent struct {
	x, y, halfWidth, halfHeight float64
	percent                     uint64
}

// continents is a rough map of a world whose left and right edges meet. The
// shares sum to 100.
var continents = [...]continent{
	{5_000, 4_500, 2_200, 900, 35},   // north-west
	{12_000, 5_300, 1_400, 800, 30},  // north
	{19_500, 4_000, 2_000, 1500, 20}, // north-east
	{6_500, -3_500, 1_000, 1800, 8},  // south-west
	{21_000, -4_500, 1_500, 700, 7},  // south-east
}

// What a hash is drawn for, so that no two draws of a matrix are related.
const (
	forContinent = iota
	forRegion
	forRegionX
	forRegionY
	forSiteX
	forSiteY
	forSite
	forPoor
	forLastMile
	forRoute
	forDirection
)

// A generator draws one matrix. Every draw is a function of the seed and of what
// it is for, and no operation but those that IEEE 754 defines to the last bit is
// used, so that a seed gives the same matrix on every machine.
type generator struct {
	seed     uint64
	sites    []point
	site     []int     // of each node
	lastMile []float64 // of each node, round trip in ms
}

// A point is a place on the map, in km.
type point struct{ x, y float64 }

// Generate returns a synthetic wide-area matrix of n nodes, 1 to [MaxNodes]. The
// same seed and n give the same matrix.
//
// Nodes stand in sites, sites in regions, regions in five continents on a flat
// map that wraps around east to west. The round-trip time of a pair is the sum
// of
//   - the distance of the sites at the speed of light in fibre, times a detour
//     factor drawn per pair of sites from a Pareto distribution of shape 8 (the
//     heavy tail that breaks the triangle inequality now and then), times a
//     factor of up to 3 percent either way that differs by direction;
//   - a last mile for each node: below 1 ms for four nodes of five, and up to
//     30 ms with a heavy tail for the fifth;
//   - 0.1 ms.
//
// It is plausible in kind and fitted to nothing: see the package comment.
func Generate(seed uint64, n int) (*Matrix, error) {
	if n < 1 || n > MaxNodes {
		return nil, fmt.Errorf("topology: generate matrix of %d nodes: want 1 to %d", n, MaxNodes)
	}
	g := generator{seed: seed}
	for s := range (n + nodesPerSite - 1) / nodesPerSite {
		g.sites = append(g.sites, g.placeSite(s))
	}
	for i := range n {
		g.site = append(g.site, int(g.uniform(forSite, i, 0)*float64(len(g.sites))))
		g.lastMile = append(g.lastMile, g.drawLastMile(i))
	}
	m := &Matrix{n: n, oneWay: make([]time.Duration, n*n)}
	for i := range n {
		for j, row := 0, m.row(i); j < n; j++ {
			if i != j {
				row[j] = halfOf(g.roundTrip(i, j))
			}
		}
	}
	return m, nil
}

// uniform returns a number in [0, 1) that belongs to a purpose and two indices.
func (g *generator) uniform(purpose, a, b int) float64 {
	return prng.Unit(prng.Hash3(g.seed, uint64(purpose), uint64(a), uint64(b)))
}

// within returns a number in [-size, size).
func (g *generator) within(size float64, purpose, a int) float64 {
	return size * (2*g.uniform(purpose, a, 0) - 1)
}

// placeSite returns the place of a site: in a region of its own continent. Sites
// go through the continents in steps of the golden ratio, which hits each as
// often as its share says from the first few sites on: a world of 50 nodes must
// not have them all on one side by chance.
func (g *generator) placeSite(site int) point {
	const goldenRatio = 0x9e3779b97f4a7c15 // of 2^64
	turn := prng.Hash3(g.seed, forContinent, 0, 0) + uint64(site)*goldenRatio
	index, left := 0, uint64(prng.Unit(turn)*100)
	for left >= continents[index].percent {
		left -= continents[index].percent
		index++
	}
	c := continents[index]
	region := regionsPerContinent*index + int(g.uniform(forRegion, site, 0)*regionsPerContinent)
	// Each product is rounded before it is added: without the conversions some
	// processors would fuse the two and end up an ulp away from the others.
	return point{
		x: c.x + float64(g.within(c.halfWidth, forRegionX, region)) + float64(g.within(siteSpread, forSiteX, site)),
		y: c.y + float64(g.within(c.halfHeight, forRegionY, region)) + float64(g.within(siteSpread, forSiteY, site)),
	}
}

// drawLastMile returns the round-trip time, in ms, between a node and the
// network of its site.
func (g *generator) drawLastMile(node int) float64 {
	u := 1 - g.uniform(forLastMile, node, 0) // in (0, 1]
	if g.uniform(forPoor, node, 0) < poorShare {
		return min(fastMs/u, poorMaxMs)
	}
	return fastMs * u
}

// roundTrip returns the round-trip time from node i to node j, in ms.
func (g *generator) roundTrip(i, j int) float64 {
	a, b := g.site[i], g.site[j]
	local := siteMs + g.lastMile[i] + g.lastMile[j]
	if a == b {
		return local
	}
	// Shape 8 because three square roots are exact where a power is not.
	u := 1 - g.uniform(forRoute, min(a, b), max(a, b))
	inflation := min(directInflation/math.Sqrt(math.Sqrt(math.Sqrt(u))), maxInflation)
	direction := 1 + float64(asymmetry*(2*g.uniform(forDirection, i, j)-1))
	return local + float64(msPerKm*distance(g.sites[a], g.sites[b])*inflation*direction)
}

// distance returns the length of the straight line between two points, in km.
func distance(p, q point) float64 {
	dx := math.Abs(p.x - q.x)
	dx = min(dx, worldWidth-dx)
	dy := p.y - q.y
	return math.Sqrt(float64(dx*dx) + float64(dy*dy))
}
