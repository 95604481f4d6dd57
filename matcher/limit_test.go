package matcher_test

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"testing"
	"unsafe"

	"i3bench/asm"
	"i3bench/i3"
	"i3bench/internal/tablebench"
	"i3bench/matcher"
)

// drawn is an identifier of the job as the table takes it.
func drawn(id tablebench.ID) i3.ID {
	var key i3.Key
	binary.BigEndian.PutUint64(key[:8], id[1])
	binary.BigEndian.PutUint64(key[8:], id[2])
	return i3.NewID(id[0], key, id[3])
}

// limitShape is that of a table with n identifiers.
func limitShape(n int) asm.Shape {
	homes := matcher.HomesFor(n)
	level := bits.Len(uint(homes)) - 1
	return asm.Shape{Level: uint8(level), Split: uint32(homes - 1<<level)}
}

// BenchmarkLimit does the least that a table with one line for each home can do: it hashes each identifier, finds its
// home and reads a word there. It compares nothing and answers nothing, so how much longer the table takes for the
// same look-ups is what comparing, answering, overflow and concurrency cost. The homes are as many as the table has
// then, in pages of 2 MiB, and all in memory.
func BenchmarkLimit(b *testing.B) { tablebench.RunUnchecked(b, drawn, touchHomes) }

func touchHomes(b *testing.B, n int) tablebench.Lookup[i3.ID] {
	key := asm.NewKey(0x0706050403020100, 0x0f0e0d0c0b0a0908)
	shape := limitShape(n)
	size := shape.Homes() * int(unsafe.Sizeof(asm.Cell{}))
	homes := unsafe.Slice((*asm.Cell)(unsafe.Pointer(&tablebench.Alloc(b, size)[0])), shape.Homes())
	var hashes [tablebench.Batch]uint64
	var places [tablebench.Batch]asm.Place
	return func(ids []i3.ID) (sum uint64) {
		asm.Hash(hashes[:], ids, &key)
		asm.Locate(places[:], hashes[:], homes, shape)
		for _, p := range &places {
			sum += asm.Load(&homes[p.Home()][asm.Meta])
		}
		return sum
	}
}

// BenchmarkTouch reads a word each of random lines of so much memory, in pages of 2 MiB: what the memory can do. Where
// a line is does not depend on what was read, and is known a batch ahead, so that as many lines are under way as the
// processor can have.
func BenchmarkTouch(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64KiB", 64 << 10}, {"1MiB", 1 << 20}, {"16MiB", 16 << 20}, {"256MiB", 256 << 20}, {"1GiB", 1 << 30}} {
		b.Run(fmt.Sprintf("size=%s", size.name), func(b *testing.B) {
			n := size.bytes / asm.LineBytes
			lines := unsafe.Slice((*asm.Cell)(unsafe.Pointer(&tablebench.Alloc(b, size.bytes)[0])), n)
			var which [tablebench.Batch]uint32
			state, sum := uint64(0), uint64(0)
			tablebench.Time(b, len(which), func() {
				for i := range which {
					state = state*0x5851f42d4c957f2d + 0x14057b7ef767814f // PCG's step (O'Neill, 2014)
					which[i] = uint32(state >> 33 & uint64(n-1))
				}
				for _, w := range &which {
					sum += lines[w][asm.Meta]
				}
			})
			if sum != 0 {
				b.Fatalf("fresh memory adds up to %d", sum)
			}
		})
	}
}
