package cluster

import (
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"

	"i3bench/i3/machine"
)

// A writer turns an outbox into batches of datagrams. It points the kernel at
// the bytes where they lie: the outbox's arena, a trigger's template, a received
// buffer.
type writer struct {
	msgs    []ipv4.Message
	buffers [][2][]byte
	n       int
	addrs   map[netip.AddrPort]*net.UDPAddr
}

// maxAddrs bounds the addresses a writer remembers in the form that the socket
// wants. At the bound it forgets all and begins anew.
const maxAddrs = 8192

func newWriter() writer {
	return writer{
		msgs:    make([]ipv4.Message, writeBatch),
		buffers: make([][2][]byte, writeBatch),
		addrs:   make(map[netip.AddrPort]*net.UDPAddr),
	}
}

// send sends everything in the outbox and returns how many datagrams the kernel
// took and how many it refused.
func (w *writer) send(conn *ipv4.PacketConn, out *machine.Outbox) (sent, failed uint64) {
	for _, s := range out.Sends() {
		sent, failed = w.add(conn, s.To, nil, s.Bytes, sent, failed)
	}
	for _, f := range out.Forwards() {
		sent, failed = w.add(conn, f.To, f.Template, f.Body, sent, failed)
	}
	return w.flush(conn, sent, failed)
}

func (w *writer) add(conn *ipv4.PacketConn, to netip.AddrPort, a, b []byte, sent, failed uint64) (uint64, uint64) {
	m, v := &w.msgs[w.n], &w.buffers[w.n]
	if len(a) == 0 {
		v[0] = b
		m.Buffers = v[:1]
	} else {
		v[0], v[1] = a, b
		m.Buffers = v[:2]
	}
	m.Addr = w.addr(to)
	if w.n++; w.n < len(w.msgs) {
		return sent, failed
	}
	return w.flush(conn, sent, failed)
}

// flush hands the collected datagrams to the kernel. One that it refuses is
// skipped; the others still leave.
func (w *writer) flush(conn *ipv4.PacketConn, sent, failed uint64) (uint64, uint64) {
	for rest := w.msgs[:w.n]; len(rest) > 0; {
		n, err := conn.WriteBatch(rest, 0)
		if err != nil || n == 0 {
			failed++
			n = 1
		} else {
			sent += uint64(n)
		}
		rest = rest[n:]
	}
	w.n = 0
	return sent, failed
}

func (w *writer) addr(to netip.AddrPort) *net.UDPAddr {
	a, ok := w.addrs[to]
	if !ok {
		if len(w.addrs) == maxAddrs {
			clear(w.addrs)
		}
		a = net.UDPAddrFromAddrPort(to)
		w.addrs[to] = a
	}
	return a
}
