package reports

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// A Block is what stands in a Markdown file between two lines, and is written by
// [UpdateReadme].
type Block string

// The blocks.
const (
	BlockResults     Block = "results"     // every figure, see [Markdown]
	BlockGlance      Block = "glance"      // the answers of a tour, see [MarkdownGlance]
	BlockSimulations Block = "simulations" // the main table of simulations, see [MarkdownSimulations]
)

// Begin is the line before a block.
func (b Block) Begin() string { return "<!-- " + string(b) + ":begin -->" }

// End is the line after a block.
func (b Block) End() string { return "<!-- " + string(b) + ":end -->" }

// Markdown writes the figures of a result as tables, with date, machine and commit
// below them. Those of simulated trees and of Table 1 have compact tables; each
// other figure has a row of its own.
func Markdown(r *Result) string { return r.markdown(true) }

// markdown writes the figures, with those of simulated trees or without.
func (r *Result) markdown(trees bool) string {
	var b strings.Builder
	for _, reason := range r.Invalid() {
		fmt.Fprintf(&b, "**INVALID**: %s\n\n", reason)
	}
	all := r.measured()
	var tables []Table
	if trees {
		tables = r.compactTables(all)
	}
	if len(tables) > 0 {
		b.WriteString(markNote + "\n\n")
	}
	tables = append(tables, r.requestsBySize()...)
	if rest := restTable(all); len(rest.Rows) > 0 {
		tables = append(tables, rest)
	}
	if len(tables) == 0 {
		b.WriteString("No figures: the run has no samples.\n")
	}
	for i, t := range tables {
		if i > 0 {
			b.WriteByte('\n')
		}
		if len(tables) > 1 || t.Caption != restCaption {
			b.WriteString(t.Caption + ":\n\n")
		}
		t.WriteMarkdown(&b)
	}
	r.measuredBy(&b)
	return b.String()
}

// MarkdownSimulations writes the main table of the simulations of a result, that
// of the networks that were simulated in full. It returns an error if there is
// none.
func MarkdownSimulations(r *Result) (string, error) {
	tables := r.compactTables(r.measured())
	if len(tables) == 0 || tables[0].Caption != mainCaption {
		return "", errors.New("the result has no simulated trees, expected that of bench sim")
	}
	var b strings.Builder
	tables[0].WriteMarkdown(&b)
	b.WriteString("\n" + markNote + "\n")
	r.measuredBy(&b)
	return b.String(), nil
}

// measured returns the findings that are of samples.
func (r *Result) measured() []Finding {
	paper, objectives := r.findings()
	return slices.DeleteFunc(slices.Concat(paper, objectives), func(f Finding) bool {
		return f.Verdict.State == NotMeasured
	})
}

// restCaption names the table of the other figures where there are others.
const restCaption = "Other figures"

// restTable lists the findings that no compact table has, each in a row.
func restTable(all []Finding) Table {
	t := Table{Caption: restCaption, Columns: []Column{
		text("figure"), text("what"), number("paper or objective"), number("measured"),
		text("spread"), text("verdict"),
	}}
	for _, f := range all {
		if f.Spot.Variant == "" && f.ID != table1ID {
			t.Rows = append(t.Rows, []string{f.ID, f.What, f.Paper, f.Ours, f.Spread, f.Verdict.String()})
		}
	}
	return t
}

// measuredBy says when, where and by what a result was measured.
func (r *Result) measuredBy(b *strings.Builder) {
	m := &r.Manifest
	commit := m.Commit
	if len(commit) > 12 {
		commit = commit[:12]
	}
	if m.Dirty {
		commit += " with uncommitted changes"
	}
	fmt.Fprintf(b, "\nMeasured %s by `%s` (seed %d, commit %s, status %s) on %s, %s.\n",
		m.Started.UTC().Format(time.DateOnly), quote(withoutPaths(m.Command)), m.Seed, commit, m.Status, m.Machine, m.Go)
}

// withoutPaths returns a command with the last part of each path alone: where a
// file lay on the machine of the run tells a reader nothing.
func withoutPaths(command []string) []string {
	out := make([]string, len(command))
	for i, arg := range command {
		name, value, assigned := strings.Cut(arg, "=")
		switch {
		case !strings.Contains(arg, "/"):
			out[i] = arg
		case assigned && strings.HasPrefix(arg, "-"):
			out[i] = name + "=" + path.Base(value)
		default:
			out[i] = path.Base(arg)
		}
	}
	return out
}

// WriteMarkdown writes the rows as a Markdown table, without the caption.
func (t Table) WriteMarkdown(b *strings.Builder) {
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

// UpdateReadme replaces a block of a file, what stands between its two lines, by
// that of a result. It returns an error, and changes nothing, if the file does not
// have each of the two exactly once, in this order, or the result has nothing for
// the block.
func UpdateReadme(path string, block Block, r *Result) error {
	new, err := block.of(r)
	if err != nil {
		return fmt.Errorf("reports: update %s: %w", path, err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reports: update %s: %w", path, err)
	}
	text, err := block.splice(old, new)
	if err != nil {
		return fmt.Errorf("reports: update %s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reports: update %s: %w", path, err)
	}
	return errors.Join(writeFile(path, text), os.Chmod(path, info.Mode().Perm()))
}

// of returns the text of a block.
func (b Block) of(r *Result) (string, error) {
	switch b {
	case BlockSimulations:
		return MarkdownSimulations(r)
	case BlockResults:
		// A tour has small trees, too; beside it stands the block of those of full size.
		_, tour := r.Stage(StageLoad)
		return r.markdown(!tour), nil
	case BlockGlance:
		return MarkdownGlance(r)
	}
	return "", fmt.Errorf("block %.40q: want results, glance or simulations", b)
}

// splice puts a block between its lines of a text.
func (b Block) splice(old []byte, block string) ([]byte, error) {
	for _, mark := range []string{b.Begin(), b.End()} {
		if n := bytes.Count(old, []byte(mark)); n != 1 {
			return nil, fmt.Errorf("%q stands there %d times, expected once", mark, n)
		}
	}
	head, rest, _ := bytes.Cut(old, []byte(b.Begin()))
	_, tail, ok := bytes.Cut(rest, []byte(b.End()))
	if !ok {
		return nil, fmt.Errorf("%q stands after %q, expected before", b.Begin(), b.End())
	}
	return fmt.Appendf(nil, "%s%s\n%s%s%s", head, b.Begin(), block, b.End(), tail), nil
}
