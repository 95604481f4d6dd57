package find

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Search is a search under way. It is a function of its configuration and of
// the trials that it has been told: told the same ones, it asks for the same.
type Search struct {
	cfg     Config
	trials  []Trial
	all     *track   // of a trial that meets all objectives, or not
	tracks  []*track // of each objective
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
	s.all = newTrack(&s.cfg)
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

// wanted returns what to try next, whatever it costs: first what is left to know
// about the rate that meets all objectives, then the checks, then what is left to
// know about each, that with the least upper end first.
func (s *Search) wanted() (Plan, bool) {
	if p, ok := s.left(s.all); ok {
		return p, true
	}
	if p, ok := s.checks(); ok {
		return p, true
	}
	byUpper := slices.Clone(s.tracks)
	slices.SortStableFunc(byUpper, func(a, b *track) int { return cmp.Compare(a.high.rate, b.high.rate) })
	for _, t := range byUpper {
		if p, ok := s.left(t); ok {
			return p, true
		}
	}
	return Plan{}, false
}

// left returns what is left to try for a track: to close its bracket, then to confirm
// its ends in turn.
func (s *Search) left(t *track) (p Plan, ok bool) {
	upper := t.upperLeft() && s.allowed(t.high.rate)
	switch {
	case !t.borders:
		p, ok = t.open(s.top(), s.limited())
	case t.lowerLeft() && s.allowed(t.low.rate) && (!upper || t.low.trials <= t.high.trials):
		p, ok = Plan{Rate: t.low.rate, Seconds: s.cfg.Long, Purpose: Lower}, true
	case upper:
		p, ok = Plan{Rate: t.high.rate, Seconds: s.cfg.Long, Purpose: Upper}, true
	}
	return p, ok && s.allowed(p.Rate)
}

// maxChecks is how often a check is made where it contradicts what was found.
const maxChecks = 3

// checks returns the next check, the lowest first: each is made once, and again
// where one fails that should not.
func (s *Search) checks() (Plan, bool) {
	best := Plan{Rate: math.Inf(1), Seconds: s.cfg.Long, Purpose: Check}
	for _, share := range s.cfg.Checks {
		rate := s.all.low.rate * share
		if rate < s.cfg.Min || rate >= best.Rate {
			continue
		}
		made, failed := 0, false
		for _, tr := range s.trials {
			if tr.Purpose == Check && near(tr.Rate, rate) {
				made++
				failed = failed || tr.Invalid != "" || !s.meetsAll(tr.Values)
			}
		}
		if made == 0 || failed && made < maxChecks {
			best.Rate = rate
		}
	}
	return best, !math.IsInf(best.Rate, 1)
}

// meetsAll reports whether values meet every objective.
func (s *Search) meetsAll(values []float64) bool {
	for i, o := range s.cfg.Objectives {
		if !o.Met(values[i]) {
			return false
		}
	}
	return true
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
	s.tell(s.all, p, o.Invalid == "", s.meetsAll(o.Values))
	for i, t := range s.tracks {
		s.tell(t, p, o.Invalid == "", s.cfg.Objectives[i].Met(o.Values[i]))
	}
	return nil
}

// tell takes a trial into account in a track. What is to be confirmed begins when
// its bracket asks for nothing any more.
func (s *Search) tell(t *track, p Plan, valid, met bool) {
	if valid {
		t.record(verdict{p.Rate, p.Seconds, met}, s.top())
	}
	if _, open := t.open(s.top(), s.limited()); !open && len(t.seen) > 0 {
		t.borders = true
	}
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
	s.all.lower(s.ceiling)
	for _, t := range s.tracks {
		t.lower(s.ceiling)
	}
}
