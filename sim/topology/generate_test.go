package topology

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// These hashes pin the generator: a change of it changes every run
// that names no matrix.
func TestGeneratePinned(t *testing.T) {
	for _, c := range []struct {
		seed uint64
		n    int
		want string
	}{
		{1, 50, "b73cc9ffae181186"}, {2, 50, "0b9f8ea0fa8214af"}, {1, 201, "89ced2e1e71948c6"},
	} {
		m, err := Generate(c.seed, c.n)
		if err != nil {
			t.Fatal(err)
		}
		h := fnv.New64a()
		for _, d := range m.oneWay {
			fmt.Fprintf(h, "%d ", d)
		}
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != c.want {
			t.Errorf("Generate(%d, %d) hashes to %s, want %s", c.seed, c.n, got, c.want)
		}
	}
}

// Whatever the seed, the matrix is complete and has the properties that a
// wide-area network is wanted for: distances of a continent and of an ocean,
// some nodes next door, slight asymmetry, and some short cuts.
func TestGenerateIsWideArea(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		n := rapid.IntRange(50, 120).Draw(t, "n")
		m, err := Generate(seed, n)
		if err != nil {
			t.Fatal(err)
		}
		near := 0
		for i := range n {
			for j := range n {
				there, back := m.OneWay(i, j), m.OneWay(j, i)
				if (i == j) != (there == 0) || there < 0 {
					t.Fatalf("OneWay(%d, %d) = %v", i, j, there)
				}
				if ratio := float64(there) / float64(back); i != j && (ratio < 0.94 || ratio > 1.07) {
					t.Fatalf("OneWay(%d, %d) = %v, but %v back", i, j, there, back)
				}
				near += count(i < j && there < 2*time.Millisecond)
			}
		}
		s := m.Stats()
		if s.Unknown != 0 || near == 0 || s.MedianRTT < 40*time.Millisecond || s.MedianRTT > 250*time.Millisecond ||
			s.MaxRTT < s.MedianRTT*3/2 || s.MaxRTT > 2*time.Second {
			t.Fatalf("seed %d: %d pairs nearby, %v", seed, near, s)
		}
		if s.Asymmetric < 0.8 || s.TriangleViolations < 0.02 || s.TriangleViolations > 0.25 {
			t.Fatalf("seed %d: %v", seed, s)
		}
	})
}

func TestGenerateDependsOnSeed(t *testing.T) {
	a, err := Generate(1, 20)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Generate(2, 20)
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for k := range a.oneWay {
		same += count(a.oneWay[k] == b.oneWay[k])
	}
	if same > 20 { // the diagonal
		t.Errorf("seeds 1 and 2 share %d of 400 delays, want the 20 of the diagonal", same)
	}
}

func TestGenerateErrors(t *testing.T) {
	for _, n := range []int{-1, 0, MaxNodes + 1} {
		_, err := Generate(1, n)
		if want := fmt.Sprintf("topology: generate matrix of %d nodes: want 1 to 16384", n); err == nil ||
			!strings.HasPrefix(err.Error(), want) {
			t.Errorf("Generate(1, %d): error %v, want %q", n, err, want)
		}
	}
}

func TestContinentsSumToAll(t *testing.T) {
	sum := uint64(0)
	for _, c := range continents {
		sum += c.percent
	}
	if sum != 100 {
		t.Errorf("the continents share %d percent, want 100", sum)
	}
}

func TestDistanceWrapsAround(t *testing.T) {
	for _, c := range []struct {
		p, q point
		want float64
	}{
		{point{0, 0}, point{3, 4}, 5},
		{point{100, 0}, point{worldWidth - 200, 400}, 500},
		{point{worldWidth - 200, 400}, point{100, 0}, 500},
	} {
		if got := distance(c.p, c.q); got != c.want {
			t.Errorf("distance(%v, %v) = %v, want %v", c.p, c.q, got, c.want)
		}
	}
}

func BenchmarkOneWay(b *testing.B) {
	m, err := Generate(1, 1024)
	if err != nil {
		b.Fatal(err)
	}
	var sum time.Duration
	for i := 0; b.Loop(); i++ {
		sum += m.OneWay(i&1023, i>>10&1023)
	}
}
