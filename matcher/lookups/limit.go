package lookups

import (
	"fmt"
	"math/bits"
	"unsafe"

	"i3bench/asm"
	"i3bench/i3"
	"i3bench/internal/tablebench"
	"i3bench/matcher"
)

// shape is that of the table with n identifiers.
func shape(n int) asm.Shape {
	homes := matcher.HomesFor(n)
	level := bits.Len(uint(homes)) - 1
	return asm.Shape{Level: uint8(level), Split: uint32(homes - 1<<level)}
}

// Limit returns the least that a table with one line for each home can do, and what gives its memory back: it hashes
// each identifier, finds its home and reads a word there. It compares nothing and answers nothing, so how much longer
// the table takes for the same look-ups is what comparing, answering, overflow and concurrency cost. The homes are as
// many as the table has, in pages of 2 MiB, and all in memory.
func Limit(n int) (lookup tablebench.Lookup[i3.ID], done func() error, err error) {
	s := shape(n)
	mem, err := tablebench.Alloc(s.Homes() * int(unsafe.Sizeof(asm.Cell{})))
	if err != nil {
		return nil, nil, fmt.Errorf("lookups: limit of %d: %w", n, err)
	}
	homes := unsafe.Slice((*asm.Cell)(unsafe.Pointer(&mem.Bytes[0])), s.Homes())
	key := asm.NewKey(0x0706050403020100, 0x0f0e0d0c0b0a0908)
	var hashes [tablebench.Batch]uint64
	var places [tablebench.Batch]asm.Place
	return func(ids []i3.ID) (sum uint64) {
		asm.Hash(hashes[:], ids, &key)
		asm.Locate(places[:], hashes[:], homes, s)
		for _, p := range &places {
			sum += asm.Load(&homes[p.Home()][asm.Meta])
		}
		return sum
	}, mem.Close, nil
}
