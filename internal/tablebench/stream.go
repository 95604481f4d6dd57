package tablebench

import "math/bits"

// An ID is an identifier; its first three words are the key.
type ID [4]uint64

// Seeds of the streams.
const (
	presentSeed = 1
	absentSeed  = 2
	querySeed   = 3
)

// golden is the step of splitmix64: 2^64 divided by the golden ratio, made odd.
const golden = 0x9e3779b97f4a7c15

// spread is the prime that spreads ranks over numbers. No n below it has a divisor in common with it.
const spread = 2654435761

// mix is the finalizer of splitmix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// at returns four words in a row of the stream with a seed.
func at(seed, i uint64) (id ID) {
	for j := range id {
		id[j] = mix(seed + golden*(4*i+uint64(j)+1))
	}
	return id
}

// Present returns the identifier with number i of those in the table.
func Present(i int) ID { return at(presentSeed, uint64(i)) }

// Absent returns the identifier with number i of those that are not.
func Absent(i int) ID { return at(absentSeed, uint64(i)) }

// A stream draws numbers.
type stream uint64

func (s *stream) next() uint64 {
	*s += golden
	return mix(uint64(*s))
}

// below draws a number below n.
func (s *stream) below(n uint64) uint64 {
	hi, _ := bits.Mul64(s.next(), n)
	return hi
}

// rank draws a number from 1 to n by Zipf's law with s = 1.
func (s *stream) rank(n uint64) uint64 {
	octaves := uint64(bits.Len64(n))
	for {
		first := uint64(1) << s.below(octaves)
		k := first + s.below(first)
		if k <= n && s.below(k) < first {
			return k
		}
	}
}
