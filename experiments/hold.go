package experiments

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"i3bench/cluster"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/cputime"
	"i3bench/reports"
	"i3bench/testbed"
	"i3bench/verify"
)

// Hold keeps many members of one group in this process for some time, against real nodes and a real source
// that are elsewhere: how fast they join, what they cost, and whether every trigger of theirs stays alive.
type Hold struct {
	FieldConfig
	// Field is where the nodes are.
	Field interface {
		Ground() testbed.Ground
		Counts() (FieldCounts, error)
	}
	Members int
	Joins   float64       // per second, at most, while the group grows
	Under   int           // joins under way at a time, at most
	For     time.Duration // how long the group is held when it has grown
}

// Times of a hold.
const (
	// holdTick is how often joins are begun.
	holdTick = 2 * time.Millisecond
	// holdStall is how long a group may not grow at all before the run fails.
	holdStall = 30 * time.Second
	// holdRest is how long after the last join the members may take to come to rest.
	holdRest = 2 * time.Minute
)

// A holdRun is the experiment while it goes on.
type holdRun struct {
	Hold
	sink    Sink
	report  Progress
	world   *cluster.World
	bed     *testbed.Bed
	members []*held
	in      atomic.Int64
	failed  atomic.Int64
	before  int64 // bytes in use without members
}

// A held is a member and what is seen of it.
type held struct {
	*testbed.Receiver
	run    *holdRun
	in     bool // its link is in the tree
	failed bool
	heard  bool // a packet came down the tree
	owed   verify.Delivery
}

// Run runs the experiment. If a trigger expired, or a packet did not reach a member, it returns an error that
// is [ErrMissing], after everything is sampled.
func (h Hold) Run(ctx context.Context, sink Sink, progress Progress) error {
	r := &holdRun{Hold: h, sink: sink, report: progress, before: liveBytes()}
	r.world = cluster.New(cluster.Config{Seed: h.Seed + 1, SocketBuffer: manyHosts})
	var err error
	if r.bed, err = testbed.OnGround(testbed.Config{Open: udpWorld{r.world}.Open, Seed: h.Seed, Group: h.group()},
		h.Field.Ground(), 0); err != nil {
		return err
	}
	defer r.close()
	if err := r.grow(ctx); err != nil {
		return err
	}
	if err := r.rest(ctx); err != nil {
		return err
	}
	r.sample(reports.KindBytesPerReceiver, float64(liveBytes()-r.before)/float64(h.Members))
	return r.hold(ctx)
}

func (r *holdRun) close() {
	for _, m := range r.members {
		m.Endpoint.Close()
	}
}

// sample samples a value of the whole group.
func (r *holdRun) sample(kind string, value float64) {
	r.sink.Sample(reports.Sample{
		Stage: reports.StageHold, Kind: kind, Seed: r.Seed, N: int64(r.Members), Value: value,
	})
}

// deploy adds a member and lets it join.
func (r *holdRun) deploy() error {
	m := &held{run: r}
	rec, err := r.bed.AddReceiver(len(r.members)%r.Nodes, multicast.Events{
		Attached: func(machine.Time, int) {
			if !m.in {
				m.in = true
				r.in.Add(1)
			}
		},
		Joined:  func(_ machine.Time, seq uint64) { m.heard = true; m.owed.Joined(seq) },
		Deliver: func(_ machine.Time, seq uint64, _ int64, payload []byte) { m.owed.Delivered(seq, payload) },
		Lost:    func(_ machine.Time, seq uint64) { m.owed.Lost(seq) },
		Failed:  func(machine.Time) { m.failed = true; r.failed.Add(1) },
	})
	if err != nil {
		return err
	}
	m.Receiver = rec
	r.members = append(r.members, m)
	rec.Join()
	return nil
}

// grow lets all members join, no more at a time and in a second than allowed, and samples how fast it went at
// every doubling.
func (r *holdRun) grow(ctx context.Context) error {
	tick := time.NewTicker(holdTick)
	defer tick.Stop()
	start, moved, last := time.Now(), time.Now(), int64(0)
	step := r.newStep(min(1000, r.Members))
	for in := int64(0); in < int64(r.Members); in = r.in.Load() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			if in > last {
				last, moved = in, now
			} else if now.Sub(moved) > holdStall {
				return fmt.Errorf("hold: %d of %d members joined, none in the last %v", in, r.Members, holdStall)
			}
			due := min(r.Members, int(now.Sub(start).Seconds()*r.Joins)+1, int(in)+r.Under)
			for len(r.members) < due {
				if err := r.deploy(); err != nil {
					return err
				}
			}
			r.again()
		}
		if int(in) >= step.until {
			step = step.end(int(in))
		}
		r.report(int(in), r.Members, fmt.Sprintf("%d of %d members joined", in, r.Members))
	}
	step.end(r.Members)
	return nil
}

// again lets those join anew who gave up.
func (r *holdRun) again() {
	if r.failed.Load() == 0 {
		return
	}
	for _, m := range r.members {
		m.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
			if m.failed {
				m.failed = false
				r.failed.Add(-1)
				m.Machine.Join(now, out)
			}
		})
	}
}

// A step is the growth of the group from one size to the next.
type step struct {
	run         *holdRun
	from, until int
	at          time.Time
	cpu         time.Duration
}

func (r *holdRun) newStep(until int) step {
	return step{run: r, from: int(r.in.Load()), until: until, at: time.Now(), cpu: cputime.Now()}
}

// end samples a step and begins the next.
func (s step) end(in int) step {
	r := s.run
	if n := in - s.from; n > 0 {
		rate := reports.Sample{
			Stage: reports.StageHold, Kind: reports.KindJoin, Seed: r.Seed, N: int64(in), Level: s.level(),
			Value: float64(n) / time.Since(s.at).Seconds(), ServiceNS: int64(cputime.Now()-s.cpu) / int64(n),
		}
		r.sink.Sample(rate)
	}
	return r.newStep(min(2*s.until, r.Members))
}

// level returns the level, rounded, at which the newest members are.
func (s step) level() int {
	sum, n := 0, 0
	for _, m := range s.run.members[max(0, len(s.run.members)-1000):] {
		m.Endpoint.Do(func(machine.Time, *machine.Outbox) {
			if l := m.Machine.Level(); l > 0 {
				sum, n = sum+l, n+1
			}
		})
	}
	return (sum + n/2) / max(1, n)
}

// triggers is how many triggers the nodes hold for a group at rest: of each member its own, its link, its
// places in a set and in a repair group; of the source its own and that by which searches find it.
func (r *holdRun) triggers() int { return 4*r.Members + 2 }

// rest waits until all members have their triggers and have heard the source.
func (r *holdRun) rest(ctx context.Context) error {
	for end := time.Now().Add(holdRest); ; {
		c, err := r.Field.Counts()
		if err != nil {
			return err
		}
		settled := 0
		for _, m := range r.members {
			m.Endpoint.Do(func(machine.Time, *machine.Outbox) {
				if m.Machine.Settled() && m.heard {
					settled++
				}
			})
		}
		r.report(settled, r.Members, fmt.Sprintf("%d of %d members at rest, %d triggers", settled, r.Members, c.Triggers))
		switch {
		case settled == r.Members && c.Triggers >= r.triggers():
			return nil
		case time.Now().After(end):
			return fmt.Errorf("hold: %d of %d members at rest, %d of %d triggers, after %v", settled, r.Members,
				c.Triggers, r.triggers(), holdRest)
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

// sleep waits for so long, or until the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
