package reports

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Render reads a result directory and writes bench.txt and report.html from its
// other two files. It returns the result for further use.
func Render(dir string) (*Result, error) { return RenderBeside(dir, "") }

// RenderBeside does the same, with the CPU profile of another result beside that of this one; see [Result.Baseline].
func RenderBeside(dir, baseline string) (*Result, error) {
	r, err := Open(dir)
	if err != nil {
		return nil, err
	}
	r.Baseline = baseline
	return r, r.render()
}

// render writes the files that are derived from a result.
func (r *Result) render() error {
	page, err := HTML(r)
	if err == nil {
		err = writeFile(filepath.Join(r.Dir, HTMLFile), page)
	}
	return errors.Join(err, writeFile(filepath.Join(r.Dir, BenchFile), Bench(r)))
}

// Verdicts are the lines at the top of the report: how the run ended, how much of
// the paper it reproduces, and each objective that was measured.
func (r *Result) Verdicts() []Verdict { return r.headlines() }

// headlines are the verdict lines at the top of every form of the report.
func (r *Result) headlines() []Verdict {
	var out []Verdict
	switch m := &r.Manifest; m.Status {
	case Complete:
	case Interrupted:
		out = append(out, Verdict{Miss, "INTERRUPTED: the run did not end; the figures are of what it recorded."})
	case Unknown:
		out = append(out, Verdict{Miss, ManifestFile + " could not be read: how the run ended is not known, nor its " +
			"parameters; see the warnings."})
	default:
		line := "The run ended with status " + string(m.Status)
		if m.Error != "" {
			line += ": " + m.Error
		}
		out = append(out, Verdict{Miss, line})
	}
	if r.Skipped > 0 {
		line := fmt.Sprintf("%d lines of %s could not be read; see the warnings.", r.Skipped, r.from)
		out = append(out, Verdict{Miss, line})
	}
	paper, objectives := r.findings()
	if len(measuredOnly(paper)) > 0 {
		out = append(out, parityLine(paper))
	}
	for _, f := range objectives {
		if f.Verdict.State == NotMeasured || f.Verdict.State == NotJudged && slices.Contains(saidBefore, f.ID) {
			continue
		}
		line := fmt.Sprintf("%s: %s, %s", upperFirst(f.What), f.Ours, f.Verdict.Text)
		if f.Spread != "" {
			line += " (" + f.Spread + ")"
		}
		out = append(out, Verdict{f.Verdict.State, line + "."})
	}
	return out
}

// saidBefore are findings that need no line of their own where nothing judges them: the
// answers at the top say what matters.
var saidBefore = []string{"find", "traffic"}

// measuredOnly returns findings where any of them was measured, and none where none was: a
// table of what is absent says nothing.
func measuredOnly(list []Finding) []Finding {
	if slices.ContainsFunc(list, func(f Finding) bool { return f.Verdict.State != NotMeasured }) {
		return list
	}
	return nil
}

// maxNamedMisses bounds how many misses the parity line names one by one.
const maxNamedMisses = 6

// parityLine says in one line how much of the paper is reproduced.
func parityLine(paper []Finding) Verdict {
	var met, judged, missing int
	var misses []string
	for _, f := range paper {
		switch f.Verdict.State {
		case Pass:
			met, judged = met+1, judged+1
		case Miss:
			judged++
			misses = append(misses, fmt.Sprintf("%s (%s: %s)", f.ID, f.What, f.Verdict.Text))
		case NotMeasured:
			missing++
		}
	}
	if judged == 0 {
		return Verdict{NotMeasured, "Paper parity: nothing measured."}
	}
	line := fmt.Sprintf("Paper parity: %d of %d judged figures met", met, judged)
	if missing > 0 {
		line += fmt.Sprintf(", %d not measured", missing)
	}
	switch {
	case len(misses) == 0:
		return Verdict{Pass, line + "."}
	case len(misses) > maxNamedMisses:
		return Verdict{Miss, line + "; missed: " + strings.Join(missesByFigure(paper), ", ") + "."}
	}
	return Verdict{Miss, line + "; missed: " + strings.Join(misses, "; ") + "."}
}

// missesByFigure counts the misses of each figure that has any.
func missesByFigure(paper []Finding) (out []string) {
	judged, missed := make(map[string]int), make(map[string]int)
	var ids []string
	for _, f := range paper {
		switch f.Verdict.State {
		case Miss:
			if missed[f.ID] == 0 {
				ids = append(ids, f.ID)
			}
			missed[f.ID]++
			judged[f.ID]++
		case Pass:
			judged[f.ID]++
		}
	}
	for _, id := range ids {
		out = append(out, fmt.Sprintf("%s (%d of %d)", id, missed[id], judged[id]))
	}
	return out
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// A cardRow is a fact about the run.
type cardRow struct{ Name, Value string }

// card lists what ran, where and when.
func (r *Result) card() []cardRow {
	m := &r.Manifest
	commit := m.Commit
	if m.Dirty {
		commit += " with uncommitted changes"
	}
	rows := []cardRow{
		{"status", string(m.Status)},
		{"command", quote(m.Command)},
		{"commit", commit},
		{"seed", fmt.Sprint(m.Seed)},
		{"machine", m.Machine.String()},
		{"toolchain", m.Go},
		{"started", m.Started.UTC().Format(time.DateTime + " MST")},
	}
	if m.Stopped.IsZero() {
		rows = append(rows, cardRow{"stopped", "not recorded: the run was interrupted"})
	} else {
		rows = append(rows, cardRow{"stopped", fmt.Sprintf("%s, after %s", m.Stopped.UTC().Format(time.DateTime+" MST"),
			duration(float64(m.Stopped.Sub(m.Started))))})
	}
	if m.Error != "" {
		rows = append(rows, cardRow{"error", m.Error})
	}
	return append(rows, cardRow{"samples", count(r.Count)})
}

// parityTable is the table of what is compared with the paper.
func parityTable(findings []Finding) Table {
	t := Table{
		Caption: "Paper parity",
		Columns: []Column{text("figure"), text("what"), number("paper"), number("ours"), text("spread"), text("verdict")},
	}
	for _, f := range findings {
		t.Rows = append(t.Rows, []string{f.ID, f.What, f.Paper, f.Ours, f.Spread, f.Verdict.String()})
	}
	return t
}

// stageLine says how a stage ended.
func (r *Result) stageLine(name string) string {
	s, ok := r.Stage(name)
	if !ok {
		return "This stage is not in the manifest."
	}
	line := string(s.Status)
	if s.Seconds > 0 {
		line += ", " + duration(s.Seconds*1e9)
	}
	for _, t := range SummarizeRuns(r.Select(name, KindRun)) {
		line += "; " + t.String()
	}
	if s.Note != "" {
		line += ": " + s.Note
	}
	return upperFirst(line)
}

// sectionsOf returns the sections of a stage, and whether any has something to
// show.
func (r *Result) sectionsOf(stage string) (list []Section, present bool) {
	for _, s := range r.Sections() {
		if s.Stage == stage {
			list = append(list, s)
			present = present || s.Absent == ""
		}
	}
	return list, present
}

// lacks reports whether a stage was not part of the run.
func (r *Result) lacks(stage string) bool {
	_, present := r.sectionsOf(stage)
	_, listed := r.Stage(stage)
	return !present && !listed
}

// paramRows lists the parameters by name.
func (r *Result) paramRows() Table {
	t := Table{Caption: "Parameters", Columns: []Column{text("parameter"), text("value")}}
	for _, k := range sortedKeys(r.Manifest.Parameters) {
		t.Rows = append(t.Rows, []string{k, r.Manifest.Parameters[k]})
	}
	return t
}
