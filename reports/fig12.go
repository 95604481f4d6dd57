package reports

import (
	"fmt"
	"slices"
	"strings"

	"i3bench/reports/chart"
)

// splitScheme splits the group "scheme/variant/net" of a sample.
func splitScheme(group string) (scheme, rest string) {
	scheme, rest, _ = strings.Cut(group, "/")
	return scheme, rest
}

// A RefreshGap compares the trigger that is refreshed most under the paper's two
// schemes, at the largest size that both have.
type RefreshGap struct {
	Rest           string // variant/net
	N              int64
	Uniform, Level Estimate // largest number of refreshes of a trigger per T
	Share          Estimate // Level / Uniform, seed by seed
}

// SummarizeRefreshGap compares the schemes in the curves of kind
// [KindRefreshMax], for each variant and network that has both.
func SummarizeRefreshGap(curves []SizeCurve) []RefreshGap {
	var out []RefreshGap
	for _, c := range curves {
		scheme, rest := splitScheme(c.Group)
		if scheme != SchemeUniform {
			continue
		}
		level := findCurve(curves, SchemeLevel+"/"+rest)
		for _, row := range slices.Backward(c.Rows) {
			other := level.at(row.N)
			if shares := ratios(other.PerSeed, row.PerSeed); len(shares) > 0 {
				out = append(out, RefreshGap{rest, row.N, row.Estimate, other.Estimate, NewEstimate(shares)})
				break
			}
		}
	}
	return out
}

// ratios divides figures of the seeds that both have. Both are ascending by
// seed.
func ratios(above, below []SeedValue) (out []float64) {
	for _, a := range above {
		i := slices.IndexFunc(below, func(b SeedValue) bool { return b.Seed == a.Seed })
		if i >= 0 && below[i].Value > 0 {
			out = append(out, a.Value/below[i].Value)
		}
	}
	return out
}

const fig12Title = "Figure 12: refreshes per trigger"

func fig12Section(r *Result) Section {
	means := SummarizeBySize(r.Select(StageRefresh, KindRefreshMean))
	most := SummarizeBySize(r.Select(StageRefresh, KindRefreshMax))
	s := Section{
		ID: "fig12", Title: fig12Title, Stage: StageRefresh,
		Text: []string{"How often a trigger is refreshed in a time T, mean and largest over the triggers of the tree. " +
			"The mean of the paper's schemes is met from 1.3 to 2 at the largest size: its formula has 1.33 for a trigger " +
			"with one receiver and, without vulnerability, at most 2. The gap is met if the largest with refresh-level is " +
			"below half of the largest with refresh-unif, mean over seeds of their ratio. owner-first is not the paper's. " +
			literalRule},
	}
	if len(means) == 0 && len(most) == 0 {
		return absent(s.ID, s.Title, s.Stage, refreshMeanFinding(SizeCurve{}), refreshGapFinding(nil))
	}
	if len(means) > 0 {
		s.Figures = append(s.Figures, refreshMeanFigure(means))
	}
	for _, c := range means {
		s.Findings = append(s.Findings, refreshMeanFinding(c))
	}
	if len(most) > 0 {
		s.Figures = append(s.Figures, refreshMaxFigure(most))
	}
	gaps := SummarizeRefreshGap(most)
	for i := range gaps {
		s.Findings = append(s.Findings, refreshGapFinding(&gaps[i]))
	}
	if len(gaps) == 0 {
		s.Findings = append(s.Findings, absentFinding(refreshGapFinding(nil)))
	}
	s.Bench = append(sizeBench("Sim/refresh/kind="+KindRefreshMean, "refreshes/T", means),
		sizeBench("Sim/refresh/kind="+KindRefreshMax, "refreshes/T", most)...)
	return s
}

func refreshMeanFinding(c SizeCurve) Finding {
	f := Finding{ID: "fig12", What: "refreshes per trigger and T, mean", Source: "section 6.2", Paper: "about 1.5"}
	if len(c.Rows) == 0 {
		return f
	}
	row := c.last()
	f.Spot = spotOfScheme(f.What, c.Group, row.N, row.cell(num))
	f.What += ", " + variantName(c.Group) + ", " + receivers(row.N)
	f.Ours, f.Spread = num(row.Mean), row.spread(num)
	off := signedPercent(row.Mean/paperRefreshMean - 1)
	scheme, rest := splitScheme(c.Group)
	switch {
	case scheme != SchemeUniform && scheme != SchemeLevel:
		f.Verdict = Verdict{NotJudged, "not the paper's scheme (" + off + ")"}
	case !literal(rest):
		f.Verdict = notLiteral
	case row.Mean < paperRefreshMeanLow || row.Mean > paperRefreshMeanHigh:
		f.Verdict = Verdict{Miss, "misses 1.3 to 2 (" + off + ")"}
	default:
		f.Verdict = Verdict{Pass, "between 1.3 and 2 (" + off + ")"}
	}
	return f
}

func refreshGapFinding(g *RefreshGap) Finding {
	f := Finding{
		ID: "fig12", What: "largest of refresh-level over largest of refresh-unif", Source: "section 6.2",
		Paper: "significantly smaller",
	}
	if g == nil {
		return f
	}
	of := fmt.Sprintf(" (%s of %s)", num(g.Level.Mean), num(g.Uniform.Mean))
	f.Spot = spotOf(f.What, g.Rest, g.N, g.Share.cell(num)+of)
	f.What += ", " + variantName(g.Rest) + ", " + receivers(g.N)
	f.Ours = num(g.Share.Mean) + of
	f.Spread = g.Share.spread(num)
	f.Verdict = judgedIf(literal(g.Rest), g.Share.atMost(paperRefreshMaxShare, true))
	return f
}

func refreshMeanFigure(curves []SizeCurve) Figure {
	return sizeFigure("fig12-mean", chart.Chart{
		Title: "Mean refreshes per trigger and T against group size",
		Desc:  "The mean over triggers for each scheme; the dotted line is the paper's \"about 1.5\".",
		Y:     chart.Axis{Label: "refreshes per trigger and T, mean"},
		Marks: []chart.Mark{{Y: paperRefreshMean, Horizontal: true, Name: "paper: about 1.5"}},
	}, curves)
}

func refreshMaxFigure(curves []SizeCurve) Figure {
	return sizeFigure("fig12-max", chart.Chart{
		Title: "Largest number of refreshes of a trigger per T against group size",
		Desc: "The trigger that is refreshed most, for each scheme, on a logarithmic axis. The paper shows refresh-level " +
			"far below refresh-unif, the more so the larger the group.",
		Y: chart.Axis{Label: "refreshes of a trigger per T, largest", Scale: chart.Log},
	}, curves)
}
