package experiments

import (
	"fmt"
	"strings"
	"sync"

	"i3bench/sim/topology"
)

// A Net names a simulated network: an instance of the transit-stub topology and
// the reading of its latencies, such as A-M, or powerlaw.
type Net string

// PowerLaw is the power-law network of the paper's footnote 6.
const PowerLaw Net = "powerlaw"

// Check returns an error unless n names a network.
func (n Net) Check() error {
	if n == PowerLaw {
		return nil
	}
	_, _, err := n.parse()
	return err
}

// parse returns the instance and the reading of a transit-stub network.
func (n Net) parse() (topology.Shape, topology.Reading, error) {
	instance, letter, ok := strings.Cut(string(n), "-")
	if !ok {
		return topology.Shape{}, 0, fmt.Errorf(
			"experiments: network %.20q: want an instance and a reading, such as A-M, or %s", string(n), PowerLaw)
	}
	shape, err := topology.Instance(instance)
	if err != nil {
		return shape, 0, err
	}
	reading, err := topology.ParseReading(letter)
	return shape, reading, err
}

// Open generates the network. The same seed gives the same network.
func (n Net) Open(seed uint64) (*topology.Network, error) {
	if n == PowerLaw {
		return topology.PowerLaw(seed, topology.PowerLawShape{})
	}
	shape, reading, err := n.parse()
	if err != nil {
		return nil, err
	}
	return topology.TransitStub(seed, shape, reading)
}

// servers returns a network with hosts at so many distinct places of it, chosen
// by the seed: those of the i3 servers, each with a LAN of receivers (section 6).
func (n Net) servers(seed uint64, count int) (*topology.Network, error) {
	all, err := n.Open(seed)
	if err != nil {
		return nil, err
	}
	places, err := all.Places(seed, count)
	if err != nil {
		return nil, err
	}
	return all.Sub(places)
}

// A netCache keeps the networks that runs beside each other share.
type netCache struct {
	mu   sync.Mutex
	nets map[netKey]*netEntry
}

type netKey struct {
	net     Net
	seed    uint64
	servers int
}

type netEntry struct {
	once sync.Once
	net  *topology.Network
	err  error
}

// get returns the servers' network. It is generated once.
func (c *netCache) get(n Net, seed uint64, servers int) (*topology.Network, error) {
	c.mu.Lock()
	if c.nets == nil {
		c.nets = make(map[netKey]*netEntry)
	}
	key := netKey{n, seed, servers}
	e := c.nets[key]
	if e == nil {
		e = &netEntry{}
		c.nets[key] = e
	}
	c.mu.Unlock()
	e.once.Do(func() { e.net, e.err = n.servers(seed, servers) })
	return e.net, e.err
}
