package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

// small is a scenario of a fraction of a second.
const small = `
name: small
cluster: {nodes: 4, standing: 4, visitors: 8, rate: 100, size: 64, heartbeat: 200ms}
phases:
  - name: only
    for: 400ms
    load:
      - {schedule: poisson, rate: 50, mix: {join: 1, anycast: 1}}
      - {schedule: steps, from: 10, to: 30, steps: 3, mix: {refresh: 1}}
objectives:
  - {operation: join, max: 9s}
`

// scenarioFile writes a scenario to a file of its own.
func scenarioFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A scenario's operations and values are in the result directory and its report.
func TestScenarioRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	file := scenarioFile(t, small)
	code, out, errs := bench("load", "--scenario="+file, "--set=cluster.nodes=5", "--seed=3", "--late=1m", "--out="+dir)
	if code != exitOK {
		t.Fatalf("exit %d: %s\n%s", code, errs, out)
	}
	r := readable(t, dir)
	hasFiles(t, dir)
	for _, kind := range []string{reports.KindJoin, reports.KindAnycast, reports.KindRefresh} {
		if n := len(r.Select(reports.StageLoad, kind)); n < 5 {
			t.Errorf("%d operations %s", n, kind)
		}
		if !strings.Contains(out, "\n  "+kind) {
			t.Errorf("the report says nothing of %s:\n%s", kind, out)
		}
	}
	p := r.Manifest.Parameters
	if p["scenario.cluster.nodes"] != "5" || p["scenario.phases.0.load.1.to"] != "30" || r.Manifest.Seed != 3 {
		t.Errorf("parameters %v, seed %d", p, r.Manifest.Seed)
	}
	if !strings.Contains(out, "objective join     max ") || !strings.Contains(out, "want at most 9s: ok") {
		t.Errorf("no verdict in\n%s", out)
	}
}

// An objective that is missed is exit code 3, and what was measured is kept.
func TestScenarioMissesObjective(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	file := scenarioFile(t, small)
	code, out, errs := bench("load", "--scenario="+file, "--set=objectives.join.max=1ns", "--set=world=sim", "--out="+dir)
	if code != exitMissing || !strings.Contains(errs, "an objective was missed") || !strings.Contains(out, "MISSED") {
		t.Errorf("exit %d, %q\n%s", code, errs, out)
	}
	if r := readable(t, dir); r.Manifest.Status != reports.Failed {
		t.Errorf("status %s", r.Manifest.Status)
	}
}

// A dry run prints the plan and leaves nothing.
func TestScenarioDryRun(t *testing.T) {
	args := strings.Fields("load --scenario=soak --dry-run --shorten=1440 --seed=9 --set=phases.day.load.4.rate=7")
	code, out, errs := bench(args...)
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d, %q", code, errs)
	}
	for _, want := range []string{
		"shorten                            1440\n", "seed                               9\n",
		"phases.0.load.4.rate               7\n",
		"phase day: from 0s for 1m0s\n", "of join\n", "of restart\n", "visitors at a time",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	_, again, _ := bench(args...)
	if out != again {
		t.Error("another plan the second time")
	}
}

func TestScenarioUsage(t *testing.T) {
	file := scenarioFile(t, strings.Replace(small, "rate: 50", "rat: 50", 1))
	for _, c := range []struct {
		args string
		says []string
	}{
		{"load --scenario none", []string{`scenario "none": no such file`, "flash-crowd"}},
		{"load --scenario " + file, []string{"s.yaml:8:29: phases.0.load.0: no key \"rat\"", "want one of schedule, rate"}},
		{"load --scenario soak --late 0s", []string{"--late 0", "want more than zero"}},
		{"load --scenario soak --joins 5", []string{"--joins beside --scenario", "want --set"}},
		{"load --scenario soak --set cluster.nodes=x", []string{"--set cluster.nodes=x", "want a whole number"}},
		{"load --scenario soak --shorten=-1", []string{"--set shorten=-1", "at least 0.001"}},
		{"load --set a=b", []string{"want --scenario"}},
		{"load --dry-run", []string{"want --scenario"}},
		{"load --shorten 2", []string{"want --scenario"}},
	} {
		refuses(t, c.args, c.says)
	}
}

// The help names every scenario and every key.
func TestScenarioHelp(t *testing.T) {
	_, out, _ := bench("load", "--help")
	for _, name := range scenario.Names() {
		if !strings.Contains(out, "  "+name+" ") {
			t.Errorf("no scenario %s in the help", name)
		}
	}
	for _, k := range scenario.Keys() {
		if !strings.Contains(out, k.Path) {
			t.Errorf("no key %s in the help", k.Path)
		}
	}
}
