package cluster_test

import (
	"fmt"
	"net/netip"
	"testing"

	"i3bench/cluster/senders"
	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/replicate"
)

// A round is what a shard does with what it has received, but for the kernel's part: a node, a planner, and a port that
// takes everything.
type round struct {
	node    *node.Node
	planner *replicate.Planner
	out     *machine.Outbox
	batch   []machine.Datagram
	taken   int
}

func (r *round) Caps() replicate.Caps {
	return replicate.Caps{MaxMessages: 256, MaxVectors: 1024, MaxSegments: 64, MaxBytes: 65507}
}

func (r *round) Send(ms []replicate.Message) (int, error) {
	for i := range ms {
		r.taken += ms[i].Copies
	}
	return len(ms), nil
}

// newRound returns a round of a batch of packets of some sizes, in turn, to an identifier with so many receivers.
func newRound(tb testing.TB, fan, batch int, sizes ...int) *round {
	self := netip.MustParseAddrPort("127.1.0.1:1")
	ring, err := chord.NewFixed([]chord.Place{{Prefix: 1, Addr: self}})
	if err != nil {
		tb.Fatal(err)
	}
	owned, _ := ring.RangeOf(self)
	r := &round{out: machine.NewOutbox(0, 0, 0)}
	r.node, err = node.New(node.Config{
		Self: self, Range: owned, Ring: ring, Secret: senders.Secret, MaxPerID: max(fan, node.DefaultMaxPerID),
	})
	if err != nil {
		tb.Fatal(err)
	}
	var to []netip.AddrPort
	for i := range fan {
		to = append(to, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 2, byte(i >> 8), byte(i)}), 9))
	}
	senders.Insert(r.node, machine.Time(machine.Second), to)
	if r.planner, err = replicate.NewPlanner(replicate.Config{Datagram: i3.MaxDatagram}); err != nil {
		tb.Fatal(err)
	}
	for i := range batch {
		p := make([]byte, i3.HeaderSize+sizes[i%len(sizes)])
		senders.Fill(p, uint64(i))
		r.batch = append(r.batch, machine.Datagram{From: self, Bytes: p})
	}
	return r
}

// run carries the round out once.
func (r *round) run() {
	for i := range r.batch {
		i3.SetHopLimit(r.batch[i].Bytes, i3.DefaultHopLimit)
	}
	r.node.Receive(machine.Time(machine.Second), r.batch, r.out)
	for _, f := range r.out.Forwards() {
		r.planner.Add(f.To, f.Template, f.Body)
	}
	r.planner.Flush(r)
	r.out.Reset()
}

// In its steady state a round allocates nothing, whatever the sizes, and makes every copy.
func TestRoundDoesNotAllocate(t *testing.T) {
	r := newRound(t, 32, 16, 64, 1200, 500, 510)
	r.run()
	r.taken = 0
	if n := testing.AllocsPerRun(50, r.run); n != 0 {
		t.Errorf("a round allocates %v times", n)
	}
	if want := 51 * 32 * 16; r.taken != want {
		t.Errorf("%d copies, want %d", r.taken, want)
	}
}

// BenchmarkRound is what a node's part of a round costs, without the kernel's.
func BenchmarkRound(b *testing.B) {
	for _, fan := range []int{1, 8, 32, 256} {
		for _, c := range []struct {
			name  string
			sizes []int
		}{{"64", []int{64}}, {"512", []int{512}}, {"1200", []int{1200}}, {"mixed", []int{64, 1200, 500, 510}}} {
			b.Run(fmt.Sprintf("fan=%d/batch=32/size=%s", fan, c.name), func(b *testing.B) {
				r := newRound(b, fan, 32, c.sizes...)
				for b.Loop() {
					r.run()
				}
				copies := float64(b.N * fan * 32)
				b.ReportMetric(copies/b.Elapsed().Seconds(), "copies/s")
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/copies, "ns/copy")
			})
		}
	}
}
