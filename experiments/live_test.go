package experiments

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"i3bench/i3/node"
	"i3bench/loadgen/live"
	"i3bench/reports"
)

// A gallery keeps the loads that a meter shows. Tests see one often.
type gallery struct {
	mu    sync.Mutex
	loads []*live.Load
	phase []string
}

// meter returns one that shows its snapshots here.
func (g *gallery) meter() *live.Meter {
	return live.NewMeter(live.Config{Every: 100 * time.Millisecond, Show: func(s live.Snapshot) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if s.Load != nil {
			g.loads, g.phase = append(g.loads, s.Load), append(g.phase, s.Phase)
		}
	}})
}

// check looks at every load that was shown: nothing but what may grow shrinks, and accounts are whole. It returns the
// last one.
func (g *gallery) check(t *testing.T) (last *live.Load) {
	t.Helper()
	before := make(map[string]live.Operation)
	for i, l := range g.loads {
		if i > 0 && l.At < g.loads[i-1].At || l.Generator.CPU < 0 {
			t.Errorf("after %v s came %+v", g.loads[i-1].At, l)
		}
		for _, o := range l.Operations {
			b := before[o.Kind]
			if o.Offered < o.Sent || o.Sent != o.Done+o.Failed+o.InFlight || o.Sent < b.Sent || o.Done < b.Done {
				t.Errorf("%+v after %+v", o, b)
			}
			before[o.Kind] = o
		}
	}
	if len(g.loads) < 2 {
		t.Fatalf("%d snapshots of the load", len(g.loads))
	}
	last = g.loads[len(g.loads)-1]
	if !last.Over || g.phase[len(g.phase)-1] != over {
		t.Errorf("the last snapshot is of phase %s: %+v", g.phase[len(g.phase)-1], last)
	}
	return last
}

// agrees compares the last snapshot with the samples.
func (g *gallery) agrees(t *testing.T, r *recorder, planned map[string]int) {
	t.Helper()
	last := g.check(t)
	if len(last.Operations) != len(planned) {
		t.Errorf("%d kinds of operations, want %v", len(last.Operations), planned)
	}
	for _, o := range last.Operations {
		by := r.statuses(o.Kind)
		failed := by[reports.StatusTimeout] + by[reports.StatusError]
		if int(o.Done) != by[reports.StatusOK] || int(o.Failed) != failed || o.InFlight != 0 ||
			int(o.Offered) != planned[o.Kind] {
			t.Errorf("%+v, the samples have %v of %d", o, by, planned[o.Kind])
		}
	}
}

// What is shown of a load in the end is what was sampled, and on the way it is never more.
func TestLiveLoad(t *testing.T) {
	var r recorder
	var g gallery
	m := meter{t: t}
	l := smallLoad()
	l.Live = g.meter()
	if err := l.Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	g.agrees(t, &r, map[string]int{reports.KindJoin: 25, reports.KindRepair: 15})
	last := g.loads[len(g.loads)-1]
	if n := last.Nodes; n.Nodes != 4 || n.Triggers < 8 || n.Packets <= 0 || n.Copies <= 0 ||
		n.HottestOver < 1 || *n.Out <= 0 || *n.In <= 0 {
		t.Errorf("nodes %+v, in %v, out %v", n, *n.In, *n.Out)
	}
	for _, x := range g.loads {
		if o := x.Operations[0]; float64(o.Offered) > 1+l.Joins*x.At {
			t.Errorf("%d joins are said to be due after %v s", o.Offered, x.At)
		}
	}
	queries := uint64(0)
	for _, v := range last.Levels {
		queries += v.Queries
	}
	// Standing receivers and those that come process queries; samples have those of the former.
	standing := r.counter("distance queries processed by standing receivers")
	if there(last) != l.Standing+l.Pool || int(queries) < standing/2 || queries == 0 {
		t.Errorf("%d receivers and %d queries on the levels %+v", there(last), queries, last.Levels)
	}
	if last.Refresh.Lifetime != 30 || last.Generator.Verdict == "" {
		t.Errorf("%+v, %+v", last.Refresh, last.Generator)
	}
}

// A scenario with every kind of operation is shown in both worlds, crashes and restarts included.
func TestLiveScenario(t *testing.T) {
	for _, world := range []Kind{UDP, Sim} {
		t.Run(string(world), func(t *testing.T) {
			var r recorder
			var g gallery
			m := meter{t: t}
			e := playing(t, world, "soak", everything()...)
			e.Live = g.meter()
			if world == Sim { // a second there takes less here
				e.Live = eager(&g)
			}
			if err := e.Run(t.Context(), &r, m.step); err != nil {
				t.Fatal(err)
			}
			g.agrees(t, &r, planned(t, e))
			last := g.loads[len(g.loads)-1]
			if (last.Nodes.In == nil) != (world == Sim) {
				t.Errorf("sockets in world %s: %+v", world, last.Nodes)
			}
			if n := e.Cluster.Standing + e.Cluster.Visitors; there(last) != n {
				t.Errorf("%d receivers, want %d: others have taken the places of those that crashed", there(last), n)
			}
			// In real time the short second phase may go by without a look.
			if !slices.Contains(g.phase, "0") || !slices.Contains(g.phase, "1") && world == Sim {
				t.Errorf("phases %q", g.phase)
			}
		})
	}
}

// A visitor that crashed is not shown any more, in either world; the one in its place is.
func TestLiveCrash(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"s.yaml":    "name: crash\nphases:\n  - {for: 900ms, load: [{schedule: trace, file: trace.csv}]}\n",
		"trace.csv": "time,operation,member\n0.1,join,1\n0.15,join,2\n0.5,crash,1\n0.55,crash,2\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, world := range []Kind{UDP, Sim} {
		var r recorder
		var g gallery
		e := playing(t, world, filepath.Join(dir, "s.yaml"), tiny...)
		e.Live = g.meter()
		if world == Sim {
			e.Live = eager(&g)
		}
		if err := e.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
			t.Fatal(err)
		}
		g.agrees(t, &r, map[string]int{reports.KindJoin: 2, reports.KindCrash: 2})
		last := g.loads[len(g.loads)-1]
		if n := e.Cluster.Standing + e.Cluster.Visitors; there(last) != n || last.Levels[0].Receivers != e.Cluster.Visitors {
			t.Errorf("%s: levels %+v of %d receivers", world, last.Levels, n)
		}
	}
}

// there returns how many receivers there are.
func there(l *live.Load) (sum int) {
	for _, v := range l.Levels {
		sum += v.Receivers
	}
	return sum
}

// eager returns a meter that wants every state.
func eager(g *gallery) *live.Meter {
	return live.NewMeter(live.Config{Every: time.Nanosecond, Show: func(s live.Snapshot) {
		if s.Load != nil {
			g.loads, g.phase = append(g.loads, s.Load), append(g.phase, s.Phase)
		}
	}})
}

// Being watched changes nothing in virtual time.
func TestLiveChangesNothing(t *testing.T) {
	results := make([]string, 2)
	for i := range results {
		var r recorder
		e := playing(t, Sim, "soak", everything()...)
		if i == 1 {
			e.Live = eager(new(gallery))
		}
		if err := e.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
			t.Fatal(err)
		}
		results[i] = r.sorted()
	}
	if results[0] != results[1] {
		t.Error("the samples of a scenario that was watched are others")
	}
}

// The trials of a search are shown one after the other.
func TestLiveFind(t *testing.T) {
	var r recorder
	var g gallery
	f := smallFind(t, "join.p99<9s")
	f.Live = g.meter()
	_ = f.Run(t.Context(), &r, func(int, int, string) {}) // with or without an answer
	trials, overs := len(r.of(reports.KindTrial)), 0
	for i, l := range g.loads {
		if l.Over && (i == 0 || g.loads[i-1] != l) {
			overs++
		}
	}
	if overs != trials || trials < 2 || !strings.Contains(strings.Join(g.phase, "\n"), "trial 2 (") {
		t.Errorf("%d of %d trials came to an end in phases %q", overs, trials, g.phase)
	}
}

// Drops are told by their counters' names.
func TestDropsOf(t *testing.T) {
	got := dropsOf(node.Counters{Packets: 9, DropNoMatch: 3, DropHopLimit: 1, DropMalformed: 2})
	if len(got) != 3 || got["no match"] != 3 || got["hop limit"] != 1 || got["malformed"] != 2 {
		t.Errorf("%v", got)
	}
}
