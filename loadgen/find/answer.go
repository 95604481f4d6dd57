package find

import (
	"fmt"
	"math"
	"slices"
)

// A State says what kind of answer there is.
type State int

// The states of an answer.
const (
	// Found: both ends are confirmed.
	Found State = iota
	// AtLeast: the lower end is confirmed, and no rate up to the largest fails.
	AtLeast
	// None: not even the least rate is met.
	None
	// Limited: the lower end is confirmed, and above it the generator was the
	// limit.
	Limited
	// Open: trials or time ran out before the ends were confirmed.
	Open
	// Contradicted: rates below the interval fail, or rates above it are met.
	Contradicted
)

// String returns the state in a word or two.
func (s State) String() string {
	if s < Found || s > Contradicted {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return [...]string{"found", "at least", "none", "limited by the generator", "open", "contradicted"}[s]
}

// An Answer is what is known about an objective. The largest rate that meets it
// lies between Lower and Upper with a probability of at least Confidence.
type Answer struct {
	Objective
	State      State
	Lower      float64 // met; 0: no rate is known to be
	Upper      float64 // fails; +Inf: no rate is known to
	Confidence float64
	// Of these trials of full length at the ends so many turned out as they should.
	LowerMet, LowerTrials    int
	UpperFailed, UpperTrials int
	// Against are the rates outside of the interval at which at least two more
	// trials of full length say otherwise than say so.
	Against []float64
}

// A Result is what a search has found.
type Result struct {
	// All is the answer about all objectives together: its rate is the one at which
	// half of the trials meet all of them. Its own objective is empty.
	All     Answer
	Answers []Answer // of each objective, in their order
	Trials  []Trial
	Seconds float64 // that all trials took
	// Ceiling is the rate from which on the generator was the limit; +Inf: none.
	Ceiling float64
}

// Result returns what the search knows now.
func (s *Search) Result() Result {
	r := Result{
		Trials: s.trials, Seconds: s.spent, Ceiling: s.ceiling,
		All: s.answer(s.all, Objective{}, s.meetsAll),
	}
	for i, o := range s.cfg.Objectives {
		met := func(values []float64) bool { return o.Met(values[i]) }
		r.Answers = append(r.Answers, s.answer(s.tracks[i], o, met))
	}
	return r
}

// answer returns what is known in a track, given what it calls met.
func (s *Search) answer(t *track, o Objective, met func([]float64) bool) Answer {
	a := Answer{Objective: o, Lower: t.low.rate, Upper: t.high.rate, Confidence: 1}
	if t.low.rate > 0 {
		a.Confidence -= 1 - confidence(t.low.evidence)
	}
	if !math.IsInf(t.high.rate, 1) {
		a.Confidence -= 1 - confidence(t.high.evidence)
	}
	a.Confidence = max(0, a.Confidence)
	a.LowerMet, a.LowerTrials = s.tally(a.Lower, met)
	k, n := s.tally(a.Upper, met)
	a.UpperFailed, a.UpperTrials = n-k, n
	a.Against = s.against(a, met)
	a.State = s.state(t, a)
	return a
}

// state says what kind of answer it is.
func (s *Search) state(t *track, a Answer) State {
	all, none := math.IsInf(a.Upper, 1), a.Lower == 0
	switch {
	case len(a.Against) > 0:
		return Contradicted
	case s.limited() && (all || t.upperLeft()) && !none && t.low.settled:
		return Limited
	case none && all && s.limited():
		return Limited
	case !t.borders || t.lowerLeft() || t.upperLeft() || none && all:
		return Open
	case none:
		return None
	case all:
		return AtLeast
	}
	return Found
}

// tally counts the valid trials of full length at a rate, and those that met what
// is asked.
func (s *Search) tally(rate float64, met func([]float64) bool) (k, n int) {
	for _, tr := range s.trials {
		if tr.Invalid == "" && s.all.long(tr.Seconds) && near(tr.Rate, rate) {
			n++
			if met(tr.Values) {
				k++
			}
		}
	}
	return k, n
}

// against returns the rates below the interval at which two more trials fail than
// are met, and those above it at which it is the other way round.
func (s *Search) against(a Answer, met func([]float64) bool) (rates []float64) {
	for _, tr := range s.trials {
		if slices.ContainsFunc(rates, func(rate float64) bool { return near(rate, tr.Rate) }) {
			continue
		}
		k, n := s.tally(tr.Rate, met)
		below := tr.Rate < a.Lower && !near(tr.Rate, a.Lower) && n-2*k >= 2
		above := tr.Rate > a.Upper && !near(tr.Rate, a.Upper) && 2*k-n >= 2
		if below || above {
			rates = append(rates, tr.Rate)
		}
	}
	return rates
}
