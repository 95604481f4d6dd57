package reports

import (
	"i3bench/reports/chart"
)

const fig11bTitle = "Figure 11(b): link stress"

func fig11bSection(r *Result) Section {
	limit := limitsOf("fig11b")[0]
	curves := r.treeCurves(KindStretchP90, KindRAD, KindRMD, KindStressMax, KindStressP99)
	most, p99 := curves[KindStressMax], curves[KindStressP99]
	s := Section{
		ID: "fig11b", Title: fig11bTitle, Stage: StageTree,
		Text: []string{
			"Stress is how many copies of one packet pass a link in one direction; the percentile is over the links that " +
				"carry any. Verdicts as for Figure 11(a); the percentile is shown beside the paper's and not judged. Figure " +
				"11 as a whole counts as met if one group of samples meets all four limits at once.",
		},
	}
	if len(most) == 0 {
		return absent(s.ID, s.Title, s.Stage, limit.finding(SizeCurve{}), stressP99Finding(SizeCurve{}), treeFinding(nil))
	}
	s.Figures = append(s.Figures, treeFigure("fig11b-max", limit, most))
	for _, c := range most {
		s.Findings = append(s.Findings, limit.finding(c))
	}
	s.Bench = sizeBench("Sim/tree/kind="+KindStressMax, "copies", most)
	if len(p99) > 0 {
		s.Figures = append(s.Figures, stressP99Figure(p99))
		s.Bench = append(s.Bench, sizeBench("Sim/tree/kind="+KindStressP99, "copies", p99)...)
	}
	for _, c := range p99 {
		s.Findings = append(s.Findings, stressP99Finding(c))
	}
	s.Findings = append(s.Findings, treeFinding(SummarizeTreeScores(curves)))
	return s
}

func stressP99Figure(curves []SizeCurve) Figure {
	return sizeFigure("fig11b-p99", chart.Chart{
		Title: "99th percentile of the link stress against group size",
		Desc: "The 99th percentile over the links that carry the packet, for each group of samples; the circle is the " +
			"paper's 18.6 for its largest group.",
		Y:     chart.Axis{Label: "copies over a link, p99"},
		Marks: []chart.Mark{{X: paperLargestGroup, Y: paperStressP99, Name: "paper: 18.6 at 65,536"}},
	}, curves)
}

// stressP99Finding shows the percentile beside the paper's.
func stressP99Finding(c SizeCurve) Finding {
	f := Finding{
		ID: "fig11b", What: "99th percentile of the link stress", Source: "section 6.1",
		Paper: plain(paperStressP99),
	}
	if len(c.Rows) == 0 {
		return f
	}
	row := c.last()
	f.Spot = spotOf(f.What, c.Group, row.N, row.cell(num))
	f.What += ", " + variantName(c.Group) + ", " + receivers(row.N)
	f.Ours, f.Spread = num(row.Mean), row.spread(num)
	f.Verdict = Verdict{NotJudged, signedPercent(row.Mean/paperStressP99 - 1)}
	if row.N < paperLargestGroup {
		f.Verdict.Text = "smaller than the paper's " + receivers(paperLargestGroup)
	}
	return f
}
