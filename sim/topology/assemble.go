package topology

import (
	"fmt"
	"slices"
	"time"
)

// An assembler makes a network of a graph by finding its shortest paths.
//
// A hub is a transit node, or a stub node with an edge to another stub domain.
// Whoever leaves a stub domain does so by a hub. So the distance of nodes of
// different domains is the least, over the hubs of the one domain and those of
// the other, of the distance to the hub inside the domain, that between the hubs
// in the whole network, and that from the hub inside the other domain. Without
// extra edges each stub domain has one hub, and a network of 10,000 nodes 100.
type assembler struct {
	net      *Network
	graph    *graph
	transits int
	hub      []int32 // of each node its number among the hubs, or -1
	web      web     // the hubs, joined by edges and through stub domains
}

// assemble returns the network of a graph in which the transit nodes come first
// and then the stub domains. Hosts are for the stub nodes, or for all where there
// are none.
func assemble(g *graph, transits int, stubs []span) (*Network, error) {
	g.index()
	a := assembler{net: &Network{graph: g, sites: make([]site, g.nodes)}, graph: g, transits: transits}
	for i, stub := range stubs {
		for v := range stub.size {
			a.net.sites[stub.first+v] = site{domain: int32(i), local: int32(v), hub: -1}
		}
	}
	for v := range transits {
		a.net.sites[v] = site{domain: int32(len(stubs) + v), hub: int32(v)}
	}
	a.findHubs()
	for _, stub := range stubs {
		a.addStub(stub)
	}
	a.addTransits()
	a.net.between = allPairs(a.web, maxUp)
	if err := a.checkLatencies(); err != nil {
		return nil, err
	}
	if len(stubs) == 0 {
		a.openPlaces(0, transits)
	} else {
		a.openPlaces(transits, len(stubs))
	}
	return a.net, nil
}

// openPlaces makes a place of each node from the first one on.
func (a *assembler) openPlaces(first, domains int) {
	a.net.populated, a.net.at = domains, a.net.sites[first:]
	for v := first; v < a.graph.nodes; v++ {
		a.net.nodes = append(a.net.nodes, int32(v))
	}
	a.net.lookAhead = a.net.nearestDomains()
}

// checkLatencies returns an error where a path is too long for the tables.
func (a *assembler) checkLatencies() error {
	tooLong := slices.Contains(a.net.between, far)
	for _, d := range a.net.domains {
		tooLong = tooLong || slices.Contains(d.within, far) || slices.Contains(d.ups, far)
	}
	if tooLong {
		return fmt.Errorf("topology: network of %d nodes: a shortest path takes %v or more: want less",
			a.graph.nodes, time.Duration(far).Truncate(time.Millisecond))
	}
	return nil
}

// findHubs numbers the hubs and joins those that have an edge in common.
func (a *assembler) findHubs() {
	a.hub = make([]int32, a.graph.nodes)
	hubs := int32(0)
	for v := range a.hub {
		a.hub[v] = -1
		crosses := func(arc arc) bool { return int(arc.to) >= a.transits && !a.sameDomain(int32(v), arc.to) }
		if v < a.transits || slices.ContainsFunc(a.graph.from(int32(v)), crosses) {
			a.hub[v] = hubs
			hubs++
		}
	}
	a.web = make(web, hubs)
	for _, e := range a.graph.edges {
		one, other := a.hub[e.ends[0]], a.hub[e.ends[1]]
		if one >= 0 && other >= 0 && !a.sameDomain(e.ends[0], e.ends[1]) {
			a.web.lower(one, other, e.latency)
		}
	}
}

func (a *assembler) sameDomain(v, w int32) bool {
	return a.net.sites[v].domain == a.net.sites[w].domain
}

// addTransits makes each transit node a domain of its own and its own hub.
func (a *assembler) addTransits() {
	within, ups, hubs := table{0}, []uint32{0}, make([]int32, a.transits)
	for v := range hubs {
		hubs[v] = int32(v)
		a.net.domains = append(a.net.domains, domain{within: within, hubs: hubs[v : v+1], ups: ups})
	}
}

// addStub finds the paths inside a stub domain and to its hubs, and joins these
// with each other as far as paths through the domain join them.
func (a *assembler) addStub(stub span) {
	inner := unjoined(stub.size)
	var exits []exit
	for v := range stub.size {
		node := int32(stub.first + v)
		if hub := a.hub[node]; hub >= 0 {
			exits = append(exits, exit{v, spoke{hub, 0}})
		}
		for _, arc := range a.graph.from(node) {
			latency := a.graph.latency(arc.link)
			if a.sameDomain(node, arc.to) {
				inner.lower(int32(v), a.net.sites[arc.to].local, latency)
			} else if int(arc.to) < a.transits {
				exits = append(exits, exit{v, spoke{a.hub[arc.to], latency}})
			}
		}
	}
	inner.close(stub.size)
	d := domain{within: inner}
	for _, e := range exits {
		d.hubs = append(d.hubs, e.to)
	}
	slices.Sort(d.hubs)
	d.hubs = slices.Compact(d.hubs)
	d.measure(stub.size, exits)
	d.joinHubs(a.web)
	if len(d.hubs) == 1 {
		for v := range stub.size {
			s := &a.net.sites[stub.first+v]
			s.hub, s.up = d.hubs[0], d.ups[v]
		}
	}
	a.net.domains = append(a.net.domains, d)
}

// An exit is a way from a node of a domain to a hub: an edge, or no way at all
// where the node is the hub.
type exit struct {
	local int
	spoke
}

// measure finds the distances of the nodes of a domain to its hubs.
func (d *domain) measure(size int, exits []exit) {
	d.ups = make([]uint32, size*len(d.hubs))
	for i := range d.ups {
		d.ups[i] = far
	}
	for _, e := range exits {
		column, _ := slices.BinarySearch(d.hubs, e.to)
		for v := range size {
			up := &d.ups[v*len(d.hubs)+column]
			*up = min(*up, d.within.at(int32(v), int32(e.local))+e.ns)
		}
	}
}

// joinHubs makes the edge between every two hubs of a domain at most as long as
// the way through the domain.
func (d *domain) joinHubs(w web) {
	for v := 0; v < len(d.ups); v += len(d.hubs) {
		ups := d.ups[v : v+len(d.hubs)]
		for i, a := range d.hubs {
			for j, b := range d.hubs[:i] {
				w.lower(a, b, min(ups[i]+ups[j], far))
			}
		}
	}
}
