package machine

import (
	"math"
	"net/netip"
)

// A Time is nanoseconds since the driver's epoch. Only drivers read a clock.
type Time int64

// A Duration is a length of time in nanoseconds.
type Duration int64

// Lengths of time.
const (
	Microsecond Duration = 1_000
	Millisecond          = 1000 * Microsecond
	Second               = 1000 * Millisecond
)

// Never is the deadline of a machine that has no timer pending.
const Never Time = math.MaxInt64

// Add returns the time d after t.
func (t Time) Add(d Duration) Time { return t + Time(d) }

// Sub returns how long after u t is.
func (t Time) Sub(u Time) Duration { return Duration(t - u) }

// Seconds returns d in seconds.
func (d Duration) Seconds() float64 { return float64(d) / float64(Second) }

// A Datagram is what arrived from one address, and may end with zeros that nobody sent: datagrams
// of one length travel in one go. The machine may read Bytes, and
// overwrite packet headers in it, until the driver has carried out the Outbox.
type Datagram struct {
	From  netip.AddrPort
	Bytes []byte
}

// A Machine is a protocol state machine. It performs no I/O, starts no
// goroutine, reads no clock and draws randomness only from the seed it was
// built with. All it learns arrives as a call; all it does leaves through out.
type Machine interface {
	// Receive handles datagrams that have arrived, in order.
	Receive(now Time, batch []Datagram, out *Outbox)

	// Deadline returns when Expire must next be called, or Never.
	Deadline() Time

	// Expire runs every timer due at now.
	Expire(now Time, out *Outbox)
}

// A Toucher is a machine that can read, changing nothing, what it will need when
// it is next called. A driver of many machines lets several of them do so one
// after the other, so that their waits for memory overlap.
type Toucher interface {
	// Hot returns how many of its first bytes it needs whenever it is called. The
	// driver reads them before it calls Touch.
	Hot() uintptr
	// Touch looks for what the datagram b needs, or without one a timer. It is called
	// with step 0 first, and as long as it returns a hint that is not zero, again with
	// the next step and that hint. In each step it should read what it knows to look
	// for, and not wait for it. The byte depends on what was read, so that no compiler
	// leaves it out.
	Touch(b []byte, step int, hint uint64) (next uint64, sum byte)
}

// A Path is what a datagram meets on its way from one address to another.
type Path struct {
	Delay Duration
	Loss  float64 // probability, 0 to 1
}

// A Network tells a driver about paths. It must be safe for concurrent use.
type Network interface {
	Path(from, to netip.AddrPort) Path
}
