package main

import (
	"path/filepath"
	"strings"
	"testing"

	"i3bench/reports"
)

// A run whose generator was the limit ends with exit code 4, whatever offers the load; the limit is a flag, and what
// was measured is kept and says so.
func TestLimitedGeneratorExits(t *testing.T) {
	fixed := "load --standing 2 --pool 4 --joins 20 --repairs 20 --for 500ms"
	played := "load --scenario " + scenarioFile(t, small)
	for _, c := range []struct {
		args string
		code int
	}{
		{fixed + " --late 1ns", exitInvalid},
		{fixed + " --late 1m", exitOK},
		{played + " --late 1ns", exitInvalid},
		{played + " --late 1ns --set objectives.join.max=1ns", exitInvalid}, // it says nothing about the objective
	} {
		dir := filepath.Join(t.TempDir(), "out")
		code, out, errs := bench(append(strings.Fields(c.args), "--progress", "none", "--out", dir)...)
		if code != c.code || (code == exitInvalid) != strings.Contains(errs, "INVALID: the load generator was the limit") {
			t.Errorf("%s: exit %d, want %d: %s", c.args, code, c.code, errs)
		}
		r := readable(t, dir)
		if invalid := len(r.Manifest.Invalid) == 1; invalid != (c.code == exitInvalid) {
			t.Errorf("%s: invalid because of %q", c.args, r.Manifest.Invalid)
		}
		told := strings.HasPrefix(out, "INVALID: ")
		if len(r.Select(reports.StageLoad, reports.KindJoin)) == 0 || told != (code == exitInvalid) {
			t.Errorf("%s: printed\n%.300s", c.args, out)
		}
	}
}
