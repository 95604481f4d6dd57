package asm

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"i3bench/i3"
)

// FuzzHash compares each variant with the definition, for identifiers that are the input's bytes.
func FuzzHash(f *testing.F) {
	f.Add(uint64(0), uint64(0), []byte{}, uint8(0))
	f.Add(uint64(1), ^uint64(0), make([]byte, 32), uint8(1))                                     // one
	f.Add(uint64(0x0706050403020100), uint64(0x0f0e0d0c0b0a0908), make([]byte, 17*32), uint8(3)) // and a tail
	f.Fuzz(func(t *testing.T, k0, k1 uint64, bytes []byte, at uint8) {
		key := NewKey(k0, k1)
		n := min(len(bytes)/i3.IDSize, 4*MaxBatch)
		ids := make([]i3.ID, n+int(at%4))[at%4:]
		for i := range ids {
			ids[i] = i3.IDFrom([i3.IDSize]byte(bytes[i3.IDSize*i:]))
		}
		dst := make([]uint64, n)
		eachVariant(t, func(tb testing.TB) {
			clear(dst)
			Hash(dst, ids, &key)
			for i, id := range ids {
				if want := sipHash(1, 3, k0, k1, exactBytes(id)); dst[i] != want {
					tb.Fatalf("asm: %s: hash %d of %d is %#x, want %#x", Kernel(), i, n, dst[i], want)
				}
			}
		})
	})
}

// FuzzLocate compares each variant with the slow way to find a home, for hashes that are the input's bytes.
func FuzzLocate(f *testing.F) {
	f.Add(uint8(0), uint16(0), make([]byte, 8))
	f.Add(uint8(3), uint16(5), []byte("\x04\x00\x00\x00\x00\x00\x00\x00")) // split
	f.Add(uint8(3), uint16(5), []byte("\x05\x00\x00\x00\x00\x00\x00\xff")) // not split
	f.Add(uint8(10), uint16(1024), make([]byte, 9*8))                      // a tail
	f.Fuzz(func(t *testing.T, level uint8, split uint16, bytes []byte) {
		shape := Shape{Level: level % 11}
		shape.Split = uint32(split) % (1<<shape.Level + 1)
		homes := make([]Cell, shape.Homes())
		var hashes []uint64
		for ; len(bytes) >= 8; bytes = bytes[8:] {
			hashes = append(hashes, binary.LittleEndian.Uint64(bytes))
		}
		places := make([]Place, len(hashes))
		eachVariant(t, func(tb testing.TB) {
			clear(places)
			Locate(places, hashes, homes, shape)
			for i, h := range hashes {
				if want := slowPlace(shape, h); places[i] != want {
					tb.Fatalf("asm: %s: %d of %d: place of %#x in %+v is %#x, want %#x",
						Kernel(), i, len(hashes), h, shape, places[i], want)
				}
			}
		})
	})
}

// FuzzMatch compares each variant with the portable twin. The scene comes from the seed; then the input's bytes are
// laid over homes and cells, so that the fuzzer can write any word of them.
func FuzzMatch(f *testing.F) {
	f.Add(uint64(1), uint8(0), []byte{})
	f.Add(uint64(2), uint8(255), []byte{}) // a full batch
	f.Add(uint64(3), uint8(10), make([]byte, 64))
	f.Add(uint64(4), uint8(16), []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, seed uint64, n uint8, bytes []byte) {
		s := hostile(rand.New(rand.NewPCG(seed, 0)), int(n)+1)
		for i := 0; len(bytes) >= 8; i, bytes = i+1, bytes[8:] {
			word := binary.LittleEndian.Uint64(bytes)
			if c := i / 8; c < len(s.homes) {
				s.homes[c][i%8] ^= word
			} else if c -= len(s.homes); c < len(s.cells) {
				s.cells[c][i%8] ^= word
			}
		}
		eachVariant(t, func(tb testing.TB) { s.check(tb) })
	})
}

// FuzzTake compares each variant with the slow way, for answers that are the input's bytes.
func FuzzTake(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	f.Add([]byte("\x01\x00\x01\x01\x02\x01\x00\x02\x02\x01"), uint8(3))
	f.Add(slices.Repeat([]byte{One}, MaxBatch), uint8(0))
	f.Fuzz(func(t *testing.T, bytes []byte, have uint8) {
		b := batchOf(min(len(bytes), MaxBatch), 0)
		for i := range b.Targets {
			b.Targets[i] = uint32(i) * 0x01010101
		}
		copy(b.Answers[:], bytes)
		eachVariant(t, func(tb testing.TB) { checkTake(tb, b, make([]uint32, have), nil) })
	})
}
