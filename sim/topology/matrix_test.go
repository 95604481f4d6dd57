package topology

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"i3bench/internal/prng"
)

// random returns a matrix with random delays of which that share is unknown.
func random(seed uint64, n int, unknown float64) *Matrix {
	source := prng.New(seed, 0)
	m := &Matrix{n: n, oneWay: make([]time.Duration, n*n)}
	for k := range m.oneWay {
		switch i, j := k/n, k%n; {
		case i == j:
		case source.Float64() < unknown:
			m.oneWay[k] = Unknown
		default:
			m.oneWay[k] = time.Duration(source.Between(1, 1000))
		}
	}
	return m
}

// A pick is distinct, in range, fully measured, and the same for the same seed;
// where it fails, no candidate could have been added.
func TestPick(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 40).Draw(t, "size")
		n := rapid.IntRange(1, size).Draw(t, "n")
		seed := rapid.Uint64().Draw(t, "seed")
		m := random(seed, size, rapid.SampledFrom([]float64{0, 0.02, 0.3}).Draw(t, "unknown"))
		full := m.Stats().Unknown == 0
		picked, err := m.Pick(seed, n)
		if err != nil {
			if full {
				t.Fatalf("pick %d of %d, all measured: %v", n, size, err)
			}
			return
		}
		again, _ := m.Pick(seed, n)
		if len(picked) != n || !slices.Equal(picked, again) {
			t.Fatalf("Pick(%d, %d) = %v, then %v", seed, n, picked, again)
		}
		sub, err := m.Sub(picked) // fails where not distinct
		if err != nil {
			t.Fatal(err)
		}
		if unknown := sub.Stats().Unknown; unknown != 0 {
			t.Fatalf("picked %v with %d pairs not measured", picked, unknown)
		}
		for a, i := range picked {
			for b, j := range picked {
				if sub.OneWay(a, b) != m.OneWay(i, j) {
					t.Fatalf("Sub(%v): OneWay(%d, %d) is not that of (%d, %d)", picked, a, b, i, j)
				}
			}
		}
	})
}

// Every node comes first equally often: the subset depends on the seed alone.
func TestPickIsFair(t *testing.T) {
	m := random(1, 10, 0)
	first := make([]int, 10)
	for seed := range uint64(10_000) {
		picked, err := m.Pick(seed, 3)
		if err != nil {
			t.Fatal(err)
		}
		first[picked[0]]++
	}
	for i, n := range first {
		if math.Abs(float64(n)-1000) > 5*math.Sqrt(900) {
			t.Errorf("node %d is first in %d of 10000 picks, want about 1000", i, n)
		}
	}
}

func TestPickErrors(t *testing.T) {
	// Nodes 0 and 1 are strangers in one direction only.
	m := &Matrix{n: 3, oneWay: []time.Duration{0, 5, 5, Unknown, 0, 5, 5, 5, 0}}
	for _, c := range []struct {
		n    int
		want string
	}{
		{0, "topology: pick 0 nodes: want 1 to 3"},
		{4, "topology: pick 4 nodes: want 1 to 3"},
		{3, "topology: pick 3 nodes of 3 with seed 1: found 2 of which every two are measured"},
	} {
		if _, err := m.Pick(1, c.n); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("Pick(1, %d): error %v, want %q", c.n, err, c.want)
		}
	}
	for _, nodes := range [][]int{{0, 3}, {-1}, {1, 2, 1}} {
		if _, err := m.Sub(nodes); err == nil || !strings.Contains(err.Error(), "want distinct nodes from 0 to 2") {
			t.Errorf("Sub(%v): error %v", nodes, err)
		}
	}
	if empty, err := m.Sub(nil); err != nil || empty.Len() != 0 {
		t.Errorf("Sub(nil) = %v, %v, want no nodes", empty, err)
	}
}

func TestStats(t *testing.T) {
	const ms = time.Millisecond
	m, err := Read("rtt", strings.NewReader("0 10 100\n20 0 30\n-1 40 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	// Known round trips: 10 20 30 40 100. Pairs measured both ways: (0,1) and
	// (1,2), both unequal. Triples with all three legs known: 0-1-2 (100 > 10+30),
	// 0-2-1 (10 < 100+40), 1-0-2 (30 < 20+100).
	want := Stats{
		Nodes: 3, Unknown: 1, MedianRTT: 30 * ms, MaxRTT: 100 * ms, Asymmetric: 1, TriangleViolations: 1.0 / 3,
	}
	if got := m.Stats(); got != want {
		t.Errorf("Stats() = %+v, want %+v", got, want)
	}
	const line = "3 nodes, unmeasured pairs 1, round trip median 30ms, max 100ms, " +
		"100.0% of pairs asymmetric, 33.3% of triples break the triangle inequality"
	if got := want.String(); got != line {
		t.Errorf("String() = %q, want %q", got, line)
	}
	single, err := Generate(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := single.Stats(); got != (Stats{Nodes: 1}) {
		t.Errorf("one node: Stats() = %+v, want none", got)
	}
}

// The estimate for large matrices agrees with the count.
func TestSampledTriangles(t *testing.T) {
	m := random(3, 60, 0.1)
	exact, sampled := m.triangleViolations(), m.sampleTriangles(1<<20)
	if exact < 0.1 || math.Abs(exact-sampled) > 0.003 {
		t.Errorf("counted %.4f, sampled %.4f: want them within 0.003", exact, sampled)
	}
}
