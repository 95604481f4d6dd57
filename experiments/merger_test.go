package experiments

import (
	"testing"
	"time"

	"i3bench/loadgen/coord"
	"i3bench/reports"
)

// What two processes counted, and offered in the same second, becomes one sample each; others are handed on.
func TestMerger(t *testing.T) {
	var r recorder
	m := newMerger(&r)
	load := func(kind, group string, start, n int64, value float64) {
		m.Sample(reports.Sample{
			Stage: reports.StageLoad, Kind: kind, Group: group, StartNS: start, N: n, Value: value,
		})
	}
	for range 2 {
		load(reports.KindCount, countSent, 0, 0, 10)
		load(reports.KindCount, countReceived, 0, 0, 7)
		load(reports.KindOffered, reports.KindJoin, 1e9, 5, 4)
		load(reports.KindOffered, reports.KindJoin, 2e9, 3, 2)
		load(reports.KindLate, reports.KindJoin, 0, 0, 1)
	}
	m.agent(1, 0, coord.Member{Host: `a, "b"`, PID: 7, ClockError: 3 * time.Microsecond}, 12)
	m.finish(1)
	r.known(t)
	for name, want := range map[string]int{
		countSent: 20, countReceived: 14, countLost: 6, "clocks of agents may be off by ns": 3000,
		"samples of agent 0 (a   b  pid 7)": 12,
	} {
		if got := r.counter(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	offered := r.of(reports.KindOffered)
	if len(offered) != 2 || offered[0].N != 10 || offered[0].Value != 8 || offered[1].N != 6 || offered[1].StartNS != 2e9 {
		t.Errorf("%+v", offered)
	}
	if len(r.of(reports.KindLate)) != 2 || len(r.of(reports.KindCount)) != 5 {
		t.Errorf("%+v", r.samples)
	}
}
