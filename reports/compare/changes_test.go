package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// levels returns a series with a level for each stretch, and noise around it.
func levels(rng *rand.Rand, cv, tail float64, each int, means ...float64) (out []float64) {
	for _, m := range means {
		for range each {
			v := m * math.Exp(cv*rng.NormFloat64())
			if rng.Float64() < tail {
				v *= 1 + 2*rng.Float64()
			}
			out = append(out, v)
		}
	}
	return out
}

// By hand, for ranks 1 to 6 cut in the middle: the distances across sum to 27, on
// either side to 4; q = 9/6 * (2*27/9 - 2*4/6 - 2*4/6) = 5.
func TestEnergyByHand(t *testing.T) {
	if q, at := energy([]float64{1, 2, 3, 4, 5, 6}); math.Abs(q-5) > 1e-9 || at != 3 {
		t.Errorf("energy %v at %d, expected 5 at 3", q, at)
	}
	if _, at := energy([]float64{1, 2, 3, 4, 5}); at != 0 {
		t.Errorf("a split of five at %d, expected none", at)
	}
}

// The sums kept while the cut moves are those computed anew.
func TestEnergyIsItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		x := levels(rng, 0.3, 0, 5+rng.IntN(10), 1, 1.2)
		got, at := energy(x)
		want, wantAt := math.Inf(-1), 0
		for cut := leastSegment; cut <= len(x)-leastSegment; cut++ {
			mean := func(a, b []float64, pairs int) (sum float64) {
				for _, v := range a {
					for _, w := range b {
						sum += math.Abs(v - w)
					}
				}
				return sum / float64(pairs)
			}
			a, b := x[:cut], x[cut:]
			n, m := len(a), len(b)
			q := float64(n*m) / float64(n+m) * (2*mean(a, b, n*m) - mean(a, a, n*(n-1)) - mean(b, b, m*(m-1)))
			if q > want {
				want, wantAt = q, cut
			}
		}
		if math.Abs(got-want) > 1e-9 || at != wantAt {
			t.Fatalf("energy %v at %d, expected %v at %d", got, at, want, wantAt)
		}
	}
}

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		name  string
		tail  float64
		means []float64
		want  []int
	}{
		{"one", 0, []float64{100, 110}, []int{20}},
		{"two", 0, []float64{100, 115, 100}, []int{20, 40}},
		{"with outliers", 0.1, []float64{100, 120}, []int{20}},
		{"staircase", 0, []float64{100, 110, 121, 133}, []int{20, 40, 60}},
		{"too small to count", 0, []float64{100, 103}, nil},
	} {
		right := 0
		for seed := range uint64(20) {
			x := levels(rand.New(rand.NewPCG(seed, 3)), 0.02, c.tail, 20, c.means...)
			got := Changes(x, 0.01, 0.05)
			if again := Changes(x, 0.01, 0.05); !slices.Equal(got, again) {
				t.Fatalf("%s: %v, then %v", c.name, got, again)
			}
			near := len(got) == len(c.want)
			for i := range got {
				near = near && math.Abs(float64(got[i]-c.want[i])) <= 2
			}
			if near {
				right++
			}
		}
		if right < 17 {
			t.Errorf("%s: right for %d of 20 seeds, expected 17 at least", c.name, right)
		}
	}
}

// In series without a change there is one in at most about alpha of cases, whatever
// the noise.
func TestNoChanges(t *testing.T) {
	found := 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 4))
		if len(Changes(levels(rng, 0.1, 0.1, 15+rng.IntN(20), 100), 0.05, 0)) > 0 {
			found++
		}
	}
	t.Logf("changes in %d of 400 series without any, at a level of 5 %%", found)
	if found > 36 { // 20 expected, deviation 4.4
		t.Errorf("changes in %d of 400 series without any, expected about 20", found)
	}
	if got := Changes(make([]float64, 50), 0.05, 0); got != nil {
		t.Errorf("changes %v in a series of one value", got)
	}
	if got := Changes([]float64{1, 9, 1}, 0.05, 0); got != nil {
		t.Errorf("changes %v in three values", got)
	}
}

// Only the latest runs of a long series are looked at.
func TestLongSeries(t *testing.T) {
	x := levels(rand.New(rand.NewPCG(1, 5)), 0.01, 0, maxSeries, 100, 200)
	if got := Changes(x, 0.01, 0.05); len(got) != 0 {
		t.Errorf("changes %v before the latest %d runs", got, maxSeries)
	}
}
