package prng

// golden is 2^64 divided by the golden ratio, made odd: the step of SplitMix64.
const golden = 0x9e3779b97f4a7c15

// mix is a bijection on 64 bits in which every bit of the argument flips every
// bit of the result with probability near one half: the finalizer of SplitMix64
// (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA
// 2014; constants of Stafford's variant 13).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// absorb folds one word into a running hash. It is a bijection of h for a fixed
// word and of the word for a fixed h, and does not commute: the order of words
// matters.
func absorb(h, word uint64) uint64 { return mix((h ^ word) + golden) }

// Hash3 returns 64 uniform bits that depend on the seed and three words, and on
// nothing else. Words are told apart by position: Hash3(s, 1, 2, 0) and
// Hash3(s, 2, 1, 0) are unrelated.
//
// For the loss of the n-th datagram from node a to node b:
//
//	lost := prng.Unit(prng.Hash3(seed, a, b, n)) < lossRate
func Hash3(seed, a, b, c uint64) uint64 {
	return absorb(absorb(absorb(absorb(seed, 3), a), b), c)
}

// Hash4 is [Hash3] of four words. It is unrelated to Hash3 of the first three,
// whatever the fourth.
func Hash4(seed, a, b, c, d uint64) uint64 {
	return absorb(absorb(absorb(absorb(absorb(seed, 4), a), b), c), d)
}

// Unit maps 64 uniform bits to a uniform multiple of 2^-53 in [0, 1). It is
// exact, hence the same on every architecture.
func Unit(bits uint64) float64 { return float64(bits>>11) / (1 << 53) }
