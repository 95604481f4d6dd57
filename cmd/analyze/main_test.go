package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"i3bench/reports"
	"i3bench/reports/export"
)

// analyze runs the command and returns its exit code and what it printed.
func analyze(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(args, &o, &e)
	return code, o.String(), e.String()
}

// result makes a result directory with one figure.
func result(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "result")
	r, err := reports.Create(dir, reports.Manifest{Command: []string{"bench"}, Commit: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(3) {
		r.Sample(reports.Sample{Stage: reports.StageCluster, Kind: reports.KindDepth, Seed: seed, N: 64, Value: 4})
	}
	if err := r.Close(reports.Complete, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReport(t *testing.T) {
	dir := result(t)
	want := make(map[string][]byte)
	for _, name := range []string{reports.HTMLFile, reports.BenchFile} {
		path := filepath.Join(dir, name)
		want[path], _ = os.ReadFile(path)
		if err := os.WriteFile(path, []byte("stale"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := analyze("report", dir)
	if code != exitOK || errs != "" || !strings.Contains(out, filepath.Join(dir, reports.HTMLFile)) ||
		!strings.Contains(out, "depth of the tree, 64 receivers") {
		t.Fatalf("exit %d, %q, %q, expected the path and the figures", code, out, errs)
	}
	for path, text := range want {
		if got, _ := os.ReadFile(path); !bytes.Equal(got, text) || len(text) == 0 {
			t.Errorf("%s is not what the run itself wrote", path)
		}
	}
}

func TestText(t *testing.T) {
	dir := result(t)
	page := filepath.Join(dir, reports.HTMLFile)
	if err := os.Remove(page); err != nil {
		t.Fatal(err)
	}
	code, out, errs := analyze("text", dir)
	if code != exitOK || errs != "" || !strings.Contains(out, "Paper parity") {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	if _, err := os.Stat(page); err == nil {
		t.Error("text wrote a page")
	}
}

func TestReadme(t *testing.T) {
	dir := result(t)
	file := filepath.Join(t.TempDir(), "README.md")
	block := reports.BlockResults
	if err := os.WriteFile(file, []byte("a\n"+block.Begin()+"\n"+block.End()+"\nb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := analyze("readme", dir, "--file", file)
	text, _ := os.ReadFile(file)
	if code != exitOK || !strings.Contains(out, file) || errs != "" || !strings.Contains(string(text), "| table2a |") {
		t.Errorf("exit %d, %q, %q, file:\n%s", code, out, errs, text)
	}
}

func TestExport(t *testing.T) {
	dir := result(t)
	for format, name := range map[string]string{
		"markdown": "report.md", "json": "report.json", "csv": "report-csv/figure-depth-chart.csv",
		"png": "report-png/depth-chart.png",
	} {
		code, out, errs := analyze("export", dir, "--format", format)
		file := filepath.Join(dir, filepath.FromSlash(name))
		if text, err := os.ReadFile(file); code != exitOK || errs != "" || err != nil || len(text) == 0 ||
			!strings.HasPrefix(file, strings.TrimSpace(out)) {
			t.Errorf("%s: exit %d, %q, %q, %v, expected %s", format, code, out, errs, err, file)
		}
	}
	page := filepath.Join(t.TempDir(), "page.md")
	if code, out, _ := analyze("export", dir, "--format", "markdown", "--out", page); code != exitOK || out != page+"\n" {
		t.Errorf("exit %d, %q, expected %s", code, out, page)
	}
}

// The command knows every format of the package.
func TestFormats(t *testing.T) {
	_, out, _ := analyze("export", "--help")
	for _, f := range export.Formats() {
		if !strings.Contains(out, string(f)) {
			t.Errorf("help does not name %s:\n%s", f, out)
		}
	}
}

// The files of the project have the blocks that the Makefile writes.
func TestBlocksOfTheProject(t *testing.T) {
	for name, blocks := range map[string][]reports.Block{
		"README.md":         {reports.BlockResults, reports.BlockSimulations},
		"docs/simulator.md": {reports.BlockResults},
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			begin, end := bytes.Index(text, []byte(b.Begin())), bytes.Index(text, []byte(b.End()))
			if begin < 0 || end < begin {
				t.Errorf("%s has no block %s", name, b)
			}
		}
	}
}

func TestExitCodes(t *testing.T) {
	dir := result(t)
	plain := filepath.Join(t.TempDir(), "plain.md")
	if err := os.WriteFile(plain, []byte("no markers"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, reports.ManifestFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", exitUsage, "expected one of"},
		{"nonsense", exitUsage, "nonsense"},
		{"report", exitUsage, "<dir>"},
		{"report " + dir + " --bogus", exitUsage, "--bogus"},
		{"readme " + dir, exitUsage, "--file"},
		{"readme " + dir + " --file " + plain, exitError, "results:begin"},
		{"readme " + dir + " --block figures --file " + plain, exitUsage, "--block"},
		{"readme " + dir + " --block simulations --file " + plain, exitError, "no simulated trees"},
		{"readme " + broken + " --file " + plain, exitError, reports.ManifestFile},
		{"export " + dir, exitUsage, "--format"},
		{"export " + dir + " --format word", exitUsage, "--format"},
		{"export " + broken + " --format json", exitError, reports.ManifestFile},
		{"export " + dir + " --format parquet", exitError, "events.parquet is there"},
		{"report " + filepath.Join(dir, "none"), exitError, reports.ManifestFile},
		{"text " + broken, exitError, "offset 1"},
		{"--help", exitOK, ""},
	} {
		code, _, errs := analyze(strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(errs, c.says) || strings.Contains(errs, "goroutine") {
			t.Errorf("analyze %s: exit %d, %q, expected %d and %q", c.args, code, errs, c.code, c.says)
		}
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	_, out, _ := analyze("--help")
	for _, name := range []string{"report", "text", "readme", "export", "compare", "gate", "history", "profile"} {
		if !strings.Contains(out, name) {
			t.Errorf("help does not name %s:\n%s", name, out)
		}
	}
}
