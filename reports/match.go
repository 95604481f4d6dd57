package reports

import (
	"fmt"
	"math"
	"slices"

	"i3bench/reports/chart"
)

// A MatchRow compares one figure of the two worlds.
type MatchRow struct {
	What     string
	Level    int // of the receivers; zero for figures of the whole tree
	Sim, UDP Estimate
	Compared bool // there are runs enough to tell a difference at 5 %
	Comparison
	Holm        float64 // Comparison.P, corrected for the number of figures
	MannWhitney float64 // of the raw values, not corrected
	Smallest    float64 // difference that would have been called one; zero: any
}

// SummarizeMatch compares the worlds of [StageMatch]: the depth of the tree and
// the mean level of a receiver, a value per run, and for each level the queries
// that a receiver there processed. The test proper rearranges runs: receivers of
// one run share a tree. Mann-Whitney takes each as if it stood alone.
func SummarizeMatch(depth, level []Sample) []MatchRow {
	rows := []MatchRow{newMatchRow("depth of the tree", 0, depth)}
	levels := make([]Sample, len(level))
	for i, s := range level {
		s.Value = float64(s.Level)
		levels[i] = s
	}
	rows = append(rows, newMatchRow("level of a receiver, mean", 0, levels))
	numbers, groups := grouped(level, byLevel)
	for _, n := range numbers {
		rows = append(rows, newMatchRow(fmt.Sprintf("queries per receiver, level %d", n), n, groups[n]))
	}
	correct(rows)
	return rows
}

func newMatchRow(what string, level int, samples []Sample) MatchRow {
	_, worlds := grouped(samples, byGroup)
	sim, udp := meanPerSeed(worlds[WorldSim]), meanPerSeed(worlds[WorldUDP])
	return MatchRow{
		What: what, Level: level, Sim: NewEstimate(seedValues(sim)), UDP: NewEstimate(seedValues(udp)),
		Compared: canTell(len(sim), len(udp)), Comparison: Compare(sim, udp),
		MannWhitney: MannWhitney(values(worlds[WorldSim]), values(worlds[WorldUDP])),
	}
}

// correct fills in what depends on how many figures are compared.
func correct(rows []MatchRow) {
	p := make([]float64, len(rows))
	compared := 0
	for i := range rows {
		p[i] = math.NaN()
		if rows[i].Compared {
			p[i] = rows[i].P
			compared++
		}
	}
	for i, v := range Holm(p) {
		rows[i].Holm, rows[i].Smallest = v, math.NaN()
		if rows[i].Compared {
			rows[i].Smallest = rows[i].Comparison.Smallest(significance / float64(compared))
		}
		if rows[i].Compared && slices.Max(rows[i].differences) == 0 {
			rows[i].Smallest = 0 // all runs are equal: whatever is not would stand out
		}
	}
}

func (row MatchRow) verdict() Verdict {
	switch {
	case row.Sim.Seeds == 0 || row.UDP.Seeds == 0:
		return Verdict{NotMeasured, "not measured in both worlds"}
	case !row.Compared:
		return Verdict{NotJudged, "too few runs to tell"}
	case row.Holm <= significance:
		return Verdict{Miss, "differ"}
	}
	return Verdict{Pass, "no difference found at 5 %"}
}

const matchTitle = "Simulator against real sockets"

func matchSection(r *Result) Section {
	depth, level := r.Select(StageMatch, KindDepth), r.Select(StageMatch, KindLevel)
	rows := SummarizeMatch(depth, level)
	s := Section{
		ID: "match", Title: matchTitle, Stage: StageMatch,
		Text: []string{
			"The same schedule in virtual time and on UDP sockets. The p-value is of a permutation test of the difference of " +
				"means over seeds, since the receivers of one run are not independent; it is corrected by Holm's method for the " +
				"number of figures, and differ is said at 5 %. With nine common seeds or more the worlds are swapped within " +
				"seeds, with fewer over all runs. That no difference was found does not show that there is none: the smallest " +
				"one that these runs would have shown stands beside it.",
			"Mann-Whitney's test is of the single values, of receivers for queries, with correction for ties; it takes " +
				"receivers for independent, is not corrected for its number, and decides nothing here.",
		},
		Findings: matchFindings(rows),
	}
	if len(depth)+len(level) == 0 {
		return absent(s.ID, s.Title, s.Stage, s.Findings...)
	}
	s.Tables = []Table{matchTable(rows)}
	if f, ok := matchLevels(level); ok {
		s.Figures = append(s.Figures, f)
	}
	if f, ok := matchQueries(rows); ok {
		s.Figures = append(s.Figures, f)
	}
	return s
}

// matchFindings are one for the shape of the tree and one for the queries of all
// levels: each is as bad as its worst figure.
func matchFindings(rows []MatchRow) []Finding {
	out := []Finding{
		{ID: "match", What: "depth in the simulator and on sockets", Paper: "no difference"},
		{ID: "match", What: "queries by level in the simulator and on sockets", Paper: "no difference"},
	}
	for k := range out {
		var own []MatchRow
		for _, row := range rows {
			if (row.Level > 0) == (k == 1) {
				own = append(own, row)
			}
		}
		out[k].judge(own)
	}
	return out
}

func (f *Finding) judge(rows []MatchRow) {
	f.Ours, f.Verdict = "-", Verdict{NotMeasured, "not measured"}
	var differ []string
	least, compared := math.Inf(1), 0
	for _, row := range rows {
		v := row.verdict()
		if v.State == NotJudged && f.Verdict.State == NotMeasured {
			f.Verdict = v
		}
		if v.State != Pass && v.State != Miss {
			continue
		}
		compared++
		least = min(least, row.Holm)
		if v.State == Miss {
			differ = append(differ, row.What)
		}
	}
	if compared == 0 {
		return
	}
	f.Ours, f.Spread = "smallest p "+num(least), "permutation over seeds, Holm"
	f.Verdict = Verdict{Pass, "no difference found at 5 %"}
	if len(differ) > 0 {
		f.Verdict = Verdict{Miss, fmt.Sprintf("%d of %d differ, first %s", len(differ), compared, differ[0])}
	}
}

func matchTable(rows []MatchRow) Table {
	t := Table{
		Caption: "Simulator and sockets; " + cellNote,
		Columns: []Column{
			text("figure"), number("runs"), number("simulator"), number("sockets"), number("difference"), number("p"),
			number("p, Holm"), text("arranged"), number("would have shown"), number("Mann-Whitney p"), text("verdict"),
		},
	}
	for _, row := range rows {
		arranged := map[bool]string{true: "within seeds", false: "over all runs"}[row.Paired]
		smallest := num(row.Smallest)
		if row.Smallest == 0 {
			smallest = "any"
		}
		difference := "-"
		if !math.IsNaN(row.Difference) {
			difference = num(row.Difference)
		}
		t.Rows = append(t.Rows, []string{
			row.What, fmt.Sprintf("%d + %d", row.Sim.Seeds, row.UDP.Seeds), row.Sim.cell(num), row.UDP.cell(num),
			difference, num(row.P), num(row.Holm), arranged, smallest, num(row.MannWhitney),
			row.verdict().String(),
		})
	}
	return t
}

// worldNames are the worlds in the order of their series.
var worldNames = []struct{ group, name string }{{WorldSim, "simulator"}, {WorldUDP, "sockets"}}

// matchLevels is the distribution of receivers over levels.
func matchLevels(level []Sample) (Figure, bool) {
	c := chart.Chart{
		Title: "Levels of the receivers in both worlds",
		Desc:  "Share of receivers up to each level, over all seeds, in the simulator and on sockets.",
		X:     chart.Axis{Label: "level in the tree"},
		Y:     shareAxis("receivers"),
	}
	t := Table{Caption: "Receivers by level, share of all", Columns: []Column{number("level")}}
	levels, byLevels := grouped(level, byLevel)
	_, worlds := grouped(level, byGroup)
	for _, n := range levels {
		t.Rows = append(t.Rows, []string{count(n)})
		c.X.Ticks = append(c.X.Ticks, float64(n))
	}
	for i, w := range worldNames {
		all := len(worlds[w.group])
		if all == 0 {
			continue
		}
		t.Columns = append(t.Columns, number(w.name))
		s := chart.Series{Name: w.name, Ink: ink(i), Shape: chart.Steps, Dashed: i == 1, Points: []chart.Point{{}}}
		sum := 0
		for k, n := range levels {
			_, here := grouped(byLevels[n], byGroup)
			own := len(here[w.group])
			sum += own
			s.Points = append(s.Points, chart.Point{X: float64(n), Y: float64(sum) / float64(all)})
			t.Rows[k] = append(t.Rows[k], percent(float64(own)/float64(all)))
		}
		c.Series = append(c.Series, s)
	}
	return Figure{ID: "match-levels", Chart: c, Table: t}, len(c.Series) > 0
}

// matchQueries draws the queries by level.
func matchQueries(rows []MatchRow) (Figure, bool) {
	c := chart.Chart{
		Title: "Distance queries per receiver by level in both worlds",
		Desc: "Mean over seeds with its interval, on a logarithmic axis; the worlds stand a little to the left and to the " +
			"right of their level.",
		X: chart.Axis{Label: "level in the tree"},
		Y: chart.Axis{Label: "queries per receiver", Scale: chart.Log},
	}
	t := Table{Caption: c.Title + "; " + cellNote, Columns: []Column{
		number("level"), number("simulator"), number("sockets"),
	}}
	for i, w := range worldNames {
		s := seriesLook(i, chart.Series{Name: w.name, Shape: chart.Both, Dashed: i == 1})
		for _, row := range rows {
			if e := [...]Estimate{row.Sim, row.UDP}[i]; row.Level > 0 && e.Seeds > 0 {
				s.Points = append(s.Points, chart.Point{X: float64(row.Level) + 0.06*float64(2*i-1), Y: e.Mean, Err: e.half()})
			}
		}
		if len(s.Points) > 0 {
			c.Series = append(c.Series, s)
		}
	}
	for _, row := range rows {
		if row.Level > 0 {
			t.Rows = append(t.Rows, []string{count(row.Level), row.Sim.cell(num), row.UDP.cell(num)})
			c.X.Ticks = append(c.X.Ticks, float64(row.Level))
			c.X.Max = float64(row.Level) + 0.5
		}
	}
	c.X.Min = 0.5
	return Figure{ID: "match-queries", Chart: c, Table: t}, len(c.Series) > 0
}
