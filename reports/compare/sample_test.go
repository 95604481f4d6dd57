package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// By the binomial distribution: of ten values the median is outside the second and
// ninth with 2*(1+10)/1024 = 2.1 %, outside the third and eighth with 10.9 %.
func TestDepth(t *testing.T) {
	for n, want := range map[int]int{1: 0, 5: 0, 6: 1, 8: 1, 9: 2, 10: 2, 12: 3, 25: 8} {
		if got := depth(n); got != want {
			t.Errorf("the interval of %d values begins at the %d. smallest, expected the %d.", n, got, want)
		}
	}
	s := newSample([]float64{5, 1, 4, 2, 3, 6})
	if s.Median != 3.5 || s.Low != 1 || s.High != 6 || !s.Interval {
		t.Errorf("%+v, expected 3.5 in 1 to 6", s)
	}
	if s = newSample([]float64{2, 1}); s.Median != 1.5 || s.Low != 1 || s.High != 2 || s.Interval {
		t.Errorf("%+v, expected 1.5 and the range 1 to 2", s)
	}
	if s = newSample(nil); !math.IsNaN(float64(s.Median)) {
		t.Errorf("%+v of nothing", s)
	}
}

// By hand: the median of 4 1 2 10 is 3, the distances from it are 1 1 2 7.
func TestSpread(t *testing.T) {
	if got, want := spread([]float64{4, 1, 2, 10}), 1.4826*1.5*4/3.2; math.Abs(got-want) > 1e-12 {
		t.Errorf("spread %v, expected %v", got, want)
	}
	rng, sum := rand.New(rand.NewPCG(1, 1)), 0.0
	for range 4000 {
		v := make([]float64, 10)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		sum += spread(v)
	}
	if mean := sum / 4000; math.Abs(mean-1) > 0.05 {
		t.Errorf("spread of ten standard normal values %.3f on average, expected 1", mean)
	}
	with, without := spread([]float64{1, 2, 3, 4, 5, 6, 7, 8, 99}), spread([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9})
	if with != without {
		t.Errorf("an outlier moves the spread from %v to %v", without, with)
	}
}

func TestRanked(t *testing.T) {
	if got := ranked([]float64{3, 1, 3, 2}); !slices.Equal(got, []float64{3.5, 1, 3.5, 2}) {
		t.Errorf("ranks %v", got)
	}
}
