package reports

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// significance is the level at which two samples are called different.
const significance = 0.05

const (
	// maxArrangements bounds exact enumeration; beyond it arrangements are drawn.
	maxArrangements = 20_000
	// drawnArrangements, with the observed one among them.
	drawnArrangements = 10_000
	// pairedRuns is the number of common seeds from which on worlds are swapped
	// within seeds: with fewer, not even a swap of all of them reaches 5 % after
	// the correction for a dozen tests (2/2^9 = 0.0039).
	pairedRuns = 9
)

// choose returns n over k, or a number above maxArrangements where it is larger.
func choose(n, k int) int {
	c := 1
	for i := 1; i <= min(k, n-k); i++ {
		c = c * (n - i + 1) / i
		if c > maxArrangements {
			return c
		}
	}
	return c
}

// subsets calls f with every set of k of n positions, ascending. f must not keep
// the slice.
func subsets(n, k int, f func(set []int)) {
	set := make([]int, k)
	var next func(from, at int)
	next = func(from, at int) {
		if at == k {
			f(set)
			return
		}
		for i := from; i <= n-k+at; i++ {
			set[at] = i
			next(i+1, at+1)
		}
	}
	next(0, 0)
}

// midranks returns the ranks of values, from 1 on, ties with their mean rank,
// and the sum of t³-t over groups of t equal values.
func midranks(values []float64) (ranks []float64, ties float64) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	ranks = make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, at := range order[i:j] {
			ranks[at] = float64(i+j+1) / 2
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return ranks, ties
}

// MannWhitney returns the two-sided p-value of the Mann-Whitney U test that two
// samples come from one distribution: by enumeration of all arrangements of the
// ranks where there are at most 20,000, ties included, else by the normal
// approximation with corrections for ties and continuity. Of an empty sample it
// returns NaN.
func MannWhitney(a, b []float64) float64 {
	n, m := len(a), len(b)
	if n == 0 || m == 0 {
		return math.NaN()
	}
	ranks, ties := midranks(slices.Concat(a, b))
	expected := float64(n) * float64(n+m+1) / 2
	off := func(set []int) float64 {
		sum := -expected
		for _, i := range set {
			sum += ranks[i]
		}
		return math.Abs(sum)
	}
	first := make([]int, n)
	for i := range first {
		first[i] = i
	}
	observed := off(first)
	if choose(n+m, n) <= maxArrangements {
		var all, asFar int
		subsets(n+m, n, func(set []int) {
			all++
			if off(set) >= observed-1e-9 {
				asFar++
			}
		})
		return float64(asFar) / float64(all)
	}
	total := float64(n + m)
	variance := float64(n) * float64(m) / 12 * (total + 1 - ties/(total*(total-1)))
	if variance <= 0 {
		return 1 // all values are equal
	}
	z := max(observed-0.5, 0) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2)
}

// SmallestP returns the smallest p-value that [MannWhitney] can give to samples of
// these sizes: that of samples with nothing in common. Of an empty sample it
// returns NaN.
func SmallestP(n, m int) float64 {
	if n == 0 || m == 0 {
		return math.NaN()
	}
	if all := choose(n+m, n); all <= maxArrangements {
		return min(2/float64(all), 1)
	}
	half := float64(n) * float64(m) / 2
	return math.Erfc((half - 0.5) / math.Sqrt(half*float64(n+m+1)/6) / math.Sqrt2)
}

// A Comparison is a permutation test of the difference of two means. Under the
// hypothesis that the two samples come from one distribution, which run belongs
// to which sample is an accident: the p-value is the share of arrangements whose
// means differ by at least as much as the observed ones.
type Comparison struct {
	Difference float64 // mean of the second minus mean of the first
	P          float64
	Paired     bool // arranged by swaps within seeds, not over all runs

	differences []float64 // of all arrangements, absolute, ascending
}

// Compare tests two samples, each with a value per seed. Samples with the same
// seeds, nine at least, are swapped within seeds; others are arranged anew over
// all runs, which is the safe side where a common seed makes runs alike. Up to
// 20,000 arrangements are enumerated; of more, 9,999 are drawn by a generator
// with a fixed seed, and the observed one counts among them.
func Compare(a, b []SeedValue) Comparison {
	c := Comparison{Difference: Mean(seedValues(b)) - Mean(seedValues(a)), P: math.NaN()}
	if len(a) == 0 || len(b) == 0 {
		return c
	}
	c.Paired = len(a) >= pairedRuns && slices.EqualFunc(a, b, func(x, y SeedValue) bool { return x.Seed == y.Seed })
	if c.Paired {
		c.differences = swapped(seedValues(a), seedValues(b))
	} else {
		c.differences = rearranged(seedValues(a), seedValues(b))
	}
	slices.Sort(c.differences)
	c.P = c.share(math.Abs(c.Difference))
	return c
}

// share returns the share of arrangements with at least a difference. Sums of
// the same values in another order may differ in their last digits.
func (c Comparison) share(difference float64) float64 {
	slack := 1e-9 * max(difference, 1e-300)
	i, _ := slices.BinarySearch(c.differences, difference-slack)
	return float64(len(c.differences)-i) / float64(len(c.differences))
}

// Smallest returns the smallest difference that these runs would have shown as
// significant at a level, NaN if there is none.
func (c Comparison) Smallest(level float64) float64 {
	for i, d := range c.differences {
		if (i == 0 || d > c.differences[i-1]) && c.share(d) <= level {
			return d
		}
	}
	return math.NaN()
}

// canTell reports whether samples of these sizes can differ significantly at
// all: whether the two extremes among all arrangements are rare enough.
func canTell(n, m int) bool { return n > 0 && m > 0 && 2/float64(choose(n+m, n)) <= significance }

// swapped returns the differences of means after swaps within pairs.
func swapped(a, b []float64) []float64 {
	n := len(a)
	difference := func(flip func(i int) bool) float64 {
		sum := 0.0
		for i := range a {
			if d := b[i] - a[i]; flip(i) {
				sum -= d
			} else {
				sum += d
			}
		}
		return math.Abs(sum / float64(n))
	}
	var out []float64
	if n < 15 && 1<<n <= maxArrangements {
		for bits := range 1 << n {
			out = append(out, difference(func(i int) bool { return bits>>i&1 == 1 }))
		}
		return out
	}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	out = append(out, difference(func(int) bool { return false }))
	for len(out) < drawnArrangements {
		out = append(out, difference(func(int) bool { return rng.Uint64()&1 == 1 }))
	}
	return out
}

// rearranged returns the differences of means after runs changed samples.
func rearranged(a, b []float64) []float64 {
	all := slices.Concat(a, b)
	n, m, total := len(a), len(b), 0.0
	for _, v := range all {
		total += v
	}
	difference := func(set []int) float64 {
		sum := 0.0
		for _, i := range set {
			sum += all[i]
		}
		return math.Abs((total-sum)/float64(m) - sum/float64(n))
	}
	var out []float64
	if choose(n+m, n) <= maxArrangements {
		subsets(n+m, n, func(set []int) { out = append(out, difference(set)) })
		return out
	}
	rng := rand.New(rand.NewPCG(2, uint64(n+m)))
	order := make([]int, n+m)
	for i := range order {
		order[i] = i
	}
	for len(out) < drawnArrangements {
		out = append(out, difference(order[:n])) // the observed arrangement first
		rng.Shuffle(n+m, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return out
}

// Holm returns p-values corrected for their number by Holm's step-down method;
// NaN counts as no test and stays.
func Holm(p []float64) []float64 {
	var order []int
	out := slices.Clone(p)
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	floor := 0.0
	for k, i := range order {
		floor = min(max(floor, p[i]*float64(len(order)-k)), 1)
		out[i] = floor
	}
	return out
}

// BenjaminiHochberg returns p-values corrected for their number, so that those
// called at most q are false in a share q of cases at most (the false discovery
// rate, for tests that are independent or go together); NaN counts as no test and
// stays.
func BenjaminiHochberg(p []float64) []float64 {
	var order []int
	out := slices.Clone(p)
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	ceiling := 1.0
	for k, i := range order {
		ceiling = min(ceiling, p[i]*(float64(len(order))/float64(len(order)-k))) // never below p[i]: the factor is 1 or more
		out[i] = ceiling
	}
	return out
}
