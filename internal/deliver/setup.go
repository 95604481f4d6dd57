package deliver

import (
	"cmp"
	"fmt"
	"time"
)

// A Setup says what is delivered to whom, and by whom.
type Setup struct {
	Sender   string        // the sender's role, by its name in Main
	Arg      string        // passed on to the roles as it is
	Fan      int           // receivers, at most MaxFan; 0 means 1
	Size     int           // bytes of a packet, all of them, at least 8; 0 means 512
	Window   int           // packets that may be under way to each receiver, at least 2; 0 means 512
	Trains   bool          // receivers take whole trains of datagrams from the kernel (UDP_GRO)
	Count    Counter       // how receivers count the packets of a datagram; nil: packets of Size back to back
	Own      bool          // there are no receivers but those of Local, which counts what they get
	Local    Role          // a role of this process, such as one that brings the sender its packets; nil: none
	Procs    int           // processors that the Go runtime of the sender uses; 0 means 1
	Warm     time.Duration // how long packets flow before it is measured; 0 means 100 ms
	Patience time.Duration // after which it is an error that nothing arrives; 0 means 5 s
	Startup  time.Duration // after which it is an error that a role is not ready; 0 means 10 s
}

// A Counter returns how many packets a datagram holds and what their numbers add up to, and 0 if it holds none or
// something else, which fails the run. Receivers call it at the same time.
type Counter func(datagram []byte) (packets int, sum uint64)

// filled returns the setup with the defaults in it, or an error if it cannot be.
func (s Setup) filled() (Setup, error) {
	s.Fan = cmp.Or(s.Fan, 1)
	s.Size = cmp.Or(s.Size, 512)
	s.Window = cmp.Or(s.Window, 512)
	s.Procs = cmp.Or(s.Procs, 1)
	s.Warm = cmp.Or(s.Warm, 100*time.Millisecond)
	s.Patience = cmp.Or(s.Patience, 5*time.Second)
	s.Startup = cmp.Or(s.Startup, 10*time.Second)
	if s.Count == nil {
		s.Count = backToBack(s.Size)
	}
	switch {
	case s.Fan < 1 || s.Fan > MaxFan:
		return s, fmt.Errorf("deliver: setup: %d receivers, want 1 to %d", s.Fan, MaxFan)
	case s.Size < numberSize || s.Size > maxDatagram:
		return s, fmt.Errorf("deliver: setup: packets of %d bytes, want %d to %d", s.Size, numberSize, maxDatagram)
	case s.Window < 2:
		return s, fmt.Errorf("deliver: setup: a window of %d packets, want at least 2", s.Window)
	case s.Own && s.Local == nil:
		return s, fmt.Errorf("deliver: setup: no receivers: Own without Local")
	}
	return s, nil
}

// maxDatagram is how many bytes a datagram of UDP holds at most.
const maxDatagram = 65507

// backToBack counts packets of one size, as many as fit in a datagram.
func backToBack(size int) Counter {
	return func(datagram []byte) (packets int, sum uint64) {
		for ; len(datagram) >= size; datagram = datagram[size:] {
			sum += Number(datagram[:size])
			packets++
		}
		if len(datagram) > 0 {
			return 0, 0
		}
		return packets, sum
	}
}
