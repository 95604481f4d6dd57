package asm

import (
	"testing"
	"unsafe"
)

// TestPrefetch can only see that nothing changes, and that the portable twin reads each line.
func TestPrefetch(t *testing.T) {
	eachVariant(t, func(tb testing.TB) {
		memory := make([]byte, 1000)
		for n := range memory {
			at := n % 70
			if at+n > len(memory) {
				break
			}
			Prefetch(unsafe.Pointer(&memory[at]), n)
		}
		for i, v := range memory {
			if v != 0 {
				tb.Fatalf("asm: %s: prefetch changed byte %d", Kernel(), i)
			}
		}
	})
	if raceEnabled {
		return // where it reads nothing
	}
	line := make([]byte, 2*LineBytes)
	line[LineBytes] = 1
	line[2*LineBytes-1] = 2
	if sum := prefetchPortable(unsafe.Pointer(&line[0]), 2*LineBytes); sum != 3 {
		t.Errorf("asm: prefetchPortable reads %d in two lines, want the first byte of each and the last", sum)
	}
}
