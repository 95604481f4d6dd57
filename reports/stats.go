package reports

import (
	"math"
	"slices"
	"sort"
)

// Percentile returns the nearest-rank percentile of values in ascending order:
// the smallest value such that at least the share p (0 < p <= 1) of all values
// is not above it. It is always one of the values, never interpolated. Of no
// values it returns NaN.
func Percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[rank(p, len(sorted))]
}

// rank returns the index of the nearest-rank percentile among n values.
func rank(p float64, n int) int {
	// p*n is exact in decimal but not in binary: 0.07*100 is a little above 7.
	i := int(math.Ceil(p*float64(n)-1e-9)) - 1
	return min(max(i, 0), n-1)
}

// Mean returns the arithmetic mean, NaN of no values.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// StdDev returns the sample standard deviation (divisor n-1), zero of fewer
// than two values.
func StdDev(values []float64) float64 {
	if len(values) < 2 || slices.Min(values) == slices.Max(values) {
		return 0 // equal values may differ from their mean, by rounding
	}
	mean, sum := Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// A Distribution holds the values of something measured many times, in
// ascending order, and behind them the values of the attempts that failed.
//
// Failed attempts are part of the distribution, as its slowest members: an
// operation that timed out was slow, however long the timeout. Leaving it out
// would make a system look better the more it fails.
type Distribution struct {
	sorted []float64
	Failed int // how many of the last values belong to failures
}

// NewDistribution sorts values (it takes them over) and places failed ones
// behind them, each at least as large as the largest value that did not fail.
func NewDistribution(values, failed []float64) Distribution {
	slices.Sort(values)
	worst := 0.0
	if len(values) > 0 {
		worst = values[len(values)-1]
	}
	for i := range failed {
		failed[i] = max(failed[i], worst)
	}
	slices.Sort(failed)
	return Distribution{append(values, failed...), len(failed)}
}

// Count returns the number of values, failures included.
func (d Distribution) Count() int { return len(d.sorted) }

// Values returns all values in ascending order. The caller must not change
// them.
func (d Distribution) Values() []float64 { return d.sorted }

// P returns the nearest-rank percentile for a share p, see [Percentile].
func (d Distribution) P(p float64) float64 { return Percentile(d.sorted, p) }

// Beyond reports whether the percentile for a share p is the value of a
// failure, so that the true value is that or more.
func (d Distribution) Beyond(p float64) bool {
	return d.Failed > 0 && rank(p, len(d.sorted)) >= len(d.sorted)-d.Failed
}

// Max returns the largest value.
func (d Distribution) Max() float64 { return d.P(1) }

// Mean returns the mean, failures included.
func (d Distribution) Mean() float64 { return Mean(d.sorted) }

// ShareBelow returns the share of values strictly below a limit, NaN of no
// values.
func (d Distribution) ShareBelow(limit float64) float64 {
	i, _ := slices.BinarySearch(d.sorted, limit)
	return float64(i) / float64(len(d.sorted))
}

// ShareWithin returns the share of values not above a limit, failures never
// counted.
func (d Distribution) ShareWithin(limit float64) float64 {
	ok := d.sorted[:len(d.sorted)-d.Failed]
	above := sort.Search(len(ok), func(i int) bool { return ok[i] > limit })
	return float64(above) / float64(len(d.sorted))
}

// values returns the values of samples.
func values(samples []Sample) []float64 {
	out := make([]float64, len(samples))
	for i := range samples {
		out[i] = samples[i].Value
	}
	return out
}

// grouped splits samples by a key and returns the keys in ascending order.
func grouped[K interface {
	~string | ~int | ~int64 | ~uint64
}](samples []Sample, key func(*Sample) K) ([]K, map[K][]Sample) {
	groups := make(map[K][]Sample)
	var keys []K
	for i := range samples {
		k := key(&samples[i])
		if _, ok := groups[k]; !ok {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], samples[i])
	}
	slices.Sort(keys)
	return keys, groups
}

func bySeed(s *Sample) uint64  { return s.Seed }
func byGroup(s *Sample) string { return s.Group }
func byLevel(s *Sample) int    { return s.Level }
func byN(s *Sample) int64      { return s.N }
