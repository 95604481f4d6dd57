package plan

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Dist is how a quantity is distributed: its values at equal steps of probability, ascending, from the least to the
// largest that is thought possible, with straight lines between. One value is certain.
type Dist []float64

// steps is the number of steps of a Dist that is made from a law.
const steps = 100

// Fixed is a quantity that is certain.
func Fixed(v float64) Dist { return Dist{v} }

// Triangle is a quantity between two bounds, most likely at mode.
func Triangle(low, mode, high float64) Dist {
	if !(low < high) {
		return Fixed(mode)
	}
	t := distuv.NewTriangle(low, high, mode, nil)
	return fromLaw(t.Quantile, low, high)
}

// Rounds is a quantity that was measured in some rounds: it is between the least and the largest of them, and none is
// more likely than another.
func Rounds(values []float64) Dist { return slices.Sorted(slices.Values(values)) }

// fromLaw makes a Dist of the quantiles of a law, cut off at bounds.
func fromLaw(quantile func(float64) float64, low, high float64) Dist {
	d := make(Dist, steps+1)
	for i := range d {
		p := min(max(float64(i)/steps, 0.001), 0.999) // the ends of a law may be infinite
		d[i] = min(max(quantile(p), low), high)
	}
	return d
}

// At returns the value at a probability, which lies in [0, 1].
func (d Dist) At(p float64) float64 { return quantile(d, p) }

// A Fit is a straight line through observations, with what is needed to say how far a further one may be from it.
type Fit struct {
	A, B     float64 // y = A + B x
	S        float64 // standard deviation of what is left
	N        int     // observations
	Mean     float64 // of x
	Sxx      float64 // sum of squared distances from it
	Min, Max float64 // of x
	// Level is set if there is no slope: the observations show none, or one of the wrong sign.
	Level bool

	t Dist // Student's t with the degrees of freedom that are left
}

// NewFit fits a line by least squares. A slope that is not of the sign of want, which is not zero, is taken for noise
// and left out.
func NewFit(x, y []float64, want int) Fit {
	f := Fit{N: len(x), Mean: mean(x), Min: slices.Min(x), Max: slices.Max(x)}
	my, sxy := mean(y), 0.0
	for i := range x {
		f.Sxx += (x[i] - f.Mean) * (x[i] - f.Mean)
		sxy += (x[i] - f.Mean) * (y[i] - my)
	}
	if f.Sxx > 0 {
		f.B = sxy / f.Sxx
	}
	if f.Sxx == 0 || f.B*float64(want) <= 0 {
		f.B, f.Level = 0, true
	}
	f.A = my - f.B*f.Mean
	rest := 0.0
	for i := range x {
		d := y[i] - f.A - f.B*x[i]
		rest += d * d
	}
	f.S = math.Sqrt(rest / float64(max(1, f.freedom())))
	if f.freedom() >= 1 && f.S > 0 {
		t := distuv.StudentsT{Sigma: 1, Nu: float64(f.freedom())}
		f.t = fromLaw(t.Quantile, math.Inf(-1), math.Inf(1))
	}
	return f
}

// freedom returns the degrees of freedom of what is left.
func (f Fit) freedom() int {
	if f.Level {
		return f.N - 1
	}
	return f.N - 2
}

// At is the distribution of a further observation at x by Student's t, within bounds: it grows wider outside of what
// was observed.
func (f Fit) At(x, low, high float64) Dist {
	mid := f.A + f.B*x
	if f.t == nil {
		return Fixed(min(max(mid, low), high))
	}
	spread := 1 + 1/float64(f.N)
	if !f.Level {
		spread += (x - f.Mean) * (x - f.Mean) / f.Sxx
	}
	d := make(Dist, len(f.t))
	for i, t := range f.t {
		d[i] = min(max(mid+t*f.S*math.Sqrt(spread), low), high)
	}
	return d
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
