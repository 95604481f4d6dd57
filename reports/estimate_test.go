package reports

import (
	"math"
	"testing"
)

// Quantiles of Student's t from a printed table.
func TestStudentsT(t *testing.T) {
	for degrees, want := range map[int]float64{1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262, 29: 2.045} {
		if got := tQuantile(degrees); math.Abs(got-want) > 0.0005 {
			t.Errorf("%d degrees of freedom: %v, expected %v", degrees, got, want)
		}
	}
}

func TestEstimateByHand(t *testing.T) {
	e := NewEstimate([]float64{1, 2, 3}) // deviation 1, so the half is 4.3027/sqrt(3)
	if e.Mean != 2 || e.Seeds != 3 || !e.Interval || math.Abs(e.half()-2.48414) > 1e-5 {
		t.Errorf("three seeds: %+v", e)
	}
	if got := e.cell(num); got != "2.00 ± 2.48" {
		t.Errorf("three seeds are written %q", got)
	}
	if got := e.spread(num); got != "95 % CI -0.484 to 4.48, 3 seeds" {
		t.Errorf("the spread of three seeds is written %q", got)
	}
	e = NewEstimate([]float64{4, 1})
	if e.Mean != 2.5 || e.Low != 1 || e.High != 4 || e.Interval || e.half() != 1.5 {
		t.Errorf("two seeds: %+v", e)
	}
	if e.cell(num) != "2.50 [1.00, 4.00]" || e.spread(num) != "range 1.00 to 4.00, 2 seeds" {
		t.Errorf("two seeds are written %q and %q", e.cell(num), e.spread(num))
	}
	e = NewEstimate([]float64{7})
	if e.cell(num) != "7.00" || e.spread(num) != "1 seed" || e.half() != 0 {
		t.Errorf("one seed is written %q and %q", e.cell(num), e.spread(num))
	}
	if e = NewEstimate(nil); !math.IsNaN(e.Mean) || e.atMost(1, false).State != NotMeasured {
		t.Errorf("no seeds: %+v", e)
	}
}

func TestLimits(t *testing.T) {
	for _, row := range []struct {
		values []float64
		strict bool
		want   Verdict
	}{
		{[]float64{1.2}, false, Verdict{Pass, "within the limit (-20.0 %)"}},
		{[]float64{1.5}, false, Verdict{Pass, "within the limit (+0.0 %)"}},
		{[]float64{1.5}, true, Verdict{Miss, "misses by +0.0 %"}},
		{[]float64{1.8, 1.8, 1.8}, false, Verdict{Miss, "misses by +20.0 %"}},
		{[]float64{1, 1.2, 1.4}, true, Verdict{Pass, "within the limit (-20.0 %), limit inside the interval"}},
		{[]float64{1, 1.4}, true, Verdict{Pass, "within the limit (-20.0 %)"}}, // a range is no interval
	} {
		if got := NewEstimate(row.values).atMost(1.5, row.strict); got != row.want {
			t.Errorf("%v: %+v, expected %+v", row.values, got, row.want)
		}
	}
}

func TestBySizeByHand(t *testing.T) {
	samples := []Sample{
		{Group: "b", Seed: 1, N: 64, Value: 9},
		{Group: "a", Seed: 1, N: 64, Value: 4}, {Group: "a", Seed: 1, N: 16, Value: 2},
		{Group: "a", Seed: 2, N: 64, Value: 6}, {Group: "a", Seed: 2, N: 64, Value: 10},
	}
	curves := SummarizeBySize(samples)
	if len(curves) != 2 || curves[0].Group != "a" || len(curves[0].Rows) != 2 || curves[0].Rows[0].N != 16 {
		t.Fatalf("curves %+v, expected a with 16 and 64, and b", curves)
	}
	last := curves[0].last()
	near(t, "mean of 64", last.Mean, 6) // (4 + (6+10)/2) / 2
	if last.N != 64 || last.Seeds != 2 || findCurve(curves, "b").at(64).Mean != 9 {
		t.Errorf("last row %+v", last)
	}
	if findCurve(curves, "c").Rows != nil || curves[0].at(17).Seeds != 0 {
		t.Error("a group or a size without samples has some")
	}
}
