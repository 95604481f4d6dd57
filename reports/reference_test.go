package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is kept of a result is a page, text, the run and two charts on white; one that has not the charts is refused.
func TestReference(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reference")
	r := synthetic(t)
	if err := WriteReference(dir, r); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		HTMLFile: "</html>", ManifestFile: `"schema"`, MarkdownFile: "How deep is the tree?",
		"load-latency-series.svg": `fill="#fff"`, "repair-cdf.svg": `fill="#fff"`,
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s (%v) does not contain %q", name, err, want)
		}
	}
	text, err := MarkdownGlance(r)
	if err != nil || strings.Count(text, "| How ") != 3 || !strings.Contains(text, "Measured 2026-11-22") {
		t.Errorf("%v, %s", err, text)
	}
	empty := openResult(t, syntheticManifest(), nil)
	if err := WriteReference(dir, empty); err == nil || !strings.Contains(err.Error(), "no chart repair-cdf") {
		t.Errorf("a result without charts: %v", err)
	}
	if _, err := MarkdownGlance(empty); err == nil {
		t.Error("a result that answers nothing gave a table")
	}
}
