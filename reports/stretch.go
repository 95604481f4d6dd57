package reports

import (
	"fmt"
	"math"

	"i3bench/reports/chart"
)

// A StretchRow describes the stretch of the receivers of one variant (Figure
// 14): the latency through the tree divided by the latency of the direct path
// from the source.
type StretchRow struct {
	Variant   string
	Stretch   Distribution // over the receivers of all seeds
	Colocated int          // receivers on the source's own node: they have no ratio
	Below     float64      // share of receivers with stretch below 2
	PerSeed   []SeedValue  // the same share per seed, ascending by seed

	// Latencies, where the run recorded them: RAD is mean tree / mean direct, RMD
	// is max tree / max direct, both NaN without.
	RAD, RMD float64
	Latency  []LatencyPair
}

// A LatencyPair is the latency of one receiver, in nanoseconds, through the tree
// and over the direct path.
type LatencyPair struct{ Tree, Direct float64 }

// SummarizeStretch computes Figure 14 from samples of the kinds [KindStretch],
// [KindColocated] and [KindLatency], a row per variant.
func SummarizeStretch(stretch, colocated, latency []Sample) []StretchRow {
	variants, groups := grouped(stretch, byGroup)
	_, apart := grouped(colocated, byGroup)
	_, pairs := grouped(latency, byGroup)
	var rows []StretchRow
	for _, v := range variants {
		row := StretchRow{Variant: v, Stretch: NewDistribution(values(groups[v]), nil), Colocated: len(apart[v])}
		row.Below = row.Stretch.ShareBelow(paperStretchLimit)
		seeds, bySeeds := grouped(groups[v], bySeed)
		for _, seed := range seeds {
			d := NewDistribution(values(bySeeds[seed]), nil)
			row.PerSeed = append(row.PerSeed, SeedValue{seed, d.ShareBelow(paperStretchLimit)})
		}
		row.addLatency(pairs[v])
		rows = append(rows, row)
	}
	return rows
}

// addLatency computes RAD and RMD over the receivers that have a direct path.
func (row *StretchRow) addLatency(samples []Sample) {
	var tree, direct, maxTree, maxDirect float64
	for i := range samples {
		p := LatencyPair{samples[i].Value, float64(samples[i].ServiceNS)}
		if p.Direct <= 0 {
			continue
		}
		row.Latency = append(row.Latency, p)
		tree, direct = tree+p.Tree, direct+p.Direct
		maxTree, maxDirect = max(maxTree, p.Tree), max(maxDirect, p.Direct)
	}
	row.RAD, row.RMD = tree/direct, maxTree/maxDirect
}

const stretchTitle = "Figure 14: stretch"

func stretchSection(r *Result) Section {
	samples := r.Select(StageWAN, KindStretch)
	if len(samples) == 0 {
		return absent("stretch", stretchTitle, StageWAN, stretchFinding(""))
	}
	rows := SummarizeStretch(samples, r.Select(StageWAN, KindColocated), r.Select(StageWAN, KindLatency))
	s := Section{
		ID: "stretch", Title: stretchTitle, Stage: StageWAN,
		Text: []string{"Stretch is a receiver's latency through the tree over the latency of its direct path from the " +
			"source. Receivers on the source's own node have no such ratio; they are counted apart. RAD and RMD are the " +
			"ratios of the mean and of the maximum latencies."},
		Tables:  []Table{stretchTable(rows), stretchSeedTable(rows)},
		Figures: []Figure{stretchCDF(rows)},
	}
	if f, ok := stretchScatter(rows); ok {
		s.Figures = append(s.Figures, f)
	}
	for _, row := range rows {
		f := stretchFinding(row.Variant)
		f.Ours = percent(row.Below)
		f.Spread = NewEstimate(seedValues(row.PerSeed)).share().spread(percent)
		f.Verdict = atLeastShare(row.Below, paperStretchShare)
		s.Findings = append(s.Findings, f)
		for _, v := range row.PerSeed {
			s.Bench = append(s.Bench, BenchLine{
				"WAN/stretch/variant=" + pathPart(row.Variant), 1,
				[]BenchValue{{100 * v.Value, "%below2"}},
			})
		}
	}
	return s
}

func stretchFinding(variant string) Finding {
	what := "receivers with stretch below 2"
	if variant != "" {
		what += ", " + variant
	}
	return Finding{ID: "fig14", What: what, Source: "section 7.2", Paper: percent(paperStretchShare)}
}

func stretchTable(rows []StretchRow) Table {
	t := Table{
		Caption: "Stretch by variant",
		Columns: []Column{
			text("variant"), number("receivers"), number("on the source's node"), number("seeds"),
			number("stretch < 2"), number("p50"), number("p90"), number("p99"), number("max"), number("RAD"), number("RMD"),
		},
	}
	for _, row := range rows {
		d := row.Stretch
		t.Rows = append(t.Rows, []string{
			variantName(row.Variant), count(d.Count()), count(row.Colocated),
			count(len(row.PerSeed)), percent(row.Below), num(d.P(0.5)), num(d.P(0.9)), num(d.P(0.99)), num(d.Max()),
			num(row.RAD), num(row.RMD),
		})
	}
	return t
}

func stretchSeedTable(rows []StretchRow) Table {
	t := Table{
		Caption: "Share of receivers with stretch below 2, per seed",
		Fold:    true,
		Columns: []Column{text("variant"), number("seed"), number("stretch < 2")},
	}
	for _, row := range rows {
		for _, v := range row.PerSeed {
			t.Rows = append(t.Rows, []string{variantName(row.Variant), fmt.Sprint(v.Seed), percent(v.Value)})
		}
	}
	return t
}

func stretchCDF(rows []StretchRow) Figure {
	c := chart.Chart{
		Title: "Distribution of the stretch",
		X:     chart.Axis{Label: "stretch"},
		Y:     shareAxis("receivers"),
		Marks: []chart.Mark{{X: paperStretchLimit, Y: paperStretchShare, Name: "paper: 85 % below 2"}},
	}
	var names []string
	var dists []Distribution
	end := 3.0
	for i, row := range rows {
		c.Series = append(c.Series, chart.Series{
			Name: variantName(row.Variant), Ink: ink(i), Shape: chart.Steps,
			Dashed: i%2 == 1, Points: cdf(row.Stretch.Values(), 1),
		})
		names, dists = append(names, variantName(row.Variant)), append(dists, row.Stretch)
		end = max(end, row.Stretch.P(0.98))
	}
	c.X.Max = math.Ceil(2*end) / 2
	c.Desc = fmt.Sprintf("Share of receivers up to each stretch, per variant, cut off at %s; the circle is the paper's "+
		"85 %% below 2.", num(c.X.Max))
	table := quantileTable("Percentiles of the stretch", names, dists,
		func(d Distribution, p float64) string { return num(d.P(p)) })
	return Figure{ID: "stretch-cdf", Chart: c, Table: table}
}

// scatterPoints bounds the points per variant of the scatter plot.
const scatterPoints = 500

// stretchScatter is Figure 14(b): latency through the tree against the direct
// latency.
func stretchScatter(rows []StretchRow) (Figure, bool) {
	c := chart.Chart{
		Title: "Latency through the tree against the direct latency",
		Desc: "A point per receiver, thinned out to 500 per variant; the lines are stretch 1 and stretch 2. Points " +
			"below the lower line are receivers that the tree reaches sooner than the direct path.",
		X: chart.Axis{Label: "direct latency (ms)"},
		Y: chart.Axis{Label: "latency through the tree (ms)"},
	}
	t := Table{Caption: "Latency by variant", Columns: []Column{
		text("variant"), number("receivers"),
		number("mean tree"), number("mean direct"), number("max tree"), number("max direct"),
	}}
	var far float64
	for i, row := range rows {
		if len(row.Latency) == 0 {
			continue
		}
		s := chart.Series{Name: variantName(row.Variant), Ink: ink(i), Shape: chart.Marks}
		step := (len(row.Latency) + scatterPoints - 1) / scatterPoints
		for k := 0; k < len(row.Latency); k += step {
			s.Points = append(s.Points, chart.Point{X: row.Latency[k].Direct / 1e6, Y: row.Latency[k].Tree / 1e6})
		}
		c.Series = append(c.Series, s)
		tree, direct := latencyColumns(row.Latency)
		far = max(far, direct.Max()/1e6)
		t.Rows = append(t.Rows, []string{
			variantName(row.Variant), count(len(row.Latency)), duration(tree.Mean()),
			duration(direct.Mean()), duration(tree.Max()), duration(direct.Max()),
		})
	}
	if len(c.Series) == 0 {
		return Figure{}, false
	}
	for k, dashed := range []bool{false, true} {
		slope := float64(k + 1)
		c.Series = append(c.Series, chart.Series{
			Name: fmt.Sprintf("stretch %g", slope), Ink: chart.Muted,
			Dashed: dashed, Points: []chart.Point{{}, {X: far, Y: slope * far}},
		})
	}
	return Figure{ID: "stretch-scatter", Chart: c, Table: t}, true
}

// latencyColumns returns the distributions of the two latencies.
func latencyColumns(pairs []LatencyPair) (tree, direct Distribution) {
	a, b := make([]float64, len(pairs)), make([]float64, len(pairs))
	for i, p := range pairs {
		a[i], b[i] = p.Tree, p.Direct
	}
	return NewDistribution(a, nil), NewDistribution(b, nil)
}
