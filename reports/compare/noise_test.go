package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// A noise is how a machine disturbs what is measured on it.
type noise struct {
	cv     float64 // of each value, log-normal
	drift  float64 // of the random walk that all values follow, per measurement
	step   float64 // size of a change of the machine's speed, up or down
	steps  float64 // chance of one per measurement
	tail   float64 // chance of a value that something else has disturbed
	longer float64 // by how much at most
}

// hostile is noise as of a shared machine: with all that a laboratory would not have.
var hostile = noise{cv: 0.03, drift: 0.01, step: 0.15, steps: 0.02, tail: 0.05, longer: 1}

// A bench measures rows of two programs in turns, old new new old.
type bench struct {
	rng    *rand.Rand
	noise  noise
	rows   int
	rounds int
	slower func(row int) float64 // the new program's time over the old one's
}

// measure returns the two sides.
func (b *bench) measure() (old, new *Side) {
	old, new = side(), side()
	speed := 0.0 // logarithm of the machine's present speed
	for round := range b.rounds {
		for turn := range 2 {
			second := (turn == 1) != (round%2 == 1)
			for row := range b.rows {
				speed += b.noise.drift * b.rng.NormFloat64()
				if b.rng.Float64() < b.noise.steps {
					speed = b.noise.step * (2*b.rng.Float64() - 1)
				}
				v := 100e-9 * math.Exp(speed+b.noise.cv*b.rng.NormFloat64())
				if b.rng.Float64() < b.noise.tail {
					v *= 1 + b.noise.longer*b.rng.Float64()
				}
				to := old
				if second {
					to = new
					if b.slower != nil {
						v *= b.slower(row)
					}
				}
				to.put(fmt.Sprint("Row", row), "ns/op", "sec/op", v)
			}
		}
	}
	return old, new
}

func side() *Side { return &Side{byKey: map[Key]*series{}, machine: map[string]string{}} }

// put adds a value.
func (s *Side) put(name, shown, unit string, v float64) {
	k := Key{"i3bench/x", name, shown}
	if s.byKey[k] == nil {
		s.byKey[k] = &series{key: k, unit: unit, kind: kindOf(unit)}
		s.rows = append(s.rows, s.byKey[k])
	}
	s.byKey[k].values = append(s.byKey[k].values, v)
}

// gate measures, judges, and measures again if need be.
func (b *bench) gate() *Gate {
	old, new := b.measure()
	g := &Gate{First: Compare(old, new, Options{})}
	if len(g.Suspects()) > 0 {
		g.Confirm(b.measure())
	}
	return g
}

// Of 2,000 gates of one program against itself, 20 rows of ten rounds each on a
// hostile machine, at most two fire: 0.1 %. Without drift and steps, none of 500.
func TestNullGates(t *testing.T) {
	for _, c := range []struct {
		name  string
		noise noise
		gates int
		most  int
	}{
		{"hostile", hostile, 2000, 2},
		{"quiet", noise{cv: 0.02}, 500, 0},
		{"noisy", noise{cv: 0.08}, 500, 1},
		{"heavy tails", noise{cv: 0.03, tail: 0.3, longer: 3}, 500, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() {
				c.gates /= 5
			}
			b := bench{rng: rand.New(rand.NewPCG(1, 2)), noise: c.noise, rows: 20, rounds: 10}
			fired, suspected := 0, 0
			for range c.gates {
				g := b.gate()
				if len(g.Fired()) > 0 {
					fired++
				}
				if len(g.Suspects()) > 0 {
					suspected++
				}
			}
			t.Logf("%d of %d gates of equals fire, %d had to measure again", fired, c.gates, suspected)
			if fired > c.most {
				t.Errorf("%d of %d gates of equals fire, expected %d at most", fired, c.gates, c.most)
			}
		})
	}
}

// A slowdown of one row of twenty, with ten rounds: how often it fires.
func TestPower(t *testing.T) {
	for _, c := range []struct {
		noise  noise
		slower float64
		rounds int
		least  float64 // share of gates that fire
	}{
		{noise{cv: 0.02}, 1.10, 10, 0.95},
		{noise{cv: 0.03}, 1.10, 10, 0.75},
		{noise{cv: 0.03, tail: 0.05, longer: 1}, 1.10, 15, 0.80},
		{hostile, 1.20, 20, 0.55},
	} {
		b := bench{rng: rand.New(rand.NewPCG(3, 4)), noise: c.noise, rows: 20, rounds: c.rounds}
		b.slower = func(row int) float64 {
			if row == 7 {
				return c.slower
			}
			return 1
		}
		const gates = 200
		caught, others := 0, 0
		for range gates {
			for _, r := range b.gate().Fired() {
				if r.Name == "Row7" {
					caught++
				} else {
					others++
				}
			}
		}
		t.Logf("%+.0f %%, %d rounds, %+v: caught %d of %d, %d others", 100*c.slower-100, c.rounds, c.noise, caught, gates,
			others)
		if float64(caught) < c.least*gates || others > 1 {
			t.Errorf("caught %d of %d, expected %.0f %%; %d other rows", caught, gates, 100*c.least, others)
		}
	}
}

// What a row says it could detect, it does in 70 to 95 % of cases (80 is meant).
func TestDetectable(t *testing.T) {
	for _, c := range []struct {
		cv     float64
		rounds int
	}{{0.01, 8}, {0.03, 10}, {0.05, 15}, {0.08, 25}} {
		b := bench{rng: rand.New(rand.NewPCG(5, 6)), noise: noise{cv: c.cv}, rows: 20, rounds: c.rounds}
		sum := 0.0
		for range 10 {
			old, new := b.measure()
			for _, r := range Compare(old, new, Options{}).Rows {
				sum += float64(r.Detectable)
			}
		}
		size := sum / 200
		b.slower = func(row int) float64 {
			if row == 0 {
				return 1 + size
			}
			return 1
		}
		const runs = 200
		found := 0
		for range runs {
			old, new := b.measure()
			if Compare(old, new, Options{}).Rows[0].Verdict == Worse {
				found++
			}
		}
		t.Logf("cv %g, %d rounds: detectable %.1f %%, found %d of %d", c.cv, c.rounds, 100*size, found, runs)
		if share := float64(found) / runs; share < 0.70 || share > 0.95 {
			t.Errorf("cv %g: a change of %.1f %% is found in %.0f %% of cases, expected 80", c.cv, 100*size, 100*share)
		}
	}
}
