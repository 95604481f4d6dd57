package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"i3bench/cluster"
	"i3bench/reports"
	"i3bench/reports/profile"
)

// A run with --profile leaves a profile and nothing half-written; one without leaves none.
func TestRunKeepsProfile(t *testing.T) {
	for _, profile := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "result")
		args := strings.Fields("deliver --world sim --receivers 4 --packets 50 --progress none --out " + dir)
		if profile {
			args = append(args, "--profile")
		}
		if code, _, errs := bench(args...); code != exitOK {
			t.Fatalf("exit %d, %s", code, errs)
		}
		info, err := os.Stat(filepath.Join(dir, reports.ProfileFile))
		if (err == nil) != profile || profile && info.Size() == 0 {
			t.Errorf("profile %v: %v, %v", profile, info, err)
		}
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("profile %v: %s is left over", profile, e.Name())
			}
		}
	}
}

// On a short load most of the time is attributed, to several stages of the protocol, and by labels, too.
func TestLoadIsAttributed(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: shares of processor time are not those of the program under the race detector")
	}
	dir := filepath.Join(t.TempDir(), "result")
	args := strings.Fields("load --joins 600 --repairs 600 --for 3s --late 1m --profile --progress none --out " + dir)
	code, _, errs := bench(args...)
	if code != exitOK {
		t.Fatalf("exit %d, %s", code, errs)
	}
	p, err := profile.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	stages := p.Stages()
	if other := p.Share(stages[profile.Other]); other > 0.2 || p.Total.Samples < 20 {
		t.Errorf("%.0f %% of %d samples is not attributed, want at most 20 %% of 20 or more", 100*other, p.Total.Samples)
	}
	if stages[profile.Send].Samples == 0 || stages[profile.Receive].Samples == 0 || p.Share(p.Labelled()) < 0.3 {
		t.Errorf("stages %v, %.0f %% by labels, expected both of send and receive, and most by labels", stages,
			100*p.Share(p.Labelled()))
	}
	for _, label := range []string{cluster.LabelReceive, cluster.LabelMachine, cluster.LabelSend} {
		if labelledSamples(t, filepath.Join(dir, reports.ProfileFile), label) == 0 {
			t.Errorf("no sample has the label %s", label)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, reports.HTMLFile))
	if err != nil || !strings.Contains(string(page), `id="flame-title"`) ||
		!strings.Contains(string(page), "per operation") {
		t.Errorf("%v, expected a flame graph and costs per operation in the report", err)
	}
}

// labelledSamples returns how many samples of a file have a label of a driver.
func labelledSamples(t *testing.T, path, label string) (n int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := pprof.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Sample {
		if s.HasLabel(cluster.LabelKey, label) {
			n += s.Value[0]
		}
	}
	return n
}

// A result directory that has a profile, because its run is gone on with, keeps it.
func TestProfileOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		stop, err := startProfile(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{reports.ProfileFile, "cpu-part2.pprof", "cpu-part3.pprof"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// Where a profile cannot be kept the run says so and does not begin.
func TestProfileWithoutDirectory(t *testing.T) {
	_, err := startProfile(filepath.Join(t.TempDir(), "none"))
	if err == nil || !strings.Contains(err.Error(), "profile") {
		t.Errorf("%v, expected an error about the profile", err)
	}
}
