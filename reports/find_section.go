package reports

import (
	"math"
	"strings"

	"i3bench/loadgen/find"
	"i3bench/reports/chart"
)

const findTitle = "The largest rate that meets the objectives"

func findSection(r *Result) Section {
	s := Section{ID: "find", Title: findTitle, Stage: StageFind}
	if len(r.Select(StageFind, KindObjective)) == 0 || len(r.Select(StageFind, KindTrial)) == 0 {
		return absent(s.ID, s.Title, s.Stage)
	}
	f, err := r.search()
	if err != nil {
		s.Absent = "The search cannot be followed: " + err.Error()
		return s
	}
	s.Findings = f.findings()
	s.Text = []string{
		"The rate is that of joins. Each trial offers load on a schedule that does not wait for answers, and latency " +
			"counts from the intended time; medians are shown where a rate had several trials.",
		"What is looked for is the rate at which half of the trials of full length meet an objective. The lower end of an " +
			"interval was met, and the upper was not, by so many of the trials there. Both are right with the confidence that " +
			"is given, if a trial does not depend on those before and a higher rate is met no more often than a lower one.",
		"A trial is INVALID, and counts neither for nor against a rate, if the generator was late by more than " +
			duration(f.lateLimit) + " in the 99th percentile or did not start more than 0.1 % of the operations.",
	}
	points := f.curve()
	s.Tables = []Table{f.answerTable(), f.trialTable()}
	if len(points) > 0 {
		s.Figures = []Figure{f.latencyCurve(points), f.achievedCurve(points)}
	}
	if rows := r.health(StageFind).rows(f.lateLimit, true); len(rows) > 0 {
		s.Text, s.Tables = append(s.Text, healthText), append(s.Tables, checkTable(rows))
	}
	s.Bench = f.bench()
	return s
}

// bench returns a line for each answer that has both ends.
func (f *found) bench() (out []BenchLine) {
	for i, a := range append([]find.Answer{f.result.All}, f.result.Answers...) {
		name := "Find/objective=all"
		if i > 0 {
			name = "Find/objective=" + f.objectives[i-1].Op + "-" + pathPart(f.objectives[i-1].Measure)
		}
		if !math.IsInf(a.Upper, 1) && a.Lower > 0 {
			out = append(out, BenchLine{name, len(f.trials), []BenchValue{{a.Lower, "lower/s"}, {a.Upper, "upper/s"}}})
		}
	}
	return out
}

// findings are the answers: that for all objectives, and each.
func (f *found) findings() (out []Finding) {
	r := f.result
	out = append(out, Finding{
		ID: "find", What: "largest rate of joins that meets all objectives", Paper: "-",
		Ours:   interval(r.All.Lower, r.All.Upper),
		Spread: "confidence " + percent(r.All.Confidence), Verdict: foundVerdict(r.All.State, r.All.Against),
	})
	for _, a := range r.Answers {
		v := foundVerdict(a.State, a.Against)
		if a.State == find.Open || a.State == find.Limited {
			v.State = NotJudged // those of all come first, and each by itself as far as the budget goes
		}
		out = append(out, Finding{
			ID: "find", What: "largest rate of joins with " + a.Name, Paper: a.Name, Ours: interval(a.Lower, a.Upper),
			Spread: "confidence " + percent(a.Confidence), Verdict: v,
		})
	}
	return out
}

// rateOrNone writes an end of an interval.
func rateOrNone(rate float64) string {
	if rate == 0 || math.IsInf(rate, 1) {
		return "none"
	}
	return num(rate)
}

func (f *found) answerTable() Table {
	t := Table{
		Caption: "Largest rates of joins, by objective",
		Columns: []Column{
			text("objective"), number("met at/s"), number("trials met"), number("failed at/s"), number("trials failed"),
			number("confidence"), text("verdict"),
		},
	}
	r := f.result
	all := r.All
	all.Name = "all"
	for _, a := range append([]find.Answer{all}, r.Answers...) {
		t.Rows = append(t.Rows, []string{
			a.Name, rateOrNone(a.Lower), share(a.LowerMet, a.LowerTrials), rateOrNone(a.Upper),
			share(a.UpperFailed, a.UpperTrials), percent(a.Confidence), FoundText(a.State, a.Against),
		})
	}
	return t
}

func (f *found) trialTable() Table {
	t := Table{Caption: "Trials", Columns: []Column{
		text("trial"), text("for"), number("joins/s"), number("seconds"), number("took"),
	}}
	for _, k := range findOps {
		t.Columns = append(t.Columns, number(k.op+"s achieved/s"), number("p50"), number("p99"))
	}
	for _, o := range f.objectives {
		if !o.shown() {
			t.Columns = append(t.Columns, number(o.Op+" "+o.Measure))
		}
	}
	t.Columns = append(t.Columns, number("late p99"), text("system"), text("verdict"))
	for _, trial := range f.trials {
		t.Rows = append(t.Rows, f.trialRow(trial))
	}
	return t
}

// shown reports whether the table of trials shows the measure anyhow.
func (o Objective) shown() bool { return o.Measure == "p50" || o.Measure == "p99" }

// trialRow is a trial in the table: what it measured, what the objectives are
// about, and what that says.
func (f *found) trialRow(trial Trial) []string {
	row := []string{count(trial.Number + 1), trial.Purpose, num(trial.Rate), num(trial.Seconds), num(trial.Took)}
	for _, k := range findOps {
		l, ok := trial.Op(k.op)
		if !ok {
			row = append(row, "-", "-", "-")
			continue
		}
		row = append(row, num(l.Achieved), percentile(l.Response, 0.5), percentile(l.Response, 0.99))
	}
	var failed []string
	for i, o := range f.objectives {
		v := trial.Value(o)
		if !o.shown() {
			row = append(row, o.write(v))
		}
		if !f.result.Answers[i].Met(v) {
			failed = append(failed, o.Op+"."+o.Measure)
		}
	}
	verdict := "met"
	if len(failed) > 0 {
		verdict = "fails " + strings.Join(failed, ", ")
	}
	if why := trial.Invalid(f.lateLimit); why != "" {
		verdict = "INVALID: " + why
	}
	return append(row, duration(trial.Lateness.P(0.99)), trial.System, verdict)
}

// curveTable lists the points of the curves.
func curveTable(caption string, points []ratePoint) Table {
	t := Table{Caption: caption, Columns: []Column{text("joins/s"), number("trials")}}
	for _, k := range findOps {
		for _, figure := range loadFigures {
			t.Columns = append(t.Columns, number(k.op+" "+figure.name))
		}
	}
	for _, p := range points {
		row := []string{num(p.rate), count(p.trials)}
		for _, k := range findOps {
			for _, figure := range loadFigures {
				v, ok := p.values[k.op+" "+figure.name]
				switch {
				case !ok:
					row = append(row, "-")
				case figure.name == "achieved":
					row = append(row, num(v)+"/s")
				default:
					row = append(row, duration(v))
				}
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// series returns a figure of an operation against the rate, in a unit.
func series(points []ratePoint, name string, unit float64) (out []chart.Point) {
	for _, p := range points {
		if v, ok := p.values[name]; ok && v > 0 {
			out = append(out, chart.Point{X: p.rate, Y: v / unit})
		}
	}
	return out
}

// latencyCurve is the chart of latency against load.
func (f *found) latencyCurve(points []ratePoint) Figure {
	c := chart.Chart{
		Title: "Latency against load",
		Desc: "Median and 99th percentile of the latency of joins and repairs, from the intended time, against the rate of " +
			"joins offered, with the limits of the objectives and the ends of the interval for all of them.",
		X: chart.Axis{Label: "joins offered per second", Scale: chart.Log},
		Y: chart.Axis{Label: "latency (ms)", Scale: chart.Log},
	}
	for i, k := range findOps {
		for _, p := range []string{"p50", "p99"} {
			if list := series(points, k.op+" "+p, 1e6); len(list) > 0 {
				c.Series = append(c.Series, chart.Series{
					Name: k.op + " " + p, Ink: ink(i), Shape: chart.Both, Dashed: p == "p50", Points: list,
				})
			}
		}
	}
	for _, o := range f.objectives {
		if o.Latency() {
			c.Marks = append(c.Marks, chart.Mark{Y: o.Limit / 1e6, Name: o.Text, Horizontal: true})
		}
	}
	return Figure{ID: "find-latency", Chart: f.withEnds(c), Table: curveTable("Latency against load", points)}
}

// withEnds marks the ends of the interval for all objectives.
func (f *found) withEnds(c chart.Chart) chart.Chart {
	if lower := f.result.All.Lower; lower > 0 {
		c.Marks = append(c.Marks, chart.Mark{X: lower, Name: "all met", Vertical: true})
	}
	if upper := f.result.All.Upper; !math.IsInf(upper, 1) {
		c.Marks = append(c.Marks, chart.Mark{X: upper, Name: "not all", Vertical: true})
	}
	return c
}

// achievedCurve is the chart of what was achieved against what was offered.
func (f *found) achievedCurve(points []ratePoint) Figure {
	c := chart.Chart{
		Title: "Achieved against offered load",
		Desc: "Joins and repairs completed per second against the rate of joins offered. Where the curve bends, a backlog " +
			"grows.",
		X: chart.Axis{Label: "joins offered per second", Scale: chart.Log},
		Y: chart.Axis{Label: "completed per second", Scale: chart.Log},
	}
	for i, k := range findOps {
		if list := series(points, k.op+" achieved", 1); len(list) > 0 {
			c.Series = append(c.Series, chart.Series{Name: k.many, Ink: ink(i), Shape: chart.Both, Points: list})
		}
	}
	return Figure{ID: "find-achieved", Chart: f.withEnds(c), Table: curveTable("Achieved against offered load", points)}
}
