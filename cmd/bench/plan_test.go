package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"i3bench/loadgen/plan"
	"i3bench/reports"
)

// A plan says what it says in all forms, and the same flags say the same.
func TestPlan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plan")
	args := strings.Fields("plan --receivers 1e5 --pps 100 --bytes 500 --churn 20%/h --node cores=8,nic=10e9 --draws 1000")
	code, text, errs := bench(append(args, "--out", dir)...)
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d, %q", code, errs)
	}
	for _, want := range []string{
		"Nodes\n", "Sensitivity", "Alternatives", "came with the program", "extrapolated", "Cheapest: ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	code, printed, errs := bench(append(args, "--json")...)
	if code != exitOK || errs != "" {
		t.Fatalf("--json: exit %d, %q", code, errs)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "plan.json"))
	if err != nil || string(kept) != printed {
		t.Errorf("plan.json is not what --json prints (%v)", err)
	}
	var a plan.Answer
	if err := json.Unmarshal(kept, &a); err != nil {
		t.Fatal(err)
	}
	d := a.Demand
	if d.Receivers != 1e5 || d.Packets != 100 || d.Bytes != 500 || d.Churn != 0.2 || a.Node.Cores != 8 ||
		a.Node.Memory != 64e9 || a.Draws != 1000 || !(a.Nodes.P50 >= 2) {
		t.Errorf("%+v", a)
	}
	page, err := os.ReadFile(filepath.Join(dir, "plan.html"))
	if err != nil || !strings.Contains(string(page), "Capacity plan") || strings.Contains(string(page), "Not drawn") {
		t.Errorf("plan.html: %v, %d bytes", err, len(page))
	}
}

// The defaults are whole: every variant that they have can be planned with.
func TestPlanDefaults(t *testing.T) {
	m, err := plan.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []plan.Origin{m.Calibrated, m.Simulated} {
		if !o.Default || o.Date == "" || o.Machine == "" || o.Commit == "" || o.Command == "" {
			t.Errorf("%+v, want where it is from", o)
		}
	}
	for _, more := range []string{"", " --degree 4", " --degree 16", " --variant paper/A-M", " --objective p99<250ms"} {
		if code, _, errs := bench(strings.Fields("plan --json --draws 200" + more)...); code != exitOK {
			t.Errorf("%s: exit %d, %s", more, code, errs)
		}
	}
}

func TestReadPlanFlags(t *testing.T) {
	for text, want := range map[string]float64{"20%/h": 0.2, "1%/m": 0.6, "0.001/s": 3.6, "48%/d": 0.02, "0/h": 0} {
		if got, err := readChurn(text); err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	if got, err := readUse("60%"); err != nil || got != [3]float64{0.6, 0.6, 0.6} {
		t.Errorf("%v, %v", got, err)
	}
}

// What makes no sense is a usage error that names the flag and what was expected.
func TestPlanUsage(t *testing.T) {
	empty := t.TempDir()
	for args, want := range map[string]string{
		"--receivers 0":           "receivers 0: want",
		"--receivers NaN":         "receivers NaN: want",
		"--pps=-1":                "packets per second -1",
		"--bytes 9000":            "bytes 9000: want 1 to 1200",
		"--churn 20%":             `--churn "20%": want a share in a time`,
		"--churn x/h":             "--churn",
		"--churn 20%/y":           "--churn",
		"--loss 60%":              "loss 0.6",
		"--loss many":             `--loss "many": want a share`,
		"--degree 5":              "D = 5",
		"--variant mine":          `variant "mine"`,
		"--objective p50<1s":      "--objective",
		"--objective p99<1":       "--objective",
		"--node cores":            "--node",
		"--node wheels=4":         `--node "wheels=4": want some of cores`,
		"--node cores=many":       "want a number",
		"--node cores=0":          "want more than zero",
		"--use 70%-50%":           "--use",
		"--use 0":                 "--use",
		"--spare lots":            "--spare",
		"--speed 0":               "--speed 0: want more than zero",
		"--uneven 0.5":            "--uneven 0.5: want 1 to 1000",
		"--draws 1":               "--draws 1: want 100",
		"--from /nowhere":         "--from",
		"--from " + empty:         "--from",
		"--check " + empty:        "want --self",
		"--find 1s":               "want --self",
		"--self --check " + empty: "--check",
		"--self --rounds 0":       "--rounds 0",
		"--self --rounds 1000":    "--rounds 1000: want at most 100",
		"--self --time 2h":        "--time",
		"--self --find=-1s":       "--find",
	} {
		if code, out, errs := bench(strings.Fields("plan " + args)...); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %q, %q; want a usage error with %q", args, code, out, errs, want)
		}
	}
}

// What this machine bears is predicted, kept, and compared with what was found; and the costs can be planned with.
func TestPlanSelf(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("plan: processor time is read on Linux only")
	}
	if testing.Short() {
		t.Skip("-short: a dozen simulated groups take a minute under the race detector")
	}
	dir := filepath.Join(t.TempDir(), "self")
	code, out, errs := bench("plan", "--self", "--rounds", "1", "--time", "100ms", "--progress", "none", "--out", dir)
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d, %q", code, errs)
	}
	hasFiles(t, dir)
	c, err := reports.SummarizeCapacity(readable(t, dir))
	if err != nil || !(c.All.Mid > 10) || !(c.All.Datagrams > 10 && c.All.Datagrams < 1000) || !(c.All.Processor > 1e-5) {
		t.Errorf("%+v, %v", c.All, err)
	}
	if !strings.Contains(out, "predicted, now") {
		t.Errorf("printed:\n%s", out)
	}
	code, out, errs = bench("plan", "--from", dir, "--draws", "200", "--out", filepath.Join(t.TempDir(), "plan"))
	if code != exitOK || !strings.Contains(out, "of the results that were named") {
		t.Errorf("--from: exit %d, %q\n%s", code, errs, out)
	}
	figures := filepath.Join(t.TempDir(), "figures.json")
	if code, _, errs := bench("plan", "--from", dir, "--save", figures); code != exitOK {
		t.Errorf("--save: exit %d, %q", code, errs)
	}
	text, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := plan.Decode(text); err != nil || len(m.Control) != 1 || len(m.Observed) == 0 {
		t.Errorf("%d costs, %d observations, %v; want the costs of the run and the default's observations", len(m.Control),
			len(m.Observed), err)
	}
}
