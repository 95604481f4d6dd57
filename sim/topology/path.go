package topology

import "time"

// Links returns the number of links: one for each direction of each edge of the
// graph. They are numbered from 0, and the two directions of an edge are 2e and
// 2e+1.
func (n *Network) Links() int { return len(n.graph.arcs) }

// LinkLatency returns the latency of a link, which is that of its reverse.
func (n *Network) LinkLatency(link int) time.Duration {
	return time.Duration(n.graph.latency(int32(link)))
}

// LinkEnds returns the nodes that a link leads from and to.
func (n *Network) LinkEnds(link int) (from, to int) {
	ends := n.graph.edges[link>>1].ends
	return int(ends[link&1]), int(ends[1-link&1])
}

// Nodes returns the number of nodes, of which hosts may be at some only.
func (n *Network) Nodes() int { return n.graph.nodes }

// Node returns the node of a place, as [Network.LinkEnds] numbers them.
func (n *Network) Node(i int) int { return int(n.nodes[i]) }

// VisitPath calls visit for each link of the shortest path from place i to place
// j, in order; never for i = j. Of several shortest paths it takes always the
// same, and in the other direction that path's reverse.
func (n *Network) VisitPath(i, j int, visit func(link int)) {
	n.walk(n.nodes[i], n.nodes[j], n.OneWay(i, j), visit)
}

// walk visits the links of a path between two nodes that takes the given time.
// Either end will do to find the next link: a neighbour of it that is nearer to
// the other end by as much as the link takes. It is that of fewer neighbours, so
// that the many of a node in the middle of the network need hardly ever be looked
// at.
func (n *Network) walk(a, b int32, left time.Duration, visit func(link int)) {
	for a != b {
		if n.graph.compare(a, b) > 0 {
			before := n.step(b, a, left)
			n.walk(a, before.to, left-n.LinkLatency(int(before.link)), visit)
			visit(int(before.link ^ 1))
			return
		}
		next := n.step(a, b, left)
		visit(int(next.link))
		left -= n.LinkLatency(int(next.link))
		a = next.to
	}
}

// step returns the first link from a, by number, that begins a shortest path to
// b.
func (n *Network) step(a, b int32, left time.Duration) arc {
	end := &n.sites[b]
	for _, arc := range n.graph.from(a) {
		if n.distance(&n.sites[arc.to], end)+n.LinkLatency(int(arc.link)) == left {
			return arc
		}
	}
	panic("topology: distances do not agree with the edges")
}
