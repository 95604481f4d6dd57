package experiments

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/loadgen"
	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

// tiny are assignments that make any scenario of the library fit for a test.
var tiny = []string{
	"cluster.nodes=4", "cluster.standing=5", "cluster.visitors=8", "cluster.rate=100", "cluster.size=64",
	"cluster.timeout=5s", "cluster.heartbeat=100ms",
}

// playing returns the experiment of a scenario.
func playing(t *testing.T, world Kind, name string, sets ...string) Scenario {
	t.Helper()
	s, err := scenario.Load(name, sets)
	if err != nil {
		t.Fatal(err)
	}
	spans, err := s.Resolve(1)
	if err != nil {
		t.Fatal(err)
	}
	return Scenario{World: world, Cluster: s.Cluster, Spans: spans, Seed: 1}
}

// everything is a phase with all kinds of operations.
func everything() []string {
	const (
		often  = "{schedule: poisson, rate: 60, mix: {join: 1, packet: 1, repair: 1, refresh: 1, flip: 1, anycast: 1}}"
		seldom = "{schedule: constant, rate: 12, mix: {leave: 1, crash: 1, move: 1}}"
		stays  = "{schedule: sessions, rate: 10, typical: 300ms}"
		last   = "{schedule: constant, rate: 4, mix: {restart: 1}}"
	)
	return append(slices.Clone(tiny), "cluster.standing=12", "cluster.visitors=24", "phases=[{for: 900ms, load: ["+
		often+", "+seldom+", "+stays+"]}, {for: 200ms, load: ["+last+"]}]")
}

// planned returns how many operations of each kind a scenario has.
func planned(t *testing.T, e Scenario) map[string]int {
	t.Helper()
	sum := map[string]int{}
	for _, span := range e.Spans {
		for _, p := range span.Streams {
			plan, err := p.Open()
			if err != nil {
				t.Fatal(err)
			}
			kinds, _ := loadgen.Counts(plan)
			for kind, n := range kinds {
				sum[kind] += int(n)
			}
		}
	}
	return sum
}

// Every kind of operation is carried out and accounted for in both worlds.
func TestScenarioEveryKind(t *testing.T) {
	t.Parallel()
	for _, world := range []Kind{UDP, Sim} {
		t.Run(string(world), func(t *testing.T) {
			t.Parallel()
			var r recorder
			m := meter{t: t}
			e := playing(t, world, "soak", everything()...)
			if err := e.Run(t.Context(), &r, m.step); err != nil {
				t.Fatal(err)
			}
			r.known(t)
			planned := planned(t, e)
			left := r.counter("operations missed or dropped by the generator") +
				r.counter("restarts of nodes missed or dropped by the generator")
			for _, kind := range scenario.Kinds() {
				begun := r.expectAccounts(t, kind)
				left -= planned[kind] - begun
				ok := r.statuses(kind)[reports.StatusOK]
				t.Logf("%-8s %v of %d", kind, r.statuses(kind), planned[kind])
				if ok == 0 || world == Sim && ok*4 < planned[kind]*3 {
					t.Errorf("%s: %v of %d", kind, r.statuses(kind), planned[kind])
				}
			}
			if left != 0 {
				t.Errorf("the generator says that it did not start %d operations more or less than are missing", left)
			}
		})
	}
}

// The same scenario gives the same samples in virtual time.
func TestScenarioRepeats(t *testing.T) {
	e := playing(t, Sim, "soak", everything()...)
	other := e
	other.Seed = 2
	sameTwice(t, e, other)
}

// Every scenario of the library runs, in a short form.
func TestLibraryRuns(t *testing.T) {
	t.Parallel()
	for _, name := range scenario.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shorten := map[string]string{
				"flash-crowd": "100", "steady-churn": "300", "repair-storm": "200", "root-saturation": "1000",
				"refresh-only": "200", "million-idle": "100", "node-failure": "100", "slow-receivers": "60", "soak": "172800",
			}[name]
			world := UDP
			if name == "million-idle" {
				world = Sim
			}
			var r recorder
			m := meter{t: t}
			e := playing(t, world, name, append(slices.Clone(tiny), "cluster.slow=0", "shorten="+shorten)...)
			e.Cluster.Visitors = map[string]int{"flash-crowd": 70, "steady-churn": 12}[name] + 8
			if err := e.Run(t.Context(), &r, m.step); err != nil {
				t.Fatal(err)
			}
			r.known(t)
			begun := 0
			for _, kind := range scenario.Kinds() {
				begun += r.expectAccounts(t, kind)
				if n := r.statuses(kind); begun > 0 && len(n) > 0 && n[reports.StatusOK] == 0 {
					t.Errorf("%s: none succeeded, %v", kind, n)
				}
			}
			for what, n := range planned(t, e) {
				begun -= n
				t.Logf("%s: %v of %d", what, r.statuses(what), n)
			}
			for _, s := range r.of(reports.KindCount) {
				if strings.HasSuffix(s.Group, "missed or dropped by the generator") {
					begun += int(s.Value)
				}
			}
			if begun != 0 {
				t.Errorf("%d operations more or less than planned", begun)
			}
		})
	}
}

// A log of the operations that a scenario began.
type opLog struct {
	mu  sync.Mutex
	ops []string
}

func (l *opLog) observe(stream int, op loadgen.Op, a loadgen.Action) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ops = append(l.ops, fmt.Sprintf("%d %06d %012d %+v", stream, op.Index, op.At, a))
}

// The joins and leaves of a scenario are the same on sockets and in virtual time, and those of its plans.
func TestScenarioIsTheSameInBothWorlds(t *testing.T) {
	t.Parallel()
	logs := map[Kind]*opLog{UDP: {}, Sim: {}}
	var planned []string
	for world, l := range logs {
		e := playing(t, world, "steady-churn", append(slices.Clone(tiny), "shorten=200", "phases.churn.load.0.rate=60",
			"cluster.visitors=40")...)
		e.Observe = l.observe
		var r recorder
		if err := e.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: joins %v, leaves %v", world, r.statuses(reports.KindJoin), r.statuses(reports.KindLeave))
		slices.Sort(l.ops)
		planned = nil
		for i, p := range e.Spans[0].Streams {
			plan, err := p.Open()
			if err != nil {
				t.Fatal(err)
			}
			for k := range plan.Len() {
				op, _ := plan.At(k)
				planned = append(planned, fmt.Sprintf("%d %06d %012d %+v", i, op.Index, op.At, plan.Action(op.Index)))
			}
		}
	}
	slices.Sort(planned)
	if a, b := strings.Join(logs[UDP].ops, "\n"), strings.Join(logs[Sim].ops, "\n"); a != b {
		t.Errorf("sockets and virtual time: %s", firstDifference(a, b))
	}
	if a, b := strings.Join(logs[Sim].ops, "\n"), strings.Join(planned, "\n"); a != b || len(planned) < 20 {
		t.Errorf("virtual time and plan of %d operations: %s", len(planned), firstDifference(a, b))
	}
}

// A cancelled scenario ends and accounts for what it had begun.
func TestScenarioCancelled(t *testing.T) {
	t.Parallel()
	for _, world := range []Kind{UDP, Sim} {
		for _, phase := range []string{"standing receivers", "operations done"} {
			ctx, cancel := context.WithCancel(t.Context())
			var r recorder
			e := playing(t, world, "soak", tiny...)
			err := e.Run(ctx, &r, func(_, _ int, what string) {
				if strings.Contains(what, phase) && (phase == "standing receivers" || len(r.of(reports.KindJoin)) > 2) {
					cancel()
				}
			})
			cancel()
			if !isCancelled(err) {
				t.Errorf("%s, cancelled at %q: %v", world, phase, err)
			}
			for _, kind := range scenario.Kinds() {
				r.expectAccounts(t, kind)
			}
			r.known(t)
		}
	}
}

// Whoever is slow loses a share of the packets, and gets them by repairs; others lose none.
func TestSlowReceivers(t *testing.T) {
	requests := func(slow string) int {
		var r recorder
		e := playing(t, Sim, "slow-receivers", append(slices.Clone(tiny), "cluster.slow="+slow, "shorten=20")...)
		if err := e.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
			t.Fatal(err)
		}
		if n := r.statuses(reports.KindPacket); n[reports.StatusOK] == 0 || len(n) > 1 {
			t.Errorf("%s slow: packets ended %v", slow, n)
		}
		return r.counter("repair requests of standing receivers")
	}
	if none, two := requests("0"), requests("2"); two < none+50 {
		t.Errorf("%d requests without slow receivers, %d with two", none, two)
	}
}

// Operations time out one by one, not only at the end.
func TestScenarioTimesOut(t *testing.T) {
	var r recorder
	e := playing(t, Sim, "soak", append(slices.Clone(tiny), "cluster.visitors=1", "cluster.timeout=200ms",
		"phases=[{for: 2s, load: [{schedule: constant, rate: 200, mix: {join: 1}}]}]")...)
	if err := e.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	r.expectAccounts(t, reports.KindJoin)
	by := r.statuses(reports.KindJoin)
	if by[reports.StatusTimeout] < 100 || by[reports.StatusOK] < 5 {
		t.Errorf("one visitor for 400 joins: %v", by)
	}
	for _, s := range r.of(reports.KindJoin) {
		if s.Status == reports.StatusTimeout && (s.Value < 200e6 || s.Value > 350e6) {
			t.Errorf("timed out after %v", time.Duration(s.Value))
		}
	}
}

// A way to move without leaving can be put in.
func TestMoveHook(t *testing.T) {
	var r recorder
	e := playing(t, Sim, "soak", append(slices.Clone(tiny), "cluster.timeout=300ms",
		"phases=[{for: 1s, load: [{schedule: constant, rate: 5, mix: {move: 1}}]}]")...)
	calls := 0
	e.Move = func(*multicast.Receiver, machine.Time, *machine.Outbox) { calls++ }
	if err := e.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	if by := r.statuses(reports.KindMove); calls < 3 || by[reports.StatusTimeout] != 5 {
		t.Errorf("%d calls of a hook that does nothing, moves ended %v", calls, by)
	}
}
