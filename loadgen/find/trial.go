package find

import "fmt"

// A Purpose says what a trial is for. Nothing follows from it: a trial counts for
// every objective, by its rate and its length.
type Purpose int

// The purposes of trials, in the order in which a search without surprises has
// them.
const (
	Ramp  Purpose = iota // to find a rate that fails
	Halve                // to make a bracket narrower
	Look                 // at an end of a bracket, for the full length
	Lower                // that the lower end is met
	Upper                // that the upper end fails
	Check                // at a share of what was found
)

// String returns the purpose in a word.
func (p Purpose) String() string {
	if p < Ramp || p > Check {
		return fmt.Sprintf("Purpose(%d)", int(p))
	}
	return [...]string{"ramp", "halve", "look", "lower", "upper", "check"}[p]
}

// A Plan is a trial that is to be made.
type Plan struct {
	Number  int     // from 0
	Rate    float64 // per second
	Seconds float64 // for how long load is offered
	Purpose Purpose
}

// An Outcome is what came of a trial.
type Outcome struct {
	// Values are those of the objectives, in their order. One that is NaN, for
	// nothing was measured, fails.
	Values []float64
	// Invalid says why the trial does not count: the generator was the limit.
	// Empty: it counts.
	Invalid string
	// Took is how many seconds the trial took, with all that was done beside.
	Took float64
}

// A Trial is one that was made.
type Trial struct {
	Plan
	Outcome
}

// Met reports whether a value meets the objective.
func (o Objective) Met(value float64) bool { return value < o.Limit }

// near reports whether two rates, or lengths, are the same but for rounding.
func near(a, b float64) bool { return a <= b*(1+1e-9) && b <= a*(1+1e-9) }
