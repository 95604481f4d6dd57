package find

import (
	"math"
	"testing"
)

// An end that was looked at takes bets; it moves when more speaks against it than for it, and is looked at again. Its
// evidence goes with it.
func TestEndMoves(t *testing.T) {
	const enough = 20
	e := end{rate: 100, seconds: 2, evidence: 1, here: 1}
	for i, c := range []struct {
		agrees, move bool
		evidence     float64
	}{
		{true, false, won},
		{true, false, won * won},
		{true, false, won * won * won},
		{false, false, won * won * won * lost}, // little speaks against this place
		{false, true, won * won * won * lost * lost},
		{false, true, won * won * won * lost * lost}, // a look is no bet
		{true, false, won * won * won * lost * lost},
		{false, true, won * won * won * lost * lost * lost},
	} {
		moves := e.moves
		if move := e.take(c.agrees, enough); move != c.move || math.Abs(e.evidence-c.evidence) > 1e-9 || e.settled {
			t.Errorf("trial %d: moves %v, evidence %v, want %v, %v", i, move, e.evidence, c.move, c.evidence)
		}
		if (e.moves > moves) != c.move || c.move && (e.seconds != 0 || e.here != 1) {
			t.Errorf("trial %d: %+v", i, e)
		}
	}
	e.take(true, enough)
	for range 20 {
		e.take(true, enough)
	}
	if before := e; !e.settled || e.take(false, enough) || e != before {
		t.Errorf("what is settled stays: %+v", e)
	}
}

// Each move is twice as far as the one before, up to the factor, and ends at the bounds.
func TestBordersMoveOutwards(t *testing.T) {
	cfg := Config{Min: 50, Max: 150, Precision: 0.1}.withDefaults()
	tr := newTrack(&cfg)
	tr.borders = true
	tr.low, tr.high = end{rate: 100, evidence: 1, here: 1}, end{rate: 105, evidence: 1, here: 1}
	for _, want := range []float64{100 / 1.1, 100 / 1.1 / 1.2, 100 / 1.1 / 1.2 / 1.4, 50, 0} {
		tr.bet(verdict{tr.low.rate, 2, false}, 150)
		if !near(tr.low.rate, want) && tr.low.rate != want {
			t.Errorf("the lower end is at %v, want %v", tr.low.rate, want)
		}
	}
	for _, want := range []float64{105 * 1.1, 105 * 1.1 * 1.2, 150, math.Inf(1)} {
		tr.bet(verdict{tr.high.rate, 2, true}, 150)
		if !near(tr.high.rate, want) && tr.high.rate != want {
			t.Errorf("the upper end is at %v, want %v", tr.high.rate, want)
		}
	}
	if tr.lowerLeft() || tr.upperLeft() {
		t.Error("ends that are nowhere are still to be confirmed")
	}
}

// A bracket that a longer trial opens again goes back to the nearest end that longer trials have named.
func TestBracketOpensAgain(t *testing.T) {
	cfg := Config{Min: 10, Max: 10000}.withDefaults()
	tr := newTrack(&cfg)
	for _, c := range []struct {
		rate, seconds float64
		met           bool
		low, high     float64
	}{
		{100, 1, true, 100, math.Inf(1)},
		{800, 1, false, 100, 800},
		{400, 1, false, 100, 400},
		{200, 1, true, 200, 400},
		{400, 1, true, 400, 800}, // as long as the one before: the newer counts
		{400, 0.5, false, 400, 800},
		{800, 2, true, 800, math.Inf(1)}, // longer: all of 1 s are out
		{700, 2, false, 0, 700},
		{300, 2, true, 300, 700},
		{350, 2, true, 350, 700},
		{320, 2, false, 300, 320},
		{300, 2, false, 0, 300},
	} {
		tr.record(verdict{c.rate, c.seconds, c.met}, cfg.Max)
		if tr.low.rate != c.low || tr.high.rate != c.high {
			t.Errorf("after %v/s for %v s, met %v: %v to %v, want %v to %v", c.rate, c.seconds, c.met, tr.low.rate,
				tr.high.rate, c.low, c.high)
		}
	}
}

// A lower end at which nothing can be tried any more comes down.
func TestGeneratorGetsWeaker(t *testing.T) {
	n := 0
	r := search(t, Config{Objectives: objectives(1), Min: 100, Max: 8000}, func(p Plan) Outcome {
		n++
		return late(sharp(p, 1500), p.Rate > 5000 || n > 12 && p.Rate > 1000)
	})
	a := r.All
	if a.State != Limited || a.Lower > 1000 || a.Lower < 500 || a.LowerMet < 4 || r.Ceiling < 1000 {
		t.Errorf("%v, %v to %v, %d of %d, ceiling %v", a.State, a.Lower, a.Upper, a.LowerMet, a.LowerTrials, r.Ceiling)
	}
}
