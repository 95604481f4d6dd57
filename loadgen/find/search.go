package find

import (
	"errors"
	"fmt"
	"math"
)

// A Search is a search under way. It is a function of its configuration and of
// the trials that it has been told: told the same ones, it asks for the same.
type Search struct {
	cfg     Config
	trials  []Trial
	tracks  []*track
	spent   float64
	ceiling float64 // least rate that the generator could not offer; +Inf: none known
}

// maxInvalid is the number of invalid trials in a row at a rate after which the
// generator counts as too weak for it.
const maxInvalid = 3

// New returns a search that has made no trial yet, or an error that names what
// makes no sense in its configuration.
func New(c Config) (*Search, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	s := &Search{cfg: c, ceiling: math.Inf(1)}
	for range c.Objectives {
		s.tracks = append(s.tracks, newTrack(&s.cfg))
	}
	return s, nil
}

// Run searches: it calls trial for one plan after the other, until nothing is to
// be learnt or the bounds are reached. An error of trial ends it, with what is
// known by then.
func Run(c Config, trial func(Plan) (Outcome, error)) (Result, error) {
	s, err := New(c)
	if err != nil {
		return Result{}, err
	}
	for {
		p, ok := s.Next()
		if !ok {
			return s.Result(), nil
		}
		o, err := trial(p)
		if err == nil {
			err = s.Record(p, o)
		}
		if err != nil {
			return s.Result(), err
		}
	}
}

// Next returns the trial that is to be made now, or false if the search is over.
func (s *Search) Next() (Plan, bool) {
	p, ok := s.wanted()
	if !ok || !s.affordable(p) {
		return Plan{}, false
	}
	p.Number = len(s.trials)
	return p, true
}

// affordable reports whether a trial is within the bounds. It may take as much
// longer than its length as the one before did.
func (s *Search) affordable(p Plan) bool {
	beside := 0.0
	if n := len(s.trials); n > 0 {
		beside = max(s.trials[n-1].Took-s.trials[n-1].Seconds, 0)
	}
	return len(s.trials) < s.cfg.Trials && s.spent+p.Seconds+beside <= s.cfg.Budget
}

// top is the largest rate that may be tried.
func (s *Search) top() float64 { return min(s.cfg.Max, s.ceiling) }

// limited reports whether the generator could not offer a rate.
func (s *Search) limited() bool { return s.ceiling <= s.cfg.Max }

// allowed reports whether a rate may be tried.
func (s *Search) allowed(rate float64) bool {
	return rate < s.ceiling && !near(rate, s.ceiling)
}

// wanted returns what to try next, whatever it costs: the lowest rate that an
// open bracket asks for; then what confirms the lower ends, the lowest first; then
// the upper ends; then the checks.
func (s *Search) wanted() (Plan, bool) {
	best := Plan{Rate: math.Inf(1)}
	offer := func(p Plan) {
		if s.allowed(p.Rate) && p.Rate < best.Rate {
			best = p
		}
	}
	for _, t := range s.tracks {
		if p, ok := t.open(s.top(), s.limited()); ok && !t.borders {
			offer(p)
		}
	}
	for _, stage := range []func(){
		func() {
			for _, t := range s.tracks {
				if t.lowerLeft() {
					offer(Plan{Rate: t.low.rate, Seconds: s.cfg.Long, Purpose: Lower})
				}
			}
		},
		func() {
			for _, t := range s.tracks {
				if t.upperLeft() {
					offer(Plan{Rate: t.high.rate, Seconds: s.cfg.Long, Purpose: Upper})
				}
			}
		},
		func() { s.checks(offer) },
	} {
		if !math.IsInf(best.Rate, 1) {
			break
		}
		stage()
	}
	return best, !math.IsInf(best.Rate, 1)
}

// maxChecks is how often a check is made where it contradicts what was found.
const maxChecks = 3

// checks offers the checks that are left, once each, and again where one fails
// that should not.
func (s *Search) checks(offer func(Plan)) {
	low := s.Result().Lower
	for _, share := range s.cfg.Checks {
		rate := low * share
		if rate < s.cfg.Min {
			continue
		}
		made, failed := 0, false
		for _, tr := range s.trials {
			if tr.Purpose == Check && near(tr.Rate, rate) {
				made++
				failed = failed || !s.meetsAll(tr)
			}
		}
		if made == 0 || failed && made < maxChecks {
			offer(Plan{Rate: rate, Seconds: s.cfg.Long, Purpose: Check})
		}
	}
}

// meetsAll reports whether a trial counts and meets every objective.
func (s *Search) meetsAll(tr Trial) bool {
	for i, o := range s.cfg.Objectives {
		if !o.Met(tr.Values[i]) {
			return false
		}
	}
	return tr.Invalid == ""
}

// Record tells the search what came of a trial, which need not be one that it has
// asked for. It fails where values are missing.
func (s *Search) Record(p Plan, o Outcome) error {
	if len(o.Values) != len(s.tracks) {
		return fmt.Errorf("find: trial %d: %d values, want one for each of %d objectives", p.Number, len(o.Values),
			len(s.tracks))
	}
	if !(p.Rate > 0 && p.Seconds > 0 && o.Took >= 0) {
		return errors.New("find: a trial without rate or length")
	}
	s.trials = append(s.trials, Trial{p, o})
	s.spent += max(o.Took, p.Seconds)
	if o.Invalid != "" {
		s.invalid(p.Rate)
	}
	for i, t := range s.tracks {
		if o.Invalid == "" {
			t.record(verdict{p.Rate, p.Seconds, s.cfg.Objectives[i].Met(o.Values[i])}, s.top())
		}
		if _, open := t.open(s.top(), s.limited()); !open && len(t.seen) > 0 {
			t.borders = true
		}
	}
	return nil
}

// invalid lowers the ceiling if the last trials were all invalid, at this rate.
func (s *Search) invalid(rate float64) {
	if len(s.trials) < maxInvalid {
		return
	}
	for _, tr := range s.trials[len(s.trials)-maxInvalid:] {
		if tr.Invalid == "" || !near(tr.Rate, rate) {
			return
		}
	}
	s.ceiling = min(s.ceiling, rate)
	for _, t := range s.tracks {
		t.lower(s.ceiling)
	}
}
