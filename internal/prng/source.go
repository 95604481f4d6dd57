package prng

import "math/bits"

// A Source is a sequence of pseudorandom numbers of period 2^128: PCG-DXSM,
// that is a 128-bit linear congruential generator whose state is scrambled by
// a double xorshift multiply (O'Neill, "PCG: A Family of Simple Fast
// Space-Efficient Statistically Good Algorithms for Random Number Generation",
// HMC-CS-2014-0905, 2014; DXSM is her later output function, the default of
// NumPy's PCG64DXSM).
//
// A Source is a value of 16 bytes; a copy continues the same sequence on its
// own. The zero Source is valid: one fixed sequence. A Source must not be used
// by two goroutines at once.
type Source struct {
	hi, lo uint64
}

// New returns the source of one stream of a seed. Different pairs of seed and
// stream start from different states, scattered over the whole period, so that
// streams 0, 1, 2 ... are as unrelated as any.
func New(seed, stream uint64) Source {
	// Three rounds of a Feistel network: a bijection on the pair, in which
	// both halves of the state depend on both arguments. Without it, nearby
	// streams would start from nearby states of the same congruential
	// sequence, which is the known weakness of PCG.
	hi := mix(seed + golden)
	lo := mix(stream ^ hi)
	hi ^= mix(lo + golden)
	lo ^= mix(hi - golden)
	return Source{hi, lo}
}

// The multiplier and the increment of the 128-bit generator, and the
// multiplier of the output function, as published with the algorithm.
const (
	mulHi, mulLo = 0x2360ed051fc65da4, 0x4385df649fccf645
	incHi, incLo = 0x5851f42d4c957f2d, 0x14057b7ef767814f
	mulOut       = 0xda942042e4dd58b5
)

// Uint64 returns 64 uniform bits.
func (s *Source) Uint64() uint64 {
	hi, lo := bits.Mul64(s.lo, mulLo)
	hi += s.hi*mulLo + s.lo*mulHi
	lo, carry := bits.Add64(lo, incLo, 0)
	hi, _ = bits.Add64(hi, incHi, carry)
	s.hi, s.lo = hi, lo

	hi ^= hi >> 32
	hi *= mulOut
	hi ^= hi >> 48
	return hi * (lo | 1)
}

// Uint64n returns a uniform integer in [0, n), without bias: Lemire's
// multiplication with rejection ("Fast Random Integer Generation in an
// Interval", ACM TOMACS 29, 2019). Uint64n(0) is 0.
func (s *Source) Uint64n(n uint64) uint64 {
	hi, lo := bits.Mul64(s.Uint64(), n)
	if lo < n {
		// Of the 2^64 draws, the first 2^64 mod n would make some results
		// likelier than others: draw again. The division is needed only here.
		for excess := -n % n; lo < excess; {
			hi, lo = bits.Mul64(s.Uint64(), n)
		}
	}
	return hi
}

// IntN returns a uniform integer in [0, n). It is 0 where n is not positive.
func (s *Source) IntN(n int) int {
	return int(s.Uint64n(uint64(max(n, 0))))
}

// Between returns a uniform integer in the half-open interval [lo, hi), as the
// paper writes U[lo, hi). An empty interval (hi <= lo) yields lo: a timer
// without jitter is an interval of no width, not an error.
func (s *Source) Between(lo, hi int64) int64 {
	if hi <= lo {
		return lo
	}
	return lo + int64(s.Uint64n(uint64(hi)-uint64(lo)))
}

// Float64 returns a uniform multiple of 2^-53 in [0, 1).
func (s *Source) Float64() float64 { return Unit(s.Uint64()) }

// Shuffle puts n elements into a uniformly random order, calling swap to
// exchange elements i and j (Fisher and Yates; Durstenfeld, Algorithm 235, CACM
// 1964).
func (s *Source) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, s.IntN(i+1))
	}
}

// Perm returns a uniformly random permutation of the integers [0, n). It
// allocates the result.
func (s *Source) Perm(n int) []int {
	p := make([]int, max(n, 0))
	for i := range p {
		p[i] = i
	}
	s.Shuffle(n, func(i, j int) { p[i], p[j] = p[j], p[i] })
	return p
}
