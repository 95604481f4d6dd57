package prng

import (
	"encoding/binary"
	"math/bits"
)

// Odd words without structure: the first 64 bits of the fractional parts of pi, e
// and the square roots of 2 and 3, made odd.
const (
	oddPi    = 0x243f6a8885a308d3
	oddE     = 0xb7e151628aed2a6b
	oddRoot2 = 0x6a09e667f3bcc909
	oddRoot3 = 0xbb67ae8584caa73b
)

// Bytes returns a 64-bit hash of two slices and of where one ends and the other
// begins, on every machine the same: sixteen bytes a multiplication, two of which
// run beside each other. It tells runs apart that differ by accident; it does not
// withstand anybody who tries.
func Bytes(a, b []byte) uint64 {
	return mix(sum(sum(oddPi, a), b))
}

// Chain folds three words into a running hash, faster than [Hash3] and as weak as
// [Bytes]. The order of calls matters.
func Chain(h, a, b, c uint64) uint64 {
	return fold(fold(h^a, oddPi)^b, c^oddE) + golden
}

// sum folds the bytes of b and their number into h.
func sum(h uint64, b []byte) uint64 {
	n := uint64(len(b))
	other := h ^ oddE
	for ; len(b) >= 32; b = b[32:] {
		h = fold(h^binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])^oddRoot2)
		other = fold(other^binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])^oddRoot3)
	}
	if len(b) >= 16 {
		h = fold(h^binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])^oddRoot2)
		b = b[16:]
	}
	if len(b) > 0 {
		var rest [16]byte
		copy(rest[:], b)
		other = fold(other^binary.LittleEndian.Uint64(rest[:]), binary.LittleEndian.Uint64(rest[8:])^oddRoot3)
	}
	return fold(h^n, other^oddE)
}

// fold multiplies to 128 bits and adds the halves without carry.
func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}
