package gateway

import (
	"fmt"
	"net/netip"
	"time"

	"i3bench/i3"
	"i3bench/i3/multicast"
)

// MaxPayload is the longest datagram that a gateway carries: what fits [i3.MaxDatagram] beside both headers. In a group
// with a key it is [multicast.TagSize] less.
const MaxPayload = i3.MaxDatagram - i3.HeaderSize - multicast.HeaderSize

// Defaults of the configurations.
const (
	// DefaultQueue is how many datagrams wait for their turn to be sent.
	DefaultQueue = 4096
	// DefaultIngressRate is how many datagrams a second become packets of the group.
	DefaultIngressRate = 4000
	// DefaultEgressRate is how many datagrams a second an egress sends: several times as many, so that it catches up
	// after a repair.
	DefaultEgressRate = 20000
	// DefaultBurst is how many datagrams leave at once. A socket with Linux's default buffer has room for three times as
	// many.
	DefaultBurst = 32
	// DefaultWindow is how many packets an egress keeps behind one that is missing: as many as hosts keep for repairs, so
	// that what cannot be repaired any more is not waited for.
	DefaultWindow = multicast.DefaultCache
	// DefaultWait is how long a packet waits for those before it. With the losses of section 6.3 half of the repairs take
	// some 20 ms, one in a hundred half a second, and the longest of some thousands three seconds: see docs/gateway.md.
	DefaultWait = 10 * time.Second
	// DefaultGrace is how long Close goes on sending what is queued.
	DefaultGrace = 2 * time.Second
)

// Bounds of the configurations.
const (
	maxQueue = 1 << 20
	maxRate  = 1e9
)

// An IngressConfig says where an ingress listens and how fast it sends. Zero means the default of each field.
type IngressConfig struct {
	// Listen is the address to listen at, IPv4. Default: a free port of all addresses.
	Listen netip.AddrPort
	// Rate is how many datagrams a second are sent at most. A source that sends a burst to a group makes the nodes send it
	// to everyone at once; paced, it costs nothing but a little time.
	Rate int
	// Burst is how many datagrams may leave at once after a pause.
	Burst int
	// Tagged says that the group has a key, so that there is room for less: see [MaxPayload].
	Tagged bool
	// Queue is how many datagrams may wait to be sent. What comes when so many do is dropped.
	Queue int
	// Grace is how long Close goes on sending what has arrived.
	Grace time.Duration
	// Tee, if not nil, is called with every datagram that arrived and is not too long, in order, before it is queued. The
	// bytes are good only during the call, which must not call the ingress.
	Tee func(datagram []byte)
}

// longest returns the longest datagram that the group carries.
func (c *IngressConfig) longest() int {
	if c.Tagged {
		return MaxPayload - multicast.TagSize
	}
	return MaxPayload
}

func (c *IngressConfig) setDefaults() error {
	return setDefaults("ingress", []number{
		{"rate", &c.Rate, DefaultIngressRate, maxRate},
		{"burst", &c.Burst, DefaultBurst, maxQueue},
		{"queue", &c.Queue, DefaultQueue, maxQueue},
	}, []duration{{"grace", &c.Grace, DefaultGrace}})
}

// An EgressConfig says where an egress sends and how long it waits. Zero means the default of each field but To.
type EgressConfig struct {
	// To is where every packet goes, as a datagram each; at least one address.
	To []netip.AddrPort
	// Wait is the longest that a packet waits for those before it.
	Wait time.Duration
	// Window is how many packets may come before one that is missing.
	Window int
	// Rate is how many packets a second are sent at most.
	Rate int
	// Burst is how many packets may leave at once after a pause.
	Burst int
	// Queue is how many packets that are in order may wait to be sent. What comes when so many do is dropped.
	Queue int
	// Grace is how long Close goes on sending what is there.
	Grace time.Duration
}

func (c *EgressConfig) setDefaults() error {
	if len(c.To) == 0 {
		return fmt.Errorf("gateway: egress: no address to send to: want at least one")
	}
	for _, to := range c.To {
		if !to.IsValid() || to.Port() == 0 {
			return fmt.Errorf("gateway: egress: address %v: want an address and a port", to)
		}
	}
	return setDefaults("egress", []number{
		{"window", &c.Window, DefaultWindow, maxQueue},
		{"rate", &c.Rate, DefaultEgressRate, maxRate},
		{"burst", &c.Burst, DefaultBurst, maxQueue},
		{"queue", &c.Queue, DefaultQueue, maxQueue},
	}, []duration{{"wait", &c.Wait, DefaultWait}, {"grace", &c.Grace, DefaultGrace}})
}

type number struct {
	name         string
	value        *int
	standard, at int
}

type duration struct {
	name     string
	value    *time.Duration
	standard time.Duration
}

// setDefaults fills in what is zero and refuses what makes no sense.
func setDefaults(what string, ns []number, ds []duration) error {
	for _, n := range ns {
		if *n.value == 0 {
			*n.value = n.standard
		}
		if *n.value < 0 || *n.value > n.at {
			return fmt.Errorf("gateway: %s: %s of %d: want 1 to %d", what, n.name, *n.value, n.at)
		}
	}
	for _, d := range ds {
		if *d.value == 0 {
			*d.value = d.standard
		}
		if *d.value < 0 {
			return fmt.Errorf("gateway: %s: %s of %v: want more than 0", what, d.name, *d.value)
		}
	}
	return nil
}
