package asm

import (
	"math/bits"

	"i3bench/i3"
)

// Hash hashes the first 192 bits of each identifier under a secret: SipHash-1-3 of
// their three words, each as eight little-endian bytes. dst must be as long as ids.
func Hash(dst []uint64, ids []i3.ID, key *Key) {
	if len(dst) != len(ids) {
		panic("asm: Hash: dst and ids differ in length")
	}
	if len(ids) > 0 {
		hash(dst, ids, key)
	}
}

func hashPortable(dst []uint64, ids []i3.ID, key *Key) {
	for i := range ids {
		a, b, c, _ := ids[i].Words()
		dst[i] = sip(a, b, c, key)
	}
}

// HashOne is [Hash] for one identifier.
func HashOne(id *i3.ID, key *Key) uint64 {
	a, b, c, _ := id.Words()
	return sip(a, b, c, key)
}

// sip is SipHash-1-3 of three words.
func sip(a, b, c uint64, key *Key) uint64 {
	v0, v1, v2, v3 := key[0], key[1], key[2], key[3]
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3^a)
	v0 ^= a
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3^b)
	v0 ^= b
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3^c)
	v0 ^= c
	const last = 24 << 56 // no bytes left over, and the length
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3^last)
	v0 ^= last
	v0, v1, v2, v3 = sipRound(v0, v1, v2^0xff, v3)
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
