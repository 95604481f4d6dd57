package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"i3bench/internal/deliverylines"
	"i3bench/reports/chart"
)

const copiesTitle = "Copies delivered for a second of the sender's processor time"

const copiesNote = "Packets reach a sender, or are made by it, and go to receivers on loopback; none may be lost. " +
	"The sender is a process of its own, whose processor time in user and system is what counts. → GRO means that " +
	"receivers take whole trains of datagrams from the kernel, as those of ours do; others get a datagram a message. " +
	"Figures are medians of the rounds."

func copiesSection(r *Result) Section {
	own := newCopiesRun(deliverylines.Delivered, false, r.Select(StageCopies, KindCopies))
	other := newCopiesRun(deliverylines.Delivered, true, r.Select(StageCopies, KindCopiesElsewhere))
	s := Section{ID: "copies", Title: copiesTitle, Stage: StageCopies}
	v := copiesView{runs: []copiesRun{own, other}}
	sizes := v.sizes()
	if len(sizes) == 0 {
		f := Finding{ID: "copies", What: "copies delivered", Paper: "-"}
		return absent(s.ID, s.Title, s.Stage, f)
	}
	s.Bench = copiesBench(r.Select(StageCopies, KindCopies))
	s.Text = []string{copiesNote}
	if len(other.who) > 0 {
		s.Text = append(s.Text, "What is marked as of another run was read from a file, and compared with that run's node.")
	}
	for _, size := range sizes {
		v.size = size
		s.Findings = append(s.Findings, v.finding())
		s.Tables = append(s.Tables, v.rates())
		if f := v.figure(); len(f.Chart.Series) > 0 {
			s.Figures = append(s.Figures, f)
		}
	}
	return s
}

// A copiesView is what was measured with payloads of one size.
type copiesView struct {
	runs []copiesRun
	size int
}

func (v copiesView) sizes() (out []int) {
	for _, run := range v.runs {
		out = append(out, run.results.Sizes(run.kind)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fans returns the numbers of receivers of all sizes.
func (v copiesView) fans() (out []int64) {
	for _, run := range v.runs {
		for _, fan := range run.results.Fans(run.kind) {
			out = append(out, int64(fan))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// each calls f for everybody who was measured with payloads of this size. Of another run these are whom we have not
// measured ourselves, and whom they are compared with.
func (v copiesView) each(f func(run copiesRun, who string)) {
	seen := make(map[string]bool)
	for _, run := range v.runs {
		for _, who := range run.who {
			if v.measured(run, who) && (!seen[who] || who == ourCopies) {
				seen[who] = true
				f(run, who)
			}
		}
	}
}

// measured reports whether a run has any figure of one with payloads of this size.
func (v copiesView) measured(run copiesRun, who string) bool {
	return slices.ContainsFunc(v.fans(), func(fan int64) bool { return run.of(who, int(fan), v.size).Measured() })
}

// finding is ours with the most receivers. Nothing judges it: it is of one machine.
func (v copiesView) finding() Finding {
	f := Finding{
		ID: "copies", What: fmt.Sprintf("copies of %d B a CPU second", v.size), Paper: "-", Ours: "-",
		Verdict: Verdict{NotMeasured, "not measured"},
	}
	for _, fan := range slices.Backward(v.fans()) {
		for _, run := range v.runs {
			ours := run.of(ourCopies, int(fan), v.size)
			if !ours.Measured() {
				continue
			}
			f.What += fmt.Sprintf(", %s receivers", count(fan))
			if run.elsewhere {
				f.What += ", other run"
			}
			f.Ours = millions(ours.Median)
			f.Spread = fmt.Sprintf("%s to %s over rounds", millions(ours.Low), millions(ours.High))
			f.Verdict = Verdict{NotJudged, v.ratios(int(fan))}
			return f
		}
	}
	return f
}

// ratios says how far ours is ahead of those who are not ours.
func (v copiesView) ratios(fan int) string {
	var out []string
	v.each(func(run copiesRun, who string) {
		ratio := run.ahead(ourCopies, who, fan, v.size)
		if ratio.Measured() && !strings.HasPrefix(who, "node") {
			out = append(out, fmt.Sprintf("%s times %s", num(ratio.Median), copiesName(who, run.elsewhere)))
		}
	})
	if len(out) == 0 {
		return "nothing to compare it with"
	}
	return strings.Join(out, ", ")
}

// millions writes a rate.
func millions(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return num(v/1e6) + " M"
}

// rates is the table of what was delivered.
func (v copiesView) rates() Table {
	t := Table{
		Caption: fmt.Sprintf("Million copies of %d B a second of processor time: median (lowest to highest round)", v.size),
		Columns: []Column{text("sender")},
	}
	fans := v.fans()
	for _, fan := range fans {
		t.Columns = append(t.Columns, number(receivers(fan)))
	}
	v.each(func(run copiesRun, who string) {
		row := []string{copiesName(who, run.elsewhere)}
		for _, fan := range fans {
			row = append(row, rateCell(run.of(who, int(fan), v.size)))
		}
		t.Rows = append(t.Rows, row)
	})
	return t
}

func rateCell(s deliverylines.Spread) string {
	if !s.Measured() {
		return "-"
	}
	return fmt.Sprintf("%s (%s–%s)", num(s.Median/1e6), num(s.Low/1e6), num(s.High/1e6))
}

// figure shows how many times as much as another our node delivers.
func (v copiesView) figure() Figure {
	c := chart.Chart{
		Title: fmt.Sprintf("Times as many copies of %d B as others", v.size),
		Desc: "How many times as many copies our node delivers for a second of processor time to receivers that take " +
			"trains, against the number of receivers. Both axes are logarithmic. Dashed lines are of another run.",
		X: fanAxis(v.fans(), "receivers"), Y: chart.Axis{Label: "node → GRO / sender, logarithmic", Scale: chart.Log},
	}
	t := Table{Caption: c.Title, Columns: []Column{text("node → GRO / sender")}}
	fans := v.fans()
	for _, fan := range fans {
		t.Columns = append(t.Columns, number(receivers(fan)))
	}
	v.each(func(run copiesRun, who string) {
		name := copiesName(who, run.elsewhere)
		s := seriesLook(len(c.Series), chart.Series{Name: name, Shape: chart.Both, Dashed: run.elsewhere})
		row := []string{name}
		for _, fan := range fans {
			ratio := run.ahead(ourCopies, who, int(fan), v.size)
			row = append(row, num(ratio.Median))
			if ratio.Measured() {
				s.Points = append(s.Points, chart.Point{X: float64(fan), Y: ratio.Median})
			}
		}
		if who == ourCopies || len(s.Points) == 0 {
			return
		}
		c.Series, t.Rows = append(c.Series, s), append(t.Rows, row)
	})
	return Figure{ID: fmt.Sprintf("copies-%d", v.size), Chart: c, Table: t}
}

// copiesBench gives a line per round, under the names of the cluster's benchmark.
func copiesBench(own []Sample) (out []BenchLine) {
	for _, s := range own {
		row := deliverylines.Row{Who: s.Group, Fan: int(s.N), Size: s.Level}
		copies := max(int(math.Round(s.Value*float64(s.ServiceNS)/1e9)), 1)
		out = append(out, BenchLine{row.Name(), copies, []BenchValue{{s.Value, "deliveries/cpu-s"}}})
	}
	return out
}
