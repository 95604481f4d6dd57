package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// results writes a file with eight runs around a time, and a count.
func results(t *testing.T, ns float64, messages int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("pkg: i3bench/x\n")
	for i := range 8 {
		fmt.Fprintf(&b, "BenchmarkX 10 %g ns/op %d sim-datagrams\n", ns+float64(i)/10, messages)
	}
	path := filepath.Join(t.TempDir(), "results.txt")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGate(t *testing.T) {
	a, b, more := results(t, 100, 5), results(t, 110, 5), results(t, 100, 6)
	summary := filepath.Join(t.TempDir(), "summary.md")
	second := filepath.Join(t.TempDir(), "second.txt")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"gate " + a + " " + a, 0, "no regression: 2 rows"},
		{"gate " + a + " " + b, 3, "suspected, not measured again"},
		{"gate " + a + " " + b + " --confirm-old " + a + " --confirm-new " + b, 1, "REGRESSION"},
		{"gate " + a + " " + b + " --confirm-old " + a + " --confirm-new " + a, 0, "not confirmed"},
		{"gate " + a + " " + more, 1, "5 to 6"},
		{"gate " + a + " " + more + " --units ns", 0, "1 rows"},
		{"gate " + a + " " + more + " --accept sim-datagrams", 0, "accepted"},
		{"gate " + a + " " + b + " --min-effect 0.2", 0, "no regression"},
		{"gate " + a + " " + b + " --markdown --summary " + summary, 3, "### Benchmarks: cannot tell"},
		{"gate " + a + " " + b + " --json", 3, `"outcome": "cannot tell"`},
		{"compare " + a + " " + b, 0, "worse"},
		{"compare " + a + " " + b + " --markdown", 0, "| x X ns/op |"},
		{"compare " + a + " " + b + " --json", 0, `"verdict": "worse"`},
		{"compare " + a + " " + filepath.Join(t.TempDir(), "none"), 2, ""},
		{"gate " + a + " /dev/null", 2, ""},
		{"gate " + a, 2, ""},
		{"gate " + a + " " + b + " --confirm-old " + a, 2, ""},
		{"gate " + a + " " + b + " --again true", 2, ""},
		{"gate " + a + " " + b + " --alpha 2", 2, ""},
		{"gate " + a + " " + b + " --units (", 2, ""},
		{"gate " + a + " " + b + " --accept (", 2, ""},
		{"gate " + a + " " + b + " --json --markdown", 2, ""},
		{"gate " + a + " " + b + " --again false --confirm-old " + a + " --confirm-new " + b, 2, ""},
		{"history " + t.TempDir(), 2, ""},
		{"history " + result(t), 0, "level"},
	} {
		code, out, errs := analyze(strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out, c.says) || (code == exitUsage) != (errs != "") {
			t.Errorf("analyze %s: exit %d, %q, expected %d and %q:\n%s", c.args, code, errs, c.code, c.says, out)
		}
		if strings.Contains(c.args, "--json") && code != exitUsage && !json.Valid([]byte(out)) {
			t.Errorf("analyze %s: no JSON:\n%s", c.args, out)
		}
	}
	if text, _ := os.ReadFile(summary); !strings.Contains(string(text), "### Benchmarks") {
		t.Errorf("summary: %q", text)
	}
	// The command that measures again runs only on a suspicion, and makes the files.
	again := "cp " + b + " " + second
	args := []string{"--again", again, "--confirm-old", a, "--confirm-new", second}
	if code, _, _ := analyze(append([]string{"gate", a, a}, args...)...); code != 0 {
		t.Errorf("exit %d of equals", code)
	}
	if _, err := os.Stat(second); err == nil {
		t.Error("measured again without a suspicion")
	}
	if code, out, errs := analyze(append([]string{"gate", a, b}, args...)...); code != 1 {
		t.Errorf("exit %d, %s, %s, expected a confirmed regression", code, out, errs)
	}
}

func TestHistoryPage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "history.html")
	code, out, errs := analyze("history", result(t), result(t), "--html", page, "--markdown")
	text, err := os.ReadFile(page)
	if code != 0 || !strings.Contains(out, "| cluster") && !strings.Contains(out, "level") || err != nil ||
		!strings.Contains(string(text), "<svg ") {
		t.Errorf("exit %d, %q, %q, %v, %d bytes", code, out, errs, err, len(text))
	}
}
