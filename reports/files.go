package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// A fileState says of a file of the directory whether it could be read, and which
// figures are absent if not.
type fileState struct{ name, state, absent string }

const noneAbsent = "none"

// load reads the files of samples and the histograms. The samples of the result
// are those of the journal, unless events.parquet has more of them, or as many and
// no damage.
func (r *Result) load() []fileState {
	var journal, events, latency loaded
	noJournal, noEvents := journal.readJournal(r.Dir), events.readEvents(r.Dir)
	noLatency := latency.readLatency(r.Dir)
	chosen := &journal
	r.from = SamplesFile
	if events.better(&journal) {
		chosen, r.from = &events, EventsFile
	}
	r.samples, r.Count, r.Skipped = chosen.samples, chosen.count, chosen.skipped
	for _, l := range []*loaded{&journal, &events, &latency} {
		r.Warnings = append(r.Warnings, l.warnings...)
	}
	r.compareSamples(&journal, &events, noJournal, noEvents)
	r.Warnings = r.Warnings[:min(len(r.Warnings), maxWarnings)]
	return append([]fileState{
		stateOf(SamplesFile, noJournal, &journal, "sample", r.absentWithout(r.from != SamplesFile)),
		stateOf(EventsFile, noEvents, &events, "sample", r.absentWithout(r.from != EventsFile)),
		stateOf(LatencyFile, noLatency, &latency, "histogram", noneAbsent),
	}, profiles(r.Dir)...)
}

// better reports whether a file of samples has more than the journal, or as many as a
// journal that is damaged.
func (l *loaded) better(journal *loaded) bool {
	return l.count > journal.count ||
		l.count == journal.count && l.count > 0 && journal.skipped > 0 && len(l.warnings) == 0
}

// compareSamples warns where samples are missing, or the two files differ.
func (r *Result) compareSamples(journal, events *loaded, noJournal, noEvents error) {
	warn := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	if noJournal != nil {
		what := "every figure is absent"
		if events.count > 0 {
			what = "the samples are those of " + EventsFile
		}
		warn("%s: %s; %s", SamplesFile, notThere(noJournal), what)
	}
	if noJournal == nil && noEvents == nil && journal.count != events.count {
		warn("%s has %d samples and %s %d, expected as many; those of %s count", SamplesFile, journal.count, EventsFile,
			events.count, r.from)
	}
	if lost := r.Manifest.Samples - r.Count - r.Skipped; lost > 0 && r.Count > 0 {
		warn("%s: the last %d samples of the run are not there, expected %d as %s says", r.from, lost, r.Manifest.Samples,
			ManifestFile)
	}
}

// absentWithout says which figures are absent without a file of samples: none, if
// all that it has are in the other.
func (r *Result) absentWithout(other bool) string {
	switch {
	case other && r.Count > 0:
		return noneAbsent
	case r.Count > 0 && r.Skipped == 0:
		return noneAbsent
	case r.Count > 0:
		return "those of the samples that are damaged, " + count(r.Skipped)
	}
	return "all"
}

// notThere says why a file could not be opened.
func notThere(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "not there"
	}
	return err.Error()
}

// stateOf is the state of a file of samples or histograms.
func stateOf(name string, missing error, l *loaded, unit, absent string) fileState {
	state := fmt.Sprintf("read, %s %ss", count(l.count), unit)
	switch {
	case missing != nil:
		return fileState{name, notThere(missing), absent}
	case len(l.warnings) > 0:
		return fileState{name, "damaged, " + state, absent}
	}
	return fileState{name, state, noneAbsent}
}

// manifestState is the state of run.json.
func manifestState(err error) fileState {
	const absent = "command, commit, seed, machine, parameters; the largest rate; formulas have the paper's parameters"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fileState{ManifestFile, "not there", absent}
	case err != nil:
		return fileState{ManifestFile, "damaged", absent}
	}
	return fileState{ManifestFile, "read", noneAbsent}
}

// profiles lists the CPU profiles of a directory, which are not read here.
func profiles(dir string) (out []fileState) {
	for _, pattern := range []string{"cpu.pprof", "cpu-*.pprof"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern)) // an error is of the pattern
		for _, name := range names {
			out = append(out, fileState{filepath.Base(name), "there", noneAbsent})
		}
	}
	return out
}

// filesSection says which files the report was made of.
func filesSection(r *Result) Section {
	t := Table{Caption: "Files of the result", Columns: []Column{text("file"), text("state"), text("figures absent")}}
	for _, f := range r.files {
		t.Rows = append(t.Rows, []string{f.name, f.state, f.absent})
	}
	return Section{
		ID: "files", Title: "Files",
		Text: []string{"Every figure is computed from run.json and the samples. " + SamplesFile + " is written while a run " +
			"goes on, " + EventsFile + " and " + LatencyFile + " when it ends. Both files of samples have all of them: the " +
			"one that has more counts."},
		Tables: []Table{t},
	}
}
