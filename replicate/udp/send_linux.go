package udp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"i3bench/replicate"
)

// mmsghdr is struct mmsghdr of sendmmsg(2) and recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// The control messages of a sent message: the segment size of a train, then the source address. One that is not wanted
// is left out by where the kernel is told to begin and end.
const (
	align       = unix.SizeofPtr - 1
	spaceInt    = (unix.SizeofCmsghdr + 4 + align) &^ align // of a control message of up to 4 bytes
	spaceInfo   = (unix.SizeofCmsghdr + unix.SizeofInet4Pktinfo + align) &^ align
	spaceTrain  = spaceInt
	sizeControl = spaceTrain + spaceInfo
	sourceAt    = spaceTrain + unix.SizeofCmsghdr + 4 // struct in_pktinfo: ifindex, spec_dst, addr
)

// control is the space for them, of words so that it is aligned.
type control [sizeControl / unix.SizeofPtr]uintptr

func (c *control) bytes() *[sizeControl]byte { return (*[sizeControl]byte)(unsafe.Pointer(c)) }

// msgProbe is MSG_PROBE of Linux: find the way, but do not send.
const msgProbe = 0x10

// A sender turns messages into the form that sendmmsg takes. What does not change from call to call stays.
type sender struct {
	msgs     []mmsghdr
	names    []unix.RawSockaddrInet4
	controls []control
	segments int // most in a train; 1 when there are no trains (any more)
	log      func(string)
	count    *counters

	// call is sendmmsg; tests replace it.
	call func(fd int, msgs *mmsghdr, n int) (int, syscall.Errno)
}

func newSender(cfg Config, count *counters) *sender {
	s := &sender{
		msgs: make([]mmsghdr, cfg.Batch), names: make([]unix.RawSockaddrInet4, cfg.Batch),
		controls: make([]control, cfg.Batch), segments: cfg.Segments, log: cfg.Log, count: count, call: sendmmsg,
	}
	for i := range s.msgs {
		s.names[i].Family = unix.AF_INET
		s.msgs[i].hdr.Name = (*byte)(unsafe.Pointer(&s.names[i]))
		s.msgs[i].hdr.Namelen = unix.SizeofSockaddrInet4
		c := s.controls[i].bytes()
		h := (*unix.Cmsghdr)(unsafe.Pointer(&c[0]))
		h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
		h.SetLen(unix.SizeofCmsghdr + 2)
		h = (*unix.Cmsghdr)(unsafe.Pointer(&c[spaceTrain]))
		h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
		h.SetLen(unix.SizeofCmsghdr + unix.SizeofInet4Pktinfo)
	}
	return s
}

// sendmmsg hands messages to the kernel. The call cannot block, so the scheduler need not hear of it.
func sendmmsg(fd int, msgs *mmsghdr, n int) (int, syscall.Errno) {
	r, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(msgs)), uintptr(n),
		unix.MSG_DONTWAIT, 0, 0)
	return int(r), errno
}

func (s *sender) caps() replicate.Caps {
	return replicate.Caps{
		MaxMessages: len(s.msgs), MaxVectors: maxVectors, MaxSegments: s.segments, MaxBytes: MaxDatagram,
	}
}

// send sends messages until one cannot be sent.
func (s *sender) send(fd int, source netip.Addr, ms []replicate.Message) (done int, err error) {
	from := [4]byte{}
	if source.IsValid() {
		if source = source.Unmap(); !source.Is4() {
			return 0, s.refused(ErrAddress)
		}
		from = source.As4()
	}
	for done < len(ms) {
		n, bad := s.prepare(ms[done:], source.IsValid(), from)
		k, errno := s.flush(fd, n)
		s.count.took(ms[done : done+k])
		if done += k; errno != 0 {
			bad = s.explain(fd, k, errno)
		}
		s.forget(n)
		if bad != nil {
			return done, s.refused(bad)
		}
	}
	return done, nil
}

func (s *sender) refused(err error) error {
	s.count.refused.Add(1)
	return err
}

// prepare makes the first messages ready for the kernel, which reads their vectors where they lie, and returns how many
// and why the next is not: nil if only the batch is full.
func (s *sender) prepare(ms []replicate.Message, sourced bool, source [4]byte) (int, error) {
	ms = ms[:min(len(ms), len(s.msgs))]
	for i := range ms {
		m := &ms[i]
		to, err := check(m, s.segments)
		if err != nil {
			return i, err
		}
		name, h := &s.names[i], &s.msgs[i].hdr
		name.Addr = to.Addr().As4()
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Port))[:], to.Port())
		h.Iov = (*unix.Iovec)(unsafe.Pointer(unsafe.SliceData(m.Vectors)))
		h.SetIovlen(len(m.Vectors))
		from, end := spaceTrain, spaceTrain
		c := s.controls[i].bytes()
		if m.Segment != 0 && m.Size > m.Segment {
			from = 0
			binary.NativeEndian.PutUint16(c[unix.SizeofCmsghdr:], uint16(m.Segment))
		}
		if sourced {
			end = sizeControl
			*(*[4]byte)(c[sourceAt:]) = source
		}
		h.Control = nil
		if h.SetControllen(end - from); end > from {
			h.Control = &c[from]
		}
	}
	return len(ms), nil
}

// flush hands the first n prepared messages to the kernel, and returns how many it took and why not the next. The
// kernel names the reason only for the first of a call.
func (s *sender) flush(fd, n int) (done int, errno syscall.Errno) {
	for done < n && errno == 0 {
		var k int
		if k, errno = s.call(fd, &s.msgs[done], n-done); errno == unix.EINTR {
			k, errno = 0, 0
		} else if errno == 0 {
			done += k
		}
		s.count.sends.Add(1)
	}
	return done, errno
}

// forget drops the references to the first n messages' bytes.
func (s *sender) forget(n int) {
	for i := range s.msgs[:n] {
		s.msgs[i].hdr.Iov = nil
	}
}

// explain returns the error that stands for the kernel's about the i-th prepared message.
func (s *sender) explain(fd, i int, errno syscall.Errno) error {
	train := s.msgs[i].hdr.Control == &s.controls[i].bytes()[0]
	switch {
	case full(errno):
		return replicate.ErrFull
	case train && errno == unix.EMSGSIZE:
		return replicate.ErrTooLong
	case train && (errno == unix.EIO || errno == unix.EINVAL) && !s.unreachable(fd, i):
		s.segments = 1
		s.count.trainsOff.Add(1)
		s.log(fmt.Sprintf("udp: the kernel refuses trains (%v): single datagrams from now on", errno))
		return replicate.ErrNoTrains
	}
	return Refusal(errno)
}

// unreachable reports whether the kernel finds no way for the i-th prepared message, train or not: a source that is not
// this host's is refused with the same number as a train is. The question sends nothing.
func (s *sender) unreachable(fd, i int) bool {
	h := s.msgs[i].hdr
	h.Iov = nil
	h.SetIovlen(0)
	rest := int(h.Controllen) - spaceTrain
	h.Control = nil
	if h.SetControllen(rest); rest > 0 {
		h.Control = &s.controls[i].bytes()[spaceTrain]
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&h)),
		unix.MSG_DONTWAIT|unix.MSG_CONFIRM|msgProbe)
	return errno != 0
}
