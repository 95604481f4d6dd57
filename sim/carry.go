package sim

import (
	"net/netip"
	"unsafe"

	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// The word that an event of a world carries: the endpoint it is for, who sent
// the datagram, and whether it is a timer instead.
const (
	toBits     = 24
	fromShift  = toBits
	timerEvent = 1 << 63
	endpointOf = 1<<toBits - 1
)

// A worldWorker is what one of the engine's workers needs to run machines.
type worldWorker struct {
	world *World
	ctx   Context
	now   machine.Time
	out   *machine.Outbox
	count Counters
	batch [1]machine.Datagram
	buf   []byte // the datagram being received, which the machine may change
	last  storedCopy

	warmed byte     // keeps the compiler from leaving reads out
	_      [64]byte // workers write here all the time: not on one cache line
}

// A storedCopy remembers what was stored last, because copies of one packet
// follow each other: those that arrive in one window share their bytes.
type storedCopy struct {
	at       machine.Time
	ref      Ref
	template []byte
	body     []byte
}

func (w *worldWorker) enter(ctx Context, now machine.Time) {
	w.ctx, w.now = ctx, now
	w.last = storedCopy{}
}

// Handle carries out one event.
func (w *World) Handle(ctx Context, ev *Event) {
	ww := &w.workers[ctx.Worker()]
	e := w.endpoint(uint32(ev.Arg & endpointOf))
	ww.enter(ctx, ev.At)
	if e.where.process != ev.To { // sent before it was started: all else of it is another process's now
		ww.count.NoHost++
		return
	}
	if ev.Arg&timerEvent != 0 {
		if e.wake != ev.At {
			return // to be woken at another time since
		}
		e.wake = machine.Never
		if !e.running() {
			return
		}
		ww.count.Events++
		e.machine.Expire(ev.At, ww.out)
		ww.flush(e)
		return
	}
	ww.deliver(e, uint32(ev.Arg>>fromShift&endpointOf), ctx.Bytes(ev))
}

// deliver hands a datagram to the machine of an endpoint. The bytes may be those
// of other copies too: what the machine gets, and may write to, is its own.
func (w *worldWorker) deliver(e *Endpoint, from uint32, bytes []byte) {
	if !e.running() {
		w.count.NoHost++
		return
	}
	w.buf = append(w.buf[:0], bytes...)
	w.batch[0] = machine.Datagram{From: addrOf(from), Bytes: w.buf}
	if e.filter != nil && !e.filter(w.batch[0]) {
		w.count.Filtered++
		return
	}
	w.count.Events++
	w.count.Delivered++
	w.note('d', e, from, prng.Bytes(w.buf, nil))
	e.machine.Receive(w.now, w.batch[:], w.out)
	w.flush(e)
}

// flush carries out the outbox of an endpoint and posts its next timer.
func (w *worldWorker) flush(e *Endpoint) {
	for _, s := range w.out.Sends() {
		w.send(e, s.To, s.Bytes, nil)
	}
	for _, f := range w.out.Forwards() {
		w.send(e, f.To, f.Template, f.Body)
	}
	w.out.Reset()
	e.arm(w)
}

// What a random number of a datagram is drawn for.
const (
	drawLoss = iota
	drawJitter
)

// send puts a datagram, whose bytes are a followed by b, on its way.
func (w *worldWorker) send(e *Endpoint, addr netip.AddrPort, a, b []byte) {
	w.count.Offered++
	n := e.sent
	e.sent++
	to := w.world.lookup(addr)
	path := w.world.path(e, to, addr)
	seed := w.world.cfg.Seed
	if path.Loss > 0 && prng.Unit(prng.Hash3(seed, uint64(e.number), n, drawLoss)) < path.Loss {
		w.count.Lost++
		w.note('l', e, to, prng.Bytes(a, b))
		return
	}
	if to == noEndpoint {
		w.count.NoHost++
		return
	}
	delay := max(path.Delay, 1)
	if j := w.world.cfg.Jitter; j > 0 {
		delay += machine.Duration(prng.Unit(prng.Hash3(seed, uint64(e.number), n, drawJitter)) * float64(j))
	}
	w.post(e, to, w.now.Add(delay), a, b)
}

// path returns what a datagram meets on its way from one endpoint to another,
// which may be none if there is none at the address.
func (w *World) path(from *Endpoint, to uint32, addr netip.AddrPort) machine.Path {
	d := w.divided
	switch {
	case w.cfg.Network == nil:
		return machine.Path{Delay: DefaultDelay}
	case d == nil || to == noEndpoint:
		return w.cfg.Network.Path(from.Addr(), addr)
	case from.where.place == noPlace || w.where[to].place == noPlace:
		return machine.Path{Delay: d.LookAhead()}
	}
	return d.Between(int(from.where.place), int(w.where[to].place))
}

// post posts the arrival of a datagram. Consecutive copies of one packet that
// arrive in one window share their bytes.
func (w *worldWorker) post(from *Endpoint, to uint32, at machine.Time, a, b []byte) {
	l := &w.last
	if l.ref == 0 || !same(l.template, a) || !same(l.body, b) || !w.ctx.SameWindow(l.at, at) {
		*l = storedCopy{at: at, ref: w.ctx.Store(at, a, b), template: a, body: b}
	}
	w.ctx.Post(w.world.where[to].process, at, uint64(from.number)<<fromShift|uint64(to), l.ref)
}

// same reports whether two slices are the same memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

// note adds one happening to the trace of the process whose event is handled: to
// a datagram that was delivered at e, or lost on its way from there.
func (w *worldWorker) note(what byte, e *Endpoint, other uint32, content uint64) {
	ends := uint64(what)<<56 | uint64(e.number)<<toBits | uint64(other)
	t := &w.world.traces[e.where.process]
	*t = prng.Chain(*t, uint64(w.now), ends, content)
}
