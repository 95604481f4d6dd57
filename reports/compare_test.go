package reports

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestChooseAndSubsets(t *testing.T) {
	for _, row := range [][3]int{{6, 3, 20}, {8, 4, 70}, {10, 5, 252}, {16, 8, 12870}, {5, 0, 1}, {5, 5, 1}} {
		n := 0
		subsets(row[0], row[1], func(set []int) {
			n++
			if len(set) != row[1] || !slices.IsSorted(set) {
				t.Errorf("set %v of %d", set, row[0])
			}
		})
		if got := choose(row[0], row[1]); got != row[2] || n != row[2] {
			t.Errorf("%d over %d is %d with %d sets, expected %d", row[0], row[1], got, n, row[2])
		}
	}
	if choose(200, 100) <= maxArrangements {
		t.Error("200 over 100 is small")
	}
}

// By hand: of the 20 ways to give three of six ranks to the first sample, the
// lowest three and the highest three are as far out as {1,2,3}. With ties, 1 1 2
// against 2 3 3: ranks 1.5 1.5 3.5 | 3.5 5.5 5.5, sum 6.5 of 10.5 expected. Sums
// as far out are those of {1.5,1.5,3.5} (two ways, either 3.5) and {5.5,5.5,3.5}
// (two ways): 4 of 20.
func TestMannWhitneyByHand(t *testing.T) {
	near(t, "apart", MannWhitney([]float64{1, 2, 3}, []float64{4, 5, 6}), 2.0/20)
	near(t, "ties", MannWhitney([]float64{1, 1, 2}, []float64{2, 3, 3}), 4.0/20)
	near(t, "one and the same", MannWhitney([]float64{5, 5}, []float64{5, 5}), 1)
	near(t, "nothing", MannWhitney(nil, []float64{1}), math.NaN())
	// 1..12 against 13..24: z = (72-0.5)/sqrt(12*12*25/12) = 4.1281, p = 3.659e-5.
	var a, b []float64
	for i := range 12 {
		a, b = append(a, float64(i)), append(b, float64(i+12))
	}
	if got := MannWhitney(a, b); math.Abs(got/3.659e-5-1) > 1e-3 {
		t.Errorf("normal approximation %v, expected 3.659e-5", got)
	}
	same := make([]float64, 30)
	near(t, "many and the same", MannWhitney(same, same), 1)
}

// Twelve a side with many ties: the variance with its correction is that of the
// rank sum over arrangements, found here by drawing them.
func TestTieCorrection(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	values := make([]float64, 24)
	for i := range values {
		values[i] = float64(rng.IntN(3))
	}
	ranks, ties := midranks(values)
	var sums []float64
	for range 40_000 {
		rng.Shuffle(24, func(i, j int) { ranks[i], ranks[j] = ranks[j], ranks[i] })
		sum := 0.0
		for _, r := range ranks[:12] {
			sum += r
		}
		sums = append(sums, sum)
	}
	variance := 12.0 * 12 / 12 * (25 - ties/(24*23))
	if got := StdDev(sums); math.Abs(got/math.Sqrt(variance)-1) > 0.02 {
		t.Errorf("deviation of the rank sum %v, by the formula %v", got, math.Sqrt(variance))
	}
}

func perSeed(values ...float64) (out []SeedValue) {
	for i, v := range values {
		out = append(out, SeedValue{uint64(i + 1), v})
	}
	return out
}

// By hand: 0 0 0 0 against 1 1 1 1 is as far apart as 2 of 70 arrangements; the
// next difference, one run exchanged, is 0.5 and reached by 2+2*16 of them.
func TestCompareByHand(t *testing.T) {
	c := Compare(perSeed(0, 0, 0, 0), perSeed(1, 1, 1, 1))
	near(t, "difference", c.Difference, 1)
	near(t, "p", c.P, 2.0/70)
	near(t, "share of half", c.share(0.5), 34.0/70)
	near(t, "smallest at 5 %", c.Smallest(0.05), 1)
	near(t, "smallest at 1 %", c.Smallest(0.01), math.NaN())
	if c.Paired || !canTell(4, 4) || canTell(3, 3) || canTell(0, 9) {
		t.Errorf("four seeds are arranged over all runs and can tell, three cannot: %+v", c)
	}
	near(t, "p of nothing", Compare(nil, perSeed(1)).P, math.NaN())
	near(t, "p of equals", Compare(perSeed(2, 2, 2), perSeed(2, 2, 2)).P, 1)
}

// Nine pairs that all differ by a little in the same direction, while seeds
// differ by much: only 2 of 512 swaps are as far out.
func TestComparePairs(t *testing.T) {
	var a, b []SeedValue
	for i := range 9 {
		v := float64(i * i)
		a, b = append(a, SeedValue{uint64(i), v}), append(b, SeedValue{uint64(i), v + 0.1})
	}
	c := Compare(a, b)
	near(t, "p of pairs", c.P, 2.0/512)
	if !c.Paired {
		t.Error("nine common seeds are not taken as pairs")
	}
	b[0].Seed = 99
	if c = Compare(a, b); c.Paired || c.P < 0.5 {
		t.Errorf("without a common seed: paired %v, p %v, expected nothing to see", c.Paired, c.P)
	}
}

// A test of equals is wrong in at most 5 of 100 cases, and drawn arrangements
// are the same in every call.
func TestCompareLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	draw := func() (out []SeedValue) {
		for i := range 5 {
			out = append(out, SeedValue{uint64(i), math.Round(4 * rng.NormFloat64())})
		}
		return out
	}
	wrong := 0
	for range 2000 {
		if Compare(draw(), draw()).P <= significance {
			wrong++
		}
	}
	if wrong > 130 || wrong < 30 { // 100 of 2000, and some less for ties
		t.Errorf("%d of 2000 equals are called different, expected at most about 100", wrong)
	}
	var a, b []SeedValue
	for i := range 20 {
		a, b = append(a, SeedValue{uint64(i), rng.NormFloat64()}), append(b, SeedValue{uint64(i + 7), rng.NormFloat64()})
	}
	if first, second := Compare(a, b), Compare(a, b); first.P != second.P || len(first.differences) != drawnArrangements {
		t.Errorf("p %v and %v of the same samples", first.P, second.P)
	}
}

func TestHolm(t *testing.T) {
	got := Holm([]float64{0.04, 0.01, math.NaN(), 0.03, 0.005})
	// 0.005*4, 0.01*3, 0.03*2, 0.04*1 raised to the one before.
	for i, want := range []float64{0.06, 0.03, math.NaN(), 0.06, 0.02} {
		near(t, "corrected", got[i], want)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(t, "p")
		for i, v := range Holm(p) {
			if v < p[i] || v > 1 {
				t.Fatalf("%v became %v", p[i], v)
			}
		}
	})
}

// By hand, of four: 0.04*4/4, 0.03*4/3 lowered to the one after, 0.01*4/2, 0.005*4/1.
func TestBenjaminiHochberg(t *testing.T) {
	got := BenjaminiHochberg([]float64{0.04, 0.01, math.NaN(), 0.03, 0.005})
	for i, want := range []float64{0.04, 0.02, math.NaN(), 0.04, 0.02} {
		near(t, "corrected", got[i], want)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(t, "p")
		holm := Holm(p)
		for i, v := range BenjaminiHochberg(p) {
			if v < p[i] || v > holm[i]+1e-12 {
				t.Fatalf("%v became %v, by Holm %v", p[i], v, holm[i])
			}
		}
	})
}

func TestSmallestP(t *testing.T) {
	for _, sizes := range [][2]int{{1, 1}, {3, 4}, {8, 8}, {10, 10}, {25, 20}} {
		var a, b []float64
		for i := range sizes[0] {
			a = append(a, float64(i))
		}
		for i := range sizes[1] {
			b = append(b, float64(100+i))
		}
		near(t, "samples apart", SmallestP(len(a), len(b)), MannWhitney(a, b))
	}
	near(t, "nothing", SmallestP(0, 3), math.NaN())
}
