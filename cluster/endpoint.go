package cluster

import (
	"net/netip"
	"sync"

	"i3bench/i3/machine"
)

// Sizes of buffers.
const (
	// readBatch is how many datagrams one system call reads.
	readBatch = 256
	// bufferSize is the longest datagram that is received whole.
	bufferSize = 2048
)

// A carrier moves an endpoint's datagrams and keeps its time: a socket of its
// own, or a share of one.
type carrier interface {
	// send hands the outbox to the kernel and returns how many datagrams it took
	// and how many it refused.
	send(e *Endpoint, out *machine.Outbox) (sent, failed uint64)
	// wake makes the carrier call round at the given time at the latest.
	wake(e *Endpoint, at machine.Time)
	// start begins to call round.
	start(e *Endpoint)
	// stop returns when round will not be called again.
	stop(e *Endpoint) error
}

// A slot is a buffer and the datagram that was read into it.
type slot struct {
	buf   []byte
	n     int
	from  netip.AddrPort
	place int // of what was received, where that is shared
}

// An Endpoint is one address and the machine that runs on it.
type Endpoint struct {
	world   *World
	addr    netip.AddrPort
	carrier carrier
	queued  machine.Time // when its shard's queue has it called; guarded by the shard
	place   int          // in that queue, from 1; 0 if it is not there

	mu      sync.Mutex // guards all below, and every call of the machine
	machine machine.Machine
	out     *machine.Outbox // during a call of the machine, else nil: see World.outboxes
	filter  func(machine.Datagram) bool
	line    delayLine
	ready   []machine.Datagram
	share   int // of them that the machine is handed at a time
	closed  bool
}

func newEndpoint(w *World, addr netip.AddrPort, c carrier) *Endpoint {
	return &Endpoint{world: w, addr: addr, carrier: c, share: firstShare}
}

// borrow gives the endpoint an outbox for a call of its machine. There are as many as machines run at a
// time, for one is larger than all else that a receiver needs.
func (e *Endpoint) borrow() { e.out = e.world.outboxes.Get().(*machine.Outbox) }

// giveBack gives the outbox, which is empty, to whoever is called next.
func (e *Endpoint) giveBack() {
	e.world.outboxes.Put(e.out)
	e.out = nil
}

// newOutbox returns an outbox.
func newOutbox() any { return machine.NewOutbox(outSends, outBytes, outForwards) }

// Bounds of an endpoint's outbox: what one batch of a node with a full fan-out
// needs.
const (
	outSends    = 512
	outBytes    = 256 << 10
	outForwards = 8192
)

// Addr returns the endpoint's address.
func (e *Endpoint) Addr() netip.AddrPort { return e.addr }

// Start runs a machine at the endpoint, instead of the one that runs there: what
// was sent to that one reaches the new one. On a closed endpoint it does nothing.
func (e *Endpoint) Start(m machine.Machine) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	first := e.machine == nil
	e.machine = m
	if first {
		e.carrier.start(e)
	}
	e.arm()
}

// Do calls f, which may use the machine, and carries out what it leaves in the
// outbox. f must not call the endpoint.
func (e *Endpoint) Do(f func(now machine.Time, out *machine.Outbox)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.borrow()
	running.enter()
	f(e.world.Now(), e.out)
	e.flush()
	e.giveBack()
	e.arm()
	nothing.enter()
}

// SetFilter makes the endpoint ask keep about every datagram before its machine
// sees it; nil keeps all. keep runs between calls of the machine.
func (e *Endpoint) SetFilter(keep func(machine.Datagram) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.filter = keep
}

// Close stops the machine at once, as a crash does. It returns when the machine
// will not be called again. Closing twice does nothing.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	closed := e.closed
	e.closed = true
	e.mu.Unlock()
	if closed {
		return nil
	}
	return e.carrier.stop(e)
}

// release gives back what only a living endpoint needs. The endpoint must be
// closed; a round that is under way is over when release returns.
func (e *Endpoint) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.machine, e.filter, e.ready, e.line = nil, nil, nil, delayLine{}
}

// round handles datagrams that were read, which may be none, and what is due.
// It may keep a slot's buffer and put another in its place.
func (e *Endpoint) round(slots []*slot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.machine == nil {
		e.world.count.noHost.Add(uint64(len(slots)))
		return
	}
	e.borrow()
	now := e.world.Now()
	e.ready = e.ready[:0]
	for _, s := range slots {
		e.take(now, s)
	}
	e.ready = e.line.due(now, e.ready)
	running.enter()
	e.receive(now, e.ready)
	e.line.recycle()
	if e.machine.Deadline() <= now {
		e.machine.Expire(now, e.out)
		e.flush()
	}
	e.giveBack()
	e.arm()
	receiving.enter()
}

// The datagrams that a machine is handed at a time: few enough that the copies of all find room in the
// outbox, whatever its fan-out is, and as many as allow for that, since packets for one address leave together.
const (
	firstShare = 8
	mostShare  = readBatch
)

// receive hands the machine datagrams, a share at a time.
func (e *Endpoint) receive(now machine.Time, ds []machine.Datagram) {
	for len(ds) > 0 {
		n := min(e.share, len(ds))
		e.machine.Receive(now, ds[:n], e.out)
		switch copies := len(e.out.Forwards()); {
		case copies > outForwards/2:
			e.share = max(1, e.share/2)
		case copies <= outForwards/4 && n == e.share:
			e.share = min(mostShare, 2*e.share)
		}
		e.flush()
		ds = ds[n:]
	}
}

// take decides what becomes of one datagram: nothing, the machine at once, or
// the delay line.
func (e *Endpoint) take(now machine.Time, s *slot) {
	d := machine.Datagram{From: s.from, Bytes: s.buf[:s.n]}
	if e.filter != nil && !e.filter(d) {
		e.world.count.filtered.Add(1)
		return
	}
	if e.world.cfg.Network == nil {
		e.ready = append(e.ready, d)
		return
	}
	path := e.world.cfg.Network.Path(s.from, e.addr)
	if e.line.lost(e.world.cfg.Seed, s.from, e.addr, path.Loss) {
		e.world.count.lost.Add(1)
		return
	}
	if !e.line.put(now.Add(path.Delay), d) {
		e.world.count.overflow.Add(1)
		return
	}
	s.buf = e.line.buffer()
}

// arm asks the carrier for a call when the machine or the delay line needs one.
func (e *Endpoint) arm() {
	if e.machine != nil {
		e.carrier.wake(e, min(e.machine.Deadline(), e.line.next()))
	}
}

// flush sends what the machine left in the outbox.
func (e *Endpoint) flush() {
	if e.out.Empty() {
		return
	}
	replicating.enter()
	sent, failed := e.carrier.send(e, e.out)
	running.enter()
	e.world.count.sent.Add(sent)
	e.world.count.sendErrors.Add(failed)
	e.out.Reset()
}
