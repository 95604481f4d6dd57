package asm

import (
	"math"
	"math/bits"
)

// Members are at most eight members of a group: their suffixes, and then a word of each, whose upper half is when it
// expires. A word of 0 is nobody's.
type Members [16]uint64

// Nearest finds in each group the word of the member, of those that expire after now, whose suffix exclusive-or the
// given one is smallest, or 0 if all have expired. No two members have one suffix. All three slices must have the same
// length; found may be suffixes. Others may write the groups meanwhile: then the answer means nothing.
func Nearest(found []uint64, groups []*Members, suffixes []uint64, now uint32) {
	if len(found) != len(groups) || len(suffixes) != len(groups) {
		panic("asm: Nearest: found, groups and suffixes differ in length")
	}
	if len(groups) > 0 {
		nearest(found, groups, suffixes, now)
	}
}

func nearestPortable(found []uint64, groups []*Members, suffixes []uint64, now uint32) {
	for i, g := range groups {
		found[i] = NearestOne(g, suffixes[i], now)
	}
}

// NearestOne is [Nearest] for one group. It has no branch that depends on what it reads: a guess would be wrong half of
// the time.
func NearestOne(g *Members, suffix uint64, now uint32) (word uint64) {
	dead := uint64(now)<<32 | math.MaxUint32
	best, any := uint64(math.MaxUint64), uint64(0)
	for i := range len(g) / 2 {
		w := Load(&g[8+i])
		_, live := bits.Sub64(dead, w, 0)
		distance := Load(&g[i]) ^ suffix | (live - 1)
		any |= w & -live
		if distance < best {
			best, word = distance, w
		}
	}
	if word == 0 && any != 0 { // the only one that is live is as far away as one can be
		for i := range len(g) / 2 {
			if w := Load(&g[8+i]); w > dead {
				return w
			}
		}
	}
	return word
}
