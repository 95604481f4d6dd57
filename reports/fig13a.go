package reports

import (
	"i3bench/reports/chart"
)

const fig13aTitle = "Figure 13(a): duplicates per loss"

func fig13aSection(r *Result) Section {
	curves := SummarizeBySize(r.Select(StageRecovery, KindDupPerLoss))
	s := Section{
		ID: "fig13a", Title: fig13aTitle, Stage: StageRecovery,
		Text: []string{"Duplicates that all receivers got, over the packets that they lost. The paper has less than 1.5 in " +
			"either scheme and about the same at all large sizes. A group of samples meets it if its mean over seeds is " +
			"below 1.5 at every size; the largest of its sizes is shown."},
	}
	if len(curves) == 0 {
		return absent(s.ID, s.Title, s.Stage, fig13aFinding(SizeCurve{}))
	}
	s.Figures = []Figure{sizeFigure("fig13a-chart", chart.Chart{
		Title: "Duplicates per loss against group size",
		Desc: "Duplicates per packet lost for each scheme, mean over seeds with its interval; the dotted line is the " +
			"paper's limit.",
		Y:     chart.Axis{Label: "duplicates per packet lost"},
		Marks: []chart.Mark{{Y: paperDupPerLoss, Horizontal: true, Name: "paper: < 1.5"}},
	}, curves)}
	for _, c := range curves {
		s.Findings = append(s.Findings, fig13aFinding(c))
	}
	s.Bench = sizeBench("Sim/recovery/kind="+KindDupPerLoss, "duplicates/loss", curves)
	return s
}

// fig13aFinding judges the size with the most duplicates.
func fig13aFinding(c SizeCurve) Finding {
	f := Finding{ID: "fig13a", What: "duplicates per loss", Source: "section 6.3", Paper: "< " + plain(paperDupPerLoss)}
	if len(c.Rows) == 0 {
		return f
	}
	worst := c.Rows[0]
	for _, row := range c.Rows {
		if row.Mean > worst.Mean {
			worst = row
		}
	}
	f.Spot = spotOfScheme(f.What+" at the worst size", c.Group, 0, worst.cell(num)+" at "+count(worst.N))
	f.What += ", " + variantName(c.Group) + ", most at " + receivers(worst.N)
	f.Ours, f.Spread = num(worst.Mean), worst.spread(num)
	f.Verdict = worst.atMost(paperDupPerLoss, true)
	return f
}
