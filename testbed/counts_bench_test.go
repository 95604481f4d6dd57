package testbed_test

import (
	"strconv"
	"testing"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
	"i3bench/testbed"
)

// BenchmarkCounts is what 64 joins, and 50 packets in their tree, cost in messages,
// in virtual time: figures that are the same in every run, so that a comparison of
// two versions sees one message more. It says nothing of time. One iteration is
// enough: -benchtime 1x.
func BenchmarkCounts(b *testing.B) {
	for _, c := range []struct {
		name string
		loss testbed.Loss
	}{{"job=join", testbed.Loss{}}, {"job=join-and-repair", testbed.PaperLoss(5)}} {
		b.Run(c.name, func(b *testing.B) {
			var got counts
			for b.Loop() {
				got = count(b, c.loss)
			}
			b.ReportMetric(0, "ns/op") // is left out: nobody should compare it
			b.ReportMetric(float64(got.Offered), "sim-datagrams")
			b.ReportMetric(float64(got.packets), "sim-packets")
			b.ReportMetric(float64(got.Events), "sim-events")
			b.ReportMetric(float64(got.queries), "sim-queries")
			b.ReportMetric(float64(got.depth), "sim-depth")
			b.ReportMetric(float64(got.trace), "sim-trace-hash")
		})
	}
}

// counts are the figures of a run.
type counts struct {
	sim.Counters
	packets uint64 // that nodes received, several in a datagram
	queries uint64
	depth   int
	trace   uint64 // 48 bits of the hash of the trace, which a benchmark's number has room for
}

// count lets 64 receivers join; with losses it then sends packets.
func count(b *testing.B, loss testbed.Loss) (c counts) {
	net := testbed.NewNetwork(line(8), machine.Millisecond, loss)
	w := sim.New(sim.Config{Seed: 9, Network: net})
	bed, err := testbed.New(testbed.Config{Open: open(w), Network: net, Seed: 9, Nodes: 8, Degree: 4})
	if err != nil {
		b.Fatal(err)
	}
	defer bed.Close()
	w.Sleep(machine.Second)
	var rs []*testbed.Receiver
	for i := range 64 {
		r, err := bed.AddReceiver(i, multicast.Events{})
		if err != nil {
			b.Fatal(err)
		}
		rs = append(rs, r)
		r.Join()
		w.Sleep(200 * machine.Millisecond)
	}
	for range 50 * min(1, loss.Seed) {
		bed.Source().Send([]byte("data"))
		w.Sleep(20 * machine.Millisecond)
	}
	w.Sleep(5 * machine.Second)
	for _, n := range bed.Nodes() {
		c.packets += n.Machine.Counters().Packets
	}
	for _, r := range rs {
		c.queries += r.Machine.Counters().QueriesSent
		c.depth = max(c.depth, r.Machine.Level())
	}
	c.Counters = w.Counters()
	c.trace, err = strconv.ParseUint(w.TraceHash()[:12], 16, 64)
	if err != nil {
		b.Fatal(err)
	}
	return c
}
