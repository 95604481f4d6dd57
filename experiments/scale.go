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

// Run runs the experiment and returns the hash of its trace.
func (e Scale) Run(ctx context.Context, sink Sink, step func(done int)) (trace string, err error) {
	began := time.Now()
	before := liveBytes()
	g, err := newGroup(e.Config)
	if err != nil {
		return "", err
	}
	defer g.close()
	if err := g.grow(ctx, e.Receivers, step); err != nil {
		return "", err
	}
	live := liveBytes() - before
	first := g.bed.Source().Machine.Highest()
	for _, m := range g.members {
		m.owed.Joined(first)
	}
	joined := g.world.Counters().Events
	steady := time.Now()
	for i := range e.Seconds {
		if err := g.inflict(); err != nil {
			return "", err
		}
		g.send()
		if err := g.runFor(ctx, time.Second); err != nil {
			return "", err
		}
		step(e.Receivers + e.Receivers*i/60)
	}
	rate := float64(g.world.Counters().Events-joined) / time.Since(steady).Seconds()
	if err := g.runFor(ctx, longestPath); err != nil {
		return "", err
	}
	wall := time.Since(began)
	last := g.bed.Source().Machine.Highest()
	var owed, once int
	for _, m := range g.members {
		if m.crashed {
			continue
		}
		v := m.owed.Judge(last)
		owed, once = owed+v.Owed, once+v.Once
	}
	emit := func(kind string, value float64) {
		sink.Sample(reports.Sample{
			Stage: reports.StageScale, Kind: kind, Seed: e.Config.Seed, Group: e.Name, N: int64(e.Receivers), Value: value,
		})
	}
	emit(reports.KindEvents, float64(g.world.Counters().Events))
	emit(reports.KindEventsPerSecond, rate)
	emit(reports.KindWallSeconds, wall.Seconds())
	emit(reports.KindSimSeconds, g.world.Now().Sub(0).Seconds())
	emit(reports.KindThreads, float64(max(1, e.Config.Workers)))
	emit(reports.KindBytesPerReceiver, float64(live)/float64(e.Receivers))
	emit(reports.KindPeakBytes, float64(peakBytes()))
	sink.Sample(reports.Sample{
		Stage: reports.StageScale, Kind: reports.KindDelivered, Seed: e.Config.Seed, Group: e.Name,
		N: int64(owed), Value: float64(once),
	})
	return g.world.TraceHash(), nil
}

// liveBytes returns the memory in use after a collection.
func liveBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
