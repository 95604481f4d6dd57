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

// Domains is what delays may say of themselves besides: which sites are near each
// other. It lets a simulator run those that are not beside each other.
type Domains interface {
	// Domain returns the domain of a site, below Domains.
	Domain(site int) int
	Domains() int
	// LookAhead is the least time between sites of different domains.
	LookAhead() time.Duration
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
// paths. It is safe for concurrent use, but for the methods that take the numbers
// of places, which a simulator calls while nobody is placed.
type Network struct {
	delays  Delays  // nil: no delay anywhere
	domains Domains // nil: all sites are one domain
	base    machine.Duration
	loss    Loss

	mu     sync.RWMutex
	places []place
	sites  []int32 // of the places: all that is looked at while nothing is lost
	byAddr map[netip.AddrPort]int
	muted  bool
}

// A place is where an address is and what it is.
type place struct {
	node bool
	rate float64 // of a host's last hop
}

// NewNetwork returns an empty network. Without delays every path takes base;
// with them, base is added to the delay between sites.
func NewNetwork(delays Delays, base machine.Duration, loss Loss) *Network {
	n := &Network{delays: delays, base: base, loss: loss, byAddr: make(map[netip.AddrPort]int)}
	n.domains, _ = delays.(Domains)
	return n
}

// PlaceNode puts a node's address at a site, modulo the sites of the delays.
func (n *Network) PlaceNode(a netip.AddrPort, site int) { n.place(a, site, true, true) }

// PlaceHost puts a host's address at a site, as PlaceNode does. A lossless host,
// as the source is, has a last hop without loss.
func (n *Network) PlaceHost(a netip.AddrPort, site int, lossless bool) {
	n.place(a, site, false, lossless)
}

func (n *Network) place(a netip.AddrPort, site int, node, lossless bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	site = n.siteOf(site)
	p := place{node: node}
	if !lossless { // the rate depends on the order of placement, not on addresses
		p.rate = n.loss.HostMax * prng.Unit(prng.Hash3(n.loss.Seed, 1, uint64(len(n.places)), 0))
	}
	n.byAddr[a] = len(n.places)
	n.places = append(n.places, p)
	n.sites = append(n.sites, int32(site))
}

// siteOf returns the site that is meant by a number: modulo the sites of the delays.
func (n *Network) siteOf(number int) int {
	if n.delays == nil {
		return number
	}
	return number % n.delays.Len()
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
	a, okA := n.byAddr[from]
	b, okB := n.byAddr[to]
	if !okA || !okB {
		return machine.Path{Delay: n.base}
	}
	return n.Between(a, b)
}

// Place returns the number of an address's place.
func (n *Network) Place(a netip.AddrPort) (place int, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	place, ok = n.byAddr[a]
	return place, ok
}

// Between is Path for the numbers of places.
func (n *Network) Between(from, to int) machine.Path {
	p := machine.Path{Delay: n.base}
	if a, b := n.sites[from], n.sites[to]; n.delays != nil && a != b {
		p.Delay += machine.Duration(n.delays.OneWay(int(a), int(b)))
	}
	if !n.muted {
		p.Loss = n.rate(from, to)
	}
	return p
}

func (n *Network) rate(from, to int) float64 {
	a, b := &n.places[from], &n.places[to]
	if a.node && b.node {
		if n.sites[from] == n.sites[to] && n.delays != nil {
			return 0
		}
		lo, hi := min(from, to), max(from, to)
		return n.loss.NodeMax * prng.Unit(prng.Hash3(n.loss.Seed, 2, uint64(lo), uint64(hi)))
	}
	return 1 - (1-a.rate)*(1-b.rate)
}

// Processes returns the number of domains, 1 if the delays do not tell.
func (n *Network) Processes() int {
	if n.domains == nil {
		return 1
	}
	return n.domains.Domains()
}

// ProcessOf returns the domain in which a place is.
func (n *Network) ProcessOf(place int) int {
	if n.domains == nil {
		return 0
	}
	return n.domains.Domain(int(n.sites[place]))
}

// LookAhead returns the least delay between domains.
func (n *Network) LookAhead() machine.Duration {
	if n.domains == nil {
		return 0
	}
	return n.base + machine.Duration(n.domains.LookAhead())
}
