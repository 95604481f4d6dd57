package reports

import (
	"fmt"
	"math"

	"i3bench/loadgen/plan"
	"i3bench/reports/chart"
)

const capacityTitle = "Predicted and measured: the largest rate of joins and repairs"

// capacityBound is how far the prediction may be from what was measured.
const capacityBound = 0.25

func capacitySection(r *Result) Section {
	s := Section{ID: "capacity", Title: capacityTitle, Stage: StageCapacity}
	if len(r.Select(StageCapacity, KindWork)) == 0 {
		return absent(s.ID, s.Title, s.Stage)
	}
	c, err := SummarizeCapacity(r)
	if err != nil {
		s.Absent = "Nothing can be predicted: " + err.Error()
		return s
	}
	s.Text = []string{
		"The prediction knows nothing of load on sockets. Virtual time says how many datagrams joins and repairs make, by " +
			"the rate and by how long a datagram takes. On the processor it was measured apart what machines, the driver and " +
			"the generator need for a datagram and an operation. The group is at its limit when all receivers that may join " +
			"are busy and all processors are used up, but for the share that the objective leaves idle.",
		"Now: with the processors that a program which could use all of them got while costs were measured. All: with " +
			"those that the machine has. Then: with those that the search got in the trials that failed; so much of the " +
			"answer this one knows. All are of the same costs.",
	}
	s.Findings = c.findings()
	s.Tables = []Table{c.table(), c.costTable(), c.workTable(r)}
	s.Figures = []Figure{c.figure()}
	s.Bench = []BenchLine{{"Capacity", len(c.Self.Costs.Carry), []BenchValue{
		{c.Now.Mid, "predicted/s"}, {c.All.Mid, "predicted-all/s"}, {c.All.Datagrams, "datagrams/join"},
		{c.All.Processor * 1e6, "us/join"},
	}}}
	return s
}

func (c Capacity) findings() []Finding {
	f := Finding{
		ID: "capacity", What: "largest rate of joins, predicted without load", Paper: "within 25 % of what find measures",
		Ours: num(c.Now.Mid) + "/s", Spread: fmt.Sprintf("80 %% of draws %s to %s/s", num(c.Now.Low), num(c.Now.High)),
		Verdict: Verdict{NotJudged, "nothing was found to compare with"},
	}
	if m := c.Measured(); !math.IsNaN(m) {
		ratio := c.Now.Mid / m
		f.Verdict = Verdict{Pass, ""}
		if ratio > 1+capacityBound || ratio < 1-capacityBound {
			f.Verdict.State = Miss
		}
		f.Verdict.Text = fmt.Sprintf("%s of %s", signedPercent(ratio-1), interval(c.Lower, c.Upper))
		if !c.Confirmed {
			f.Verdict = Verdict{NotJudged, f.Verdict.Text + ", which is not confirmed"}
		}
	}
	return []Finding{f}
}

// table is what was predicted beside what was found.
func (c Capacity) table() Table {
	t := Table{
		Caption: "The largest rate of joins, with as many repairs",
		Columns: []Column{
			text("how"), number("processors"), number("joins/s"), text("80 % of draws"), number("of what was found"),
		},
	}
	row := func(name string, cores float64, s plan.Saturation) []string {
		ratio := "-"
		if m := c.Measured(); !math.IsNaN(m) {
			ratio = num(s.Mid / m)
		}
		mid := num(s.Mid)
		if s.Beyond {
			mid += " (beyond what was counted)"
		}
		return []string{name, num(cores), mid, num(s.Low) + " to " + num(s.High), ratio}
	}
	t.Rows = [][]string{
		row("predicted, now", median(c.Self.Costs.Cores), c.Now), row("predicted, all", c.Cores, c.All),
	}
	if c.ThenCores > 0 {
		t.Rows = append(t.Rows, row("predicted, then", c.ThenCores, c.Then))
	}
	found := []string{"measured by find", "-", num(c.Measured()), interval(c.Lower, c.Upper), "1"}
	switch {
	case math.IsNaN(c.Measured()):
		found[4] = "-"
	case !c.Confirmed:
		found[0] += ", not confirmed"
	}
	t.Rows = append(t.Rows, found)
	return t
}

func median(values []float64) float64 {
	return NewDistribution(append([]float64(nil), values...), nil).P(0.5)
}

// costTable is what a join and a repair need at the predicted rate.
func (c Capacity) costTable() Table {
	n, costs := c.All, c.Self.Costs
	spread := func(list []float64) string {
		d := NewDistribution(append([]float64(nil), list...), nil)
		return duration(d.P(0.5)) + " [" + duration(d.Values()[0]) + ", " + duration(d.Max()) + "]"
	}
	carry := n.Processor - n.Machine - n.Generator
	row := func(part, count string, each []float64, together float64) []string {
		return []string{part, count, spread(each), duration(together * 1e9), percent(together / n.Processor)}
	}
	return Table{
		Caption: "Processor time of a join and a repair together, at the rate predicted with all processors",
		Columns: []Column{
			text("part"), number("count"), number("each: median [range of rounds]"), number("together"), number("share"),
		},
		Rows: [][]string{
			row("driver and kernel, datagrams", num(n.Datagrams), costs.Carry, carry),
			row("machines, datagrams", num(n.Datagrams), costs.Machine, n.Machine),
			row("generator, operations", "2", costs.Generate, n.Generator),
			{"all", "-", "-", duration(n.Processor * 1e9), percent(1)},
		},
	}
}

// workTable is what was counted in virtual time.
func (c Capacity) workTable(r *Result) Table {
	t := Table{
		Caption: "Counted in virtual time", Fold: true,
		Columns: []Column{
			text("operations"), number("of each/s"), number("a datagram takes"), number("datagrams/s"), number("receivers busy"),
		},
	}
	busy := r.Select(StageCapacity, KindBusy)
	for i, s := range r.Select(StageCapacity, KindWork) {
		row := []string{s.Group, count(s.N), duration(float64(s.ServiceNS)), num(s.Value), "-"}
		if i < len(busy) {
			row[4] = num(busy[i].Value)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// figure is the chart of what is needed against the rate, with what there is.
func (c Capacity) figure() Figure {
	ch := chart.Chart{
		Title: "Processors that joins and repairs need",
		Desc: "Processors that are needed against the rate of joins with as many repairs, when all receivers of the pool " +
			"are busy; a line where they are used up, and the ends of what find has found.",
		X: chart.Axis{Label: "joins per second"}, Y: chart.Axis{Label: "processors"},
	}
	t := Table{Caption: "Processors needed", Columns: []Column{number("joins/s"), number("processors")}}
	var points []chart.Point
	for i := range 13 {
		rate := c.All.Mid * float64(i) / 10
		p := c.Self.Need(rate)
		points = append(points, chart.Point{X: rate, Y: p})
		t.Rows = append(t.Rows, []string{num(rate), num(p)})
	}
	ch.Series = []chart.Series{{Name: "needed", Ink: ink(0), Points: points}}
	ch.Marks = []chart.Mark{
		{Y: c.Cores, Name: "the machine has", Horizontal: true},
		{Y: median(c.Self.Costs.Cores), Name: "the program got", Horizontal: true},
	}
	if c.Lower > 0 {
		ch.Marks = append(ch.Marks, chart.Mark{X: c.Lower, Name: "find: met", Vertical: true})
	}
	if !math.IsInf(c.Upper, 1) {
		ch.Marks = append(ch.Marks, chart.Mark{X: c.Upper, Name: "find: failed", Vertical: true})
	}
	return Figure{ID: "capacity-need", Chart: ch, Table: t}
}
