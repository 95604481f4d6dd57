package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"i3bench/reports"
	"i3bench/reports/profile"
)

// profiled makes a directory with a profile of so many samples that sent and that matched.
func profiled(t *testing.T, name string, sent, matched int64) string {
	t.Helper()
	send := &pprof.Function{ID: 1, Name: "i3bench/cluster.(*sender).Send"}
	match := &pprof.Function{ID: 2, Name: "i3bench/matcher.(*Table).MatchBatch"}
	at := []*pprof.Location{
		{ID: 1, Line: []pprof.Line{{Function: send}}}, {ID: 2, Line: []pprof.Line{{Function: match}}},
	}
	p := &pprof.Profile{
		SampleType: []*pprof.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &pprof.ValueType{Type: "cpu", Unit: "nanoseconds"},
		Function:   []*pprof.Function{send, match}, Location: at,
		Sample: []*pprof.Sample{
			{Location: at[:1], Value: []int64{sent, sent * 1e7}}, {Location: at[1:], Value: []int64{matched, matched * 1e7}},
		},
	}
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := p.Write(f); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestProfile(t *testing.T) {
	a, b := profiled(t, "cpu.pprof", 300, 100), profiled(t, "cpu-n1.pprof", 300, 300)
	code, out, errs := analyze("profile", a, filepath.Join(b, "cpu-n1.pprof"))
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d, %s", code, errs)
	}
	out = strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"1,000 samples", "2 profiles", "send 600 6.00 s 60.0 %", "match 400 4.00 s 40.0 %", "cluster.(*sender).Send",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code, out, _ = analyze("profile", a, "--base", b); code != exitOK || !strings.Contains(out, "+25.0") ||
		!strings.Contains(out, "more") {
		t.Errorf("exit %d, expected 25 points more of send:\n%s", code, out)
	}
}

func TestProfileJSON(t *testing.T) {
	a, b := profiled(t, "cpu.pprof", 300, 100), profiled(t, "cpu.pprof", 300, 300)
	code, out, errs := analyze("profile", "--json", a, "--base", b)
	var s profile.Summary
	if err := json.Unmarshal([]byte(out), &s); code != exitOK || err != nil {
		t.Fatalf("exit %d, %v, %s, %s", code, err, errs, out)
	}
	if s.Samples != 400 || len(s.Stages) != 2 || s.Stages[1].Stage != "send" || s.Stages[1].Share != 0.75 ||
		s.Base == nil || s.Base.Samples != 600 || s.Stages[1].Difference == nil || *s.Stages[1].Difference != 0.25 {
		t.Errorf("%s, expected 400 samples, send with 0.75, a quarter more than the baseline", out)
	}
}

// A page and a drawing are written on request; what is damaged is named, and the rest shown all the same.
func TestProfileFiles(t *testing.T) {
	dir := profiled(t, "cpu.pprof", 300, 100)
	if err := os.WriteFile(filepath.Join(dir, "cpu-n2.pprof"), []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, begin := range map[string]string{"p.html": "<!DOCTYPE html>", "p.svg": "<svg "} {
		path := filepath.Join(t.TempDir(), name)
		code, out, errs := analyze("profile", dir, "--out", path)
		text, err := os.ReadFile(path)
		if code != exitOK || err != nil || !strings.HasPrefix(string(text), begin) || !strings.Contains(out, path) {
			t.Errorf("%s: exit %d, %v, %s%.60s, expected a file that begins with %s", name, code, err, errs, text, begin)
		}
		if !strings.Contains(out, "cpu-n2.pprof") || !strings.Contains(out, "want a CPU profile") {
			t.Errorf("the damaged file is not named:\n%s", out)
		}
	}
}

func TestProfileErrors(t *testing.T) {
	dir, idle, empty := profiled(t, "cpu.pprof", 1, 1), profiled(t, "cpu.pprof", 0, 0), t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"profile"}, exitUsage, "<paths>"},
		{[]string{"profile", empty}, exitError, "without cpu*.pprof"},
		{[]string{"profile", filepath.Join(empty, "none")}, exitError, "no such file"},
		{[]string{"profile", dir, "--base", empty}, exitError, "--base"},
		{[]string{"profile", dir, "--out", filepath.Join(empty, "none", "x.html")}, exitError, "no such file"},
		{[]string{"profile", idle, "--out", filepath.Join(empty, "x.svg")}, exitError, "no samples"},
	} {
		if code, _, errs := analyze(c.args...); code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("%v: exit %d, %q, expected %d and %q", c.args, code, errs, c.code, c.says)
		}
	}
}

// A report shows the profile of its result, beside that of a baseline if there is one.
func TestReportBesideBaseline(t *testing.T) {
	dir, base := result(t), profiled(t, "cpu.pprof", 300, 300)
	old := filepath.Join(profiled(t, "cpu.pprof", 300, 100), "cpu.pprof")
	if err := os.Rename(old, filepath.Join(dir, reports.ProfileFile)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"report", dir}, {"report", dir, "--baseline", base}} {
		code, out, errs := analyze(args...)
		page, _ := os.ReadFile(filepath.Join(dir, reports.HTMLFile))
		if code != exitOK || !strings.Contains(out, "Processor time by stage") ||
			!strings.Contains(string(page), `id="flame-title"`) {
			t.Errorf("%v: exit %d, %s, expected the profile", args, code, errs)
		}
		if has := strings.Contains(string(page), `id="flame-diff-title"`); has != (len(args) == 4) {
			t.Errorf("%v: a differential flame graph: %v", args, has)
		}
	}
}
