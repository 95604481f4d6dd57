package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"i3bench/cluster/senders"
	"i3bench/internal/deliver"
	"i3bench/reports"
)

func TestMain(m *testing.M) {
	deliver.Main(senders.Roles())
	if os.Getenv(asProgram) != "" {
		main() // ends the process
	}
	// What package os/signal starts for the first signal that is asked for lives on.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/signal.signal_recv"),
		goleak.IgnoreTopFunction("os/signal.loop"))
}

// bench runs the command in this process.
func bench(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(args, &o, &e)
	return code, o.String(), e.String()
}

// readable opens a result directory and checks that everything in it could be read.
func readable(t *testing.T, dir string) *reports.Result {
	t.Helper()
	r, err := reports.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) > 0 {
		t.Errorf("%s: %v", dir, r.Warnings)
	}
	return r
}

// hasFiles checks that the result directory of a run that ended holds every file, and none of them is empty.
func hasFiles(t *testing.T, dir string) {
	t.Helper()
	filled(t, dir, reports.ManifestFile, reports.SamplesFile, reports.EventsFile, reports.LatencyFile, reports.BenchFile,
		reports.HTMLFile)
}

// filled checks that files are there and not empty.
func filled(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, c := range []struct {
		args  []string
		names []string
	}{
		{[]string{"--help"}, []string{"tour", "cluster", "wan", "load", "micro", "deliver", "--out", "--seed", "--progress"}},
		{[]string{"tour", "--help"}, []string{"--quick", "--rtt", "--joins", "--cluster-seeds"}},
		{[]string{"cluster", "--help"}, []string{"--cluster-seeds=", "--nodes=32", "--degree=4", "--world"}},
		{[]string{"wan", "--help"}, []string{"--wan-seeds=", "--rtt=FILE", "--sites=", "--variants"}},
		{[]string{"load", "--help"}, []string{"--joins=2200", "--repairs=2200", "--for=10s", "--standing=64"}},
		{[]string{"micro", "--help"}, []string{
			"--sizes=1e3,1e4,1e5,1e6", "--hits=100,50", "--rounds=3", "--time=0.3s", "--from=FILE",
			"--parts=lookups,copies", "--fans=1,8,64,256", "--payloads=64,512,1200",
		}},
		{[]string{"find", "--help"}, []string{
			"--objective", "join.p99<250ms", "--min=100", "--max=20000", "--ratio=1", "--precision=0.1", "--confidence=0.9",
			"--trial=2s", "--budget=3m", "--keep", "backlog",
		}},
		{[]string{"deliver", "--help"}, []string{"--receivers=64", "--packets=10000", "--rate="}},
	} {
		code, out, errs := bench(c.args...)
		if code != exitOK || errs != "" {
			t.Errorf("%v: exit %d, %q", c.args, code, errs)
		}
		for _, name := range c.names {
			if !strings.Contains(out, name) {
				t.Errorf("%v does not name %s:\n%s", c.args, name, out)
			}
		}
	}
}

// Wrong usage exits 2 before anything is run or written; the message names the flag and what was expected, or the
// file, line and column.
func TestUsageErrors(t *testing.T) {
	for _, c := range []struct {
		args string
		says []string
	}{
		{"nonsense", []string{"nonsense"}},
		{"cluster --bogus", []string{"--bogus"}},
		{"cluster extra", []string{"extra"}},
		{"cluster --nodes", []string{"--nodes"}},
		{"cluster --nodes many", []string{"--nodes", "many", "int"}},
		{"cluster --nodes 0", []string{"--nodes 0", "want more than zero"}},
		{"cluster --degree=-1", []string{"--degree -1", "want more than zero"}},
		{"cluster --cluster-seeds 0", []string{"--cluster-seeds 0", "want more than zero"}},
		{"cluster --world moon", []string{"--world", "udp", "sim", "moon"}},
		{"cluster --seed -1", []string{"--seed", "-1"}},
		{"cluster --progress loud", []string{"--progress", "plain", "none", "loud"}},
		{"wan --sites 0", []string{"--sites 0", "want more than zero"}},
		{"wan --packets 0", []string{"--packets 0", "want more than zero"}},
		{"wan --sites 9 --rtt testdata/rtt_8.txt", []string{"--sites 9", "has 8"}},
		{"wan --sites 491", []string{"--sites 491", "has 490"}},
		{"wan --variants narrow", []string{"--variants", "narrow", "want paper or wide"}},
		{"wan --rtt testdata/none.txt", []string{"testdata/none.txt", "no such file"}},
		{"wan --rtt testdata", []string{"testdata"}},
		{"wan --rtt testdata/bad_entry.txt", []string{"testdata/bad_entry.txt:2:3", "x5", "want"}},
		{"wan --rtt testdata/bad_row.txt", []string{"testdata/bad_row.txt:2", "2 entries", "want 3"}},
		{"wan --rtt testdata/empty.txt", []string{"testdata/empty.txt", "want"}},
		{"load --joins 0", []string{"--joins 0", "want more than zero"}},
		{"load --repairs nan", []string{"--repairs NaN", "want more than zero"}},
		{"load --late 0s", []string{"--late 0", "want more than zero"}},
		{"load --catchup later", []string{"--catchup", "later", "smooth, burst or none"}},
		{"load --joins inf", []string{"--joins +Inf", "want"}},
		{"load --joins 1e300", []string{"--joins 1e+300", "want"}},
		{"load --repairs 2e9", []string{"--repairs 2e+09", "want"}},
		{"load --for never", []string{"--for", "never", "duration"}},
		{"load --for 0s", []string{"--for 0", "want more than zero"}},
		{"load --standing 0", []string{"--standing 0", "want more than zero"}},
		{"load --rate inf", []string{"--rate +Inf", "want"}},
		{"find --objective join.p98<1s", []string{"--objective", "join.p98<1s", "want p50"}},
		{"find --objective join.p99<1s,join.p99<1s", []string{"--objective", "there twice"}},
		{"find --min 0", []string{"--min 0", "want more than zero"}},
		{"find --min 100 --max 50", []string{"rates from 100 to 50", "ascending"}},
		{"find --max inf", []string{"--max +Inf", "want a finite number"}},
		{"find --max 2e9", []string{"--max 2e+09", "want at most"}},
		{"find --ratio nan", []string{"--ratio NaN", "want more than zero"}},
		{"find --ratio 1e-9", []string{"--max / --ratio", "want at most"}},
		{"find --precision 3", []string{"precision 3", "want 0.001 to 1"}},
		{"find --confidence 1", []string{"confidence 1", "want 0.5 to 0.999"}},
		{"find --trial 1s --first 2s", []string{"trials of 2 to 1 s"}},
		{"find --checks 1.5", []string{"a check at 1.5"}},
		{"find --pool 5000", []string{"--pool 5000", "want at most 4096"}},
		{"find --timeout 100ms", []string{"--timeout 100ms", "want at least 500ms"}},
		{"find --late=-1s", []string{"--late -1s"}},
		{"find --arrivals bursts", []string{"--arrivals", "constant", "poisson", "bursts"}},
		{"deliver --receivers 0", []string{"--receivers 0", "want more than zero"}},
		{"deliver --rate 0", []string{"--rate 0", "want more than zero"}},
		{"deliver --degree 0", []string{"--degree 0", "want more than zero"}},
		{"deliver --runs 0", []string{"--runs 0", "want more than zero"}},
		{"--joins 0", []string{"--joins 0", "want more than zero"}}, // the main job
		{"tour --rtt testdata/bad_entry.txt", []string{"testdata/bad_entry.txt:2:3"}},
	} {
		refuses(t, c.args, c.says)
	}
}

// refuses expects wrong usage.
func refuses(t *testing.T, args string, says []string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	code, out, errs := bench(append(strings.Fields(args), "--out="+dir)...)
	if code != exitUsage || !strings.HasPrefix(errs, "bench: ") || out != "" {
		t.Errorf("%s: exit %d, %q, %q", args, code, out, errs)
	}
	for _, s := range says {
		if !strings.Contains(errs, s) {
			t.Errorf("%s: %q does not say %q", args, errs, s)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s: left a result directory", args)
	}
}

// With several bad values the message is the same every time.
func TestUsageErrorsAreStable(t *testing.T) {
	for range 20 {
		_, _, errs := bench("cluster", "--nodes=0", "--degree=0", "--cluster-seeds=0")
		if _, _, again := bench("cluster", "--nodes=0", "--degree=0", "--cluster-seeds=0"); again != errs {
			t.Fatalf("%q, then %q", errs, again)
		}
	}
}

// A run leaves a directory with the manifest, every sample, and the report in both forms, and prints the figures.
func TestClusterRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	args := strings.Fields("cluster --world sim --cluster-seeds 2 --seed 11 --progress none --out " + dir)
	code, out, errs := bench(args...)
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d, %q", code, errs)
	}
	if !strings.Contains(out, "report: "+filepath.Join(dir, reports.HTMLFile)) || !strings.Contains(out, "table2a") {
		t.Errorf("printed:\n%s", out)
	}
	hasFiles(t, dir)
	r := readable(t, dir)
	m := r.Manifest
	if m.Status != reports.Complete || m.Seed != 11 || m.Error != "" || m.Stopped.Before(m.Started) {
		t.Errorf("%+v", m)
	}
	if !slices.Equal(m.Command, append([]string{"bench"}, args...)) {
		t.Errorf("command %q", m.Command)
	}
	for name, want := range map[string]string{"world": "sim", "cluster-seeds": "2", "nodes": "32", "degree": "4"} {
		if m.Parameters[name] != want {
			t.Errorf("parameter %s is %q, expected %q", name, m.Parameters[name], want)
		}
	}
	st, ok := r.Stage(reports.StageCluster)
	if !ok || st.Status != reports.Complete || !strings.Contains(st.Note, "sim") {
		t.Errorf("stage %+v", st)
	}
	depths, joins := r.Select(reports.StageCluster, reports.KindDepth), r.Select(reports.StageCluster, reports.KindJoin)
	if len(depths) != 10 || len(joins) != 128 || depths[0].Seed != 11 || depths[9].Seed != 12 {
		t.Errorf("%d depths, %d joins", len(depths), len(joins))
	}
}

// The same seed gives the same samples in virtual time, and another seed others.
func TestSeed(t *testing.T) {
	samples := func(seed string) string {
		dir := filepath.Join(t.TempDir(), "result")
		if code, _, errs := bench("cluster", "--world=sim", "--cluster-seeds=1", "--seed="+seed, "--out="+dir,
			"--progress=none"); code != exitOK {
			t.Fatalf("exit %d, %s", code, errs)
		}
		data, err := os.ReadFile(filepath.Join(dir, reports.SamplesFile))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := csv.NewReader(bytes.NewReader(data)).ReadAll(); err != nil {
			t.Error(err)
		}
		return string(data)
	}
	one := samples("1")
	if samples("1") != one {
		t.Error("the same seed gave other samples")
	}
	if samples("2") == one {
		t.Error("another seed gave the same samples")
	}
}

// wan runs on a matrix that the user names, with both variants, and deliver in virtual time.
func TestOtherStages(t *testing.T) {
	for _, c := range []struct {
		args  string
		stage string
		kinds map[string]int // a lower bound of the samples of each
	}{
		{"wan --world sim --wan-seeds 2 --sites 8 --rtt testdata/rtt_8.txt --packets 20 --variants paper,wide",
			reports.StageWAN, map[string]int{reports.KindStretch: 56, reports.KindDelivered: 64, reports.KindRepair: 1}},
		{"wan --world sim --wan-seeds 1 --sites 5 --packets 5", reports.StageWAN,
			map[string]int{reports.KindStretch: 8, reports.KindDelivered: 10}},
		{"deliver --world sim --receivers 10 --packets 50 --runs 2", reports.StageDeliver,
			map[string]int{reports.KindDelivered: 20}},
	} {
		dir := filepath.Join(t.TempDir(), "result")
		args := append(strings.Fields(c.args), "--out", dir, "--progress", "none")
		if code, _, errs := bench(args...); code != exitOK || errs != "" {
			t.Errorf("%s: exit %d, %q", c.args, code, errs)
			continue
		}
		hasFiles(t, dir)
		r := readable(t, dir)
		if s, ok := r.Stage(c.stage); !ok || s.Status != reports.Complete || r.Manifest.Status != reports.Complete {
			t.Errorf("%s: %+v, %s", c.args, s, r.Manifest.Status)
		}
		for kind, n := range c.kinds {
			if got := len(r.Select(c.stage, kind)); got < n {
				t.Errorf("%s: %d samples of %s, expected %d", c.args, got, kind, n)
			}
		}
	}
}

// Packets that come faster than anybody can keep them for repair are missing in the end: the run exits 3, and its
// result says that it failed, and by how much.
func TestMissingPacketsExit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	code, _, errs := bench("deliver", "--world=sim", "--receivers=8", "--packets=5000", "--rate=1e8", "--out="+dir,
		"--progress=none")
	if code != exitMissing || !strings.Contains(errs, "of 8 receivers: not every packet arrived exactly once") {
		t.Fatalf("exit %d, %q", code, errs)
	}
	hasFiles(t, dir)
	r := readable(t, dir)
	if r.Manifest.Status != reports.Failed || !strings.Contains(r.Manifest.Error, "exactly once") {
		t.Errorf("status %s, %q", r.Manifest.Status, r.Manifest.Error)
	}
	missing := 0
	for _, s := range r.Select(reports.StageDeliver, reports.KindDelivered) {
		if s.Status == reports.StatusMissing && s.Value < float64(s.N) {
			missing++
		}
	}
	if missing == 0 {
		t.Error("no sample says what is missing")
	}
}

// A directory that holds a result already is not written to.
func TestResultsAreNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, reports.SamplesFile)
	if err := os.WriteFile(file, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, errs := bench("cluster", "--world=sim", "--cluster-seeds=1", "--out="+dir, "--progress=none")
	data, _ := os.ReadFile(file)
	told := strings.Contains(errs, "expected a directory without a result")
	if code != exitError || !told || string(data) != "precious" {
		t.Errorf("exit %d, %q, the file holds %.20q", code, errs, data)
	}
}

// Without --out the result is in a directory named by the time, and bench-out/latest leads to it; something else of
// that name is left alone.
func TestDefaultDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	args := []string{"cluster", "--world=sim", "--cluster-seeds=1", "--progress=none"}
	if code, out, errs := bench(args...); code != exitOK || !strings.Contains(out, "report: bench-out/") {
		t.Fatalf("exit %d, %q", code, errs)
	}
	latest := filepath.Join("bench-out", "latest")
	if readable(t, latest).Manifest.Status != reports.Complete {
		t.Error("bench-out/latest does not lead to the result")
	}
	found, err := filepath.Glob("bench-out/*-*")
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if err := os.Rename(found[0], "elsewhere"); err != nil { // the next result may have the same second
		t.Fatal(err)
	}
	if err := os.Remove(latest); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(latest, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := bench(args...); code != exitOK {
		t.Fatalf("exit %d, %q", code, errs)
	}
	if data, err := os.ReadFile(latest); err != nil || string(data) != "mine" {
		t.Errorf("a file of the user's was replaced: %v", err)
	}
}

// A panic is not taken for help that was printed.
func TestParsePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a panic in parsing was swallowed")
		}
	}()
	parse(nil, []string{"cluster"}, &bytes.Buffer{})
}
