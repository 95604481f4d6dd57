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

// packetWork is how much work a packet is for each receiver, its loss and repair
// included, see [Job].
const packetWork = 0.01

// repairMax bounds the wait for the last repair.
const repairMax = 60 * time.Second

// Work returns how much work the experiment is, see [Job].
func (e Recovery) Work() int { return e.Receivers + e.packetWork(e.WarmUp+e.Packets) }

func (e Recovery) packetWork(packets int) int { return int(packetWork * float64(packets*e.Receivers)) }

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
	sent := func(packets int) { step(e.Receivers + e.packetWork(packets)) }
	if err := e.send(ctx, g, e.WarmUp, sent); err != nil {
		return "", err
	}
	g.owe()
	before := make([]multicast.Counters, len(g.members))
	for i, m := range g.members {
		before[i] = m.Machine.Counters()
	}
	if err := e.send(ctx, g, e.Packets, func(n int) { sent(e.WarmUp + n) }); err != nil {
		return "", err
	}
	last := g.bed.Source().Machine.Highest()
	if err := g.awaitRepairs(ctx, last); err != nil {
		return "", err
	}
	var l losses
	for i, m := range g.members {
		if !m.crashed {
			l.add(m, before[i], last)
		}
	}
	e.samples(&l, sink)
	return g.world.TraceHash(), nil
}

// send sends packets at their rate, and carries out the faults that are due.
func (e Recovery) send(ctx context.Context, g *group, n int, step func(sent int)) error {
	begun := g.world.Now()
	for i := range n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := g.inflict(); err != nil {
			return err
		}
		g.send()
		step(i + 1)
		due := begun.Add(machine.Duration(float64(i+1) / e.PerSecond * float64(time.Second)))
		g.run(time.Duration(due.Sub(g.world.Now())))
	}
	return nil
}

// awaitRepairs waits until nobody waits for a packet any more. What is missing
// after a time in which all repairs should have been made is counted so.
func (g *group) awaitRepairs(ctx context.Context, last uint64) error {
	waits := func(m *groupMember) bool {
		v := m.owed.Judge(last)
		return v.Missing > v.Lost && !m.crashed
	}
	for end := g.world.Now().Add(machine.Duration(repairMax)); g.world.Now() < end; {
		if err := g.runFor(ctx, 2*time.Second, func(float64) {}); err != nil {
			return err
		}
		if !slices.ContainsFunc(g.members, waits) {
			return nil
		}
	}
	return nil
}

// The paper's bound of Figure 13(b), and the width of the bins in which the times
// of repairs are kept.
const (
	repairSoon = 600 * machine.Millisecond
	repairBin  = 5 * machine.Millisecond
)

// losses are what receivers lost, all together, and what they did about it.
type losses struct {
	receivers    int
	lost         uint64 // packets, before their repair
	duplicates   uint64
	own          uint64 // requests sent for oneself, retries included
	upward       uint64 // for a subtree, one level up
	passed       uint64 // passed to a second member
	mostRequests uint64 // received by a receiver
	owed, once   int
	repairs      int
	soon         int // of these
	slowest      machine.Duration
	bins         map[machine.Duration]int64 // by the upper end of a bin
}

// add adds a receiver that had counted so much before the packets up to last.
func (l *losses) add(m *groupMember, before multicast.Counters, last uint64) {
	c := m.Machine.Counters()
	l.receivers++
	l.lost += c.Repaired - before.Repaired + c.Abandoned - before.Abandoned
	l.duplicates += c.Duplicates - before.Duplicates
	l.own += c.Requests - before.Requests
	l.upward += c.Escalated - before.Escalated
	l.passed += c.Passed - before.Passed
	l.mostRequests = max(l.mostRequests, c.RequestsReceived-before.RequestsReceived)
	owed, once := m.judge(last)
	l.owed, l.once = l.owed+owed, l.once+once
	if l.bins == nil {
		l.bins = make(map[machine.Duration]int64)
	}
	for _, took := range m.repairs {
		l.repairs++
		l.slowest = max(l.slowest, took)
		if took <= repairSoon {
			l.soon++
		}
		l.bins[(took+repairBin-1)/repairBin*repairBin]++
	}
}

// samples hands what was seen to the sink. Of ratios to losses that did not happen
// there is none.
func (e Recovery) samples(l *losses, sink Sink) {
	sample := reports.Sample{Stage: reports.StageRecovery, Seed: e.Config.Seed, Group: e.Name, N: int64(e.Receivers)}
	emit := func(kind string, above, below float64) {
		if below > 0 {
			sample.Kind, sample.Value = kind, above/below
			sink.Sample(sample)
		}
	}
	lost, packets := float64(l.lost), float64(e.Packets)
	emit(reports.KindDupPerLoss, float64(l.duplicates), lost)
	emit(reports.KindReqPerLoss, float64(l.own+l.upward+l.passed), lost)
	emit(reports.KindReqMax, float64(l.mostRequests), packets)
	emit(reports.KindWithin600, float64(l.soon), float64(l.repairs))
	emit(reports.KindRepairMax, float64(l.slowest), float64(min(l.repairs, 1)))
	emit(reports.KindLossRate, lost/packets, float64(l.receivers))
	sample.Kind, sample.Host = reports.KindDelivered, e.Receivers
	sample.N, sample.Value = int64(l.owed), float64(l.once)
	sink.Sample(sample)
	e.countRequests(l, sink)
	if !e.Times {
		return
	}
	sample.Kind, sample.Host = reports.KindRepairTime, 0
	for _, at := range slices.Sorted(maps.Keys(l.bins)) {
		sample.N, sample.Value = l.bins[at], float64(at)
		sink.Sample(sample)
	}
}

// countRequests says what the requests were for, as counters.
func (e Recovery) countRequests(l *losses, sink Sink) {
	for _, c := range []struct {
		name string
		n    uint64
	}{
		{"losses", l.lost},
		{"requests for oneself", l.own},
		{"requests for a subtree one level up", l.upward},
		{"requests passed to a second member", l.passed},
	} {
		name := fmt.Sprintf("%s %d receivers: %s", e.Name, e.Receivers, c.name)
		count(sink, reports.StageRecovery, e.Config.Seed, name, c.n)
	}
}
