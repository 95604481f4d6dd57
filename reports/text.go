package reports

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// stateMark is a verdict's state as a word of fixed width.
func stateMark(s State) string {
	return [...]string{"  --  ", "      ", "  ok  ", " MISS "}[s]
}

// Text writes the report for a terminal: verdicts, the run, paper parity and the
// tables of every section, as aligned plain text. Charts are left to the page.
func Text(r *Result) string {
	var b strings.Builder
	for _, reason := range r.Invalid() {
		wrap(&b, "INVALID: ", reason)
	}
	for _, v := range r.headlines() {
		wrap(&b, stateMark(v.State)+" ", v.Text)
	}
	b.WriteByte('\n')
	for _, row := range r.card() {
		wrap(&b, pad(row.Name, 11, false), row.Value)
	}
	paper, _ := r.findings()
	parityTable(paper).WriteText(&b, len(paper))
	for _, stage := range stages {
		r.stageText(&b, stage.name, stage.title)
	}
	if len(r.Warnings) > 0 {
		b.WriteString("\nWarnings\n")
		for _, w := range r.Warnings {
			wrap(&b, "  ", w)
		}
	}
	return b.String()
}

func (r *Result) stageText(b *strings.Builder, name, title string) {
	if r.lacks(name) {
		return // the parity table has said "not measured" already
	}
	list, _ := r.sectionsOf(name)
	b.WriteString("\n" + title + "\n" + strings.Repeat("=", utf8.RuneCountInString(title)) + "\n")
	if name != "" {
		wrap(b, "", r.stageLine(name))
	}
	for _, s := range list {
		if s.Absent != "" {
			b.WriteString("\n" + s.Title + ": " + s.Absent + "\n")
			continue
		}
		for _, t := range s.textTables() {
			t.WriteText(b, maxTextRows)
		}
	}
}

// textTables are the tables that stand for a section where no charts are: its
// own, or those of its figures if it has none.
func (s *Section) textTables() []Table {
	if len(s.Tables) > 0 {
		return s.Tables
	}
	var out []Table
	for _, f := range s.Figures {
		out = append(out, f.Table)
	}
	return out
}

// maxTextRows bounds a table in a terminal, except that of paper parity.
const maxTextRows = 40

// WriteText writes the caption and at most a number of rows, in columns of equal width.
func (t Table) WriteText(b *strings.Builder, most int) {
	b.WriteString("\n" + t.Caption + "\n")
	width := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		width[i] = utf8.RuneCountInString(c.Name)
		for _, row := range t.Rows {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
		}
	}
	line := func(cells func(i int) string) {
		var l strings.Builder
		for i, c := range t.Columns {
			l.WriteString("  " + pad(cells(i), width[i], c.Number))
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	line(func(i int) string { return t.Columns[i].Name })
	line(func(i int) string { return strings.Repeat("-", width[i]) })
	for _, row := range t.Rows[:min(len(t.Rows), most)] {
		line(func(i int) string { return row[i] })
	}
	if more := len(t.Rows) - most; more > 0 {
		b.WriteString("  ... and " + count(more) + " rows more\n")
	}
}

// pad fills a cell up with blanks, on the left for numbers.
func pad(s string, width int, number bool) string {
	blanks := strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
	if number {
		return blanks + s
	}
	return s + blanks
}

// wrap writes a paragraph of at most 100 columns, its later lines indented like
// the first.
func wrap(b *strings.Builder, first, text string) {
	const columns = 100
	indent := strings.Repeat(" ", utf8.RuneCountInString(first))
	b.WriteString(first)
	at := len(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > columns:
			b.WriteString("\n" + indent)
			at = len(indent)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	b.WriteByte('\n')
}
