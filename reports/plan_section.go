package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"i3bench/loadgen/plan"
	"i3bench/reports/chart"
)

// planSections are the sections of the page of a plan.
func planSections(a plan.Answer) []Section {
	return []Section{
		{
			ID: "answer", Title: "Answer", Text: planLines(a), Tables: []Table{planNodes(a), planBinding(a)},
			Figures: []Figure{planCurve(a)},
		},
		{ID: "why", Title: "What it depends on", Text: planWhy(a), Tables: []Table{planSensitivities(a), planInputs(a)}},
		{ID: "validity", Title: "How far it is good", Text: planValidity(a)},
		{ID: "others", Title: "Alternatives, and twice the demand", Tables: []Table{planAlternatives(a), planDoubled(a)}},
		{ID: "narrow", Title: "What would make it narrower", Text: planNarrowText(a), Tables: []Table{planNarrow(a)}},
	}
}

// planQuestion says in words what was asked.
func planQuestion(a plan.Answer) string {
	d, n := a.Demand, a.Node
	return fmt.Sprintf("%s receivers of one source, %s packets/s of %s bytes, %s of them coming and going in an hour, ",
		num(d.Receivers), num(d.Packets), num(d.Bytes), percent(d.Churn)) +
		fmt.Sprintf("%s lost on each hop; tree of %s with D = %d. ", lossText(d.Loss), d.Variant, d.Degree) +
		fmt.Sprintf("A node has %s cores (each %s times as fast as the one that was measured), a NIC of %s Gbit/s and "+
			"%s million packets/s each way, and %s of memory.", num(n.Cores), num(a.Policy.Speed), num(n.Bits/1e9),
			num(n.Packets/1e6), bytesText(n.Memory))
}

func lossText(p float64) string {
	if p == 0 {
		return "nothing"
	}
	return num(100*p) + " %"
}

// planPolicy says in words what is kept free.
func planPolicy(a plan.Answer) string {
	p := a.Policy
	text := fmt.Sprintf("Kept free: %s to %s of the processors, %s to %s of the NIC, %s of the memory; %s more nodes "+
		"than are needed, one at least.", percent(1-p.Processor[2]), percent(1-p.Processor[0]), percent(1-p.NIC[2]),
		percent(1-p.NIC[0]), percent(1-p.Memory), percent(p.Spare))
	if a.Demand.Limit > 0 {
		text += fmt.Sprintf(" The wait in all nodes on the way to a receiver stays below %s (p99) with up to %s of the "+
			"processors; the smaller of both shares counts.", duration(a.Demand.Limit*1e9), percent(a.Allowed))
	}
	return text
}

// planLines are the answer in sentences.
func planLines(a plan.Answer) []string {
	n, first, next := a.Nodes, a.Binding[0], a.Binding[1]
	return []string{
		planQuestion(a),
		fmt.Sprintf("%s nodes (80 %% of draws: %s to %s). Have %s for 90 %%, %s for 99 %%. ",
			num(n.P50), num(n.P10), num(n.P90), num(n.P90), num(n.P99)) +
			fmt.Sprintf("What decides: %s, in %s of draws; next: %s, of which %s is used.", first.Resource,
				percent(first.Decides), next.Resource, percent(next.Used)),
		planPolicy(a),
	}
}

// planWhy says what the load is made of.
func planWhy(a plan.Answer) []string {
	return []string{
		fmt.Sprintf("Beside the copies of data, nodes have %s as many packets of refreshes, %s of repairs and %s of joins.",
			percent(a.Refresh), percent(a.Repair), percent(a.Churn)),
		fmt.Sprintf("%s draws, seed %d. The rank correlation says how much of the answer an input decides: 1 all, 0 nothing.",
			count(a.Draws), a.Seed),
	}
}

func planNodes(a plan.Answer) Table {
	return Table{
		Caption: "Nodes", Columns: []Column{number("10 %"), number("50 %"), number("90 %"), number("99 %")},
		Rows: [][]string{nodeCells(a.Nodes)},
	}
}

func nodeCells(n plan.Nodes) []string {
	return []string{num(n.P10), num(n.P50), num(n.P90), num(n.P99)}
}

func planBinding(a plan.Answer) Table {
	t := Table{Caption: "Resources of a node", Columns: []Column{
		text("resource"), number("decides in draws"), number("used of what may be, with the median of nodes"),
	}}
	for _, b := range a.Binding {
		t.Rows = append(t.Rows, []string{b.Resource, percent(b.Decides), percent(b.Used)})
	}
	return t
}

func planSensitivities(a plan.Answer) Table {
	t := Table{Caption: "Sensitivity", Columns: []Column{text("input"), number("rank correlation with the nodes")}}
	for _, s := range a.Sensitivities {
		t.Rows = append(t.Rows, []string{s.Input, fmt.Sprintf("%+.2f", s.Rank)})
	}
	return t
}

func planInputs(a plan.Answer) Table {
	t := Table{Caption: "Inputs", Columns: []Column{
		text("input"), text("what"), text("source"), number("10 %"), number("50 %"), number("90 %"), text("unit"),
		number("beyond simulated"),
	}}
	for _, in := range a.Inputs {
		beyond := "-"
		if in.Beyond > 1 {
			beyond = num(in.Beyond) + "x"
		}
		t.Rows = append(t.Rows, []string{
			in.Name, in.What, string(in.Source), num(in.P10), num(in.P50), num(in.P90), in.Unit, beyond,
		})
	}
	return t
}

// planValidity says how far the answer is good, and where its figures are from.
func planValidity(a plan.Answer) []string {
	out := slices.Clone(a.Validity)
	for _, o := range []struct {
		kind string
		plan.Origin
	}{{"Calibrated", a.Calibrated}, {"Simulated", a.Simulated}} {
		from := "figures of the results that were named"
		if o.Default {
			from = "figures that came with the program"
		}
		out = append(out, fmt.Sprintf("%s: %s, of %s, on %s, commit %.12s, by: %s.", o.kind, from, o.Date, o.Machine,
			o.Commit, o.Command))
	}
	return out
}

func planAlternatives(a plan.Answer) Table {
	t := Table{Caption: "Alternatives", Columns: []Column{
		text("instead"), number("10 %"), number("50 %"), number("90 %"), number("99 %"), text("decides"),
	}}
	for _, x := range a.Alternatives {
		t.Rows = append(t.Rows, append(append([]string{x.What}, nodeCells(x.Nodes)...), x.Binding))
	}
	return t
}

func planDoubled(a plan.Answer) Table {
	t := Table{
		Caption: fmt.Sprintf("Twice the demand on %s nodes", num(a.Nodes.P90)),
		Columns: []Column{
			text("twice the"), text("breaks first"), number("used of what may be"), number("nodes for it, 50 %"), number("90 %"),
		},
	}
	for _, d := range a.Doubled {
		breaks := d.Breaks
		if breaks == "" {
			breaks = "nothing"
		}
		t.Rows = append(t.Rows, []string{d.What, breaks, percent(d.Used), num(d.Nodes.P50), num(d.Nodes.P90)})
	}
	return t
}

func planNarrowText(a plan.Answer) []string {
	if len(a.Narrow) == 0 {
		return []string{"The answer is the same in nearly all draws: no experiment would make it narrower."}
	}
	n := a.Narrow[0]
	return []string{fmt.Sprintf("Cheapest: %s (about %s) would at best leave %s to %s of %s to %s nodes.", n.Command,
		duration(n.Seconds*1e9), num(n.Nodes.P10), num(n.Nodes.P90), num(a.Nodes.P10), num(a.Nodes.P90))}
}

func planNarrow(a plan.Answer) Table {
	t := Table{Caption: "Experiments, by what they take off the interval for their time, at best", Columns: []Column{
		text("experiment"), text("input"), number("takes"), number("10 %"), number("90 %"), number("of the interval goes"),
	}}
	for _, n := range a.Narrow {
		t.Rows = append(t.Rows, []string{
			n.Command, n.Input, duration(n.Seconds * 1e9), num(n.Nodes.P10), num(n.Nodes.P90), percent(n.Gain),
		})
	}
	return t
}

// planCurve is the chart of the nodes that are needed.
func planCurve(a plan.Answer) Figure {
	n := a.Nodes
	points := []chart.Point{{X: n.P10, Y: 0.1}, {X: n.P50, Y: 0.5}, {X: n.P90, Y: 0.9}, {X: n.P99, Y: 0.99}}
	c := chart.Chart{
		Title: "Nodes that are enough",
		Desc:  "Share of the draws in which a number of nodes is enough.",
		X:     chart.Axis{Label: "nodes", Min: math.Floor(n.P10 * 0.95), Max: math.Ceil(n.P99*1.05) + 1},
		Y:     chart.Axis{Label: "share of draws", Min: 0, Max: 1},
		Series: []chart.Series{{
			Name: "enough", Ink: ink(0), Shape: chart.Both, Points: points,
		}},
	}
	t := Table{Caption: "Nodes that are enough", Columns: []Column{number("nodes"), number("share of draws")}}
	for _, p := range points {
		t.Rows = append(t.Rows, []string{num(p.X), percent(p.Y)})
	}
	return Figure{ID: "plan-nodes", Chart: c, Table: t}
}

// PlanText writes the answer for a terminal.
func PlanText(a plan.Answer) string {
	var b strings.Builder
	for _, s := range planSections(a) {
		b.WriteString("\n" + s.Title + "\n" + strings.Repeat("=", len(s.Title)) + "\n")
		for _, line := range s.Text {
			wrap(&b, "", line)
		}
		for _, t := range s.Tables {
			if len(t.Rows) > 0 {
				t.WriteText(&b, maxTextRows)
			}
		}
	}
	return b.String()[1:]
}
