package compare

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"i3bench/reports"
	"i3bench/reports/chart"
)

// Table returns a row for each change, and one for each track without any.
func (h *History) Table() reports.Table {
	t := reports.Table{Caption: "Runs over time", Columns: []reports.Column{
		{Name: "row"}, {Name: "runs", Number: true}, {Name: "first", Number: true}, {Name: "last", Number: true},
		{Name: "changed in"}, {Name: "before", Number: true}, {Name: "after", Number: true}, {Name: "change", Number: true},
	}}
	for _, track := range h.Tracks {
		write := func(f Figure) string { return f.write(track.unit, track.exact) }
		n := len(track.Points)
		row := []string{
			track.Key.String(), fmt.Sprint(n), write(track.Points[0].Value), write(track.Points[n-1].Value), "-", "-", "-", "-",
		}
		for _, c := range track.Changes {
			change := Figure(ratio(float64(c.After), float64(c.Before)) - 1)
			when := h.Runs[track.Points[c.Point].Run].name()
			row = append(row[:4:4], when, write(c.Before), write(c.After), change.percent(true))
			t.Rows = append(t.Rows, row)
		}
		if len(track.Changes) == 0 {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// legend says how changes were found.
func (h *History) legend() string {
	return fmt.Sprintf("%d runs, %d rows. Changes: energy statistic on ranks, split again and again, permutation test "+
		"with p at most %g for each split, and a change of the median of %g %% or more; rows that cannot vary: any "+
		"difference. If no row had changed, about %.2g would be shown as changed at most.",
		len(h.Runs), len(h.Tracks), h.Alpha, 100*h.Effect, h.Alpha*float64(len(h.Tracks)))
}

// Text writes the history for a terminal.
func (h *History) Text() string {
	var b strings.Builder
	t := h.Table()
	t.WriteText(&b, len(t.Rows))
	b.WriteString("\n" + h.legend() + "\n")
	return b.String()
}

// Markdown writes the history as a table.
func (h *History) Markdown() string {
	var b strings.Builder
	h.Table().WriteMarkdown(&b)
	b.WriteString("\n" + h.legend() + "\n")
	return b.String()
}

// JSON writes the history for programs.
func (h *History) JSON() ([]byte, error) { return indent(h) }

// maxCharts bounds the drawings of a page; the table has every row.
const maxCharts = 60

// Chart draws a track, its changes as vertical lines.
func (h *History) Chart(t Track) chart.Chart {
	scale, label := 1.0, t.Unit
	if isTime(t.unit) {
		scale, label = 1e9, "ns, "+t.Unit
	}
	c := chart.Chart{
		Title: t.Key.String(),
		Desc:  fmt.Sprintf("Medians of %d runs, from old to new, with %d changes.", len(t.Points), len(t.Changes)),
		X:     chart.Axis{Label: "run", Format: whole},
		Y:     chart.Axis{Label: label},
	}
	s := chart.Series{Name: "median of a run", Ink: chart.Blue, Shape: chart.Both}
	for _, p := range t.Points {
		s.Points = append(s.Points, chart.Point{X: float64(p.Run), Y: float64(p.Value) * scale})
	}
	c.Series = []chart.Series{s}
	for _, p := range t.Changes {
		run := t.Points[p.Point].Run
		c.Marks = append(c.Marks, chart.Mark{X: float64(run) - 0.5, Vertical: true, Name: h.Runs[run].name()})
	}
	return c
}

func whole(v float64) string { return reports.Number(v) }

var page = template.Must(template.New("history").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>i3bench: runs over time</title>
<h1>Runs over time</h1>
<p>{{.Legend}}</p>
{{range .Charts}}<h2>{{.Name}}</h2>
{{if .Fail}}<p>{{.Fail}}</p>{{else}}<div>{{.SVG}}</div>{{end}}
{{end}}{{if .More}}<p>{{.More}} rows more are in the table.</p>
{{end}}<h2>Runs</h2>
<ol start="0">{{range .Runs}}<li>{{.}}</li>{{end}}</ol>
<pre>{{.Table}}</pre>
</html>
`))

// HTML writes the history as one page that loads nothing, the rows that change
// first.
func (h *History) HTML() ([]byte, error) {
	type drawing struct {
		Name, Fail string
		SVG        template.HTML
	}
	var charts []drawing
	shown := h.Tracks[:min(len(h.Tracks), maxCharts)]
	for i, t := range shown {
		c := h.Chart(t)
		d := drawing{Name: t.Key.String()}
		if svg, err := c.SVG(fmt.Sprintf("track-%d", i)); err != nil {
			d.Fail = err.Error()
		} else {
			d.SVG = template.HTML(svg)
		}
		charts = append(charts, d)
	}
	var runs []string
	for i := range h.Runs {
		runs = append(runs, h.Runs[i].name()+" "+h.Runs[i].Dir)
	}
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{
		"Legend": h.legend(), "Charts": charts, "More": len(h.Tracks) - len(shown), "Runs": runs, "Table": h.Text(),
	})
	return b.Bytes(), err
}
