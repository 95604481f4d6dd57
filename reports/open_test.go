package reports

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// openText opens a result whose samples file has the given text.
func openText(t *testing.T, m Manifest, samples string) *Result {
	t.Helper()
	dir := t.TempDir()
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, SamplesFile), []byte(samples), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	goodDepth = "cluster,depth,1,,,,8,2,,,\n"
	goodLate  = "load,late,,join,,,,-5.5,0,,\n"
)

// A run killed while it wrote a line: everything before the line counts, and the
// rest of it does not, even if it looks like a sample.
func TestTruncatedLastLine(t *testing.T) {
	m := syntheticManifest()
	m.Status, m.Stages[1].Status = Running, Running
	whole := header() + goodDepth + goodLate
	// Cut anywhere in the last line: "value 2" could have been "value 25".
	for cut := len(whole) - 1; cut > len(header()+goodDepth); cut-- {
		r := openText(t, m, whole[:cut])
		if r.Count != 1 || r.Skipped != 1 || len(r.Warnings) != 1 ||
			!strings.HasPrefix(r.Warnings[0], "samples.csv:3: ") {
			t.Fatalf("cut at %d: %d samples, warnings %v, expected one of each", cut, r.Count, r.Warnings)
		}
		if s, _ := r.Stage(StageWAN); r.Manifest.Status != Interrupted || s.Status != Interrupted {
			t.Fatalf("status %s, stage %s, expected interrupted", r.Manifest.Status, s.Status)
		}
	}
	if text := Text(openText(t, m, whole[:len(whole)-4])); !strings.Contains(text, "INTERRUPTED") ||
		!strings.Contains(text, "cut off here") {
		t.Errorf("the text says neither interrupted nor why:\n%s", text)
	}
}

// A corrupt line is named with what was expected, and nothing else is lost.
func TestCorruptLines(t *testing.T) {
	for line, want := range map[string]string{
		"cluster,depth,1,,,,8":                       "7 fields",
		"cluster,depth,1,,,,8,2,,,,,":                "13 fields",
		"cluster,dpeth,1,,,,8,2,,,":                  "expected a known pair",
		"mars,depth,1,,,,8,2,,,":                     "expected a known pair",
		"cluster,depth,x,,,,8,2,,,":                  `seed is "x", expected a whole number`,
		"cluster,depth,-1,,,,8,2,,,":                 `seed is "-1"`,
		"cluster,depth,1,,,,8.5,2,,,":                `n is "8.5"`,
		"cluster,depth,1,,,,-8,2,,,":                 `n is "-8"`,
		"cluster,depth,1,,,,8,,,,":                   "value is empty",
		"cluster,depth,1,,,,,2,,,":                   "n is empty",
		"cluster,depth,1,,,,8,NaN,,,":                `value is "NaN", expected a finite number`,
		"cluster,depth,1,,,,8,1e999,,,":              "expected a finite number",
		"cluster,depth,1,,,,8,-2,,,":                 "not negative",
		"load,join,,,,,,5,99999999999999999999,5,ok": `start_ns is "99999999999999999999"`,
		"\x00\x00\x00":                               "1 fields",
		"":                                           "1 fields",
		strings.Repeat("x", 1<<19):                   "a line of more than",
	} {
		r := openText(t, syntheticManifest(), header()+goodDepth+line+"\n"+goodLate)
		if r.Count != 2 || r.Skipped != 1 || len(r.Warnings) != 1 {
			t.Errorf("%.40q: %d samples, warnings %v, expected 2 and one", line, r.Count, r.Warnings)
			continue
		}
		got := r.Warnings[0]
		if !strings.HasPrefix(got, "samples.csv:3: ") || !strings.Contains(got, want) || len(got) > 250 {
			t.Errorf("%.40q: warning %q, expected line 3 and %q, cut short", line, got, want)
		}
	}
}

func TestManyCorruptLinesAreCounted(t *testing.T) {
	r := openText(t, syntheticManifest(), header()+strings.Repeat("junk\n", 300)+goodDepth)
	if r.Skipped != 300 || len(r.Warnings) != maxWarnings || r.Count != 1 {
		t.Errorf("%d skipped, %d warnings, %d samples, expected 300, %d and 1", r.Skipped, len(r.Warnings), r.Count,
			maxWarnings)
	}
	if text := Text(r); !strings.Contains(text, "300 lines of samples.csv could not be read") {
		t.Error("the text does not count the lines left out")
	}
}

// Columns are found by name: a later version may add and move some.
func TestHeader(t *testing.T) {
	moved := "value,kind,stage,extra,n,seed\n2,depth,cluster,?,8,1\n"
	r := openText(t, syntheticManifest(), moved)
	got := r.Select(StageCluster, KindDepth)
	if len(got) != 1 || got[0].Value != 2 || got[0].N != 8 || len(r.Warnings) > 0 {
		t.Errorf("moved columns: %+v, warnings %v", got, r.Warnings)
	}
	r = openText(t, syntheticManifest(), goodDepth+goodLate)
	if r.Count != 2 || len(r.Warnings) != 1 || r.Skipped != 0 || !strings.Contains(r.Warnings[0], "expected the header") {
		t.Errorf("no header: %d samples, warnings %v, expected 2 and one", r.Count, r.Warnings)
	}
	r = openText(t, syntheticManifest(), "stage,kind,se###\n"+goodDepth)
	if r.Count != 1 || len(r.Warnings) != 1 {
		t.Errorf("damaged header: %d samples, warnings %v, expected one of each", r.Count, r.Warnings)
	}
	r = openText(t, syntheticManifest(), strings.ReplaceAll(header()+goodDepth, "\n", "\r\n"))
	if r.Count != 1 || len(r.Warnings) != 0 {
		t.Errorf("CR LF: %d samples, warnings %v, expected one and none", r.Count, r.Warnings)
	}
}

func TestMissingSamplesFile(t *testing.T) {
	dir := t.TempDir()
	m := syntheticManifest()
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "samples.csv: not there") {
		t.Fatalf("%v, warnings %v, expected one that names the file", err, r.Warnings)
	}
	if page := mustHTML(t, r); !strings.Contains(page, "samples.csv: not there") {
		t.Error("the page does not name the missing file")
	}
}

func TestBadManifestIsAnError(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), ManifestFile) {
		t.Errorf("no manifest: %v, expected an error that names the file", err)
	}
	for text, want := range map[string]string{
		"":                             "at offset 0",
		`{"schema":1,"tool":"be`:       "at offset 22",
		`{"schema":1,,"tool":"bench"}`: "at offset 13",
		`{"schema":"one"}`:             "at offset 15",
		`{"schema":3}`:                 "schema 3, expected 1 to 2",
		`{}`:                           "schema 0, expected 1 to 2",
	} {
		if err := os.WriteFile(filepath.Join(dir, ManifestFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ManifestFile) {
			t.Errorf("%s: %v, expected the file and %q", text, err, want)
		}
		if _, err := Render(dir); err == nil {
			t.Errorf("%s: Render gave no error", text)
		}
	}
}

// No text makes the reader fail or panic, and no line counts twice.
func FuzzSamples(f *testing.F) {
	f.Add(header() + goodDepth + goodLate)
	f.Add("stage,kind,value,n\ncluster,depth,2,8\n")
	f.Add("load,join,,,,,,5,1,5,ok\nload,join,,,,,,5,1,5,")
	f.Fuzz(func(t *testing.T, text string) {
		var l loaded
		l.read(strings.NewReader(text))
		lines := strings.Count(text, "\n")
		if l.count+l.skipped > lines+1 {
			t.Fatalf("%d samples and %d skipped of %d lines", l.count, l.skipped, lines)
		}
		r := &Result{samples: l.samples, Count: l.count}
		for _, list := range r.samples {
			for i := range list {
				if k, ok := lookupKind(list[i].Stage, list[i].Kind); !ok || !k.columns.has(colValue) {
					t.Fatalf("accepted an unknown kind: %+v", list[i])
				}
			}
		}
		Text(r)
	})
}

func BenchmarkOpen(b *testing.B) {
	dir := writeResult(b, b.TempDir(), syntheticManifest(), syntheticSamples(4, 100, 10000))
	b.ReportAllocs()
	var n int
	for b.Loop() {
		r, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		n = r.Count
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/sample")
}
