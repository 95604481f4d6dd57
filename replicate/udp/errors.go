package udp

import (
	"errors"
	"net/netip"
	"syscall"

	"i3bench/replicate"
)

// Why a message cannot be sent whatever the kernel thinks of it. They are about that message only.
var (
	// ErrAddress: the address to send to is not one of IPv4 with a port, or the source not one of IPv4.
	ErrAddress = errors.New("udp: send: want an IPv4 address with a port")
	// ErrBounds: the message is not within the Caps.
	ErrBounds = errors.New("udp: send: message beyond the bounds of the socket")
)

// A Refusal is an error of the system about one message: no route, a packet filter, a datagram too long, and so on. It
// matches its syscall.Errno with errors.Is, and costs no allocation.
type Refusal syscall.Errno

// Error says what the system said.
func (r Refusal) Error() string { return "udp: " + syscall.Errno(r).Error() }

// Unwrap returns the number of the error.
func (r Refusal) Unwrap() error { return syscall.Errno(r) }

// full reports whether an error says that there is no room.
func full(e syscall.Errno) bool {
	return e == syscall.EAGAIN || e == syscall.ENOBUFS || e == syscall.ENOMEM
}

// check returns why a message cannot be sent with the given bounds, and the address to send it to.
func check(m *replicate.Message, segments int) (to netip.AddrPort, err error) {
	to = m.To
	if !to.Addr().Is4() {
		to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	}
	// The kernel would refuse port 0 with the error that also says that it has no trains.
	if !to.Addr().Is4() || to.Port() == 0 {
		return to, ErrAddress
	}
	switch {
	case m.Size > MaxDatagram || m.Size < 0 || len(m.Vectors) > maxVectors || m.Segment < 0:
		return to, ErrBounds
	case m.Segment == 0 || m.Size <= m.Segment:
		return to, nil
	case segments <= 1:
		return to, replicate.ErrNoTrains
	case m.Size > m.Segment*segments:
		return to, ErrBounds
	}
	return to, nil
}
