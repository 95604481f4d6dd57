package reports

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// The lines of a README between which [UpdateReadme] writes.
const (
	ReadmeBegin = "<!-- results:begin -->"
	ReadmeEnd   = "<!-- results:end -->"
)

// Markdown writes the figures of a result as one table, with date, machine and
// commit below it.
func Markdown(r *Result) string {
	var b strings.Builder
	t := Table{Columns: []Column{
		text("figure"), text("what"), number("paper or objective"), number("measured"),
		text("spread"), text("verdict"),
	}}
	paper, objectives := r.findings()
	for _, f := range append(paper, objectives...) {
		if f.Verdict.State != NotMeasured {
			t.Rows = append(t.Rows, []string{f.ID, f.What, f.Paper, f.Ours, f.Spread, f.Verdict.String()})
		}
	}
	if len(t.Rows) == 0 {
		b.WriteString("No figures: the run has no samples.\n")
	} else {
		t.markdown(&b)
	}
	m := &r.Manifest
	commit := m.Commit
	if len(commit) > 12 {
		commit = commit[:12]
	}
	if m.Dirty {
		commit += " with uncommitted changes"
	}
	fmt.Fprintf(&b, "\nMeasured %s by `%s` (seed %d, commit %s, status %s) on %s, %s.\n",
		m.Started.UTC().Format(time.DateOnly), quote(m.Command), m.Seed, commit, m.Status, m.Machine, m.Go)
	return b.String()
}

func (t Table) markdown(b *strings.Builder) {
	cell := strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;", ">", "&gt;")
	b.WriteString("|")
	for _, c := range t.Columns {
		b.WriteString(" " + cell.Replace(c.Name) + " |")
	}
	b.WriteString("\n|")
	for _, c := range t.Columns {
		b.WriteString(map[bool]string{true: "---:|", false: "---|"}[c.Number])
	}
	for _, row := range t.Rows {
		b.WriteString("\n|")
		for _, c := range row {
			b.WriteString(" " + cell.Replace(c) + " |")
		}
	}
	b.WriteByte('\n')
}

// UpdateReadme replaces what stands in a file between the lines
// "<!-- results:begin -->" and "<!-- results:end -->" by the table of a result.
// It returns an error, and changes nothing, if the file does not have each of
// the two exactly once, in this order.
func UpdateReadme(path string, r *Result) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reports: update %s: %w", path, err)
	}
	text, err := spliceReadme(old, Markdown(r))
	if err != nil {
		return fmt.Errorf("reports: update %s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reports: update %s: %w", path, err)
	}
	return errors.Join(writeFile(path, text), os.Chmod(path, info.Mode().Perm()))
}

// spliceReadme puts a block between the markers of a text.
func spliceReadme(old []byte, block string) ([]byte, error) {
	for _, mark := range []string{ReadmeBegin, ReadmeEnd} {
		if n := bytes.Count(old, []byte(mark)); n != 1 {
			return nil, fmt.Errorf("%q stands there %d times, expected once", mark, n)
		}
	}
	head, rest, _ := bytes.Cut(old, []byte(ReadmeBegin))
	_, tail, ok := bytes.Cut(rest, []byte(ReadmeEnd))
	if !ok {
		return nil, fmt.Errorf("%q stands after %q, expected before", ReadmeBegin, ReadmeEnd)
	}
	return fmt.Appendf(nil, "%s%s\n%s%s%s", head, ReadmeBegin, block, ReadmeEnd, tail), nil
}
