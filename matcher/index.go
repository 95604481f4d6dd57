package matcher

import "math/bits"

// A slot of the index is a tag in the upper half and a ref in the lower one.
// The tag is 32 bits of the hash: its leading bits say where the slot belongs,
// the rest tells apart most of those that meet there. Zero is an empty slot.
type slot uint64

func makeSlot(tag uint32, r ref) slot { return slot(tag)<<32 | slot(r) }

func (s slot) tag() uint32 { return uint32(s >> 32) }
func (s slot) ref() ref    { return ref(uint32(s)) }

// An index is an open-addressed table of slots with linear probing, which never
// looks at a key: growth and removal go by the tags.
type index struct {
	slots []slot // a power of two
	shift uint8  // 32 - log2(len(slots))
	used  int
}

const minSlots = 16

func newIndex(slots int) index {
	return index{slots: make([]slot, slots), shift: uint8(33 - bits.Len(uint(slots)))}
}

// home returns where the search for a tag begins.
func (x *index) home(tag uint32) uint32 { return tag >> x.shift }

// next returns the position after i.
func (x *index) next(i uint32) uint32 { return (i + 1) & uint32(len(x.slots)-1) }

// insert adds a slot. It grows the index before it is 3/4 full; beyond that,
// linear probing reads more than one cache line for a miss.
func (x *index) insert(s slot) {
	if 4*(x.used+1) > 3*len(x.slots) {
		bigger := newIndex(2 * len(x.slots))
		for _, s := range x.slots {
			if s != 0 {
				bigger.place(s)
			}
		}
		*x = bigger
	}
	x.place(s)
}

func (x *index) place(s slot) {
	i := x.home(s.tag())
	for x.slots[i] != 0 {
		i = x.next(i)
	}
	x.slots[i] = s
	x.used++
}

// remove empties slot i and moves up whoever was pushed past it, so that no
// tombstones are left to lengthen later searches.
func (x *index) remove(i uint32) {
	mask := uint32(len(x.slots) - 1)
	for j := x.next(i); x.slots[j] != 0; j = x.next(j) {
		s := x.slots[j]
		if (j-x.home(s.tag()))&mask >= (j-i)&mask {
			x.slots[i] = s
			i = j
		}
	}
	x.slots[i] = 0
	x.used--
}

// probes returns the longest and the total search for the slots in use.
func (x *index) probes() (longest, total int) {
	mask := uint32(len(x.slots) - 1)
	for i, s := range x.slots {
		if s == 0 {
			continue
		}
		n := 1 + int((uint32(i)-x.home(s.tag()))&mask)
		longest = max(longest, n)
		total += n
	}
	return longest, total
}
