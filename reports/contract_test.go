package reports

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// everySample makes samples up for each section of the report.
func everySample(t testing.TB) []Sample {
	search, _ := findSamples(t)
	return slices.Concat(syntheticSamples(3, 16, 80), search, copiesSamples(), microSamples(true), capacitySamples(),
		heldSamples(1.9, 4002, 0), restSamples())
}

// restSamples are some of what packets of a group at rest are for, and of what its nodes do.
func restSamples() (out []Sample) {
	for i, class := range []string{TrafficData, TrafficRefresh, TrafficHeartbeat} {
		s := Sample{Stage: StageTraffic, Seed: 1, Group: class, Level: 10, N: 64, StartNS: 60e9}
		for k, kind := range []string{KindPackets, KindBytes} {
			s.Kind, s.Value = kind, float64(1000*(i+1)*(1+99*k))
			out = append(out, s)
		}
	}
	for k, kind := range nodesKinds {
		out = append(out, Sample{
			Stage: StageNodes, Kind: kind, Group: "paper/A-M", Seed: 1, Host: 16, N: 256, Value: 1 + float64(k),
		})
	}
	return out
}

// finishedRun writes a result directory with a Run, as a program does.
func finishedRun(t testing.TB, samples []Sample) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	m := syntheticManifest()
	m.Stages = append(slices.Clone(m.Stages), Stage{Name: StageFind, Status: Complete},
		Stage{Name: StageMicro, Status: Complete}, Stage{Name: StageCopies, Status: Complete},
		Stage{Name: StageCapacity, Status: Complete}, Stage{Name: StageHold, Status: Complete},
		Stage{Name: StageTraffic, Status: Complete}, Stage{Name: StageNodes, Status: Complete})
	m.Parameters = map[string]string{
		ParamFindMin: "40", ParamFindMax: "2000", ParamFindTrial: "1", ParamFindFirst: "0.5",
		ParamFindConfidence: "0.75", ParamFindPrecision: "0.1", ParamNets: "[A-M A-L]", ParamOthers: "[C-M powerlaw]",
	}
	run, err := Create(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		run.Sample(s)
	}
	if err := run.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// copyRun copies a result directory without the named files.
func copyRun(t testing.TB, dir string, without ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(dir))
	if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range without {
		if err := os.Remove(filepath.Join(out, name)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func mustOpen(t testing.TB, dir string) *Result {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sameFigures checks that two results have the same sections, but for the one that
// lists the files, to the last bit, and the same benchmark lines.
func sameFigures(t testing.TB, what string, got, want *Result) {
	t.Helper()
	a, b := got.Sections(), want.Sections()
	if len(a) != len(b) {
		t.Fatalf("%s: %d sections, expected %d", what, len(a), len(b))
	}
	for i := range a {
		if a[i].ID == "files" {
			continue
		}
		// Charts hold functions, which are never equal; their text is compared.
		if x, y := comparable(a[i]), comparable(b[i]); !reflect.DeepEqual(x, y) {
			t.Errorf("%s: section %s is\n%+v\nexpected\n%+v", what, a[i].ID, x, y)
		}
	}
	if x, y := Bench(got), Bench(want); !bytes.Equal(x, y) {
		t.Errorf("%s: bench.txt is\n%s\nexpected\n%s", what, x, y)
	}
	if got.Count != want.Count {
		t.Errorf("%s: %d samples, expected %d", what, got.Count, want.Count)
	}
}

// comparable is a section with its charts as what they draw.
func comparable(s Section) Section {
	figures := make([]Figure, len(s.Figures))
	for i, f := range s.Figures {
		svg, err := f.Chart.SVG(f.ID)
		figures[i] = Figure{ID: fmt.Sprintf("%s %s %v", f.ID, svg, err), Table: f.Table}
	}
	s.Figures = figures
	return s
}

// Every figure of the report is computed again from run.json and either file of
// samples, to the last bit; whichever is missing, the report says so.
func TestEveryFigureFromEitherFile(t *testing.T) {
	dir := finishedRun(t, everySample(t))
	whole := mustOpen(t, dir)
	if len(whole.Warnings) > 0 || whole.Manifest.Samples != whole.Count || whole.Count < 10000 {
		t.Fatalf("%d samples, the manifest says %d, warnings %v", whole.Count, whole.Manifest.Samples, whole.Warnings)
	}
	var absent []string
	for _, s := range whole.Sections() {
		if s.Absent != "" {
			absent = append(absent, s.Title)
		}
	}
	if len(absent) > 2 { // no delivery stage, no profile
		t.Errorf("sections %q are absent, expected samples for nearly all", absent)
	}
	for _, c := range []struct{ name, says string }{
		{SamplesFile, "samples.csv: not there; the samples are those of events.parquet"},
		{EventsFile, ""}, {LatencyFile, ""}, {BenchFile, ""}, {HTMLFile, ""},
	} {
		r := mustOpen(t, copyRun(t, dir, c.name))
		sameFigures(t, "without "+c.name, r, whole)
		if got := strings.Join(r.Warnings, "\n"); got != c.says {
			t.Errorf("without %s: warnings %q, expected %q", c.name, got, c.says)
		}
		if c.name == BenchFile || c.name == HTMLFile {
			continue // nothing is read from them
		}
		if !regexp.MustCompile(c.name + ` +not there`).MatchString(Text(r)) {
			t.Errorf("without %s: the text does not list it as not there:\n%s", c.name, Text(r))
		}
	}
}

// The derived files are those of the page and benchmark lines of the samples, and
// are the same when they are written again.
func TestDerivedFilesAreThoseOfTheSamples(t *testing.T) {
	dir := finishedRun(t, syntheticSamples(2, 8, 20))
	again := copyRun(t, dir, BenchFile, HTMLFile)
	if _, err := Render(again); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{BenchFile, HTMLFile} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(again, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not the same when written again (%v)", name, err)
		}
	}
}

// A run that was killed has its journal alone, and a result of schema 1 never had
// anything else.
func TestKilledAndOldRuns(t *testing.T) {
	dir := finishedRun(t, syntheticSamples(2, 8, 20))
	whole := mustOpen(t, dir)
	killed := copyRun(t, dir, EventsFile, LatencyFile, BenchFile, HTMLFile)
	m := whole.Manifest
	m.fill()
	if err := m.write(killed); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, killed)
	if r.Manifest.Status != Interrupted || len(r.Warnings) > 0 || r.Count != whole.Count {
		t.Errorf("killed: status %s, %d samples, warnings %v", r.Manifest.Status, r.Count, r.Warnings)
	}
	if _, err := Render(killed); err != nil {
		t.Error(err)
	}

	old := mustOpen(t, "testdata/schema1")
	if old.Manifest.Schema != 1 || len(old.Warnings) > 0 || old.Count != 509 {
		t.Errorf("schema 1: schema %d, %d samples, warnings %v", old.Manifest.Schema, old.Count, old.Warnings)
	}
	if page := mustHTML(t, old); !strings.Contains(page, "schema 1, 509 samples") {
		t.Error("the page of schema 1 does not say so")
	}
	if bench := string(Bench(old)); !strings.Contains(bench, "BenchmarkLoad/op=join 12 ") {
		t.Errorf("schema 1 has no line of the load:\n%s", bench)
	}
}

// Without its manifest, or with a part of it, a run is still reported; what is
// absent is said.
func TestReportWithoutManifest(t *testing.T) {
	dir := finishedRun(t, syntheticSamples(2, 8, 20))
	whole := mustOpen(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	gone := mustOpen(t, copyRun(t, dir, ManifestFile))
	if gone.Count != whole.Count || len(gone.Warnings) != 1 || !strings.Contains(gone.Warnings[0], ManifestFile) {
		t.Errorf("%d samples, warnings %v", gone.Count, gone.Warnings)
	}
	page := mustHTML(t, gone)
	for _, want := range []string{
		"run.json could not be read", "command, commit, seed", "receivers with stretch below 2",
		"Written from samples.csv alone",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page without a manifest does not have %q", want)
		}
	}
	search, _ := findSamples(t)
	if s := findSection(mustOpen(t, copyRun(t, finishedRun(t, search), ManifestFile))); len(s.Findings) > 0 ||
		!strings.Contains(s.Absent, "parameters stand in run.json") {
		t.Errorf("a search without its parameters is %q, findings %v, expected none", s.Absent, s.Findings)
	}
	damaged := copyRun(t, dir)
	for _, cut := range []int{0, 1, 100, len(text) - 3} {
		if err := os.WriteFile(filepath.Join(damaged, ManifestFile), text[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		r := mustOpen(t, damaged)
		if want := fmt.Sprintf("%s at offset %d", ManifestFile, cut); len(r.Warnings) != 1 ||
			!strings.Contains(r.Warnings[0], want) || r.Count != whole.Count || r.Manifest.Status != Unknown {
			t.Errorf("cut at %d: %d samples, status %s, warnings %v, expected %q", cut, r.Count, r.Manifest.Status, r.Warnings,
				want)
		}
	}
}

// Samples that are gone without a trace in the journal are missed.
func TestLostTail(t *testing.T) {
	dir := copyRun(t, finishedRun(t, syntheticSamples(2, 8, 20)), EventsFile)
	path := filepath.Join(dir, SamplesFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if err := os.WriteFile(path, bytes.Join(lines[:len(lines)-6], nil), 0o644); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, dir)
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "the last 5 samples of the run are not there") {
		t.Errorf("warnings %v, expected that the last 5 samples are missed", r.Warnings)
	}
}

// A damaged journal loses nothing as long as the Parquet file has it all, and the
// other way round; the damage is named by its place all the same.
func TestOneFileOfSamplesHealsTheOther(t *testing.T) {
	dir := finishedRun(t, syntheticSamples(2, 8, 20))
	whole := mustOpen(t, dir)
	for name, want := range map[string]string{
		SamplesFile: "samples.csv:101: at offset ", EventsFile: "events.parquet: at offset ",
	} {
		bad := copyRun(t, dir)
		path := filepath.Join(bad, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := len(data) / 2
		if name == SamplesFile {
			at = len(bytes.Join(bytes.SplitAfter(data, []byte("\n"))[:100], nil))
			want += fmt.Sprint(at)
		}
		copy(data[at:], "\x00\x00\x00\x00")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		r := mustOpen(t, bad)
		sameFigures(t, "damaged "+name, r, whole)
		if len(r.Warnings) < 2 || !strings.Contains(r.Warnings[0], want) || r.Skipped > 0 {
			t.Errorf("damaged %s: %d left out, warnings %q, expected %q first", name, r.Skipped, r.Warnings, want)
		}
		if !strings.Contains(Text(r), "damaged, read") {
			t.Errorf("the list of files does not say that %s is damaged", name)
		}
	}
}

// Garbage in the journal, or the part of a line at its end, costs nothing if the
// Parquet file has as many samples as could be read.
func TestGarbageInTheJournal(t *testing.T) {
	for _, without := range []string{"", EventsFile} {
		dir := finishedRun(t, syntheticSamples(2, 8, 20))
		whole := mustOpen(t, dir)
		f, err := os.OpenFile(filepath.Join(dir, SamplesFile), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("junk\ncluster,dep"); err != nil || f.Close() != nil {
			t.Fatal(err)
		}
		lost := 0
		if without != "" {
			lost = 2
			if err := os.Remove(filepath.Join(dir, without)); err != nil {
				t.Fatal(err)
			}
		}
		r := mustOpen(t, dir)
		sameFigures(t, "with garbage", r, whole)
		if r.Skipped != lost || len(r.Warnings) != 2 {
			t.Errorf("without %q: %d left out, warnings %q, expected %d and two", without, r.Skipped, r.Warnings, lost)
		}
	}
}

// An error in opening a file other than that it is not there is said, too.
func TestFileThatCannotBeOpened(t *testing.T) {
	dir := copyRun(t, finishedRun(t, syntheticSamples(2, 8, 20)), SamplesFile)
	if err := os.Symlink(SamplesFile, filepath.Join(dir, SamplesFile)); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, dir)
	if len(r.Warnings) != 1 || strings.Contains(r.Warnings[0], fs.ErrNotExist.Error()) ||
		!strings.Contains(r.Warnings[0], "the samples are those of events.parquet") {
		t.Errorf("warnings %q", r.Warnings)
	}
}
