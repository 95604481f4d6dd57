package experiments

import (
	"errors"
	"strings"
	"testing"
	"time"

	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

// Bounds are judged by all operations, those that failed as later than all others.
func TestJudge(t *testing.T) {
	const ms = time.Millisecond
	type objective = scenario.Objective
	for _, c := range []struct {
		objective scenario.Objective
		says      string
		missed    bool
	}{
		{objective{Operation: "join", P50: 5 * ms, Failed: 1}, "join     p50 5ms, want at most 5ms: ok", false},
		{objective{Operation: "join", P50: 4 * ms, Failed: 1}, "join     p50 5ms, want at most 4ms: MISSED", true},
		{objective{Operation: "join", P90: 9 * ms, Failed: 1}, "join     p90 9ms, want at most 9ms: ok", false},
		{objective{Operation: "join", P99: time.Hour, Failed: 1}, "join     p99 failed, want at most 1h0m0s: MISSED", true},
		{objective{Operation: "join", Max: time.Hour, Failed: 1}, "join     max failed, want at most 1h0m0s: MISSED", true},
		{objective{Operation: "join", Failed: 0.1}, "join     failed 0.1, want at most 0.1: ok", false},
		{objective{Operation: "join", Failed: 0.09}, "join     failed 0.1, want at most 0.09: MISSED", true},
		{objective{Operation: "flip", Max: 1, Failed: 0}, "flip     not judged: there was no such operation", false},
	} {
		var r recorder
		j := NewJudge([]scenario.Objective{c.objective}, &r)
		for i := range 10 {
			status := reports.StatusOK
			if i == 9 {
				status = reports.StatusTimeout
			}
			j.Sample(reports.Sample{
				Stage: reports.StageLoad, Kind: reports.KindJoin, Status: status, Value: float64((i + 1) * int(ms)),
			})
		}
		j.Sample(reports.Sample{Stage: reports.StageLoad, Kind: reports.KindRepair, Status: reports.StatusTimeout})
		text, err := j.Verdict()
		if !strings.Contains(text, c.says) || errors.Is(err, ErrObjective) != c.missed || strings.Count(text, "\n") != 1 {
			t.Errorf("%+v: %q, %v, want %q", c.objective, text, err, c.says)
		}
		if len(r.samples) != 11 {
			t.Errorf("%d of 11 samples were handed on", len(r.samples))
		}
	}
}

// A report has a word for every kind of operation.
func TestKindsHaveWords(t *testing.T) {
	for _, kind := range scenario.Kinds() {
		if reports.Many(kind) == kind {
			t.Errorf("no word for many of %s", kind)
		}
	}
}
