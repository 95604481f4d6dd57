package reports

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"i3bench/loadgen/find"
)

// Names of parameters in the manifest that say how the largest rate was searched
// for; of one that is absent, the default of package find counts.
const (
	ParamFindMin        = "min"        // least rate, joins per second
	ParamFindMax        = "max"        // largest
	ParamFindFactor     = "factor"     // of the ramp
	ParamFindPrecision  = "precision"  // how far apart the ends are
	ParamFindConfidence = "confidence" // that both ends are right
	ParamFindTrial      = "trial"      // full length of a trial
	ParamFindFirst      = "first"      // length of the first trials
)

// ParamLate names the parameter that says how late the generator may be in the 99th
// percentile: beyond that a trial, or a run of load, is invalid.
const ParamLate = "late"

// A found is a search as the samples tell it.
type found struct {
	objectives []Objective
	trials     []Trial
	lateLimit  float64
	result     find.Result
}

// search repeats the search of a run: the trials are told in their order, and the
// search is the same function of them as it was then. It returns an error where
// the parameters make none.
func (r *Result) search() (f found, err error) {
	if r.Manifest.Status == Unknown {
		return f, errors.New("its parameters stand in " + ManifestFile + ", which could not be read")
	}
	for _, s := range r.Select(StageFind, KindObjective) {
		o, err := ParseObjective(s.Group)
		if err != nil {
			return f, err
		}
		f.objectives = append(f.objectives, o)
	}
	m := &r.Manifest
	f.lateLimit = LateLimit(f.objectives)
	if late := m.number(ParamLate, 0); late > 0 {
		f.lateLimit = 1e9 * late
	}
	f.trials = summarizeTrials(r)
	s, err := find.New(find.Config{
		Objectives: Bounds(f.objectives), Min: m.number(ParamFindMin, 1), Max: m.number(ParamFindMax, 1e6),
		Factor: m.number(ParamFindFactor, 0), Precision: m.number(ParamFindPrecision, 0),
		Confidence: m.number(ParamFindConfidence, 0), Long: m.number(ParamFindTrial, 0),
		Short: m.number(ParamFindFirst, 0),
	})
	if err != nil {
		return f, err
	}
	for _, t := range f.trials {
		err := s.Record(find.Plan{Number: t.Number, Rate: t.Rate, Seconds: t.Seconds}, t.Outcome(f.objectives, f.lateLimit))
		if err != nil {
			return f, err
		}
	}
	f.result = s.Result()
	return f, nil
}

// Bounds returns objectives as the search knows them.
func Bounds(list []Objective) (out []find.Objective) {
	for _, o := range list {
		out = append(out, find.Objective{Name: o.Text, Limit: o.Limit})
	}
	return out
}

// interval writes the ends between which a rate lies.
func interval(lower, upper float64) string {
	switch {
	case lower == 0 && math.IsInf(upper, 1):
		return "-"
	case lower == 0:
		return "below " + num(upper) + "/s"
	case math.IsInf(upper, 1):
		return "at least " + num(lower) + "/s"
	}
	return num(lower) + " to " + num(upper) + "/s"
}

// FoundText says in a few words what kind of answer there is, and what follows.
func FoundText(state find.State, against []float64) string {
	switch state {
	case find.Found:
		return "found"
	case find.AtLeast:
		return "no rate up to the largest fails"
	case find.None:
		return "not met at the least rate"
	case find.Limited:
		return "INVALID: the generator was the limit"
	case find.Contradicted:
		text := "trials contradict each other"
		for i, rate := range against {
			text += map[bool]string{true: ": at ", false: ", "}[i == 0] + num(rate) + "/s"
		}
		return text
	}
	return "not confirmed: the budget was used up"
}

// foundVerdict judges an answer.
func foundVerdict(state find.State, against []float64) Verdict {
	v := Verdict{Miss, FoundText(state, against)}
	if state == find.Found || state == find.AtLeast {
		v.State = Pass
	}
	return v
}

// A ratePoint is what the trials at one rate have measured: medians over those
// that are valid.
type ratePoint struct {
	rate   float64
	trials int
	values map[string]float64 // by operation and figure, see loadFigures
}

// loadFigures are the figures of a curve of load: percentiles in ns, and the rate
// that was achieved, per second.
var loadFigures = []struct {
	name string
	of   func(LoadOp) float64
}{
	{"p50", func(l LoadOp) float64 { return l.Response.P(0.5) }},
	{"p99", func(l LoadOp) float64 { return l.Response.P(0.99) }},
	{"achieved", func(l LoadOp) float64 { return l.Achieved }},
}

// curve returns a point for each rate, ascending.
func (f *found) curve() (out []ratePoint) {
	values := make(map[float64]map[string][]float64)
	trials := make(map[float64]int)
	for _, t := range f.trials {
		if t.Invalid(f.lateLimit) != "" {
			continue
		}
		if trials[t.Rate]++; values[t.Rate] == nil {
			values[t.Rate] = make(map[string][]float64)
		}
		for _, l := range t.Ops {
			for _, figure := range loadFigures {
				key := l.Op + " " + figure.name
				values[t.Rate][key] = append(values[t.Rate][key], figure.of(l))
			}
		}
	}
	for rate, n := range trials {
		p := ratePoint{rate, n, make(map[string]float64)}
		for key, list := range values[rate] {
			slices.Sort(list)
			p.values[key] = Percentile(list, 0.5)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b ratePoint) int { return cmp.Compare(a.rate, b.rate) })
	return out
}

// share writes how many of some trials.
func share(k, n int) string { return fmt.Sprintf("%d of %d", k, n) }
