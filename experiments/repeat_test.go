package experiments

import (
	"flag"
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"i3bench/loadgen/find"
	"i3bench/reports"
)

var repeats = flag.Int("repeats", 0, "so many searches as bench find makes, their trials in turn (minutes)")

// realFind is what bench find does without flags.
func realFind(t *testing.T) Find {
	t.Helper()
	f := smallFind(t, "join.p99<250ms", "repair.p99<250ms", "join.errors<0.1%", "repair.errors<0.1%", "join.backlog<1%")
	f.Load = Load{
		Nodes: 32, Degree: 4, Standing: 64, Pool: 160, PerSecond: 150, Size: 256, Timeout: time.Second,
		Search: Policies["draw"],
	}
	f.Config = find.Config{Min: 100, Max: 20_000, Precision: 0.1, Trials: 60}
	f.Late = 0
	procs, percent := runtime.GOMAXPROCS(4*runtime.NumCPU()), debug.SetGCPercent(400)
	t.Cleanup(func() {
		runtime.GOMAXPROCS(procs)
		debug.SetGCPercent(percent)
	})
	return f
}

// Searches for the same rate agree. Their trials take turns, so that all see the same machine: one that is shared does
// half as much in one minute as in the next. The short form has two searches that meet everything.
func TestRepeatedSearchesAgree(t *testing.T) {
	f, n := smallFind(t, "join.p99<9s"), 2
	if *repeats > 0 {
		f, n = realFind(t), *repeats
	}
	f.Config.Objectives = reports.Bounds(f.Objectives)
	var runs []*findRun
	var searches []*find.Search
	for i := range n {
		f.Seed = uint64(i + 1)
		s, err := find.New(f.Config)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, &findRun{Find: f, sink: nowhere{}, progress: func(int, int, string) {}, begin: time.Now()})
		searches = append(searches, s)
	}
	for open := true; open; {
		open = false
		for i, s := range searches {
			p, ok := s.Next()
			if !ok || s.Result().All.State == find.Found {
				continue
			}
			open = true
			o, err := runs[i].trial(t.Context(), p)
			runs[i].close()
			if err == nil {
				err = s.Record(p, o)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	agree(t, searches)
}

// agree checks that the answers have a rate in common.
func agree(t *testing.T, searches []*find.Search) {
	t.Helper()
	low, high := 0.0, math.Inf(1)
	for i, s := range searches {
		r := s.Result()
		a := r.All
		t.Logf("search %d: %v, %.0f to %.0f/s, met %d of %d, failed %d of %d, confidence %.1f %%, %d trials", i+1, a.State,
			a.Lower, a.Upper, a.LowerMet, a.LowerTrials, a.UpperFailed, a.UpperTrials, 100*a.Confidence, len(r.Trials))
		if a.State != find.Found && a.State != find.AtLeast {
			t.Errorf("search %d has no answer", i+1)
		}
		low, high = max(low, a.Lower), min(high, a.Upper)
	}
	if low >= high {
		t.Errorf("no rate is in all intervals: one begins at %.0f/s, one ends at %.0f/s", low, high)
	}
	t.Logf("all intervals have %.0f to %.0f/s", low, high)
}
