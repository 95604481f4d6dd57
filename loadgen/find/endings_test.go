package find

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// sharp is an outcome without chance: every objective is met up to its rate.
func sharp(p Plan, truths ...float64) Outcome {
	o := Outcome{Took: p.Seconds}
	for _, truth := range truths {
		o.Values = append(o.Values, p.Rate/truth)
	}
	return o
}

// objectives returns n objectives whose limit is just above 1.
func objectives(n int) (list []Objective) {
	for range n {
		list = append(list, Objective{"x<1", 1 + 1e-12})
	}
	return list
}

// An ending is how a search for one rate is to end.
type ending struct {
	name         string
	trial        func(Plan) Outcome
	edit         func(*Config)
	state        State
	lower, upper [2]float64 // within
	trials       int        // at most
}

var inf = math.Inf(1)

// endingsOfSystem are those that the system decides.
func endingsOfSystem() []ending {
	return []ending{
		{
			"found", func(p Plan) Outcome { return sharp(p, 1000) }, nil, Found,
			[2]float64{950, 1000}, [2]float64{1000, 1050}, 24,
		},
		{
			"all rates are met", func(p Plan) Outcome { return sharp(p, 1e9) }, nil, AtLeast,
			[2]float64{8000, 8000}, [2]float64{inf, inf}, 18,
		},
		{
			"no rate is met", func(p Plan) Outcome { return sharp(p, 1) }, nil, None,
			[2]float64{0, 0}, [2]float64{100, 100}, 8,
		},
		{
			"the largest rate only fails", func(p Plan) Outcome { return sharp(p, 7990) }, nil, Found,
			[2]float64{7500, 7990}, [2]float64{8000, 8000}, 27,
		},
		{
			"nothing was measured", func(p Plan) Outcome { return Outcome{Values: []float64{math.NaN()}} }, nil, None,
			[2]float64{0, 0}, [2]float64{100, 100}, 8,
		},
	}
}

// late makes an outcome invalid if a condition holds.
func late(o Outcome, ok bool) Outcome {
	if ok {
		o.Invalid = "late"
	}
	return o
}

// endingsOfGenerator are those in which the generator takes part.
func endingsOfGenerator() []ending {
	calls := 0
	return []ending{
		{
			"the generator is the limit", func(p Plan) Outcome {
				return late(sharp(p, 1e9), p.Rate > 1500)
			}, nil, Limited, [2]float64{1400, 1500}, [2]float64{inf, inf}, 30,
		},
		{
			"the generator never works", func(p Plan) Outcome {
				return late(sharp(p, 1e9), true)
			}, nil, Limited, [2]float64{0, 0}, [2]float64{inf, inf}, 3,
		},
		{
			"the generator is the limit of overload", func(p Plan) Outcome {
				return late(sharp(p, 1500), p.Rate > 1510)
			}, nil, Limited, [2]float64{1400, 1510}, [2]float64{1500, inf}, 35,
		},
		{
			"a hiccup of the generator", func(p Plan) Outcome {
				calls++
				return late(sharp(p, 1000), calls%4 == 0)
			}, nil, Found, [2]float64{950, 1000}, [2]float64{1000, 1050}, 34,
		},
	}
}

// endingsOfBounds are those of bounds, and of results that contradict each other.
func endingsOfBounds() []ending {
	return []ending{
		{
			"trials run out", func(p Plan) Outcome { return sharp(p, 1000) }, func(c *Config) { c.Trials = 9 }, Open,
			[2]float64{840, 1000}, [2]float64{1000, 1190}, 9,
		},
		{
			"time runs out", func(p Plan) Outcome { return sharp(p, 1000) }, func(c *Config) { c.Budget = 5 }, Open,
			[2]float64{800, 800}, [2]float64{1600, 1600}, 5,
		},
		{
			"a short trial does not show it", func(p Plan) Outcome {
				if p.Seconds < 2 {
					return sharp(p, 3000)
				}
				return sharp(p, 1000)
			}, nil, Found, [2]float64{900, 1000}, [2]float64{1000, 1100}, 40,
		},
		{
			"lower rates fail", func(p Plan) Outcome {
				if p.Rate > 420 && p.Rate < 600 {
					return sharp(p, 1)
				}
				return sharp(p, 1000)
			}, func(c *Config) { c.Min = 150 }, Contradicted, [2]float64{950, 1000}, [2]float64{1000, 1050}, 27,
		},
	}
}

// Each unusual ending is told as what it is.
func TestEndings(t *testing.T) {
	for _, c := range slices.Concat(endingsOfSystem(), endingsOfGenerator(), endingsOfBounds()) {
		cfg := Config{Objectives: objectives(1), Min: 100, Max: 8000}
		if c.edit != nil {
			c.edit(&cfg)
		}
		r := search(t, cfg, c.trial)
		a := r.Answers[0]
		if a.State != c.state || r.All.State != c.state || !within(a.Lower, c.lower) || !within(a.Upper, c.upper) {
			t.Errorf("%s: %v, %v to %v (all: %v), want %v, %v to %v", c.name, a.State, a.Lower, a.Upper, r.All.State,
				c.state, c.lower, c.upper)
		}
		if len(r.Trials) > c.trials {
			t.Errorf("%s: %d trials, want at most %d: %+v", c.name, len(r.Trials), c.trials, r.Trials)
		}
		if c.state < Limited && a.Confidence < 0.9 {
			t.Errorf("%s: confidence %v, want 0.9", c.name, a.Confidence)
		}
	}
}

func within(v float64, bounds [2]float64) bool { return v >= bounds[0] && v <= bounds[1] }

// What contradicts an answer is named.
func TestContradictionIsNamed(t *testing.T) {
	r := search(t, Config{Objectives: objectives(1), Min: 150, Max: 8000}, func(p Plan) Outcome {
		if p.Rate > 420 && p.Rate < 600 {
			return sharp(p, 1)
		}
		return sharp(p, 1000)
	})
	against := r.Answers[0].Against
	if len(against) != 1 || against[0] < 420 || against[0] > 600 {
		t.Errorf("against it %v, want the rate near 500", against)
	}
}

// Where lower rates fail and the search comes across them, the answer is below them.
func TestDipOnTheWay(t *testing.T) {
	r := search(t, Config{Objectives: objectives(1), Min: 100, Max: 8000}, func(p Plan) Outcome {
		if p.Rate > 700 && p.Rate < 900 {
			return sharp(p, 1)
		}
		return sharp(p, 2000)
	})
	if a := r.Answers[0]; a.State != Found || a.Upper > 740 || a.Lower < 650 {
		t.Errorf("%v, %v to %v, want the lower border of the dip", a.State, a.Lower, a.Upper)
	}
}

// A single trial that went wrong, whichever, costs trials but no right answer.
func TestOneFalseTrial(t *testing.T) {
	for wrong := range 24 {
		n := 0
		r := search(t, Config{Objectives: objectives(1), Min: 100, Max: 8000}, func(p Plan) Outcome {
			o := sharp(p, 1000)
			if n == wrong {
				o.Values[0] = 1 / o.Values[0]
			}
			n++
			return o
		})
		a := r.Answers[0]
		if a.State != Found || a.Lower > 1000 || a.Upper < 1000 || a.Upper/a.Lower > 1.25 || len(r.Trials) > 40 {
			t.Errorf("trial %d was wrong: %v, %v to %v after %d trials", wrong, a.State, a.Lower, a.Upper, len(r.Trials))
		}
	}
}

// Objectives share trials: those with one border cost no more than one, and those with borders apart less than
// searches of their own. The rate for all is that of the least.
func TestObjectivesShareTrials(t *testing.T) {
	run := func(truths ...float64) Result {
		return search(t, Config{Objectives: objectives(len(truths)), Min: 100, Max: 8000, Checks: []float64{}},
			func(p Plan) Outcome { return sharp(p, truths...) })
	}
	one := len(run(1000).Trials)
	if n := len(run(1000, 1000, 1000).Trials); n != one {
		t.Errorf("three objectives with one border: %d trials, one has %d", n, one)
	}
	r := run(2000, 1000, 4000)
	if n := len(r.Trials); n > 3*one-6 {
		t.Errorf("three objectives: %d trials, one has %d", n, one)
	}
	for i, truth := range []float64{2000, 1000, 4000} {
		a := r.Answers[i]
		if a.State != Found || a.Lower > truth || a.Upper < truth || a.Upper > 1.06*a.Lower {
			t.Errorf("objective %d: %v, %v to %v, the truth is %v", i, a.State, a.Lower, a.Upper, truth)
		}
		if a.LowerMet != a.LowerTrials || a.UpperFailed != a.UpperTrials || a.LowerTrials < 5 || a.UpperTrials < 5 {
			t.Errorf("objective %d: %d of %d and %d of %d trials", i, a.LowerMet, a.LowerTrials, a.UpperFailed, a.UpperTrials)
		}
	}
	if r.All.Lower != r.Answers[1].Lower || r.All.Upper != r.Answers[1].Upper || r.All.State != Found {
		t.Errorf("for all: %v, %v to %v", r.All.State, r.All.Lower, r.All.Upper)
	}
}

// Load goes up by the factor at most, and the last trials are those at shares of what was found.
func TestRampAndChecks(t *testing.T) {
	r := search(t, Config{Objectives: objectives(1), Min: 10, Max: 8000}, func(p Plan) Outcome { return sharp(p, 1000) })
	most := 5.0
	for _, tr := range r.Trials {
		if tr.Rate > 2*most*(1+1e-9) {
			t.Errorf("trial %d: %v/s after %v/s", tr.Number, tr.Rate, most)
		}
		most = max(most, tr.Rate)
	}
	last := r.Trials[len(r.Trials)-3:]
	for i, share := range []float64{0.1, 0.5, 0.9} {
		want := share * r.All.Lower
		if last[i].Purpose != Check || !near(last[i].Rate, want) {
			t.Errorf("trial %d: %v at %v/s, want a check at %v", last[i].Number, last[i].Purpose, last[i].Rate, want)
		}
	}
}

// An error of a trial ends the search, and what is known is kept.
func TestTrialFails(t *testing.T) {
	broken := errors.New("no sockets")
	r, err := Run(Config{Objectives: objectives(1), Min: 100, Max: 8000}, func(p Plan) (Outcome, error) {
		if p.Rate > 300 {
			return Outcome{}, broken
		}
		return sharp(p, 1000), nil
	})
	if !errors.Is(err, broken) || len(r.Trials) != 2 || r.Answers[0].Lower != 200 || r.All.State != Open {
		t.Errorf("%v, %d trials, %+v", err, len(r.Trials), r.Answers)
	}
	_, err = Run(Config{Objectives: objectives(2), Min: 1, Max: 2}, func(p Plan) (Outcome, error) {
		return sharp(p, 1), nil
	})
	if err == nil || !strings.Contains(err.Error(), "1 values") {
		t.Errorf("too few values: %v", err)
	}
}

// A configuration that makes no sense is refused, and the message says what is wrong.
func TestConfigIsChecked(t *testing.T) {
	for want, edit := range map[string]func(*Config){
		"no objective":       func(c *Config) { c.Objectives = nil },
		"limit 0":            func(c *Config) { c.Objectives[0].Limit = 0 },
		"rates from 0":       func(c *Config) { c.Min = 0 },
		"rates from 10 to 9": func(c *Config) { c.Max = 9 },
		"rates from 10 to +": func(c *Config) { c.Max = math.Inf(1) },
		"trials of 3 to 2":   func(c *Config) { c.Long, c.Short = 2, 3 },
		"a budget of -1":     func(c *Config) { c.Budget = -1 },
		"precision 2":        func(c *Config) { c.Precision = 2 },
		"factor 1,":          func(c *Config) { c.Factor = 1 },
		"confidence 1,":      func(c *Config) { c.Confidence = 1 },
		"number of trials -": func(c *Config) { c.Trials = -1 },
		"a check at 1 of":    func(c *Config) { c.Checks = []float64{1} },
		"precision NaN":      func(c *Config) { c.Precision = math.NaN() },
	} {
		c := Config{Objectives: objectives(1), Min: 10, Max: 100}
		edit(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Words for what reports show.
func TestNames(t *testing.T) {
	var words []string
	for p := Ramp; p <= Check+1; p++ {
		words = append(words, p.String())
	}
	for s := Found; s <= Contradicted+1; s++ {
		words = append(words, s.String())
	}
	slices.Sort(words)
	if n := len(words); len(slices.Compact(words)) != n {
		t.Errorf("%v: want a word each", words)
	}
}
