package experiments

import (
	"context"
	"runtime"
	"time"

	"i3bench/reports"
)

// Scale is a group larger than the paper's: how much memory and time it takes,
// and whether every receiver gets every packet.
type Scale struct {
	Config    GroupConfig
	Name      string
	Receivers int
	Seconds   int // of refreshes, with a packet in each
}

// Work returns how much work the experiment is, see [Job].
func (e Scale) Work() int { return e.Receivers + e.secondsWork(e.Seconds) }

func (e Scale) secondsWork(seconds int) int {
	return int(packetWork * float64(e.Receivers) * float64(seconds)) // refreshes included: measured with 131,072
}

// Run runs the experiment and returns the hash of its trace.
func (e Scale) Run(ctx context.Context, sink Sink, step func(done int)) (trace string, err error) {
	began, before := time.Now(), liveBytes()
	g, err := newGroup(e.Config)
	if err != nil {
		return "", err
	}
	defer g.close()
	if err := g.grow(ctx, e.Receivers, step); err != nil {
		return "", err
	}
	live := max(0, liveBytes()-before)
	rate, err := e.steady(ctx, g, step)
	if err != nil {
		return "", err
	}
	sample := reports.Sample{
		Stage: reports.StageScale, Seed: e.Config.Seed, Group: e.Name, N: int64(e.Receivers),
	}
	for _, f := range []struct {
		kind  string
		value float64
	}{
		{reports.KindEvents, float64(g.world.Counters().Events)},
		{reports.KindEventsPerSecond, rate},
		{reports.KindWallSeconds, time.Since(began).Seconds()},
		{reports.KindSimSeconds, g.world.Now().Sub(0).Seconds()},
		{reports.KindThreads, float64(max(1, e.Config.Workers))},
		{reports.KindBytesPerReceiver, float64(live) / float64(e.Receivers)},
		{reports.KindPeakBytes, float64(peakBytes())},
	} {
		sample.Kind, sample.Value = f.kind, f.value
		sink.Sample(sample)
	}
	owed, once := g.delivered()
	sample.Kind, sample.N, sample.Value = reports.KindDelivered, int64(owed), float64(once)
	sink.Sample(sample)
	return g.world.TraceHash(), nil
}

// steady sends a packet a second, to a group that has grown, and waits for the
// last of them. It returns the rate of events in that time.
func (e Scale) steady(ctx context.Context, g *group, step func(done int)) (perSecond float64, err error) {
	g.owe()
	events, began := g.world.Counters().Events, time.Now()
	for i := range e.Seconds {
		if err := g.inflict(); err != nil {
			return 0, err
		}
		g.send()
		if err := g.runFor(ctx, time.Second, func(float64) {}); err != nil {
			return 0, err
		}
		step(e.Receivers + e.secondsWork(i+1))
	}
	perSecond = float64(g.world.Counters().Events-events) / time.Since(began).Seconds()
	return perSecond, g.awaitRepairs(ctx, g.bed.Source().Machine.Highest())
}

// delivered returns how many packets were owed to the receivers that live, and how
// many of them arrived exactly once.
func (g *group) delivered() (owed, once int) {
	last := g.bed.Source().Machine.Highest()
	for _, m := range g.members {
		if !m.crashed {
			o, n := m.judge(last)
			owed, once = owed+o, once+n
		}
	}
	return owed, once
}

// liveBytes returns the memory in use after a collection.
func liveBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
