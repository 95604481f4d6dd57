package asm

import "unsafe"

// LineBytes is the size of a cache line.
const LineBytes = 64

// Prefetch asks for the cache lines of n bytes from p on, all of which must be
// memory of the program, and does not wait for them. It changes nothing.
func Prefetch(p unsafe.Pointer, n int) {
	if n > 0 {
		prefetch(p, n)
	}
}

// prefetchPortable reads a byte of each line, which others may write meanwhile: so it does nothing where the race
// detector watches. The last byte may lie on a line that the steps before it do not touch.
//
//go:noinline
func prefetchPortable(p unsafe.Pointer, n int) (sum byte) {
	if raceEnabled {
		return 0
	}
	for i := 0; i < n; i += LineBytes {
		sum += *(*byte)(unsafe.Add(p, i))
	}
	return sum + *(*byte)(unsafe.Add(p, n-1))
}
