package find

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/internal/prng"
)

// noisy draws a value for a trial: its median is the limit at the true rate and grows with the rate to the given
// power; its spread falls with the length of the trial.
func noisy(rng *prng.Source, p Plan, truth, power, spread float64) float64 {
	// The sum of twelve uniform numbers less six is nearly normal.
	z := -6.0
	for range 12 {
		z += rng.Float64()
	}
	return math.Pow(p.Rate/truth, power) * math.Exp(spread*z/math.Sqrt(p.Seconds))
}

// The interval holds the rate at which half of the trials meet the objective at least as often as the confidence
// says, whatever the noise; where there is little, it is as narrow as the precision.
func TestCoverage(t *testing.T) {
	searches := map[bool]int{true: 300, false: 1500}[testing.Short()]
	for _, c := range []struct {
		confidence, power, spread float64
		widest                    float64 // ratio of the ends, median
	}{
		{0.9, 9, 0.05, 1.051},
		{0.9, 9, 0.4, 1.2},
		{0.9, 3, 0.5, 1.8},
		{0.95, 9, 0.8, 1.4},
		{0.75, 9, 0.4, 1.2},
	} {
		inside, found, trials := 0, 0, 0
		var ratios []float64
		for seed := range uint64(searches) {
			rng := prng.New(seed, 5)
			truth := 100 * math.Pow(60, rng.Float64())
			r := search(t, Config{
				Objectives: []Objective{{"x", 1}}, Min: 20, Max: 50000, Confidence: c.confidence, Checks: []float64{},
				Trials: 400,
			}, func(p Plan) Outcome { return Outcome{Values: []float64{noisy(&rng, p, truth, c.power, c.spread)}} })
			if a := r.Answers[0]; a.State == Found {
				found++
				trials += len(r.Trials)
				ratios = append(ratios, a.Upper/a.Lower)
				if a.Lower <= truth && truth <= a.Upper {
					inside++
				}
			}
		}
		share := float64(inside) / float64(found)
		t.Logf("%+v: %d found, %.3f hold the truth, ratio %.3f, %.1f trials", c, found, share, median(ratios),
			float64(trials)/float64(found))
		if found < searches*98/100 || share < c.confidence || median(ratios) > c.widest {
			t.Errorf("%+v: %d of %d found, %.3f hold the truth, median ratio of the ends %.3f", c, found, searches, share,
				median(ratios))
		}
	}
}

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// Whatever comes of the trials, a search ends within its bounds, tries only rates that it may, and gives ends in
// order.
func TestAnyOutcomes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := Config{
			Objectives: objectives(rapid.IntRange(1, 4).Draw(rt, "objectives")),
			Min:        rapid.Float64Range(0.5, 500).Draw(rt, "min"),
			Precision:  rapid.Float64Range(0.001, 0.5).Draw(rt, "precision"),
			Trials:     rapid.IntRange(1, 60).Draw(rt, "trials"),
			Budget:     rapid.Float64Range(1, 200).Draw(rt, "budget"),
		}
		c.Max = c.Min * rapid.Float64Range(1, 1000).Draw(rt, "width")
		ceiling, spent, n := math.Inf(1), 0.0, 0
		r, err := Run(c, func(p Plan) (Outcome, error) {
			if p.Number != n || p.Rate < c.Min*(1-1e-9) || p.Rate > c.Max*(1+1e-9) || p.Seconds < 1 || p.Seconds > 2 {
				rt.Fatalf("%+v is out of bounds", p)
			}
			if p.Rate >= ceiling {
				rt.Fatalf("%+v is at the ceiling of %v", p, ceiling)
			}
			n++
			o := Outcome{Took: p.Seconds}
			for range c.Objectives {
				o.Values = append(o.Values, rapid.SampledFrom([]float64{0, 2, math.NaN()}).Draw(rt, "value"))
			}
			if rapid.IntRange(0, 3).Draw(rt, "valid") == 0 {
				o.Invalid = "late"
			}
			spent += o.Took
			return o, nil
		})
		if err != nil || len(r.Trials) != n || n > c.Trials || spent > c.Budget+1e-9 || n == 0 && c.Budget >= 1 {
			rt.Fatalf("%v: %d trials of %d, %v s of %v", err, n, c.Trials, spent, c.Budget)
		}
		for _, a := range append(r.Answers, r.All) {
			if !(a.Lower < a.Upper) || a.Lower < 0 || a.Confidence < 0 || a.Confidence > 1 {
				rt.Fatalf("%+v", a)
			}
			if a.State == Found && a.Confidence < 0.9-1e-9 {
				rt.Fatalf("%+v is called found", a)
			}
		}
	})
}

// Told the same trials, a search asks for the same and answers the same: what a report makes of the trials that were
// recorded is what the search said.
func TestReplay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := prng.New(rapid.Uint64().Draw(rt, "seed"), 1)
		c := Config{Objectives: objectives(2), Min: 10, Max: 10000, Trials: rapid.IntRange(1, 60).Draw(rt, "trials")}
		r := search(t, c, func(p Plan) Outcome {
			return Outcome{Values: []float64{noisy(&rng, p, 500, 5, 0.4), noisy(&rng, p, 900, 5, 0.4)}}
		})
		s, err := New(c)
		if err != nil {
			rt.Fatal(err)
		}
		for _, tr := range r.Trials {
			if p, ok := s.Next(); !ok || p != tr.Plan {
				rt.Fatalf("asks for %+v, the first time it was %+v", p, tr.Plan)
			}
			if err := s.Record(tr.Plan, tr.Outcome); err != nil {
				rt.Fatal(err)
			}
		}
		if again := s.Result(); !reflect.DeepEqual(again, r) {
			rt.Fatalf("%+v, the first time it was %+v", again, r)
		}
	})
}
