package topology

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// measured returns the file of the measured matrix: what I3BENCH_RTT names, or
// else the one beside the repository, where present, or else a made-up one.
func measured(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("I3BENCH_RTT"); path != "" {
		return path
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(root, "go.mod")) {
		parent := filepath.Dir(root)
		if parent == root {
			t.Fatal("no go.mod above the folder of the test")
		}
		root = parent
	}
	path := filepath.Join(root, "..", "shared", "data", "planetlab", "rtt_ms_490.txt.gz")
	if !exists(path) {
		t.Log("no measured matrix: I3BENCH_RTT is not set and there is none beside the repository; a made-up one instead")
		return madeUp(t)
	}
	return path
}

// madeUp writes a made-up matrix of the measured one's size and form to a file.
func madeUp(t *testing.T) string {
	t.Helper()
	m, err := Generate(1, 490)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range m.Len() {
		for j := range m.Len() {
			if j > 0 {
				b.WriteByte('\t')
			}
			fmt.Fprintf(&b, "%.6f", 2*float64(m.OneWay(i, j))/1e6)
		}
		b.WriteByte('\n')
	}
	path := filepath.Join(t.TempDir(), "made-up.txt")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// plainText returns the content of a file, decompressed where it is gzip.
func plainText(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if zipped, err := gzip.NewReader(f); err == nil {
		r = zipped
	} else if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every entry of the measured matrix is what a second parser makes of it, and
// 50 nodes of it, as section 7.2 of the paper has, form a usable network.
func TestMeasured(t *testing.T) {
	path := measured(t)
	m, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, ok := readSlowly(plainText(t, path))
	if !ok || len(want) != m.Len() {
		t.Fatalf("Len() = %d, the slow parser has %d rows, ok = %v", m.Len(), len(want), ok)
	}
	for i := range want {
		for j := range want {
			if m.OneWay(i, j) != want[i][j] {
				t.Fatalf("OneWay(%d, %d) = %v, want %v", i, j, m.OneWay(i, j), want[i][j])
			}
		}
	}
	nodes, err := m.Pick(1, 50)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := m.Sub(nodes)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(m.Stats())
	stats := sub.Stats()
	if stats.Nodes != 50 || stats.Unknown != 0 || stats.MedianRTT <= 0 || stats.TriangleViolations >= 0.5 {
		t.Errorf("50 picked nodes: %v", stats)
	}
}
