package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"i3bench/reports/compare"
)

const root = "../../.."

// The changes fit the code as it is.
func TestPlantsFit(t *testing.T) {
	for name, p := range plants {
		if p.file == "" {
			continue
		}
		tree := t.TempDir()
		text, err := os.ReadFile(filepath.Join(root, p.file))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(tree, p.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := apply(tree, name); err != nil {
			t.Error(err)
		}
		if changed, _ := os.ReadFile(path); !bytes.Contains(changed, []byte(p.new)) {
			t.Errorf("%s: not in %s", name, p.file)
		}
		if err := apply(tree, "weeds"); err == nil {
			t.Error("a change that nobody knows was made")
		}
	}
}

// Every benchmark that is to be measured is there.
func TestSetsExist(t *testing.T) {
	for name, set := range sets {
		for _, b := range set {
			function := regexp.MustCompile(`^\^(Benchmark\w+)\$`).FindStringSubmatch(b.run)
			if function == nil {
				t.Fatalf("%s: %s begins with no name of a benchmark", name, b.run)
			}
			files, _ := filepath.Glob(filepath.Join(root, b.pkg, "*_test.go"))
			found := false
			for _, f := range files {
				text, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(string(text), "func "+function[1]+"(b *testing.B)")
			}
			if !found {
				t.Errorf("%s: no %s in %s", name, function[1], b.pkg)
			}
		}
	}
}

// toy makes a repository with one benchmark.
func toy(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		"go.mod":            "module toy\n\ngo 1.26\n",
		"testbed/x_test.go": toySource,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "--quiet"}, {"add", "."},
		{"-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "x"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	return dir
}

const toySource = `package x

import "testing"

func BenchmarkCounts(b *testing.B) { b.ReportMetric(5000, "sim-datagrams") }
`

// What is measured are the commit and the folder as it is, each twice and in turns;
// no working tree stays.
func TestInterleave(t *testing.T) {
	dir, out := toy(t), t.TempDir()
	source := filepath.Join(dir, "testbed", "x_test.go")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "5000", "5001", 1)
	if err := os.WriteFile(source, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	j := job{base: "HEAD", set: "counts", rounds: 4, benchtime: "1x", within: time.Minute, repeat: 1, out: out}
	if err := j.run(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"5000 sim-datagrams", "5001 sim-datagrams"} {
		got, err := os.ReadFile(filepath.Join(out, fileNames[i]))
		if n := strings.Count(string(got), want); err != nil || n != exactRounds {
			t.Errorf("%s: %v, %q stands there %d times, expected %d:\n%s", fileNames[i], err, want, n, exactRounds, got)
		}
	}
	list := exec.Command("git", "worktree", "list")
	list.Dir = dir
	if trees, err := list.Output(); err != nil || strings.Count(string(trees), "\n") != 1 {
		t.Errorf("%v, working trees:\n%s", err, trees)
	}
	old, _ := compare.Read(filepath.Join(out, "old.txt"))
	new, _ := compare.Read(filepath.Join(out, "new.txt"))
	g := compare.Gate{First: compare.Compare(old, new, compare.Options{Units: regexp.MustCompile("^sim-")})}
	if g.Outcome() != compare.Regression {
		t.Errorf("%v:\n%s", g.Outcome(), g.Text())
	}
}

// By processor time, then by the wall; other lines stay where they are.
func TestBest(t *testing.T) {
	in := "pkg: x\nBenchmarkA-2 \t 5 \t 9 ns/op \t 7 cpu-ns/op\nBenchmarkB 5 3 ns/op\n" +
		"BenchmarkA-2 \t 5 \t 8 ns/op \t 8 cpu-ns/op\nBenchmarkB 5 2 ns/op\n" +
		"BenchmarkA-2 \t 5 \t 10 ns/op \t 6 cpu-ns/op\nBenchmarkB 5 4 ns/op\nPASS\n"
	want := "pkg: x\nBenchmarkA-2 \t 5 \t 10 ns/op \t 6 cpu-ns/op\nBenchmarkB 5 2 ns/op\nPASS\n"
	if got := best([]byte(in)); string(got) != want {
		t.Errorf("best lines:\n%s\nwant:\n%s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	dir := toy(t)
	for what, j := range map[string]job{
		"set":          {set: "all", rounds: 1, repeat: 1},
		"rounds":       {set: "counts", repeat: 1},
		"check out":    {set: "counts", rounds: 1, repeat: 1, base: "nowhere"},
		"no time left": {set: "counts", rounds: 1, repeat: 1, base: "HEAD", out: t.TempDir()},
		"plant":        {set: "counts", rounds: 1, repeat: 1, base: "HEAD", plant: "weeds"},
	} {
		if err := j.run(t.Context(), dir); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, expected one about %q", err, what)
		}
	}
}
