package matcher_test

import (
	"fmt"
	"testing"
	"unsafe"

	"i3bench/asm"
	"i3bench/i3"
	"i3bench/internal/tablebench"
	"i3bench/matcher/lookups"
)

// BenchmarkLimit is the job of tables in the least that a table with one line for each home can do.
func BenchmarkLimit(b *testing.B) {
	tablebench.RunUnchecked(b, lookups.ID, func(b *testing.B, n int) tablebench.Lookup[i3.ID] {
		return mustBuild(b, n, lookups.Limit)
	})
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
			mem, err := tablebench.Alloc(size.bytes)
			if err != nil {
				b.Fatal(err)
			}
			defer mem.Close()
			if mem.Small != nil {
				b.Logf("no huge pages: %v", mem.Small)
			}
			lines := unsafe.Slice((*asm.Cell)(unsafe.Pointer(&mem.Bytes[0])), n)
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
