package export

import (
	"encoding/json"

	"i3bench/reports"
	"i3bench/reports/chart"
)

// Version is that of the JSON form: it changes when a reader would have to.
const Version = 1

// The JSON form. Its names are what a reader relies on; docs/results.md lists them.
type (
	jsonReport struct {
		Format   int              `json:"format"`
		Manifest reports.Manifest `json:"manifest"`
		Samples  int              `json:"samples"`
		Skipped  int              `json:"skipped"` // samples that could not be read
		Warnings []string         `json:"warnings"`
		Verdicts []jsonVerdict    `json:"verdicts"`
		Sections []jsonSection    `json:"sections"`
	}
	jsonVerdict struct {
		State string `json:"state"` // met, missed, not judged, not measured
		Text  string `json:"text"`
	}
	jsonSection struct {
		ID       string        `json:"id"`
		Title    string        `json:"title"`
		Stage    string        `json:"stage,omitempty"`
		Absent   string        `json:"absent,omitempty"` // why there is nothing
		Text     []string      `json:"text"`
		Tables   []jsonTable   `json:"tables"`
		Figures  []jsonFigure  `json:"figures"`
		Findings []jsonFinding `json:"findings"`
		Bench    []jsonBench   `json:"bench"`
	}
	jsonTable struct {
		Caption string     `json:"caption"`
		Columns []string   `json:"columns"`
		Rows    [][]string `json:"rows"` // as the report shows them
	}
	jsonFigure struct {
		ID     string       `json:"id"`
		Title  string       `json:"title"`
		Text   string       `json:"text"`
		X      string       `json:"x"` // labels of the axes, with their units
		Y      string       `json:"y"`
		Series []jsonSeries `json:"series"`
		Marks  []jsonMark   `json:"marks"`
		Table  jsonTable    `json:"table"`
	}
	jsonSeries struct {
		Name   string       `json:"name"`
		Points [][3]float64 `json:"points"` // x, y, half of the bar at y
	}
	jsonMark struct {
		Name string   `json:"name"`
		X    *float64 `json:"x,omitempty"` // absent of a limit at every x
		Y    *float64 `json:"y,omitempty"` // absent of a limit at every y
	}
	jsonFinding struct {
		ID      string      `json:"id"`
		What    string      `json:"what"`
		Source  string      `json:"source,omitempty"` // section of the paper
		Paper   string      `json:"paper"`
		Ours    string      `json:"ours"`
		Spread  string      `json:"spread,omitempty"`
		Verdict jsonVerdict `json:"verdict"`
	}
	jsonBench struct {
		Name   string             `json:"name"`
		N      int                `json:"n"`
		Values map[string]float64 `json:"values"` // by unit
	}
)

// document is the JSON form.
func document(r *reports.Result) ([]byte, error) {
	d := jsonReport{
		Format: Version, Manifest: r.Manifest, Samples: r.Count, Skipped: r.Skipped, Warnings: list0(r.Warnings),
		Verdicts: each(r.Verdicts(), verdict), Sections: each(r.Sections(), section),
	}
	data, err := json.MarshalIndent(d, "", " ")
	return append(data, '\n'), err
}

// each applies a function to a list; of none it is an empty list and not null.
func each[T, U any](list []T, of func(T) U) []U {
	out := make([]U, 0, len(list))
	for _, x := range list {
		out = append(out, of(x))
	}
	return out
}

// list0 is a list that is never null.
func list0[T any](list []T) []T { return each(list, func(x T) T { return x }) }

func verdict(v reports.Verdict) jsonVerdict { return jsonVerdict{v.State.String(), v.Text} }

func section(s reports.Section) jsonSection {
	return jsonSection{
		ID: s.ID, Title: s.Title, Stage: s.Stage, Absent: s.Absent, Text: list0(s.Text), Tables: each(s.Tables, table),
		Figures: each(s.Figures, figure), Findings: each(s.Findings, finding), Bench: each(s.Bench, bench),
	}
}

func table(t reports.Table) jsonTable {
	return jsonTable{
		t.Caption, each(t.Columns, func(c reports.Column) string { return c.Name }),
		each(t.Rows, list0),
	}
}

func finding(f reports.Finding) jsonFinding {
	return jsonFinding{f.ID, f.What, f.Source, f.Paper, f.Ours, f.Spread, verdict(f.Verdict)}
}

func bench(l reports.BenchLine) jsonBench {
	out := jsonBench{l.Name, l.N, make(map[string]float64)}
	for _, v := range l.Values {
		if finite(v.Value) {
			out.Values[v.Unit] = v.Value
		}
	}
	return out
}

func figure(f reports.Figure) jsonFigure {
	c := f.Chart
	return jsonFigure{
		f.ID, c.Title, c.Desc, c.X.Label, c.Y.Label, each(c.Series, series), each(c.Marks, mark),
		table(f.Table),
	}
}

func series(s chart.Series) jsonSeries {
	out := jsonSeries{s.Name, [][3]float64{}}
	for _, p := range s.Points {
		if finite(p.X) && finite(p.Y) && finite(p.Err) {
			out.Points = append(out.Points, [3]float64{p.X, p.Y, p.Err})
		}
	}
	return out
}

func mark(m chart.Mark) jsonMark {
	out := jsonMark{Name: m.Name}
	if !m.Horizontal && finite(m.X) {
		out.X = &m.X
	}
	if !m.Vertical && finite(m.Y) {
		out.Y = &m.Y
	}
	return out
}
