package udp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"i3bench/replicate"
)

// A socket is the Conn of Linux: a descriptor that no poller knows, and the tables of messages that its system calls
// are handed.
type socket struct {
	fd    int
	cfg   Config
	local netip.AddrPort
	tx    *sender
	rx    *receiver
	count counters
	poll  [2]unix.PollFd
	until unix.Timespec

	mu     sync.Mutex // guards wakeFD against Close
	wakeFD int        // an eventfd, -1 when closed
}

// openNative opens the best form of socket that this system has.
func openNative(cfg Config) (Conn, error) {
	s, err := openSocket(cfg, false, nil)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openSocket opens a socket that may share its port with others, and steers the input among them.
func openSocket(cfg Config, share bool, steer []unix.SockFilter) (*socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("udp: open socket: %w", err)
	}
	s := &socket{fd: fd, cfg: cfg, wakeFD: -1}
	s.tx = newSender(cfg, &s.count)
	if err := s.setup(cfg, share, steer); err != nil {
		_ = s.Close()
		return nil, err
	}
	s.rx = newReceiver(cfg, &s.count)
	s.poll = [2]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(s.wakeFD), Events: unix.POLLIN}}
	return s, nil
}

// setup prepares the socket and binds it.
func (s *socket) setup(cfg Config, share bool, steer []unix.SockFilter) error {
	if err := s.options(cfg, share); err != nil {
		return err
	}
	if len(steer) > 0 {
		// Before the socket is bound: no datagram may go astray before others join it.
		prog := unix.SockFprog{Len: uint16(len(steer)), Filter: &steer[0]}
		err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &prog)
		if err != nil {
			return fmt.Errorf("udp: steer input: %w", err)
		}
	}
	if err := unix.Bind(s.fd, &unix.SockaddrInet4{Port: int(cfg.Local.Port()), Addr: cfg.Local.Addr().As4()}); err != nil {
		return fmt.Errorf("udp: bind %v: %w", cfg.Local, err)
	}
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		return fmt.Errorf("udp: socket name: %w", err)
	}
	n := name.(*unix.SockaddrInet4)
	s.local = netip.AddrPortFrom(netip.AddrFrom4(n.Addr), uint16(n.Port))
	if s.wakeFD, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("udp: eventfd: %w", err)
	}
	return nil
}

// options sets what must be set before the socket is bound.
func (s *socket) options(cfg Config, share bool) error {
	for _, o := range []struct {
		want         bool
		level, which int
		name         string
	}{
		{share, unix.SOL_SOCKET, unix.SO_REUSEPORT, "SO_REUSEPORT"},
		{cfg.Destinations, unix.IPPROTO_IP, unix.IP_PKTINFO, "IP_PKTINFO"},
		{cfg.GRO, unix.SOL_UDP, unix.UDP_GRO, "UDP_GRO"},
	} {
		if !o.want {
			continue
		}
		if err := unix.SetsockoptInt(s.fd, o.level, o.which, 1); err != nil {
			return fmt.Errorf("udp: set %s: %w", o.name, err)
		}
	}
	// The forced form needs a privilege; the other is cut to what the system allows. Granted tells.
	for _, o := range [][2]int{{unix.SO_RCVBUF, unix.SO_RCVBUFFORCE}, {unix.SO_SNDBUF, unix.SO_SNDBUFFORCE}} {
		if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, o[1], cfg.Buffer) != nil {
			_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, o[0], cfg.Buffer)
		}
	}
	if cfg.Control != nil {
		if err := cfg.Control(uintptr(s.fd)); err != nil {
			return fmt.Errorf("udp: control: %w", err)
		}
	}
	return nil
}

// Caps returns what can be sent now.
func (s *socket) Caps() replicate.Caps { return s.tx.caps() }

// Send sends messages from an address that the kernel chooses.
func (s *socket) Send(ms []replicate.Message) (int, error) { return s.SendFrom(netip.Addr{}, ms) }

// SendFrom sends messages from an address of this host.
func (s *socket) SendFrom(source netip.Addr, ms []replicate.Message) (int, error) {
	return s.tx.send(s.fd, source, ms)
}

// A twin sends from a socket beside its Conn.
type twin struct {
	s  *socket
	tx *sender
}

// sender returns a twin.
func (s *socket) sender() Sender { return &twin{s, newSender(s.cfg, &s.count)} }

// Caps returns what can be sent now.
func (t *twin) Caps() replicate.Caps { return t.tx.caps() }

// Send sends messages from an address that the kernel chooses.
func (t *twin) Send(ms []replicate.Message) (int, error) { return t.SendFrom(netip.Addr{}, ms) }

// SendFrom sends messages from an address of this host.
func (t *twin) SendFrom(source netip.Addr, ms []replicate.Message) (int, error) {
	return t.tx.send(t.s.fd, source, ms)
}

// Recv receives what is there.
func (s *socket) Recv(rs []Received) (int, error) { return s.rx.receive(s.fd, rs) }

// Local returns the address that the socket is bound to.
func (s *socket) Local() netip.AddrPort { return s.local }

// Granted returns the sizes of the buffers.
func (s *socket) Granted() (send, receive int) {
	send, _ = unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	receive, _ = unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	return send, receive
}

// Stats returns what the socket has done.
func (s *socket) Stats() Stats { return s.count.stats() }

// Wait sleeps until there is something to do.
func (s *socket) Wait(timeout time.Duration) (bool, error) {
	var until *unix.Timespec
	if timeout >= 0 {
		s.until = unix.NsecToTimespec(int64(timeout))
		until = &s.until
	}
	s.poll[0].Revents, s.poll[1].Revents = 0, 0
	// Through the scheduler, unlike the other calls: this one sleeps.
	_, _, errno := unix.Syscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&s.poll[0])), uintptr(len(s.poll)),
		uintptr(unsafe.Pointer(until)), 0, 0, 0)
	if errno == unix.EINTR {
		return false, nil
	}
	if errno != 0 {
		return false, Refusal(errno)
	}
	if s.poll[1].Revents != 0 {
		var b [8]byte
		_, _ = unix.Read(s.wakeFD, b[:])
	}
	if s.poll[0].Revents&unix.POLLNVAL != 0 {
		return false, errClosed
	}
	return s.poll[0].Revents != 0, nil
}

// Wake ends a Wait.
func (s *socket) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakeFD < 0 {
		return
	}
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(s.wakeFD, one[:])
}

// Close closes the descriptors.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return nil
	}
	err := unix.Close(s.fd)
	if s.wakeFD >= 0 {
		_ = unix.Close(s.wakeFD)
	}
	s.fd, s.wakeFD = -1, -1
	s.poll[0].Fd, s.poll[1].Fd = -1, -1 // the numbers may be those of others soon
	return err
}
