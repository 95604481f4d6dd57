package multicast

import (
	"math/bits"
	"slices"

	"i3bench/i3/machine"
)

// A stream is one source's packets as a host has them: the last ones for
// repairs, and those that are missing. Sequence numbers start at 1.
type stream struct {
	high   uint64 // highest sequence number that exists, as far as is known
	cache  cache
	losses []loss // ascending by seq
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

// keepLosses is how long a list of losses may be and still be kept when it is
// empty: a burst must not cost memory for ever.
const keepLosses = 8

// find returns the index of a missing packet, and whether it is missing.
func (s *stream) find(seq uint64) (int, bool) {
	if len(s.losses) == 0 {
		return 0, false
	}
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
	if len(s.losses) == 0 && cap(s.losses) > keepLosses {
		s.losses = nil
	}
	return l
}

// A cache keeps the last packets for repairs: as if packet seq were in slot seq
// mod limit, until another takes that slot. It has as many slots as the packets in
// it need, a power of two, and grows when two that the limit has room for meet.
//
// The payloads lie in one block of bytes, each at a place with room for the
// longest that was there: a slot has no pointer, and a host one block instead of one
// for each packet.
type cache struct {
	slots []slot // a power of two of them
	bytes []byte
}

// A slot says where a packet is. One that is free has number 0.
type slot struct {
	seq  uint64
	at   uint32 // where its place in the block begins, in units of the smallest
	size uint16
	room uint8 // the place has 1<<room bytes, or none if 0
}

// minRoom is the logarithm of the smallest place.
const minRoom = 3

// clear forgets all packets, which were another incarnation's.
func (c *cache) clear() {
	for i := range c.slots {
		c.slots[i].seq = 0
	}
}

// get returns the payload of a packet, nil if the host does not have it. It is
// good until the next put.
func (c *cache) get(seq uint64) []byte {
	if len(c.slots) == 0 || seq == 0 {
		return nil
	}
	s := &c.slots[seq&uint64(len(c.slots)-1)]
	if s.seq != seq {
		return nil
	}
	return c.bytes[int(s.at)<<minRoom:][:s.size:s.size]
}

// put keeps a copy of a packet for repairs. The limit, a power of two, bounds
// the number of slots.
func (c *cache) put(seq uint64, payload []byte, limit int) {
	if len(c.slots) == 0 {
		c.slots = make([]slot, 1)
	}
	s := &c.slots[seq&uint64(len(c.slots)-1)]
	for s.seq != 0 && (s.seq^seq)&uint64(limit-1) != 0 { // another's, and not by the limit
		c.grow()
		s = &c.slots[seq&uint64(len(c.slots)-1)]
	}
	if s.room == 0 || len(payload) > 1<<s.room {
		c.place(s, len(payload))
	}
	s.seq, s.size = seq, uint16(len(payload))
	copy(c.bytes[int(s.at)<<minRoom:], payload)
}

// grow doubles the slots. Two packets that did not meet before do not meet then.
func (c *cache) grow() {
	old := c.slots
	c.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.seq != 0 {
			c.slots[s.seq&uint64(len(c.slots)-1)] = s
		}
	}
}

// place gives a slot a place for so many bytes at the end of the block. The old
// place is left; places double, so what is left is less than what is used.
func (c *cache) place(s *slot, size int) {
	s.room = uint8(max(minRoom, bits.Len(uint(max(size, 1)-1))))
	s.at = uint32(len(c.bytes) >> minRoom)
	c.bytes = append(c.bytes, make([]byte, 1<<s.room)...)
}
