package export

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
	"strings"

	"i3bench/reports"
)

// pictureScale makes pictures of twice the size of a chart on the page.
const pictureScale = 2

// finite reports whether JSON and CSV can have a value.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// tables are the CSV form: the verdicts, the findings, every table, and the points
// of every chart, each a file.
func tables(r *reports.Result) ([]file, error) {
	var out []file
	var failed error
	add := func(name string, head []string, rows [][]string) {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Write(head) // errors are kept until Error
		w.WriteAll(rows)
		if err := w.Error(); err != nil && failed == nil {
			failed = err
		}
		out = append(out, file{name + ".csv", b.Bytes()})
	}
	add("verdicts", []string{"state", "text"}, each(r.Verdicts(), func(v reports.Verdict) []string {
		return []string{v.State.String(), v.Text}
	}))
	add("findings", findingColumns, findings(r))
	for _, s := range r.Sections() {
		for i, t := range s.Tables {
			add(fmt.Sprintf("%s-%d", s.ID, i+1), each(t.Columns, columnName), t.Rows)
		}
		for _, f := range s.Figures {
			add("figure-"+f.ID, each(f.Table.Columns, columnName), f.Table.Rows)
			add("figure-"+f.ID+"-points", []string{"series", "x", "y", "err"}, points(f))
		}
	}
	return out, failed
}

func columnName(c reports.Column) string { return c.Name }

var findingColumns = []string{"section", "id", "what", "source", "paper", "ours", "spread", "state", "verdict"}

// findings are rows of findings, of all sections.
func findings(r *reports.Result) (rows [][]string) {
	for _, s := range r.Sections() {
		for _, f := range s.Findings {
			rows = append(rows, []string{
				s.ID, f.ID, f.What, f.Source, f.Paper, f.Ours, f.Spread, f.Verdict.State.String(), f.Verdict.Text,
			})
		}
	}
	return rows
}

// points are the values of a chart, exactly.
func points(f reports.Figure) (rows [][]string) {
	exact := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, s := range f.Chart.Series {
		for _, p := range s.Points {
			rows = append(rows, []string{s.Name, exact(p.X), exact(p.Y), exact(p.Err)})
		}
	}
	return rows
}

// pictures are the charts that can be drawn, each a PNG file.
func pictures(r *reports.Result) ([]file, error) {
	var out []file
	for _, s := range r.Sections() {
		for _, f := range s.Figures {
			if _, err := f.Chart.SVG(f.ID); err != nil {
				continue // the page says why it is not drawn
			}
			var b bytes.Buffer
			if err := f.Chart.PNG(&b, pictureScale); err != nil {
				return nil, err
			}
			out = append(out, file{f.ID + ".png", b.Bytes()})
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no chart in the report, expected at least one")
	}
	return out, nil
}

// markdown is the whole report as Markdown: verdicts, figures, and every table.
func markdown(r *reports.Result) ([]byte, error) {
	var b strings.Builder
	b.WriteString("# Report\n\n")
	for _, v := range r.Verdicts() {
		b.WriteString("- " + v.State.String() + ": " + escape(v.Text) + "\n")
	}
	b.WriteString("\n## Figures\n\n" + reports.Markdown(r))
	for _, s := range r.Sections() {
		if s.Absent != "" {
			continue
		}
		b.WriteString("\n## " + escape(s.Title) + "\n")
		for _, t := range s.Text {
			b.WriteString("\n" + escape(t) + "\n")
		}
		all := s.Tables
		for _, f := range s.Figures {
			all = append(all[:len(all):len(all)], f.Table)
		}
		for _, t := range all {
			b.WriteString("\n" + escape(t.Caption) + ":\n\n")
			t.WriteMarkdown(&b)
		}
	}
	if len(r.Warnings) > 0 {
		b.WriteString("\n## Warnings\n\n")
		for _, w := range r.Warnings {
			b.WriteString("- " + escape(w) + "\n")
		}
	}
	return []byte(b.String()), nil
}

// escape keeps text from being taken for markup.
var escape = strings.NewReplacer("<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_", "`", "\\`", "\n", " ").Replace
