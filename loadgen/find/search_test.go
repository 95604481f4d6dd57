package find

import (
	"math"
	"testing"
)

// search runs a search whose trials are a function.
func search(t testing.TB, c Config, trial func(Plan) Outcome) Result {
	t.Helper()
	r, err := Run(c, func(p Plan) (Outcome, error) {
		o := trial(p)
		o.Took = p.Seconds
		return o, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A search converges to the capacity of a queue that is known, within 2 % of it on average over seeds and
// within 5 % for every seed.
func TestSearchConverges(t *testing.T) {
	const mu = 4000
	seeds := map[bool]int{true: 2, false: 5}[testing.Short()]
	for name, c := range map[string]struct {
		random bool
		truth  float64
		limit  float64
	}{
		"M/M/1": {true, rateMM1(mu, 6e-3), 6e-3},
		"M/D/1": {false, 0.85 * mu, limitMD1(mu, 0.85*mu)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inside, sum := 0, 0.0
			for seed := range uint64(seeds) {
				q := newQueue(mu, c.random, seed)
				r := search(t, Config{
					Objectives: []Objective{{"p99", c.limit}}, Min: 100, Max: 20000, Precision: 0.02, Short: 5, Long: 40,
					Checks: []float64{},
				}, func(p Plan) Outcome { return Outcome{Values: []float64{q.trial(p.Rate, p.Seconds).p99}} })
				a := r.Answers[0]
				middle := math.Sqrt(a.Lower*a.Upper)/c.truth - 1
				t.Logf("seed %d: %v %.0f to %.0f (%+.1f %%), %d trials, confidence %.2f", seed, a.State, a.Lower, a.Upper,
					100*middle, len(r.Trials), a.Confidence)
				if a.State != Found || math.Abs(middle) > 0.05 {
					t.Errorf("seed %d: %v %v to %v, the truth is %v", seed, a.State, a.Lower, a.Upper, c.truth)
				}
				if a.Lower <= c.truth && c.truth <= a.Upper {
					inside++
				}
				sum += math.Abs(middle)
			}
			if sum/float64(seeds) > 0.02 || inside < seeds-1 {
				t.Errorf("off by %.1f %% on average, %d of %d intervals hold the truth", 100*sum/float64(seeds), inside, seeds)
			}
		})
	}
}
