package reports

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// golden compares text with a committed file, rewritten with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("%s line %d is %q, expected %q; look at all of it and run with -update", path, i+1, gotLines[i],
				wantLines[i])
		}
	}
	t.Fatalf("%s: %d lines, expected %d", path, len(gotLines), len(wantLines))
}

func TestGoldenText(t *testing.T)     { golden(t, "text.golden", Text(synthetic(t))) }
func TestGoldenMarkdown(t *testing.T) { golden(t, "markdown.golden", Markdown(synthetic(t))) }

func TestGoldenSimulations(t *testing.T) {
	text, err := MarkdownSimulations(synthetic(t))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "simulations.golden", text)
}

func TestGoldenBench(t *testing.T) { golden(t, "bench.golden", string(Bench(synthetic(t)))) }

// The bench file follows the Go benchmark format: configuration lines, unit
// metadata for every unit, and result lines of a name, a count and pairs.
func TestBenchParses(t *testing.T) {
	meta := make(map[string]bool)
	config := make(map[string]string)
	var lines int
	for i, line := range strings.Split(strings.TrimSuffix(string(Bench(synthetic(t))), "\n"), "\n") {
		switch f := strings.Fields(line); {
		case line == "" || line[0] == '#':
		case f[0] == "Unit":
			if len(f) < 3 || !strings.Contains(f[2], "=") {
				t.Errorf("line %d: %q, expected Unit, a unit, key=value", i+1, line)
			}
			meta[f[1]] = true
		case strings.HasPrefix(line, "Benchmark"):
			lines++
			checkBenchLine(t, f, meta)
		default:
			key, value, ok := strings.Cut(line, ": ")
			if !ok || strings.ToLower(key) != key || strings.ContainsAny(key, " \t") || value == "" {
				t.Errorf("line %d: %q, expected key: value", i+1, line)
			}
			config[key] = value
		}
	}
	// benchstat compares only runs of one configuration: the commit must not be
	// part of it.
	if lines < 30 || config["goos"] != "linux" || len(config) != 4 {
		t.Errorf("%d result lines and configuration %v, expected at least 30, and the machine only", lines, config)
	}
}

func checkBenchLine(t *testing.T, f []string, meta map[string]bool) {
	t.Helper()
	if n, err := strconv.Atoi(f[1]); err != nil || n < 1 || len(f) < 4 || len(f)%2 != 0 {
		t.Fatalf("%q: expected a name, a positive count and pairs of value and unit", f)
	}
	for _, part := range strings.Split(f[0], "/")[1:] {
		if c := part[0]; c < 'a' || c > 'z' {
			t.Errorf("%s: part %q does not begin with a small letter", f[0], part)
		}
	}
	for i := 2; i < len(f); i += 2 {
		if _, err := strconv.ParseFloat(f[i], 64); err != nil {
			t.Errorf("%s: value %q is no number", f[0], f[i])
		}
		if !meta[f[i+1]] {
			t.Errorf("%s: unit %q has no Unit line before it", f[0], f[i+1])
		}
	}
}

func TestHeadlinesSayWhatIsWrong(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(*Manifest)
		want string
	}{
		{"interrupted", func(m *Manifest) { m.Status = Running }, "INTERRUPTED"},
		{"failed", func(m *Manifest) { m.Status, m.Error = Failed, "no sockets" }, "failed: no sockets"},
	} {
		m := syntheticManifest()
		row.edit(&m)
		r := openResult(t, m, nil)
		if got := r.headlines()[0]; got.State != Miss || !strings.Contains(got.Text, row.want) {
			t.Errorf("%s: first line is %+v, expected %q", row.name, got, row.want)
		}
		if page := mustHTML(t, r); !strings.Contains(page, row.want) {
			t.Errorf("%s: the page does not say %q", row.name, row.want)
		}
	}
}

// A line of many misses would not be read: it counts them by figure.
func TestParityLine(t *testing.T) {
	miss := Finding{ID: "b", What: "x", Verdict: Verdict{Miss, "misses by 1"}}
	list := []Finding{{ID: "a", Verdict: Verdict{Pass, ""}}, miss, miss, {ID: "c"}, {Verdict: Verdict{NotJudged, ""}}}
	want := "Paper parity: 1 of 3 judged figures met, 1 not measured; missed: b (x: misses by 1); b (x: misses by 1)."
	if got := parityLine(list); got != (Verdict{Miss, want}) {
		t.Errorf("%+v, expected %q", got, want)
	}
	for range maxNamedMisses {
		list = append(list, Finding{ID: "d", Verdict: Verdict{Miss, ""}})
	}
	want = "Paper parity: 1 of 9 judged figures met, 1 not measured; missed: b (2 of 2), d (6 of 6)."
	if got := parityLine(list); got.Text != want {
		t.Errorf("%+v, expected %q", got, want)
	}
}

// openResult writes a result into a directory of the test and opens it.
func openResult(t testing.TB, m Manifest, samples []Sample) *Result {
	t.Helper()
	r, err := Open(writeResult(t, t.TempDir(), m, samples))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A run that recorded nothing still gives every form of the report, but
// it has no table of the paper's figures.
func TestEmptyRun(t *testing.T) {
	m := syntheticManifest()
	m.Stages = nil
	r := openResult(t, m, nil)
	text := Text(r)
	if strings.Contains(text, "Paper parity") || strings.Contains(mustHTML(t, r), `id="parity"`) {
		t.Errorf("a table of figures of which none was measured:\n%s", text)
	}
	if got := Markdown(r); !strings.Contains(got, "No figures") {
		t.Errorf("Markdown: %s", got)
	}
	if strings.Contains(string(Bench(r)), "Benchmark") {
		t.Error("an empty run has benchmark lines")
	}
	if page := mustHTML(t, r); !strings.Contains(page, "it ended first: Load,") {
		t.Error("the page does not say what is absent")
	}
}

// A stage that did not run leaves the figures of the others as they are.
func TestMissingStage(t *testing.T) {
	whole := synthetic(t)
	m := syntheticManifest()
	m.Stages = m.Stages[:1]
	var samples []Sample
	for k, list := range whole.samples {
		if k.stage == StageCluster {
			samples = append(samples, list...)
		}
	}
	r := openResult(t, m, samples)
	text := Text(r)
	depth := depthTable(SummarizeDepth(whole.Select(StageCluster, KindDepth)), "")
	var want strings.Builder
	depth.WriteText(&want, maxTextRows)
	if !strings.Contains(text, want.String()) {
		t.Errorf("the table of depths changed or is absent:\n%s", text)
	}
	if strings.Contains(text, "Wide area") {
		t.Error("the text shows a stage that did not run")
	}
	if page := mustHTML(t, r); !strings.Contains(page, "Wide area, ") ||
		strings.Contains(page, `id="stage-wan"`) {
		t.Error("the page does not say that the stage is missing, or shows it")
	}
}

func TestReadmeBlock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	const before, after = "# Title\n\ntext\n", "\nmore\n"
	begin, end := BlockResults.Begin(), BlockResults.End()
	if err := os.WriteFile(path, []byte(before+begin+"\nold\n"+end+after), 0o640); err != nil {
		t.Fatal(err)
	}
	r := synthetic(t)
	for range 2 { // a second update must not grow the file
		if err := UpdateReadme(path, BlockResults, r); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := os.ReadFile(path)
	// A run with load beside simulated trees is a tour, whose trees stand in another block.
	if want := before + begin + "\n" + r.markdown(false) + end + after; string(got) != want {
		t.Errorf("got %s", got)
	}
	if strings.Contains(string(got), mainCaption) || !strings.Contains(Markdown(r), mainCaption) {
		t.Error("the block of a tour has the trees of simulations, or their table has none")
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("the mode became %v", info.Mode())
	}
}

func TestReadmeWithoutMarkersIsAnErrorAndUnchanged(t *testing.T) {
	begin, end := BlockResults.Begin(), BlockResults.End()
	for text, want := range map[string]string{
		"nothing":          "0 times",
		begin + begin:      "2 times",
		begin:              "results:end",
		end + "\n" + begin: "expected before",
	} {
		path := filepath.Join(t.TempDir(), "README.md")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := UpdateReadme(path, BlockResults, synthetic(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, expected one that says %q", text, err, want)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if err := UpdateReadme(filepath.Join(t.TempDir(), "none"), BlockResults, synthetic(t)); err == nil {
		t.Error("a file that is not there gave no error")
	}
}

func TestMarkdownCellsAreEscaped(t *testing.T) {
	var b strings.Builder
	Table{Columns: []Column{text("a|b")}, Rows: [][]string{{"x|y\n<b>"}}}.WriteMarkdown(&b)
	if want := "| a\\|b |\n|---|\n| x\\|y &lt;b&gt; |\n"; b.String() != want {
		t.Errorf("got %q, expected %q", b.String(), want)
	}
}
