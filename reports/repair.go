package reports

import (
	"i3bench/reports/chart"
)

// A RepairRow describes the times of repair of one variant, each from the
// detection of a loss to its repair.
type RepairRow struct {
	Variant string
	Time    Distribution // nanoseconds
	// Shares of repairs within the times that the paper's Figure 13(b) names:
	// 600 ms and 2,400 ms.
	Soon, Limit float64
}

// SummarizeRepairs computes the times of repair from samples of kind
// [KindRepair] of the wan stage, a row per variant.
func SummarizeRepairs(samples []Sample) []RepairRow {
	variants, groups := grouped(samples, byGroup)
	var rows []RepairRow
	for _, v := range variants {
		d := NewDistribution(values(groups[v]), nil)
		rows = append(rows, RepairRow{v, d, d.ShareWithin(paperRepairSoonNS), d.ShareWithin(paperRepairLimitNS)})
	}
	return rows
}

const repairTitle = "Repair: time from detection to repair"

func repairSection(r *Result) Section {
	samples := r.Select(StageWAN, KindRepair)
	if len(samples) == 0 {
		return absent("repair", repairTitle, StageWAN)
	}
	rows := SummarizeRepairs(samples)
	s := Section{
		ID: "repair", Title: repairTitle, Stage: StageWAN,
		Text: []string{"The paper's simulation of 1,024 receivers (section 6.3, Figure 13(b)) repairs 85 % within 600 ms " +
			"and all within 2,400 ms. It stands here for comparison; the network of this run is another one, so nothing " +
			"is judged."},
		Tables:  []Table{repairTable(rows)},
		Figures: []Figure{repairCDF(rows)},
	}
	for _, row := range rows {
		s.Bench = append(s.Bench, BenchLine{
			"WAN/repair/variant=" + pathPart(row.Variant), row.Time.Count(),
			[]BenchValue{
				{row.Time.Mean(), "ns/op"},
				{row.Time.P(0.5), "p50-ns"},
				{row.Time.P(0.99), "p99-ns"},
				{row.Time.Max(), "max-ns"},
			},
		})
	}
	return s
}

func repairTable(rows []RepairRow) Table {
	t := Table{
		Caption: "Time of repair by variant",
		Columns: []Column{
			text("variant"), number("repairs"), number("mean"), number("p50"), number("p90"), number("p99"),
			number("max"), number("within 600 ms"), number("within 2,400 ms"),
		},
	}
	for _, row := range rows {
		cells := summaryRow(variantName(row.Variant), row.Time, duration)
		t.Rows = append(t.Rows, append(cells, percent(row.Soon), percent(row.Limit)))
	}
	return t
}

func repairCDF(rows []RepairRow) Figure {
	c := chart.Chart{
		Title: "Distribution of the time of repair",
		Desc: "Share of repairs up to each time, per variant, on a logarithmic axis; the circle is the paper's 85 % within " +
			"600 ms, from a simulation of 1,024 receivers.",
		X: chart.Axis{Label: "time from detection to repair (ms)", Scale: chart.Log},
		Y: shareAxis("repairs"),
		Marks: []chart.Mark{{
			X: paperRepairSoonNS / 1e6, Y: paperRepairShare,
			Name: "paper, simulated: 85 % in 600 ms",
		}},
	}
	var names []string
	var dists []Distribution
	for i, row := range rows {
		c.Series = append(c.Series, chart.Series{
			Name: variantName(row.Variant), Ink: ink(i), Shape: chart.Steps,
			Dashed: i%2 == 1, Points: cdf(positive(row.Time.Values()), 1e6),
		})
		names, dists = append(names, variantName(row.Variant)), append(dists, row.Time)
	}
	table := quantileTable("Percentiles of the time of repair", names, dists, percentile)
	return Figure{ID: "repair-cdf", Chart: c, Table: table}
}

// positive returns values, ascending, with those that a logarithmic axis cannot
// show raised to a nanosecond, which is the resolution of the clock.
func positive(sorted []float64) []float64 {
	if len(sorted) == 0 || sorted[0] >= 1 {
		return sorted
	}
	out := make([]float64, len(sorted))
	for i, v := range sorted {
		out[i] = max(v, 1)
	}
	return out
}
