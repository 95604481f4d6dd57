package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"i3bench/asm"
	"i3bench/cluster/senders"
	"i3bench/reports"
)

// shortMicro are flags with which bench micro takes a blink of an eye.
const shortMicro = "--parts lookups --sizes 100,1e3 --hits 100 --rounds 2 --time 1ms --progress none"

// runMicro runs bench micro and returns its result, what it printed, and its directory.
func runMicro(t *testing.T, args string) (r *reports.Result, out, dir string) {
	t.Helper()
	before := asm.Kernel()
	dir = filepath.Join(t.TempDir(), "result")
	code, out, errs := bench(append(strings.Fields("micro "+args), "--out", dir)...)
	if code != exitOK || errs != "" {
		t.Fatalf("%s: exit %d, %q", args, code, errs)
	}
	if asm.Kernel() != before {
		t.Errorf("%s left kernel %s, want %s", args, asm.Kernel(), before)
	}
	hasFiles(t, dir)
	return readable(t, dir), out, dir
}

// Each round measures every kernel of this machine, the limit and the map at every size once, and what is measured is
// in all forms of the result.
func TestMicro(t *testing.T) {
	r, out, dir := runMicro(t, shortMicro)
	type row struct {
		group string
		n     int64
		round uint64
	}
	seen := make(map[row]int)
	for _, s := range r.Select(reports.StageMicro, reports.KindLookup) {
		seen[row{s.Group, s.N, s.Seed}]++
		if s.Value < 0.1 || s.Value > 1e6 || s.StartNS < 1e6 || s.Level != 100 {
			t.Errorf("%+v, want some ns a look-up, for at least 1 ms", s)
		}
	}
	groups := []string{reports.GroupLimit, reports.GroupMap}
	for _, k := range asm.Variants() {
		groups = append(groups, reports.GroupKernel+k)
	}
	for _, group := range groups {
		for _, n := range []int64{100, 1000} {
			for round := range uint64(2) {
				if got := seen[row{group, n, round + 1}]; got != 1 {
					t.Errorf("%d samples of %s, %d identifiers, round %d, want one", got, group, n, round+1)
				}
			}
		}
	}
	if want := 4 * len(groups); len(seen) != want {
		t.Errorf("%d rows, want %d", len(seen), want)
	}
	if s, ok := r.Stage(reports.StageMicro); !ok || s.Status != reports.Complete || !strings.Contains(s.Note, "100, 1e3") {
		t.Errorf("stage %+v", s)
	}
	page, err := os.ReadFile(filepath.Join(dir, reports.HTMLFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"matcher " + asm.Variants()[0], "limit / ours", "Go map / ours"} {
		if !strings.Contains(out, want) || !strings.Contains(string(page), want) {
			t.Errorf("neither the text nor the page may lack %q; printed:\n%s", want, out)
		}
	}
}

// What bench.txt of a result holds can be read by the next run as that of another one, but for what is busy.
func TestMicroReadsBenchFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "other")
	other, err := reports.Create(dir, reports.Manifest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []reports.Sample{
		{Group: reports.GroupKernel + "avx2", N: 1000, Value: 5.5, Status: reports.StatusOK},
		{Group: reports.GroupKernel + "neon", N: 20, Value: 6, Status: reports.StatusOK},
		{Group: reports.GroupLimit, N: 2_000_000, Value: 2, Status: reports.StatusOK},
		{Group: reports.GroupMap, N: 1000, Value: 9, Status: reports.StatusOK},
		{Group: reports.GroupMap, N: 1000, Value: 99, Status: reports.StatusBusy},
	} {
		s.Stage, s.Kind, s.Level, s.Seed = reports.StageMicro, reports.KindLookup, 100, 1
		other.Sample(s)
	}
	if err := other.Close(reports.Complete, nil); err != nil {
		t.Fatal(err)
	}
	r, _, _ := runMicro(t, shortMicro+" --from "+filepath.Join(dir, reports.BenchFile))
	want := "matcher avx2 1000 5.5 ok, matcher neon 20 6 ok, limit 2000000 2 ok, map 1000 9 ok"
	if got := elsewhere(r); got != want {
		t.Errorf("of another run: %s\nwant %s", got, want)
	}
}

// elsewhere lists the samples of another run.
func elsewhere(r *reports.Result) string {
	var out []string
	for _, s := range r.Select(reports.StageMicro, reports.KindLookupElsewhere) {
		out = append(out, fmt.Sprintf("%s %d %v %s", s.Group, s.N, s.Value, s.Status))
	}
	return strings.Join(out, ", ")
}

// Results of another run stand beside ours, named as such; those of other jobs are counted, and no more.
func TestMicroFrom(t *testing.T) {
	r, out, dir := runMicro(t, shortMicro+" --from testdata/tables.txt")
	want := "matcher 1000 4 ok, dpdk-bulk64 1000 25 ok, dpdk-bulk64 1000 27 ok, dpdk-bulk64 1000000 99 busy"
	if got := elsewhere(r); got != want {
		t.Errorf("of another run: %s\nwant %s", got, want)
	}
	note := "4 results of another run, 2 of other jobs left out"
	if s, _ := r.Stage(reports.StageMicro); !strings.Contains(s.Note, note) {
		t.Errorf("stage %+v", s)
	}
	if !strings.Contains(out, "dpdk-bulk64 (other run)") || !strings.Contains(out, "26.0 (25.0–27.0)") {
		t.Errorf("printed:\n%s", out)
	}
	page, err := os.ReadFile(filepath.Join(dir, reports.HTMLFile))
	if err != nil || !strings.Contains(string(page), "read from tables.txt") {
		t.Errorf("the page does not say where the other results are from: %v", err)
	}
	figures, err := os.ReadFile(filepath.Join(dir, reports.BenchFile))
	if err != nil || strings.Contains(string(figures), "dpdk") {
		t.Errorf("bench.txt has figures of another run as its own: %v\n%s", err, figures)
	}
}

// A file of other runs that makes no sense is refused before anything is measured.
func TestMicroFromRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":     "no result in ns/lookup",
		"PASS": "no result in ns/lookup",
		"BenchmarkPeer/table=x/n=1e3/hit=50/keys=uniform 1 5 ns/lookup":         "no result in ns/lookup",
		"BenchmarkPeer/table=x/n=many/hit=100/keys=uniform 1 5 ns/lookup":       `a table of "many" identifiers`,
		"BenchmarkPeer/table=x/n=0.5/hit=100/keys=uniform 1 5 ns/lookup":        `a table of "0.5" identifiers`,
		"BenchmarkPeer/table=a,b/n=1e3/hit=100/keys=uniform 1 5 ns/lookup":      `"a,b", want a name without comma`,
		"BenchmarkPeer/table=x/n=1e3/hit=100/keys=uniform 1 fast ns/lookup":     `line 1: "fast" ns/lookup`,
		"BenchmarkPeer/table=x/n=1e3/hit=100/keys=uniform 1 5 ns/lookup x %cpu": `line 1: "x" %cpu`,
	} {
		file := filepath.Join(t.TempDir(), "tables.txt")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		code, _, errs := bench(strings.Fields("micro --from " + file + " --out " + file + "-result " + shortMicro)...)
		if code != exitUsage || !strings.Contains(errs, says) || !strings.Contains(errs, "--from "+file) {
			t.Errorf("%q: exit %d, %q, want %q", text, code, errs, says)
		}
		if _, err := os.Stat(file + "-result"); err == nil {
			t.Errorf("%q: left a result directory", text)
		}
	}
}

// The other part measures copies, and shows what a file has of others and of the limit.
func TestMicroCopies(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the processor time of a sender is read on Linux only")
	}
	file := filepath.Join(t.TempDir(), "delivery.txt")
	text := "BenchmarkDelivery/what=nats/fan=2/size=64 9 1e5 deliveries/cpu-s\n" +
		"BenchmarkLimit/form=train/size=64/fan=2 9 8e6 c/cpu-s 4e6 copies/cpu-s\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, out, dir := runMicro(t, "--parts copies --fans 2 --payloads 64 --rounds 2 --time 1ms --progress none"+
		" --from testdata/tables.txt --from "+file)
	if got, want := len(r.Select(reports.StageCopies, reports.KindCopies)), 2*len(senders.All()); got != want {
		t.Errorf("%d samples, want %d", got, want)
	}
	if len(r.Select(reports.StageMicro, reports.KindLookup)) > 0 {
		t.Error("look-ups were measured, too")
	}
	for _, want := range []string{"node → GRO", "NATS (other run)", "train, 64 B"} {
		if !strings.Contains(out, want) {
			t.Errorf("the text lacks %q; printed:\n%s", want, out)
		}
	}
	figures, err := os.ReadFile(filepath.Join(dir, reports.BenchFile))
	if err != nil || strings.Contains(string(figures), "nats") {
		t.Errorf("bench.txt has figures of another run as its own: %v\n%s", err, figures)
	}
}

func TestMicroUsageErrors(t *testing.T) {
	for _, c := range []struct {
		args string
		says []string
	}{
		{"micro --sizes 1e8", []string{"--sizes \"1e8\"", "from 1 to 1e7"}},
		{"micro --sizes 1e3,2.5", []string{"--sizes \"2.5\"", "whole numbers"}},
		{"micro --sizes 1e3,1000", []string{"--sizes", "1000", "twice"}},
		{"micro --sizes many", []string{"--sizes \"many\"", "such as 1e6"}},
		{"micro --hits 70", []string{"--hits 70", "want 100 or 50"}},
		{"micro --hits 50,50", []string{"--hits", "50", "twice"}},
		{"micro --rounds 0", []string{"--rounds 0", "want more than zero"}},
		{"micro --rounds 1001", []string{"--rounds 1001", "at most 1000"}},
		{"micro --time 0s", []string{"--time 0", "want more than zero"}},
		{"micro --time 1h", []string{"--time 1h", "at most 1m"}},
		{"micro --from testdata/none.txt", []string{"--from", "testdata/none.txt", "no such file"}},
		{"micro --fans 0", []string{"--fans 0", "want 1 to 1024"}},
		{"micro --fans 8,2000", []string{"--fans 2000", "want 1 to 1024"}},
		{"micro --fans 8,8", []string{"--fans", "twice"}},
		{"micro --payloads 7", []string{"--payloads 7", "want 8 to 1200"}},
		{"micro --payloads 64,1201", []string{"--payloads 1201", "want 8 to 1200"}},
		{"micro --parts drinks", []string{"--parts", "lookups", "copies"}},
		{"micro --from testdata", []string{"--from", "testdata"}},
	} {
		refuses(t, c.args, c.says)
	}
}
