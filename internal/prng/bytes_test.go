package prng

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

// upTo returns the bytes 0, 1, 2 ... of a length.
func upTo(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// These words pin Bytes and Chain, by way of a second implementation in another
// language: a change of either changes every trace on file.
func TestBytesPinned(t *testing.T) {
	seq := upTo(100)
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"nothing", Bytes(nil, nil), 0x6a87fea64ea39e7a},
		{"abc first", Bytes([]byte("abc"), nil), 0xafbf4dc46947d057},
		{"abc second", Bytes(nil, []byte("abc")), 0xf516d4d3371b15f6},
		{"33 and 67 bytes", Bytes(seq[:33], seq[33:]), 0xc31cff063faf60eb},
		{"100 bytes", Bytes(seq, nil), 0x3a49af0ccf147cd1},
		{"16 and 32 bytes", Bytes(seq[:16], seq[:32]), 0x3177d747367d54a2},
		{"chain of 1, 2, 3, 4", Chain(1, 2, 3, 4), 0x904f60d76024c01b},
		{"chain of zeros", Chain(0, 0, 0, 0), 0x9e3779b97f4a7c15},
	} {
		if c.got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, c.got, c.want)
		}
	}
}

// Every bit of every byte flips every bit of the result half of the time,
// wherever it lies: in the blocks of 32, in what is left, in either slice.
func TestBytesAvalanche(t *testing.T) {
	const trials = 60
	s := New(6, 0)
	for _, size := range []int{1, 8, 15, 16, 17, 31, 32, 33, 63, 80} {
		b := make([]byte, size)
		for bit := range 8 * size {
			flipped := 0
			for range trials {
				for i := range b {
					b[i] = byte(s.Uint64())
				}
				cut := s.IntN(size + 1)
				h := Bytes(b[:cut], b[cut:])
				b[bit/8] ^= 1 << (bit % 8)
				flipped += bits.OnesCount64(h ^ Bytes(b[:cut], b[cut:]))
			}
			if dev := math.Abs(float64(flipped) - trials*32); dev > 6*math.Sqrt(trials*16) {
				t.Errorf("%d bytes, bit %d flips %.2f bits on average, want 32", size, bit, float64(flipped)/trials)
			}
		}
	}
}

// Words of a chain are weaker: each bit flips between 28 and 36 bits on average.
func TestChainAvalanche(t *testing.T) {
	const trials = 1000
	s := New(7, 0)
	for arg := range 4 {
		for bit := range 64 {
			flipped := 0
			for range trials {
				w := [4]uint64{s.Uint64(), s.Uint64(), s.Uint64(), s.Uint64()}
				h := Chain(w[0], w[1], w[2], w[3])
				w[arg] ^= 1 << bit
				flipped += bits.OnesCount64(h ^ Chain(w[0], w[1], w[2], w[3]))
			}
			if mean := float64(flipped) / trials; mean < 28 || mean > 36 {
				t.Errorf("word %d bit %d flips %.2f bits on average, want 28 to 36", arg, bit, mean)
			}
		}
	}
}

// Bytes are told apart by their number, though they are all zero, and by where
// one slice ends and the other begins.
func TestBytesTellLengthAndSplit(t *testing.T) {
	zeros := make([]byte, 200)
	seen := map[uint64][2]int{}
	for n := range len(zeros) {
		for cut := range n + 1 {
			h := Bytes(zeros[:cut], zeros[cut:n])
			if other, dup := seen[h]; dup {
				t.Fatalf("zeros split as %d+%d and as %d+%d have one hash", cut, n-cut, other[0], other[1])
			}
			seen[h] = [2]int{cut, n - cut}
		}
	}
}

// The hash depends on nothing but the bytes: not on where they lie, nor on what
// comes after them.
func TestBytesDependOnBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "a")
		b := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "b")
		around := bytes.Repeat([]byte{0xff}, 300)
		at := rapid.IntRange(0, 9).Draw(t, "at")
		x := around[at : at+copy(around[at:], a)]
		y := around[150+at : 150+at+copy(around[150+at:], b)]
		if Bytes(x, y) != Bytes(a, b) {
			t.Errorf("%d and %d bytes have another hash elsewhere", len(a), len(b))
		}
		if !bytes.Equal(a, b) && Bytes(a, b) == Bytes(b, a) {
			t.Error("the order of the slices does not matter")
		}
	})
}

// A million packets that differ in a counter have a million hashes, and so have
// the chains of them; the low bits fill evenly.
func TestBytesCollisions(t *testing.T) {
	const n = 1 << 20
	var packet [48]byte
	seen := make(map[uint64]bool, n)
	chains := make(map[uint64]bool, n)
	counts := make([]int, 256)
	chain := uint64(0)
	for i := range uint64(n) {
		binary.LittleEndian.PutUint64(packet[20:], i)
		h := Bytes(packet[:40], packet[40:])
		chain = Chain(chain, i, 1, h)
		seen[h], chains[chain] = true, true
		counts[h%256]++
	}
	if len(seen) != n || len(chains) != n {
		t.Errorf("%d hashes and %d chains, want %d", len(seen), len(chains), n)
	}
	if x := chiSquare(counts); math.Abs(x) > 5 {
		t.Errorf("the low byte is %.1f deviations from even", x)
	}
}

// Which word comes first matters, and which call.
func TestChainTellsOrder(t *testing.T) {
	if Chain(1, 2, 3, 4) == Chain(1, 3, 2, 4) || Chain(1, 2, 3, 4) == Chain(1, 2, 4, 3) {
		t.Error("the order of words does not matter")
	}
	if Chain(Chain(1, 2, 2, 2), 3, 3, 3) == Chain(Chain(1, 3, 3, 3), 2, 2, 2) {
		t.Error("the order of calls does not matter")
	}
}

func TestBytesDoNotAllocate(t *testing.T) {
	b := upTo(77)
	h := uint64(0)
	if n := testing.AllocsPerRun(100, func() { h = Chain(h, 1, 2, Bytes(b[:7], b[7:])) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkBytes(b *testing.B) {
	packet := upTo(1000)
	h := uint64(0)
	b.SetBytes(int64(len(packet)))
	for b.Loop() {
		h = Chain(h, 1, 2, Bytes(packet[:40], packet[40:]))
	}
}
