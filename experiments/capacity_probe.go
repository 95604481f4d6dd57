package experiments

import (
	"net/netip"
	"slices"
	"time"

	"i3bench/i3/machine"
	"i3bench/testbed"
)

// A probe counts what the endpoints of a scenario in virtual time send while load is offered. It belongs to one run.
// A nil probe is none: the scenario is as it would be without.
type probe struct {
	delay        time.Duration // of a datagram, mean; it takes half of that at least, and half as much again at most
	warm, length time.Duration // counting begins so long after the first operation, and ends so long after it

	places map[netip.AddrPort]int
	count  bool         // endpoints count
	begun  machine.Time // of the first operation; 0: not yet
	now    machine.Time // of the last call of a machine

	world     World
	datagrams int
	edges     map[edge]*flow
	busy      int // receivers of the pool that joined, were joining or leaving, summed over operations
	looks     int
}

// An edge is two endpoints, by the order in which they were opened.
type edge struct{ from, to int }

// A flow is what was sent over an edge.
type flow struct{ datagrams, bytes int }

// paths returns what a datagram meets in the probed world.
func (p *probe) paths() (machine.Network, time.Duration) {
	if p == nil {
		return nil, QueryTime
	}
	return testbed.NewNetwork(nil, machine.Duration(p.delay/2), testbed.Loss{}), p.delay
}

// opener opens endpoints that count.
func (p *probe) opener(open func() (testbed.Endpoint, error)) func() (testbed.Endpoint, error) {
	if p == nil || !p.count {
		return open
	}
	p.places, p.edges = make(map[netip.AddrPort]int), make(map[edge]*flow)
	return func() (testbed.Endpoint, error) {
		e, err := open()
		if err != nil {
			return nil, err
		}
		c := &countedEndpoint{Endpoint: e, probe: p, place: len(p.places)}
		p.places[e.Addr()] = c.place
		return c, nil
	}
}

// began is told that an operation begins.
func (p *probe) began(r *scenarioRun) {
	if p == nil {
		return
	}
	if p.begun == 0 {
		p.begun, p.world = r.world.Now(), r.world
	}
	if p.now = r.world.Now(); p.counting() {
		r.mu.Lock()
		p.busy += len(r.all) - len(r.idle) + len(r.orders)
		r.mu.Unlock()
		p.looks++
	}
}

// counting reports whether it is the time that counts.
func (p *probe) counting() bool {
	at := p.now.Sub(p.begun)
	return p.begun != 0 && at >= machine.Duration(p.warm) && at < machine.Duration(p.length)
}

// left counts what a machine has left in its outbox: what goes to one address in one call leaves together.
func (p *probe) left(place int, now machine.Time, out *machine.Outbox) {
	if p.now = now; !p.counting() {
		return
	}
	var seen []netip.AddrPort
	add := func(to netip.AddrPort, size int) {
		key := edge{place, p.places[to]}
		f := p.edges[key]
		if f == nil {
			f = new(flow)
			p.edges[key] = f
		}
		f.bytes += size
		if !slices.Contains(seen, to) {
			seen = append(seen, to)
			f.datagrams++
			p.datagrams++
		}
	}
	for _, s := range out.Sends() {
		add(s.To, len(s.Bytes))
	}
	for _, f := range out.Forwards() {
		add(f.To, len(f.Template)+len(f.Body))
	}
}

// perSecond returns the datagrams sent in a second of virtual time.
func (p *probe) perSecond() float64 { return float64(p.datagrams) / (p.length - p.warm).Seconds() }

// meanBusy returns how many receivers of the pool were busy at a time.
func (p *probe) meanBusy() float64 { return float64(p.busy) / float64(max(1, p.looks)) }

// sent returns the datagrams that the probed world has carried, from its begin on.
func (p *probe) sent() uint64 {
	if w, ok := p.world.(simWorld); ok {
		return w.Counters().Offered
	}
	return 0
}

// A countedEndpoint counts what its machine sends.
type countedEndpoint struct {
	testbed.Endpoint
	probe *probe
	place int
}

// Start runs a machine whose calls are counted.
func (e *countedEndpoint) Start(m machine.Machine) { e.Endpoint.Start(countedMachine{m, e}) }

// Do counts what f leaves.
func (e *countedEndpoint) Do(f func(now machine.Time, out *machine.Outbox)) {
	e.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
		f(now, out)
		e.probe.left(e.place, now, out)
	})
}

// A countedMachine is a machine whose sends are counted.
type countedMachine struct {
	machine.Machine
	at *countedEndpoint
}

// Receive hands datagrams on and counts what comes of them.
func (m countedMachine) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	m.Machine.Receive(now, batch, out)
	m.at.probe.left(m.at.place, now, out)
}

// Expire runs timers and counts what comes of them.
func (m countedMachine) Expire(now machine.Time, out *machine.Outbox) {
	m.Machine.Expire(now, out)
	m.at.probe.left(m.at.place, now, out)
}
