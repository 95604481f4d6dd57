package compare

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// permutations of the test of a split; the order observed counts among them.
	permutations = 999
	// leastSegment is the least number of runs on either side of a split.
	leastSegment = 3
	// maxSeries is how many runs are looked at, the latest; a split costs their
	// square for each permutation.
	maxSeries = 200
)

// Changes returns where a series changes: the indices of the values with which
// something new begins, ascending. A split counts if its p is at most alpha and
// the medians around it differ by least or more. The same series always gives the
// same answer.
func Changes(values []float64, alpha, least float64) []int {
	from := max(len(values)-maxSeries, 0)
	cuts := split(values, from, len(values), alpha, rand.New(rand.NewPCG(7, uint64(len(values)))))
	slices.Sort(cuts)
	return merge(values, from, cuts, least)
}

// split returns the splits of values[from:to], in no order.
func split(values []float64, from, to int, alpha float64, rng *rand.Rand) []int {
	ranks := ranked(values[from:to])
	observed, at := energy(ranks)
	if at == 0 {
		return nil
	}
	asFar := 1
	for range permutations {
		rng.Shuffle(len(ranks), func(i, j int) { ranks[i], ranks[j] = ranks[j], ranks[i] })
		if q, _ := energy(ranks); q >= observed-1e-9 {
			asFar++
		}
		if float64(asFar) > alpha*(permutations+1) {
			return nil // whatever comes, p is above alpha
		}
	}
	return append(append(split(values, from, from+at, alpha, rng), from+at), split(values, from+at, to, alpha, rng)...)
}

// ranked returns the ranks of values, equal ones with their mean rank.
func ranked(values []float64) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, len(values))
	for i, v := range values {
		first, _ := slices.BinarySearch(sorted, v)
		last := first
		for last < len(sorted) && sorted[last] == v {
			last++
		}
		out[i] = float64(first+last+1) / 2
	}
	return out
}

// energy returns the largest energy statistic over all splits of a series,
//
//	mn/(m+n) * (2 E|X-Y| - E|X-X'| - E|Y-Y'|),
//
// and the split, 0 if the series is too short for one.
func energy(x []float64) (most float64, at int) {
	n := len(x)
	if n < 2*leastSegment {
		return 0, 0
	}
	var left, across, right float64 // sums of distances
	for i := range x {
		for j := range i {
			right += math.Abs(x[i] - x[j])
		}
	}
	most = math.Inf(-1)
	for cut := 1; cut <= n-leastSegment; cut++ { // x[cut-1] changes sides
		toLeft, toRight := 0.0, 0.0
		for j, v := range x {
			if d := math.Abs(v - x[cut-1]); j < cut {
				toLeft += d
			} else {
				toRight += d
			}
		}
		left, across, right = left+toLeft, across-toLeft+toRight, right-toRight
		if cut < leastSegment {
			continue
		}
		a, b := float64(cut), float64(n-cut)
		q := a * b / (a + b) * (2*across/(a*b) - 2*left/(a*(a-1)) - 2*right/(b*(b-1)))
		if q > most+1e-9 {
			most, at = q, cut
		}
	}
	return most, at
}

// merge leaves out the splits around which the medians differ too little, the
// least one first.
func merge(values []float64, from int, cuts []int, least float64) []int {
	for len(cuts) > 0 {
		small, size := 0, math.Inf(1)
		for i := range cuts {
			before, after := around(values, from, cuts, i)
			if d := math.Abs(ratio(after, before) - 1); d < size {
				small, size = i, d
			}
		}
		if size >= least {
			break
		}
		cuts = slices.Delete(cuts, small, small+1)
	}
	return cuts
}

// around returns the medians of the segments before and after a cut.
func around(values []float64, from int, cuts []int, i int) (before, after float64) {
	begin, end := from, len(values)
	if i > 0 {
		begin = cuts[i-1]
	}
	if i+1 < len(cuts) {
		end = cuts[i+1]
	}
	return middle(values[begin:cuts[i]]), middle(values[cuts[i]:end])
}

func middle(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }

// steps returns every index at which a value differs from the one before.
func steps(values []float64) (cuts []int) {
	for i := 1; i < len(values); i++ {
		if values[i] != values[i-1] {
			cuts = append(cuts, i)
		}
	}
	return cuts
}
