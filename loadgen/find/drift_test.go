package find

import (
	"math"
	"testing"

	"i3bench/internal/prng"
)

// A machine is as fast as it says, or slower by a third, for ten seconds each on average: what
// others leave it.
type drifting struct {
	rng   prng.Source
	slow  bool
	until float64
}

// capacity returns that of a time, which does not go back.
func (d *drifting) capacity(at float64) float64 {
	for at >= d.until {
		d.slow = !d.slow
		d.until -= 10 * math.Log1p(-d.rng.Float64())
	}
	if d.slow {
		return 3300
	}
	return 5000
}

// Where the system itself becomes slower and faster for longer than a trial, no search can say at which rate half of
// all trials are met. Its interval is then as wide as what it saw, because trials at both ends take turns: five
// searches agree about some rate 173 times in 200, and 150 times if all trials at the lower end come first.
func TestDriftMakesTheIntervalWider(t *testing.T) {
	const repeats = 5
	agree, groups := 0, 200
	for g := range groups {
		low, high := 0.0, math.Inf(1)
		for n := range repeats {
			d := drifting{rng: prng.New(uint64(g*repeats+n), 5)}
			at := 0.0
			r, err := Run(Config{
				Objectives: []Objective{{"join", 1}}, Min: 100, Max: 20_000, Precision: 0.1, Checks: []float64{},
				Budget: 1000,
			}, func(p Plan) (Outcome, error) {
				value := 0.5
				if p.Rate > d.capacity(at) {
					value = 2
				}
				at += p.Seconds + 0.6
				return Outcome{Values: []float64{value}, Took: p.Seconds + 0.6}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			low, high = max(low, r.All.Lower), min(high, r.All.Upper)
		}
		if low <= high {
			agree++
		}
	}
	t.Logf("in %d of %d times five searches agreed", agree, groups)
	if agree < groups*5/6 {
		t.Errorf("five searches agree about a rate %d times in %d, want five of six", agree, groups)
	}
}
