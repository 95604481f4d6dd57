package prng

import (
	"math"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The vectors are those of other implementations of the same published
// algorithms: PCG-DXSM from the states (1, 2) and (0, 0), SplitMix64 from
// 1234567.
func TestReferenceVectors(t *testing.T) {
	for _, c := range []struct {
		state Source
		want  []uint64
	}{
		{Source{1, 2}, []uint64{
			0xc4f5a58656eef510, 0x9dcec3ad077dec6c, 0xc8d04605312f8088,
			0xcbedc0dcb63ac19a, 0x3bf98798cae97950, 0x0a8c6d7f8d485abc,
		}},
		{Source{}, []uint64{0x38ffff682123e08a, 0xacfc572dc29cb1fd, 0x57ec35105c35c2db}},
	} {
		s := c.state
		for i, want := range c.want {
			if got := s.Uint64(); got != want {
				t.Errorf("state %v draw %d = %#x, want %#x", c.state, i, got, want)
			}
		}
	}
	state := uint64(1234567)
	for i, want := range []uint64{
		6457827717110365317, 3203168211198807973, 9817491932198370423,
		4593380528125082431, 16408922859458223821,
	} {
		state += golden
		if got := mix(state); got != want {
			t.Errorf("SplitMix64 draw %d = %d, want %d", i, got, want)
		}
	}
}

// These words pin New and the hashes, by way of a second implementation in
// another language: a change of either changes every recorded run.
func TestPinned(t *testing.T) {
	s := New(1, 2)
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"New(1, 2).Uint64()", s.Uint64(), 0xbe4f3f3b6a08f90a},
		{"Hash3(1, 2, 3, 4)", Hash3(1, 2, 3, 4), 0x5aa8b9df8095325d},
		{"Hash4(1, 2, 3, 4, 5)", Hash4(1, 2, 3, 4, 5), 0x6b445e2168a6ec34},
	} {
		if c.got != c.want {
			t.Errorf("%s = %#x, want %#x", c.name, c.got, c.want)
		}
	}
}

// chiSquare returns the statistic of counts against equal expectation, as a
// number of standard deviations from its mean (its degrees of freedom).
func chiSquare(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	want := float64(total) / float64(len(counts))
	sum := 0.0
	for _, c := range counts {
		sum += (float64(c) - want) * (float64(c) - want) / want
	}
	df := float64(len(counts) - 1)
	return (sum - df) / math.Sqrt(2*df)
}

// Every way to draw fills its range evenly. Five standard deviations either
// side: a fixed seed makes the test repeatable, and a count too even is as
// wrong as one too uneven.
func TestUniform(t *testing.T) {
	const draws, cells = 200_000, 100
	s := New(7, 0)
	for name, cell := range map[string]func(i int) int{
		"Uint64 low bits":  func(int) int { return int(s.Uint64() % cells) },
		"Uint64n":          func(int) int { return int(s.Uint64n(cells)) },
		"IntN":             func(int) int { return s.IntN(cells) },
		"Between":          func(int) int { return int(s.Between(-50, 50)) + 50 },
		"Float64":          func(int) int { return int(s.Float64() * cells) },
		"Hash3 by counter": func(i int) int { return int(Unit(Hash3(1, 0, 5, uint64(i))) * cells) },
		"Hash3 by link":    func(i int) int { return int(Unit(Hash3(1, uint64(i%500), uint64(i/500), 0)) * cells) },
		"Hash4 by seed":    func(i int) int { return int(Unit(Hash4(uint64(i), 0, 0, 0, 0)) * cells) },
	} {
		counts := make([]int, cells)
		for i := range draws {
			counts[cell(i)]++
		}
		if z := chiSquare(counts); math.Abs(z) > 5 {
			t.Errorf("%s: chi-square is %.1f standard deviations from uniform", name, z)
		}
	}
}

// A range of 3/4 of 2^64 makes the bias of multiplication without rejection
// plain: the multiples of 3 would come up twice as often as the others.
func TestUint64nUnbiased(t *testing.T) {
	const n = 3 << 62
	s := New(11, 0)
	counts := make([]int, 3)
	for range 60_000 {
		counts[s.Uint64n(n)%3]++
	}
	if z := chiSquare(counts); math.Abs(z) > 5 {
		t.Errorf("counts modulo 3 %v: %.1f standard deviations from uniform", counts, z)
	}
}

// Neighbouring streams, neighbouring seeds and a stream and its seed swapped
// must not agree in more bits than chance lets them.
func TestStreamsIndependent(t *testing.T) {
	const draws = 4096
	pairs := map[string][2]Source{
		"streams 0 and 1":      {New(1, 0), New(1, 1)},
		"streams 0 and 2^63":   {New(1, 0), New(1, 1<<63)},
		"seeds 0 and 1":        {New(0, 9), New(1, 9)},
		"seed and stream swap": {New(3, 4), New(4, 3)},
		"golden step":          {New(0, 5), New(golden, 5)},
	}
	for name, p := range pairs {
		a, b := p[0], p[1]
		same := 0
		for range draws {
			same += bits.OnesCount64(^(a.Uint64() ^ b.Uint64()))
		}
		const mean = draws * 32
		if dev := math.Abs(float64(same) - mean); dev > 5*math.Sqrt(draws*16) {
			t.Errorf("%s: %d of %d bits agree, want %d", name, same, draws*64, mean)
		}
	}
}

// New is a bijection of (seed, stream), of which no collision among nearby
// pairs is a necessary sign.
func TestNewDistinct(t *testing.T) {
	seen := map[Source]bool{}
	for seed := range uint64(200) {
		for stream := range uint64(200) {
			seen[New(seed, stream)] = true
		}
	}
	if len(seen) != 200*200 {
		t.Errorf("%d states for 40000 pairs of seed and stream", len(seen))
	}
}

// Every bit of every argument flips every bit of the result half of the time.
func TestHashAvalanche(t *testing.T) {
	const trials = 400
	s := New(5, 0)
	for arg := range 5 {
		for bit := range 64 {
			flipped := 0
			for range trials {
				w := [5]uint64{s.Uint64(), s.Uint64(), s.Uint64(), s.Uint64(), s.Uint64()}
				h := Hash4(w[0], w[1], w[2], w[3], w[4])
				w[arg] ^= 1 << bit
				flipped += bits.OnesCount64(h ^ Hash4(w[0], w[1], w[2], w[3], w[4]))
			}
			if dev := math.Abs(float64(flipped) - trials*32); dev > 6*math.Sqrt(trials*16) {
				t.Errorf("argument %d bit %d flips %.2f bits on average, want 32", arg, bit, float64(flipped)/trials)
			}
		}
	}
}

func TestHashTellsOrderAndArity(t *testing.T) {
	if Hash3(1, 2, 3, 4) == Hash3(1, 3, 2, 4) {
		t.Error("Hash3 does not tell the order of its words")
	}
	if Hash3(1, 2, 3, 4) == Hash4(1, 2, 3, 4, 0) || Hash3(1, 0, 0, 0) == Hash4(1, 0, 0, 0, 0) {
		t.Error("Hash4 with a zero word equals Hash3")
	}
}

func TestRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(rapid.Uint64().Draw(t, "seed"), rapid.Uint64().Draw(t, "stream"))
		n := rapid.Uint64().Draw(t, "n")
		if v := s.Uint64n(n); v >= n && n > 0 || n == 0 && v != 0 {
			t.Fatalf("Uint64n(%d) = %d", n, v)
		}
		i := rapid.Int().Draw(t, "i")
		if v := s.IntN(i); v < 0 || v >= i && i > 0 || i <= 0 && v != 0 {
			t.Fatalf("IntN(%d) = %d", i, v)
		}
		lo, hi := rapid.Int64().Draw(t, "lo"), rapid.Int64().Draw(t, "hi")
		if v := s.Between(lo, hi); v < lo || v >= hi && hi > lo || hi <= lo && v != lo {
			t.Fatalf("Between(%d, %d) = %d", lo, hi, v)
		}
		if v := s.Float64(); v < 0 || v >= 1 {
			t.Fatalf("Float64() = %v", v)
		}
	})
	for _, c := range []struct {
		bits uint64
		want float64
	}{{0, 0}, {1 << 63, 0.5}, {math.MaxUint64, 1 - 1.0/(1<<53)}} {
		if got := Unit(c.bits); got != c.want {
			t.Errorf("Unit(%#x) = %v, want %v", c.bits, got, c.want)
		}
	}
}

// All 24 orders of four elements come up equally often.
func TestPermUniform(t *testing.T) {
	s := New(13, 0)
	counts := map[[4]int]int{}
	for range 48_000 {
		p := s.Perm(4)
		counts[[4]int(p)]++
		slices.Sort(p)
		if !slices.Equal(p, []int{0, 1, 2, 3}) {
			t.Fatalf("Perm(4) sorted is %v", p)
		}
	}
	var c []int
	for _, n := range counts {
		c = append(c, n)
	}
	if len(c) != 24 {
		t.Fatalf("%d orders of four elements, want 24", len(c))
	}
	if z := chiSquare(c); math.Abs(z) > 5 {
		t.Errorf("orders are %.1f standard deviations from uniform", z)
	}
	if p := s.Perm(-1); len(p) != 0 {
		t.Errorf("Perm(-1) = %v, want none", p)
	}
}

func TestCopyContinuesAlone(t *testing.T) {
	a := New(1, 1)
	a.Uint64()
	b := a
	for range 10 {
		if x, y := a.Uint64(), b.Uint64(); x != y {
			t.Fatalf("copy draws %#x, original %#x", y, x)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var sum uint64
	x := make([]int, 16)
	allocs := testing.AllocsPerRun(100, func() {
		s := New(1, 2)
		sum += s.Uint64() + s.Uint64n(10) + uint64(s.IntN(10)) + uint64(s.Between(1, 9))
		sum += Hash3(1, 2, 3, 4) + Hash4(1, 2, 3, 4, 5) + uint64(s.Float64())
		s.Shuffle(len(x), func(i, j int) { x[i], x[j] = x[j], x[i] })
	})
	if allocs != 0 {
		t.Errorf("%v allocations per round of draws, want 0", allocs)
	}
}

func BenchmarkDraw(b *testing.B) {
	s := New(1, 2)
	var sum uint64
	b.Run("op=Uint64", func(b *testing.B) {
		for b.Loop() {
			sum += s.Uint64()
		}
	})
	b.Run("op=Uint64n", func(b *testing.B) {
		for b.Loop() {
			sum += s.Uint64n(1000)
		}
	})
	b.Run("op=Hash3", func(b *testing.B) {
		for b.Loop() {
			sum = Hash3(sum, 1, 2, 3)
		}
	})
}
