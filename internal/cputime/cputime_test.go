package cputime_test

import (
	"runtime"
	"testing"
	"time"

	"i3bench/internal/cputime"
)

// metrics keeps what a benchmark reports.
type metrics map[string]float64

func (m metrics) ReportMetric(value float64, unit string) { m[unit] = value }

// What computes has processor time, what sleeps has none.
func TestStart(t *testing.T) {
	got := make(metrics)
	report := cputime.Start(got)
	for before := cputime.Now(); cputime.Now()-before < 20*time.Millisecond && runtime.GOOS == "linux"; {
	}
	report(10, "op")
	sleeping := cputime.Start(got)
	time.Sleep(50 * time.Millisecond)
	sleeping(1, "nap")
	if runtime.GOOS != "linux" {
		if len(got) > 0 {
			t.Errorf("%v, where the system says nothing", got)
		}
		return
	}
	if ms := got["cpu-ns/op"] * 10 / 1e6; ms < 20 {
		t.Errorf("%.1f ms of processor time, at least 20 were spent", ms)
	}
	if ms := got["cpu-ns/nap"] / 1e6; ms > 40 {
		t.Errorf("%.1f ms of processor time in a nap of 50 ms", ms)
	}
}
