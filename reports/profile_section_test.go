package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"i3bench/reports/profile"
)

// A taken stack is one of a profile that a test makes: functions from the outermost to the innermost, and how often.
type taken struct {
	functions string // separated by blanks
	label     string
	samples   int64
}

// someStacks are of every kind: labelled, known by function, unknown, and too rare to be drawn.
var someStacks = []taken{
	{"i3bench/cluster.(*shard).run i3bench/replicate/udp.(*socket).Recv", "receive", 2000},
	{"i3bench/cluster.(*shard).run i3bench/cluster.(*Endpoint).round i3bench/cluster.(*sender).Send", "send", 5000},
	{"i3bench/cluster.(*shard).run i3bench/cluster.(*Endpoint).round i3bench/matcher.(*Table).MatchBatch", "machine", 900},
	{"i3bench/cluster.(*shard).run i3bench/cluster.(*Endpoint).round i3bench/i3/chord.(*Member).Receive", "machine", 400},
	{"runtime.gcBgMarkWorker runtime.scanobject", "", 300},
	{"example.org/x.<f>", "", 60},
	{"example.org/x.rare", "", 3},
	{"example.org/x.rarer", "", 2},
	{"example.org/x.rarest", "", 4},
}

// fewerSends is the profile of a version that sends less, and has a stack that is gone.
var fewerSends = []taken{
	{someStacks[0].functions, "receive", 1000},
	{someStacks[1].functions, "send", 1000},
	{someStacks[2].functions, "machine", 450},
	{"i3bench/cluster.(*shard).run i3bench/cluster.gone", "receive", 200},
}

// writeProfile puts a profile into a directory.
func writeProfile(t testing.TB, dir, name string, stacks []taken) {
	t.Helper()
	p := &pprof.Profile{
		SampleType: []*pprof.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &pprof.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: 1e7,
	}
	locations := make(map[string]*pprof.Location)
	for _, s := range stacks {
		sample := &pprof.Sample{Value: []int64{s.samples, s.samples * 1e7}}
		if s.label != "" {
			sample.Label = map[string][]string{"stage": {s.label}}
		}
		for f := range strings.FieldsSeq(s.functions) {
			l := locations[f]
			if l == nil {
				id := uint64(len(locations) + 1)
				fn := &pprof.Function{ID: id, Name: f}
				l = &pprof.Location{ID: id, Line: []pprof.Line{{Function: fn}}}
				locations[f] = l
				p.Function, p.Location = append(p.Function, fn), append(p.Location, l)
			}
			sample.Location = append([]*pprof.Location{l}, sample.Location...)
		}
		p.Sample = append(p.Sample, sample)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// profiled returns a result of a load run, its profile, and a directory with the profile of a baseline.
func profiled(t testing.TB, stages ...string) (r *Result, base string) {
	t.Helper()
	m := Manifest{Schema: Schema, Command: []string{"bench", "load"}}
	for _, s := range stages {
		m.Stages = append(m.Stages, Stage{Name: s, Status: Complete})
	}
	dir := writeResult(t, t.TempDir(), m, []Sample{
		{Stage: StageLoad, Kind: KindJoin, Value: 1e6, Status: StatusOK},
		{Stage: StageLoad, Kind: KindRepair, Value: 1e6, Status: StatusOK},
		{Stage: StageLoad, Kind: KindJoin, Value: 1e6, Status: StatusTimeout},
		{Stage: StageLoad, Kind: KindCount, Group: "datagrams sent", Value: 1000},
	})
	base = t.TempDir()
	writeProfile(t, dir, ProfileFile, someStacks)
	writeProfile(t, base, "cpu-n1.pprof", fewerSends)
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r, base
}

// What a profile of known stacks says, as text and as a drawing, is what the golden file has.
func TestProfileGolden(t *testing.T) {
	r, base := profiled(t, StageLoad, StageProfile)
	r.Baseline = base
	s := profileSection(r)
	var b strings.Builder
	b.WriteString(strings.Join(s.Text, "\n") + "\n")
	for _, table := range s.Tables {
		if !table.Fold {
			table.WriteText(&b, 100)
		}
	}
	for _, f := range s.Figures {
		f.Table.WriteText(&b, 100)
		svg, err := f.Chart.SVG(f.ID)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n" + svg + "\n")
	}
	golden(t, "profile.golden", b.String())
}

// Costs for an operation are given only where the run did nothing else than such operations.
func TestProfilePerOperation(t *testing.T) {
	for _, c := range []struct {
		stages []string
		want   bool
	}{
		{[]string{StageLoad, StageProfile}, true},
		{[]string{StageCluster, StageLoad, StageProfile}, false},
	} {
		r, _ := profiled(t, c.stages...)
		s := profileSection(r)
		head := s.Tables[0].Columns
		if got := head[len(head)-1].Name == "per datagram sent"; got != c.want {
			t.Errorf("stages %v: the last column is %q", c.stages, head[len(head)-1].Name)
		}
		if row := s.Tables[0].Rows[0]; c.want && (row[4] != "10.0 s" || row[5] != "20.0 ms") {
			t.Errorf("receive: %v, expected 20 s over two operations and a thousand datagrams", row)
		}
	}
}

// A run without a profile says nothing of it; one whose profile is damaged says what is wrong, and has the others.
func TestProfileAbsentOrBroken(t *testing.T) {
	r := openResult(t, syntheticManifest(), nil)
	if s := profileSection(r); s.Absent == "" || !r.lacks(StageProfile) {
		t.Errorf("%+v, expected an absent section of a stage that the run lacks", s)
	}
	r.Baseline = t.TempDir()
	if s := profileSection(r); s.Absent != "" || !strings.Contains(s.Text[0], "without cpu*.pprof") {
		t.Errorf("%+v, expected that there is nothing to compare with the baseline", s)
	}
	r.Baseline = ""
	if err := os.WriteFile(filepath.Join(r.Dir, ProfileFile), []byte("half a prof"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s := profileSection(r); len(s.Text) != 1 || !strings.Contains(s.Text[0], ProfileFile) ||
		!strings.Contains(s.Text[0], "want a CPU profile") {
		t.Errorf("%+v, expected what is wrong", s)
	}
	writeProfile(t, r.Dir, "cpu-n2.pprof", someStacks)
	r.Baseline = filepath.Join(r.Dir, "none")
	s := profileSection(r)
	text := strings.Join(s.Text, "\n")
	if len(s.Tables) == 0 || !strings.Contains(text, ProfileFile) || !strings.Contains(text, "no comparison") {
		t.Errorf("%q, expected the one that can be read, what is wrong with the other, and no comparison", text)
	}
}

// A profile in which nothing was seen has no drawing and no error.
func TestProfileOfNothing(t *testing.T) {
	dir := t.TempDir()
	writeProfile(t, dir, ProfileFile, nil)
	p, err := profile.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	page, err := ProfilePage(p, p)
	if err != nil || !strings.Contains(string(page), "no samples") || strings.Contains(string(page), "<svg") {
		t.Errorf("%v, %s, expected a page that says there are no samples", err, page)
	}
}

// The page of a profile is one file, and names of functions are no markup.
func TestProfilePageIsSelfContained(t *testing.T) {
	page := profilePage(t)
	for _, bad := range []string{"<script", " style=", "<link", "<img", "url(", "x.<f>", "Not drawn"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	for _, want := range []string{"x.&lt;f&gt;", "Differential flame graph", "Content-Security-Policy", "within chance"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not contain %q", want)
		}
	}
}

// profilePage returns the page of a profile and its baseline.
func profilePage(t testing.TB) string {
	t.Helper()
	r, base := profiled(t)
	p, err := profile.Read(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := profile.Read(base)
	if err != nil {
		t.Fatal(err)
	}
	page, err := ProfilePage(p, b)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestLastPart(t *testing.T) {
	for name, want := range map[string]string{
		"i3bench/sim.f": "f", "i3bench/sim.(*W[…]).Step": "Step", "sync.(*WaitGroup).Go.func1": "Go.func1", "main": "main",
		"": "", ".func1": "func1", "x.f.func1.2": "2",
	} {
		if got := lastPart(name); got != want {
			t.Errorf("%q: %q, expected %q", name, got, want)
		}
	}
}
