package reports

import (
	"fmt"

	"i3bench/reports/chart"
)

const fig11aTitle = "Figure 11(a): stretch of the tree"

// treeCurves computes the curves of several kinds of the tree stage.
func (r *Result) treeCurves(kinds ...string) map[string][]SizeCurve {
	out := make(map[string][]SizeCurve)
	for _, kind := range kinds {
		out[kind] = SummarizeBySize(r.Select(StageTree, kind))
	}
	return out
}

func fig11aSection(r *Result) Section {
	limits := limitsOf("fig11a")
	curves := r.treeCurves(KindStretchP90, KindRAD, KindRMD)
	s := Section{
		ID: "fig11a", Title: fig11aTitle, Stage: StageTree,
		Text: []string{
			"Stretch is a receiver's latency through the tree over that of the shortest path from the source; receivers on " +
				"the source's own place have none and are counted apart. RAD and RMD are the ratios of the mean and of the " +
				"maximum latencies. Bars are 95 % intervals of the mean over seeds. " + treeRule,
		},
	}
	for _, l := range limits {
		if len(curves[l.kind]) == 0 {
			s.Findings = append(s.Findings, absentFinding(l.finding(SizeCurve{})))
			continue
		}
		s.Figures = append(s.Figures, treeFigure("fig11a-"+l.kind, l, curves[l.kind]))
		for _, c := range curves[l.kind] {
			s.Findings = append(s.Findings, l.finding(c))
		}
		s.Bench = append(s.Bench, sizeBench("Sim/tree/kind="+l.kind, "ratio", curves[l.kind])...)
	}
	if len(s.Figures) == 0 {
		return absent(s.ID, s.Title, s.Stage, s.Findings...)
	}
	return s
}

// treeFigure draws curves against group size with the paper's limit marked.
func treeFigure(id string, l treeLimit, curves []SizeCurve) Figure {
	return sizeFigure(id, chart.Chart{
		Title: upperFirst(l.what) + " against group size",
		Desc: fmt.Sprintf("The %s for each group of samples, mean over seeds with its interval; the circle is the paper's "+
			"%s at 65,536 receivers.", l.what, l.claim()),
		Y:     chart.Axis{Label: l.what},
		Marks: []chart.Mark{{X: paperLargestGroup, Y: l.limit, Name: "paper: " + l.claim() + " at 65,536"}},
	}, curves)
}

// absentFinding is a finding without samples, beside others that have some.
func absentFinding(f Finding) Finding {
	f.Ours, f.Verdict = "-", Verdict{NotMeasured, "not measured"}
	return f
}
