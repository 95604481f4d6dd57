package sim

import (
	"net/netip"

	"i3bench/i3/machine"
)

// An Endpoint is one address of a world and the machine that runs there.
type Endpoint struct {
	world   *World
	addr    netip.AddrPort
	machine machine.Machine
	wake    machine.Time // when the machine's timer event is queued, or Never
	filter  func(machine.Datagram) bool
	batch   [1]machine.Datagram
}

// Addr returns the endpoint's address.
func (e *Endpoint) Addr() netip.AddrPort { return e.addr }

// Start runs a machine at the endpoint.
func (e *Endpoint) Start(m machine.Machine) {
	e.machine = m
	e.arm()
}

// Do calls f, which may use the machine, at the present virtual time, and
// carries out what it leaves in the outbox.
func (e *Endpoint) Do(f func(now machine.Time, out *machine.Outbox)) {
	f(e.world.now, e.world.out)
	e.flush()
}

// SetFilter makes the endpoint ask keep about every datagram before its machine
// sees it; nil keeps all.
func (e *Endpoint) SetFilter(keep func(machine.Datagram) bool) { e.filter = keep }

// Close stops the machine at once, as a crash does. What is under way to it is
// dropped.
func (e *Endpoint) Close() error {
	e.machine = nil
	return nil
}

func (e *Endpoint) running() bool { return e.machine != nil }

// flush carries out the outbox and queues the machine's next timer.
func (e *Endpoint) flush() {
	out := e.world.out
	for _, s := range out.Sends() {
		e.world.send(e.addr, s.To, s.Bytes, nil)
	}
	for _, f := range out.Forwards() {
		e.world.send(e.addr, f.To, f.Template, f.Body)
	}
	out.Reset()
	e.arm()
}

// arm queues the machine's deadline unless an event stands for it already.
func (e *Endpoint) arm() {
	if !e.running() {
		return
	}
	at := e.machine.Deadline()
	if at == machine.Never || at == e.wake {
		return
	}
	e.wake = max(at, e.world.now)
	e.world.serial++
	e.world.events.push(event{at: e.wake, serial: e.world.serial, to: e})
}
