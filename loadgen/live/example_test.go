package live_test

import (
	"os"
	"time"

	"i3bench/loadgen/live"
)

// A load of two joins, one of which is done, shown as a line.
func Example() {
	m := live.NewMeter(live.Config{Show: live.Lines(os.Stdout)})
	m.Stage("load", "1 join/s for 2s")
	state := live.State{For: 2 * time.Second, Phase: "load", Limits: live.Limits{Late: time.Second, Unsent: 0.01}}
	m.Begin(state)
	m.Started("join", 50*time.Microsecond)
	m.Started("join", 80*time.Microsecond)
	m.Ended("join", true, 4*time.Millisecond)
	state.At, state.Offered = 2*time.Second, map[string]uint64{"join": 2}
	m.See(state)
	// Output:
	// load  00:00:02  join 0.50/s of 1.00 done, 1 in flight, 0 failed, p50 4.00 ms p99 4.00 ms;  late p99 80.0 µs  VALID
}
