package loadgen

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestExactFunctions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := math.Exp(rapid.Float64Range(-300, 300).Draw(t, "log"))
		if got, want := exactLog(x), math.Log(x); math.Abs(got-want) > 4e-15*max(1, math.Abs(want)) {
			t.Fatalf("log %v = %v, want %v", x, got, want)
		}
		y := rapid.Float64Range(-300, 300).Draw(t, "y")
		if got, want := exactExp(y), math.Exp(y); math.Abs(got-want) > 1e-13*want {
			t.Fatalf("exp %v = %v, want %v", y, got, want)
		}
	})
}

// The quantiles of lengths are those of their distribution.
func TestLengthsFollowTheirLaw(t *testing.T) {
	const n = 40_000
	for _, c := range []struct {
		lengths  Lengths
		quantile func(p float64) float64 // in seconds
	}{
		{Lengths{LogNormal, 10 * time.Second, 1.5}, func(p float64) float64 {
			return 10 * math.Exp(1.5*math.Sqrt2*math.Erfinv(2*p-1))
		}},
		{Lengths{Weibull, 10 * time.Second, 0.5}, func(p float64) float64 { return 10 * math.Pow(-math.Log1p(-p), 2) }},
		{Lengths{Exponential, 10 * time.Second, 0}, func(p float64) float64 { return -10 * math.Log1p(-p) }},
		{Lengths{Fixed, 10 * time.Second, 0}, func(float64) float64 { return 10 }},
	} {
		drawn := make([]float64, n)
		for i := range drawn {
			drawn[i] = c.lengths.Of(3, uint64(i)).Seconds()
		}
		slices.Sort(drawn)
		for _, p := range []float64{0.1, 0.5, 0.9} {
			// Two quantiles at a distance of five standard deviations of the share.
			d := 5 * math.Sqrt(p*(1-p)/n)
			if got := drawn[int(p*n)]; got < c.quantile(p-d)*(1-1e-9) || got > c.quantile(p+d)*(1+1e-9) {
				t.Errorf("%+v: quantile %v is %v, want %v", c.lengths, p, got, c.quantile(p))
			}
		}
	}
}

// These lengths pin the draws: a change of them changes every scenario with sessions.
func TestLengthsPinned(t *testing.T) {
	for _, c := range []struct {
		lengths Lengths
		want    [3]time.Duration
	}{
		{Lengths{LogNormal, time.Second, 1}, [3]time.Duration{1001834769, 2445706693, 1331302424}},
		{Lengths{Weibull, time.Second, 0.5}, [3]time.Duration{474177650, 235780, 87927338}},
	} {
		for i, want := range c.want {
			if got := c.lengths.Of(1, uint64(i)); got != want {
				t.Errorf("%+v: session %d lasts %d, want %d", c.lengths, i, got, want)
			}
		}
	}
}
