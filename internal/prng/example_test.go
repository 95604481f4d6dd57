package prng_test

import (
	"fmt"

	"i3bench/internal/prng"
)

// Each machine draws from a stream of its own, so the timers of one do not
// depend on what the others do.
func ExampleNew() {
	const second = int64(1e9)
	for machine := range uint64(3) {
		random := prng.New(42, machine)
		refresh := random.Between(15*second, 30*second) // U[T/2, T) for T = 30 s
		fmt.Println(refresh >= 15*second && refresh < 30*second)
	}
	// Output:
	// true
	// true
	// true
}

// Whether the n-th datagram of a link is lost depends on nothing but the seed,
// the link and n: asked backwards, the answers are the same.
func ExampleHash3() {
	lost := func(from, to, n uint64) bool {
		return prng.Unit(prng.Hash3(42, from, to, n)) < 0.04
	}
	forwards, backwards := 0, 0
	for n := range uint64(10_000) {
		if lost(3, 7, n) {
			forwards++
		}
		if lost(3, 7, 9_999-n) {
			backwards++
		}
	}
	fmt.Println(forwards > 300 && forwards < 500, forwards == backwards)
	// Output: true true
}

// A trace of what happened is one word: it differs if a byte, a time or the order
// does.
func ExampleChain() {
	trace := func(packets ...string) (h uint64) {
		for at, p := range packets {
			h = prng.Chain(h, uint64(at), 0, prng.Bytes([]byte(p), nil))
		}
		return h
	}
	one, again := trace("join", "data"), trace("join", "data")
	fmt.Println(one == again)
	fmt.Println(one == trace("data", "join"))
	// Output:
	// true
	// false
}
