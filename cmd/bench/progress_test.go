package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Where there is no terminal, a stage says every few seconds how far it is and how long it will take, in a line.
func TestPlainProgress(t *testing.T) {
	for _, mode := range []string{"plain", "auto"} {
		var out bytes.Buffer
		b := newBar(&out, mode, "[2/3] wan     ", "what it is")
		b.step(1, 100, "too soon for a line")
		b.start, b.since = b.start.Add(-20*time.Second), b.since.Add(-20*time.Second)
		b.told = b.told.Add(-plainEvery)
		b.step(25, 100, "joining")
		b.step(26, 100, "too soon after the last line")
		b.close()
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		want := []string{
			`^\[2/3\] wan      what it is$`,
			`^\[2/3\] wan       25 %  1m\d+s left  joining$`,
			`^\[2/3\] wan      done in 2\d\.\d s$`,
		}
		if len(lines) != len(want) {
			t.Fatalf("%s: %q", mode, lines)
		}
		for i, line := range lines {
			if ok, err := regexp.MatchString(want[i], line); !ok {
				t.Errorf("%s: line %d is %q, expected %s (%v)", mode, i, line, want[i], err)
			}
		}
	}
}

// A stage of several parts begins each at nothing; the time left is that of the part.
func TestTimeLeftOfAPart(t *testing.T) {
	var out bytes.Buffer
	b := newBar(&out, "plain", "load", "")
	ago := func(d time.Duration) { b.start, b.since, b.told = b.start.Add(-d), b.since.Add(-d), b.told.Add(-d) }
	ago(100 * time.Second)
	b.step(64, 64, "standing receivers")
	b.step(0, 1000, "load begins")
	ago(10 * time.Second)
	b.step(500, 1000, "half of the load")
	if ok, err := regexp.MatchString(` 50 %  1\ds left  half of the load`, out.String()); !ok {
		t.Errorf("printed %q, expected some 10 s left (%v)", out.String(), err)
	}
}

// The first steps of many are too few to tell how long the rest will take.
func TestTimeLeftOfTheBeginning(t *testing.T) {
	var out bytes.Buffer
	b := newBar(&out, "plain", "tree", "")
	b.since = b.since.Add(-10 * time.Second)
	if got := b.left(9, 1000); got != "" {
		t.Errorf("%q after 9 steps of 1,000", got)
	}
	if got := b.left(100, 1000); got != "1m30s left" {
		t.Errorf("%q after 100 steps of 1,000", got)
	}
}

func TestNoProgress(t *testing.T) {
	var out bytes.Buffer
	b := newBar(&out, "none", "load", "what")
	b.told = b.told.Add(-time.Hour)
	b.step(1, 2, "x")
	b.close()
	if out.Len() > 0 {
		t.Errorf("printed %q", out.String())
	}
}

// Steps may come from many goroutines, in either form.
func TestProgressTogether(t *testing.T) {
	for _, mode := range []string{"bar", "plain"} {
		var out bytes.Buffer
		b := newBar(&out, mode, "title", "what")
		b.told = b.told.Add(-time.Hour)
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 100 {
					b.step(i, 100+g, fmt.Sprint(g))
				}
			})
		}
		wg.Wait()
		b.close()
		if !strings.HasPrefix(out.String(), "title what\n") || !strings.Contains(out.String(), "title done in ") {
			t.Errorf("%s: %q", mode, out.String())
		}
	}
}

// A run tells its progress beside its results, not among them.
func TestProgressOfARun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	code, out, errs := bench("cluster", "--world=sim", "--cluster-seeds=1", "--out="+dir, "--progress=plain")
	if code != exitOK || !strings.HasPrefix(errs, "[1/1] cluster  32 nodes, 64 receivers, D = 4, 1 seeds\n") ||
		!strings.Contains(errs, "[1/1] cluster  done in ") || strings.Contains(out, "[1/1]") {
		t.Errorf("exit %d, progress %q", code, errs)
	}
}
