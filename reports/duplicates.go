package reports

import (
	"fmt"
	"math"

	"i3bench/reports/chart"
)

// A DuplicatesRow describes the duplicates per loss of one variant (Figure 15).
type DuplicatesRow struct {
	Variant string
	Ratio   Distribution // duplicates / losses, over the receivers that lost packets
	PerSeed []SeedValue  // mean ratio per seed, over the seeds with a loss, ascending by seed

	Lossless   int     // receivers without a loss: they have no ratio
	Extra      int64   // duplicates that those received
	Losses     int64   // packets lost, over all receivers
	Duplicates int64   // duplicates received, over all receivers
	Total      float64 // Duplicates / Losses, NaN without a loss
}

// SummarizeDuplicates computes Figure 15 from samples of kind [KindDuplicates],
// a row per variant.
func SummarizeDuplicates(samples []Sample) []DuplicatesRow {
	variants, groups := grouped(samples, byGroup)
	var rows []DuplicatesRow
	for _, v := range variants {
		row := DuplicatesRow{Variant: v}
		var ratios []float64
		var lossy []Sample // with the ratio as value
		for _, s := range groups[v] {
			row.Duplicates += int64(s.Value)
			row.Losses += s.N
			if s.N == 0 {
				row.Lossless++
				row.Extra += int64(s.Value)
				continue
			}
			s.Value /= float64(s.N)
			ratios = append(ratios, s.Value)
			lossy = append(lossy, s)
		}
		row.Ratio = NewDistribution(ratios, nil)
		row.PerSeed = meanPerSeed(lossy)
		row.Total = math.NaN()
		if row.Losses > 0 {
			row.Total = float64(row.Duplicates) / float64(row.Losses)
		}
		rows = append(rows, row)
	}
	return rows
}

const duplicatesTitle = "Figure 15: duplicates per loss"

func duplicatesSection(r *Result) Section {
	samples := r.Select(StageWAN, KindDuplicates)
	if len(samples) == 0 {
		return absent("duplicates", duplicatesTitle, StageWAN, duplicatesFinding(""))
	}
	rows := SummarizeDuplicates(samples)
	s := Section{
		ID: "duplicates", Title: duplicatesTitle, Stage: StageWAN,
		Text: []string{"Duplicates that a receiver got, divided by the packets that it lost before repair. The mean is " +
			"over receivers that lost any; the others have no ratio and are counted apart. The ratio of totals weighs a " +
			"receiver by its losses instead."},
		Tables: []Table{duplicatesTable(rows)},
	}
	if f, ok := duplicatesCDF(rows); ok {
		s.Figures = []Figure{f}
	}
	for _, row := range rows {
		s.Findings = append(s.Findings, row.finding())
		for _, v := range row.PerSeed {
			s.Bench = append(s.Bench, BenchLine{
				"WAN/duplicates/variant=" + pathPart(row.Variant), 1,
				[]BenchValue{{v.Value, "duplicates/loss"}},
			})
		}
	}
	return s
}

func duplicatesFinding(variant string) Finding {
	what := "duplicates per loss, mean"
	if variant != "" {
		what += ", " + variant
	}
	return Finding{ID: "fig15", What: what, Source: "section 7.2", Paper: "about " + plain(paperDuplicatesPerLoss)}
}

// finding judges the mean: fewer duplicates than the paper's are no miss.
func (row DuplicatesRow) finding() Finding {
	f := duplicatesFinding(row.Variant)
	if row.Ratio.Count() == 0 {
		f.Ours, f.Verdict = "-", Verdict{NotMeasured, "not measured: no receiver lost a packet"}
		return f
	}
	mean := row.Ratio.Mean()
	f.Ours = num(mean)
	f.Spread = seedSpread(row.PerSeed, num)
	f.Verdict = within(mean, paperDuplicatesPerLoss)
	if f.Verdict.State == Miss && mean < paperDuplicatesPerLoss {
		f.Verdict = Verdict{Pass, fmt.Sprintf("fewer than the paper (%s)", signedPercent(mean/paperDuplicatesPerLoss-1))}
	}
	return f
}

func duplicatesTable(rows []DuplicatesRow) Table {
	t := Table{
		Caption: "Duplicates per loss by variant",
		Columns: []Column{
			text("variant"), number("receivers with losses"), number("without"), number("seeds"),
			number("mean ratio"), number("p50"), number("p90"), number("max"), number("packets lost"), number("duplicates"),
			number("ratio of totals"),
		},
	}
	for _, row := range rows {
		d := row.Ratio
		t.Rows = append(t.Rows, []string{
			variantName(row.Variant), count(d.Count()),
			fmt.Sprintf("%d (%s dup.)", row.Lossless, count(row.Extra)), count(len(row.PerSeed)), num(d.Mean()), num(d.P(0.5)),
			num(d.P(0.9)), num(d.P(1)), count(row.Losses), count(row.Duplicates), num(row.Total),
		})
	}
	return t
}

func duplicatesCDF(rows []DuplicatesRow) (Figure, bool) {
	c := chart.Chart{
		Title: "Distribution of duplicates per loss",
		Desc: "Share of the receivers that lost packets up to each ratio, per variant; the dotted line is the mean " +
			"that the paper reports.",
		X:     chart.Axis{Label: "duplicates per lost packet"},
		Y:     shareAxis("receivers"),
		Marks: []chart.Mark{{X: paperDuplicatesPerLoss, Vertical: true, Name: "paper: mean about 1.6"}},
	}
	var names []string
	var dists []Distribution
	for i, row := range rows {
		if row.Ratio.Count() > 0 {
			c.Series = append(c.Series, chart.Series{
				Name: variantName(row.Variant), Ink: ink(i), Shape: chart.Steps,
				Dashed: i%2 == 1, Points: cdf(row.Ratio.Values(), 1),
			})
			names, dists = append(names, variantName(row.Variant)), append(dists, row.Ratio)
		}
	}
	if len(dists) == 0 {
		return Figure{}, false
	}
	table := quantileTable("Percentiles of duplicates per loss", names, dists,
		func(d Distribution, p float64) string { return num(d.P(p)) })
	return Figure{ID: "duplicates-cdf", Chart: c, Table: table}, true
}
