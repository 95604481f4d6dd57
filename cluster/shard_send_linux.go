package cluster

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// maxVectors is the most pieces that one datagram is gathered from.
const maxVectors = 16

// A gatherer turns an outbox into datagrams without copying: it points the
// kernel at the outbox's arena, the triggers' templates and the received
// buffers. Packets for the same address travel in one datagram as long as they
// fit [i3.MaxDatagram]: a datagram costs the kernel the same whatever is in it.
type gatherer struct {
	msgs     [writeBatch]mmsghdr
	vectors  [writeBatch][maxVectors]unix.Iovec
	names    [writeBatch]unix.RawSockaddrInet4
	to       [writeBatch]netip.AddrPort
	size     [writeBatch]int
	n        int
	fd       int
	control  [controlSize]byte
	sent     uint64
	failures uint64
}

// gatherers are reused by all endpoints; each is some twenty kilobytes.
var gatherers = sync.Pool{New: func() any { return new(gatherer) }}

func (s *shard) send(e *Endpoint, out *machine.Outbox) (sent, failed uint64) {
	g := gatherers.Get().(*gatherer)
	g.begin(s.fd, e.addr)
	for _, c := range out.Sends() {
		g.add(c.To, nil, c.Bytes)
	}
	for _, f := range out.Forwards() {
		g.add(f.To, f.Template, f.Body)
	}
	g.flush()
	sent, failed = g.sent, g.failures
	gatherers.Put(g)
	return sent, failed
}

// begin makes all datagrams leave with the given source address.
func (g *gatherer) begin(fd int, source netip.AddrPort) {
	g.fd, g.n, g.sent, g.failures = fd, 0, 0, 0
	h := (*unix.Cmsghdr)(unsafe.Pointer(&g.control[0]))
	h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
	h.SetLen(unix.SizeofCmsghdr + 12)
	addr := source.Addr().As4()
	copy(g.control[unix.SizeofCmsghdr+4:], addr[:]) // struct in_pktinfo: ifindex, spec_dst, addr
}

// add puts a packet, a followed by b, into a datagram for to.
func (g *gatherer) add(to netip.AddrPort, a, b []byte) {
	size := len(a) + len(b)
	i := g.find(to, size)
	h := &g.msgs[i].hdr
	for _, piece := range [2][]byte{a, b} {
		if len(piece) == 0 {
			continue
		}
		v := &g.vectors[i][h.Iovlen]
		v.Base = &piece[0]
		v.SetLen(len(piece))
		h.SetIovlen(int(h.Iovlen) + 1)
	}
	g.size[i] += size
}

// find returns the datagram that a packet of the given size goes into: the last
// one for the same address if it has room, or a new one. An earlier one would
// let the packet overtake others.
func (g *gatherer) find(to netip.AddrPort, size int) int {
	for i := g.n - 1; i >= 0; i-- {
		if g.to[i] != to {
			continue
		}
		if g.size[i]+size <= i3.MaxDatagram && g.msgs[i].hdr.Iovlen+2 <= maxVectors {
			return i
		}
		break
	}
	if g.n == writeBatch {
		g.flush()
	}
	i := g.n
	g.n++
	g.to[i], g.size[i] = to, 0
	name := &g.names[i]
	name.Family, name.Addr = unix.AF_INET, to.Addr().As4()
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Port))[:], to.Port())
	h := &g.msgs[i].hdr
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(name)), unix.SizeofSockaddrInet4
	h.Iov = &g.vectors[i][0]
	h.SetIovlen(0)
	h.Control = &g.control[0]
	h.SetControllen(controlSize)
	return i
}

// flush hands the datagrams to the kernel, without waiting for room. One that it
// refuses is skipped and counted; the others still leave.
func (g *gatherer) flush() {
	for done := 0; done < g.n; {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(g.fd), uintptr(unsafe.Pointer(&g.msgs[done])),
			uintptr(g.n-done), unix.MSG_DONTWAIT, 0, 0)
		if errno != 0 || n == 0 {
			g.failures++
			done++
			continue
		}
		g.sent += uint64(n)
		done += int(n)
	}
	g.n = 0
}
