package asm

import (
	"slices"
	"unsafe"
)

// takes is how many identifiers the widest [Take] takes at a time.
const takes = 16

// Take appends, for the identifiers of b from number from on and before the next that is answered Ask, the targets of
// those answered One to targets and, for each identifier, the length that targets has then to off. So it comes to the
// end, or to an identifier whose targets the caller appends, before it calls Take again for those after it.
//
// Both slices grow first, for as many identifiers as are left rounded up to a multiple of 16; so far, what is behind
// their new ends may be overwritten, and means nothing.
func Take[T ~uint32](targets []T, off []uint32, b *Batch, from int) ([]T, []uint32) {
	n := len(b.IDs) - from
	if len(b.IDs) > MaxBatch || from < 0 || n < 0 {
		panic("asm: Take: more than MaxBatch identifiers, or from beyond them")
	}
	if n == 0 {
		return targets, off
	}
	room := (n + takes - 1) &^ (takes - 1)
	targets, off = slices.Grow(targets, room), slices.Grow(off, room)
	all := unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(targets))), len(targets)+room)
	upTo, after := take(b, from, all, len(targets), off[len(off):len(off)+room])
	return targets[:after], off[:len(off)+upTo-from]
}

// takePortable returns how far it came, and how many of targets there are then. Hits and misses come in no order that
// a processor could guess, so there is no branch for these.
func takePortable(b *Batch, from int, targets []uint32, taken int, off []uint32) (upTo, after int) {
	for i, answer := range b.Answers[from:len(b.IDs)] {
		if answer == Ask {
			return from + i, taken
		}
		targets[taken] = b.Targets[from+i]
		one := 0
		if answer == One {
			one = 1
		}
		taken += one
		off[i] = uint32(taken)
	}
	return len(b.IDs), taken
}
