package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"i3bench/reports"
)

// patience is how long a process may take for what a test waits for. It is no bound on speed.
const patience = 60 * time.Second

// asProgram makes the test binary, started again, be bench.
const asProgram = "BENCH_TEST_AS_PROGRAM"

// program returns bench with arguments as a process of its own.
func program(t *testing.T, args string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("signals cannot be sent to processes here")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, strings.Fields(args)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// A process is bench under way.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	dir  string // of its result
	errs bytes.Buffer
}

func startBench(t *testing.T, args string) *process {
	t.Helper()
	p := &process{t: t, dir: filepath.Join(t.TempDir(), "result")}
	p.cmd = program(t, args+" --progress none --out "+p.dir)
	p.cmd.Stderr = &p.errs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // does nothing to one that has ended
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
	return p
}

// await waits until the result directory is there with at least so many samples.
func (p *process) await(samples int) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		_, err := os.Stat(filepath.Join(p.dir, reports.ManifestFile))
		if err == nil && countLines(filepath.Join(p.dir, reports.SamplesFile)) > samples {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("no %d samples within %v: %s", samples, patience, p.errs.String())
		}
	}
}

func countLines(name string) (n int) {
	f, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		n++
	}
	return n
}

// signal sends a signal and returns how the process ended.
func (p *process) signal(s os.Signal) *os.ProcessState {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { p.cmd.Process.Signal(syscall.SIGQUIT) }) // shows where it stands
	defer late.Stop()
	p.cmd.Wait()
	return p.cmd.ProcessState
}

// An interrupted run ends, exits 1, and leaves a result that says so, with its report and what was measured by then.
func TestInterrupt(t *testing.T) {
	for _, c := range []struct {
		args    string
		signal  os.Signal
		stage   string
		samples int
	}{
		{"load --for 1h --joins 50 --repairs 50 --standing 4", os.Interrupt, reports.StageLoad, 20},
		{"load --for 1h --joins 50 --repairs 50 --standing 4", syscall.SIGTERM, reports.StageLoad, 0},
		{"find --trial 1h --first 1h --budget 2h --min 50 --standing 4", os.Interrupt, reports.StageFind, 20},
		{"deliver --packets 1000000 --receivers 8", os.Interrupt, reports.StageDeliver, 0},
		{"cluster --cluster-seeds 10000", os.Interrupt, reports.StageCluster, 20},
		{"wan --wan-seeds 2 --packets 1000000", os.Interrupt, reports.StageWAN, 0},
		{"micro --sizes 1e3 --rounds 1000 --time 10ms", os.Interrupt, reports.StageMicro, 10},
		{"micro --sizes 1e3 --time 1m", os.Interrupt, reports.StageMicro, 0},
	} {
		t.Run(c.stage+" "+c.signal.String(), func(t *testing.T) {
			t.Parallel()
			p := startBench(t, c.args)
			p.await(c.samples)
			if end := p.signal(c.signal); end.ExitCode() != exitError || !strings.Contains(p.errs.String(), "interrupted") {
				t.Fatalf("%v, %s", end, p.errs.String())
			}
			hasFiles(t, p.dir)
			r := readable(t, p.dir)
			if r.Manifest.Status != reports.Interrupted || !strings.Contains(r.Manifest.Error, "interrupted") {
				t.Errorf("status %s, %q", r.Manifest.Status, r.Manifest.Error)
			}
			if s, ok := r.Stage(c.stage); !ok || s.Status != reports.Interrupted {
				t.Errorf("stage %+v", s)
			}
			if r.Count < c.samples {
				t.Errorf("%d samples, %d were there before the signal", r.Count, c.samples)
			}
			if text := reports.Text(r); !strings.Contains(text, "INTERRUPTED") {
				t.Errorf("the text does not say that the run was interrupted:\n%.500s", text)
			}
		})
	}
}

// A killed run leaves what had been written until shortly before: it opens, counts as interrupted, and a report can be
// made of it.
func TestKill(t *testing.T) {
	p := startBench(t, "load --for 1h --joins 100 --repairs 100 --standing 4")
	p.await(50)
	if end := p.signal(os.Kill); end.Success() {
		t.Fatalf("%v", end)
	}
	raw, err := os.ReadFile(filepath.Join(p.dir, reports.ManifestFile))
	if err != nil || !strings.Contains(string(raw), `"status": "running"`) {
		t.Errorf("the manifest of a killed run: %v, %s", err, raw)
	}
	r, err := reports.Open(p.dir) // the last line may be cut off, which is a warning
	if err != nil {
		t.Fatal(err)
	}
	if r.Manifest.Status != reports.Interrupted || r.Count < 49 || len(r.Warnings) > 1 {
		t.Errorf("status %s, %d samples, %v", r.Manifest.Status, r.Count, r.Warnings)
	}
	r, err = reports.Render(p.dir)
	if err != nil || !strings.Contains(reports.Text(r), "INTERRUPTED") {
		t.Errorf("a report of what a killed run left: %v", err)
	}
	filled(t, p.dir, reports.ManifestFile, reports.SamplesFile, reports.BenchFile, reports.HTMLFile)
}

// analyze makes bench.txt and report.html again from the manifest and the samples alone, the former byte for byte.
func TestAnalyzeAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: building analyze takes a while")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command, to build analyze, is not in PATH")
	}
	analyze := filepath.Join(t.TempDir(), "analyze")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", analyze, "../analyze")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v, %s", err, out)
	}
	dir := filepath.Join(t.TempDir(), "result")
	if code, _, errs := bench("wan", "--world=sim", "--wan-seeds=2", "--sites=8", "--rtt=testdata/rtt_8.txt",
		"--packets=10", "--out="+dir, "--progress=none"); code != exitOK {
		t.Fatalf("exit %d, %s", code, errs)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	figures, page := read(reports.BenchFile), read(reports.HTMLFile)
	for _, name := range []string{reports.BenchFile, reports.HTMLFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	moved := dir + "-moved" // nothing depends on where it was
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	dir = moved
	if out, err := exec.Command(analyze, "report", dir).CombinedOutput(); err != nil {
		t.Fatalf("analyze: %v, %s", err, out)
	}
	hasFiles(t, dir)
	if again := read(reports.BenchFile); !bytes.Equal(again, figures) {
		t.Errorf("bench.txt was\n%s\nand is now\n%s", figures, again)
	}
	if again := read(reports.HTMLFile); !bytes.Contains(again, []byte("</html>")) || len(again)*2 < len(page) {
		t.Errorf("report.html had %d bytes and has %d", len(page), len(again))
	}
}

// Wrong usage ends the process with code 2, help with 0.
func TestProcessExitCodes(t *testing.T) {
	for args, want := range map[string]int{"--bogus": exitUsage, "wan --rtt none.txt": exitUsage, "--help": exitOK} {
		cmd := program(t, args)
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != want {
			t.Errorf("bench %s: %v, expected %d: %s", args, cmd.ProcessState, want, out)
		}
	}
}
