package replicate

import (
	"fmt"
	"math"
	"net/netip"
	"sync/atomic"
)

// A Piece is bytes of a datagram that an [Inproc] delivers.
type Piece struct {
	Frame Frame
	More  bool // whether the next piece belongs to the same datagram
}

// InprocStats counts the packets that an [Inproc] was given; each is in one of the fields.
type InprocStats struct {
	Delivered uint64 // put into the ring of a mailbox
	Unknown   uint64 // dropped: nobody receives at the address
	Full      uint64 // dropped: no room in the ring of the address
	NoSlot    uint64 // dropped: no free slot for bytes from elsewhere, or too many holds of one
}

// An Inproc is a [Port] to receivers in this process. A receiver gets descriptors of a message's bytes by a ring
// of its own, and waits for nobody; where the ring has no room for a message, all of it is dropped for that
// address, and counted. One goroutine, the owner of the slab, calls everything but the methods of mailboxes.
//
// Bytes in slots of the slab stay where they are. The port retains their slots for the receivers, so the sender
// may put its frames back as soon as Send returns, but must not write to the bytes again. Bytes from elsewhere,
// as the template of a header, are the sender's again when Send returns: they are copied, once a message, into a
// slot of the slab. A receiver may read the bytes of a piece until it releases it; nobody may write to them.
type Inproc struct {
	slab   *Slab
	boxes  map[netip.AddrPort]*Mailbox
	pieces []Piece // of the message at hand, each retained once
	spare  Frame   // what is left of the slot that bytes from elsewhere are copied into; empty where there is none
	stats  InprocStats
}

// NewInproc returns a port without receivers, for messages whose bytes are mostly in s.
func NewInproc(s *Slab) *Inproc {
	return &Inproc{slab: s, boxes: make(map[netip.AddrPort]*Mailbox)}
}

// A Mailbox is where one goroutine, its consumer, receives what is sent to an address.
type Mailbox struct {
	ring    *SPSC[Piece]
	slab    *Slab
	dropped atomic.Uint64
}

// Open returns a new mailbox for an address, with room for size pieces (a power of two, as [NewSPSC] has it). It
// is an error if the address has one.
func (p *Inproc) Open(addr netip.AddrPort, size int) (*Mailbox, error) {
	if p.boxes[addr] != nil {
		return nil, fmt.Errorf("replicate: inproc: open: %v has a mailbox, want an address without", addr)
	}
	m := &Mailbox{ring: NewSPSC[Piece](size), slab: p.slab}
	p.boxes[addr] = m
	return m, nil
}

// Close ends delivery to an address. What is in its mailbox is still to be received and released.
func (p *Inproc) Close(addr netip.AddrPort) { delete(p.boxes, addr) }

// Stats returns what became of the packets so far.
func (p *Inproc) Stats() InprocStats { return p.stats }

// Caps returns limits for a planner to plan with; Send takes more. What does count is that all pieces of a
// message have room in the ring of its address at once: one for each vector, one more for each end of a datagram
// within a vector, and more for a vector outside the slab that is longer than a slot.
func (p *Inproc) Caps() Caps {
	return Caps{MaxMessages: 1 << 10, MaxVectors: 1 << 12, MaxSegments: 1 << 12, MaxBytes: 1 << 24}
}

// Send delivers messages. It never fails: what cannot be delivered is dropped and counted, as a network would.
func (p *Inproc) Send(ms []Message) (int, error) {
	for i := range ms {
		p.send(&ms[i])
	}
	p.putSpare()
	return len(ms), nil
}

// send delivers a message or drops it.
func (p *Inproc) send(m *Message) {
	packets := uint64(m.Copies)
	box := p.boxes[m.To]
	if box == nil {
		p.stats.Unknown += packets
		return
	}
	p.pieces = p.pieces[:0]
	switch {
	case box.ring.Room() < len(m.Vectors): // as many pieces at least, and not worth cutting
		p.stats.Full += packets
	case !p.cut(m):
		p.stats.NoSlot += packets
	case box.ring.Room() < len(p.pieces):
		p.stats.Full += packets
	default:
		box.ring.PutBatch(p.pieces)
		p.stats.Delivered += packets
		return
	}
	box.dropped.Add(packets)
	releasePieces(p.slab, p.pieces)
}

// cut cuts a message into pieces that end where its vectors and its datagrams do. False means that there was no
// slot for some, or no hold.
func (p *Inproc) cut(m *Message) bool {
	segment := m.Segment
	if segment <= 0 {
		segment = math.MaxInt
	}
	left := segment // of the datagram at hand
	for _, v := range m.Vectors {
		for b := v.Bytes(); len(b) > 0; {
			f, ok := p.place(b[:min(len(b), left)])
			if !ok || !p.slab.Retain(f, 1) {
				return false
			}
			b = b[f.Len:]
			left -= int(f.Len)
			p.pieces = append(p.pieces, Piece{f, left > 0})
			if left == 0 {
				left = segment
			}
		}
	}
	if n := len(p.pieces); n > 0 {
		p.pieces[n-1].More = false // the last datagram may be short
	}
	return true
}

// place returns a frame of b or of the first bytes of it: where they are, if that is in the slab, and
// otherwise where it copies them to.
func (p *Inproc) place(b []byte) (Frame, bool) {
	if f, ok := p.slab.FrameOf(VectorOf(b)); ok {
		return f, true
	}
	if int(p.spare.Len) < min(len(b), p.slab.most()) { // a slot that is nearly full is not worth a piece more
		p.putSpare()
		var ok bool
		if p.spare, ok = p.slab.Take(); !ok {
			return Frame{}, false
		}
	}
	f := p.spare
	f.Len = uint16(copy(p.slab.at(f), b))
	p.spare.Off += f.Len
	p.spare.Len -= f.Len
	return f, true
}

// putSpare puts back the slot that bytes were copied into. Receivers hold it on.
func (p *Inproc) putSpare() {
	if p.spare.Off > 0 { // else there is none: what was taken was written to
		p.slab.Put(p.spare)
		p.spare = Frame{}
	}
}

// releasePieces releases the frames of pieces, and returns how many were stale.
func releasePieces(s *Slab, ps []Piece) (stale int) {
	var c chain
	for i := range ps {
		if !s.release(ps[i].Frame, &c) {
			stale++
		}
	}
	s.giveBack(&c, stale)
	return stale
}

// GetBatch takes the oldest pieces, as many as there are and dst has room for, and returns how many. The caller
// holds them until it releases them. Only the consumer may call it.
func (m *Mailbox) GetBatch(dst []Piece) int { return m.ring.GetBatch(dst) }

// View returns the bytes of a piece, to read until it is released. False means that the caller does not hold it.
// Only the consumer may call it.
func (m *Mailbox) View(p Piece) ([]byte, bool) { return m.slab.View(p.Frame) }

// Release gives pieces back, each once, and returns how many of them nobody held. Only the consumer may call it.
func (m *Mailbox) Release(ps []Piece) (stale int) { return releasePieces(m.slab, ps) }

// Dropped returns how many packets to this address were dropped. Anybody may call it.
func (m *Mailbox) Dropped() uint64 { return m.dropped.Load() }
