package experiments

import (
	"slices"
	"strings"
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/reports"
	"i3bench/testbed"
)

// allFaults are enough of each to be seen in the seconds of a test.
var allFaults = Faults{Skew: 2 * time.Second, Jitter: 3 * time.Millisecond, Crashes: 40, Restarts: 20}

func smallRecovery(t testing.TB, seed uint64, workers int, f Faults) stepped {
	cfg := smallGroup(t, seed)
	cfg.Workers, cfg.Faults, cfg.Loss, cfg.Hurry, cfg.Cache = workers, f, testbed.PaperLoss(seed), 3, 256
	e := Recovery{
		Config: cfg, Name: "rel-loss/paper/tiny", Receivers: 30, Packets: 60, WarmUp: 10, PerSecond: 10, Times: true,
	}
	return stepped{e.Work(), e.Run}
}

func TestRecoverySamples(t *testing.T) {
	var r recorder
	m := meter{t: t}
	if err := smallRecovery(t, 1, 1, Faults{}).Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	m.finished()
	r.known(t)
	want := map[string]int{reports.KindTrace: 1, reports.KindDelivered: 1}
	for _, kind := range []string{
		reports.KindDupPerLoss, reports.KindReqPerLoss, reports.KindReqMax, reports.KindWithin600, reports.KindRepairMax,
		reports.KindLossRate,
	} {
		want[kind] = 1
		for _, s := range r.of(kind) {
			if s.Stage != reports.StageRecovery || s.N != 30 || s.Group != "rel-loss/paper/tiny" || s.Value <= 0 {
				t.Errorf("%+v", s)
			}
		}
	}
	want[reports.KindRepairTime] = len(r.of(reports.KindRepairTime))
	r.expectCounts(t, want)
	lossRate, slowest := r.of(reports.KindLossRate)[0].Value, r.of(reports.KindRepairMax)[0].Value
	repairs, soon, end := 0.0, 0.0, 0.0
	for _, b := range r.of(reports.KindRepairTime) {
		repairs += float64(b.N)
		end = max(end, b.Value)
		if b.Value <= 600e6 {
			soon += float64(b.N)
		}
	}
	// Nothing is given up: every loss is repaired once.
	if lost := lossRate * 30 * 60; repairs < lost-0.5 || repairs > lost+0.5 || lost < 10 {
		t.Errorf("%v repairs of %v losses", repairs, lost)
	}
	if got := r.of(reports.KindWithin600)[0].Value; got != soon/repairs {
		t.Errorf("%v of repairs are within 600 ms, %v by the bins", got, soon/repairs)
	}
	if end < slowest || end >= slowest+5e6 {
		t.Errorf("the last bin ends at %v ns, the longest repair took %v", end, slowest)
	}
	if d := r.of(reports.KindDelivered)[0]; d.N != 30*60 || d.Value != 30*60 || d.Host != 30 {
		t.Errorf("%+v: expected 60 packets at 30 receivers", d)
	}
}

func TestRecoveryRepeats(t *testing.T) {
	sameTwice(t, smallRecovery(t, 1, 1, allFaults), smallRecovery(t, 2, 1, allFaults))
	sameWithWorkers(t, func(workers int) experiment { return smallRecovery(t, 1, workers, allFaults) })
	var r recorder
	if err := smallRecovery(t, 1, 1, allFaults).Run(t.Context(), &r, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	if d := r.of(reports.KindDelivered)[0]; d.N >= 30*60 || d.Value != float64(d.N) || d.Host != 30 {
		t.Errorf("%+v: expected all that was owed to those that did not crash", d)
	}
}

func TestRecoveryCancelled(t *testing.T) { cancelEverywhere(t, smallRecovery(t, 1, 1, Faults{})) }

// Where nothing is lost there are no ratios to what was lost.
func TestRecoveryWithoutLoss(t *testing.T) {
	cfg := smallGroup(t, 1)
	var r recorder
	e := Recovery{Config: cfg, Name: "rel-loss/a/b", Receivers: 10, Packets: 5, PerSecond: 10, Times: true}
	if _, err := e.Run(t.Context(), &r, func(int) {}); err != nil {
		t.Fatal(err)
	}
	r.known(t)
	r.expectCounts(t, map[string]int{reports.KindReqMax: 1, reports.KindLossRate: 1, reports.KindDelivered: 1})
	if got := r.of(reports.KindLossRate)[0].Value; got != 0 {
		t.Errorf("loss rate %v", got)
	}
}

// Whatever crashes, restarts, is late or has a wrong clock: receivers that live get
// every packet that they are owed, once, in the end.
func TestDeliveryWithFaults(t *testing.T) {
	for _, v := range []Variant{LiteralVariant(), RelaysVariant()} {
		for seed := uint64(1); seed <= 4; seed++ {
			cfg := smallGroup(t, seed)
			cfg.Variant, cfg.Faults, cfg.Loss, cfg.Hurry, cfg.Cache = v, allFaults, testbed.PaperLoss(seed), 3, 256
			g := grown(t, cfg, 40)
			nodes := slices.Clone(g.bed.Nodes())
			g.net.Mute(false)
			g.owe()
			e := Recovery{PerSecond: 10}
			if err := e.send(t.Context(), g, 100, func(int) {}); err != nil {
				t.Fatal(err)
			}
			if err := g.awaitRepairs(t.Context(), g.bed.Source().Machine.Highest()); err != nil {
				t.Fatal(err)
			}
			crashed := 0
			for _, m := range g.members {
				if m.crashed {
					crashed++
				}
			}
			restarted := 0
			for i, n := range g.bed.Nodes() {
				if n.Machine != nodes[i].Machine {
					restarted++
				}
			}
			owed, once := g.delivered()
			if crashed < 3 || owed != (40-crashed)*100 || restarted == 0 {
				t.Errorf("%s, seed %d: %d crashed, %d nodes restarted, %d owed", v.Name, seed, crashed, restarted, owed)
			}
			if once != owed {
				t.Errorf("%s, seed %d: %d of %d packets delivered once to those that live", v.Name, seed, once, owed)
			}
		}
	}
}

// Faults come at their rate, and draw what they hit from the seed.
func TestFaultsByRate(t *testing.T) {
	cfg := smallGroup(t, 1)
	cfg.Faults = Faults{Crashes: 30, Restarts: 60}
	g := grown(t, cfg, 40)
	nodes := slices.Clone(g.bed.Nodes())
	restarts := 0
	for range 60 {
		if err := g.inflict(); err != nil {
			t.Fatal(err)
		}
		for i, n := range g.bed.Nodes() {
			if n.Machine != nodes[i].Machine {
				nodes[i] = n
				restarts++
			}
		}
		g.run(time.Second)
	}
	crashed := 0
	for _, m := range g.members {
		if m.crashed {
			crashed++
		}
	}
	if crashed < 20 || crashed > 40 || restarts < 40 || restarts > 80 {
		t.Errorf("%d crashes and %d restarts in a minute, expected about 30 and 60", crashed, restarts)
	}
	seq := g.send()
	g.run(longestPath)
	for i, m := range g.members {
		if m.crashed && m.latest == seq {
			t.Errorf("receiver %d has crashed and got a packet", i)
		}
	}
	// As many crash as are to, and when all have nothing more does.
	for range 40 - crashed {
		g.crashOne()
	}
	if i := slices.IndexFunc(g.members, func(m *groupMember) bool { return !m.crashed }); i >= 0 {
		t.Errorf("receiver %d lives", i)
	}
	g.crashOne()
}

func TestFaultsText(t *testing.T) {
	for text, f := range map[string]Faults{
		"no faults":           {},
		"clock skew up to 1s": {Skew: time.Second},
		"clock skew up to 2s, jitter up to 3ms, 40 receivers crash a minute, 20 nodes restart a minute": allFaults,
	} {
		if f.String() != text {
			t.Errorf("%q, expected %q", f, text)
		}
	}
	if got := allFaults.Steady(); got.String() != "clock skew up to 2s, jitter up to 3ms" {
		t.Errorf("%q of trees", got)
	}
}

func smallScale(t testing.TB, workers int, f Faults) stepped {
	cfg := smallGroup(t, 1)
	cfg.Workers, cfg.Variant, cfg.Cache, cfg.Size, cfg.Faults = workers, RelaysVariant(), 64, 16, f
	e := Scale{Config: cfg, Name: "relays/tiny", Receivers: 40, Seconds: 5}
	return stepped{e.Work(), e.Run}
}

func TestScaleSamples(t *testing.T) {
	var r recorder
	m := meter{t: t}
	if err := smallScale(t, 2, Faults{Skew: time.Second}).Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	m.finished()
	r.known(t)
	want := map[string]int{reports.KindTrace: 1, reports.KindDelivered: 1}
	for _, kind := range []string{
		reports.KindEvents, reports.KindEventsPerSecond, reports.KindWallSeconds, reports.KindSimSeconds, reports.KindThreads,
		reports.KindBytesPerReceiver, reports.KindPeakBytes,
	} {
		want[kind] = 1
		for _, s := range r.of(kind) {
			if s.Stage != reports.StageScale || s.N != 40 || s.Value < 0 || s.Value > 1e12 {
				t.Errorf("%+v", s)
			}
		}
	}
	r.expectCounts(t, want)
	if d := r.of(reports.KindDelivered)[0]; d.N != 40*5 || d.Value != 40*5 {
		t.Errorf("%+v: expected 5 packets at 40 receivers", d)
	}
	if got := r.of(reports.KindThreads)[0].Value; got != 2 {
		t.Errorf("%v threads", got)
	}
}

// Events and traces of a large group do not depend on the threads, and whoever
// lives gets everything with faults, too.
func TestScaleRepeats(t *testing.T) {
	var one, three recorder
	for r, workers := range map[*recorder]int{&one: 1, &three: 3} {
		if err := smallScale(t, workers, allFaults).Run(t.Context(), r, func(int, int, string) {}); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{reports.KindTrace, reports.KindEvents, reports.KindSimSeconds, reports.KindDelivered} {
		if a, b := one.of(kind)[0], three.of(kind)[0]; a != b {
			t.Errorf("three threads gave another %s: %+v, with one %+v", kind, b, a)
		}
	}
	if d := one.of(reports.KindDelivered)[0]; d.Value != float64(d.N) || d.N >= 200 || d.N < 100 {
		t.Errorf("%+v: expected all of somewhat less than 200 packets", d)
	}
}

func TestScaleCancelled(t *testing.T) { cancelEverywhere(t, smallScale(t, 1, Faults{})) }

// A group in which somebody cannot join says how many, and how long it waited.
func TestGroupThatCannotGrow(t *testing.T) {
	g := grown(t, smallGroup(t, 1), 3)
	if err := g.add(); err != nil {
		t.Fatal(err)
	}
	g.members[3].Endpoint.Close()
	err := g.settle(t.Context())
	if err == nil || !strings.Contains(err.Error(), "1 of 4 receivers not in the tree after 2m0s") {
		t.Errorf("%v", err)
	}
}

// A receiver whose search found nobody begins anew.
func TestFailedSearchIsRepeated(t *testing.T) {
	g := grown(t, smallGroup(t, 1), 5)
	if err := g.add(); err != nil {
		t.Fatal(err)
	}
	m := g.members[5]
	m.Endpoint.SetFilter(func(machine.Datagram) bool { return false })
	g.run(time.Minute)
	if !m.failed {
		t.Fatal("a search without replies did not fail")
	}
	m.Endpoint.SetFilter(nil)
	if err := g.settle(t.Context()); err != nil || !m.Machine.Settled() || m.failed {
		t.Errorf("%v, settled %t", err, m.Machine.Settled())
	}
}

func smallMatch(world Kind, seed uint64) stepped {
	e := Match{World: world, Nodes: 6, Degree: 2, Receivers: 9, Seed: seed, Every: 300 * time.Millisecond,
		Settle: 20 * time.Second}
	if world == UDP {
		e.Every = 20 * time.Millisecond
	}
	return stepped{e.Receivers, e.Run}
}

func TestMatchSamples(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: receivers join sockets for seconds")
	}
	for _, world := range []Kind{Sim, UDP} {
		var r recorder
		m := meter{t: t}
		if err := smallMatch(world, 1).Run(t.Context(), &r, m.step); err != nil {
			t.Fatal(err)
		}
		m.finished()
		r.known(t)
		want := map[string]int{reports.KindDepth: 1, reports.KindLevel: 9}
		if world == Sim {
			want[reports.KindTrace] = 1 // sockets have none
		}
		r.expectCounts(t, want)
		deepest := 0
		for i, s := range r.of(reports.KindLevel) {
			deepest = max(deepest, s.Level)
			if s.Stage != reports.StageMatch || s.Group != string(world) || s.Host != i || s.Level < 1 {
				t.Errorf("%+v", s)
			}
		}
		if d := r.of(reports.KindDepth)[0]; d.Value != float64(deepest) || deepest < 3 {
			t.Errorf("%s: depth %v, the deepest of nine under two is at %d", world, d.Value, deepest)
		}
	}
}

func TestMatchRepeats(t *testing.T) { sameTwice(t, smallMatch(Sim, 1), smallMatch(Sim, 2)) }

// A match that is stopped leaves no samples: its receivers did not come as planned.
func TestMatchCancelled(t *testing.T) {
	cancelEverywhere(t, smallMatch(Sim, 1))
	for n := 0; n < 60; n += 4 {
		var r recorder
		ctx := countingDown(t.Context(), n)
		err := smallMatch(Sim, 1).Run(ctx, &r, func(int, int, string) {})
		if ctx.asked() > 0 && (err == nil || len(r.samples) > 0) {
			t.Errorf("cancelled at question %d: %v, samples %v", n, err, r.counts())
		}
	}
}
