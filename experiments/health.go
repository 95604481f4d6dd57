package experiments

import (
	"time"

	"i3bench/cluster"
	"i3bench/loadgen"
	"i3bench/reports"
)

// watchHealth watches platform and runtime until the returned function is called, which
// samples what was seen.
func watchHealth(sink Sink, stage string) (end func()) {
	w := loadgen.StartWatch(func(s loadgen.Second) {
		sink.Sample(reports.Sample{
			Stage: stage, Kind: reports.KindHiccup, StartNS: s.Index * int64(time.Second), N: s.Sleeps,
			Value: float64(s.Longest),
		})
	})
	return func() {
		h := w.Stop()
		n := int64(h.Hiccups.Count())
		health(sink, stage, reports.HealthHiccupP50, n, float64(h.Hiccups.Quantile(0.5)))
		health(sink, stage, reports.HealthHiccupP99, n, float64(h.Hiccups.Quantile(0.99)))
		health(sink, stage, reports.HealthHiccupMax, n, float64(h.Hiccups.Max()))
		health(sink, stage, reports.HealthPause, int64(h.Pauses), float64(h.LongestPause))
		if h.Steal >= 0 {
			health(sink, stage, reports.HealthSteal, 0, h.Steal)
			health(sink, stage, reports.HealthBusy, 0, h.Busy)
		}
	}
}

// socketDrops samples how many datagrams of a world were lost in socket buffers.
func socketDrops(sink Sink, stage string, c cluster.Counters) {
	health(sink, stage, reports.HealthDrops, int64(c.Sent), float64(c.Sent-min(c.Sent, c.Received)))
}

func health(sink Sink, stage, name string, n int64, value float64) {
	sink.Sample(reports.Sample{Stage: stage, Kind: reports.KindHealth, Group: name, N: n, Value: value})
}
