package matcher

import (
	"encoding/binary"
	"math/bits"
)

// A sipKey is the state of SipHash after it has taken its key.
type sipKey [4]uint64

// newSipKey expands a 128-bit secret (Aumasson and Bernstein, "SipHash: a fast
// short-input PRF", section 2.1).
func newSipKey(seed [16]byte) sipKey {
	k0 := binary.LittleEndian.Uint64(seed[0:])
	k1 := binary.LittleEndian.Uint64(seed[8:])
	return sipKey{
		k0 ^ 0x736f6d6570736575,
		k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261,
		k1 ^ 0x7465646279746573,
	}
}

// sum returns SipHash-1-3 of the 24 bytes of three big-endian words: one round per word
// and three at the end, the variant for hash tables, whose output nobody sees.
// SipHash reads little-endian words, hence the byte reversals.
func (k *sipKey) sum(a, b, c uint64) uint64 {
	v0, v1, v2, v3 := k[0], k[1], k[2], k[3]

	m := bits.ReverseBytes64(a)
	v3 ^= m
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= m

	m = bits.ReverseBytes64(b)
	v3 ^= m
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= m

	m = bits.ReverseBytes64(c)
	v3 ^= m
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= m

	m = 24 << 56 // the last word: no bytes left over, and the length
	v3 ^= m
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= m

	v2 ^= 0xff
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	return v0 ^ v1 ^ v2 ^ v3
}

// sipRound is the round of SipHash (figure 2.1 of its paper).
func sipRound(v0, v1, v2, v3 uint64) (_, _, _, _ uint64) {
	v0 += v1
	v2 += v3
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v1
	v0 += v3
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}
