package cluster

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"

	"i3bench/i3/machine"
)

// A Config says what a world is. Its zero value is the plain loopback.
type Config struct {
	// Host is the address that endpoints are opened on. Default 127.0.0.1.
	Host netip.Addr
	// Network, if not nil, gives the delay and loss of every path.
	Network machine.Network
	// Seed decides which datagrams are lost.
	Seed uint64
	// SocketBuffer is the receive and send buffer asked for, in bytes; the system
	// may grant less. Default 4 MiB.
	SocketBuffer int
}

// A World is a set of endpoints that share a clock, a network and counters. It
// is safe for concurrent use.
type World struct {
	cfg   Config
	start time.Time
	count counters
}

// epoch is the machine time at which a world begins; machines use zero for
// timers that are not set.
const epoch = machine.Time(machine.Second)

// New returns a world without endpoints.
func New(cfg Config) *World {
	if !cfg.Host.IsValid() {
		cfg.Host = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if cfg.SocketBuffer == 0 {
		cfg.SocketBuffer = 4 << 20
	}
	return &World{cfg: cfg, start: time.Now()}
}

// Now returns the machine time.
func (w *World) Now() machine.Time { return w.at(time.Now()) }

// at returns the machine time of an instant.
func (w *World) at(t time.Time) machine.Time { return epoch.Add(machine.Duration(t.Sub(w.start))) }

// instant returns the instant of a machine time.
func (w *World) instant(t machine.Time) time.Time { return w.start.Add(time.Duration(t - epoch)) }

// Counters is what the endpoints of a world have done.
type Counters struct {
	Sent       uint64 // datagrams handed to the kernel
	Received   uint64 // datagrams read from sockets
	Lost       uint64 // of these, dropped by the network
	Filtered   uint64 // of these, dropped by an endpoint's filter
	SendErrors uint64 // datagrams the kernel refused
	Truncated  uint64 // datagrams longer than a buffer, dropped
	Overflow   uint64 // datagrams dropped because a delay line was full
}

type counters struct {
	sent, received, lost, filtered, sendErrors, truncated, overflow atomic.Uint64
}

// Counters returns what the endpoints have done so far.
func (w *World) Counters() Counters {
	c := &w.count
	return Counters{
		Sent: c.sent.Load(), Received: c.received.Load(), Lost: c.lost.Load(), Filtered: c.filtered.Load(),
		SendErrors: c.sendErrors.Load(), Truncated: c.truncated.Load(), Overflow: c.overflow.Load(),
	}
}

// addrWord makes a number of an address, for hashing.
func addrWord(a netip.AddrPort) uint64 {
	b := a.Addr().As16()
	return binary.BigEndian.Uint64(b[8:]) ^ binary.BigEndian.Uint64(b[:8])<<1 ^ uint64(a.Port())<<48
}
