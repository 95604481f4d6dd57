package compare

import (
	"regexp"
	"slices"
)

// An Outcome is what a gate says of all rows; its number is the exit code.
type Outcome int

// The outcomes.
const (
	Fine       Outcome = 0
	Regression Outcome = 1
	Unsure     Outcome = 3 // no regression was found, but some could not have been
)

// String returns the outcome in a few words.
func (o Outcome) String() string {
	return map[Outcome]string{Fine: "no regression", Regression: "REGRESSION", Unsure: "cannot tell"}[o]
}

// A Gate judges a comparison. What it suspects of the rows that vary it believes
// only after a second pair of samples.
type Gate struct {
	First  *Comparison `json:"first"`
	Second *Comparison `json:"second,omitempty"` // of the suspects alone
	// Accept matches the rows whose change is wanted: they are shown and never
	// fire. nil matches none.
	Accept *regexp.Regexp `json:"-"`
}

// accepts reports whether a change of a row is wanted.
func (g *Gate) accepts(r *Row) bool { return g.Accept != nil && g.Accept.MatchString(r.Key.String()) }

// fires reports whether a row of the first comparison asks for an alarm.
func (g *Gate) fires(r *Row) bool {
	switch {
	case g.accepts(r):
		return false
	case r.Exact:
		return r.Verdict == Worse || r.Verdict == Better || r.Verdict == Changed
	}
	return r.Verdict == Worse && !r.faint() && !g.First.Elsewhere
}

// faint reports whether a row is worse by less than it could have been relied upon
// to show. Noise that runs share, and of which the test therefore does not know,
// makes such changes out of nothing.
func (r *Row) faint() bool { return r.Verdict == Worse && !r.Exact && r.Loss < r.Detectable }

// Suspects returns the rows that a second pair of samples must confirm.
func (g *Gate) Suspects() (out []Key) {
	for i := range g.First.Rows {
		if r := &g.First.Rows[i]; !r.Exact && g.fires(r) {
			out = append(out, r.Key)
		}
	}
	return out
}

// Confirm compares the suspects again, in a second pair of samples.
func (g *Gate) Confirm(old, new *Side) {
	suspects := slices.DeleteFunc(g.Suspects(), func(k Key) bool { return old.byKey[k] == nil && new.byKey[k] == nil })
	g.Second = compareKeys(old, new, suspects, g.First.Options)
}

// confirmed reports whether the second pair said so again.
func (g *Gate) confirmed(k Key) bool {
	if g.Second == nil || g.Second.Elsewhere {
		return false
	}
	r := g.Second.find(k)
	return r != nil && r.Verdict == Worse && !r.faint()
}

// Fired returns the rows that make this a regression.
func (g *Gate) Fired() (out []*Row) {
	for i := range g.First.Rows {
		if r := &g.First.Rows[i]; g.fires(r) && (r.Exact || g.confirmed(r.Key)) {
			out = append(out, r)
		}
	}
	return out
}

// Blind returns the rows that could not be judged: too noisy, faintly worse, gone, from another
// machine, suspected and not measured again, or measured again with nothing to see
// because there was too much noise.
func (g *Gate) Blind() (out []*Row) {
	for i := range g.First.Rows {
		r := &g.First.Rows[i]
		switch {
		case r.Verdict == OnlyNew || r.Exact && r.Verdict != OnlyOld:
		case r.Better == Unknown && r.Verdict != OnlyOld:
		case r.Verdict == OnlyOld, r.Verdict == Noisy, r.faint() && !g.accepts(r), g.First.Elsewhere,
			g.fires(r) && g.doubtful(r.Key):
			out = append(out, r)
		}
	}
	return out
}

// doubtful reports whether the second pair settles nothing about a suspect.
func (g *Gate) doubtful(k Key) bool {
	if g.Second == nil || g.Second.Elsewhere {
		return true
	}
	r := g.Second.find(k)
	return r == nil || r.faint() || r.Verdict != Worse && r.Verdict != Better && r.Verdict != Same
}

// Outcome returns the outcome.
func (g *Gate) Outcome() Outcome {
	switch {
	case len(g.Fired()) > 0:
		return Regression
	case len(g.Blind()) > 0 || len(g.First.Rows) == 0:
		return Unsure
	}
	return Fine
}
