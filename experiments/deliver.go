package experiments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
	"i3bench/testbed"
)

// Deliver judges delivery: receivers join a group whose network loses packets
// as in section 6.3, the source sends, and every packet sent while a receiver
// was joined must reach it exactly once.
type Deliver struct {
	World     Kind
	Nodes     int
	Degree    int
	Receivers int
	Packets   int
	PerSecond float64
	Size      int // bytes of a packet
	Seeds     []uint64
	Repair    multicast.RepairPolicy
}

// ErrMissing is returned when a packet that was owed did not arrive exactly once.
var ErrMissing = errors.New("not every packet arrived exactly once")

// deliverQuietMax is how long the last repairs may take.
const deliverQuietMax = 60 * time.Second

// Run runs one seed after the other. It fails if a packet that was owed did not
// arrive exactly once.
func (d Deliver) Run(ctx context.Context, sink Sink, progress Progress) error {
	for i, seed := range d.Seeds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		report := func(n int, what string) { progress(i*d.Packets+n, len(d.Seeds)*d.Packets, what) }
		if err := d.run(ctx, seed, sink, report); err != nil {
			return fmt.Errorf("deliver, seed %d: %w", seed, err)
		}
	}
	return nil
}

func (d Deliver) run(ctx context.Context, seed uint64, sink Sink, report func(int, string)) error {
	net := testbed.NewNetwork(nil, 100*machine.Microsecond, testbed.PaperLoss(seed))
	w, err := NewWorld(d.World, seed, net, 0)
	if err != nil {
		return err
	}
	bed, err := testbed.New(testbed.Config{
		Open: w.Open, Network: net, Seed: seed, Nodes: d.Nodes, Degree: d.Degree,
		Group: multicast.Config{Repair: d.Repair, Host: host.Config{Hurry: 3}},
	})
	if err != nil {
		return err
	}
	defer bed.Close()
	members, err := d.join(ctx, w, bed, report)
	defer closeAll(members)
	if err != nil {
		return err
	}
	s := newStream(w, bed.Source(), d.Size, d.PerSecond)
	for n := range d.Packets {
		s.send()
		report(n+1, fmt.Sprintf("seed %d: %d receivers, packet %d", seed, len(members), n+1))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	awaitAll(ctx, w, deliverQuietMax, members, s.last)
	if ctx.Err() != nil {
		return ctx.Err() // what is still to come is not missing
	}
	bad := 0
	for _, m := range members {
		m.look(func() {
			if !m.delivery.Judge(s.last).OK() {
				bad++
			}
			sink.Sample(delivered(reports.StageDeliver, seed, "", m, s.last))
		})
	}
	d.counters(seed, members, sink)
	if bad > 0 {
		return fmt.Errorf("%d of %d receivers: %w", bad, len(members), ErrMissing)
	}
	return nil
}

// join lets all receivers join, losses and all.
func (d Deliver) join(ctx context.Context, w World, bed *testbed.Bed, report func(int, string)) ([]*member, error) {
	w.Sleep(time.Second)
	var members []*member
	for n := range d.Receivers {
		m, err := addMember(bed, n%d.Nodes)
		if err != nil {
			return members, err
		}
		members = append(members, m)
		m.start()
		w.Sleep(10 * time.Millisecond)
		if ctx.Err() != nil {
			return members, ctx.Err()
		}
		report(0, fmt.Sprintf("%d receivers joining", n+1))
	}
	for _, m := range members {
		if !waitUntil(ctx, w, time.Minute, m.joined) {
			if ctx.Err() != nil {
				return members, ctx.Err()
			}
			return members, fmt.Errorf("receiver %d did not join within a minute", m.Number)
		}
	}
	return members, nil
}

func (d Deliver) counters(seed uint64, members []*member, sink Sink) {
	var sum multicast.Counters
	for _, m := range members {
		m.look(func() {
			c := m.Machine.Counters()
			sum.Repaired += c.Repaired
			sum.Duplicates += c.Duplicates
			sum.Requests += c.Requests
			sum.Escalated += c.Escalated
			sum.Reordered += c.Reordered
			sum.Abandoned += c.Abandoned
		})
	}
	count(sink, reports.StageDeliver, seed, "packets lost and repaired", sum.Repaired)
	count(sink, reports.StageDeliver, seed, "duplicates dropped", sum.Duplicates)
	count(sink, reports.StageDeliver, seed, "repair requests", sum.Requests)
	count(sink, reports.StageDeliver, seed, "requests passed upward", sum.Escalated)
	count(sink, reports.StageDeliver, seed, "packets late but not lost", sum.Reordered)
	count(sink, reports.StageDeliver, seed, "packets given up", sum.Abandoned)
}
