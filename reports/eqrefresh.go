package reports

import (
	"fmt"
	"math"

	"i3bench/reports/chart"
)

// A RefreshBucket is how often triggers with about as many receivers under them
// are refreshed per T, beside the paper's formula (section 4).
type RefreshBucket struct {
	N        int64 // receivers under the trigger
	Triggers int64 // in the bucket, over all seeds
	PerSeed  []SeedValue
	Estimate
	Vulnerable float64 // v in ns, mean over triggers of which it is known; NaN if of none
	Formula    float64 // NaN where the scheme has none
}

// A RefreshFormula is one scheme on one variant and network.
type RefreshFormula struct {
	Group   string
	Buckets []RefreshBucket // ascending by N
	// Mean over triggers, of what was measured and of the formula (NaN if none).
	Measured, Expected float64
	Known              bool // v was measured in at least one bucket
}

// expectedRefreshes is the paper's number of refreshes of a trigger per T: for
// refresh-unif 1/(a+(b-a)/(n+1)) + n v/(T(b-a)); for refresh-level the same with
// its own b and the receivers of levels one and two only, D+D² of them in a full
// subtree and never more than there are. Other schemes have no formula.
func (p formulaParams) expectedRefreshes(scheme string, n, v float64) float64 {
	beta := p.betaUniform
	switch scheme {
	case SchemeUniform:
	case SchemeLevel:
		beta, n = p.betaLevel, min(n, p.degree*p.degree+p.degree)
	default:
		return math.NaN()
	}
	width := beta - p.alpha
	return 1/(p.alpha+width/(n+1)) + n*v/(p.period*width)
}

// summarizeRefreshSizes compares samples of kind [KindRefreshSize] with the
// formula, for each scheme, variant and network.
func summarizeRefreshSizes(samples []Sample, p formulaParams) []RefreshFormula {
	names, groups := grouped(samples, byGroup)
	var out []RefreshFormula
	for _, name := range names {
		f := RefreshFormula{Group: name}
		scheme, _ := splitScheme(name)
		var triggers float64
		sizes, bySizes := grouped(groups[name], byN)
		for _, n := range sizes {
			b := newRefreshBucket(n, bySizes[n])
			f.Known = f.Known || !math.IsNaN(b.Vulnerable)
			v := b.Vulnerable
			if math.IsNaN(v) {
				v = 0
			}
			b.Formula = p.expectedRefreshes(scheme, float64(n), v)
			triggers += float64(b.Triggers)
			f.Expected += float64(b.Triggers) * b.Formula
			for _, s := range bySizes[n] {
				f.Measured += float64(s.Host) * s.Value
			}
			f.Buckets = append(f.Buckets, b)
		}
		f.Measured, f.Expected = f.Measured/triggers, f.Expected/triggers
		out = append(out, f)
	}
	return out
}

func newRefreshBucket(n int64, samples []Sample) RefreshBucket {
	b := RefreshBucket{N: n, PerSeed: meanPerSeed(samples), Vulnerable: math.NaN()}
	b.Estimate = NewEstimate(seedValues(b.PerSeed))
	var sum, known float64
	for _, s := range samples {
		b.Triggers += int64(s.Host)
		if s.ServiceNS > 0 {
			sum += float64(s.Host) * float64(s.ServiceNS)
			known += float64(s.Host)
		}
	}
	if known > 0 {
		b.Vulnerable = sum / known
	}
	return b
}

const eqRefreshTitle = "Refreshes by size of the subtree, and the paper's formulas"

func eqRefreshSection(r *Result) Section {
	p := r.formulaParams()
	formulas := summarizeRefreshSizes(r.Select(StageRefresh, KindRefreshSize), p)
	s := Section{
		ID: "eq-refresh", Title: eqRefreshTitle, Stage: StageRefresh,
		Text: []string{
			fmt.Sprintf("Section 4 expects 1/(α+(β-α)/(n+1)) + n v/(T(β-α)) refreshes of a trigger per T, where n receivers "+
				"are under it and v is the time in which a refresh does not yet silence others. With refresh-level n is at most "+
				"D²+D, the receivers of its two levels. Here T = %g s, α = %g, β = %g (refresh-unif) or %g (refresh-level), "+
				"D = %g, and v is what was measured for triggers of that size, zero where it was not.",
				p.period/1e9, p.alpha, p.betaUniform, p.betaLevel, p.degree),
			"A scheme meets its formula if the means over all triggers are within 20 %. Most triggers have few receivers " +
				"under them; how far the sizes are off, each for itself, stands beside it and is not judged. " + literalRule,
		},
	}
	if len(formulas) == 0 {
		return absent(s.ID, s.Title, s.Stage, RefreshFormula{}.finding())
	}
	for _, rest := range restsOf(formulas) {
		s.Figures = append(s.Figures, eqRefreshFigure(rest, formulas))
	}
	for _, f := range formulas {
		s.Findings = append(s.Findings, f.finding())
	}
	return s
}

// restsOf lists the variants and networks of schemes, each once.
func restsOf(formulas []RefreshFormula) (out []string) {
	seen := make(map[string]bool)
	for _, f := range formulas {
		if _, rest := splitScheme(f.Group); !seen[rest] {
			seen[rest] = true
			out = append(out, rest)
		}
	}
	return out
}

func (f RefreshFormula) finding() Finding {
	out := Finding{ID: "eq-refresh", What: "refreshes per trigger and T", Source: "section 4", Paper: "its formula"}
	if len(f.Buckets) == 0 {
		return out
	}
	out.What += ", " + f.Group
	out.Ours = num(f.Measured)
	switch {
	case math.IsNaN(f.Measured):
		out.Verdict = Verdict{NotMeasured, "not measured: no triggers"}
		return out
	case math.IsNaN(f.Expected):
		out.Paper, out.Verdict = "-", Verdict{NotJudged, "not the paper's scheme"}
		return out
	}
	lo, hi, seeds := math.Inf(1), math.Inf(-1), 0
	for _, b := range f.Buckets {
		off := b.Mean/b.Formula - 1
		lo, hi, seeds = min(lo, off), max(hi, off), max(seeds, b.Seeds)
	}
	out.Spread = fmt.Sprintf("by size %s to %s, %s", signedPercent(lo), signedPercent(hi), seedCount(seeds))
	out.Paper = num(f.Expected)
	if !f.Known {
		out.Paper += " (v = 0)"
	}
	_, rest := splitScheme(f.Group)
	out.Verdict = judgedIf(literal(rest), within(f.Measured, f.Expected))
	return out
}

// seedCount writes a number of seeds.
func seedCount(n int) string {
	if n == 1 {
		return "1 seed"
	}
	return fmt.Sprintf("%d seeds", n)
}

// eqRefreshFigure draws the schemes of one variant and network.
func eqRefreshFigure(rest string, formulas []RefreshFormula) Figure {
	c := chart.Chart{
		Title: "Refreshes by receivers under the trigger, " + variantName(rest),
		Desc: "Refreshes per trigger and T by the number of receivers under the trigger, both axes logarithmic; dashed " +
			"lines are the paper's formulas.",
		X: chart.Axis{
			Label: "receivers under the trigger", Scale: chart.Log,
			Format: func(v float64) string { return count(int64(math.Round(v))) },
		},
		Y: chart.Axis{Label: "refreshes per trigger and T", Scale: chart.Log},
	}
	t := Table{Caption: c.Title + "; " + cellNote, Columns: []Column{
		text("scheme"), number("receivers"), number("triggers"), number("measured"), number("v"), number("formula"),
		number("difference"),
	}}
	for i, f := range formulas {
		scheme, own := splitScheme(f.Group)
		if own != rest {
			continue
		}
		measured := seriesLook(i, chart.Series{Name: scheme, Shape: chart.Both})
		expected := chart.Series{Name: scheme + ", formula", Ink: measured.Ink, Dashed: true}
		for _, b := range f.Buckets {
			measured.Points = append(measured.Points, chart.Point{X: float64(b.N), Y: b.Mean, Err: b.half()})
			row := []string{scheme, count(b.N), count(b.Triggers), b.cell(num), duration(b.Vulnerable), "-", "-"}
			if !math.IsNaN(b.Formula) {
				expected.Points = append(expected.Points, chart.Point{X: float64(b.N), Y: b.Formula})
				row[5], row[6] = num(b.Formula), signedPercent(b.Mean/b.Formula-1)
			}
			t.Rows = append(t.Rows, row)
		}
		c.Series = append(c.Series, measured)
		if len(expected.Points) > 0 {
			c.Series = append(c.Series, expected)
		}
	}
	return Figure{ID: "eq-refresh-" + pathPart(rest), Chart: c, Table: t}
}
