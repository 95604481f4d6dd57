package replicate

import (
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"i3bench/internal/mem"
)

// The usual sizes of the slots of a [Slab], in bytes.
const (
	SlotSize  = 2 << 10  // of slots for single datagrams
	TrainSize = 64 << 10 // of slots for trains
)

// Limits of a [Slab].
const (
	minSlotSize = 64
	maxSlots    = 1 << 24
	maxSlabSize = 16 << 30
	maxHolds    = 1 << 30 // of one slot
)

// A Frame says where bytes lie in a [Slab]: Len bytes from Off on in a slot. Whoever has it may narrow it
// by changing Off and Len. It has no pointers, so that rings of frames cost the garbage collector nothing.
type Frame struct {
	Slot     uint32
	Off, Len uint16
	Gen      uint32 // how often the slot had been free when it was taken, modulo 2^32
}

// Words returns the frame as an element of a [Broadcast]; 32 bits of it are unused.
func (f Frame) Words() Words {
	return Words{uint64(f.Slot)<<32 | uint64(f.Gen), uint64(f.Off)<<16 | uint64(f.Len)}
}

// Frame returns the frame that [Frame.Words] made these words of.
func (w Words) Frame() Frame {
	return Frame{Slot: uint32(w[0] >> 32), Gen: uint32(w[0]), Off: uint16(w[1] >> 16), Len: uint16(w[1])}
}

// A SlabConfig says how large a [Slab] is.
type SlabConfig struct {
	// Slots is how many there are, at most 2^24. 0 means 4096.
	Slots int
	// Size is how many bytes each has: a power of two from 64 to 64 KiB, and 16 GiB in all at most. 0 means
	// [SlotSize]. A frame reaches 65,535 bytes of a slot.
	Size int
}

// withDefaults returns the configuration with its defaults filled in, or what is wrong with it.
func (c SlabConfig) withDefaults() (SlabConfig, error) {
	if c.Slots == 0 {
		c.Slots = 4096
	}
	if c.Size == 0 {
		c.Size = SlotSize
	}
	switch {
	case c.Slots < 1 || c.Slots > maxSlots:
		return c, fmt.Errorf("replicate: slab: %d slots, want 1 to %d", c.Slots, maxSlots)
	case c.Size < minSlotSize || c.Size > TrainSize || bits.OnesCount(uint(c.Size)) != 1:
		return c, fmt.Errorf("replicate: slab: slots of %d bytes, want a power of two from %d to %d",
			c.Size, minSlotSize, TrainSize)
	case c.Slots > maxSlabSize/c.Size:
		return c, fmt.Errorf("replicate: slab: %d slots of %d bytes, want at most %d bytes", c.Slots, c.Size, maxSlabSize)
	}
	return c, nil
}

// What the owner does with a slot.
const (
	isFree   = iota
	isHeld   // by the owner alone: nothing about it is in words
	isShared // by the owner, and as words says by others
	isAway   // given back by the owner, but not by others
)

// A slot is what the owner knows of one.
type slot struct {
	gen   uint32
	state uint32
}

// What the words of a [Slab] say of a slot: the generation in the upper half, whether the owner of the slab holds
// it, and how many other holds there are.
const (
	ownerHold  = 1 << 31
	otherHolds = 1<<31 - 1
)

// A Slab is buffers of one size, its slots, outside the heap where the system allows that. One goroutine owns
// it: it takes slots, puts them back and lets others hold them, all for nothing but a few plain instructions as
// long as a slot stays with it. What it lets others hold is counted by atomics, and given back by them.
//
// A slot is free when the owner has put it back and others have released it; its generation then changes, and
// every frame from before is stale. A stale frame is refused and counted, and harms nobody: its generation would
// come again after 2^32 lives of the slot. What cannot be told is who gives a hold back: to release a frame once
// too often while others hold it takes away one of their holds.
type Slab struct {
	mem       []byte
	shift     uint // of the size of a slot
	offHeap   bool
	closed    bool
	slots     []slot
	free      []uint32 // their numbers; the last put back is the first taken, as it is likely in a cache
	low       int
	refused   uint64
	stale     uint64
	words     []atomic.Uint64
	next      []uint32 // of each slot among the returned ones, plus one
	_         [cacheLine]byte
	returned  atomic.Uint32 // the last slot that others gave back, plus one; 0 is none
	elsewhere atomic.Uint64 // stale frames that others came with
	_         [cacheLine - 16]byte
}

// NewSlab returns a slab with all slots free. Memory is taken as slots are first used; [Slab.Close] gives it back.
func NewSlab(c SlabConfig) (*Slab, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Slab{
		shift: uint(bits.TrailingZeros(uint(c.Size))),
		slots: make([]slot, c.Slots), words: make([]atomic.Uint64, c.Slots),
		free: make([]uint32, c.Slots), next: make([]uint32, c.Slots), low: c.Slots,
	}
	for i := range s.free {
		s.free[i] = uint32(c.Slots - 1 - i)
	}
	if s.mem, err = mem.Reserve(c.Slots * c.Size); err == nil {
		s.offHeap = true
	} else { // the heap does as well, at the price of being swept
		s.mem = make([]byte, c.Slots*c.Size)
	}
	return s, nil
}

// Close gives the memory back. It fails, and does nothing, while a slot is held by anybody. Afterwards no slot
// can be taken and all frames are stale. Only the owner may call it.
func (s *Slab) Close() error {
	if s.closed {
		return nil
	}
	if s.reclaim(); len(s.free) < len(s.slots) {
		return fmt.Errorf("replicate: slab: close: %d of %d slots are held, want none",
			len(s.slots)-len(s.free), len(s.slots))
	}
	if s.offHeap {
		mem.Release(s.mem)
	}
	s.mem, s.free, s.closed = nil, nil, true
	return nil
}

// Take returns a frame of a whole slot, which the owner then holds; the bytes in it are arbitrary. False means
// that no slot is free, and is counted. Only the owner may call it.
func (s *Slab) Take() (Frame, bool) {
	if len(s.free) <= s.low || len(s.free) == 0 {
		s.reclaim()
	}
	n := len(s.free) - 1
	if n < 0 {
		s.refused++
		return Frame{}, false
	}
	i := s.free[n]
	s.free = s.free[:n]
	s.low = min(s.low, n)
	s.slots[i].state = isHeld
	return Frame{Slot: i, Len: uint16(s.most()), Gen: s.slots[i].gen}, true
}

// Put ends the owner's hold of the slot of f. It is free at once if nobody else holds it. False means that
// f is stale, and is counted. Only the owner may call it.
func (s *Slab) Put(f Frame) bool {
	o := s.own(f)
	if o == nil {
		s.stale++
		return false
	}
	if o.state == isShared {
		o.state = isAway
		if last, ok := s.drop(f, ownerHold, ownerHold); ok && !last {
			return true
		}
	}
	s.recycle(f.Slot)
	return true
}

// Bytes returns the bytes of a frame that the owner holds, to read and, until it is retained, to write. Nobody
// may use them after the hold ends. False means that f is stale or reaches beyond its slot, and is counted.
// Only the owner may call it.
func (s *Slab) Bytes(f Frame) ([]byte, bool) {
	if s.own(f) == nil || !s.within(f) {
		s.stale++
		return nil, false
	}
	return s.at(f), true
}

// FrameOf returns the frame whose bytes v is. False means that v is not within a slot that the owner holds. Only
// the owner may call it.
func (s *Slab) FrameOf(v Vector) (Frame, bool) {
	at := uintptr(unsafe.Pointer(v.Base)) - uintptr(unsafe.Pointer(unsafe.SliceData(s.mem)))
	if at >= uintptr(len(s.mem)) { // what lies before the slab wraps around
		return Frame{}, false
	}
	i, off, size := at>>s.shift, uint(at)&(1<<s.shift-1), uint(1)<<s.shift
	o := s.slots[i]
	if v.Len > min(size-off, math.MaxUint16) || o.state != isHeld && o.state != isShared {
		return Frame{}, false
	}
	return Frame{Slot: uint32(i), Off: uint16(off), Len: uint16(v.Len), Gen: o.gen}, true
}

// most returns how many bytes of a slot a frame can reach.
func (s *Slab) most() int { return min(1<<s.shift, math.MaxUint16) }

// own returns what the owner knows of the slot of a frame that it holds, or nil if it holds none such.
func (s *Slab) own(f Frame) *slot {
	if uint64(f.Slot) >= uint64(len(s.slots)) {
		return nil
	}
	o := &s.slots[f.Slot]
	if o.gen != f.Gen || o.state != isHeld && o.state != isShared {
		return nil
	}
	return o
}

// within reports whether a frame ends where its slot does, or before.
func (s *Slab) within(f Frame) bool { return int(f.Off)+int(f.Len) <= 1<<s.shift }

// at returns the bytes of a frame, which append cannot make longer.
func (s *Slab) at(f Frame) []byte {
	from := int(f.Slot)<<s.shift + int(f.Off)
	to := from + int(f.Len)
	return s.mem[from:to:to]
}

// recycle makes a slot free that nobody holds.
func (s *Slab) recycle(i uint32) {
	s.slots[i].gen++
	s.slots[i].state = isFree
	s.free = append(s.free, i) // never grows: it has room for all slots
}

// SlabStats is how a [Slab] fares.
type SlabStats struct {
	Slots   int    // in all
	Size    int    // bytes of each
	Free    int    // slots that nobody holds
	Low     int    // fewest that were free, since the slab was made or since [Slab.MarkLow]
	Refused uint64 // calls of Take, and of Retain with too many holds, that found no room
	Stale   uint64 // frames that were not what they should be
	OffHeap bool   // whether the garbage collector is spared the memory
}

// Stats returns how the slab fares. Only the owner may call it.
func (s *Slab) Stats() SlabStats {
	s.reclaim()
	return SlabStats{
		Slots: len(s.slots), Size: 1 << s.shift, Free: len(s.free), Low: s.low,
		Refused: s.refused, Stale: s.stale + s.elsewhere.Load(), OffHeap: s.offHeap,
	}
}

// MarkLow returns the fewest slots that were free since it was last called, and begins anew: a caller sees so
// how near to the bound a stretch of time came. Only the owner may call it.
func (s *Slab) MarkLow() int {
	s.reclaim()
	low := s.low
	s.low = len(s.free)
	return low
}
