package experiments

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkProtocol is the rate of events with the real machines in a group that
// has grown: a packet and a heartbeat or two a second, and the refreshes of every
// trigger. The smallest group, whose world stays in a cache, tells what the machines
// compute; what a larger one takes beyond that is waiting for memory.
func BenchmarkProtocol(b *testing.B) {
	for _, n := range []int{1 << 8, 1 << 13, 1 << 16} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("receivers=%d/workers=%d", n, workers), func(b *testing.B) { benchmarkProtocol(b, n, workers) })
		}
	}
}

func benchmarkProtocol(b *testing.B, n, workers int) {
	net, err := Net("A-M").servers(1, min(max(64, n/4), 8192))
	if err != nil {
		b.Fatal(err)
	}
	before := liveBytes()
	g, err := newGroup(GroupConfig{Net: net, Seed: 1, Degree: 8, Variant: RelaysVariant(), Cache: 16, Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	defer g.close()
	begun := time.Now()
	if err := g.grow(b.Context(), n, func(int) {}); err != nil {
		b.Fatal(err)
	}
	joining := float64(g.world.Counters().Events)
	joined := time.Since(begun).Seconds()
	bytes := float64(liveBytes() - before)
	for range 20 { // packets kept for repairs find their room
		g.send()
		g.run(time.Second)
	}
	from := g.world.Counters().Events
	for b.Loop() {
		g.send()
		g.run(time.Second)
	}
	b.ReportMetric(float64(g.world.Counters().Events-from)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(joining/joined, "join-events/s")
	b.ReportMetric(joining/float64(n), "join-events/receiver")
	b.ReportMetric(bytes/float64(n), "B/receiver")
}
