package experiments

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"i3bench/reports"
)

// smallLoad is a load that any machine can bear.
func smallLoad() Load {
	return Load{
		Nodes: 4, Degree: 4, Standing: 4, Pool: 6, Joins: 25, Repairs: 15, For: time.Second, PerSecond: 100, Size: 64,
		Seed: 1,
	}
}

// statuses counts the samples of an operation by how it ended.
func (r *recorder) statuses(kind string) map[string]int {
	n := make(map[string]int)
	for _, s := range r.of(kind) {
		n[s.Status]++
	}
	return n
}

// counter returns the sum of a named counter.
func (r *recorder) counter(name string) (sum int) {
	for _, s := range r.of(reports.KindCount) {
		if s.Group == name {
			sum += int(s.Value)
		}
	}
	return sum
}

// expectAccounts checks that every operation that was offered was begun and has ended in exactly one way, or is counted
// as not begun, and returns how many were begun.
func (r *recorder) expectAccounts(t *testing.T, kind string) (begun int) {
	t.Helper()
	offered, achieved, late := 0, 0.0, 0
	for _, s := range r.of(reports.KindOffered) {
		if s.Group == kind {
			offered += int(s.N)
			achieved += s.Value
		}
	}
	for _, s := range r.of(reports.KindLate) {
		if s.Group == kind {
			late++
		}
	}
	offered -= r.counter(kind+"s missed by the generator") + r.counter(kind+"s dropped by the generator")
	by := r.statuses(kind)
	ended := by[reports.StatusOK] + by[reports.StatusTimeout] + by[reports.StatusError]
	if ended != len(r.of(kind)) || ended != offered || ended != late || int(achieved) != by[reports.StatusOK] {
		t.Errorf("%s: %d begun, %d in the seconds' sums, ended %v, %v of them achieved", kind, late, offered, by, achieved)
	}
	return ended
}

// Every operation of the schedule is begun or counted as not begun, and ends once.
func TestLoadAccountsForEverything(t *testing.T) {
	var r recorder
	m := meter{t: t}
	if err := smallLoad().Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	r.known(t)
	for kind, scheduled := range map[string]int{reports.KindJoin: 25, reports.KindRepair: 15} {
		begun := r.expectAccounts(t, kind)
		left := r.counter(kind+"s missed by the generator") + r.counter(kind+"s dropped by the generator")
		if begun+left != scheduled {
			t.Errorf("%s: %d begun and %d not, of %d", kind, begun, left, scheduled)
		}
		if r.statuses(kind)[reports.StatusOK] == 0 {
			t.Errorf("no %s succeeded: %v", kind, r.statuses(kind))
		}
		for _, s := range r.of(kind) {
			if s.Value < float64(s.ServiceNS) || s.ServiceNS < 0 || s.StartNS < 0 || s.StartNS >= int64(time.Second) {
				t.Errorf("%+v: latency counts from the intended time, service from the start", s)
			}
		}
	}
	if sent, read := r.counter("datagrams sent"), r.counter("datagrams received"); read == 0 || sent < read {
		t.Errorf("%d datagrams sent, %d received", sent, read)
	}
}

// A cancelled load ends and accounts for what it had begun.
func TestLoadCancelled(t *testing.T) {
	for _, phase := range []string{"standing receivers", "repairs done"} {
		ctx, cancel := context.WithCancel(t.Context())
		var r recorder
		l := smallLoad()
		l.For = time.Hour // nothing else ends it
		err := l.Run(ctx, &r, func(_, _ int, what string) {
			if strings.Contains(what, phase) && (len(r.of(reports.KindJoin)) > 2 || phase == "standing receivers") {
				cancel()
			}
		})
		cancel()
		if !isCancelled(err) {
			t.Errorf("cancelled at %q: %v", phase, err)
		}
		begun := r.expectAccounts(t, reports.KindJoin) + r.expectAccounts(t, reports.KindRepair)
		if phase == "repairs done" && begun == 0 {
			t.Error("nothing was begun")
		}
		r.known(t)
	}
}

// Rates and times that make no sense are errors of Run, and nothing is left behind.
func TestLoadRefusesBadRates(t *testing.T) {
	for name, spoil := range map[string]func(*Load){
		"no joins":      func(l *Load) { l.Joins = 0 },
		"negative time": func(l *Load) { l.For = -time.Second },
		"no nodes":      func(l *Load) { l.Nodes = 0 },
		"absurd rate":   func(l *Load) { l.Joins = 1e300 },
	} {
		l := smallLoad()
		l.Standing, l.Pool = 1, 1
		spoil(&l)
		if err := l.Run(t.Context(), &recorder{}, func(int, int, string) {}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The main job's experiments can be run by any program: give them a sink for the samples.
func ExampleCluster_Run() {
	var r recorder
	e := Cluster{World: Sim, Nodes: 4, Degree: 4, Receivers: []int{1, 5}, Seeds: []uint64{1}}
	if err := e.Run(context.Background(), &r, func(done, total int, what string) {}); err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range r.of(reports.KindDepth) {
		fmt.Printf("%d receivers: depth %v\n", s.N, s.Value)
	}
	// Output:
	// 1 receivers: depth 1
	// 5 receivers: depth 2
}
