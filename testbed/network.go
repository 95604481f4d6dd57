package testbed

import (
	"net/netip"
	"sync"
	"time"

	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// Delays gives one-way delays between sites.
type Delays interface {
	// Len returns the number of sites.
	Len() int
	// OneWay returns the time from site i to site j.
	OneWay(i, j int) time.Duration
}

// Loss says how datagrams are lost, as in section 6.3 of the paper: every hop
// between two nodes and every last hop between a host and a node has a rate of
// its own, drawn once, the same in both directions and for all datagrams.
// Datagrams from host to host cross both last hops. The source's last hop loses
// nothing: what it loses nobody could have received.
type Loss struct {
	// Seed draws the rates.
	Seed uint64
	// NodeMax bounds the rate of a hop between nodes: U[0, NodeMax).
	NodeMax float64
	// HostMax bounds the rate of a host's last hop: U[0, HostMax).
	HostMax float64
}

// PaperLoss returns the loss rates of section 6.3.
func PaperLoss(seed uint64) Loss { return Loss{Seed: seed, NodeMax: 0.04, HostMax: 0.08} }

// A Network places addresses at sites and answers a driver's questions about
// paths. It is safe for concurrent use.
type Network struct {
	delays Delays // nil: no delay anywhere
	base   machine.Duration
	loss   Loss

	mu     sync.RWMutex
	places map[netip.AddrPort]place
	muted  bool
}

// A place is where an address is and what it is.
type place struct {
	site   int
	number uint64 // in the order of placement, so that rates do not depend on addresses
	node   bool
	rate   float64 // of a host's last hop
}

// NewNetwork returns an empty network. Without delays every path takes base;
// with them, base is added to the delay between sites.
func NewNetwork(delays Delays, base machine.Duration, loss Loss) *Network {
	return &Network{delays: delays, base: base, loss: loss, places: make(map[netip.AddrPort]place)}
}

// PlaceNode puts a node's address at a site, modulo the sites of the delays.
func (n *Network) PlaceNode(a netip.AddrPort, site int) { n.place(a, place{site: site, node: true}) }

// PlaceHost puts a host's address at a site, as PlaceNode does. A lossless host,
// as the source is, has a last hop without loss.
func (n *Network) PlaceHost(a netip.AddrPort, site int, lossless bool) {
	p := place{site: site}
	if !lossless {
		p.rate = -1
	}
	n.place(a, p)
}

func (n *Network) place(a netip.AddrPort, p place) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p.number = uint64(len(n.places))
	if n.delays != nil {
		p.site %= n.delays.Len()
	}
	if p.rate < 0 {
		p.rate = n.loss.HostMax * prng.Unit(prng.Hash3(n.loss.Seed, 1, p.number, 0))
	}
	n.places[a] = p
}

// Mute switches losses off, and on again, while delays stay.
func (n *Network) Mute(quiet bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.muted = quiet
}

// Path returns what a datagram from one address to another meets. Unplaced
// addresses are near and lossless.
func (n *Network) Path(from, to netip.AddrPort) machine.Path {
	n.mu.RLock()
	defer n.mu.RUnlock()
	a, okA := n.places[from]
	b, okB := n.places[to]
	if !okA || !okB {
		return machine.Path{Delay: n.base}
	}
	p := machine.Path{Delay: n.base}
	if n.delays != nil && a.site != b.site {
		p.Delay += machine.Duration(n.delays.OneWay(a.site, b.site))
	}
	if !n.muted {
		p.Loss = n.rate(a, b)
	}
	return p
}

func (n *Network) rate(a, b place) float64 {
	if a.node && b.node {
		if a.site == b.site && n.delays != nil {
			return 0
		}
		lo, hi := min(a.number, b.number), max(a.number, b.number)
		return n.loss.NodeMax * prng.Unit(prng.Hash3(n.loss.Seed, 2, lo, hi))
	}
	return 1 - (1-a.rate)*(1-b.rate)
}
