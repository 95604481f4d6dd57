package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openClass opens the socket that receives or, of the same port, one more to send.
func openClass(cfg Config, first bool) (Conn, error) {
	switch {
	case cfg.Portable && first:
		return openPortable(cfg)
	case cfg.Portable:
		return nil, errors.New("udp: one class in the portable form")
	}
	var program []unix.SockFilter
	if first {
		// A socket that has a program joins no others, so the port must be free as without sharing.
		program = ToFirst().program(1)
	}
	s, err := openSocket(cfg, true, program)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// A ways asks the kernel for ways out, with a socket that never sends.
type ways struct{ fd int }

// openWays returns nil where ways are not told apart.
func openWays(cfg Config) (*ways, error) {
	if cfg.Portable {
		return nil, nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("udp: open socket for routes: %w", err)
	}
	if cfg.Control != nil {
		if err := cfg.Control(uintptr(fd)); err != nil { // it may choose the device
			_ = unix.Close(fd)
			return nil, fmt.Errorf("udp: control: %w", err)
		}
	}
	return &ways{fd}, nil
}

// local returns the address that datagrams to another leave with.
func (w *ways) local(to netip.Addr) (netip.Addr, error) {
	if !to.Is4() {
		return netip.Addr{}, ErrAddress
	}
	// A connected socket keeps its address for the next connect(2), unless it is disconnected first.
	none := unix.RawSockaddrInet4{Family: unix.AF_UNSPEC}
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(w.fd), uintptr(unsafe.Pointer(&none)),
		unix.SizeofSockaddrInet4)
	if errno != 0 {
		return netip.Addr{}, Refusal(errno)
	}
	const discard = 9 // nothing is sent; any port does
	if err := unix.Connect(w.fd, &unix.SockaddrInet4{Port: discard, Addr: to.As4()}); err != nil {
		return netip.Addr{}, err
	}
	name, err := unix.Getsockname(w.fd)
	if err != nil {
		return netip.Addr{}, err
	}
	return netip.AddrFrom4(name.(*unix.SockaddrInet4).Addr), nil
}

func (w *ways) close() {
	if w.fd >= 0 {
		_ = unix.Close(w.fd)
		w.fd = -1
	}
}
