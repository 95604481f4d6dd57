package experiments

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"i3bench/sim/topology"
)

// A Net names a simulated network: an instance of the transit-stub topology and
// the reading of its latencies, such as A-M, or powerlaw.
type Net string

// PowerLaw is the power-law network of the paper's footnote 6.
const PowerLaw Net = "powerlaw"

// powerLawNodes is its size, which the paper does not give: that of the others.
const powerLawNodes = 10_000

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
		return topology.PowerLaw(seed, topology.PowerLawShape{Nodes: powerLawNodes})
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

// Places returns how many places there are for servers, 0 of a network that does
// not exist.
func (n Net) Places() int {
	if n == PowerLaw {
		return powerLawNodes
	}
	shape, _, err := n.parse()
	if err != nil {
		return 0
	}
	return shape.Places()
}

// A netCache keeps the networks that runs beside each other share, and the last
// few that were used. A power-law network has tables of 200 MB.
type netCache struct {
	mu   sync.Mutex
	nets []*netEntry // those used last come last
}

// idleNets is how many networks that nobody uses are kept: runs on the same one
// follow each other, and between two of them nobody may be using it.
const idleNets = 2

type netKey struct {
	net     Net
	seed    uint64
	servers int
}

type netEntry struct {
	key   netKey
	users int
	once  sync.Once
	net   *topology.Network
	err   error
}

// use calls f with the servers' network, which is generated unless it is there.
func (c *netCache) use(key netKey, f func(*topology.Network) (string, error)) (string, error) {
	e := c.acquire(key)
	defer c.release(e)
	e.once.Do(func() { e.net, e.err = key.net.servers(key.seed, key.servers) })
	if e.err != nil {
		return "", e.err
	}
	return f(e.net)
}

func (c *netCache) acquire(key netKey) *netEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.nets, func(e *netEntry) bool { return e.key == key })
	if i < 0 {
		c.nets = append(c.nets, &netEntry{key: key})
		i = len(c.nets) - 1
	}
	c.nets[i].users++
	return c.nets[i]
}

// release drops those that nobody uses, but for the last few.
func (c *netCache) release(e *netEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	i := slices.Index(c.nets, e)
	c.nets = append(slices.Delete(c.nets, i, i+1), e)
	idle := 0
	for i := len(c.nets) - 1; i >= 0; i-- {
		if c.nets[i].users > 0 {
			continue
		}
		if idle++; idle > idleNets {
			c.nets = slices.Delete(c.nets, i, i+1)
		}
	}
}
