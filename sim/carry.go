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
	count Counters
	batch [1]machine.Datagram
	last  storedCopy
	turns [beside]turn // of the machines that are called side by side
	room  any          // of all their outboxes, for one machine is called at a time

	warmed byte     // keeps the compiler from leaving reads out
	_      [64]byte // workers write here all the time: not on one cache line
}

// A turn is a machine's that has been called: what it was given, and what it wants
// done.
type turn struct {
	end *Endpoint // nil if no machine was called
	out *machine.Outbox
	buf []byte // the datagram received, which the machine may change
}

// turn returns the i-th turn, in which nothing has been done yet.
func (w *worldWorker) turn(i int) *turn {
	t := &w.turns[i]
	t.end = nil
	if t.out == nil {
		t.out = machine.NewOutbox(0, 0, 0)
	}
	t.out.Room = w.room
	return t
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
	t := ww.turn(0)
	ww.enter(ctx, ev.At)
	ww.begin(t, ev)
	ww.flush(t)
}

// begin calls the machine that an event is for.
func (w *worldWorker) begin(t *turn, ev *Event) {
	e := w.world.endpoint(uint32(ev.Arg & endpointOf))
	switch {
	case e.process != ev.To: // sent before it was started: all else of it is another process's now
		w.count.NoHost++
	case ev.Arg&timerEvent != 0:
		w.expire(t, e, ev.At)
	case !e.running():
		w.count.NoHost++
	default:
		w.deliver(t, e, uint32(ev.Arg>>fromShift&endpointOf), w.ctx.Bytes(ev))
	}
	w.room = t.out.Room
}

// expire tells a machine that its deadline has passed, unless it has another since.
func (w *worldWorker) expire(t *turn, e *Endpoint, at machine.Time) {
	if e.wake != at {
		return
	}
	e.wake = machine.Never
	if !e.running() {
		return
	}
	t.end = e
	w.count.Events++
	e.machine.Expire(at, t.out)
}

// deliver hands a datagram to the machine of an endpoint. The bytes may be those
// of other copies too: what the machine gets, and may write to, is its own.
func (w *worldWorker) deliver(t *turn, e *Endpoint, from uint32, bytes []byte) {
	t.buf = append(t.buf[:0], bytes...)
	w.batch[0] = machine.Datagram{From: addrOf(from), Bytes: t.buf}
	if e.filter != nil && !e.filter(w.batch[0]) {
		w.count.Filtered++
		return
	}
	t.end = e
	w.count.Events++
	w.count.Delivered++
	w.note('d', e, from, prng.Bytes(t.buf, nil))
	e.machine.Receive(w.now, w.batch[:], t.out)
}

// flush carries out what a machine wants done and posts its next timer.
func (w *worldWorker) flush(t *turn) {
	if t.end == nil {
		return
	}
	for _, s := range t.out.Sends() {
		w.send(t.end, s.To, s.Bytes, nil)
	}
	for _, f := range t.out.Forwards() {
		w.send(t.end, f.To, f.Template, f.Body)
	}
	t.out.Reset()
	w.arm(t.end)
}

// arm posts the deadline of an endpoint's machine unless an event stands for it
// already.
func (w *worldWorker) arm(e *Endpoint) {
	if !e.running() {
		return
	}
	at := e.machine.Deadline()
	if at == machine.Never || at == e.wake {
		return
	}
	e.wake = max(at, w.now)
	w.ctx.Post(e.process, e.wake, timerEvent|uint64(e.number), 0)
}

// What a random number of a datagram is drawn for.
const (
	drawLoss = iota
	drawJitter
)

// send puts a datagram, whose bytes are a followed by b, on its way.
func (w *worldWorker) send(e *Endpoint, addr netip.AddrPort, a, b []byte) {
	w.count.Offered++
	n := uint64(e.sent)
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
	case from.place == noPlace || w.where[to].place == noPlace:
		return machine.Path{Delay: d.LookAhead()}
	}
	return d.Between(from.place, w.where[to].place)
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
	t := &w.world.traces[e.process]
	*t = prng.Chain(*t, uint64(w.now), ends, content)
}
