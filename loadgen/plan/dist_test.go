package plan

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

func TestTriangle(t *testing.T) {
	d := Triangle(0, 1, 2)
	for p, want := range map[float64]float64{0: 0.0447, 0.125: 0.5, 0.5: 1, 0.875: 1.5} {
		if got := d.At(p); !near(got, want, 1e-3) {
			t.Errorf("at %v: %v, want %v", p, got, want)
		}
	}
	if d := Triangle(3, 3, 3); d.At(0) != 3 || d.At(1) != 3 {
		t.Errorf("%v, want 3 for certain", d)
	}
}

func TestRounds(t *testing.T) {
	d := Rounds([]float64{30, 10, 20})
	for p, want := range map[float64]float64{0: 10, 0.25: 15, 0.5: 20, 1: 30} {
		if got := d.At(p); got != want {
			t.Errorf("at %v: %v, want %v", p, got, want)
		}
	}
}

// Four points beside y = 1 + 2x by 1 each, two above and two below: S² = 4/2. A further one at the mean of x has a
// variance of S² (1 + 1/4); Student's t with two degrees of freedom is 1.886 at 90 %.
func TestFitByHand(t *testing.T) {
	f := NewFit([]float64{0, 1, 2, 3}, []float64{2, 2, 4, 8}, 1)
	if !near(f.A, 1, 1e-9) || !near(f.B, 2, 1e-9) || !near(f.S, math.Sqrt2, 1e-9) {
		t.Errorf("%+v, want a line of 1 and 2 with what is left of the root of 2", f)
	}
	d := f.At(1.5, -100, 100)
	if got, want := d.At(0.9), 4+1.8856*math.Sqrt(2*1.25); !near(got, want, 1e-2) {
		t.Errorf("90 %% at the mean: %v, want %v", got, want)
	}
	far := f.At(15, -100, 100)
	if far.At(0.9)-far.At(0.1) <= d.At(0.9)-d.At(0.1) {
		t.Error("a figure far from what was observed is known as well as one in its midst")
	}
	if d := f.At(15, 0, 20); d.At(0.99) != 20 {
		t.Errorf("%v beyond the bound of 20", d.At(0.99))
	}
}

// A slope of the wrong sign is noise.
func TestFitLevel(t *testing.T) {
	f := NewFit([]float64{0, 1, 2}, []float64{3, 2, 1}, 1)
	if !f.Level || f.B != 0 || f.A != 2 {
		t.Errorf("%+v, want the mean", f)
	}
	if f := NewFit([]float64{5}, []float64{3}, 1); f.At(5, 0, 10).At(0.7) != 3 {
		t.Errorf("%+v of one observation, want it for certain", f)
	}
}

// A Dist does not fall.
func TestDistRises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		low := rapid.Float64Range(-1e3, 1e3).Draw(rt, "low")
		mode := low + rapid.Float64Range(0, 1e3).Draw(rt, "mode")
		d := Triangle(low, mode, mode+rapid.Float64Range(0, 1e3).Draw(rt, "high"))
		p, q := rapid.Float64Range(0, 1).Draw(rt, "p"), rapid.Float64Range(0, 1).Draw(rt, "q")
		if a, b := d.At(min(p, q)), d.At(max(p, q)); a > b {
			rt.Errorf("%v at %v, %v at %v", a, min(p, q), b, max(p, q))
		}
	})
}
