package sim

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"i3bench/i3/machine"
)

var errTooMany = fmt.Errorf("sim: open endpoint: the world has %d, want no more", maxEndpoints)

// An Endpoint is one address of a world and the machine that runs there. It is as
// large as a cache line.
type Endpoint struct {
	world   *World
	machine machine.Machine
	filter  func(machine.Datagram) bool
	wake    machine.Time // when the machine's timer event is queued, or Never
	place   int64        // by which the network knows the address, or noPlace
	process Process
	number  uint32
	sent    uint32 // datagrams offered so far, modulo 2^32
	lines   uint8  // of the machine in a cache, see HandleAll
	started bool   // ever
}

// A where is what must be known of an endpoint to send something there. The world
// keeps a copy of all of them together, which stays in a cache.
type where struct {
	place   int64
	process Process
}

// noPlace is the place of an endpoint that the network does not know.
const noPlace = -1

// Addr returns the endpoint's address.
func (e *Endpoint) Addr() netip.AddrPort { return addrOf(e.number) }

func addrOf(number uint32) netip.AddrPort {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], firstAddr+number)
	return netip.AddrPortFrom(netip.AddrFrom4(b), endpointPort)
}

// Start runs a machine at the endpoint, instead of the one that runs there. A
// [Divided] network is asked for the address the first time, and what was sent to
// it before is dropped; one that it does not know then is as far from all others
// as its look-ahead.
func (e *Endpoint) Start(m machine.Machine) {
	if d := e.world.divided; d != nil && !e.started {
		if place, ok := d.Place(e.Addr()); ok {
			e.place, e.process = place, Process(d.ProcessOf(place))
			e.world.where[e.number] = where{e.place, e.process}
		}
	}
	e.started = true
	e.machine = m
	e.lines = linesOf(m)
	e.call(func(w *worldWorker) { w.arm(e) })
}

// Do calls f, which may use the machine, at the present virtual time, and
// carries out what it leaves in the outbox.
func (e *Endpoint) Do(f func(now machine.Time, out *machine.Outbox)) {
	e.call(func(w *worldWorker) {
		t := w.turn(0)
		t.end = e
		f(w.now, t.out)
		w.flush(t)
	})
}

// call calls f with a worker at the present time.
func (e *Endpoint) call(f func(*worldWorker)) {
	w := &e.world.workers[0]
	w.enter(e.world.engine.At(e.process), e.world.Now())
	f(w)
}

// SetFilter makes the endpoint ask keep about every datagram before its machine
// sees it; nil keeps all. With several workers, those of endpoints in different
// processes are called at the same time.
func (e *Endpoint) SetFilter(keep func(machine.Datagram) bool) { e.filter = keep }

// Close stops the machine at once, as a crash does. What is under way to it is
// dropped.
func (e *Endpoint) Close() error {
	e.machine = nil
	return nil
}

func (e *Endpoint) running() bool { return e.machine != nil }
