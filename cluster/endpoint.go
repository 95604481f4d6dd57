package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/net/ipv4"

	"i3bench/i3/machine"
)

// Sizes of an endpoint's buffers.
const (
	// readBatch is how many datagrams one system call reads.
	readBatch = 32
	// writeBatch is how many datagrams one system call sends.
	writeBatch = 64
	// bufferSize is the longest datagram that is received whole.
	bufferSize = 2048
)

// An Endpoint is one UDP socket and the machine that runs on it.
type Endpoint struct {
	world *World
	conn  *net.UDPConn
	batch *ipv4.PacketConn
	addr  netip.AddrPort
	done  chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex // guards all below, and every call of the machine
	machine machine.Machine
	out     *machine.Outbox
	filter  func(machine.Datagram) bool
	armed   machine.Time // the read deadline that is set
	line    delayLine
	closed  bool

	writer writer
	reader []ipv4.Message // used by the goroutine alone
	ready  []machine.Datagram
}

// Open returns an endpoint on a port of its own, without a machine.
func (w *World) Open() (*Endpoint, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(w.cfg.Host, 0)))
	if err != nil {
		return nil, fmt.Errorf("cluster: open endpoint on %v: %w", w.cfg.Host, err)
	}
	// The system grants what its limits allow; a smaller buffer only drops
	// earlier, and the protocol repairs that.
	_ = conn.SetReadBuffer(w.cfg.SocketBuffer)
	_ = conn.SetWriteBuffer(w.cfg.SocketBuffer)
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	e := &Endpoint{
		world:  w,
		conn:   conn,
		batch:  ipv4.NewPacketConn(conn),
		addr:   netip.AddrPortFrom(local.Addr().Unmap(), local.Port()),
		done:   make(chan struct{}),
		out:    machine.NewOutbox(0, 0, 0),
		armed:  machine.Never,
		writer: newWriter(),
		reader: newReader(),
	}
	return e, nil
}

func newReader() []ipv4.Message {
	ms := make([]ipv4.Message, readBatch)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, bufferSize)}
	}
	return ms
}

// Addr returns the endpoint's address.
func (e *Endpoint) Addr() netip.AddrPort { return e.addr }

// Start runs a machine at the endpoint. It must be called once.
func (e *Endpoint) Start(m machine.Machine) {
	e.mu.Lock()
	e.machine = m
	e.arm(e.world.Now())
	e.mu.Unlock()
	go e.run()
}

// Do calls f, which may use the machine, and carries out what it leaves in the
// outbox. f must not call the endpoint.
func (e *Endpoint) Do(f func(now machine.Time, out *machine.Outbox)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	now := e.world.Now()
	f(now, e.out)
	e.flush()
	e.arm(now)
}

// SetFilter makes the endpoint ask keep about every datagram before its machine
// sees it; nil keeps all. keep runs on the endpoint's goroutine.
func (e *Endpoint) SetFilter(keep func(machine.Datagram) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.filter = keep
}

// Close stops the machine at once, as a crash does, and returns when the
// endpoint's goroutine has ended.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	started := e.machine != nil
	closed := e.closed
	e.closed = true
	e.mu.Unlock()
	if closed {
		return nil
	}
	err := e.conn.Close()
	if started {
		<-e.done
	}
	return err
}

// run reads datagrams and runs timers until the socket is closed.
func (e *Endpoint) run() {
	defer close(e.done)
	for {
		n, err := e.batch.ReadBatch(e.reader, 0)
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			n = 0
		case errors.Is(err, net.ErrClosed):
			return
		default:
			// Nothing that a socket reports of others' datagrams concerns this one.
			continue
		}
		if !e.round(e.reader[:n], err != nil) {
			return
		}
	}
}

// round handles what was read, and the timers that are due.
func (e *Endpoint) round(ms []ipv4.Message, woken bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	now := e.world.Now()
	e.world.count.received.Add(uint64(len(ms)))
	e.ready = e.ready[:0]
	for i := range ms {
		e.take(now, &ms[i])
	}
	e.ready = e.line.due(now, e.ready)
	if len(e.ready) > 0 {
		e.machine.Receive(now, e.ready, e.out)
		e.flush()
		e.line.recycle()
	}
	if woken {
		e.armed = machine.Never
	}
	if e.machine.Deadline() <= now {
		e.machine.Expire(now, e.out)
		e.flush()
	}
	e.arm(now)
	return true
}

// take decides what becomes of one datagram: nothing, the machine at once, or
// the delay line.
func (e *Endpoint) take(now machine.Time, m *ipv4.Message) {
	if m.N > bufferSize || m.Flags&truncated != 0 {
		e.world.count.truncated.Add(1)
		return
	}
	from := addrOf(m.Addr)
	d := machine.Datagram{From: from, Bytes: m.Buffers[0][:m.N]}
	if e.filter != nil && !e.filter(d) {
		e.world.count.filtered.Add(1)
		return
	}
	if e.world.cfg.Network == nil {
		e.ready = append(e.ready, d)
		return
	}
	path := e.world.cfg.Network.Path(from, e.addr)
	if e.line.lost(e.world.cfg.Seed, from, e.addr, path.Loss) {
		e.world.count.lost.Add(1)
		return
	}
	if !e.line.put(now.Add(path.Delay), d) {
		e.world.count.overflow.Add(1)
		return
	}
	m.Buffers[0] = e.line.buffer()
}

// addrOf returns the address of a datagram's sender.
func addrOf(a net.Addr) netip.AddrPort {
	u := a.(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(u.Addr().Unmap(), u.Port())
}

// arm sets the read deadline to when the machine or the delay line next needs a
// call. A deadline that is only too early stays: the goroutine wakes, finds
// nothing due, and sets it anew.
func (e *Endpoint) arm(now machine.Time) {
	at := min(e.machine.Deadline(), e.line.next())
	if at >= e.armed {
		if e.armed > now {
			return
		}
	}
	e.armed = at
	if at == machine.Never {
		_ = e.conn.SetReadDeadline(time.Time{})
		return
	}
	_ = e.conn.SetReadDeadline(e.world.instant(at))
}

// flush sends what the machine left in the outbox.
func (e *Endpoint) flush() {
	if e.out.Empty() {
		return
	}
	sent, failed := e.writer.send(e.batch, e.out)
	e.world.count.sent.Add(sent)
	e.world.count.sendErrors.Add(failed)
	e.out.Reset()
}
