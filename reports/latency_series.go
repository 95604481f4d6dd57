package reports

import (
	"math"
	"slices"

	"i3bench/reports/chart"
)

// A latencyBin is what became of the operations that were intended in a span of time.
type latencyBin struct {
	second   int64 // begin of the span
	p50, p99 float64
	worst    float64
	n        int
}

// latencyBins returns the latencies of operations by the time they were intended for,
// in spans of equal length of which there are at most maxSeconds.
func latencyBins(ops []Sample) (out []latencyBin) {
	if len(ops) == 0 {
		return nil
	}
	last := int64(0)
	for i := range ops {
		last = max(last, ops[i].StartNS/1e9)
	}
	width := last/maxSeconds + 1
	bins := make([][]float64, last/width+1)
	for i := range ops {
		n := ops[i].StartNS / 1e9 / width
		bins[n] = append(bins[n], ops[i].Value)
	}
	for n, list := range bins {
		if len(list) == 0 {
			continue
		}
		slices.Sort(list)
		out = append(out, latencyBin{
			int64(n) * width, Percentile(list, 0.5), Percentile(list, 0.99), list[len(list)-1], len(list),
		})
	}
	return out
}

// millis writes a tick of an axis in milliseconds.
func millis(v float64) string {
	if v < 1 {
		return plain(v)
	}
	return count(int64(math.Round(v)))
}

// latencySeries is the chart of latency over time, with the hiccups of the platform
// below it: a stall that both show is not the system's.
func latencySeries(r *Result) (Figure, bool) {
	c := chart.Chart{
		Title: "Latency over time",
		Desc: "Median (dashed) and 99th percentile (solid) of the latency from the intended time, by the second in which " +
			"operations were intended, and how late the latest sleep of a millisecond ended on the same machine. A rise " +
			"that the platform shows, too, is not the system's.",
		X: chart.Axis{Label: "intended time since the begin of the stage (s)"},
		Y: chart.Axis{Label: "latency (ms)", Scale: chart.Log, Format: millis},
	}
	t := Table{Caption: "Latency over time, from the intended time", Columns: []Column{
		text("what"), number("second"), number("number"), number("p50"), number("p99"), number("max"),
	}}
	for i, k := range findOps {
		median := chart.Series{Name: k.op + " p50", Ink: ink(i), Shape: chart.Line, Dashed: true}
		tail := chart.Series{Name: k.op + " p99", Ink: ink(i), Shape: chart.Line}
		for _, b := range latencyBins(r.Select(StageLoad, k.op)) {
			if b.p50 > 0 {
				median.Points = append(median.Points, chart.Point{X: float64(b.second), Y: b.p50 / 1e6})
				tail.Points = append(tail.Points, chart.Point{X: float64(b.second), Y: b.p99 / 1e6})
			}
			t.Rows = append(t.Rows, []string{
				k.op, count(b.second), count(b.n), duration(b.p50), duration(b.p99), duration(b.worst),
			})
		}
		if len(tail.Points) > 1 {
			c.Series = append(c.Series, median, tail)
		}
	}
	if len(c.Series) == 0 {
		return Figure{}, false
	}
	hiccups := chart.Series{Name: "platform, longest hiccup", Ink: ink(2), Shape: chart.Line}
	for _, b := range latencyBins(r.Select(StageLoad, KindHiccup)) {
		if b.worst > 0 {
			hiccups.Points = append(hiccups.Points, chart.Point{X: float64(b.second), Y: b.worst / 1e6})
		}
		t.Rows = append(t.Rows, []string{
			"longest hiccup", count(b.second), count(b.n), "", "", duration(b.worst),
		})
	}
	if len(hiccups.Points) > 1 {
		c.Series = append(c.Series, hiccups)
	}
	return Figure{ID: "load-latency-series", Chart: c, Table: t}, true
}
