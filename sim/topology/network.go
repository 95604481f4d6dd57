package topology

import (
	"container/heap"
	"fmt"
	"math"
	"time"

	"i3bench/internal/prng"
)

// A Network is a graph with a latency for each edge, and the places in it where
// hosts may be attached, numbered from 0: the stub nodes of a transit-stub
// network, all nodes of a power-law one. It does not change once made, so that
// any number of goroutines may use it.
type Network struct {
	at        []site  // of each place
	nodes     []int32 // of each place
	populated int     // domains that hosts may be in
	lookAhead time.Duration

	// What follows belongs to the graph, and is shared by all networks on it.

	graph   *graph
	sites   []site // of each node
	domains []domain
	between table // of the hubs
}

// A site is where a node is, in 16 bytes, so that none lies in two cache lines.
type site struct {
	domain int32
	local  int32  // its number inside the domain
	hub    int32  // the only one by which the domain is left, or -1
	up     uint32 // nanoseconds to that hub
}

// A domain is nodes of which every two are joined by a path inside.
type domain struct {
	within table
	hubs   []int32  // those by which it is left
	ups    []uint32 // nanoseconds to each of the hubs, node by node
}

// Len returns the number of places.
func (n *Network) Len() int { return len(n.at) }

// OneWay returns the time a datagram takes from place i to place j: the latency
// of the shortest path, 0 for i = j. It is the same in both directions. Like an
// index of a slice, i and j must lie in [0, Len()).
func (n *Network) OneWay(i, j int) time.Duration { return n.distance(&n.at[i], &n.at[j]) }

// distance returns the latency of the shortest path between two nodes.
func (n *Network) distance(a, b *site) time.Duration {
	if a.domain != b.domain && a.hub|b.hub >= 0 {
		return time.Duration(a.up) + time.Duration(n.between.at(a.hub, b.hub)) + time.Duration(b.up)
	}
	return n.distanceByAll(a, b)
}

// distanceByAll is distance for nodes of the same domain, and of domains with
// any number of hubs.
func (n *Network) distanceByAll(a, b *site) time.Duration {
	from, to := &n.domains[a.domain], &n.domains[b.domain]
	least := time.Duration(math.MaxInt64)
	if a.domain == b.domain {
		least = time.Duration(from.within.at(a.local, b.local))
		if len(from.hubs) == 1 {
			return least // there is no use in leaving by a hub and coming back by it
		}
	}
	for i, up := range from.ups[int(a.local)*len(from.hubs):][:len(from.hubs)] {
		for j, down := range to.ups[int(b.local)*len(to.hubs):][:len(to.hubs)] {
			across := n.between.at(from.hubs[i], to.hubs[j])
			least = min(least, time.Duration(up)+time.Duration(across)+time.Duration(down))
		}
	}
	return least
}

// Domain returns the domain of a place: its stub domain in a transit-stub
// network, one of its own in a power-law one. [Network.Sub] does not renumber
// domains.
func (n *Network) Domain(i int) int { return int(n.at[i].domain) }

// Domains returns the number of domains: Domain lies in [0, Domains()).
func (n *Network) Domains() int { return n.populated }

// LookAhead returns the least OneWay of two places of different domains, 0 where
// there is but one domain.
func (n *Network) LookAhead() time.Duration { return n.lookAhead }

// Places returns k distinct places, chosen and ordered by the seed.
func (n *Network) Places(seed uint64, k int) ([]int, error) {
	if k < 1 || k > n.Len() {
		return nil, fmt.Errorf("topology: choose %d places: want 1 to %d, which the network has", k, n.Len())
	}
	random := prng.New(seed, forPlaces)
	return random.Perm(n.Len())[:k:k], nil
}

// Sub returns the same network with the given places alone, renumbered in that
// order. Paths between them may still lead through all of it. It fails where a
// place does not exist or is named twice.
func (n *Network) Sub(places []int) (*Network, error) {
	sub := *n
	sub.at, sub.nodes = make([]site, 0, len(places)), make([]int32, 0, len(places))
	seen := make([]bool, n.Len())
	for _, i := range places {
		if i < 0 || i >= n.Len() || seen[i] {
			return nil, fmt.Errorf("topology: sub-network with place %d: want distinct places from 0 to %d", i, n.Len()-1)
		}
		seen[i] = true
		sub.at, sub.nodes = append(sub.at, n.at[i]), append(sub.nodes, n.nodes[i])
	}
	sub.lookAhead = sub.nearestDomains()
	return &sub, nil
}

// nearestDomains returns the least distance between places of different domains.
//
// It is one search from all places at once, in which each node belongs to the
// domain of the place that is nearest to it. On the shortest path between two
// domains there is an edge from a node that belongs to one domain to one that
// belongs to another. So the answer is the shortest way across such an edge.
func (n *Network) nearestDomains() time.Duration {
	const nobody = -1
	reach := make([]reached, n.graph.nodes)
	for v := range reach {
		reach[v] = reached{domain: nobody}
	}
	var front frontier
	for i, node := range n.nodes {
		front = append(front, reached{node: node, domain: n.at[i].domain})
	}
	heap.Init(&front)
	least := time.Duration(math.MaxInt64)
	for len(front) > 0 {
		here := heap.Pop(&front).(reached)
		if reach[here.node].domain != nobody {
			continue
		}
		reach[here.node] = here
		for _, arc := range n.graph.from(here.node) {
			there := here.distance + time.Duration(n.graph.latency(arc.link))
			switch known := reach[arc.to]; known.domain {
			case nobody:
				heap.Push(&front, reached{node: arc.to, domain: here.domain, distance: there})
			case here.domain:
			default:
				least = min(least, there+known.distance)
			}
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// A reached is a node with the domain whose places are nearest to it.
type reached struct {
	node, domain int32
	distance     time.Duration
}

// A frontier is a heap of nodes by distance.
type frontier []reached

func (f frontier) Len() int           { return len(f) }
func (f frontier) Less(i, j int) bool { return f[i].distance < f[j].distance }
func (f frontier) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }

// Push implements [heap.Interface].
func (f *frontier) Push(x any) { *f = append(*f, x.(reached)) }

// Pop implements [heap.Interface].
func (f *frontier) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
