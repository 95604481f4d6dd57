package experiments

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
	"i3bench/verify"
)

// Recovery is the experiment of section 6.3 of the paper: packets sent through a
// tree that loses them, and their repairs.
type Recovery struct {
	Config    GroupConfig
	Name      string // of scheme, variant and network, the group of the samples
	Receivers int
	// Packets are counted, PerSecond of them a second, after WarmUp others, from
	// which receivers learn their loss rates.
	Packets, WarmUp int
	PerSecond       float64
	// Times makes the times of all repairs samples.
	Times bool
}

// repairMax bounds the wait for the last repair.
const repairMax = 60 * time.Second

// Run runs the experiment and returns the hash of its trace.
func (e Recovery) Run(ctx context.Context, sink Sink, step func(done int)) (trace string, err error) {
	g, err := newGroup(e.Config)
	if err != nil {
		return "", err
	}
	defer g.close()
	if err := g.grow(ctx, e.Receivers, step); err != nil {
		return "", err
	}
	g.net.Mute(false)
	sent := func(i int) { step(e.Receivers + e.Receivers*i/10) }
	if err := e.send(ctx, g, e.WarmUp, sent); err != nil {
		return "", err
	}
	first := g.bed.Source().Machine.Highest()
	before := make([]multicast.Counters, len(g.members))
	for i, m := range g.members {
		before[i] = m.Machine.Counters()
		m.owed, m.repairs = verify.Delivery{}, nil
		m.owed.Joined(first)
	}
	if err := e.send(ctx, g, e.Packets, func(i int) { sent(e.WarmUp + i) }); err != nil {
		return "", err
	}
	last := g.bed.Source().Machine.Highest()
	if err := g.awaitRepairs(ctx, last); err != nil {
		return "", err
	}
	e.samples(g, before, last, sink)
	return g.world.TraceHash(), nil
}

// send sends packets at their rate.
func (e Recovery) send(ctx context.Context, g *group, n int, step func(int)) error {
	begun := g.world.Now()
	for i := range n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := g.inflict(); err != nil {
			return err
		}
		g.send()
		step(i)
		due := begun.Add(machine.Duration(float64(i+1) / e.PerSecond * float64(time.Second)))
		g.run(time.Duration(due.Sub(g.world.Now())))
	}
	return nil
}

// awaitRepairs waits until nobody waits for a packet any more.
func (g *group) awaitRepairs(ctx context.Context, last uint64) error {
	for end := g.world.Now().Add(machine.Duration(repairMax)); g.world.Now() < end; {
		if err := g.runFor(ctx, 2*time.Second); err != nil {
			return err
		}
		missing := 0
		for _, m := range g.members {
			if v := m.owed.Judge(last); v.Missing > v.Lost && !m.crashed {
				missing++
			}
		}
		if missing == 0 {
			return nil
		}
	}
	return nil // what is missing now is counted so
}

// repairBin is the width of the bins in which repair times are kept.
const repairBin = 5 * machine.Millisecond

// samples hands what was seen to the sink.
func (e Recovery) samples(g *group, before []multicast.Counters, last uint64, sink Sink) {
	var lost, duplicates, own, upward, passed, once, owed, within, repairs uint64
	var slowest machine.Duration
	lossRate, mostRequests := 0.0, 0.0
	bins := make(map[machine.Duration]int64)
	for i, m := range g.members {
		if m.crashed {
			continue
		}
		c, b := m.Machine.Counters(), before[i]
		l := c.Repaired - b.Repaired + c.Abandoned - b.Abandoned
		lost += l
		lossRate += float64(l) / float64(e.Packets) / float64(len(g.members))
		duplicates += c.Duplicates - b.Duplicates
		own += c.Requests - b.Requests
		upward += c.Escalated - b.Escalated
		passed += c.Passed - b.Passed
		mostRequests = max(mostRequests, float64(c.RequestsReceived-b.RequestsReceived)/float64(e.Packets))
		v := m.owed.Judge(last)
		owed += uint64(v.Owed)
		once += uint64(v.Once)
		for _, took := range m.repairs {
			repairs++
			slowest = max(slowest, took)
			if took <= 600*machine.Millisecond {
				within++
			}
			bins[(took+repairBin-1)/repairBin*repairBin]++
		}
	}
	emit := func(kind string, value float64) {
		sink.Sample(reports.Sample{
			Stage: reports.StageRecovery, Kind: kind, Seed: e.Config.Seed, Group: e.Name, N: int64(e.Receivers), Value: value,
		})
	}
	emit(reports.KindDupPerLoss, float64(duplicates)/float64(max(lost, 1)))
	emit(reports.KindReqPerLoss, float64(own+upward+passed)/float64(max(lost, 1)))
	emit(reports.KindReqMax, mostRequests)
	emit(reports.KindWithin600, float64(within)/float64(max(repairs, 1)))
	emit(reports.KindRepairMax, float64(slowest))
	emit(reports.KindLossRate, lossRate)
	sink.Sample(reports.Sample{
		Stage: reports.StageRecovery, Kind: reports.KindDelivered, Seed: e.Config.Seed, Group: e.Name, Host: e.Receivers,
		N: int64(owed), Value: float64(once),
	})
	for _, c := range []struct {
		name string
		n    uint64
	}{
		{"losses", lost},
		{"requests for oneself", own},
		{"requests for a subtree, upward", upward},
		{"requests passed to a second member", passed},
	} {
		count(sink, reports.StageRecovery, e.Config.Seed, fmt.Sprintf("%s %d receivers: %s", e.Name, e.Receivers, c.name), c.n)
	}
	if !e.Times {
		return
	}
	for _, at := range slices.Sorted(maps.Keys(bins)) {
		sink.Sample(reports.Sample{
			Stage: reports.StageRecovery, Kind: reports.KindRepairTime, Seed: e.Config.Seed, Group: e.Name,
			N: bins[at], Value: float64(at),
		})
	}
}

// String names the experiment.
func (e Recovery) String() string { return fmt.Sprintf("%s, %d receivers", e.Name, e.Receivers) }
