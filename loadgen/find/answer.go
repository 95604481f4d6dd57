package find

import (
	"fmt"
	"math"
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

	doubt, doubtUpper float64 // the probabilities that the ends are wrong, at most
}

// A Result is what a search has found.
type Result struct {
	Answers []Answer // of each objective, in their order
	Trials  []Trial
	Seconds float64 // that all trials took

	// The largest rate that meets all objectives is the least of those that meet
	// each, and lies between these. State is that of the objective that decides;
	// if any answer is open or contradicted, it is that.
	Lower, Upper, Confidence float64
	State                    State
	// Decides is the number of the objective with the least upper bound.
	Decides int
	// Ceiling is the rate from which on the generator was the limit; +Inf: none.
	Ceiling float64
}

// Result returns what the search knows now.
func (s *Search) Result() Result {
	r := Result{Trials: s.trials, Seconds: s.spent, Ceiling: s.ceiling, Lower: math.Inf(1), Upper: math.Inf(1)}
	doubt := 0.0
	for i := range s.tracks {
		a := s.answer(i)
		r.Answers = append(r.Answers, a)
		if a.Upper < r.Upper {
			r.Upper, r.Decides = a.Upper, i
		}
		r.Lower = min(r.Lower, a.Lower)
		doubt += a.doubt
	}
	decides := r.Answers[r.Decides]
	r.State = decides.State
	r.Confidence = max(0, 1-doubt-decides.doubtUpper)
	for _, a := range r.Answers {
		if a.State == Contradicted || a.State == Open && r.State != Contradicted {
			r.State = a.State
		}
	}
	return r
}

// answer returns what is known about an objective.
func (s *Search) answer(i int) Answer {
	t := s.tracks[i]
	a := Answer{Objective: s.cfg.Objectives[i], Lower: t.low.rate, Upper: t.high.rate}
	if t.low.rate > 0 {
		a.doubt = 1 - confidence(t.low.evidence)
	}
	if !math.IsInf(t.high.rate, 1) {
		a.doubtUpper = 1 - confidence(t.high.evidence)
	}
	a.Confidence = max(0, 1-a.doubt-a.doubtUpper)
	a.LowerMet, a.LowerTrials = s.tally(i, a.Lower)
	met, n := s.tally(i, a.Upper)
	a.UpperFailed, a.UpperTrials = n-met, n
	a.Against = s.against(i, a)
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

// tally counts the valid trials of full length at a rate, and those that met an
// objective.
func (s *Search) tally(i int, rate float64) (met, n int) {
	for _, tr := range s.trials {
		if tr.Invalid == "" && s.tracks[i].long(tr.Seconds) && near(tr.Rate, rate) {
			n++
			if s.cfg.Objectives[i].Met(tr.Values[i]) {
				met++
			}
		}
	}
	return met, n
}

// against returns the rates below the interval at which two more trials fail than
// are met, and those above it at which it is the other way round.
func (s *Search) against(i int, a Answer) (rates []float64) {
	for k, tr := range s.trials {
		first := true
		for _, before := range s.trials[:k] {
			first = first && !near(before.Rate, tr.Rate)
		}
		if !first {
			continue
		}
		met, n := s.tally(i, tr.Rate)
		below := tr.Rate < a.Lower && !near(tr.Rate, a.Lower) && n-2*met >= 2
		above := tr.Rate > a.Upper && !near(tr.Rate, a.Upper) && 2*met-n >= 2
		if below || above {
			rates = append(rates, tr.Rate)
		}
	}
	return rates
}
