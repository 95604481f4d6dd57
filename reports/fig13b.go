package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"i3bench/reports/chart"
)

// A RepairBin is a number of repairs and the longest time that one took.
type RepairBin struct {
	UpToNS float64
	Count  int64
}

// RepairBins is a distribution of times of repair, in bins of ascending time.
type RepairBins struct {
	Group string
	Bins  []RepairBin
	Total int64
}

// SummarizeRepairBins adds up the bins of all seeds, samples of kind
// [KindRepairTime], for each group of samples.
func SummarizeRepairBins(samples []Sample) []RepairBins {
	names, groups := grouped(samples, byGroup)
	var out []RepairBins
	for _, name := range names {
		counts := make(map[float64]int64)
		b := RepairBins{Group: name}
		for _, s := range groups[name] {
			counts[s.Value] += s.N
			b.Total += s.N
		}
		for ns, n := range counts {
			if n > 0 {
				b.Bins = append(b.Bins, RepairBin{ns, n})
			}
		}
		slices.SortFunc(b.Bins, func(x, y RepairBin) int { return cmp.Compare(x.UpToNS, y.UpToNS) })
		if b.Total > 0 {
			out = append(out, b)
		}
	}
	return out
}

// Share returns the share of repairs within a time.
func (b RepairBins) Share(ns float64) float64 {
	var sum int64
	for _, bin := range b.Bins {
		if bin.UpToNS <= ns {
			sum += bin.Count
		}
	}
	return float64(sum) / float64(b.Total)
}

// P returns the nearest-rank percentile for a share p: the upper end of the bin
// in which it falls.
func (b RepairBins) P(p float64) float64 {
	left := int64(math.Ceil(p*float64(b.Total) - 1e-9))
	for _, bin := range b.Bins {
		if left -= bin.Count; left <= 0 {
			return bin.UpToNS
		}
	}
	return b.Bins[len(b.Bins)-1].UpToNS
}

// curve returns the distribution function in ms, thinned out to steps of share
// that an eye can tell.
func (b RepairBins) curve() []chart.Point {
	points := []chart.Point{{X: b.Bins[0].UpToNS / 1e6}}
	var sum int64
	for i, bin := range b.Bins {
		sum += bin.Count
		share := float64(sum) / float64(b.Total)
		if i == len(b.Bins)-1 || share >= points[len(points)-1].Y+1.0/curvePoints {
			points = append(points, chart.Point{X: bin.UpToNS / 1e6, Y: share})
		}
	}
	return points
}

// shares bounds the intervals of curves that are shares.
func shares(curves []SizeCurve) []SizeCurve {
	for _, c := range curves {
		for i := range c.Rows {
			c.Rows[i].Estimate = c.Rows[i].share()
		}
	}
	return curves
}

const fig13bTitle = "Figure 13(b): time of repair"

func fig13bSection(r *Result) Section {
	bins := SummarizeRepairBins(r.Select(StageRecovery, KindRepairTime))
	soon := shares(SummarizeBySize(r.Select(StageRecovery, KindWithin600)))
	longest := SummarizeBySize(r.Select(StageRecovery, KindRepairMax))
	lost := shares(SummarizeBySize(r.Select(StageRecovery, KindLossRate)))
	s := Section{
		ID: "fig13b", Title: fig13bTitle, Stage: StageRecovery,
		Text: []string{"Time from the detection of a loss to its repair. Verdicts are for 1,024 receivers: 85 % of repairs " +
			"within 600 ms, mean over seeds, and the longest of all seeds within 2,400 ms. The distribution is in bins; a " +
			"repair counts with the upper end of its bin."},
	}
	if len(bins)+len(soon)+len(longest) == 0 {
		return absent(s.ID, s.Title, s.Stage, repairSoonFinding(SizeRow{}, ""), repairMaxFinding(SizeRow{}, ""))
	}
	for _, c := range soon {
		s.Findings = append(s.Findings, repairSoonFinding(c.at(paperRepairGroup), c.Group))
	}
	for _, c := range longest {
		s.Findings = append(s.Findings, repairMaxFinding(c.at(paperRepairGroup), c.Group))
	}
	if len(bins) > 0 {
		s.Tables = append(s.Tables, repairBinsTable(bins))
		s.Figures = []Figure{repairBinsFigure(bins)}
	}
	for _, t := range []struct {
		caption string
		curves  []SizeCurve
		write   func(float64) string
	}{
		{"Share of repairs within 600 ms", soon, percent},
		{"Longest repair", longest, duration},
		{"Share of packets lost before repair, mean over receivers", lost, percent},
	} {
		if len(t.curves) > 0 {
			table := sizeTable(t.caption, t.curves, t.write)
			table.Fold = true
			s.Tables = append(s.Tables, table)
		}
	}
	s.Bench = sizeBench("Sim/recovery/kind="+KindWithin600, "share600ms", soon)
	return s
}

func repairSoonFinding(row SizeRow, group string) Finding {
	f := Finding{
		ID: "fig13b", What: "repairs within 600 ms", Source: "section 6.3",
		Paper: percent(paperRepairShare), Ours: "-", Verdict: Verdict{NotMeasured, "not measured"},
	}
	if group != "" {
		f.What += ", " + group + ", " + receivers(paperRepairGroup)
	}
	if row.Seeds == 0 {
		return f
	}
	f.Ours, f.Spread = percent(row.Mean), row.spread(percent)
	f.Spot = spotOfScheme("repairs within 600 ms", group, row.N, row.cell(percent))
	f.Verdict = atLeastShare(row.Mean, paperRepairShare)
	if row.holds(paperRepairShare) {
		f.Verdict.Text += unsettled
	}
	return f
}

func repairMaxFinding(row SizeRow, group string) Finding {
	f := Finding{
		ID: "fig13b", What: "longest repair", Source: "section 6.3",
		Paper: "< " + duration(paperRepairLimitNS), Ours: "-", Verdict: Verdict{NotMeasured, "not measured"},
	}
	if group != "" {
		f.What += ", " + group + ", " + receivers(paperRepairGroup)
	}
	if row.Seeds == 0 {
		return f
	}
	all := seedValues(row.PerSeed)
	most := slices.Max(all)
	f.Ours = duration(most)
	f.Spread = fmt.Sprintf("%s to %s, %s", duration(slices.Min(all)), duration(most), seedCount(row.Seeds))
	f.Spot = spotOfScheme("longest repair of all seeds", group, row.N, f.Ours)
	f.Verdict = Verdict{Pass, "all before 2,400 ms"}
	if most >= paperRepairLimitNS {
		f.Verdict = Verdict{Miss, "misses by " + signedPercent(most/paperRepairLimitNS-1)}
	}
	return f
}

func repairBinsTable(bins []RepairBins) Table {
	t := Table{
		Caption: "Time of repair, 1,024 receivers, all seeds",
		Columns: []Column{
			text("group"), number("repairs"), number("p50"), number("p85"), number("p90"), number("p99"), number("max"),
			number("within 600 ms"), number("within 2,400 ms"),
		},
	}
	for _, b := range bins {
		row := []string{variantName(b.Group), count(b.Total)}
		for _, p := range []float64{0.5, 0.85, 0.9, 0.99, 1} {
			row = append(row, duration(b.P(p)))
		}
		t.Rows = append(t.Rows, append(row, percent(b.Share(paperRepairSoonNS)), percent(b.Share(paperRepairLimitNS))))
	}
	return t
}

func repairBinsFigure(bins []RepairBins) Figure {
	c := chart.Chart{
		Title: "Distribution of the time of repair, 1,024 receivers",
		Desc: "Share of repairs up to each time, for each scheme; the circles are the paper's 85 % within 600 ms and all " +
			"within 2,400 ms.",
		X: chart.Axis{Label: "time from detection to repair (ms)", Format: func(v float64) string { return count(int64(v)) }},
		Y: shareAxis("repairs"),
		Marks: []chart.Mark{
			{X: paperRepairSoonNS / 1e6, Y: paperRepairShare, Name: "paper: 85 % in 600 ms"},
			{X: paperRepairLimitNS / 1e6, Y: 1, Name: "paper: all in 2,400 ms"},
		},
	}
	t := Table{Caption: "Percentiles of the time of repair", Columns: []Column{text("percentile")}}
	end := 1.1 * paperRepairLimitNS
	for i, b := range bins {
		c.Series = append(c.Series, chart.Series{
			Name: variantName(b.Group), Ink: ink(i), Shape: chart.Steps, Dashed: i%2 == 1, Points: b.curve(),
		})
		t.Columns = append(t.Columns, number(variantName(b.Group)))
		end = max(end, b.P(0.999))
	}
	c.X.Max = end / 1e6
	for _, p := range []float64{0.1, 0.25, 0.5, 0.75, 0.85, 0.9, 0.95, 0.99, 0.999, 1} {
		row := []string{nines(p)}
		for _, b := range bins {
			row = append(row, duration(b.P(p)))
		}
		t.Rows = append(t.Rows, row)
	}
	return Figure{ID: "fig13b-cdf", Chart: c, Table: t}
}
