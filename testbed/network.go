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

// any reports whether anything can be lost.
func (l Loss) any() bool { return l.NodeMax > 0 || l.HostMax > 0 }

// The rates of section 6.3.
const (
	PaperNodeMax = 0.04
	PaperHostMax = 0.08
)

// PaperLoss returns the loss rates of section 6.3.
func PaperLoss(seed uint64) Loss {
	return Loss{Seed: seed, NodeMax: PaperNodeMax, HostMax: PaperHostMax}
}

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
	byAddr map[netip.AddrPort]int64
	muted  bool
}

// A place is what is at an address.
type place struct {
	node bool
	rate float64 // of a host's last hop
}

// The number of a place tells its site, too, so that the delay between two is known
// without a look at either.
func numberOf(site, index int) int64 { return int64(site)<<32 | int64(index) }

func siteIn(number int64) int  { return int(number >> 32) }
func indexIn(number int64) int { return int(uint32(number)) }

// NewNetwork returns an empty network. Without delays every path takes base;
// with them, base is added to the delay between sites.
func NewNetwork(delays Delays, base machine.Duration, loss Loss) *Network {
	n := &Network{delays: delays, base: base, loss: loss, byAddr: make(map[netip.AddrPort]int64)}
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
	n.byAddr[a] = numberOf(site, len(n.places))
	n.places = append(n.places, p)
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
func (n *Network) Place(a netip.AddrPort) (place int64, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	place, ok = n.byAddr[a]
	return place, ok
}

// Between is Path for the numbers of places.
func (n *Network) Between(from, to int64) machine.Path {
	p := machine.Path{Delay: n.base}
	if a, b := siteIn(from), siteIn(to); n.delays != nil && a != b {
		p.Delay += machine.Duration(n.delays.OneWay(a, b))
	}
	if !n.muted && n.loss.any() {
		p.Loss = n.rate(from, to)
	}
	return p
}

func (n *Network) rate(from, to int64) float64 {
	i, k := indexIn(from), indexIn(to)
	a, b := &n.places[i], &n.places[k]
	if a.node && b.node {
		if siteIn(from) == siteIn(to) && n.delays != nil {
			return 0
		}
		lo, hi := min(i, k), max(i, k)
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
func (n *Network) ProcessOf(place int64) int {
	if n.domains == nil {
		return 0
	}
	return n.domains.Domain(siteIn(place))
}

// LookAhead returns the least delay between domains.
func (n *Network) LookAhead() machine.Duration {
	if n.domains == nil {
		return 0
	}
	return n.base + machine.Duration(n.domains.LookAhead())
}
