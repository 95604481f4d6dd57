package reports

import (
	"fmt"
	"slices"
	"strings"
)

// RunTimes says how many runs a stage recorded and how long they took.
type RunTimes struct {
	Stage          string
	Runs           int
	Total, Longest float64 // seconds of wall clock
}

// SummarizeRuns adds up samples of kind [KindRun] by stage.
func SummarizeRuns(samples []Sample) []RunTimes {
	stages, groups := grouped(samples, func(s *Sample) string { return s.Stage })
	var out []RunTimes
	for _, stage := range stages {
		t := RunTimes{Stage: stage, Runs: len(groups[stage])}
		for _, s := range groups[stage] {
			t.Total += s.Value
			t.Longest = max(t.Longest, s.Value)
		}
		out = append(out, t)
	}
	return out
}

// String says it in a sentence's part.
func (t RunTimes) String() string {
	runs := count(t.Runs) + " runs"
	if t.Runs == 1 {
		runs = "1 run"
	}
	return fmt.Sprintf("%s of %s together, %s the longest", runs, seconds(t.Total), seconds(t.Longest))
}

// anyStage returns the samples of a kind of all stages, by stage and in the
// order in which each was recorded.
func (r *Result) anyStage(kind string) []Sample {
	var out []Sample
	for k, list := range r.samples {
		if k.kind == kind {
			out = append(out, list...)
		}
	}
	// The order of the map must not decide the order of a sum of fractions.
	slices.SortStableFunc(out, func(a, b Sample) int { return strings.Compare(a.Stage, b.Stage) })
	return out
}

func runsSection(r *Result) Section {
	runs, traces := SummarizeRuns(r.anyStage(KindRun)), r.anyStage(KindTrace)
	s := Section{
		ID: "runs", Title: "Runs and traces",
		Text: []string{"Runs of several at a time take less than their times together. The hash of a trace covers every " +
			"datagram of a simulated run with its time: the same run from the same commit has the same. " +
			"A run on sockets has none."},
	}
	if len(runs)+len(traces) == 0 {
		return absent(s.ID, s.Title, "")
	}
	if len(runs) > 0 {
		t := Table{
			Caption: "Runs by stage, wall clock",
			Columns: []Column{text("stage"), number("runs"), number("together"), number("longest")},
		}
		for _, x := range runs {
			t.Rows = append(t.Rows, []string{x.Stage, count(x.Runs), seconds(x.Total), seconds(x.Longest)})
		}
		s.Tables = append(s.Tables, t)
	}
	if len(traces) > 0 {
		t := Table{
			Caption: fmt.Sprintf("Traces of %s runs", count(len(traces))), Fold: true,
			Columns: []Column{text("stage"), text("run"), number("seed"), text("trace hash")},
		}
		for _, x := range traces {
			t.Rows = append(t.Rows, []string{x.Stage, x.Group, fmt.Sprint(x.Seed), x.Status})
		}
		s.Tables = append(s.Tables, t)
	}
	return s
}
