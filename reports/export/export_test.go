package export

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"i3bench/reports"
)

// result is the made-up result of package reports, in a folder of its own.
func result(t testing.TB) *reports.Result {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS("../testdata/synthetic")); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

func open(t testing.TB, dir string) *reports.Result {
	t.Helper()
	r, err := reports.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// write writes a result and returns the path.
func write(t testing.TB, r *reports.Result, f Format, out string) string {
	t.Helper()
	path, err := Write(t.Context(), r, f, out)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The JSON form has every section with its tables and findings, and the values of
// charts and benchmark lines exactly.
func TestJSON(t *testing.T) {
	r := result(t)
	var got jsonReport
	in := json.NewDecoder(bytes.NewReader(read(t, write(t, r, JSON, ""))))
	in.DisallowUnknownFields()
	if err := in.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Format != Version || got.Samples != r.Count || got.Manifest.Seed != 7 ||
		len(got.Verdicts) != len(r.Verdicts()) {
		t.Errorf("%+v", got.Manifest)
	}
	if len(got.Sections) != len(r.Sections()) {
		t.Fatalf("%d sections, expected %d", len(got.Sections), len(r.Sections()))
	}
	points, lines := 0, 0
	for i, s := range r.Sections() {
		g := got.Sections[i]
		if g.ID != s.ID || g.Absent != s.Absent || !reflect.DeepEqual(g, section(s)) {
			t.Errorf("section %s is not what was written", s.ID)
		}
		for k, table := range s.Tables {
			if !reflect.DeepEqual(g.Tables[k].Rows, table.Rows) {
				t.Errorf("section %s: table %q differs", s.ID, table.Caption)
			}
		}
		for k, f := range s.Figures {
			for n, line := range f.Chart.Series {
				for j, p := range line.Points {
					if g.Figures[k].Series[n].Points[j] != [3]float64{p.X, p.Y, p.Err} {
						t.Errorf("figure %s: point %d of %s differs", f.ID, j, line.Name)
					}
					points++
				}
			}
		}
		for k, l := range s.Bench {
			for _, v := range l.Values {
				if finite(v.Value) && g.Bench[k].Values[v.Unit] != v.Value {
					t.Errorf("line %s differs in %s", l.Name, v.Unit)
				}
			}
			lines++
		}
	}
	if points < 1000 || lines < 50 {
		t.Errorf("%d points and %d lines were compared, expected many", points, lines)
	}
}

// The CSV form has the same cells, and the points of charts exactly.
func TestCSV(t *testing.T) {
	r := result(t)
	dir := write(t, r, CSV, "")
	if dir != filepath.Join(r.Dir, "report-csv") {
		t.Errorf("written to %s", dir)
	}
	rows := func(name string) [][]string {
		all, err := csv.NewReader(bytes.NewReader(read(t, filepath.Join(dir, name)))).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return all
	}
	want := 2 // verdicts, findings
	for _, s := range r.Sections() {
		for i, table := range s.Tables {
			got := rows(s.ID + "-" + string(rune('1'+i)) + ".csv")
			if len(got) != len(table.Rows)+1 || got[0][0] != table.Columns[0].Name {
				t.Fatalf("%s: %d rows, expected %d and a head", s.ID, len(got), len(table.Rows))
			}
			for k, row := range table.Rows {
				if !slices.Equal(got[k+1], row) {
					t.Errorf("%s: row %q, expected %q", s.ID, got[k+1], row)
				}
			}
			want++
		}
		want += 2 * len(s.Figures)
	}
	if got := rows("figure-load-series-points.csv"); len(got) < 8 || got[0][0] != "series" {
		t.Errorf("the points of a chart: %q", got)
	}
	if got := rows("findings.csv"); len(got) < 20 || len(got[1]) != len(findingColumns) {
		t.Errorf("%d findings", len(got))
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != want {
		t.Errorf("%d files, expected %d", len(names), want)
	}
}

// Several files may be one archive, which has the same.
func TestArchive(t *testing.T) {
	r := result(t)
	dir := write(t, r, CSV, "")
	z, err := zip.OpenReader(write(t, r, CSV, filepath.Join(t.TempDir(), "all.zip")))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		want := read(t, filepath.Join(dir, f.Name))
		if uint64(len(want)) != f.UncompressedSize64 {
			t.Errorf("%s has %d bytes, expected %d", f.Name, f.UncompressedSize64, len(want))
		}
	}
	if len(z.File) < 30 {
		t.Errorf("%d files", len(z.File))
	}
}

// Every chart of the page is a picture.
func TestPNG(t *testing.T) {
	r := result(t)
	dir := write(t, r, PNG, "")
	charts := 0
	for _, s := range r.Sections() {
		for _, f := range s.Figures {
			img, err := png.Decode(bytes.NewReader(read(t, filepath.Join(dir, f.ID+".png"))))
			if err != nil {
				t.Fatalf("%s: %v", f.ID, err)
			}
			if size := img.Bounds().Size(); size.X != 920 || size.Y != 620 {
				t.Errorf("%s is %v", f.ID, size)
			}
			charts++
		}
	}
	if charts < 20 {
		t.Errorf("%d charts", charts)
	}
}

func TestMarkdown(t *testing.T) {
	r := result(t)
	text := string(read(t, write(t, r, Markdown, "")))
	for _, want := range []string{"- missed: ", "| table2a |", "## Files", "| samples.csv | read, ", "| second |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the Markdown", want)
		}
	}
	if strings.Contains(text, "<") {
		t.Error("there is markup in the Markdown that was text")
	}
}

// The page as PDF.
func TestPDF(t *testing.T) {
	if _, err := browser(); err != nil {
		t.Skipf("skipped: %v", err)
	}
	out := filepath.Join(t.ArtifactDir(), "report.pdf")
	data := read(t, write(t, result(t), PDF, out))
	if !bytes.HasPrefix(data, []byte("%PDF-")) || len(data) < 100_000 ||
		!bytes.Contains(data[len(data)-32:], []byte("%%EOF")) {
		t.Errorf("%d bytes, expected a whole document", len(data))
	}
	if pages := bytes.Count(data, []byte("/Type /Page\n")); pages < 5 {
		t.Errorf("%d pages, expected the whole report", pages)
	}
}

// Without a browser the error says what to install, and a browser that fails is
// named with what it says.
func TestPDFWithoutBrowser(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	_, err := Write(t.Context(), result(t), PDF, "")
	if err == nil || !strings.Contains(err.Error(), "install the package chromium") {
		t.Errorf("%v, expected what to install", err)
	}
	script := "#!/bin/sh\necho it breaks\nexit 3\n"
	if err := os.WriteFile(filepath.Join(dir, "chromium"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = Write(t.Context(), result(t), PDF, "")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "it breaks") {
		t.Errorf("%v, expected the browser's exit and its words", err)
	}
	script = "#!/bin/sh\nexit 0\n"
	if err := os.WriteFile(filepath.Join(dir, "chromium"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err = Write(t.Context(), result(t), PDF, ""); err == nil || !strings.Contains(err.Error(), "it wrote no file") {
		t.Errorf("%v, expected that nothing was written", err)
	}
}

// A run that has neither Parquet nor a log is given them, and they are read; those
// that are there are not written over.
func TestDataOfTheRun(t *testing.T) {
	r := result(t)
	for _, f := range []Format{Parquet, HLog} {
		path := write(t, r, f, "")
		if _, err := Write(t.Context(), r, f, ""); err == nil || !strings.Contains(err.Error(), "is there") {
			t.Errorf("%s twice: %v, expected to be refused", f, err)
		}
		if !bytes.Equal(read(t, path), read(t, write(t, r, f, filepath.Join(t.TempDir(), "other")))) {
			t.Errorf("%s differs under another name", f)
		}
	}
	if err := os.Remove(filepath.Join(r.Dir, reports.SamplesFile)); err != nil {
		t.Fatal(err)
	}
	again := open(t, r.Dir)
	if again.Count != r.Count || !bytes.Equal(reports.Bench(again), reports.Bench(r)) {
		t.Errorf("%d samples, expected %d and the same figures", again.Count, r.Count)
	}
}

func TestRefuses(t *testing.T) {
	r := result(t)
	_, err := Write(t.Context(), r, "word", "")
	if err == nil || !strings.Contains(err.Error(), "markdown, json, csv, png, pdf, parquet, hlog") {
		t.Errorf("%v, expected the formats", err)
	}
	nowhere := filepath.Join(t.TempDir(), "none", "file")
	if _, err := Write(t.Context(), r, JSON, nowhere); err == nil || !strings.Contains(err.Error(), "json of") {
		t.Errorf("%v, expected the format and the result", err)
	}
	dir := t.TempDir()
	empty, err := reports.Create(dir, reports.Manifest{Command: []string{"bench"}})
	if err == nil {
		err = empty.Close(reports.Complete, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), open(t, dir), PNG, ""); err == nil || !strings.Contains(err.Error(), "no chart") {
		t.Errorf("%v, expected that there is no chart", err)
	}
	for _, f := range []Format{JSON, CSV, Markdown} {
		write(t, open(t, dir), f, "")
	}
}

// What is no number is left out of forms that cannot have it.
func TestNotANumber(t *testing.T) {
	b := bench(reports.BenchLine{Values: []reports.BenchValue{{Value: math.NaN(), Unit: "a"}, {Value: 1, Unit: "b"}}})
	if len(b.Values) != 1 || b.Values["b"] != 1 {
		t.Errorf("%v, expected b alone", b.Values)
	}
}
