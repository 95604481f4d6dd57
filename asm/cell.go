package asm

import (
	"sync/atomic"

	"i3bench/i3"
)

// A Cell is one cache line of a matcher's table: an identifier, what is known about
// the place, and up to two triggers.
//
//	word  0..3   the identifier, as [i3.ID] keeps it: three exact words and the suffix
//	      4      seq 0..31 | state 32..33 | count 34..35 | guest 37 | direct 38 | follow 39 |
//	             depth 40..47 | tag A 48..55 | tag B 56..63
//	      5, 6   triggers: target 0..31, expiry 32..63; or in word 6 the second and third cell behind, if direct is set
//	      7      list 0..31 | next cell 32..63
//
// A cell is either a home, where the search for its hash begins, or stands behind
// one. Only the seq, depth, tags, follow and direct of homes mean something. The line of a
// home that has nobody may have a guest instead, which is a cell behind another home: it has
// the seq and depth of this one, and no tags, so that who looks here finds a miss. Readers take
// no lock: while a home, or what stands behind it, is being written its seq is odd, and
// afterwards it is another. Count is 0 to 2 triggers here, 3 for a list elsewhere.
type Cell [8]uint64

// Words of a [Cell] beyond the identifier.
const (
	Meta   = 4
	First  = 5
	Second = 6
	Links  = 7
)

// Fields of the word Meta.
const (
	Odd        = 1
	SeqMask    = 1<<32 - 1
	StateShift = 32      // 2 bits
	CountShift = 34      // 2 bits
	GuestBit   = 1 << 37 // what is in this home's line stands behind another home
	DirectBit  = 1 << 38 // word Second tells the second and third cell behind the home
	FollowBit  = 1 << 39 // there are more than two
	DepthShift = 40      // 8 bits
	TagAShift  = 48      // 8 bits: of the first cell behind the home, 0 for none
	TagBShift  = 56      // 8 bits: of the second
)

// States of a [Cell].
const (
	Empty = iota
	Single
	Group // several identifiers that differ in the suffix
	Few   // the same, at most eight
)

// Load reads a word that others may write.
func Load(p *uint64) uint64 { return atomic.LoadUint64(p) }

// holds reports whether c has the exact words of id.
func (c *Cell) holds(id *i3.ID) bool {
	a, b, d, _ := id.Words()
	return Load(&c[0]) == a && Load(&c[1]) == b && Load(&c[2]) == d
}

// Key is a 128-bit secret, expanded.
type Key [4]uint64

// NewKey expands a secret of two little-endian words (Aumasson and Bernstein, "SipHash: a
// fast short-input PRF", section 2.1).
func NewKey(k0, k1 uint64) Key {
	return Key{
		k0 ^ 0x736f6d6570736575,
		k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261,
		k1 ^ 0x7465646279746573,
	}
}
