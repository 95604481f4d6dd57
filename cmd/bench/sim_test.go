package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"i3bench/reports"
)

// tinySim are flags with which bench sim takes a second or two.
const tinySim = "sim --sizes 8,20 --servers 30 --nets A-M --others D-M --packets 5 --lifetime 5s --periods 1 " +
	"--receivers 30 --rtt testdata/rtt_8.txt"

// simSamples returns the samples of a result as text, in an order that does not
// depend on which runs were beside each other, and without what the clock says.
func simSamples(t *testing.T, dir string) string {
	t.Helper()
	r := readable(t, dir)
	data, err := os.ReadFile(filepath.Join(dir, reports.SamplesFile))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if f := strings.Split(line, ","); f[1] == reports.KindRun {
			f[7] = "" // its time
			line = strings.Join(f, ",")
		}
		lines = append(lines, line)
	}
	if len(lines) != r.Count+1 {
		t.Errorf("%d lines of %d samples", len(lines), r.Count)
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// Every row leaves its samples, a note of what it was, and the traces in the report;
// what will be run is printed before.
func TestSimRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	code, out, errs := bench(strings.Fields(tinySim + " --seeds 2 --seed 5 --crashes 2 " +
		"--rows scale,tree,recovery,cluster,wan --progress none --out " + dir)...)
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d, %q", code, errs)
	}
	hasFiles(t, dir)
	r := readable(t, dir)
	if r.Manifest.Status != reports.Complete {
		t.Errorf("status %s, %s", r.Manifest.Status, r.Manifest.Error)
	}
	intro := out[:strings.Index(out, "\n\n")]
	for _, want := range []string{
		`^Seeds 5 to 6; trees of more than 4096 receivers with 5 to 6\.\n`,
		`\n  tree +8 runs: trees .*30 servers, D = 8, T = 5s, clock skew up to 1s\n`,
		`\n  recovery +16 runs: losses .*30 servers, D = 8, T = 5s, clock skew up to 1s, 2 receivers crash a minute, ` +
			`losses up to 0.04 and 0.08\n`,
		`\n  cluster +4 runs: .*64 receivers, D = 4, jitter none and up to 200µs\n`,
		`\n  wan +2 runs: .*a measured matrix, D = 8\n`,
		`\n  scale +1 run: .*30 receivers, \d+ threads, 30 servers`,
	} {
		if ok, err := regexp.MatchString(want, intro+"\n"); !ok || err != nil {
			t.Errorf("the introduction does not say %s:\n%s", want, intro)
		}
	}
	for stage, note := range map[string]string{
		reports.StageTree: "8 runs; 30 servers", reports.StageRefresh: "runs of tree",
		reports.StageRecovery: "2 receivers crash",
		reports.StageCluster:  "D = 4", reports.StageWAN: "a measured matrix", reports.StageScale: "30 receivers",
	} {
		s, ok := r.Stage(stage)
		if !ok || s.Status != reports.Complete || !strings.Contains(s.Note, note) {
			t.Errorf("stage %s: %+v, expected a note of %q", stage, s, note)
		}
		if stage != reports.StageTree && stage != reports.StageRecovery && stage != reports.StageScale &&
			strings.Contains(s.Note, "servers") {
			t.Errorf("stage %s has no 30 servers: %s", stage, s.Note)
		}
	}
	for name, want := range map[string]string{"sim-degree": "8", "sim-period": "5s", "skew": "1s", "sizes": "[8 20]"} {
		if got := r.Manifest.Parameters[name]; got != want {
			t.Errorf("parameter %s is %q, expected %q", name, got, want)
		}
	}
	traces := 0
	for _, stage := range []string{
		reports.StageTree, reports.StageRecovery, reports.StageCluster, reports.StageWAN, reports.StageScale,
	} {
		for _, s := range r.Select(stage, reports.KindTrace) {
			traces++
			if !strings.Contains(out, s.Status) {
				t.Errorf("the trace of %s, %s, is not in the report", s.Group, s.Status)
			}
		}
	}
	if traces != 8+16+4+2+1 {
		t.Errorf("%d traces", traces)
	}
}

// The same seed gives the same samples, however many run beside each other.
func TestSimRepeats(t *testing.T) {
	samples := func(more string) string {
		dir := filepath.Join(t.TempDir(), "result")
		code, _, errs := bench(strings.Fields(tinySim + " --rows tree,recovery --progress none --out " + dir + " " + more)...)
		if code != exitOK {
			t.Fatalf("exit %d, %s", code, errs)
		}
		return simSamples(t, dir)
	}
	one := samples("--seeds 1 --beside 1")
	if samples("--seeds 1 --beside 3") != one {
		t.Error("other samples with three beside each other")
	}
	if samples("--seeds 1 --seed 2") == one {
		t.Error("another seed gave the same samples")
	}
}

// Without the flag the simulations begin with a seed that nothing was chosen with,
// and other commands with 1.
func TestFirstSeed(t *testing.T) {
	for args, want := range map[string]uint64{
		"sim --rows cluster --seeds 1": 101, "sim --rows cluster --seeds 1 --seed 7": 7,
		"cluster --world sim --cluster-seeds 1": 1,
	} {
		dir := filepath.Join(t.TempDir(), "result")
		if code, _, errs := bench(strings.Fields(args + " --progress none --out " + dir)...); code != exitOK {
			t.Fatalf("%s: exit %d, %s", args, code, errs)
		}
		r := readable(t, dir)
		sampled := r.Select(reports.StageCluster, reports.KindDepth)[0].Seed
		if m := r.Manifest; m.Seed != want || sampled != want || m.Parameters["seed"] != fmt.Sprint(want) {
			t.Errorf("%s: seed %d, %s in the parameters, %d in the samples", args, m.Seed, m.Parameters["seed"], sampled)
		}
	}
}

// The same joins are run here and on sockets.
func TestSimMatch(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: without a quarter of a minute on sockets")
	}
	t.Parallel() // it mostly waits
	dir := filepath.Join(t.TempDir(), "result")
	if code, _, errs := bench("sim", "--rows=match", "--seeds=1", "--progress=none", "--out="+dir); code != exitOK {
		t.Fatalf("exit %d, %s", code, errs)
	}
	r := readable(t, dir)
	if n := len(r.Select(reports.StageMatch, reports.KindLevel)); n != 128 {
		t.Errorf("%d receivers in both worlds, expected 64 in each", n)
	}
	traces := r.Select(reports.StageMatch, reports.KindTrace)
	if len(traces) != 1 || traces[0].Group != "match sim seed 101" {
		t.Errorf("traces %+v, expected that of the simulated run", traces)
	}
}

// A row for which no group size is small enough is skipped and says so; with no row
// left the flags are wrong.
func TestSimSkipsRows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	code, out, errs := bench("sim", "--rows=recovery,cluster", "--sizes=16384", "--seeds=1", "--progress=none",
		"--out="+dir)
	if code != exitOK {
		t.Fatalf("exit %d, %s", code, errs)
	}
	s, ok := readable(t, dir).Stage(reports.StageRecovery)
	if !ok || s.Status != reports.Skipped || !strings.Contains(s.Note, "no group size") ||
		!strings.Contains(out, "0 runs") {
		t.Errorf("stage %+v", s)
	}
}

func TestSimUsageErrors(t *testing.T) {
	for args, says := range map[string]string{
		"--rows trees":                  `--rows "trees": want some of tree, recovery, cluster, wan, match, nodes, scale`,
		"--rows=":                       "--rows: want some of tree",
		"--seeds 0":                     "--seeds 0: want more than zero",
		"--seeds x":                     "--seeds",
		"--large-seeds=-1":              "--large-seeds -1: want 0 to",
		"--sizes=":                      "--sizes: want at least one",
		"--sizes 0,16":                  "--sizes [0 16]: want numbers above zero",
		"--sizes 64,16":                 "--sizes [64 16]: want numbers above zero, each larger than the one before",
		"--sizes 16,16":                 "--sizes [16 16]: want",
		"--sizes 65536 --rows recovery": "--sizes [65536]: want some of up to 4096",
		"--sizes 8192 --large-seeds 0 --rows tree": "--sizes [8192]: want some of up to 4096",
		"--servers 0":             "--servers 0: want more than zero",
		"--servers 9901":          "--servers 9901: want at most 9900, the places of A-M",
		"--degree 0":              "--degree 0: want more than zero",
		"--lifetime 1ms":          "--lifetime 1ms: want 1s or more",
		"--lifetime=-5s":          "--lifetime -5s: want 1s or more",
		"--periods 0":             "--periods 0: want more than zero",
		"--nets=":                 "--nets: want at least one",
		"--nets A":                `--nets "A": experiments: network "A": want an instance and a reading`,
		"--nets A-M,A-M":          `"A-M" is there twice`,
		"--nets A-M --others A-M": `--nets and --others: "A-M" is there twice`,
		"--others Z-M":            `--others "Z-M"`,
		"--variants=":             "--variants: want at least one",
		"--variants wide":         `--variants "wide": want paper or relays`,
		"--variants paper,paper":  `--variants: "paper" is there twice`,
		"--packets 0":             "--packets 0: want more than zero",
		"--rtt testdata/none.txt": "testdata/none.txt",
		"--receivers 0":           "--receivers 0: want more than zero",
		"--skew=-1s":              "--skew -1s: want no less than zero",
		"--jitter=-1s":            "--jitter -1s: want no less than zero",
		"--crashes=-1":            "--crashes -1: want 0 to 100000",
		"--node-loss 1.5":         "--node-loss 1.5: want 0 to 1",
		"--host-loss=-1":          "--host-loss -1: want 0 to 1",
		"--crashes nan":           "--crashes NaN: want 0 to 100000",
		"--restarts inf":          "--restarts +Inf: want 0 to 100000",
		"--beside=-1":             "--beside -1: want 0 to",
		"--workers 15":            "--workers 15: want 0 to 14",
		"--bogus":                 "--bogus",
	} {
		dir := filepath.Join(t.TempDir(), "out")
		code, out, errs := bench(append([]string{"sim", "--out=" + dir}, strings.Fields(args)...)...)
		if code != exitUsage || !strings.HasPrefix(errs, "bench: ") || out != "" || !strings.Contains(errs, says) {
			t.Errorf("%s: exit %d, %q, %q, expected %q", args, code, out, errs, says)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: left a result directory", args)
		}
	}
	code, _, errs := bench("sim", "--resume")
	if code != exitUsage || !strings.Contains(errs, "--resume: want --out") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestSimHelp(t *testing.T) {
	code, out, errs := bench("sim", "--help")
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d, %q", code, errs)
	}
	for _, row := range simRows {
		if ok, _ := regexp.MatchString(`(?m)^ +`+row.name+` +`+regexp.QuoteMeta(row.what)+`$`, out); !ok {
			t.Errorf("the help does not list row %s:\n%s", row.name, out)
		}
	}
	for _, want := range []string{"--rows=tree,recovery,cluster,wan,match", "--sizes=16,64,256,1024,4096,16384,65536",
		"--servers=8192", "--variants=paper,relays", "--resume"} {
		if !strings.Contains(out, want) {
			t.Errorf("the help does not say %s:\n%s", want, out)
		}
	}
}

// A run that cannot be gone on with is left as it is, and the message says why.
func TestSimResumeErrors(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	run := func(more string) (int, string) {
		args := tinySim + " --rows cluster --seeds 1 --progress none --out " + dir + " " + more
		code, _, errs := bench(strings.Fields(args)...)
		return code, errs
	}
	if code, errs := run("--resume"); code != exitError || !strings.Contains(errs, "expected the manifest of a run") {
		t.Errorf("no run to go on with: exit %d, %q", code, errs)
	}
	if code, errs := run(""); code != exitOK {
		t.Fatalf("exit %d, %q", code, errs)
	}
	before := simSamples(t, dir)
	for more, says := range map[string]string{
		"--resume --servers 31":  `--servers "31", before "30"`,
		"--resume --seed 2":      "--seed 2, before 101",
		"--resume --rows wan":    `--rows "[cluster wan]", before "[cluster]"`,
		"--resume --lifetime 6s": `--lifetime "6s", before "5s"`,
		"":                       "expected a directory without a result",
	} {
		if code, errs := run(more); code != exitError || !strings.Contains(errs, says) {
			t.Errorf("%s: exit %d, %q, expected %q", more, code, errs, says)
		}
	}
	if code, errs := run("--resume --beside 1 --workers 2"); code != exitOK {
		t.Errorf("what does not matter differs: exit %d, %q", code, errs)
	}
	if simSamples(t, dir) != before {
		t.Error("the samples are others now")
	}
}

// resumed goes on with a run until its end.
func resumed(t *testing.T, args, dir string) (out string) {
	t.Helper()
	code, out, errs := bench(strings.Fields(args + " --resume --progress none --out " + dir)...)
	if code != exitOK {
		t.Fatalf("exit %d, %s", code, errs)
	}
	if r := readable(t, dir); r.Manifest.Status != reports.Complete {
		t.Errorf("status %s", r.Manifest.Status)
	}
	hasFiles(t, dir)
	return out
}

// A run that was killed or interrupted, and resumed, has the samples of one that
// was not.
func TestSimResumes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: four runs, two of them resumed, take a while")
	}
	args := tinySim + " --rows tree,recovery,cluster --seeds 8 --beside 2 --packets 40"
	whole := filepath.Join(t.TempDir(), "whole")
	if code, _, errs := bench(strings.Fields(args + " --progress none --out " + whole)...); code != exitOK {
		t.Fatalf("exit %d, %s", code, errs)
	}
	want := simSamples(t, whole)
	for _, sig := range []os.Signal{os.Kill, os.Interrupt} {
		t.Run(sig.String(), func(t *testing.T) {
			p := startBench(t, args)
			p.await(20)
			if end := p.signal(sig); end.Success() {
				t.Fatalf("it ended before the signal: %v", end)
			}
			r, err := reports.Open(p.dir)
			if err != nil || r.Manifest.Status != reports.Interrupted {
				t.Fatalf("%v, status %s", err, r.Manifest.Status)
			}
			if sig == os.Interrupt {
				hasFiles(t, p.dir)
				if text := reports.Text(r); !strings.Contains(text, "INTERRUPTED") {
					t.Errorf("the text does not say so:\n%.300s", text)
				}
			}
			out := resumed(t, args, p.dir)
			if ok, _ := regexp.MatchString(`tree +\d+ runs \(\d+ done before\)`, out); !ok {
				t.Errorf("it does not say what was done before:\n%.300s", out)
			}
			if got := simSamples(t, p.dir); got != want {
				t.Errorf("the samples differ: %s", differ(got, want))
			}
		})
	}
}

// differ returns the first lines in which two texts differ.
func differ(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if c := cmp.Compare(x[i], y[i]); c != 0 {
			return fmt.Sprintf("%q, expected %q", x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines, expected %d", len(x), len(y))
}
