package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"i3bench/reports"
)

// columns of a comparison.
var columns = []reports.Column{
	{Name: "row"}, {Name: "old", Number: true}, {Name: "new", Number: true}, {Name: "change", Number: true},
	{Name: "p", Number: true}, {Name: "adjusted", Number: true}, {Name: "detectable", Number: true}, {Name: "verdict"},
}

// cell writes a sample: its median and the interval, or the range in brackets, and
// how many values it has.
func (r *Row) cell(s Sample) string {
	switch {
	case s.N == 0:
		return "-"
	case r.Exact && s.Low == s.High:
		return s.Median.write(r.unit, true)
	case s.N == 1:
		return s.Median.write(r.unit, r.Exact) + " n=1"
	}
	span := s.Low.write(r.unit, r.Exact) + " to " + s.High.write(r.unit, r.Exact)
	if !s.Interval {
		span = "[" + span + "]"
	}
	return fmt.Sprintf("%s, %s, n=%d", s.Median.write(r.unit, r.Exact), span, s.N)
}

// cells writes a row.
func (r *Row) cells() []string {
	detectable := r.Detectable.percent(false)
	if math.IsInf(float64(r.Detectable), 1) {
		detectable = "none"
	}
	verdict := string(r.Verdict)
	if r.Exact {
		verdict += " (exact)"
	}
	return []string{
		r.Key.String(), r.cell(r.Old), r.cell(r.New), r.Change.percent(true), r.P.probability(), r.Adjusted.probability(),
		detectable, verdict,
	}
}

// Table returns the rows as a table.
func (c *Comparison) Table() reports.Table {
	t := reports.Table{Columns: columns}
	for i := range c.Rows {
		t.Rows = append(t.Rows, c.Rows[i].cells())
	}
	return t
}

// legend explains the columns.
func (o Options) legend() string {
	return fmt.Sprintf("Medians, their 95 %% interval ([range] of fewer than six runs) and the number of runs.\n"+
		"p: Mann-Whitney; adjusted: Benjamini-Hochberg over all rows. A row is worse or better if adjusted p is at\n"+
		"most %g and the median differs by %g %% or more. detectable: the smallest change found in 80 %% of cases;\n"+
		"above %g %% a row is too noisy to tell.\n", o.Alpha, 100*o.Effect, 100*o.See)
}

// Text writes a comparison for a terminal.
func (c *Comparison) Text() string {
	var b strings.Builder
	c.text(&b, "Old against new")
	return b.String() + "\n" + c.Options.legend()
}

// text writes the notes and the rows.
func (c *Comparison) text(b *strings.Builder, caption string) {
	for _, n := range c.Notes {
		b.WriteString("note: " + n + "\n")
	}
	t := c.Table()
	t.Caption = caption
	t.WriteText(b, len(c.Rows))
}

// Markdown writes a comparison for a pull request.
func (c *Comparison) Markdown() string {
	var b strings.Builder
	c.markdown(&b)
	return b.String() + "\n" + c.Options.legend()
}

// markdown writes the notes and the rows.
func (c *Comparison) markdown(b *strings.Builder) {
	for _, n := range c.Notes {
		b.WriteString("> " + n + "\n\n")
	}
	c.Table().WriteMarkdown(b)
}

// summary says in lines what a gate found, worst first.
func (g *Gate) summary() (lines []string) {
	for _, r := range g.Fired() {
		line := r.line() + ", confirmed by a second pair of runs"
		if r.Exact {
			line = r.line() + ", exact"
		}
		lines = append(lines, "fires: "+line)
	}
	for i := range g.First.Rows {
		r := &g.First.Rows[i]
		switch {
		case g.accepts(r) && (r.Verdict == Worse || r.Exact && r.Verdict != Same):
			lines = append(lines, "accepted: "+r.line())
		case r.Exact || !g.fires(r) || g.confirmed(r.Key):
		case g.Second == nil:
			lines = append(lines, "suspected, not measured again: "+r.line())
		default:
			lines = append(lines, "not confirmed by a second pair of runs: "+r.line())
		}
	}
	for _, r := range g.Blind() {
		if r.Verdict == Noisy || r.Verdict == OnlyOld || r.faint() {
			lines = append(lines, fmt.Sprintf("cannot tell: %s (%s, detectable %s)", r.Key, r.Verdict, r.cells()[6]))
		}
	}
	return lines
}

// line says in a line how a row changed.
func (r *Row) line() string {
	line := fmt.Sprintf("%s: %s, %s to %s", r.Key, r.Verdict, r.Old.Median.write(r.unit, r.Exact),
		r.New.Median.write(r.unit, r.Exact))
	if !math.IsNaN(float64(r.Change)) {
		line += " (" + r.Change.percent(true) + ")"
	}
	return line
}

// head is the first line of a gate's output.
func (g *Gate) head() string {
	return fmt.Sprintf("%s: %d rows, %d fired, %d cannot be judged", g.Outcome(), len(g.First.Rows), len(g.Fired()),
		len(g.Blind()))
}

// Text writes a gate for a terminal: the rows, then what it found.
func (g *Gate) Text() string {
	var b strings.Builder
	b.WriteString(g.First.Text())
	if g.Second != nil {
		g.Second.text(&b, "Second pair of runs, of the suspected rows")
	}
	return b.String() + "\n" + strings.Join(append(g.summary(), g.head()), "\n") + "\n"
}

// Markdown writes a gate for a pull request: what it found, and the rows folded.
func (g *Gate) Markdown() string {
	var b strings.Builder
	b.WriteString("### Benchmarks: " + g.head() + "\n\n")
	for _, line := range g.summary() {
		b.WriteString("- " + escape.Replace(line) + "\n")
	}
	b.WriteString("\n<details><summary>All rows</summary>\n\n" + g.First.Markdown() + "\n</details>\n")
	if g.Second != nil {
		b.WriteString("\n<details><summary>Second pair of runs, of the suspected rows</summary>\n\n")
		g.Second.markdown(&b)
		b.WriteString("\n</details>\n")
	}
	return b.String()
}

// escape keeps names from being read as markup.
var escape = strings.NewReplacer("<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`, "|", `\|`)

// JSON writes the comparison for programs.
func (c *Comparison) JSON() ([]byte, error) { return indent(c) }

// JSON writes the gate for programs.
func (g *Gate) JSON() ([]byte, error) {
	fired, blind := []Key{}, []Key{}
	for _, r := range g.Fired() {
		fired = append(fired, r.Key)
	}
	for _, r := range g.Blind() {
		blind = append(blind, r.Key)
	}
	return indent(struct {
		Outcome string `json:"outcome"`
		Code    int    `json:"code"`
		Fired   []Key  `json:"fired"`
		Blind   []Key  `json:"blind"`
		*Gate
	}{g.Outcome().String(), int(g.Outcome()), fired, blind, g})
}

func indent(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}
