package reports

import (
	"fmt"
	"slices"

	"i3bench/reports/chart"
)

const loadTitle = "Joins and repairs per second, and their latency"

// loadOps are the operations of the load stage, with the word for many. The first
// two are those of the main job; of the others a report speaks where there are any.
var loadOps = []struct {
	op, many string
	always   bool
}{
	{KindJoin, "joins", true},
	{KindRepair, "repairs", true},
	{KindLeave, "leaves", false},
	{KindCrash, "crashes", false},
	{KindMove, "moves", false},
	{KindPacket, "packets followed", false},
	{KindRefresh, "rounds of refreshes", false},
	{KindFlip, "flips of sets", false},
	{KindAnycast, "anycast questions", false},
	{KindRestart, "restarts of nodes", false},
}

// findOps are those of a search for the largest rate.
var findOps = loadOps[:2]

// Many returns the word for many operations of a kind of the load stage.
func Many(kind string) string {
	for _, k := range loadOps {
		if k.op == kind {
			return k.many
		}
	}
	return kind
}

func loadSection(r *Result) Section {
	var ops []LoadOp
	s := Section{ID: "load", Title: loadTitle, Stage: StageLoad}
	offered := r.Select(StageLoad, KindOffered)
	for _, k := range loadOps {
		samples := r.Select(StageLoad, k.op)
		l := SummarizeLoad(k.op, samples, offered)
		if !k.always && l.Offered == 0 {
			continue
		}
		s.Findings = append(s.Findings, loadFindings(l, k.many)...)
		if len(samples) > 0 {
			ops = append(ops, l)
			s.Bench = append(s.Bench, loadBench(l, k.many))
		}
	}
	if len(ops) == 0 {
		return absent(s.ID, s.Title, s.Stage, s.Findings...)
	}
	s.Text = []string{
		"Operations are offered on a schedule that does not wait for answers. Latency counts from the intended time of " +
			"an operation, so that a stall delays everything that was due in it; the service time counts from the actual " +
			"start. Operations that timed out or failed stay in the distribution, behind all others; ≥ marks a percentile " +
			"that falls on one of them. Percentiles are nearest rank on the raw samples.",
		"Achieved per second counts completions in a window as long as operations were offered, later by the median " +
			"latency: a backlog lowers it, the tail after the end does not.",
	}
	s.Tables = []Table{loadTable(ops), loadLatencyTable(ops)}
	if f, ok := loadSeries(ops); ok {
		s.Figures = append(s.Figures, f)
	}
	if f, ok := latencySeries(r); ok {
		s.Figures = append(s.Figures, f)
	}
	for _, l := range ops {
		s.Figures = append(s.Figures, loadPercentiles(l))
	}
	return s
}

func loadFindings(l LoadOp, many string) []Finding {
	var out []Finding
	if l.Op == KindJoin {
		f := Finding{
			ID: "joins", What: "joins per second sustained", Source: "section 7.1", Paper: paperJoinsText,
			Ours: num(l.Achieved) + "/s", Spread: "p99 " + percentile(l.Response, 0.99),
		}
		f.Verdict = Verdict{Pass, fmt.Sprintf("at least 2,000/s (offered %s/s)", num(l.Rate))}
		if l.Achieved < paperJoinsPerSecond {
			f.Verdict = Verdict{Miss, fmt.Sprintf("misses 2,000/s by %s/s (offered %s/s)",
				num(paperJoinsPerSecond-l.Achieved), num(l.Rate))}
		}
		out = append(out, f)
	}
	f := Finding{
		ID: "load", What: many + " completed", Paper: "all of what is offered",
		Ours:   count(l.Completed) + " of " + count(l.Offered),
		Spread: fmt.Sprintf("%s/s, p99 %s", num(l.Achieved), percentile(l.Response, 0.99)),
	}
	f.Verdict = Verdict{Pass, "every one"}
	if left := l.Offered - int64(l.Completed); left > 0 {
		f.Verdict = Verdict{Miss, fmt.Sprintf("misses by %s: %d timed out, %d failed, %d not sent", count(left), l.Timeouts,
			l.Errors, l.Offered-int64(l.Sent))}
	}
	out = append(out, f)
	for i := range out {
		if l.Offered == 0 {
			out[i].Ours, out[i].Spread, out[i].Verdict = "-", "", Verdict{NotMeasured, "not measured"}
		}
	}
	return out
}

func loadBench(l LoadOp, many string) BenchLine {
	return BenchLine{"Load/op=" + l.Op, l.Sent, []BenchValue{
		{l.Response.Mean(), "ns/op"},
		{l.Achieved, many + "/s"},
		{l.Rate, "offered/s"},
		{l.Response.P(0.5), "p50-ns"},
		{l.Response.P(0.99), "p99-ns"},
		{l.Response.Max(), "max-ns"},
		{l.Service.P(0.99), "p99-service-ns"},
		{float64(l.Offered - int64(l.Completed)), "incomplete"},
	}}
}

func loadTable(ops []LoadOp) Table {
	t := Table{
		Caption: "Operations offered and completed",
		Columns: []Column{
			text("operation"), number("offered"), number("completed"), number("timed out"), number("failed"),
			number("not sent"), number("seconds"), number("offered/s"), number("achieved/s"),
		},
	}
	for _, l := range ops {
		t.Rows = append(t.Rows, []string{
			l.Op, count(l.Offered), count(l.Completed), count(l.Timeouts), count(l.Errors),
			count(l.Offered - int64(l.Sent)), num(l.Window), num(l.Rate), num(l.Achieved),
		})
	}
	return t
}

func loadLatencyTable(ops []LoadOp) Table {
	t := Table{
		Caption: "Latency",
		Columns: []Column{
			text("operation"), text("counted from"), number("mean"), number("p50"), number("p90"),
			number("p99"), number("p99.9"), number("max"),
		},
	}
	for _, l := range ops {
		for i, d := range []Distribution{l.Response, l.Service} {
			row := []string{l.Op, [...]string{"intended time", "actual start"}[i], duration(d.Mean())}
			for _, p := range []float64{0.5, 0.9, 0.99, 0.999, 1} {
				row = append(row, percentile(d, p))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// loadSeries is the chart of offered and completed operations over time.
func loadSeries(ops []LoadOp) (Figure, bool) {
	c := chart.Chart{
		Title: "Offered and completed operations over time",
		Desc: "Operations offered (dashed) and completed (solid) in each second of the load stage, by kind. " +
			"Completed below offered for long is a backlog.",
		X: chart.Axis{Label: "time since the begin of the stage (s)"},
		Y: chart.Axis{Label: "operations per second"},
	}
	t := Table{Caption: "Operations per second", Columns: []Column{
		text("operation"), number("second"),
		number("offered/s"), number("completed/s"),
	}}
	for i, l := range ops {
		offered := chart.Series{Name: l.Op + " offered", Ink: ink(i), Shape: chart.Steps, Dashed: true}
		done := chart.Series{Name: l.Op + " completed", Ink: ink(i), Shape: chart.Both}
		for _, s := range thin(l.Seconds) {
			offered.Points = append(offered.Points, chart.Point{X: float64(s.Second), Y: float64(s.Offered)})
			done.Points = append(done.Points, chart.Point{X: float64(s.Second), Y: float64(s.Completed)})
			t.Rows = append(t.Rows, []string{l.Op, count(s.Second), count(s.Offered), count(s.Completed)})
		}
		if len(done.Points) > 40 {
			done.Shape = chart.Line
		}
		if len(offered.Points) > 0 {
			c.Series = append(c.Series, offered, done)
		}
	}
	return Figure{ID: "load-series", Chart: c, Table: t}, len(c.Series) > 0
}

// loadPercentiles is the percentile curve of one operation.
func loadPercentiles(l LoadOp) Figure {
	c := chart.Chart{
		Title: "Latency of a " + l.Op + " by percentile",
		Desc: "Latency at each percentile, from the intended time and from the actual start, on an axis on which each " +
			"further nine takes the same room. The distance of the curves is what waiting for the generator added.",
		X: chart.Axis{Label: "percentile", Scale: chart.Nines, Format: nines},
		Y: chart.Axis{Label: "latency (ms)", Scale: chart.Log, Format: millis},
	}
	names := []string{"from the intended time", "from the actual start"}
	dists := []Distribution{l.Response, l.Service}
	for i, d := range dists {
		c.Series = append(c.Series, chart.Series{
			Name: names[i], Ink: ink(i), Dashed: i == 1,
			Points: percentileCurve(positive(d.Values()), 1e6),
		})
	}
	return Figure{
		ID: "load-" + l.Op + "-percentiles", Chart: c,
		Table: quantileTable("Latency of a "+l.Op+" by percentile", names, slices.Clone(dists), percentile),
	}
}
