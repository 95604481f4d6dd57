package plan

import (
	"math"
	"slices"
)

// quantile returns a quantile of values in ascending order, by straight lines between them.
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	k := min(i+1, len(sorted)-1)
	return sorted[i] + (at-math.Floor(at))*(sorted[k]-sorted[i])
}

// median returns the middle of values in any order.
func median(values []float64) float64 { return quantile(slices.Sorted(slices.Values(values)), 0.5) }
