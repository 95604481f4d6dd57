package experiments

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/reports"
	"i3bench/testbed"
)

// stalled offers a load during which an endpoint stands still for a time, and returns its samples.
func stalled(t *testing.T, l Load, at, stall time.Duration, who func(*loadRun) testbed.Endpoint) *recorder {
	t.Helper()
	run, err := l.deploy(t.Context(), func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer run.close()
	timer := time.AfterFunc(at, func() {
		who(run).Do(func(machine.Time, *machine.Outbox) { time.Sleep(stall) })
	})
	defer timer.Stop()
	r := new(recorder)
	if err := run.offer(t.Context(), r, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	return r
}

// A node that stands still for a second shows in the p99 from the intended time. One receiver that joins again and
// again is a client that waits for each answer: its own view, from the actual start, has one slow join of 240, below
// the p99. This is the omission that hides stalls, and latency from the intended time does not make it.
func TestCoordinatedOmission(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: four seconds of load on sockets")
	}
	const stall = time.Second
	l := smallLoad()
	l.Nodes, l.Pool, l.Joins, l.Repairs, l.For, l.PerSecond = 1, 1, 60, 1, 4*time.Second, 500
	r := stalled(t, l, 1500*time.Millisecond, stall, func(run *loadRun) testbed.Endpoint {
		return run.bed.Nodes()[run.bed.SiteOf(run.bed.Group())].Endpoint
	})
	joins := reports.SummarizeLoad(reports.KindJoin, r.of(reports.KindJoin), r.of(reports.KindOffered))
	intended, closed := joins.Response.P(0.99), joins.Service.P(0.99)
	t.Logf("p99 of %d joins: %v from the intended time, %v from the actual start (longest %v)", joins.Completed,
		time.Duration(intended), time.Duration(closed), time.Duration(joins.Service.Max()))
	if joins.Completed < 200 || joins.Service.Max() < float64(stall)/2 {
		t.Fatalf("%d of 240 joins, the longest %v: the stall did not reach them", joins.Completed,
			time.Duration(joins.Service.Max()))
	}
	if intended < 0.8*float64(stall) {
		t.Errorf("p99 %v from the intended time hides a stall of %v", time.Duration(intended), stall)
	}
	if closed > intended/2 {
		t.Errorf("p99 %v from the actual start, %v from the intended time: the test shows no omission",
			time.Duration(closed), time.Duration(intended))
	}
}

// A receiver that stands still does not make the generator late, which would make the run say nothing about it: its
// losses are late themselves.
func TestStallIsNotTheGenerators(t *testing.T) {
	const stall = time.Second
	l := smallLoad()
	l.Standing, l.Repairs, l.For = 1, 50, 2*time.Second
	r := stalled(t, l, 500*time.Millisecond, stall, func(run *loadRun) testbed.Endpoint { return run.stays[0].Endpoint })
	late, waited := 0.0, 0.0
	for _, s := range r.of(reports.KindLate) {
		late = max(late, s.Value)
	}
	for _, s := range r.of(reports.KindRepair) {
		waited = max(waited, s.Value)
	}
	t.Logf("late by %v at most, repaired after %v at most", time.Duration(late), time.Duration(waited))
	if late > float64(stall)/2 || waited < 0.8*float64(stall) {
		t.Errorf("late by %v at most, repaired after %v at most, of a stall of %v: expected the latter alone to show it",
			time.Duration(late), time.Duration(waited), stall)
	}
}

// A load that no generator can offer leaves a run that is invalid, says how much of it was not sent, and ends.
func TestGeneratorLimitedRunIsInvalid(t *testing.T) {
	l := smallLoad()
	l.Joins, l.For, l.Timeout = 2e6, 200*time.Millisecond, 200*time.Millisecond
	run, err := reports.Create(t.TempDir(), reports.Manifest{Command: []string{"bench", "load"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.Run(ctx, run, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	if err := run.Close(reports.Complete, nil); err != nil {
		t.Fatal(err)
	}
	result, err := reports.Open(run.Dir())
	if err != nil {
		t.Fatal(err)
	}
	limited := func(reason string) bool { return strings.HasPrefix(reason, "the load generator was the limit") }
	if !slices.ContainsFunc(result.Manifest.Invalid, limited) {
		t.Errorf("invalid because of %q", result.Manifest.Invalid)
	}
	joins := reports.SummarizeLoad(reports.KindJoin, result.Select(reports.StageLoad, reports.KindJoin),
		result.Select(reports.StageLoad, reports.KindOffered))
	if unsent := joins.Offered - int64(joins.Sent); unsent == 0 || joins.Offered < 100_000 {
		t.Errorf("%d joins offered, %d not sent; expected most of 400,000", joins.Offered, unsent)
	}
	for _, name := range []string{reports.HealthHiccupP99, reports.HealthPause, reports.HealthDrops} {
		if !slices.ContainsFunc(result.Select(reports.StageLoad, reports.KindHealth), func(s reports.Sample) bool {
			return s.Group == name
		}) {
			t.Errorf("no sample of %q", name)
		}
	}
}
