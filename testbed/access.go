package testbed

import (
	"net/netip"

	"i3bench/i3/machine"
)

// An Access is how wide the way between a host or node and the rest of the network
// is, in each direction. Zero bits per second are no limit.
type Access struct {
	Up, Down int64 // bit/s
	// Queue bounds the bytes that wait in each direction; what comes then is dropped.
	// Default [DefaultAccessQueue].
	Queue int
}

// DefaultAccessQueue is the bytes that wait for a way that is narrow.
const DefaultAccessQueue = 256 << 10

// wireHead is the bytes of IPv4 and UDP that a datagram has besides its own.
const wireHead = 28

// Behind returns an endpoint whose machine is behind an access: datagrams leave and
// arrive one after the other, each as long after the one before as it has bits. It
// works in virtual time; without limits the endpoint stays as it is.
func Behind(e Endpoint, a Access) Endpoint {
	if a.Up == 0 && a.Down == 0 {
		return e
	}
	if a.Queue == 0 {
		a.Queue = DefaultAccessQueue
	}
	return &accessed{Endpoint: e, access: a}
}

// An accessed endpoint is one behind an access.
type accessed struct {
	Endpoint
	access Access
	gate   *gate
}

// Start runs a machine behind the access. What waits for another is dropped.
func (e *accessed) Start(m machine.Machine) {
	e.gate = &gate{
		inner: m, out: machine.NewOutbox(0, 0, 0),
		up: pipe{rate: e.access.Up, limit: e.access.Queue}, down: pipe{rate: e.access.Down, limit: e.access.Queue},
	}
	e.Endpoint.Start(e.gate)
}

// Do calls f; what it sends goes through the access.
func (e *accessed) Do(f func(now machine.Time, out *machine.Outbox)) {
	e.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
		f(now, e.gate.out)
		e.gate.collect(now)
		e.gate.run(now, out)
	})
}

// A gate is a machine that hands to another what has come through the access, and
// sends what has gone through it.
type gate struct {
	inner    machine.Machine
	out      *machine.Outbox // the inner machine's
	up, down pipe
	batch    [1]machine.Datagram
}

// Receive takes what arrives at the far end of the access.
func (g *gate) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	for _, d := range batch {
		g.down.put(now, d.From, nil, d.Bytes)
	}
	g.run(now, out)
}

// Expire hands over and sends what is due.
func (g *gate) Expire(now machine.Time, out *machine.Outbox) { g.run(now, out) }

// Deadline returns when something is due next.
func (g *gate) Deadline() machine.Time {
	return min(g.inner.Deadline(), g.up.next(), g.down.next())
}

// run does what is due: what is through the access first, then the timers.
func (g *gate) run(now machine.Time, out *machine.Outbox) {
	for g.down.next() <= now {
		p := g.down.take()
		g.batch[0] = machine.Datagram{From: p.addr, Bytes: p.bytes}
		g.inner.Receive(now, g.batch[:], g.out)
		g.collect(now)
	}
	if g.inner.Deadline() <= now {
		g.inner.Expire(now, g.out)
		g.collect(now)
	}
	for g.up.next() <= now {
		p := g.up.take()
		out.Send(p.addr, p.bytes)
	}
}

// collect queues what the inner machine sends.
func (g *gate) collect(now machine.Time) {
	for _, s := range g.out.Sends() {
		g.up.put(now, s.To, nil, s.Bytes)
	}
	for _, f := range g.out.Forwards() {
		g.up.put(now, f.To, f.Template, f.Body)
	}
	g.out.Reset()
}

// A pipe is one direction of an access: first in, first out.
type pipe struct {
	rate    int64 // bit/s, 0 without a limit
	limit   int   // bytes
	bytes   int   // that wait
	free    machine.Time
	waiting []parcel
	dropped uint64
}

// A parcel is a datagram on its way, and when it is through.
type parcel struct {
	at    machine.Time
	addr  netip.AddrPort
	bytes []byte
}

// put queues a copy of a datagram of two parts, or drops it.
func (p *pipe) put(now machine.Time, addr netip.AddrPort, head, body []byte) {
	size := len(head) + len(body) + wireHead
	if p.bytes+size > p.limit {
		p.dropped++
		return
	}
	p.bytes += size
	p.free = max(p.free, now)
	if p.rate > 0 {
		p.free = p.free.Add(machine.Duration(int64(size) * 8 * int64(machine.Second) / p.rate))
	}
	b := append(append(make([]byte, 0, len(head)+len(body)), head...), body...)
	p.waiting = append(p.waiting, parcel{p.free, addr, b})
}

// next returns when the first datagram is through.
func (p *pipe) next() machine.Time {
	if len(p.waiting) == 0 {
		return machine.Never
	}
	return p.waiting[0].at
}

// take removes the first datagram.
func (p *pipe) take() parcel {
	first := p.waiting[0]
	p.waiting[0] = parcel{}
	p.waiting = p.waiting[1:]
	p.bytes -= len(first.bytes) + wireHead
	return first
}
