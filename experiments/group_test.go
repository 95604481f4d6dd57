package experiments

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkProtocol(b *testing.B) {
	for _, n := range []int{1 << 13} {
		b.Run(fmt.Sprintf("receivers=%d", n), func(b *testing.B) {
			net, err := Net("A-M").servers(1, 8192)
			if err != nil {
				b.Fatal(err)
			}
			g, err := newGroup(GroupConfig{Net: net, Seed: 1, Degree: 8, Variant: PaperVariant()})
			if err != nil {
				b.Fatal(err)
			}
			begun := time.Now()
			if err := g.grow(b.Context(), n, func(int) {}); err != nil {
				b.Fatal(err)
			}
			e := g.world.Counters().Events
			b.ReportMetric(float64(e)/time.Since(begun).Seconds(), "join-events/s")
			b.ReportMetric(float64(e)/float64(n), "join-events/receiver")
			from := g.world.Counters().Events
			for b.Loop() {
				g.send()
				g.run(time.Second)
			}
			b.ReportMetric(float64(g.world.Counters().Events-from)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
