package loadgen

import (
	"math"
	"slices"
	"testing"
	"time"
)

// gaps returns the distances between operations, the first from 0, in units of
// their mean.
func gaps(t *testing.T, p Poisson) []float64 {
	t.Helper()
	var g []float64
	last := time.Duration(0)
	for _, op := range all(open(t, p)) {
		g = append(g, (op.At-last).Seconds()*p.Rate)
		last = op.At
	}
	return g
}

// The gaps of a Poisson process are exponential: the Kolmogorov-Smirnov distance
// of n of them is below 1.95/sqrt(n) in 999 of 1000 cases. And they are
// independent: so is the rank correlation of neighbours.
func TestPoissonGaps(t *testing.T) {
	g := gaps(t, Poisson{Rate: 1000, For: 200 * time.Second, Seed: 3})
	n := float64(len(g))
	uniform := make([]float64, len(g)) // by the distribution function
	correlation := 0.0
	for i, x := range g {
		uniform[i] = 1 - math.Exp(-x)
		if i > 0 {
			correlation += 12 * (uniform[i] - 0.5) * (uniform[i-1] - 0.5)
		}
	}
	if correlation /= n; math.Abs(correlation) > 4/math.Sqrt(n) {
		t.Errorf("neighbouring gaps correlate by %.4f, want less than %.4f", correlation, 4/math.Sqrt(n))
	}
	slices.Sort(uniform)
	distance := 0.0
	for i, u := range uniform {
		distance = max(distance, math.Abs(u-(float64(i)+0.5)/n))
	}
	if limit := 1.95 / math.Sqrt(n); distance > limit {
		t.Errorf("gaps are %.4f away from the exponential distribution, want less than %.4f", distance, limit)
	}
}

// The counts of equal intervals have a variance equal to their mean, whether the
// intervals are shorter than a window, as long, or longer, and wherever they
// begin. A process that is regular at the length of a window fails here.
func TestPoissonCounts(t *testing.T) {
	p := Poisson{Rate: 64_000, For: 20 * time.Second, Seed: 5} // windows of 1 ms
	ops := all(open(t, p))
	for _, width := range []time.Duration{100 * time.Microsecond, time.Millisecond, 7 * time.Millisecond} {
		for _, offset := range []time.Duration{0, width / 3} {
			counts := make([]float64, (p.For-width)/width)
			for _, op := range ops {
				if i := (op.At - offset) / width; op.At >= offset && int(i) < len(counts) {
					counts[i]++
				}
			}
			mean, square := 0.0, 0.0
			for _, c := range counts {
				mean += c / float64(len(counts))
			}
			for _, c := range counts {
				square += (c - mean) * (c - mean) / float64(len(counts))
			}
			want := p.Rate * width.Seconds()
			n := float64(len(counts))
			if math.Abs(mean-want) > 5*math.Sqrt(want/n) {
				t.Errorf("intervals of %v from %v: mean %.2f, want %.2f", width, offset, mean, want)
			}
			if ratio := square / mean; math.Abs(ratio-1) > 5*math.Sqrt(2/n)+5/math.Sqrt(n*want) {
				t.Errorf("intervals of %v from %v: variance is %.3f times the mean, want 1", width, offset, ratio)
			}
		}
	}
}

// The number of operations is itself a Poisson number, not the rate times the
// duration: over many seeds its variance is its mean.
func TestPoissonLen(t *testing.T) {
	const seeds, mean = 2000, 500.0
	sum, square := 0.0, 0.0
	for seed := range uint64(seeds) {
		n := float64(open(t, Poisson{Rate: 1000, For: 500 * time.Millisecond, Seed: seed}).Len())
		sum += n
		square += (n - mean) * (n - mean)
	}
	if got := sum / seeds; math.Abs(got-mean) > 5*math.Sqrt(mean/seeds) {
		t.Errorf("mean of %d schedules is %.2f operations, want %v", seeds, got, mean)
	}
	if ratio := square / seeds / mean; math.Abs(ratio-1) > 5*math.Sqrt(2.0/seeds) {
		t.Errorf("variance is %.3f times the mean, want 1", ratio)
	}
}

// The table that is made by recurrence agrees with the closed formula, and the
// draws with the table.
func TestPoissonCount(t *testing.T) {
	sum := 0.0
	for k := range poissonTable {
		factorial, _ := math.Lgamma(float64(k) + 1)
		sum += math.Exp(float64(k)*math.Log(windowMean) - windowMean - factorial)
		if got := math.Ldexp(float64(poissonTable[k]), -64); math.Abs(got-sum) > 1e-12 {
			t.Errorf("P(N <= %d) = %v, want %v", k, got, sum)
		}
	}
	for k := uint64(20); k < 120; k++ {
		bound := poissonTable[k]
		if below, at := poissonCount(bound-1), poissonCount(bound); below != k || at != k+1 {
			t.Errorf("below and at P(N <= %d) the counts are %d and %d, want %d and %d", k, below, at, k, k+1)
		}
	}
	if got := poissonCount(math.MaxUint64); got < 120 || got > uint64(len(poissonTable)) {
		t.Errorf("the largest draw counts %d, want the far end of the table", got)
	}
}

func TestPoissonSeeds(t *testing.T) {
	a := all(open(t, Poisson{Rate: 1000, For: time.Second, Seed: 1}))
	b := all(open(t, Poisson{Rate: 1000, For: time.Second, Seed: 2}))
	c := all(open(t, Poisson{Rate: 1000, For: time.Second, Seed: 1}))
	if slices.Equal(a, b) {
		t.Error("seeds 1 and 2 give the same schedule")
	}
	if !slices.Equal(a, c) {
		t.Error("seed 1 gives two schedules")
	}
	// A longer schedule begins as a shorter one does: only the end is cut off.
	d := all(open(t, Poisson{Rate: 1000, For: 2 * time.Second, Seed: 1}))
	if !slices.Equal(a, d[:len(a)]) {
		t.Error("a schedule of 2 s does not begin as that of 1 s")
	}
}

// Reading in order, or every n-th, allocates nothing.
func TestPoissonAllocatesNothing(t *testing.T) {
	s := open(t, Poisson{Rate: 1e6, For: time.Minute, Seed: 1})
	i := uint64(0)
	if allocs := testing.AllocsPerRun(1000, func() { s.At(i); i += 13 }); allocs != 0 {
		t.Errorf("At: %v allocations, want 0", allocs)
	}
}
