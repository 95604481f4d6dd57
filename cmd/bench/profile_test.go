package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"i3bench/reports"
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
