package reports

import (
	"fmt"

	"i3bench/reports/chart"
)

// A SeedValue is a figure of one repetition.
type SeedValue struct {
	Seed  uint64
	Value float64
}

func seedValues(list []SeedValue) []float64 {
	out := make([]float64, len(list))
	for i, s := range list {
		out[i] = s.Value
	}
	return out
}

// A DepthRow is a row of Table 2(a): the depth of the tree of a group of one
// size.
type DepthRow struct {
	Receivers int64
	PerSeed   []SeedValue // ascending by seed
	Mean      float64     // over seeds
	StdDev    float64     // over seeds
}

// SummarizeDepth computes Table 2(a) from samples of kind [KindDepth], ascending
// by group size.
func SummarizeDepth(samples []Sample) []DepthRow {
	sizes, groups := grouped(samples, byN)
	var rows []DepthRow
	for _, n := range sizes {
		row := DepthRow{Receivers: n, PerSeed: meanPerSeed(groups[n])}
		row.Mean, row.StdDev = Mean(seedValues(row.PerSeed)), StdDev(seedValues(row.PerSeed))
		rows = append(rows, row)
	}
	return rows
}

// meanPerSeed returns the mean value of each seed's samples.
func meanPerSeed(samples []Sample) []SeedValue {
	seeds, groups := grouped(samples, bySeed)
	out := make([]SeedValue, len(seeds))
	for i, seed := range seeds {
		out[i] = SeedValue{seed, Mean(values(groups[seed]))}
	}
	return out
}

const depthTitle = "Table 2(a): depth of the tree"

func depthSection(r *Result) Section {
	samples := r.Select(StageCluster, KindDepth)
	if len(samples) == 0 {
		return absent("depth", depthTitle, StageCluster, depthFindings(nil, "")...)
	}
	s := Section{
		ID: "depth", Title: depthTitle, Stage: StageCluster,
		Text: noted("Depth is the largest level of a receiver, the number of identifiers between the group's "+
			"identifier and the receiver. The mean is over seeds; the paper gives its standard deviation in parentheses.",
			samples),
	}
	names, groups := grouped(samples, byGroup)
	for _, name := range names {
		s.addDepth(name, SummarizeDepth(groups[name]))
	}
	return s
}

// addDepth adds the figures of one group of samples.
func (s *Section) addDepth(group string, rows []DepthRow) {
	s.addOfJitter(Figure{ID: "depth-chart", Chart: depthChart(rows), Table: depthTable(rows, group)}, group)
	s.Findings = append(s.Findings, depthFindings(rows, group)...)
	for _, row := range rows {
		for _, v := range row.PerSeed {
			s.Bench = append(s.Bench, BenchLine{
				fmt.Sprintf("%s/receivers=%d", clusterName("depth", group), row.Receivers), 1, []BenchValue{{v.Value, "level"}},
			})
		}
	}
}

func depthTable(rows []DepthRow, group string) Table {
	t := Table{
		Caption: ofJitter("Depth of the tree by group size, D = 4", group),
		Columns: []Column{
			number("receivers"), number("seeds"), number("mean depth"), number("std dev"),
			number("paper (std dev)"), number("difference"),
		},
	}
	for _, row := range rows {
		paper, diff := "-", "-"
		if p, ok := findPaperDepth(row.Receivers); ok {
			paper, diff = p.String(), signedPercent(row.Mean/p.depth-1)
		}
		t.Rows = append(t.Rows, []string{
			count(row.Receivers), count(len(row.PerSeed)), num(row.Mean), num(row.StdDev),
			paper, diff,
		})
	}
	return t
}

func findPaperDepth(receivers int64) (paperDepth, bool) {
	for _, p := range paperDepths {
		if p.receivers == receivers {
			return p, true
		}
	}
	return paperDepth{}, false
}

func depthFindings(rows []DepthRow, group string) []Finding {
	var out []Finding
	for _, p := range paperDepths {
		f := Finding{
			ID: "table2a", What: fmt.Sprintf("depth of the tree, %d receivers", p.receivers), Source: "section 7.1",
			Paper: plain(p.depth), Ours: "-", Verdict: Verdict{NotMeasured, "not measured"},
		}
		for _, row := range rows {
			if row.Receivers == p.receivers {
				f.Ours, f.Spread = num(row.Mean), seedSpread(row.PerSeed, num)
				f.Verdict = within(row.Mean, p.depth)
				f = f.inGroup(group, NewEstimate(seedValues(row.PerSeed)).cell(num))
			}
		}
		out = append(out, f)
	}
	return out
}

func depthChart(rows []DepthRow) chart.Chart {
	ours := chart.Series{Name: "measured, mean ± std dev", Ink: chart.Blue, Shape: chart.Both}
	paper := chart.Series{Name: "paper", Ink: chart.Text, Shape: chart.Marks, Hollow: true}
	c := chart.Chart{
		Title: "Depth of the tree against group size",
		Desc:  "The mean depth over seeds, with one standard deviation, and the depths of the paper's Table 2(a).",
		X:     chart.Axis{Label: "receivers in the group"},
		Y:     chart.Axis{Label: "depth (levels)"},
	}
	for _, row := range rows {
		ours.Points = append(ours.Points, chart.Point{X: float64(row.Receivers), Y: row.Mean, Err: row.StdDev})
		c.X.Ticks = append(c.X.Ticks, float64(row.Receivers))
	}
	for _, p := range paperDepths {
		paper.Points = append(paper.Points, chart.Point{X: float64(p.receivers), Y: p.depth})
	}
	c.Series = []chart.Series{ours, paper}
	return c
}
