package compare

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"i3bench/reports"
)

// result writes a result directory with a depth of its tree for three seeds, and
// the packets owed.
func result(t *testing.T, dir string, when time.Time, depth float64, owed int64) string {
	t.Helper()
	r, err := reports.Create(dir, reports.Manifest{
		Command: []string{"bench"}, Started: when, Commit: fmt.Sprintf("%x", 0xc0ffee00+when.Day()),
	})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(3) {
		r.Sample(reports.Sample{Stage: reports.StageCluster, Kind: reports.KindDepth, Seed: seed, N: 64, Value: depth})
	}
	r.Sample(reports.Sample{
		Stage: reports.StageDeliver, Kind: reports.KindDelivered, Seed: 1, Host: 1, N: owed, Value: float64(owed),
		Status: reports.StatusOK,
	})
	if err := r.Close(reports.Complete, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// month makes a result a day; the depth changes on the 13th, packets owed on the
// 20th.
func month(t *testing.T) (dirs []string) {
	rng := rand.New(rand.NewPCG(1, 6))
	for day := range 24 {
		depth, owed := 4+0.1*rng.Float64(), int64(1000)
		if day >= 12 {
			depth++
		}
		if day >= 19 {
			owed = 1001
		}
		when := time.Date(2026, 11, 1+day, 12, 0, 0, 0, time.UTC)
		dirs = append(dirs, result(t, filepath.Join(t.TempDir(), "run"), when, depth, owed))
	}
	rng.Shuffle(len(dirs), func(i, j int) { dirs[i], dirs[j] = dirs[j], dirs[i] })
	return dirs
}

func TestHistory(t *testing.T) {
	h, err := NewHistory(month(t), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Runs) != 24 || h.Runs[0].When.Day() != 1 {
		t.Fatalf("%d runs, the first of %v", len(h.Runs), h.Runs[0].When)
	}
	changed := make(map[string]int)
	for _, track := range h.Tracks {
		for _, c := range track.Changes {
			changed[track.Unit] = h.Runs[track.Points[c.Point].Run].When.Day()
		}
	}
	if changed["level"] != 13 || changed["owed-packets"] != 20 || len(changed) != 2 {
		t.Errorf("changes %v, expected level on the 13th and owed-packets on the 20th", changed)
	}
	for form, text := range map[string]string{"text": h.Text(), "markdown": h.Markdown()} {
		for _, part := range []string{"2026-11-13 c0ffee0d", "2026-11-20 c0ffee14", "1000", "1001"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q:\n%s", form, part, text)
			}
		}
	}
	page, err := h.HTML()
	drawn := strings.Count(string(page), "<svg ")
	if err != nil || drawn != len(h.Tracks) || !strings.Contains(string(page), "2026-11-13") {
		t.Errorf("%v: %d drawings of %d tracks", err, drawn, len(h.Tracks))
	}
	data, err := h.JSON()
	if err != nil || !json.Valid(data) || !strings.Contains(string(data), `"commit": "c0ffee0d"`) {
		t.Errorf("%v, %.500s", err, data)
	}
}

func TestHistoryRefusesWhatIsNoResult(t *testing.T) {
	_, err := NewHistory([]string{t.TempDir()}, 0, 0)
	if err == nil || !strings.Contains(err.Error(), reports.ManifestFile) {
		t.Errorf("error %v, expected one about the manifest", err)
	}
}

// A folder of result directories and files adds up; other files are left alone.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	when := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	result(t, filepath.Join(dir, "a"), when, 4, 10)
	result(t, filepath.Join(dir, "b"), when, 5, 10)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("c.txt", "pkg: i3bench/x\nBenchmarkX 1 2.5 ns/op\nBenchmarkBroken 1 no ns/op\n")
	write("d.md", "BenchmarkNo 1 1 ns/op\n")
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	depth, got := 0, s.values(Key{"i3bench/x", "X", "ns/op"})
	for _, row := range s.rows {
		if row.key.Unit == "level" {
			depth = len(row.values)
		}
		if row.key.Name == "No" {
			t.Error("a file that is no .txt was read")
		}
	}
	if depth != 6 || len(got) != 1 || len(s.broken) != 1 {
		t.Errorf("%d depths, %v, %q; expected 6, one value and a broken line", depth, got, s.broken)
	}
	for path, says := range map[string]string{
		filepath.Join(dir, "none"):   "no such file",
		write("empty.txt", "PASS\n"): "no result in it",
		t.TempDir():                  "no result in it",
	} {
		_, err := Read(file, path)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("Read %s: error %v, expected %q", path, err, says)
		}
	}
}
