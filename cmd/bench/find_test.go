package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"i3bench/reports"
)

// shortFind are flags with which bench find takes a second or two.
const shortFind = "find --nodes 4 --standing 4 --pool 8 --min 20 --max 40 --trial 200ms --first 100ms " +
	"--confidence 0.5 --budget 20s --late 10s --progress none"

// runFind runs bench find and returns its exit code, its result, and what it printed.
func runFind(t *testing.T, args string) (code int, r *reports.Result, out string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "result")
	code, out, errs := bench(append(strings.Fields(shortFind+" "+args), "--out", dir)...)
	if (code == exitOK) != (errs == "") {
		t.Errorf("%s: exit %d, %q", args, code, errs)
	}
	hasFiles(t, dir)
	return code, readable(t, dir), out + errs
}

// A search that finds that everything up to the largest rate is met ends well, and all forms of its result say so.
func TestFind(t *testing.T) {
	for _, more := range []string{"", " --keep --arrivals poisson --ratio 2"} {
		code, r, out := runFind(t, "--objective join.p99<5s --objective repair.errors<90%"+more)
		if code != exitOK || r.Manifest.Status != reports.Complete {
			t.Fatalf("%s: exit %d, status %s\n%s", more, code, r.Manifest.Status, out)
		}
		trials := r.Select(reports.StageFind, reports.KindTrial)
		joins, repairs := r.Select(reports.StageFind, reports.KindJoin), r.Select(reports.StageFind, reports.KindRepair)
		if len(trials) < 4 || len(joins) == 0 || len(repairs) == 0 || trials[1].Value != 40 {
			t.Errorf("%s: %d trials, %d joins, %d repairs", more, len(trials), len(joins), len(repairs))
		}
		if more != "" && len(repairs) > len(joins) {
			t.Errorf("%d joins, %d repairs, want two joins a repair", len(joins), len(repairs))
		}
		if got := trials[1].Status; (got == reports.SystemKept) != (more != "") {
			t.Errorf("%s: the second trial had a %s group", more, got)
		}
		page, err := os.ReadFile(filepath.Join(r.Dir, reports.HTMLFile))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"at least 40.0/s", "join.p99&lt;5s", "Latency against load"} {
			if !strings.Contains(string(page), want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if !strings.Contains(out, "at least 40.0/s, no rate up to the largest fails") {
			t.Errorf("printed:\n%s", out)
		}
	}
}

// A search without an answer ends with an error, one whose generator was the limit with an error of its own, and what
// was measured is kept.
func TestFindWithoutAnswer(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--objective join.p99<1us", exitError, "no answer: not met at the least rate"},
		{"--objective join.p99<5s --trials 2", exitError, "the budget was used up"},
		{"--objective join.p99<5s --late 1ns", exitInvalid, "INVALID: the generator was the limit from 20 joins/s on"},
	} {
		code, r, out := runFind(t, c.args)
		if code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s", c.args, code, c.code, c.says, out)
		}
		if r.Manifest.Status != reports.Failed || len(r.Select(reports.StageFind, reports.KindTrial)) < 2 {
			t.Errorf("%s: status %s", c.args, r.Manifest.Status)
		}
	}
}
