package udp

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A receiver reads many datagrams or trains with one system call, into the caller's buffers.
type receiver struct {
	msgs     []mmsghdr
	vectors  []unix.Iovec
	names    []unix.RawSockaddrInet4
	controls []control // room for a segment size and a destination
	space    int       // bytes of it that are wanted
	count    *counters
}

func newReceiver(cfg Config, count *counters) *receiver {
	r := &receiver{
		msgs: make([]mmsghdr, cfg.Batch), vectors: make([]unix.Iovec, cfg.Batch),
		names: make([]unix.RawSockaddrInet4, cfg.Batch), controls: make([]control, cfg.Batch), count: count,
	}
	if cfg.GRO || cfg.Destinations {
		r.space = sizeControl
	}
	for i := range r.msgs {
		h := &r.msgs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Iov = &r.vectors[i]
		h.SetIovlen(1)
		if r.space > 0 {
			h.Control = &r.controls[i].bytes()[0]
		}
	}
	return r
}

// receive reads what is there, at most as much as there are results.
func (r *receiver) receive(fd int, rs []Received) (int, error) {
	rs = rs[:min(len(rs), len(r.msgs))]
	if len(rs) == 0 {
		return 0, nil
	}
	for i := range rs {
		r.vectors[i].Base = unsafe.SliceData(rs[i].Buf)
		r.vectors[i].SetLen(len(rs[i].Buf))
		h := &r.msgs[i].hdr
		h.Namelen = unix.SizeofSockaddrInet4
		h.SetControllen(r.space)
	}
	// With MSG_TRUNC the kernel tells the length of what it had to cut.
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.msgs[0])),
		uintptr(len(rs)), unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
	for i := range rs {
		r.vectors[i].Base = nil // the buffers are the caller's alone again
	}
	if errno != 0 {
		if errno == unix.EAGAIN || errno == unix.EINTR {
			return 0, nil
		}
		return 0, Refusal(errno)
	}
	for i := range rs[:n] {
		r.result(i, &rs[i])
	}
	r.count.arrived(rs[:n])
	return int(n), nil
}

// result writes what the i-th message says.
func (r *receiver) result(i int, to *Received) {
	segment := 0
	to.To = netip.Addr{}
	c := r.controls[i].bytes()[:min(sizeControl, int(r.msgs[i].hdr.Controllen))]
	for len(c) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&c[0]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(c) {
			break
		}
		switch data := c[unix.SizeofCmsghdr:size]; {
		case h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			segment = int(binary.NativeEndian.Uint32(data))
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			to.To = netip.AddrFrom4([4]byte(data[8:12])) // struct in_pktinfo: ifindex, spec_dst, addr
		}
		c = c[min(len(c), (size+align)&^align):]
	}
	to.cut(int(r.msgs[i].n), segment)
	a := &r.names[i]
	port := (*[2]byte)(unsafe.Pointer(&a.Port))
	to.From = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), binary.BigEndian.Uint16(port[:]))
}
