package cluster

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"sync"
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
	// Shards is how many goroutines run the machines, where the system allows many
	// endpoints to share a socket (Linux). Default: one for each processor. Negative:
	// every endpoint has a socket and a goroutine of its own, as elsewhere.
	Shards int
	// Form is how much of what leaves for one address leaves together, where shards carry it. Default: all that can.
	Form Form
	// SocketBuffer is the receive and send buffer asked for, in bytes; the system
	// may grant less. Default [DefaultSocketBuffer].
	SocketBuffer int
}

// DefaultSocketBuffer is how much may wait in a socket: Linux grants twice as many bytes, its own for each datagram
// with them, which are some 7,000 packets of 1 KB in trains. A node with 256 receivers is a second behind then if it
// is overloaded, and so are the receivers until that is worked off: more would be received too late. What is offered
// beyond is dropped by the kernel, which counts it.
const DefaultSocketBuffer = 4 << 20

// A Form says what leaves together. It is there to measure what that gains.
type Form uint8

// The forms.
const (
	Trains Form = iota // several packets in a datagram, several datagrams in a train
	Shared             // several packets in a datagram
	Single             // nothing: a datagram for each packet
)

// A World is a set of endpoints that share a clock, a network and counters. It
// is safe for concurrent use.
type World struct {
	cfg   Config
	start time.Time
	count counters

	portable bool // for tests: as on systems that have nothing better

	outboxes sync.Pool // of *machine.Outbox

	mu     sync.Mutex
	shards []*shard // opened so far
	opened int      // endpoints, to share them out
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
		cfg.SocketBuffer = DefaultSocketBuffer
	}
	return &World{cfg: cfg, start: time.Now(), outboxes: sync.Pool{New: newOutbox}}
}

// Now returns the machine time.
func (w *World) Now() machine.Time { return w.at(time.Now()) }

// at returns the machine time of an instant.
func (w *World) at(t time.Time) machine.Time { return epoch.Add(machine.Duration(t.Sub(w.start))) }

// Open returns an endpoint with an address of its own, without a machine.
func (w *World) Open() (*Endpoint, error) {
	if !canShard || w.cfg.Shards < 0 || w.portable {
		return w.openSocket(netip.AddrPortFrom(w.cfg.Host, 0), hostBatch)
	}
	for {
		s, err := w.nextShard()
		if err != nil {
			return nil, err
		}
		e, err := s.add()
		if !errors.Is(err, errEnded) {
			return e, err
		}
		w.forget(s)
	}
}

// errEnded is a shard's answer when its last endpoint was closed meanwhile.
var errEnded = errors.New("cluster: the shard has ended")

// nextShard returns the shards in turn, and opens them first.
func (w *World) nextShard() (*shard, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.cfg.Shards
	if n == 0 {
		n = runtime.NumCPU()
	}
	if len(w.shards) < n {
		s, err := newShard(w)
		if err != nil {
			return nil, err
		}
		w.shards = append(w.shards, s)
		w.opened++
		return s, nil
	}
	s := w.shards[w.opened%n]
	w.opened++
	return s, nil
}

// forget drops a shard that has ended.
func (w *World) forget(s *shard) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shards = slices.DeleteFunc(w.shards, func(t *shard) bool { return t == s })
}

// Counters is what the endpoints of a world have done.
type Counters struct {
	Sent       uint64 // datagrams handed to the kernel
	Received   uint64 // datagrams read from sockets
	Lost       uint64 // of these, dropped by the network
	Filtered   uint64 // of these, dropped by an endpoint's filter
	SendErrors uint64 // datagrams the kernel refused
	Truncated  uint64 // datagrams longer than a buffer, dropped
	Overflow   uint64 // datagrams dropped because a delay line was full
	NoHost     uint64 // datagrams read for an address where no machine runs, dropped
}

type counters struct {
	sent, received, lost, filtered, sendErrors, truncated, overflow, noHost atomic.Uint64
}

// Counters returns what the endpoints have done so far.
func (w *World) Counters() Counters {
	c := &w.count
	return Counters{
		Sent: c.sent.Load(), Received: c.received.Load(), Lost: c.lost.Load(), Filtered: c.filtered.Load(),
		SendErrors: c.sendErrors.Load(), Truncated: c.truncated.Load(), Overflow: c.overflow.Load(),
		NoHost: c.noHost.Load(),
	}
}

// addrWord makes a number of an address, for hashing.
func addrWord(a netip.AddrPort) uint64 {
	b := a.Addr().As16()
	return binary.BigEndian.Uint64(b[8:]) ^ binary.BigEndian.Uint64(b[:8])<<1 ^ uint64(a.Port())<<48
}
