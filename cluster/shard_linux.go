package cluster

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"i3bench/i3/machine"
)

// A shard is the carrier of many endpoints: one UDP socket for all loopback
// addresses of a port, and one goroutine that reads it, runs the machines and
// sends. The kernel tells each datagram's destination (IP_PKTINFO), by which the
// shard finds the endpoint; in return each datagram leaves with its endpoint's
// address as source. A system call so reads the datagrams of many endpoints, and
// no goroutine has to be woken for each.
type shard struct {
	world     *World
	fd        int
	wakeFD    int // an eventfd: a timer was set to an earlier time, or the end
	port      uint16
	endpoints atomic.Pointer[[]*Endpoint] // by number; copied when one is added
	closing   atomic.Bool
	done      chan struct{}

	mu     sync.Mutex // guards all to asleep, and that closing follows open
	open   int        // endpoints not closed
	timers deadlines
	asleep machine.Time // when the goroutine will wake by itself, 0 while it is awake

	reader  *reader
	touched []*Endpoint
	inboxes map[*Endpoint][]*slot
}

// firstHost is the loopback address of a shard's endpoint number 0.
var firstHost = binary.BigEndian.Uint32([]byte{127, 1, 0, 1})

// maxEndpoints bounds the endpoints of a shard.
const maxEndpoints = 1 << 16

func newShard(w *World) (*shard, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("cluster: open socket: %w", err)
	}
	s := &shard{world: w, fd: fd, done: make(chan struct{}), reader: newReader(), inboxes: make(map[*Endpoint][]*slot)}
	if err := s.setup(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	s.endpoints.Store(&[]*Endpoint{})
	go s.run()
	return s, nil
}

// setup binds the socket to a port of all loopback addresses. Datagrams from
// elsewhere cannot arrive: the socket is tied to the loopback device, and where
// the system does not allow that, their destination is no loopback address.
func (s *shard) setup() error {
	_ = unix.SetsockoptString(s.fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "lo")
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1); err != nil {
		return fmt.Errorf("cluster: set IP_PKTINFO: %w", err)
	}
	// Loopback never fragments what the protocol sends; saying so spares the
	// kernel drawing an identification for every datagram.
	_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	// The buffers serve many endpoints. The forced form needs a privilege; the
	// other is cut to what the system allows.
	size := s.world.cfg.SocketBuffer
	for _, o := range [][2]int{{unix.SO_RCVBUF, unix.SO_RCVBUFFORCE}, {unix.SO_SNDBUF, unix.SO_SNDBUFFORCE}} {
		if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, o[1], size) != nil {
			_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, o[0], size)
		}
	}
	if err := unix.Bind(s.fd, &unix.SockaddrInet4{}); err != nil {
		return fmt.Errorf("cluster: bind: %w", err)
	}
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		return fmt.Errorf("cluster: socket name: %w", err)
	}
	s.port = uint16(name.(*unix.SockaddrInet4).Port)
	if s.wakeFD, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("cluster: eventfd: %w", err)
	}
	return nil
}

// add returns a new endpoint of the shard.
func (s *shard) add() (*Endpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return nil, errEnded
	}
	old := *s.endpoints.Load()
	if len(old) == maxEndpoints {
		return nil, fmt.Errorf("cluster: open endpoint: a shard has %d already: want more shards", maxEndpoints)
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], firstHost+uint32(len(old)))
	e := newEndpoint(s.world, netip.AddrPortFrom(netip.AddrFrom4(b), s.port), s)
	all := append(old[:len(old):len(old)], e)
	s.endpoints.Store(&all)
	s.open++
	return e, nil
}

// find returns the endpoint of a destination address, or nil.
func (s *shard) find(dst [4]byte) *Endpoint {
	all := *s.endpoints.Load()
	if i := binary.BigEndian.Uint32(dst[:]) - firstHost; i < uint32(len(all)) {
		return all[i]
	}
	return nil
}

func (s *shard) start(*Endpoint) {}

// stop ends the shard with its last endpoint. The endpoint is marked closed:
// round does nothing any more, and a round under way holds its lock.
func (s *shard) stop(e *Endpoint) error {
	e.release()
	s.mu.Lock()
	s.open--
	last := s.open == 0
	if last {
		s.closing.Store(true) // no endpoint can be added now
	}
	s.mu.Unlock()
	if !last {
		return nil
	}
	s.world.forget(s)
	s.poke()
	<-s.done
	return unix.Close(s.wakeFD)
}

// poke wakes the goroutine.
func (s *shard) poke() {
	one := [8]byte{7: 1}
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		one = [8]byte{1}
	}
	_, _ = unix.Write(s.wakeFD, one[:])
}

// wake queues an endpoint's next call.
func (s *shard) wake(e *Endpoint, at machine.Time) {
	s.mu.Lock()
	earlier := s.timers.set(e, at) && s.asleep != 0 && at < s.asleep
	if earlier {
		s.asleep = at // one poke is enough
	}
	s.mu.Unlock()
	if earlier {
		s.poke()
	}
}

// run reads, runs machines and keeps time until the shard is closed.
func (s *shard) run() {
	defer close(s.done)
	defer unix.Close(s.fd)
	for !s.closing.Load() {
		n := s.reader.read(s.fd)
		if n > 0 {
			s.dispatch(n)
		}
		s.expire()
		if n < readBatch {
			s.sleep()
		} else {
			runtime.Gosched() // under load, leave room for whoever offers it
		}
	}
}

// dispatch sorts the datagrams read by endpoint and runs each endpoint once.
func (s *shard) dispatch(n int) {
	s.world.count.received.Add(uint64(n))
	for i := range n {
		sl, dst, ok := s.reader.slot(i)
		if !ok {
			s.world.count.truncated.Add(1)
			continue
		}
		e := s.find(dst)
		if e == nil {
			s.world.count.noHost.Add(1)
			continue
		}
		in := s.inboxes[e]
		if len(in) == 0 {
			s.touched = append(s.touched, e)
		}
		s.inboxes[e] = append(in, sl)
	}
	for _, e := range s.touched {
		e.round(s.inboxes[e])
		s.inboxes[e] = s.inboxes[e][:0]
	}
	s.touched = s.touched[:0]
	s.reader.renew(n)
}

// expire runs the endpoints whose time has come.
func (s *shard) expire() {
	now := s.world.Now()
	for {
		s.mu.Lock()
		e := s.timers.due(now)
		s.mu.Unlock()
		if e == nil {
			return
		}
		e.round(nil)
	}
}

// sleep waits for a datagram, the next timer or a poke.
func (s *shard) sleep() {
	s.mu.Lock()
	at := s.timers.next()
	s.asleep = at
	s.mu.Unlock()
	fds := [2]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}, {Fd: int32(s.wakeFD), Events: unix.POLLIN}}
	var timeout *unix.Timespec
	if at != machine.Never {
		ts := unix.NsecToTimespec(int64(max(0, at.Sub(s.world.Now()))))
		timeout = &ts
	}
	_, _ = unix.Ppoll(fds[:], timeout, nil)
	s.mu.Lock()
	s.asleep = 0
	s.mu.Unlock()
	if fds[1].Revents != 0 {
		var b [8]byte
		_, _ = unix.Read(s.wakeFD, b[:])
	}
}

// A reader reads datagrams and their destinations, many with one system call.
type reader struct {
	msgs     [readBatch]mmsghdr
	vectors  [readBatch]unix.Iovec
	names    [readBatch]unix.RawSockaddrInet4
	controls [readBatch][controlSize]byte
	slots    [readBatch]slot
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// controlSize is the space of one IP_PKTINFO control message.
const controlSize = unix.SizeofCmsghdr + 16

func newReader() *reader {
	r := &reader{}
	for i := range r.slots {
		r.slots[i].buf = make([]byte, bufferSize)
	}
	r.renew(readBatch)
	return r
}

// renew makes the first n messages ready for the next read; their buffers may
// have been replaced.
func (r *reader) renew(n int) {
	for i := range n {
		r.vectors[i].Base = &r.slots[i].buf[0]
		r.vectors[i].SetLen(bufferSize)
		h := &r.msgs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Namelen = unix.SizeofSockaddrInet4
		h.Iov = &r.vectors[i]
		h.SetIovlen(1)
		h.Control = &r.controls[i][0]
		h.SetControllen(controlSize)
	}
}

// read reads what is there and returns how many datagrams that was. The call
// cannot block, so the scheduler need not hear of it.
func (r *reader) read(fd int) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.msgs[0])), readBatch,
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// slot returns the i-th datagram read and the address it was sent to, and false
// if it was too long.
func (r *reader) slot(i int) (s *slot, dst [4]byte, ok bool) {
	m := &r.msgs[i]
	if m.hdr.Flags&unix.MSG_TRUNC != 0 || m.hdr.Controllen < controlSize {
		return nil, dst, false
	}
	s = &r.slots[i]
	s.n = int(m.n)
	s.from = fromSockaddr(&r.names[i])
	copy(dst[:], r.controls[i][unix.SizeofCmsghdr+8:]) // struct in_pktinfo: ifindex, spec_dst, addr
	return s, dst, true
}

func fromSockaddr(a *unix.RawSockaddrInet4) netip.AddrPort {
	p := (*[2]byte)(unsafe.Pointer(&a.Port))
	return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), binary.BigEndian.Uint16(p[:]))
}
