package multicast

import (
	"slices"

	"i3bench/i3/machine"
)

// A stream is one source's packets as a host has them: the last ones for
// repairs, and those that are missing. Sequence numbers start at 1.
type stream struct {
	started bool
	high    uint64 // highest sequence number that exists, as far as is known
	slots   []slot // packet seq is in slots[seq mod len]
	losses  []loss // ascending by seq
}

// A slot keeps one packet. Its buffer is reused.
type slot struct {
	seq uint64
	buf []byte
}

// A loss is a packet that is missing.
type loss struct {
	seq   uint64
	found machine.Time // when it was noticed
	timer machine.Timer
	wait  machine.Duration // before the first request
	tries uint8            // requests sent
	later uint8            // packets that came after it
}

func newStream(cache int) stream { return stream{slots: make([]slot, cache)} }

// start begins the stream after seq: packets up to it are not owed.
func (s *stream) start(seq uint64) {
	s.started, s.high = true, seq
}

// clear forgets all packets, which were another incarnation's.
func (s *stream) clear() {
	for i := range s.slots {
		s.slots[i].seq = 0
	}
}

// get returns the payload of a packet, nil if the host does not have it.
func (s *stream) get(seq uint64) []byte {
	if sl := &s.slots[seq&uint64(len(s.slots)-1)]; seq != 0 && sl.seq == seq {
		return sl.buf
	}
	return nil
}

// put keeps a copy of a packet for repairs.
func (s *stream) put(seq uint64, payload []byte) {
	sl := &s.slots[seq&uint64(len(s.slots)-1)]
	sl.seq = seq
	sl.buf = append(sl.buf[:0], payload...)
	if sl.buf == nil {
		sl.buf = []byte{} // an empty packet is not an absent one
	}
}

// find returns the index of a missing packet, and whether it is missing.
func (s *stream) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(s.losses, seq, func(l loss, q uint64) int {
		switch {
		case l.seq < q:
			return -1
		case l.seq > q:
			return 1
		}
		return 0
	})
}

// fill removes a packet from the missing ones and returns what was known of it.
func (s *stream) fill(i int) loss {
	l := s.losses[i]
	s.losses = slices.Delete(s.losses, i, i+1)
	return l
}
