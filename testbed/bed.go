package testbed

import (
	"fmt"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/i3/node"
	"i3bench/internal/prng"
)

// An Endpoint is an address at which a driver runs a machine.
type Endpoint interface {
	Addr() netip.AddrPort
	Start(machine.Machine)
	Do(func(now machine.Time, out *machine.Outbox))
	SetFilter(keep func(machine.Datagram) bool)
	Close() error
}

// A Config says what is deployed.
type Config struct {
	// Open opens an endpoint of the driver.
	Open func() (Endpoint, error)
	// Network is told where everything is; nil if the driver has none.
	Network *Network
	// Seed makes every random choice of the deployment and of its machines.
	Seed uint64
	// Nodes is the number of i3 nodes; node i is at site i modulo the sites.
	Nodes int
	// SourceSite is the site of the source; it uses the node there.
	SourceSite int
	// Degree is D: nodes hold at most D+1 triggers for an identifier. Default 8.
	Degree int
	// Group is the template of every member's configuration: schemes, policies
	// and intervals. Host, Group and Near are filled in. With a Name in it receivers
	// know the group by that alone, and its Door is the source's.
	Group multicast.Config
	// Pushback makes the nodes cut branches that lead to nothing, see [node.Config].
	Pushback bool
	// MaxSkew bounds the offset of each host's clock, drawn from [-MaxSkew,
	// MaxSkew). Zero means no offsets.
	MaxSkew machine.Duration
}

// A Bed is a running deployment.
type Bed struct {
	cfg    Config
	ring   *chord.Fixed
	places []chord.Place // of the nodes, on it
	group  i3.ID
	nodes  []Node
	sites  map[netip.AddrPort]int // of the nodes
	source Source
	// profile is what all receivers share, made with the first.
	profile *multicast.Profile
	hosts   uint64
	base    uint64 // hosts before the first receiver
}

// A Node is a deployed i3 node.
type Node struct {
	Endpoint Endpoint
	Machine  *node.Node
	Range    chord.Range
	epoch    uint32 // how often it was restarted
}

// A Source is the deployed source.
type Source struct {
	Endpoint Endpoint
	Machine  *multicast.Source
	Site     int
}

// A Receiver is a deployed receiver.
type Receiver struct {
	Endpoint Endpoint
	Machine  *multicast.Receiver
	Site     int
	// Number counts the receivers of a bed from 0.
	Number int
}

// The streams of random numbers that a bed draws from its seed.
const (
	streamPlaces = 100 + iota
	streamSecrets
	streamGroup
	streamHosts
)

// New deploys the nodes and starts the source.
func New(cfg Config) (*Bed, error) {
	if cfg.Open == nil || cfg.Nodes < 1 {
		return nil, fmt.Errorf("testbed: %d nodes: want a driver and at least one node", cfg.Nodes)
	}
	if cfg.Degree == 0 {
		cfg.Degree = 8
	}
	b := &Bed{cfg: cfg, sites: make(map[netip.AddrPort]int, cfg.Nodes)}
	if err := b.startNodes(); err != nil {
		b.Close()
		return nil, err
	}
	if err := b.startSource(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Bed) startNodes() error {
	places := make([]chord.Place, b.cfg.Nodes)
	rng := prng.New(b.cfg.Seed, streamPlaces)
	for i := range places {
		ep, err := b.cfg.Open()
		if err != nil {
			return err
		}
		b.nodes = append(b.nodes, Node{Endpoint: ep})
		b.sites[ep.Addr()] = i
		if b.cfg.Network != nil {
			b.sites[ep.Addr()] = b.cfg.Network.siteOf(i)
		}
		places[i] = chord.Place{Prefix: rng.Uint64(), Addr: ep.Addr()}
		if b.cfg.Network != nil {
			b.cfg.Network.PlaceNode(ep.Addr(), i)
		}
	}
	ring, err := chord.NewFixed(places)
	if err != nil {
		return err
	}
	b.ring, b.places = ring, places
	for i := range b.nodes {
		if err := b.startNode(i); err != nil {
			return err
		}
	}
	return nil
}

// RestartNode makes a node lose its memory, as a crash does: a new one, of a later
// epoch, runs at its address at once, and counts from zero. Like an index of a
// slice, i must lie in [0, len(Nodes())).
func (b *Bed) RestartNode(i int) error {
	b.nodes[i].epoch++
	return b.startNode(i)
}

func (b *Bed) startNode(i int) error {
	n := &b.nodes[i]
	n.Range, _ = b.ring.RangeOf(n.Endpoint.Addr())
	m, err := node.New(node.Config{
		Self:     n.Endpoint.Addr(),
		Range:    n.Range,
		Ring:     b.ring,
		Secret:   b.secret(i),
		Epoch:    1 + n.epoch,
		MaxPerID: b.cfg.Degree + 1,
		Lifetime: b.cfg.Group.Host.Lifetime,
		Pushback: b.cfg.Pushback,
		Limits:   node.Unlimited(), // the hosts of an experiment may share addresses
	})
	if err != nil {
		return err
	}
	n.Machine = m
	n.Endpoint.Start(m)
	return nil
}

// secret draws a node's secret from the seed. A testbed's nodes must be
// reproducible; real ones draw theirs from the operating system.
func (b *Bed) secret(i int) (s [32]byte) {
	rng := prng.New(b.cfg.Seed, streamSecrets+uint64(i)<<8)
	for k := range s {
		s[k] = byte(rng.Uint64())
	}
	return s
}

func (b *Bed) startSource() error {
	rng := prng.New(b.cfg.Seed, streamGroup)
	near := b.nodes[b.cfg.SourceSite%len(b.nodes)].Range
	var key i3.Key
	for i := range key {
		key[i] = byte(rng.Uint64())
	}
	b.group = i3.NewID(near.At(rng.Uint64()), key, rng.Uint64()).Private()
	ep, err := b.cfg.Open()
	if err != nil {
		return err
	}
	b.source = Source{Endpoint: ep, Site: b.cfg.SourceSite}
	if b.cfg.Network != nil {
		b.cfg.Network.PlaceHost(ep.Addr(), b.cfg.SourceSite, true)
	}
	cfg := b.memberConfig(ep.Addr(), b.cfg.SourceSite)
	cfg.Name = nil
	m, err := multicast.NewSource(cfg)
	if err != nil {
		return err
	}
	b.source.Machine = m
	b.base = b.hosts
	ep.Start(m)
	ep.Do(m.Start)
	return nil
}

// memberConfig fills in the template for one host.
func (b *Bed) memberConfig(self netip.AddrPort, site int) multicast.Config {
	b.hosts++
	cfg := b.cfg.Group
	cfg.Host = host.Config{
		Self:     self,
		Ring:     b.ring,
		Seed:     prng.Hash3(b.cfg.Seed, streamHosts, b.hosts, 0),
		Lifetime: b.cfg.Group.Host.Lifetime,
		Hurry:    b.cfg.Group.Host.Hurry,
		Retry:    b.cfg.Group.Host.Retry,
	}
	cfg.Group = b.group
	cfg.Near = b.nodes[site%len(b.nodes)].Range
	if m := int64(b.cfg.MaxSkew); m > 0 {
		rng := prng.New(b.cfg.Seed, streamHosts+b.hosts<<8)
		cfg.Skew = machine.Duration(rng.Between(-m, m))
	}
	return cfg
}

// AddReceiver deploys a receiver at a site, using the node there. It is idle.
func (b *Bed) AddReceiver(site int, events multicast.Events) (*Receiver, error) {
	ep, err := b.cfg.Open()
	if err != nil {
		return nil, err
	}
	if b.cfg.Network != nil {
		b.cfg.Network.PlaceHost(ep.Addr(), site, false)
	}
	cfg := b.memberConfig(ep.Addr(), site)
	if cfg.Name != nil { // it has to ask for these
		cfg.Group, cfg.Key = i3.ID{}, [32]byte{}
	}
	if b.profile == nil {
		if b.profile, err = multicast.NewProfile(cfg); err != nil {
			return nil, err
		}
	}
	m, err := b.profile.NewReceiver(multicast.Member{
		Self: ep.Addr(), Seed: cfg.Host.Seed, Near: cfg.Near, Skew: cfg.Skew, Events: &events,
	})
	if err != nil {
		return nil, err
	}
	ep.Start(m)
	return &Receiver{Endpoint: ep, Machine: m, Site: site, Number: int(b.hosts-b.base) - 1}, nil
}

// Source returns the source.
func (b *Bed) Source() *Source { return &b.source }

// Ring returns the ring of the nodes, for hosts beside the group.
func (b *Bed) Ring() *chord.Fixed { return b.ring }

// Nodes returns the nodes.
func (b *Bed) Nodes() []Node { return b.nodes }

// SiteOf returns the site of the node that owns an identifier; without delays,
// that node's number.
func (b *Bed) SiteOf(id i3.ID) int {
	owner, _ := b.ring.Owner(id.Prefix())
	return b.sites[owner]
}

// Group returns the group's identifier.
func (b *Bed) Group() i3.ID { return b.group }

// Join makes a receiver join.
func (r *Receiver) Join() { r.Endpoint.Do(r.Machine.Join) }

// Leave makes a receiver leave.
func (r *Receiver) Leave() { r.Endpoint.Do(r.Machine.Leave) }

// Send makes the source send one packet and returns its sequence number.
func (s *Source) Send(payload []byte) (seq uint64) {
	s.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { seq = s.Machine.Send(now, payload, out) })
	return seq
}

// Close stops the nodes and the source. Receivers are their owner's to close.
func (b *Bed) Close() error {
	for _, n := range b.nodes {
		if n.Endpoint != nil { // else it is another bed's
			n.Endpoint.Close()
		}
	}
	if b.source.Endpoint != nil {
		b.source.Endpoint.Close()
	}
	return nil
}
