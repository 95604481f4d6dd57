package reports

import (
	"math"
)

// A Counter is a named number that a stage counted, summed over its samples.
type Counter struct {
	Stage, Name string
	Value       float64
	Samples     int // parts of the sum, such as one per seed
}

// SummarizeCounters sums samples of kind [KindCount] by stage and name, in that
// order.
func SummarizeCounters(samples []Sample) []Counter {
	stages, groups := grouped(samples, func(s *Sample) string { return s.Stage })
	var out []Counter
	for _, stage := range stages {
		names, parts := grouped(groups[stage], byGroup)
		for _, name := range names {
			c := Counter{Stage: stage, Name: name, Samples: len(parts[name])}
			for _, s := range parts[name] {
				c.Value += s.Value
			}
			out = append(out, c)
		}
	}
	return out
}

// maxCounters bounds the rows of the table.
const maxCounters = 500

func countersSection(r *Result) Section {
	const title = "Counters"
	samples := r.anyStage(KindCount)
	if len(samples) == 0 {
		return absent("counters", title, "")
	}
	t := Table{
		Caption: "Counters by stage",
		Columns: []Column{text("stage"), text("counter"), number("sum"), number("parts")},
	}
	counters := SummarizeCounters(samples)
	s := Section{ID: "counters", Title: title, Text: []string{"Sums over all parts of a stage, such as its seeds."}}
	if len(counters) > maxCounters {
		s.Text = append(s.Text, "Only the first 500 counters are shown; all stand in "+SamplesFile+".")
		counters = counters[:maxCounters]
	}
	for _, c := range counters {
		t.Rows = append(t.Rows, []string{c.Stage, c.Name, counterValue(c.Value), count(c.Samples)})
	}
	s.Tables = []Table{t}
	return s
}

// counterValue writes whole numbers in full.
func counterValue(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return count(int64(v))
	}
	return num(v)
}
