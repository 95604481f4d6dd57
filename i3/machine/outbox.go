package machine

import (
	"net/netip"

	"i3bench/i3"
)

// Limits of an Outbox built by [NewOutbox] with zero arguments.
const (
	// DefaultSends is the number of control datagrams between two flushes.
	DefaultSends = 1024
	// DefaultForwards is the number of copies between two flushes.
	DefaultForwards = 8192
	// DefaultBytes is the number of bytes of control datagrams between two
	// flushes.
	DefaultBytes = 512 << 10
)

// An Outbox collects what a Machine wants sent. Its capacity is fixed when it
// is built; a full Outbox drops and counts, it never grows.
type Outbox struct {
	arena    []byte
	sends    []Send
	forwards []Forward
	dropped  uint64
	scratch  []byte
	// Room is for what a machine needs only while it is called: others of its kind
	// that are handed the same Outbox find there what it has left. It lies in a
	// cache, where each machine's own would not.
	Room any
}

// A Send is one control datagram to one address. Bytes aliases the Outbox.
type Send struct {
	To    netip.AddrPort
	Bytes []byte
}

// A Forward is one copy of a received packet to one address: Template followed
// by Body. Template aliases the machine and may be empty, Body aliases the
// received datagram. All copies with the same Template and Body are
// byte-identical.
type Forward struct {
	To       netip.AddrPort
	Template []byte
	Body     []byte
}

// NewOutbox returns an Outbox for at most so many control datagrams of so many
// bytes in all and so many copies. Zero means the default.
func NewOutbox(sends, bytes, forwards int) *Outbox {
	return &Outbox{
		arena:    make([]byte, 0, orDefault(bytes, DefaultBytes)),
		sends:    make([]Send, 0, orDefault(sends, DefaultSends)),
		forwards: make([]Forward, 0, orDefault(forwards, DefaultForwards)),
	}
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// Send queues a copy of the packet pkt for to and reports whether there was
// room. Packets queued in succession for the same address travel in one
// datagram as long as they fit [i3.MaxDatagram].
func (o *Outbox) Send(to netip.AddrPort, pkt []byte) bool { return o.SendParts(to, pkt, nil) }

// SendParts is Send of the packet made of head and body.
func (o *Outbox) SendParts(to netip.AddrPort, head, body []byte) bool {
	size := len(head) + len(body)
	if len(o.arena)+size > cap(o.arena) {
		o.dropped++
		return false
	}
	if n := len(o.sends); n > 0 && o.sends[n-1].To == to && len(o.sends[n-1].Bytes)+size <= i3.MaxDatagram {
		last := &o.sends[n-1]
		start := len(o.arena) - len(last.Bytes)
		o.arena = append(append(o.arena, head...), body...)
		last.Bytes = o.arena[start:len(o.arena):len(o.arena)]
		return true
	}
	if len(o.sends) == cap(o.sends) {
		o.dropped++
		return false
	}
	start := len(o.arena)
	o.arena = append(append(o.arena, head...), body...)
	o.sends = append(o.sends, Send{to, o.arena[start:len(o.arena):len(o.arena)]})
	return true
}

// Scratch returns an empty buffer in which a machine builds one thing to send,
// so that machines, of which there may be millions, need none of their own. It is
// good until the next call of Scratch; [Outbox.Keep] keeps it if it has grown.
func (o *Outbox) Scratch() []byte { return o.scratch[:0] }

// Keep makes b, which began as Scratch, the buffer that Scratch returns next.
func (o *Outbox) Keep(b []byte) { o.scratch = b }

// Forward queues one copy and reports whether there was room. It copies
// neither template nor body.
func (o *Outbox) Forward(to netip.AddrPort, template, body []byte) bool {
	if len(o.forwards) == cap(o.forwards) {
		o.dropped++
		return false
	}
	o.forwards = append(o.forwards, Forward{to, template, body})
	return true
}

// Sends returns the control datagrams queued since the last Reset.
func (o *Outbox) Sends() []Send { return o.sends }

// Forwards returns the copies queued since the last Reset.
func (o *Outbox) Forwards() []Forward { return o.forwards }

// Dropped returns how many packets found no room since the Outbox was built.
func (o *Outbox) Dropped() uint64 { return o.dropped }

// Empty reports whether nothing is queued.
func (o *Outbox) Empty() bool { return len(o.sends) == 0 && len(o.forwards) == 0 }

// Reset empties the Outbox. What Sends and Forwards returned is invalid then.
func (o *Outbox) Reset() {
	clear(o.forwards)
	o.arena, o.sends, o.forwards = o.arena[:0], o.sends[:0], o.forwards[:0]
}
