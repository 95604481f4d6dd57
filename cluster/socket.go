package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/ipv4"

	"i3bench/i3/machine"
)

// A socket is the portable carrier: a UDP socket and a goroutine for one
// endpoint. Its deadline for reading is the endpoint's timer.
type socket struct {
	world *World
	conn  *net.UDPConn
	batch *ipv4.PacketConn
	done  chan struct{} // closed when the goroutine has ended, nil before start
	armed machine.Time  // the read deadline that is set; guarded by the endpoint

	msgs    []ipv4.Message // for writing; guarded by the endpoint
	vectors [][2][]byte
	n       int
	addrs   map[netip.AddrPort]*net.UDPAddr
}

// maxAddrs bounds the addresses a socket remembers in the form that the system
// wants. At the bound it forgets all and begins anew.
const maxAddrs = 8192

// openSocket returns an endpoint on a socket of its own.
func (w *World) openSocket() (*Endpoint, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(w.cfg.Host, 0)))
	if err != nil {
		return nil, fmt.Errorf("cluster: open endpoint on %v: %w", w.cfg.Host, err)
	}
	// The system grants what its limits allow; a smaller buffer only drops
	// earlier, and the protocol repairs that.
	_ = conn.SetReadBuffer(w.cfg.SocketBuffer)
	_ = conn.SetWriteBuffer(w.cfg.SocketBuffer)
	s := &socket{
		world: w, conn: conn, batch: ipv4.NewPacketConn(conn), armed: machine.Never,
		msgs: make([]ipv4.Message, writeBatch), vectors: make([][2][]byte, writeBatch),
		addrs: make(map[netip.AddrPort]*net.UDPAddr),
	}
	return newEndpoint(w, unmapped(conn.LocalAddr()), s), nil
}

// unmapped returns a socket address as the protocol writes it.
func unmapped(a net.Addr) netip.AddrPort {
	u := a.(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(u.Addr().Unmap(), u.Port())
}

func (s *socket) start(e *Endpoint) {
	s.done = make(chan struct{})
	go s.run(e)
}

func (s *socket) stop(*Endpoint) error {
	err := s.conn.Close()
	if s.done != nil {
		<-s.done
	}
	return err
}

// run reads datagrams and keeps time until the socket is closed.
func (s *socket) run(e *Endpoint) {
	defer close(s.done)
	const batch = 16 // more rarely wait at a socket of one host
	msgs := make([]ipv4.Message, batch)
	slots := make([]slot, batch)
	for i := range msgs {
		slots[i].buf = make([]byte, bufferSize)
		msgs[i].Buffers = [][]byte{slots[i].buf}
	}
	var read []*slot
	for {
		n, err := s.batch.ReadBatch(msgs, 0)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			n = 0 // the deadline; nothing else concerns this socket
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			// A deadline that has passed stays, and makes every read fail. The
			// round sets the next one, if there is one.
			e.mu.Lock()
			s.armed = machine.Never
			_ = s.conn.SetReadDeadline(time.Time{})
			e.mu.Unlock()
		}
		read = s.collect(msgs[:n], slots, read[:0])
		e.round(read)
		for i := range n {
			msgs[i].Buffers[0] = slots[i].buf
		}
	}
}

// collect makes slots of the messages that were read whole.
func (s *socket) collect(msgs []ipv4.Message, slots []slot, read []*slot) []*slot {
	s.world.count.received.Add(uint64(len(msgs)))
	for i := range msgs {
		if msgs[i].Flags&truncated != 0 {
			s.world.count.truncated.Add(1)
			continue
		}
		slots[i].n, slots[i].from = msgs[i].N, unmapped(msgs[i].Addr)
		read = append(read, &slots[i])
	}
	return read
}

// wake sets the read deadline. One that is only too early stays: the goroutine
// wakes, finds nothing due, and sets it anew.
func (s *socket) wake(_ *Endpoint, at machine.Time) {
	if at >= s.armed {
		return
	}
	s.armed = at
	_ = s.conn.SetReadDeadline(s.world.instant(at))
}

func (s *socket) send(_ *Endpoint, out *machine.Outbox) (sent, failed uint64) {
	add := func(to netip.AddrPort, a, b []byte) {
		m, v := &s.msgs[s.n], &s.vectors[s.n]
		v[0], v[1] = a, b
		m.Buffers, m.Addr = v[:], s.addr(to)
		if len(a) == 0 {
			m.Buffers = v[1:]
		}
		if s.n++; s.n == len(s.msgs) {
			sent, failed = s.write(sent, failed)
		}
	}
	for _, c := range out.Sends() {
		add(c.To, nil, c.Bytes)
	}
	for _, f := range out.Forwards() {
		add(f.To, f.Template, f.Body)
	}
	return s.write(sent, failed)
}

// write hands the collected datagrams to the kernel. One that it refuses is
// skipped; the others still leave.
func (s *socket) write(sent, failed uint64) (uint64, uint64) {
	for rest := s.msgs[:s.n]; len(rest) > 0; {
		n, err := s.batch.WriteBatch(rest, 0)
		if err != nil || n == 0 {
			failed++
			n = 1
		} else {
			sent += uint64(n)
		}
		rest = rest[n:]
	}
	s.n = 0
	return sent, failed
}

func (s *socket) addr(to netip.AddrPort) *net.UDPAddr {
	a, ok := s.addrs[to]
	if !ok {
		if len(s.addrs) == maxAddrs {
			clear(s.addrs)
		}
		a = net.UDPAddrFromAddrPort(to)
		s.addrs[to] = a
	}
	return a
}

// instant returns the instant of a machine time.
func (w *World) instant(t machine.Time) time.Time { return w.start.Add(time.Duration(t - epoch)) }
