package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A job is a name and how many samples it has besides the one that says that it is
// finished.
type resumeJob struct {
	key     string
	samples int
}

func (j resumeJob) write(r *Run) {
	for i := range j.samples {
		r.Sample(Sample{Stage: StageTree, Kind: KindRAD, Seed: 1, Group: j.key, N: int64(i), Value: 1.25})
	}
	r.Sample(Sample{Stage: StageTree, Kind: KindRun, Seed: 1, Group: j.key, Value: 0.5})
}

var resumeJobs = []resumeJob{{"one", 3}, {"two", 0}, {"three", 5}, {"two of two", 1}, {"last", 2}}

// uncut returns the directory of a run that was not cut off, and its samples.
func uncut(t *testing.T) (dir string, samples []byte) {
	t.Helper()
	r := create(t, filepath.Join(t.TempDir(), "run"))
	for _, j := range resumeJobs {
		j.write(r)
	}
	if err := r.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	samples, err := os.ReadFile(filepath.Join(r.Dir(), SamplesFile))
	if err != nil {
		t.Fatal(err)
	}
	return r.Dir(), samples
}

func sortedLines(text []byte) string {
	lines := strings.Split(string(text), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// A run that is cut off anywhere, also in the middle of a line, or whose file ends
// in zeros as after a power cut, has the samples of one that was not when it has
// been resumed: each job's once.
func TestResumeAnywhere(t *testing.T) {
	dir, whole := uncut(t)
	path := filepath.Join(dir, SamplesFile)
	rapid.Check(t, func(rt *rapid.T) {
		cut := rapid.IntRange(0, len(whole)).Draw(rt, "cut")
		zeros := rapid.IntRange(0, 3).Draw(rt, "zeros")
		left := append(bytes.Clone(whole[:cut]), make([]byte, zeros)...)
		if err := os.WriteFile(path, left, 0o644); err != nil {
			rt.Fatal(err)
		}
		r, done, err := Resume(dir, syntheticManifest())
		if err != nil {
			rt.Fatal(err)
		}
		for _, name := range []string{EventsFile, LatencyFile} {
			if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
				rt.Fatalf("%s is of the journal as it was: %v, expected that it is gone", name, err)
			}
		}
		again := 0
		for _, j := range resumeJobs {
			end := bytes.Index(whole, fmt.Appendf(nil, "run,1,%s,,,,0.5,,,\n", j.key))
			if end < 0 {
				rt.Fatalf("no end of job %s in %q", j.key, whole)
			}
			end += len(j.key) + len("run,1,,,,,0.5,,,\n")
			if done[j.key] != (end <= cut) {
				rt.Fatalf("job %s, which ends at %d: done is %t", j.key, end, done[j.key])
			}
			if !done[j.key] {
				j.write(r)
				again++
			}
		}
		if err := r.Close(Complete, nil); err != nil {
			rt.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			rt.Fatal(err)
		}
		if sortedLines(got) != sortedLines(whole) {
			rt.Fatalf("after %d jobs again:\n%s\nexpected\n%s", again, got, whole)
		}
		if result, err := Open(dir); err != nil || result.Manifest.Status != Complete || len(result.Warnings) > 0 {
			rt.Fatalf("%v, %+v", err, result)
		}
	})
}

// The samples may be gone altogether.
func TestResumeWithoutSamples(t *testing.T) {
	dir, whole := uncut(t)
	path := filepath.Join(dir, SamplesFile)
	events := filepath.Join(dir, EventsFile)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	// Where the Parquet file has all that is left, to begin anew would lose it.
	_, _, err := Resume(dir, syntheticManifest())
	if err == nil || !strings.Contains(err.Error(), "expected the former") {
		t.Errorf("resumed without %s: %v, expected to be refused", SamplesFile, err)
	}
	if _, err := os.Stat(events); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(events); err != nil {
		t.Fatal(err)
	}
	r, done, err := Resume(dir, syntheticManifest())
	if err != nil || len(done) > 0 {
		t.Fatalf("%v, done %v", err, done)
	}
	for _, j := range resumeJobs {
		j.write(r)
	}
	if err := r.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != string(whole) {
		t.Errorf("samples\n%s\nexpected\n%s", got, whole)
	}
}

// A run with another seed, commit or flag is refused before anything is changed,
// and the message names what differs and both values.
func TestResumeRefuses(t *testing.T) {
	params := map[string]string{"servers": "40", "rows": "[tree]", "out": "a", "beside": "1"}
	dir := filepath.Join(t.TempDir(), "run")
	r, err := Create(dir, Manifest{Seed: 7, Commit: "aaaaaaa", Parameters: params, Command: []string{"bench", "sim"}})
	if err != nil {
		t.Fatal(err)
	}
	resumeJobs[0].write(r)
	if err := r.Close(Interrupted, nil); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	with := func(name, value string) map[string]string {
		p := maps.Clone(params)
		if p[name] = value; value == "" {
			delete(p, name)
		}
		return p
	}
	for _, c := range []struct {
		m    Manifest
		says []string
	}{
		{Manifest{Seed: 8, Commit: "aaaaaaa", Parameters: params}, []string{"--seed 8", "before 7"}},
		{Manifest{Seed: 7, Commit: "bbbbbbb", Parameters: params}, []string{"commit", "bbbbbbb", "aaaaaaa"}},
		{Manifest{Seed: 7, Commit: "aaaaaaa", Parameters: with("servers", "41")}, []string{`--servers "41"`, `before "40"`}},
		{Manifest{Seed: 7, Commit: "aaaaaaa", Parameters: with("nets", "A-M")}, []string{`--nets "A-M"`, `before ""`}},
		{Manifest{Seed: 7, Commit: "aaaaaaa", Parameters: with("rows", "")}, []string{`--rows ""`, `before "[tree]"`}},
		{Manifest{Seed: 7, Commit: "aaaaaaa"}, []string{`--rows`}},
	} {
		_, _, err := Resume(dir, c.m)
		if err == nil {
			t.Fatalf("%+v was resumed", c.m)
		}
		for _, s := range append(c.says, dir, "expected the same as before") {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%v does not say %s", err, s)
			}
		}
	}
	if after := contents(t, dir); !maps.Equal(before, after) {
		t.Error("a refused resumption changed the result")
	}
	m := Manifest{Seed: 7, Commit: "aaaaaaa", Parameters: with("out", "b"), Command: []string{"bench", "--resume"}}
	m.Parameters["beside"], m.Parameters["workers"], m.Parameters["resume"] = "9", "3", "true"
	r, done, err := Resume(dir, m)
	if err != nil || !done["one"] {
		t.Fatalf("%v, done %v", err, done)
	}
	if err := r.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	result, err := Open(dir)
	if err != nil || !slices.Equal(result.Manifest.Command, []string{"bench", "sim"}) {
		t.Errorf("%v, the command is %q, expected that of the first run", err, result.Manifest.Command)
	}
}

// contents returns the files of a directory.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for _, name := range []string{ManifestFile, SamplesFile, BenchFile, HTMLFile} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(data)
	}
	return out
}

// The stages that an earlier run recorded stay until they are recorded again.
func TestResumeKeepsStages(t *testing.T) {
	r := create(t, filepath.Join(t.TempDir(), "run"))
	resumeJobs[0].write(r)
	for _, s := range []Stage{{Name: StageTree, Status: Complete, Seconds: 9}, {Name: StageRefresh, Status: Failed}} {
		if err := r.Stage(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(Failed, errors.New("why")); err != nil {
		t.Fatal(err)
	}
	again, _, err := Resume(r.Dir(), syntheticManifest())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Stage(Stage{Name: StageRefresh, Status: Complete}); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	result, err := Open(r.Dir())
	if err != nil {
		t.Fatal(err)
	}
	m := result.Manifest
	want := []Stage{{Name: StageTree, Status: Complete, Seconds: 9}, {Name: StageRefresh, Status: Complete}}
	if !slices.Equal(m.Stages, want) || m.Error != "" {
		t.Errorf("stages %+v, error %q", m.Stages, m.Error)
	}
}

func TestResumeWithoutRun(t *testing.T) {
	dir := t.TempDir()
	for name, dir := range map[string]string{"no directory": filepath.Join(dir, "none"), "no run": dir} {
		_, _, err := Resume(dir, syntheticManifest())
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "expected the manifest of a run") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if found, err := os.ReadDir(dir); err != nil || len(found) > 0 {
		t.Errorf("left %v, %v", found, err)
	}
}
