package cluster

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/replicate"
	"i3bench/replicate/udp"
)

// A socket is the carrier that every system has: a UDP socket and a goroutine for one
// endpoint.
type socket struct {
	world   *World
	conn    udp.Conn
	batch   int                // datagrams read at a time
	planner *replicate.Planner // guarded by the endpoint, as sending is

	done    chan struct{} // closed when the goroutine has ended, nil before start
	closing atomic.Bool
	armed   atomic.Int64 // the machine.Time of the endpoint's next call
	asleep  atomic.Bool
}

// How many datagrams are read at a time at a socket of one endpoint.
const (
	hostBatch = 16 // more rarely wait at that of one host
	nodeBatch = 64 // as many as the port reads in a call
)

// OpenAt returns an endpoint at an address and port, of a socket of its own. Port zero is any that is free.
func (w *World) OpenAt(addr netip.AddrPort) (*Endpoint, error) { return w.openSocket(addr, nodeBatch) }

// openSocket returns an endpoint on a socket of its own.
func (w *World) openSocket(addr netip.AddrPort, batch int) (*Endpoint, error) {
	conn, err := udp.Open(udp.Config{
		Local: addr, Buffer: w.cfg.SocketBuffer, Segments: w.cfg.Form.segments(), Portable: w.portable,
	})
	if err != nil {
		return nil, fmt.Errorf("cluster: open endpoint on %v: %w", addr, err)
	}
	p, err := w.newPlanner()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cluster: open endpoint: %w", err), conn.Close())
	}
	s := &socket{world: w, conn: conn, batch: batch, planner: p}
	s.armed.Store(int64(machine.Never))
	return newEndpoint(w, conn.Local(), s), nil
}

// segments returns how many datagrams a train may have.
func (f Form) segments() int {
	if f == Trains {
		return 0 // the port's own bound
	}
	return 1
}

// newPlanner returns a planner for what outboxes hold. A datagram may end with zeros: see machine.Datagram.
func (w *World) newPlanner() (*replicate.Planner, error) {
	return replicate.NewPlanner(replicate.Config{
		Copies: outSends + outForwards, Pending: outSends + outForwards, Datagram: i3.MaxDatagram,
		Single: w.cfg.Form == Single,
	})
}

// transmit plans what an outbox holds, hands it to a port from where it lies, and returns how many
// datagrams that took, and how many packets it did not take.
func transmit(out *machine.Outbox, p *replicate.Planner, port replicate.Port) (sent, failed uint64) {
	before := p.Counters()
	for _, c := range out.Sends() {
		p.Add(c.To, nil, c.Bytes)
	}
	for _, f := range out.Forwards() {
		p.Add(f.To, f.Template, f.Body)
	}
	p.Flush(port)
	after := p.Counters()
	return after.Datagrams - before.Datagrams, after.Dropped() - before.Dropped()
}

func (s *socket) start(e *Endpoint) {
	s.done = make(chan struct{})
	go s.run(e)
}

func (s *socket) stop(*Endpoint) error {
	s.closing.Store(true)
	s.conn.Wake()
	if s.done != nil {
		<-s.done
	}
	return s.conn.Close()
}

// run reads datagrams and keeps time until the socket is closed.
func (s *socket) run(e *Endpoint) {
	defer close(s.done)
	received, slots := make([]udp.Received, s.batch), make([]slot, s.batch)
	for i := range received {
		received[i].Buf = make([]byte, bufferSize)
	}
	var read []*slot
	for !s.closing.Load() {
		receiving.enter()
		n, _ := s.conn.Recv(received) // an error is about the past, and there is nobody to tell
		read = read[:0]
		for i := range received[:n] {
			r := &received[i]
			s.world.count.received.Add(1)
			s.world.count.truncated.Add(uint64(r.Lost))
			if r.Lost == 0 {
				slots[i] = slot{buf: r.Buf, n: r.N, from: r.From}
				read = append(read, &slots[i])
			}
		}
		if n > 0 || machine.Time(s.armed.Load()) <= s.world.Now() {
			e.round(read)
		}
		for i := range received[:n] { // the delay line may have kept a buffer and left another
			if slots[i].buf != nil {
				received[i].Buf, slots[i].buf = slots[i].buf, nil
			}
		}
		if n < s.batch {
			s.sleep()
		}
	}
}

// sleep waits for a datagram, the endpoint's next call, or somebody who calls.
func (s *socket) sleep() {
	s.asleep.Store(true) // before the time is looked at: who sets an earlier one will call
	timeout := time.Duration(-1)
	if at := machine.Time(s.armed.Load()); at != machine.Never {
		timeout = time.Duration(max(0, at.Sub(s.world.Now())))
	}
	_, _ = s.conn.Wait(timeout)
	s.asleep.Store(false)
}

// wake sets the time of the next call.
func (s *socket) wake(_ *Endpoint, at machine.Time) {
	before := machine.Time(s.armed.Swap(int64(at)))
	if at < before && s.asleep.Load() {
		s.conn.Wake()
	}
}

func (s *socket) send(_ *Endpoint, out *machine.Outbox) (sent, failed uint64) {
	return transmit(out, s.planner, s)
}

// Caps returns what the socket can do, for the planner.
func (s *socket) Caps() replicate.Caps { return s.conn.Caps() }

// Send hands messages to the kernel, for the planner.
func (s *socket) Send(ms []replicate.Message) (int, error) {
	sending.enter()
	n, err := s.conn.Send(ms)
	replicating.enter()
	return n, err
}
