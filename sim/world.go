package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// epoch is the virtual time at which a world begins. It is not zero because
// machines use zero for timers that are not set.
const epoch = machine.Time(machine.Second)

// DefaultDelay is the delay of every path of a world without a network.
const DefaultDelay = 100 * machine.Microsecond

// A Config says what a world is.
type Config struct {
	// Seed decides which datagrams are lost.
	Seed uint64
	// Network gives delays and losses. Nil means [DefaultDelay] and no loss.
	Network machine.Network
}

// A World is a set of machines in virtual time. It is confined to one
// goroutine.
type World struct {
	cfg       Config
	now       machine.Time
	events    queue
	serial    uint64
	endpoints map[netip.AddrPort]*Endpoint
	paths     map[[2]netip.AddrPort]uint64 // datagrams offered so far
	free      [][]byte
	out       *machine.Outbox
	trace     hash.Hash
	count     Counters
	nextPort  uint16
	nextAddr  netip.Addr
}

// Counters is what a world has carried.
type Counters struct {
	Offered   uint64 // datagrams sent by machines
	Delivered uint64
	Lost      uint64 // dropped by the network
	Filtered  uint64 // dropped by an endpoint's filter
	NoHost    uint64 // for an address where no machine runs
	Events    uint64 // deliveries and timers run
}

// New returns an empty world.
func New(cfg Config) *World {
	return &World{
		cfg:       cfg,
		now:       epoch,
		endpoints: make(map[netip.AddrPort]*Endpoint),
		paths:     make(map[[2]netip.AddrPort]uint64),
		out:       machine.NewOutbox(0, 0, 0),
		trace:     sha256.New(),
		nextAddr:  netip.AddrFrom4([4]byte{10, 0, 0, 1}),
		nextPort:  3000,
	}
}

// Now returns the virtual time.
func (w *World) Now() machine.Time { return w.now }

// Counters returns what the world has carried so far.
func (w *World) Counters() Counters { return w.count }

// TraceHash returns a hash of everything that has happened so far.
func (w *World) TraceHash() string { return hex.EncodeToString(w.trace.Sum(nil)) }

// Open returns an endpoint with an address of its own, without a machine.
func (w *World) Open() (*Endpoint, error) {
	e := &Endpoint{world: w, addr: netip.AddrPortFrom(w.nextAddr, w.nextPort), wake: machine.Never}
	w.nextAddr = w.nextAddr.Next()
	w.endpoints[e.addr] = e
	return e, nil
}

// Run runs until the virtual time is the given one.
func (w *World) Run(until machine.Time) {
	for w.events.len() > 0 && w.events.min().at <= until {
		w.step(w.events.pop())
	}
	w.now = max(w.now, until)
}

// RunWhile runs as long as cond holds, to the given virtual time at most, and
// reports whether cond ended it.
func (w *World) RunWhile(cond func() bool, until machine.Time) bool {
	for cond() {
		if w.events.len() == 0 || w.events.min().at > until {
			w.now = max(w.now, until)
			return false
		}
		w.step(w.events.pop())
	}
	return true
}

// Sleep runs for a length of virtual time.
func (w *World) Sleep(d machine.Duration) { w.Run(w.now.Add(d)) }

// step carries out one event.
func (w *World) step(ev event) {
	w.now = ev.at
	e := ev.to
	if ev.bytes == nil {
		if !e.running() || e.wake != ev.at {
			return // closed, or woken at another time since
		}
		w.count.Events++
		e.wake = machine.Never
		e.machine.Expire(w.now, w.out)
		e.flush()
		return
	}
	w.deliver(ev)
	w.free = append(w.free, ev.bytes[:0])
}

func (w *World) deliver(ev event) {
	e := ev.to
	d := machine.Datagram{From: ev.from, Bytes: ev.bytes}
	switch {
	case !e.running():
		w.count.NoHost++
		return
	case e.filter != nil && !e.filter(d):
		w.count.Filtered++
		return
	}
	w.count.Events++
	w.count.Delivered++
	w.note('d', ev.from, e.addr, ev.bytes, nil)
	w.deliverTo(e, d)
}

func (w *World) deliverTo(e *Endpoint, d machine.Datagram) {
	e.batch[0] = d
	e.machine.Receive(w.now, e.batch[:], w.out)
	e.flush()
}

// send puts a datagram, whose bytes are a followed by b, on its way.
func (w *World) send(from, to netip.AddrPort, a, b []byte) {
	w.count.Offered++
	path := machine.Path{Delay: DefaultDelay}
	if w.cfg.Network != nil {
		path = w.cfg.Network.Path(from, to)
	}
	key := [2]netip.AddrPort{from, to}
	n := w.paths[key]
	w.paths[key] = n + 1
	if path.Loss > 0 && prng.Unit(prng.Hash3(w.cfg.Seed, addrWord(from), addrWord(to), n)) < path.Loss {
		w.count.Lost++
		w.note('l', from, to, a, b)
		return
	}
	e, ok := w.endpoints[to]
	if !ok {
		w.count.NoHost++
		return
	}
	w.serial++
	w.events.push(event{at: w.now.Add(max(path.Delay, 1)), serial: w.serial, to: e, from: from, bytes: w.buffer(a, b)})
}

// addrWord makes a number of an address, for hashing.
func addrWord(a netip.AddrPort) uint64 {
	b := a.Addr().As16()
	return binary.BigEndian.Uint64(b[8:]) ^ binary.BigEndian.Uint64(b[:8])<<1 ^ uint64(a.Port())<<48
}

// buffer returns a copy of a followed by b.
func (w *World) buffer(a, b []byte) []byte {
	var buf []byte
	if n := len(w.free); n > 0 {
		buf, w.free = w.free[n-1], w.free[:n-1]
	} else {
		buf = make([]byte, 0, i3.MaxDatagram)
	}
	return append(append(buf, a...), b...)
}

// note adds one happening to the trace: to a datagram whose bytes are a followed
// by b.
func (w *World) note(what byte, from, to netip.AddrPort, a, b []byte) {
	var h [1 + 8 + 8 + 8 + 4]byte
	h[0] = what
	binary.BigEndian.PutUint64(h[1:], uint64(w.now))
	binary.BigEndian.PutUint64(h[9:], addrWord(from))
	binary.BigEndian.PutUint64(h[17:], addrWord(to))
	binary.BigEndian.PutUint32(h[25:], uint32(len(a)+len(b)))
	w.trace.Write(h[:])
	w.trace.Write(a)
	w.trace.Write(b)
}
