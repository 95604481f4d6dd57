package loadgen

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// A watch sees every second that passes, the collector's pauses in its time, and no negative lateness.
func TestWatch(t *testing.T) {
	var seconds []Second
	second := make(chan Second, 16)
	w := StartWatch(func(s Second) { second <- s })
	seconds = append(seconds, <-second) // the first is over after a second
	runtime.GC()
	h := w.Stop()
	close(second)
	for s := range second {
		seconds = append(seconds, s)
	}
	sleeps := int64(0)
	for i, s := range seconds {
		if sleeps += s.Sleeps; s.Longest < 0 || i > 0 && s.Index <= seconds[i-1].Index {
			t.Errorf("second %d: %+v", i, s)
		}
	}
	if len(seconds) < 2 || sleeps != int64(h.Hiccups.Count()) || sleeps == 0 {
		t.Errorf("%d seconds with %d sleeps, %d in all", len(seconds), sleeps, h.Hiccups.Count())
	}
	if h.Pauses < 2 || h.LongestPause <= 0 { // a cycle stops the program twice
		t.Errorf("%d pauses, the longest %v, of a collection", h.Pauses, h.LongestPause)
	}
	if runtime.GOOS == "linux" && (h.Steal < 0 || h.Steal > 1) {
		t.Errorf("share %v stolen", h.Steal)
	}
}

// Pauses are those between two readings, and the longest is not said to be shorter than it was.
func TestNewPauses(t *testing.T) {
	buckets := []float64{0, 1e-3, 2e-3, 4e-3}
	before := &metrics.Float64Histogram{Counts: []uint64{5, 0, 1}, Buckets: buckets}
	after := &metrics.Float64Histogram{Counts: []uint64{7, 1, 1}, Buckets: buckets}
	if n, longest := newPauses(before, after); n != 3 || longest != 2*time.Millisecond {
		t.Errorf("%d pauses, the longest %v, expected 3 and 2ms", n, longest)
	}
	if n, longest := newPauses(before, before); n != 0 || longest != 0 {
		t.Errorf("%d pauses, the longest %v, expected none", n, longest)
	}
	if n, _ := newPauses(nil, after); n != 0 {
		t.Errorf("%d pauses where the first reading is missing", n)
	}
}

func TestTicks(t *testing.T) {
	before := parseTicks("cpu  100 0 50 800 0 0 0 50 0 0")
	after := parseTicks("cpu  150 0 60 860 10 0 10 110 40 0")
	if got := before.share(after, func(t ticks) uint64 { return t.steal }); got != 0.3 {
		t.Errorf("%v stolen, expected 60 of 200", got)
	}
	if got := before.share(after, func(t ticks) uint64 { return t.idle }); got != 0.35 {
		t.Errorf("%v idle, expected 70 of 200", got)
	}
	for _, line := range []string{"", "cpu 1 2", "cpu0 1 2 3 4 5 6 7 8 9 10", "cpu 1 2 3 4 5 6 7 x 9 10"} {
		if s := parseTicks(line); s != (ticks{}) {
			t.Errorf("%q: %+v, expected nothing", line, s)
		}
	}
	if got := (ticks{}).share(ticks{}, func(t ticks) uint64 { return t.steal }); got != -1 {
		t.Errorf("%v where nothing is known, expected -1", got)
	}
}
