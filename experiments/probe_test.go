package experiments

import (
	"slices"
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
)

// probeDwell is how long a group lives, after it has grown, before its tree is measured.
const probeDwell = 20 * time.Minute

// BenchmarkParentProbe grows groups of 1,024 receivers on A-M, lets them live for twenty minutes, and measures their
// trees, without and with the probe of the parent level. The seeds are 101 to 103.
//
//	go test ./experiments -run NONE -bench ParentProbe -benchtime 1x -v
func BenchmarkParentProbe(b *testing.B) {
	period := 30 * machine.Second
	for _, c := range []struct {
		name  string
		probe multicast.ProbePolicy
	}{
		{"without", multicast.ProbePolicy{}},
		{"with", multicast.ProbePolicy{Period: period}},
		{"with, 32 heads", multicast.ProbePolicy{Period: period, MaxHeads: 32}},
	} {
		b.Run("1024 "+c.name, func(b *testing.B) { benchmarkProbe(b, 1024, false, c.probe) })
		b.Run("2048 halved "+c.name, func(b *testing.B) { benchmarkProbe(b, 2048, true, c.probe) })
	}
}

func benchmarkProbe(b *testing.B, n int, halved bool, p multicast.ProbePolicy) {
	const seeds = 3
	for range b.N {
		var sum probeFigures
		for seed := uint64(101); seed < 101+seeds; seed++ {
			f := measureProbe(b, seed, n, 2048, halved, p, Faults{Skew: time.Second})
			b.Logf("seed %d: %+v", seed, f)
			sum.add(f)
		}
		for what, v := range map[string]float64{
			"RAD": sum.RAD, "RMD": sum.RMD, "p90-stretch": sum.P90, "max-stress": sum.Stress,
			"depth": sum.Depth, "messages/receiver/T": sum.Messages, "queries/receiver/T": sum.Queries,
			"moves": sum.Moves, "late-moves": sum.Late, "refused": sum.Refused,
		} {
			b.ReportMetric(v/seeds, what)
		}
	}
}

// probeFigures is what a group's tree is like after it has lived for a while, and what it has cost.
type probeFigures struct {
	RAD, RMD, P90, Stress, Depth float64
	// Messages are those that receivers sent, requests to nodes among them, and Queries the distance queries among
	// these: for each receiver and lifetime T.
	Messages, Queries float64
	Moves             float64 // own moves of all receivers
	Late              float64 // of these, in the last quarter of the time
	Refused           float64
}

func (f *probeFigures) add(g probeFigures) {
	f.RAD += g.RAD
	f.RMD += g.RMD
	f.P90 += g.P90
	f.Stress += g.Stress
	f.Depth += g.Depth
	f.Messages += g.Messages
	f.Queries += g.Queries
	f.Moves += g.Moves
	f.Late += g.Late
	f.Refused += g.Refused
}

// measureProbe lets one group grow, half of it leave if so asked, and the rest live for probeDwell.
func measureProbe(tb testing.TB, seed uint64, n, servers int, halved bool, p multicast.ProbePolicy,
	faults Faults) probeFigures {
	tb.Helper()
	net, err := Net("A-M").servers(seed, servers)
	if err != nil {
		tb.Fatal(err)
	}
	v := LiteralVariant()
	v.Probe = p
	g, err := newGroup(GroupConfig{
		Net: net, Seed: seed, Degree: 8, Variant: v, HeartbeatMax: 5 * time.Second, Faults: faults,
	})
	if err != nil {
		tb.Fatal(err)
	}
	defer g.close()
	if err := g.grow(tb.Context(), n, func(int) {}); err != nil {
		tb.Fatal(err)
	}
	if halved {
		g.halve(tb)
	}
	before, moved := g.said(), 0.0
	g.run(probeDwell * 3 / 4)
	moved = g.said().Moves
	g.run(probeDwell / 4)
	f := g.said()
	perT := float64(len(g.members)) * probeDwell.Seconds() / g.cfg.lifetime().Seconds()
	f.Messages, f.Queries = (f.Messages-before.Messages)/perT, (f.Queries-before.Queries)/perT
	f.Late = f.Moves - moved
	s := g.measure()
	if s.unreached > 0 {
		tb.Errorf("seed %d: %d receivers did not get the measuring packet", seed, s.unreached)
	}
	f.RAD, f.RMD, f.Depth = s.rad, s.rmd, s.depthMean
	f.P90, f.Stress = reports.Percentile(s.stretch, 0.9), slices.Max(s.stress)
	return f
}

// halve lets every other receiver leave.
func (g *group) halve(tb testing.TB) {
	var stay []*groupMember
	for i, m := range g.members {
		if i%2 == 0 {
			stay = append(stay, m)
			continue
		}
		m.Leave()
		g.run(100 * time.Millisecond)
	}
	g.members = stay
	g.run(2 * time.Minute)
	if err := g.settle(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// said adds up what receivers have sent, but for replies and repairs, and how often they moved.
func (g *group) said() (f probeFigures) {
	for _, m := range g.members {
		c, moves := m.Machine.Counters(), m.Machine.MoveCounters()
		f.Queries += float64(c.QueriesSent)
		f.Messages += float64(m.Machine.Host().Counters().Requests + c.QueriesSent + c.Queries + moves.Rekeys + c.Refreshes)
		f.Moves += float64(moves.Moves)
		f.Refused += float64(moves.Refused)
	}
	return f
}

// When half of the receivers have left, the others' tree gets shorter with the probe than it is without, and comes to
// rest; what that costs stays within bounds.
func TestProbeComesToRest(t *testing.T) {
	const receivers = 96
	skew := Faults{Skew: time.Second}
	without := measureProbe(t, 7, 2*receivers, 128, true, multicast.ProbePolicy{}, skew)
	with := measureProbe(t, 7, 2*receivers, 128, true, multicast.ProbePolicy{Period: 10 * machine.Second}, skew)
	t.Logf("without %+v", without)
	t.Logf("with    %+v", with)
	if without.Moves > 0 || with.Moves == 0 {
		t.Errorf("%v moves without the probe, %v with it", without.Moves, with.Moves)
	}
	if with.RAD >= without.RAD {
		t.Errorf("the average delay ratio is %.3f with the probe, %.3f without", with.RAD, without.RAD)
	}
	if with.Late > 0 {
		t.Errorf("%v moves in the last quarter of twenty minutes: it does not come to rest", with.Late)
	}
	if with.Moves > 4*receivers {
		t.Errorf("%v moves of %d receivers", with.Moves, receivers)
	}
}

// Where distances are never measured alike, for every datagram is late by up to 30 ms, receivers come to rest, too.
func TestProbeIsDamped(t *testing.T) {
	const receivers = 48
	f := measureProbe(t, 8, receivers, 64, false, multicast.ProbePolicy{Period: 10 * machine.Second},
		Faults{Jitter: 30 * time.Millisecond})
	t.Logf("%+v", f)
	if f.Moves > 2*receivers || f.Late > f.Moves/4 {
		t.Errorf("%v moves of %d receivers in twenty minutes, %v of them in the last five", f.Moves, receivers, f.Late)
	}
}
