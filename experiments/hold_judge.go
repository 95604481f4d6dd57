package experiments

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/internal/cputime"
	"i3bench/reports"
)

// A holding is what was seen of a group while it was held.
type holding struct {
	took, cpu     time.Duration // the latter of the members' process
	before, after FieldCounts
	least         int    // triggers in the second in which there were fewest
	links         uint64 // refreshes of links by members whose timers ran out
}

// hold watches the group for its time, and judges it.
func (r *holdRun) hold(ctx context.Context) error {
	before, err := r.Field.Counts()
	if err != nil {
		return err
	}
	r.owe(before.Packets)
	start, cpu, least, links := time.Now(), cputime.Now(), before.Triggers, r.linkRefreshes()
	for at := time.Duration(0); at < r.For; at = time.Since(start) {
		if err := sleep(ctx, min(time.Second, r.For-at)); err != nil {
			return err
		}
		c, err := r.Field.Counts()
		if err != nil {
			return err
		}
		least = min(least, c.Triggers)
		r.report(int(at/time.Second), int(r.For/time.Second), fmt.Sprintf("%d triggers, %d refreshed, %d expired",
			c.Triggers, c.Refreshed-before.Refreshed, c.Expired-before.Expired))
	}
	took := time.Since(start)
	after, err := r.Field.Counts()
	if err != nil {
		return err
	}
	after.CPU -= before.CPU
	return r.judge(ctx, holding{took, cputime.Now() - cpu, before, after, least, r.linkRefreshes() - links})
}

// owe makes every member be owed the packets after the next, which may be on its way.
func (r *holdRun) owe(last uint64) {
	for _, m := range r.members {
		m.Endpoint.Do(func(machine.Time, *machine.Outbox) { m.owed.Joined(last + 1) })
	}
}

// linkRefreshes returns how many links all members have refreshed.
func (r *holdRun) linkRefreshes() (n uint64) {
	for _, m := range r.members {
		m.Endpoint.Do(func(machine.Time, *machine.Outbox) { n += m.Machine.Counters().Refreshes })
	}
	return n
}

// judge samples what the hold cost and whether all was kept.
func (r *holdRun) judge(ctx context.Context, w holding) error {
	before, after, took := &w.before, &w.after, w.took
	periods := took.Seconds() / cmp.Or(r.Lifetime, time.Duration(host.DefaultLifetime)).Seconds()
	triggers := float64(r.triggers())
	refreshed := after.Refreshed - before.Refreshed
	r.sample(reports.KindRefreshMean, float64(refreshed)/triggers/periods)
	r.sample(reports.KindPeakBytes, float64(peakBytes()))
	r.sample(reports.KindWallSeconds, took.Seconds())
	for name, v := range map[string]float64{
		"CPU of the members in ms a second":         w.cpu.Seconds() / took.Seconds() * 1e3,
		"CPU of nodes and source in ms a second":    after.CPU.Seconds() / took.Seconds() * 1e3,
		"datagrams of nodes and source in a second": float64(after.Datagrams-before.Datagrams) / took.Seconds(),
		reports.HoldLeast:                           float64(w.least),
		reports.HoldWant:                            triggers,
		reports.HoldExpired:                         float64(after.Expired - before.Expired),
		"refreshes of links that members sent":      float64(w.links),
		"triggers inserted anew":                    float64(after.Inserted - before.Inserted),
	} {
		r.sink.Sample(reports.Sample{
			Stage: reports.StageHold, Kind: reports.KindCount, Seed: r.Seed, Group: name, Value: v,
		})
	}
	missing, err := r.delivered(ctx, after.Packets)
	if err != nil {
		return err
	}
	if lost := r.triggers() - w.least; lost > 0 || after.Expired > before.Expired || missing > 0 {
		return fmt.Errorf("hold: %d triggers were not there for a time, %d expired, %d packets did not arrive: %w",
			max(0, lost), after.Expired-before.Expired, missing, ErrMissing)
	}
	return nil
}

// delivered waits for what is still to be repaired, and samples how many packets were owed up to the last and
// arrived exactly once. It returns how many did not.
func (r *holdRun) delivered(ctx context.Context, last uint64) (missing int, err error) {
	for end := time.Now().Add(deliverQuietMax); ; {
		owed, once := 0, 0
		for _, m := range r.members {
			m.Endpoint.Do(func(machine.Time, *machine.Outbox) {
				v := m.owed.Judge(last)
				owed, once = owed+v.Owed, once+max(0, v.Once-v.Altered)
			})
		}
		if owed == once || time.Now().After(end) {
			r.sink.Sample(reports.Sample{
				Stage: reports.StageHold, Kind: reports.KindDelivered, Seed: r.Seed, Group: "members", N: int64(owed),
				Value: float64(once),
			})
			return owed - once, nil
		}
		if err := sleep(ctx, time.Second); err != nil {
			return 0, err
		}
	}
}
