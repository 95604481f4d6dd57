package compare

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"i3bench/reports"
)

// level is that of the intervals of medians.
const level = 0.95

// power is the share of cases in which a change of the smallest detectable size
// is found.
const power = 0.8

// A Sample is one side of a row.
type Sample struct {
	N      int    `json:"n"`
	Median Figure `json:"median"`
	Low    Figure `json:"low"` // 95 % interval of the median, or the range of the values
	High   Figure `json:"high"`
	// Interval says that Low to High is the interval.
	Interval bool `json:"interval"`
}

// newSample computes the sample of values. Its interval is that between two of
// the values, as many from either end, which holds the median in at least 95 % of
// cases whatever the distribution; fewer than six values have none.
func newSample(values []float64) Sample {
	s := Sample{N: len(values), Median: nan, Low: nan, High: nan}
	if s.N == 0 {
		return s
	}
	sorted := slices.Sorted(slices.Values(values))
	s.Median = Figure(median(sorted))
	k := depth(s.N)
	s.Interval = k > 0
	s.Low, s.High = Figure(sorted[max(k-1, 0)]), Figure(sorted[s.N-max(k, 1)])
	return s
}

// median returns the middle of sorted values, the mean of the two if there is
// none.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// depth returns the largest k for which the interval from the k-th smallest to
// the k-th largest of n values holds the median at the level; 0 if none does.
func depth(n int) (k int) {
	missed, term := 0.0, math.Pow(0.5, float64(n)) // P(fewer than k+1 of n are below the median)
	for i := 0; i < n/2; i++ {
		missed += term
		if 2*missed > 1-level {
			return k
		}
		k, term = i+1, term*float64(n-i)/float64(i+1)
	}
	return k
}

// spread estimates the standard deviation of normal noise by the median of the
// distances from the median, which disturbed values hardly move, as they hardly
// move the test; the last factor takes most of the bias from small samples.
func spread(values []float64) float64 {
	n := float64(len(values))
	m := middle(values)
	far := make([]float64, len(values))
	for i, v := range values {
		far[i] = math.Abs(v - m)
	}
	return 1.4826 * middle(far) * n / (n - 0.8)
}

// detectable returns the smallest change, relative to the old median, that the
// rule finds with [power], given the spread and the number of values: where the
// Mann-Whitney test gets p below alpha (its efficiency against Student's is 3/π,
// for normal noise), and the difference of the medians reaches the least effect.
// Each of the two may fail in half of the cases that power leaves. Infinity means
// that so few values cannot show any.
func detectable(old, new []float64, alpha, least float64) float64 {
	n, m := float64(len(old)), float64(len(new))
	if len(old) < 2 || len(new) < 2 || reports.SmallestP(len(old), len(new)) > alpha {
		return math.Inf(1)
	}
	a, b := float64(newSample(old).Median), float64(newSample(new).Median)
	sa, sb := spread(old), spread(new)
	if sa == 0 && sb == 0 {
		return least
	}
	if a == 0 || b == 0 {
		return math.Inf(1)
	}
	sa, sb = sa/math.Abs(a), sb/math.Abs(b)
	mean := math.Sqrt(sa*sa/n + sb*sb/m)
	const each = (1 + power) / 2
	t := distuv.StudentsT{Sigma: 1, Nu: n + m - 2}
	byTest := (t.Quantile(1-alpha/2) + t.Quantile(each)) * mean * math.Sqrt(math.Pi/3)
	byEffect := least + distuv.UnitNormal.Quantile(each)*mean*math.Sqrt(math.Pi/2)
	return max(byTest, byEffect)
}
