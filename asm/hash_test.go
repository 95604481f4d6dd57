package asm

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"i3bench/i3"
)

// sipHash is SipHash-c-d as its paper defines it (section 2.2), for a message of any length, byte by byte.
func sipHash(c, d int, k0, k1 uint64, message []byte) uint64 {
	v := [4]uint64{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	rotate := func(x uint64, by int) uint64 { return x<<by | x>>(64-by) }
	rounds := func(n int) {
		for range n {
			v[0], v[2] = v[0]+v[1], v[2]+v[3]
			v[1], v[3] = rotate(v[1], 13), rotate(v[3], 16)
			v[1], v[3] = v[1]^v[0], v[3]^v[2]
			v[0] = rotate(v[0], 32)
			v[2], v[0] = v[2]+v[1], v[0]+v[3]
			v[1], v[3] = rotate(v[1], 17), rotate(v[3], 21)
			v[1], v[3] = v[1]^v[2], v[3]^v[0]
			v[2] = rotate(v[2], 32)
		}
	}
	padded := append([]byte{}, message...)
	for len(padded)%8 != 7 {
		padded = append(padded, 0)
	}
	padded = append(padded, byte(len(message)))
	for ; len(padded) > 0; padded = padded[8:] {
		m := binary.LittleEndian.Uint64(padded)
		v[3] ^= m
		rounds(c)
		v[0] ^= m
	}
	v[2] ^= 0xff
	rounds(d)
	return v[0] ^ v[1] ^ v[2] ^ v[3]
}

// TestSipHashVectors checks the definition above with the first of the vectors that the authors publish for
// SipHash-2-4, whose key is 00 01 .. 0f and whose messages are 00 01 02 ...
func TestSipHashVectors(t *testing.T) {
	var message []byte
	for n, want := range []uint64{
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d, 0xcf2794e0277187b7,
		0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
	} {
		if got := sipHash(2, 4, 0x0706050403020100, 0x0f0e0d0c0b0a0908, message); got != want {
			t.Errorf("asm: SipHash-2-4 of %d bytes is %#016x, want %#016x", n, got, want)
		}
		message = append(message, byte(n))
	}
}

// exactBytes returns the exact words of an identifier as little-endian bytes.
func exactBytes(id i3.ID) []byte {
	var b []byte
	for _, w := range id.Exact() {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

// randomIDs makes n identifiers.
func randomIDs(r *rand.Rand, n int) []i3.ID {
	ids := make([]i3.ID, n)
	for i := range ids {
		var b [i3.IDSize]byte
		for k := range b {
			b[k] = byte(r.Uint32())
		}
		ids[i] = i3.IDFrom(b)
	}
	return ids
}

func TestHash(t *testing.T) {
	const seed = 1
	eachVariant(t, func(tb testing.TB) {
		r := rand.New(rand.NewPCG(seed, 0))
		for n := range MaxBatch + 1 {
			k0, k1 := r.Uint64(), r.Uint64()
			key := NewKey(k0, k1)
			at, to := r.IntN(8), r.IntN(8) // where in a line identifiers and hashes begin
			ids := randomIDs(r, n+8)[at : at+n]
			all := make([]uint64, n+24)
			for i := range all {
				all[i] = uint64(i)
			}
			dst := all[8+to : 8+to+n]
			Hash(dst, ids, &key)
			for i, id := range ids {
				want := sipHash(1, 3, k0, k1, exactBytes(id))
				if dst[i] != want || HashOne(&id, &key) != want {
					tb.Fatalf("asm: %s: hash %d of %d is %#x, HashOne says %#x, want %#x",
						Kernel(), i, n, dst[i], HashOne(&id, &key), want)
				}
			}
			for i, v := range all {
				if (i < 8+to || i >= 8+to+n) && v != uint64(i) {
					tb.Fatalf("asm: %s: hashing %d wrote beyond them", Kernel(), n)
				}
			}
		}
	})
}

// mustPanic fails unless do panics.
func mustPanic(tb testing.TB, why string, do func()) {
	tb.Helper()
	defer func() {
		if recover() == nil {
			tb.Errorf("asm: %s: %s does not panic", Kernel(), why)
		}
	}()
	do()
}

func TestWrongArguments(t *testing.T) {
	eachVariant(t, func(tb testing.TB) {
		key := NewKey(1, 2)
		homes := make([]Cell, 4)
		mustPanic(tb, "Hash into too little", func() { Hash(make([]uint64, 1), make([]i3.ID, 2), &key) })
		mustPanic(tb, "Locate into too little", func() {
			Locate(make([]Place, 1), make([]uint64, 2), homes, Shape{Level: 2})
		})
		for _, shape := range []Shape{{Level: 2, Split: 1}, {Level: 3}, {Level: 0, Split: 2}, {Level: 63}, {Level: 64}} {
			mustPanic(tb, "Locate with too few homes for the shape", func() {
				Locate(make([]Place, 2), make([]uint64, 2), homes, shape)
			})
		}
		mustPanic(tb, "Match of too many", func() { Match(batchOf(MaxBatch+1, 0), homes, nil, 0) })
		mustPanic(tb, "Match without homes", func() { Match(batchOf(1, 0), nil, nil, 0) })
		mustPanic(tb, "Follow of more than there are", func() {
			Follow(batchOf(1, 2), homes, homes, 0)
		})
		mustPanic(tb, "Follow without cells", func() {
			Follow(batchOf(1, 1), homes, nil, 0)
		})
	})
}

// TestNothing calls each kernel with nothing to do.
func TestNothing(t *testing.T) {
	eachVariant(t, func(tb testing.TB) {
		key := NewKey(1, 2)
		b := &Batch{Behind: 3}
		Hash(nil, nil, &key)
		Locate(nil, nil, make([]Cell, 1), Shape{})
		Match(b, nil, nil, 0)
		if Follow(b, nil, nil, 0); b.Behind != 0 {
			tb.Errorf("asm: %s: %d noted of none", Kernel(), b.Behind)
		}
		Prefetch(nil, 0)
	})
}
