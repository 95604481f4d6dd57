package compare

import (
	"fmt"
	"math"
	"regexp"
	"slices"

	"i3bench/reports"
)

// Options are the thresholds of a comparison.
type Options struct {
	Alpha  float64 `json:"alpha"`  // share of false alarms among those called different; zero means 0.05
	Effect float64 `json:"effect"` // least change of a median that counts; zero means 0.05
	See    float64 `json:"see"`    // change that a row must be able to show, else it is too noisy; zero means twice Effect
	// Units matches the units that are compared; nil matches all.
	Units *regexp.Regexp `json:"-"`
}

// fill replaces zero fields by their defaults.
func (o Options) fill() Options {
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	if o.Effect == 0 {
		o.Effect = 0.05
	}
	if o.See == 0 {
		o.See = 2 * o.Effect
	}
	return o
}

// A Verdict is what a comparison says of a row.
type Verdict string

// The verdicts.
const (
	Worse   Verdict = "worse"
	Better  Verdict = "better"
	Same    Verdict = "same"    // no change that counts, and one would have shown
	Noisy   Verdict = "noisy"   // too noisy, or too few runs, to tell
	Changed Verdict = "changed" // of a unit whose better direction is unknown
	OnlyOld Verdict = "only old"
	OnlyNew Verdict = "only new"
)

// A Row is the comparison of one benchmark and unit.
type Row struct {
	Key
	Better Direction `json:"better"` // which way the unit is better: -1 lower, 1 higher, 0 unknown
	Exact  bool      `json:"exact"`  // cannot vary, so that any difference is one

	Old Sample `json:"old"`
	New Sample `json:"new"`

	Change     Figure  `json:"change"`     // new median over old, less 1
	Loss       Figure  `json:"loss"`       // by how much it is worse: 0.1 where work takes 10 % longer
	P          Figure  `json:"p"`          // of the Mann-Whitney test; none if all values are equal
	Adjusted   Figure  `json:"adjusted"`   // p after Benjamini and Hochberg over all rows
	Detectable Figure  `json:"detectable"` // smallest change that would have been found in 80 % of cases
	Verdict    Verdict `json:"verdict"`

	unit     string
	old, new []float64
}

// A Comparison is that of all rows of two sides.
type Comparison struct {
	Options Options  `json:"options"`
	Rows    []Row    `json:"rows"`
	Notes   []string `json:"notes,omitempty"` // what a reader should know before believing the rows
	// Elsewhere says that the sides were measured on different machines, so that
	// only what cannot vary is comparable.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// Compare compares two sides row by row.
func Compare(old, new *Side, options Options) *Comparison {
	return compareKeys(old, new, keys(old, new), options)
}

// compareKeys is Compare for some rows.
func compareKeys(old, new *Side, keys []Key, options Options) *Comparison {
	c := &Comparison{Options: options.fill(), Rows: []Row{}}
	c.note(old, new)
	var p []float64
	tests := 0
	for _, k := range keys {
		if c.Options.Units != nil && !c.Options.Units.MatchString(k.Unit) {
			continue
		}
		r := newRow(k, old, new)
		c.Rows = append(c.Rows, r)
		p = append(p, float64(r.P))
		if !math.IsNaN(float64(r.P)) {
			tests++
		}
	}
	for i, adjusted := range reports.BenjaminiHochberg(p) {
		r := &c.Rows[i]
		r.Adjusted = Figure(adjusted)
		r.judge(c.Options, tests)
	}
	return c
}

// note says what makes two sides hard to compare.
func (c *Comparison) note(old, new *Side) {
	for _, key := range []string{"goos", "goarch", "cpu"} {
		if a, b := old.machine[key], new.machine[key]; a != b && a != "" && b != "" {
			c.Elsewhere = true
			c.Notes = append(c.Notes, fmt.Sprintf("measured on different machines: %s is %q and %q", key, a, b))
		}
	}
	for _, line := range slices.Concat(old.broken, new.broken) {
		c.Notes = append(c.Notes, "left out, no result: "+line)
	}
}

// newRow computes everything of a row that does not depend on the others.
func newRow(k Key, old, new *Side) Row {
	s := old.byKey[k]
	if s == nil {
		s = new.byKey[k]
	}
	r := Row{
		Key: k, Better: s.kind.better, Exact: s.kind.exact, unit: s.unit,
		old: old.values(k), new: new.values(k), Change: nan, Loss: nan, P: nan, Adjusted: nan, Detectable: nan,
	}
	r.Old, r.New = newSample(r.old), newSample(r.new)
	if r.Old.N == 0 || r.New.N == 0 {
		return r
	}
	if !r.Exact || r.Better != Unknown { // of a hash it would mean nothing
		r.Change = Figure(ratio(float64(r.New.Median), float64(r.Old.Median)) - 1)
	}
	switch r.Better {
	case Lower:
		r.Loss = r.Change
	case Higher:
		r.Loss = Figure(ratio(float64(r.Old.Median), float64(r.New.Median)) - 1)
	}
	// Where all values are equal, no arrangement of them could be called different,
	// so that the row is no test that others must be corrected for.
	if !r.Exact && len(distinct(slices.Concat(r.old, r.new))) > 1 {
		r.P = Figure(reports.MannWhitney(r.old, r.new))
	}
	return r
}

// ratio is a over b; of two zeros it is 1.
func ratio(a, b float64) float64 {
	if a == b {
		return 1
	}
	return a / b
}

// judge gives the row its verdict, as one of so many tests.
func (r *Row) judge(o Options, tests int) {
	switch {
	case r.New.N == 0:
		r.Verdict = OnlyOld
		return
	case r.Old.N == 0:
		r.Verdict = OnlyNew
		return
	case r.Exact:
		r.judgeExact()
		return
	}
	// A row alone must get below its share of alpha; with others it is easier.
	r.Detectable = Figure(detectable(r.old, r.new, o.Alpha/float64(max(tests, 1)), o.Effect))
	loss, gain := float64(r.Loss), float64(r.Change)
	if r.Better == Unknown {
		loss = math.Abs(gain)
	}
	told := float64(r.Adjusted) <= o.Alpha
	switch {
	case told && loss >= o.Effect && r.Better == Unknown:
		r.Verdict = Changed
	case told && loss >= o.Effect:
		r.Verdict = Worse
	case told && 1/(1+loss)-1 >= o.Effect:
		r.Verdict = Better
	case float64(r.Detectable) > o.See:
		r.Verdict = Noisy
	default:
		r.Verdict = Same
	}
}

// judgeExact judges what cannot vary: the values that occur must be the same. A
// result over several seeds has several.
func (r *Row) judgeExact() {
	a, b := distinct(r.old), distinct(r.new)
	switch {
	case slices.Equal(a, b):
		r.Verdict = Same
	case r.Loss > 0:
		r.Verdict = Worse
	case r.Loss < 0:
		r.Verdict = Better
	default:
		r.Verdict = Changed
	}
}

// distinct returns the different values, ascending.
func distinct(values []float64) []float64 {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// find returns the row of a key.
func (c *Comparison) find(k Key) *Row {
	for i := range c.Rows {
		if c.Rows[i].Key == k {
			return &c.Rows[i]
		}
	}
	return nil
}
