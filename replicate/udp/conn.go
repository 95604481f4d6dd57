package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"i3bench/replicate"
)

// Bounds of what a socket can carry.
const (
	// MaxDatagram is the most bytes of a UDP payload over IPv4, and so of a train. Room for as many takes whatever
	// arrives.
	MaxDatagram = 65507
	// MaxSegments is the most datagrams that Linux takes in a train.
	MaxSegments = 128
	// MaxBatch is the most messages in one system call: the kernel's own bound.
	MaxBatch = 1024

	maxVectors    = 1024 // of a message: the kernel's bound
	defaultBatch  = 64   // more gain nothing: the call itself is then a hundredth of the cost
	defaultTrain  = 64   // segments
	defaultBuffer = 4 << 20
)

// A Config says what socket to open. The zero value is a socket of any free port of all addresses.
type Config struct {
	Local        netip.AddrPort // address to bind to, IPv4; zero: all addresses, a free port
	Buffer       int            // bytes to ask for, for each of the two buffers of the socket; 0: 4 MiB
	Batch        int            // messages in a system call, at most MaxBatch; 0: 64
	Segments     int            // datagrams in a train that is sent, at most MaxSegments; 0: 64; 1: no trains
	GRO          bool           // let trains arrive whole: buffers want room for MaxDatagram bytes; Linux only
	Destinations bool           // report the address that each datagram was sent to
	Portable     bool           // the portable form where there is a better one, to compare the two

	// Control is called with each socket before it is bound, to set what else it should have; nil sets nothing.
	Control func(fd uintptr) error
	// Log is called with a line when the socket loses an ability for good; nil drops it.
	Log func(line string)
}

// withDefaults returns the configuration with its zeros replaced, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if !c.Local.IsValid() {
		c.Local = netip.AddrPortFrom(netip.IPv4Unspecified(), c.Local.Port())
	}
	c.Local = netip.AddrPortFrom(c.Local.Addr().Unmap(), c.Local.Port())
	for _, v := range []struct {
		value    *int
		standard int
	}{{&c.Buffer, defaultBuffer}, {&c.Batch, defaultBatch}, {&c.Segments, defaultTrain}} {
		if *v.value == 0 {
			*v.value = v.standard
		}
	}
	if c.Log == nil {
		c.Log = func(string) {}
	}
	switch {
	case !c.Local.Addr().Is4():
		return c, fmt.Errorf("udp: open %v: want an IPv4 address", c.Local)
	case c.Buffer < 0 || c.Buffer > 1<<30:
		return c, fmt.Errorf("udp: open: buffer of %d bytes: want 1 to 2^30", c.Buffer)
	case c.Batch < 0 || c.Batch > MaxBatch:
		return c, fmt.Errorf("udp: open: batch of %d messages: want 1 to %d", c.Batch, MaxBatch)
	case c.Segments < 0 || c.Segments > MaxSegments:
		return c, fmt.Errorf("udp: open: trains of %d datagrams: want 1 to %d", c.Segments, MaxSegments)
	}
	return c, nil
}

// A Sender is the half of a Conn that sends.
type Sender interface {
	// Caps returns what can be sent now, which shrinks when the kernel refuses trains. Send takes any number of
	// messages and makes calls of MaxMessages of them.
	replicate.Port

	// SendFrom is Send with a source address, which must be one of this host's: an error about the first message
	// where it is not. The zero address leaves it to the kernel.
	SendFrom(source netip.Addr, ms []replicate.Message) (n int, err error)
}

// NewSender returns a Sender that uses the socket of a Conn, for one more goroutine: the kernel takes from several at
// once what they could only hand to one Conn in turn. It learns by itself that the kernel refuses trains, and ends
// with its Conn. Only Linux's own form has it; others are an error.
func NewSender(c Conn) (Sender, error) {
	if s, ok := c.(interface{ sender() Sender }); ok {
		return s.sender(), nil
	}
	return nil, fmt.Errorf("udp: new sender: %w", errors.ErrUnsupported)
}

// A Conn is a UDP socket, or several that send from one port.
//
// One goroutine may send while another receives and waits; two may not do the same. Wake may be called by any, also
// after Close; Close when no other call is under way.
type Conn interface {
	Sender

	// Recv fills the first n of rs with what has arrived, without waiting; n is 0 when nothing has, and at most the
	// batch of the configuration. The buffers are the caller's, before and after.
	Recv(rs []Received) (n int, err error)

	// Wait sleeps until something can be received, another goroutine calls Wake, or the time is over; negative
	// is for ever. ready reports the first of these; it may be wrong for a datagram that is dropped for its checksum.
	Wait(timeout time.Duration) (ready bool, err error)

	// Wake ends the Wait that is under way, or else the next.
	Wake()

	// Local returns the address that the socket is bound to.
	Local() netip.AddrPort

	// Granted returns the bytes that the kernel grants the buffers for sending and receiving, as it counts them:
	// with what it needs beside the payload.
	Granted() (send, receive int)

	// Stats returns what the socket has done so far; any goroutine may ask.
	Stats() Stats

	// Close gives up the socket. A second call does nothing.
	Close() error
}

// A Received is a datagram or a train that arrived, in a buffer of the caller's.
type Received struct {
	Buf     []byte         // the caller's; what is longer is cut off
	N       int            // bytes received: the whole datagrams among those that fit
	Segment int            // bytes of each datagram of a train, the last may be shorter; 0 for one datagram
	Lost    int            // datagrams cut off because Buf was too short
	From    netip.AddrPort // who sent it
	To      netip.Addr     // where to; only with Config.Destinations
}

// Datagrams returns how many datagrams were received whole.
func (r *Received) Datagrams() int {
	switch {
	case r.Segment > 0:
		return (r.N + r.Segment - 1) / r.Segment
	case r.Lost > 0:
		return 0
	}
	return 1
}

// Datagram returns the bytes of the i-th of them, which lie in Buf.
func (r *Received) Datagram(i int) []byte {
	if r.Segment == 0 {
		return r.Buf[:r.N:r.N]
	}
	end := min((i+1)*r.Segment, r.N)
	return r.Buf[i*r.Segment : end : end]
}

// cut makes r what is left of size bytes that arrived, in datagrams of segment bytes each or, for 0, in one.
func (r *Received) cut(size, segment int) {
	r.N, r.Segment, r.Lost = size, segment, 0
	if segment >= size {
		r.Segment = 0 // a train of one
	}
	if size <= len(r.Buf) {
		return
	}
	if r.Segment == 0 {
		r.N, r.Lost = 0, 1
		return
	}
	whole := len(r.Buf) / r.Segment
	r.N, r.Lost = whole*r.Segment, (size+r.Segment-1)/r.Segment-whole
}

// Stats counts what a socket has done.
type Stats struct {
	Received  uint64 // datagrams received whole
	Truncated uint64 // datagrams lost because the caller's buffer was too short
	Receives  uint64 // system calls for that, with a result
	Sent      uint64 // datagrams handed to the kernel
	Sends     uint64 // system calls for that, of which some were refused
	Refused   uint64 // messages not sent, for whatever reason
	TrainsOff uint64 // sockets that had to give up trains
}

// add adds the counts of another socket.
func (s *Stats) add(o Stats) {
	s.Received += o.Received
	s.Truncated += o.Truncated
	s.Receives += o.Receives
	s.Sent += o.Sent
	s.Sends += o.Sends
	s.Refused += o.Refused
	s.TrainsOff += o.TrainsOff
}

// counters are Stats in the making: each has one writer, and is added to once a call.
type counters struct {
	received, truncated, receives atomic.Uint64
	sent, sends, refused          atomic.Uint64
	trainsOff                     atomic.Uint64
}

func (c *counters) stats() Stats {
	return Stats{
		Received: c.received.Load(), Truncated: c.truncated.Load(), Receives: c.receives.Load(),
		Sent: c.sent.Load(), Sends: c.sends.Load(), Refused: c.refused.Load(), TrainsOff: c.trainsOff.Load(),
	}
}

// arrived counts what one call received.
func (c *counters) arrived(rs []Received) {
	var whole, lost uint64
	for i := range rs {
		whole += uint64(rs[i].Datagrams())
		lost += uint64(rs[i].Lost)
	}
	c.receives.Add(1)
	c.received.Add(whole)
	if lost > 0 {
		c.truncated.Add(lost)
	}
}

// took counts messages that the kernel took.
func (c *counters) took(ms []replicate.Message) {
	datagrams := 0
	for i := range ms {
		datagrams += ms[i].Datagrams()
	}
	c.sent.Add(uint64(datagrams))
}

// errClosed is what a closed socket says.
var errClosed = errors.New("udp: use of a closed socket")

// Open opens a socket.
func Open(cfg Config) (Conn, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if cfg.Portable {
		return openPortable(cfg)
	}
	return openNative(cfg)
}
