package replicate

import (
	"errors"
	"net/netip"
	"unsafe"
)

// A Vector is bytes that the sender does not own: so many from an address on. It has the
// layout of the iovec of POSIX systems, so that a kernel can be handed a list of them
// as it is.
type Vector struct {
	Base *byte
	Len  uint
}

// VectorOf returns the vector of b, which must not be empty.
func VectorOf(b []byte) Vector { return Vector{unsafe.SliceData(b), uint(len(b))} }

func (v Vector) start() uintptr { return uintptr(unsafe.Pointer(v.Base)) }
func (v Vector) end() uintptr   { return v.start() + uintptr(v.Len) }

// Bytes returns what the vector leads to.
func (v Vector) Bytes() []byte { return unsafe.Slice(v.Base, v.Len) }

// A Message is what a [Port] sends to one address at once: the bytes of its vectors, one
// after the other. Without a Segment that is one datagram. With one it is a train: a
// datagram for each so many bytes, the last of which may be shorter.
type Message struct {
	To      netip.AddrPort
	Vectors []Vector
	Size    int // bytes in all
	Segment int // bytes of each datagram of a train; 0 for a single datagram
	Copies  int // packets in it, which is what counters count
}

// Datagrams returns how many datagrams the message is.
func (m *Message) Datagrams() int {
	if m.Segment == 0 {
		return 1
	}
	return (m.Size + m.Segment - 1) / m.Segment
}

// Caps is what a [Port] can do. A planner keeps within them.
type Caps struct {
	MaxMessages int // in one call of Send
	MaxVectors  int // in a message
	MaxSegments int // in a train; 0 or 1 where there are no trains
	MaxBytes    int // in a message
}

// A Port sends messages somewhere: to a kernel, to the rings of this process, or into a
// simulation.
type Port interface {
	// Caps returns what the port can do now; what it was refused it does not offer again.
	Caps() Caps
	// Send sends messages in order, without waiting, and returns how many of the first ones are
	// done with: the port holds on to nothing of them. err is why the next was not sent, and nil if
	// all were; it is one of the errors below, or another that is about that message only.
	Send(ms []Message) (n int, err error)
}

// Why a [Port] did not send a message.
var (
	// ErrFull: there is no room for it now. Others of its way out would fare alike.
	ErrFull = errors.New("replicate: no room to send")
	// ErrTooLong: a datagram of it is longer than its path takes in a train.
	ErrTooLong = errors.New("replicate: datagrams too long for a train")
	// ErrNoTrains: the port cannot send trains after all, neither this one nor any other.
	ErrNoTrains = errors.New("replicate: no trains")
)
