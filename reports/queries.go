package reports

import (
	"fmt"

	"i3bench/reports/chart"
)

// A LevelRow is a row of Table 2(b): the distance queries that a receiver at a
// level processes while its group forms.
type LevelRow struct {
	Level     int
	PerSeed   []SeedValue // mean over the receivers of the level, ascending by seed
	Mean      float64     // of the means of the seeds
	StdDev    float64     // of the means of the seeds
	Receivers float64     // at this level, mean over the seeds that have one there
}

// SummarizeQueries computes Table 2(b) from samples of kind [KindQueries],
// ascending by level. A seed whose tree has no receiver at a level takes no part
// in that level's row.
func SummarizeQueries(samples []Sample) []LevelRow {
	levels, groups := grouped(samples, byLevel)
	var rows []LevelRow
	for _, level := range levels {
		row := LevelRow{Level: level, PerSeed: meanPerSeed(groups[level])}
		row.Mean, row.StdDev = Mean(seedValues(row.PerSeed)), StdDev(seedValues(row.PerSeed))
		row.Receivers = float64(len(groups[level])) / float64(len(row.PerSeed))
		rows = append(rows, row)
	}
	return rows
}

// fallsByLevel judges whether every level processes fewer queries than the one
// above it. Levels that process none may follow each other.
func fallsByLevel(rows []LevelRow) Verdict {
	for i := 1; i < len(rows); i++ {
		a, b := rows[i-1], rows[i]
		if b.Mean >= a.Mean && b.Mean > 0 {
			return Verdict{Miss, fmt.Sprintf("misses: level %d has %s, level %d has %s",
				a.Level, num(a.Mean), b.Level, num(b.Mean))}
		}
	}
	return Verdict{Pass, fmt.Sprintf("falls from level 1 to %d", rows[len(rows)-1].Level)}
}

const queriesTitle = "Table 2(b): distance queries by level"

func queriesSection(r *Result) Section {
	samples := r.Select(StageCluster, KindQueries)
	if len(samples) == 0 {
		return absent("queries", queriesTitle, StageCluster, queriesFindings(nil, "")...)
	}
	s := Section{
		ID: "queries", Title: queriesTitle, Stage: StageCluster,
		Text: noted("Distance queries that one receiver processes during all joins of a group of 64, by its level in "+
			"the finished tree. Every join starts at the root, so level 1 bears the most. The mean is over seeds, of each "+
			"seed's mean over the receivers of the level.", samples),
	}
	names, groups := grouped(samples, byGroup)
	for _, name := range names {
		s.addQueries(name, SummarizeQueries(groups[name]))
	}
	return s
}

// addQueries adds the figures of one group of samples.
func (s *Section) addQueries(group string, rows []LevelRow) {
	s.addOfJitter(Figure{ID: "queries-chart", Chart: queriesChart(rows), Table: queriesTable(rows, group)}, group)
	s.Findings = append(s.Findings, queriesFindings(rows, group)...)
	for _, row := range rows {
		for _, v := range row.PerSeed {
			name := fmt.Sprintf("%s/level=%d", clusterName("queries", group), row.Level)
			s.Bench = append(s.Bench, BenchLine{name, 1, []BenchValue{{v.Value, "queries/receiver"}}})
		}
	}
}

func queriesTable(rows []LevelRow, group string) Table {
	t := Table{
		Caption: ofJitter("Distance queries processed by a receiver, by its level, 64 receivers", group),
		Columns: []Column{
			number("level"), number("receivers"), number("seeds"), number("mean queries"), number("std dev"),
			number("paper (std dev)"), number("difference"),
		},
	}
	for _, row := range rows {
		paper, diff := "-", "-"
		if p, ok := findPaperLevel(row.Level); ok {
			paper, diff = p.String(), signedPercent(row.Mean/p.queries-1)
		}
		t.Rows = append(t.Rows, []string{
			count(row.Level), num(row.Receivers), count(len(row.PerSeed)), num(row.Mean),
			num(row.StdDev), paper, diff,
		})
	}
	return t
}

func findPaperLevel(level int) (paperLevel, bool) {
	for _, p := range paperLevels {
		if p.level == level {
			return p, true
		}
	}
	return paperLevel{}, false
}

func queriesFindings(rows []LevelRow, group string) []Finding {
	var out []Finding
	for _, p := range paperLevels {
		f := Finding{
			ID: "table2b", What: fmt.Sprintf("queries per receiver, level %d", p.level), Source: "section 7.1",
			Paper: plain(p.queries), Ours: "-", Verdict: Verdict{NotMeasured, "not measured"},
		}
		for _, row := range rows {
			if row.Level != p.level {
				continue
			}
			f.Ours, f.Spread = num(row.Mean), seedSpread(row.PerSeed, num)
			f.Verdict = Verdict{NotJudged, signedPercent(row.Mean/p.queries - 1)}
			if p.level == 1 {
				f.Verdict = within(row.Mean, p.queries)
			}
			f = f.inGroup(group, NewEstimate(seedValues(row.PerSeed)).cell(num))
		}
		out = append(out, f)
	}
	fall := Finding{
		ID: "table2b", What: "queries fall by level", Source: "section 7.1", Paper: "falls",
		Ours: "-", Verdict: Verdict{NotMeasured, "not measured"},
	}
	if len(rows) > 0 {
		fall.Verdict = fallsByLevel(rows)
		fall.Ours = map[State]string{Pass: "falls", Miss: "does not fall"}[fall.Verdict.State]
	}
	return append(out, fall.inGroup(group, fall.Ours))
}

func queriesChart(rows []LevelRow) chart.Chart {
	ours := chart.Series{Name: "measured, mean ± std dev", Ink: chart.Blue, Shape: chart.Both}
	paper := chart.Series{Name: "paper", Ink: chart.Text, Shape: chart.Marks, Hollow: true}
	c := chart.Chart{
		Title: "Distance queries per receiver by level",
		Desc: "The mean number of distance queries that a receiver processes, by its level, on a logarithmic axis, and " +
			"the paper's Table 2(b). A level without queries has no place on this axis and stands in the table only.",
		X: chart.Axis{Label: "level in the tree"},
		Y: chart.Axis{Label: "queries per receiver", Scale: chart.Log},
	}
	for _, p := range paperLevels {
		paper.Points = append(paper.Points, chart.Point{X: float64(p.level), Y: p.queries})
		c.X.Ticks = append(c.X.Ticks, float64(p.level))
	}
	for _, row := range rows {
		ours.Points = append(ours.Points, chart.Point{X: float64(row.Level), Y: row.Mean, Err: row.StdDev})
		if _, ok := findPaperLevel(row.Level); !ok {
			c.X.Ticks = append(c.X.Ticks, float64(row.Level))
		}
	}
	c.X.Min, c.X.Max = 0.5, c.X.Ticks[len(c.X.Ticks)-1]+0.5
	c.Series = []chart.Series{ours, paper}
	return c
}
