package loadgen

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"i3bench/internal/hist"
)

// A fakeClock moves only when it is read or slept on, and by what the test says.
type fakeClock struct {
	now    time.Time
	read   time.Duration            // that one look at the clock takes
	late   func() time.Duration     // how long after its end a sleep returns; nil is exactly
	slept  time.Duration            // in all
	events map[time.Duration]func() // what happens at a time since zero
}

var epoch = time.Unix(0, 0)

func (c *fakeClock) Now() time.Time {
	c.advance(c.read)
	return c.now
}

func (c *fakeClock) Sleep(d time.Duration) {
	if c.late != nil {
		d += c.late()
	}
	c.slept += d
	c.advance(d)
}

// advance moves the clock and lets the events on the way happen in order.
func (c *fakeClock) advance(d time.Duration) {
	end := c.now.Add(d)
	if len(c.events) == 0 {
		c.now = end
		return
	}
	var times []time.Duration
	for at := range c.events {
		if !epoch.Add(at).After(end) {
			times = append(times, at)
		}
	}
	slices.Sort(times)
	for _, at := range times {
		event := c.events[at]
		delete(c.events, at)
		event()
	}
	c.now = end
}

// at plans an event.
func (c *fakeClock) at(t time.Duration, event func()) {
	if c.events == nil {
		c.events = map[time.Duration]func(){}
	}
	c.events[t] = event
}

// newClock returns a fake clock at its epoch.
func newClock() *fakeClock { return &fakeClock{now: epoch} }

// since returns what the clock shows, without moving it.
func (c *fakeClock) since() time.Duration { return c.now.Sub(epoch) }

// newPacer returns a pacer whose configuration must be right.
func newPacer(t fataler, cfg PacerConfig) *Pacer {
	p, err := NewPacer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// started is one operation that a pacer started.
type started struct {
	op       Op
	at       time.Duration // when it really was
	intended time.Duration // when it is said to have been due
}

// pace runs a schedule on a fake clock. Operations end at once; before that, stall
// may move the clock.
func pace(t fataler, cfg PacerConfig, c *fakeClock, s Schedule, stall func(Op)) ([]started, *PacerStats) {
	cfg.Clock = c
	p := newPacer(t, cfg)
	var list []started
	stats, err := p.Run(context.Background(), epoch, s, func(op Op, intended time.Time) {
		list = append(list, started{op, c.since(), intended.Sub(epoch)})
		if stall != nil {
			stall(op)
		}
		p.Done()
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.InFlight() != 0 {
		t.Fatal("operations in flight after each has ended")
	}
	return list, stats
}

// On an ideal machine every operation starts when it is due, under every policy.
func TestPacerOnTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := open(t, profiles(t))
		cfg := PacerConfig{
			CatchUp: rapid.SampledFrom([]CatchUp{Smooth, Burst, None}).Draw(t, "catch-up"),
			Spin:    NoSpin,
		}
		list, stats := pace(t, cfg, newClock(), s, nil)
		ops := all(s)
		if len(list) != len(ops) {
			t.Fatalf("%d operations started of %d", len(list), len(ops))
		}
		for i, got := range list {
			if want := (started{ops[i], ops[i].At, ops[i].At}); got != want {
				t.Fatalf("started %+v, want %+v", got, want)
			}
		}
		n := uint64(len(ops))
		if stats.Offered != n || stats.Sent != n || stats.Lateness.Count() != n || stats.Lateness.Max() != 0 {
			t.Fatalf("offered %d, sent %d, %d late by up to %d ns, want %d, %d, %d, 0",
				stats.Offered, stats.Sent, stats.Lateness.Count(), stats.Lateness.Max(), n, n, n)
		}
	})
}

// The demonstration of coordinated omission: a system that answers in 1 ms stands
// still once, for a second in ten. Counted from the intended times the 99th
// percentile shows it. Counted from the times of sending, as a closed loop would,
// it is one bad sample in ten thousand.
func TestStallShowsInLatency(t *testing.T) {
	for _, policy := range []CatchUp{Smooth, Burst} {
		c := newClock()
		s := open(t, Constant{Rate: 1000, For: 10 * time.Second})
		var fromIntended, fromSending hist.Histogram
		p := newPacer(t, PacerConfig{CatchUp: policy, Spin: NoSpin, Clock: c})
		_, err := p.Run(context.Background(), epoch, s, func(op Op, intended time.Time) {
			sent := c.now
			took := 500 * time.Microsecond
			if op.Index == 3000 {
				took = time.Second
			}
			c.advance(took) // the system takes one operation at a time
			fromIntended.Record(int64(c.now.Sub(intended)))
			fromSending.Record(int64(c.now.Sub(sent)))
			p.Done()
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := fromIntended.Count(); n != 10_000 {
			t.Errorf("%v: %d operations done, want all 10000", policy, n)
		}
		if p99 := time.Duration(fromIntended.Quantile(0.99)); p99 < 900*time.Millisecond || p99 > 1100*time.Millisecond {
			t.Errorf("%v: p99 from the intended time is %v, want about 1 s", policy, p99)
		}
		if p99 := time.Duration(fromSending.Quantile(0.99)); p99 > time.Millisecond {
			t.Errorf("%v: p99 from sending is %v, want it to show nothing", policy, p99)
		}
	}
}

// stallOnce returns a stall of that length at one operation.
func stallOnce(c *fakeClock, index uint64, length time.Duration) func(Op) {
	return func(op Op) {
		if op.Index == index {
			c.advance(length)
		}
	}
}

// After any stalls, and with sleeps that end late, the policy Smooth never starts
// more in any stretch of time than the schedule has in Factor times that stretch
// and the slack; it loses nothing; and it does catch up.
func TestSmoothNeverExceedsItsCap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := open(t, profiles(t))
		c := newClock()
		slack := time.Duration(rapid.Int64Range(1, 2e7).Draw(t, "slack"))
		factor := rapid.Float64Range(1, 4).Draw(t, "factor")
		jitter := rapid.Int64Range(0, 2e5).Draw(t, "jitter")
		c.late = func() time.Duration { return time.Duration(jitter) }
		stalls := rapid.MapOf(rapid.Uint64Range(0, 1000), rapid.Int64Range(0, 3e8)).Draw(t, "stalls")
		list, stats := pace(t, PacerConfig{Factor: factor, Slack: slack, Spin: NoSpin}, c, s, func(op Op) {
			c.advance(time.Duration(stalls[op.Index]))
		})
		if stats.Sent != s.Len() || stats.Missed+stats.Dropped != 0 {
			t.Fatalf("sent %d, missed %d, dropped %d of %d", stats.Sent, stats.Missed, stats.Dropped, s.Len())
		}
		for i := range list {
			for j := i + 1; j < len(list); j += 1 + len(list)/50 {
				took, scheduled := list[j].at-list[i].at, list[j].op.At-list[i].op.At
				if limit := factor * float64(took+slack+1); float64(scheduled) > limit+1 {
					t.Fatalf("in %v, operations %d to %d of %v of schedule: the cap is %v",
						took, i, j, scheduled, time.Duration(limit))
				}
			}
		}
	})
}

// The stall of a second at 1000 operations per second, in numbers: how each policy
// takes up the 1000 operations that fell due meanwhile.
func TestCatchUpPolicies(t *testing.T) {
	const stalled, length = 1000, time.Second
	for _, c := range []struct {
		policy CatchUp
		sent   uint64
		missed uint64
		atOnce int           // operations started in the first millisecond after the stall
		onTime time.Duration // when the last late operation was intended
	}{
		{Burst, 6000, 0, 1000, 2000 * time.Millisecond},
		// Of the 1001 due operations, 10 ms of slack let those up to 10 ms late through.
		{None, 6000 - 989, 989, 11, 2000 * time.Millisecond},
		// Caught up at 1.5 times the rate after 2 s: 1000 late + 2000 new in 2 s. The
		// slack of 10 ms is 15 operations of the schedule.
		{Smooth, 6000, 0, 17, 3970 * time.Millisecond},
	} {
		clock := newClock()
		s := open(t, Constant{Rate: 1000, For: 6 * time.Second})
		cfg := PacerConfig{CatchUp: c.policy, Slack: 10 * time.Millisecond, Spin: NoSpin}
		list, stats := pace(t, cfg, clock, s, stallOnce(clock, stalled, length))
		if stats.Offered != 6000 || stats.Sent != c.sent || stats.Missed != c.missed {
			t.Errorf("%v: offered %d, sent %d, missed %d, want 6000, %d, %d",
				c.policy, stats.Offered, stats.Sent, stats.Missed, c.sent, c.missed)
		}
		atOnce, onTime := 0, time.Duration(0)
		for _, x := range list[stalled+1:] {
			if x.at <= 2*time.Second+time.Millisecond {
				atOnce++
			}
			if x.at > x.op.At {
				onTime = x.op.At
			}
			if x.intended != x.op.At {
				t.Fatalf("%v: operation %+v is said to have been intended at %v", c.policy, x.op, x.intended)
			}
		}
		if math.Abs(float64(atOnce-c.atOnce)) > 2 {
			t.Errorf("%v: %d operations within 1 ms of the stall, want %d", c.policy, atOnce, c.atOnce)
		}
		if off := onTime - c.onTime; off.Abs() > 20*time.Millisecond {
			t.Errorf("%v: late up to the operation of %v, want %v", c.policy, onTime, c.onTime)
		}
	}
}

// Sleeps that always end a little late do not slow down any policy: what counts
// is the time on the schedule, not the time of the operation before.
func TestLateWakeupsKeepTheRate(t *testing.T) {
	for _, policy := range []CatchUp{Smooth, Burst, None} {
		c := newClock()
		c.late = func() time.Duration { return 300 * time.Microsecond }
		s := open(t, Constant{Rate: 50_000, For: time.Second})
		_, stats := pace(t, PacerConfig{CatchUp: policy, Spin: NoSpin}, c, s, nil)
		if stats.Sent != 50_000 || stats.Elapsed > time.Second+time.Millisecond {
			t.Errorf("%v: sent %d in %v, want 50000 in 1 s", policy, stats.Sent, stats.Elapsed)
		}
		if late := time.Duration(stats.Lateness.Max()); late > 321*time.Microsecond {
			t.Errorf("%v: up to %v late, want at most a sleep's 300 us and a gap of 20 us", policy, late)
		}
	}
}

// The bound on operations in flight drops what exceeds it, and lets on as soon as
// one is done.
func TestInFlightIsBounded(t *testing.T) {
	c := newClock()
	p := newPacer(t, PacerConfig{InFlight: 10, Spin: NoSpin, Clock: c})
	s := open(t, Constant{Rate: 1000, For: time.Second})
	c.at(500*time.Millisecond-1, func() { // just before operation 500: seven get done
		for range 7 {
			p.Done()
		}
	})
	var indices []uint64
	most := 0
	stats, err := p.Run(context.Background(), epoch, s, func(op Op, _ time.Time) {
		indices = append(indices, op.Index)
		most = max(most, p.InFlight())
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 500, 501, 502, 503, 504, 505, 506}
	if !slices.Equal(indices, want) {
		t.Errorf("operations %v started, want %v", indices, want)
	}
	if stats.Offered != 1000 || stats.Sent != 17 || stats.Dropped != 983 || stats.Missed != 0 {
		t.Errorf("offered %d, sent %d, dropped %d, missed %d, want 1000, 17, 983, 0",
			stats.Offered, stats.Sent, stats.Dropped, stats.Missed)
	}
	if most != 10 || p.InFlight() != 10 {
		t.Errorf("at most %d, at the end %d in flight, want 10, 10", most, p.InFlight())
	}
}

// A cancelled run stops at once, owns up to what it owed, and tells why.
func TestCancel(t *testing.T) {
	c := newClock()
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	p := newPacer(t, PacerConfig{Spin: NoSpin, Clock: c})
	s := open(t, Constant{Rate: 100, For: time.Hour})
	started := 0
	stats, err := p.Run(ctx, epoch, s, func(op Op, _ time.Time) {
		started++
		if op.Index == 50 { // at 500 ms; 30 more fall due before it returns
			c.advance(300 * time.Millisecond)
			cancel(reason)
		}
		p.Done()
	})
	if !errors.Is(err, reason) {
		t.Errorf("error %v, want %v", err, reason)
	}
	if started != 51 || stats.Sent != 51 || stats.Missed != 30 || stats.Offered != 81 {
		t.Errorf("started %d, sent %d, missed %d, offered %d, want 51, 51, 30, 81",
			started, stats.Sent, stats.Missed, stats.Offered)
	}
	if stats.Elapsed != 800*time.Millisecond {
		t.Errorf("Elapsed = %v, want 800ms", stats.Elapsed)
	}
	again, err := p.Run(ctx, epoch.Add(time.Hour), s, func(Op, time.Time) { t.Error("started after cancelling") })
	if !errors.Is(err, reason) || again.Offered != 0 {
		t.Errorf("a run cancelled beforehand: error %v, offered %d", err, again.Offered)
	}
}

// A pacer asleep for an operation far off notices within 10 ms.
func TestCancelWhileAsleep(t *testing.T) {
	c := newClock()
	ctx, cancel := context.WithCancel(context.Background())
	c.at(1234*time.Millisecond, cancel)
	p := newPacer(t, PacerConfig{Clock: c})
	s := open(t, Constant{Rate: 0.001, For: time.Hour})
	stats, err := p.Run(ctx, epoch, s, func(Op, time.Time) { p.Done() })
	if !errors.Is(err, context.Canceled) || stats.Sent != 1 {
		t.Errorf("error %v, sent %d, want cancelled after the first", err, stats.Sent)
	}
	if late := stats.Elapsed - 1234*time.Millisecond; late < 0 || late > maxSleep {
		t.Errorf("stopped %v after cancelling, want at most %v", late, maxSleep)
	}
}

// Spinning starts operations exactly, and never takes more than the pacer slept
// before and one window, at any rate.
func TestSpinIsBounded(t *testing.T) {
	const window = 50 * time.Microsecond
	for _, rate := range []float64{1000, 15_000, 30_000, 100_000, 1_000_000} {
		c := newClock()
		c.read = 50 * time.Nanosecond
		c.late = func() time.Duration { return 30 * time.Microsecond }
		s := open(t, Constant{Rate: rate, For: 100 * time.Millisecond})
		_, stats := pace(t, PacerConfig{Spin: window}, c, s, nil)
		if stats.Sent != s.Len() {
			t.Fatalf("rate %v: sent %d of %d", rate, stats.Sent, s.Len())
		}
		if spun := stats.Elapsed - c.slept; spun > c.slept+2*window {
			t.Errorf("rate %v: awake for %v, asleep for %v, want at least as long", rate, spun, c.slept)
		}
		p99 := time.Duration(stats.Lateness.Quantile(0.99))
		if limit := window + 35*time.Microsecond; p99 > limit {
			t.Errorf("rate %v: 99th percentile %v late, want at most %v", rate, p99, limit)
		}
		if median := time.Duration(stats.Lateness.Quantile(0.5)); rate < 1/window.Seconds()/2 && median > time.Microsecond {
			t.Errorf("rate %v: half of the operations more than %v late, want spinning to end in time", rate, median)
		}
	}
}

// With a nap many operations share a wake-up, none is later than a nap, and none is left.
func TestNap(t *testing.T) {
	for _, policy := range []CatchUp{Smooth, Burst, None} {
		c, sleeps := newClock(), 0
		c.late = func() time.Duration { sleeps++; return 0 }
		s := open(t, Constant{Rate: 10_000, For: time.Second})
		_, stats := pace(t, PacerConfig{CatchUp: policy, Spin: NoSpin, Nap: time.Millisecond}, c, s, nil)
		if stats.Sent != 10_000 || sleeps > 1000 {
			t.Errorf("%v: sent %d with %d sleeps, want 10000 with 1000 at most", policy, stats.Sent, sleeps)
		}
		if late := time.Duration(stats.Lateness.Max()); late > time.Millisecond {
			t.Errorf("%v: up to %v late, want a nap at most", policy, late)
		}
	}
}

func TestBeginInFuture(t *testing.T) {
	c := newClock()
	p := newPacer(t, PacerConfig{Spin: NoSpin, Clock: c})
	s := open(t, Constant{Rate: 10, For: time.Second})
	var first time.Duration = -1
	stats, err := p.Run(context.Background(), epoch.Add(2*time.Second), s, func(op Op, intended time.Time) {
		if first < 0 {
			first = c.since()
		}
		if c.now.Before(intended) {
			t.Errorf("operation %d started %v too early", op.Index, intended.Sub(c.now))
		}
		p.Done()
	})
	if err != nil || first != 2*time.Second || stats.Sent != 10 || stats.Lateness.Max() != 0 {
		t.Errorf("error %v, first after %v, sent %d, want nil, 2s, 10", err, first, stats.Sent)
	}
}

func TestPacerErrors(t *testing.T) {
	for _, c := range []struct {
		cfg  PacerConfig
		want string
	}{
		{PacerConfig{CatchUp: 3}, "loadgen: new pacer: catch-up policy 3: want Smooth, Burst or None"},
		{PacerConfig{CatchUp: -1}, "loadgen: new pacer: catch-up policy -1: want Smooth, Burst or None"},
		{PacerConfig{Factor: 0.9}, "loadgen: new pacer: catch-up factor 0.9: want a number >= 1"},
		{PacerConfig{Factor: math.NaN()}, "loadgen: new pacer: catch-up factor NaN: want a number >= 1"},
		{PacerConfig{Slack: -1}, "loadgen: new pacer: slack -1ns: want >= 0"},
		{PacerConfig{InFlight: -1}, "loadgen: new pacer: -1 operations in flight: want >= 1"},
		{PacerConfig{Spin: -2}, "loadgen: new pacer: spin window -2ns: want >= 0, or NoSpin"},
		{PacerConfig{Nap: -1}, "loadgen: new pacer: nap -1ns: want 0 to the slack, 5ms"},
		{PacerConfig{Nap: 6 * time.Millisecond}, "loadgen: new pacer: nap 6ms: want 0 to the slack, 5ms"},
	} {
		if _, err := NewPacer(c.cfg); err == nil || err.Error() != c.want {
			t.Errorf("%+v: error %v, want %q", c.cfg, err, c.want)
		}
	}
	var names []string
	for c := Smooth; c <= None+1; c++ {
		names = append(names, c.String())
	}
	if got := strings.Join(names, " "); got != "smooth burst none CatchUp(3)" {
		t.Errorf("policies are called %q", got)
	}
}

// A run allocates for itself, and nothing per operation.
func TestPacerAllocatesNothingPerOperation(t *testing.T) {
	run := func(ops int) float64 {
		s := open(t, Constant{Rate: 1000, For: time.Duration(ops) * time.Millisecond})
		return testing.AllocsPerRun(5, func() {
			p := newPacer(t, PacerConfig{Clock: newClock(), Spin: NoSpin})
			if _, err := p.Run(context.Background(), epoch, s, func(Op, time.Time) { p.Done() }); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := run(10), run(1000); few != many {
		t.Errorf("%v allocations for 10 operations, %v for 1000", few, many)
	}
}
