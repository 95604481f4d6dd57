package reports

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func create(t testing.TB, dir string) *Run {
	t.Helper()
	m := syntheticManifest()
	m.Status, m.Stages = Complete, nil
	run, err := Create(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// What a run is given is what a reader gets, for every kind and every value.
func TestSampleSurvivesTheFile(t *testing.T) {
	var keys []kindKey
	for k := range kinds {
		if k.stage == "" {
			k.stage = StageDeliver
		}
		keys = append(keys, k)
	}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom(keys).Draw(t, "kind")
		spec, _ := lookupKind(key.stage, key.kind)
		s := Sample{Stage: key.stage, Kind: key.kind}
		for c := colSeed; c < numColumns; c++ {
			if spec.columns.has(c) {
				drawField(t, &s, c, spec)
			}
		}
		k, err := s.check()
		if err != nil {
			t.Fatal(err)
		}
		p := parser{strings: make(map[string]string)}
		p.canonical()
		line := s.appendTo(nil, k)
		got, err := p.sample(line[:len(line)-1])
		if err != nil || got != s {
			t.Fatalf("%+v became %+v by %q (%v)", s, got, line, err)
		}
	})
}

func drawField(t *rapid.T, s *Sample, c column, spec kindSpec) {
	name := columnNames[c]
	count := rapid.Int64Min(0)
	text := rapid.StringMatching(`[a-zA-Z0-9 _./+-]+`)
	switch c {
	case colSeed:
		s.Seed = rapid.Uint64().Draw(t, name)
	case colGroup:
		s.Group = text.Draw(t, name)
	case colHost:
		s.Host = rapid.IntMin(0).Draw(t, name)
	case colLevel:
		s.Level = rapid.IntMin(0).Draw(t, name)
	case colN:
		s.N = count.Draw(t, name)
	case colValue:
		s.Value = rapid.Float64Min(0).Draw(t, name)
		if spec.signed && rapid.Bool().Draw(t, "negative") {
			s.Value = -s.Value
		}
	case colStart:
		s.StartNS = count.Draw(t, name)
	case colService:
		s.ServiceNS = count.Draw(t, name)
	case colStatus:
		s.Status = text.Draw(t, name)
	}
}

func TestRunWritesWhatOpenReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "er")
	run := create(t, dir)
	if m, err := readManifest(dir); err != nil || m.Status != Running || !m.Stopped.IsZero() {
		t.Fatalf("at the start the manifest is %+v (%v), expected status running", m, err)
	}
	samples := syntheticSamples(2, 16, 40)
	for _, s := range samples {
		run.Sample(s)
	}
	for _, s := range []Stage{
		{Name: StageCluster, Status: Running},
		{Name: StageWAN, Status: Complete, Seconds: 2},
		{Name: StageCluster, Status: Complete, Seconds: 1.5},
	} {
		if err := run.Stage(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Count != len(samples) || len(r.Warnings) > 0 || r.Manifest.Status != Complete || r.Manifest.Stopped.IsZero() {
		t.Errorf("read %d samples of %d, status %s, warnings %v", r.Count, len(samples), r.Manifest.Status, r.Warnings)
	}
	if s, _ := r.Stage(StageCluster); len(r.Manifest.Stages) != 2 || s.Seconds != 1.5 {
		t.Errorf("stages are %+v, expected two, the later entry of cluster", r.Manifest.Stages)
	}
	for _, name := range []string{BenchFile, HTMLFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 500 {
			t.Errorf("%s: %v, expected a derived file", name, err)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) > 0 {
		t.Errorf("temporary files stayed: %v", names)
	}
}

// Samples of many goroutines all arrive, each line whole.
func TestSampleFromManyGoroutines(t *testing.T) {
	dir := t.TempDir()
	run := create(t, dir)
	const workers, each = 8, 5000
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				run.Sample(Sample{Stage: StageLoad, Kind: KindJoin, StartNS: int64(i), Value: float64(w), Status: StatusOK})
			}
		})
	}
	wg.Go(func() {
		for i := range 20 {
			if err := run.Stage(Stage{Name: fmt.Sprint(i), Status: Complete}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if err := run.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[float64]int)
	for _, s := range r.Select(StageLoad, KindJoin) {
		seen[s.Value]++
	}
	for w := range workers {
		if seen[float64(w)] != each {
			t.Errorf("%d samples of goroutine %d, expected %d", seen[float64(w)], w, each)
		}
	}
	if len(r.Warnings) > 0 || len(r.Manifest.Stages) != 20 {
		t.Errorf("%d stages, warnings %v", len(r.Manifest.Stages), r.Warnings)
	}
}

// A run that is killed has its samples on disk a second later.
func TestKilledRunIsReadable(t *testing.T) {
	dir := t.TempDir()
	run := create(t, dir)
	run.Sample(Sample{Stage: StageCluster, Kind: KindDepth, Seed: 1, N: 8, Value: 2})
	deadline := time.Now().Add(5 * time.Second)
	for {
		r, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if r.Count == 1 {
			if r.Manifest.Status != Interrupted {
				t.Errorf("status %s, expected interrupted", r.Manifest.Status)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the sample is not on disk, expected it within a second")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if flushPeriod > time.Second {
		t.Errorf("samples wait %v, expected at most a second", flushPeriod)
	}
	if err := run.Close(Interrupted, errors.New("signal: interrupt")); err != nil {
		t.Fatal(err)
	}
	if m, err := readManifest(dir); err != nil || m.Status != Interrupted || m.Error != "signal: interrupt" {
		t.Errorf("manifest %+v (%v), expected status and cause", m, err)
	}
}

func TestBadSamplesAreRefusedAndReported(t *testing.T) {
	dir := t.TempDir()
	run := create(t, dir)
	nan := 0.0
	for _, s := range []Sample{
		{Stage: "nowhere", Kind: KindDepth},
		{Stage: StageWAN, Kind: KindStretch, Value: nan / nan},
		{Stage: StageWAN, Kind: KindStretch, Value: -1},
		{Stage: StageWAN, Kind: KindStretch, Host: -1},
		{Stage: StageWAN, Kind: KindStretch, Group: "a,b"},
		{Stage: "a\nb", Kind: KindCount, Group: "x"},
	} {
		run.Sample(s)
	}
	run.Sample(Sample{Stage: StageWAN, Kind: KindStretch, Value: 1})
	err := run.Close(Complete, nil)
	if err == nil || !strings.Contains(err.Error(), "6 samples refused") ||
		!strings.Contains(err.Error(), "nowhere/depth") {
		t.Errorf("error %v, expected the count of refused samples and the first of them", err)
	}
	if r, err := Open(dir); err != nil || r.Count != 1 || r.Skipped != 0 {
		t.Errorf("%+v (%v), expected the one good sample", r, err)
	}
}

// A disk that fails costs samples, which Close counts; what was written before
// stays readable.
func TestWriteErrorIsReported(t *testing.T) {
	dir := t.TempDir()
	run := create(t, dir)
	if err := run.put(failingWriter{}, []byte("x\n"), nil); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("error %v, expected the writer's", err)
	}
	if err := run.put(failingWriter{}, []byte("x\ny\n"), errors.New("earlier")); err == nil || run.lost != 2 {
		t.Errorf("error %v and %d lost, expected the earlier error and 2", err, run.lost)
	}
	if err := run.Close(Complete, nil); err == nil || !strings.Contains(err.Error(), "2 samples lost") {
		t.Errorf("error %v, expected the count of lost samples", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestClosedRun(t *testing.T) {
	dir := t.TempDir()
	run := create(t, dir)
	if err := run.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	run.Sample(Sample{Stage: StageCluster, Kind: KindDepth, N: 8, Value: 2})
	if err := run.Close(Failed, nil); err == nil {
		t.Error("a second Close gave no error")
	}
	if err := run.Stage(Stage{Name: "late"}); err == nil {
		t.Error("Stage after Close gave no error")
	}
	if r, err := Open(dir); err != nil || r.Manifest.Status != Complete || r.Count != 0 {
		t.Errorf("%+v (%v), expected the result of the first Close", r, err)
	}
	if _, err := Create(dir, Manifest{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("Create over a result: %v, expected that it exists", err)
	}
}

func TestCreateFillsTheManifest(t *testing.T) {
	dir := t.TempDir()
	run, err := Create(dir, Manifest{Command: []string{"bench"}, Seed: 3, Status: Failed, Error: "stale", Samples: 9})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	m, err := readManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Schema != 2 || m.Tool != "bench" || m.Commit == "" || !strings.HasPrefix(m.Go, "go") || m.Error != "" ||
		m.Samples != 0 || m.Machine.Cores < 1 || m.Machine.OS == "" || time.Since(m.Started) > time.Minute {
		t.Errorf("manifest %+v, expected every default", m)
	}
}

// Sample is on the path that is being measured: it allocates nothing.
func TestSampleAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: the race detector allocates")
	}
	run := create(t, t.TempDir())
	s := Sample{Stage: StageLoad, Kind: KindJoin, StartNS: 123456789, Value: 812345, ServiceNS: 812000, Status: StatusOK}
	if n := testing.AllocsPerRun(1000, func() { run.Sample(s) }); n > 0 {
		t.Errorf("%v allocations a sample, expected none", n)
	}
	if err := run.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkSample(b *testing.B) {
	run := create(b, b.TempDir())
	s := Sample{Stage: StageLoad, Kind: KindJoin, StartNS: 123456789, Value: 812345, ServiceNS: 812000, Status: StatusOK}
	b.ReportAllocs()
	for b.Loop() {
		run.Sample(s)
	}
	close(run.stop)
	<-run.done
}
