package verify

import (
	"encoding/binary"

	"i3bench/internal/prng"
)

// A Delivery judges what one receiver was given of one source. It is owed every
// packet from its joining to the source's last. The zero value is a receiver
// that has not joined.
type Delivery struct {
	joined  bool
	first   uint64  // the first sequence number owed
	times   []uint8 // how often each was delivered, from first
	altered int
	lost    int
}

// Joined notes that the receiver is owed every packet above seq.
func (d *Delivery) Joined(seq uint64) {
	*d = Delivery{joined: true, first: seq + 1}
}

// Delivered notes a packet that the application was given.
func (d *Delivery) Delivered(seq uint64, payload []byte) {
	if !d.joined || seq < d.first {
		return
	}
	i := int(seq - d.first)
	for len(d.times) <= i {
		d.times = append(d.times, 0)
	}
	if d.times[i] < 255 {
		d.times[i]++
	}
	if !CheckPayload(seq, payload) {
		d.altered++
	}
}

// Lost notes that the receiver reported a packet as lost for good.
func (d *Delivery) Lost(uint64) { d.lost++ }

// A Verdict is the outcome for one receiver.
type Verdict struct {
	Owed    int // packets sent while it was joined
	Once    int // of these, delivered exactly once
	Missing int // of these, never delivered
	Twice   int // of these, delivered more than once
	Altered int // deliveries with another payload than was sent
	Lost    int // packets it reported as lost for good
}

// OK reports whether every packet owed was delivered exactly once, unaltered.
func (v Verdict) OK() bool { return v.Once == v.Owed && v.Altered == 0 }

// Judge returns the verdict when the source's last packet was last.
func (d *Delivery) Judge(last uint64) Verdict {
	v := Verdict{Altered: d.altered, Lost: d.lost}
	if !d.joined || last < d.first {
		return v
	}
	v.Owed = int(last - d.first + 1)
	for i := range v.Owed {
		switch {
		case i >= len(d.times) || d.times[i] == 0:
			v.Missing++
		case d.times[i] == 1:
			v.Once++
		default:
			v.Twice++
		}
	}
	return v
}

// AppendPayload appends the payload of so many bytes, at least 8, that belongs
// to a sequence number. Its first eight bytes tell number and size, so that one
// that was cut is found too.
func AppendPayload(b []byte, seq uint64, size int) []byte {
	b = binary.BigEndian.AppendUint64(b, head(seq, size))
	for n := 8; n < size; n++ {
		b = append(b, fill(seq, n))
	}
	return b
}

// CheckPayload reports whether a payload is the one that belongs to seq.
func CheckPayload(seq uint64, payload []byte) bool {
	if len(payload) < 8 || binary.BigEndian.Uint64(payload) != head(seq, len(payload)) {
		return false
	}
	for n := 8; n < len(payload); n++ {
		if payload[n] != fill(seq, n) {
			return false
		}
	}
	return true
}

// head returns the first eight bytes of a packet's payload. Any two sizes that a
// datagram can have differ in them.
func head(seq uint64, size int) uint64 { return seq ^ uint64(size)<<48 }

// fill returns the n-th byte of a packet's payload.
func fill(seq uint64, n int) byte { return byte(prng.Hash3(seq, uint64(n>>3), 0, 0) >> (8 * (n & 7))) }
