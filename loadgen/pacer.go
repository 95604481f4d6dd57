package loadgen

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"i3bench/internal/hist"
)

// CatchUp says what a [Pacer] does with operations that it could not start in
// time, because the machine, the generator or an operation held it up.
type CatchUp int

const (
	// Smooth starts late operations in order, at up to [PacerConfig.Factor] times the
	// rate of the schedule, until none is late. The system gets all of the load
	// and no burst that the schedule did not ask for.
	Smooth CatchUp = iota

	// Burst starts all late operations at once. The system gets all of the load,
	// and after a stall of the generator a blow that may stall it in turn.
	Burst

	// None leaves late operations out, and counts them as missed. The system
	// never gets more than the schedule's rate, and not all of the load.
	None
)

// String returns the name of the policy as it is written in reports and flags.
func (c CatchUp) String() string {
	switch c {
	case Smooth:
		return "smooth"
	case Burst:
		return "burst"
	case None:
		return "none"
	}
	return fmt.Sprintf("CatchUp(%d)", int(c))
}

// UnmarshalText reads the name of a policy.
func (c *CatchUp) UnmarshalText(text []byte) error {
	for _, policy := range []CatchUp{Smooth, Burst, None} {
		if string(text) == policy.String() {
			*c = policy
			return nil
		}
	}
	return fmt.Errorf("loadgen: catch-up policy %.40q: want smooth, burst or none", text)
}

// NoSpin as [PacerConfig.Spin] makes a pacer sleep only.
const NoSpin time.Duration = -1

// PacerConfig configures a [Pacer]. The zero value of every field means its default.
type PacerConfig struct {
	// CatchUp is what to do with late operations. Default: Smooth.
	CatchUp CatchUp

	// Factor is how many times faster than scheduled Smooth catches up, at
	// least 1. Default: 1.5.
	Factor float64

	// Slack is how late an operation may be before it counts as late: wake-ups
	// are never exact, and operations within the slack start at once under every
	// policy. Default: 5 ms, about what a shared virtual machine takes away in
	// the 99th percentile.
	Slack time.Duration

	// InFlight is the most operations that may be started and not done. One that
	// falls due beyond it is dropped and counted, never queued, so that a system
	// that stands still costs bounded memory. Default: 65536.
	InFlight int

	// Spin is how long before an operation is due the pacer stops sleeping and
	// watches the clock, because a sleep ends some tens of microseconds late. It
	// also bounds the cost: the pacer never spins for longer than it has slept,
	// plus one such window, so it leaves at least half of its core to others,
	// and at rates above 1/Spin starts what fell due meanwhile in batches. Where
	// the system under test shares the cores and has none to spare, use NoSpin.
	// Default: 50 us.
	Spin time.Duration

	// Nap is the least time to sleep at once, at most Slack. What falls due meanwhile starts
	// together, late by half of it on average: a rate above 1/Nap costs 1/Nap wake-ups a
	// second, and not one for each operation. For where the system under test shares
	// the cores. Default: 0.
	Nap time.Duration

	// Left is told of each operation that is not started though its time has come. It
	// is called where [Start] would be. Default: nobody is told.
	Left func(op Op)

	// Clock is where time comes from. Default: the monotonic clock of the
	// machine.
	Clock Clock
}

// A Clock tells a [Pacer] the time.
type Clock interface {
	// Now returns the time. It does not go back.
	Now() time.Time

	// Sleep returns after d, or earlier.
	Sleep(d time.Duration)
}

// withDefaults returns the configuration with every zero field filled in.
func (c PacerConfig) withDefaults() PacerConfig {
	if c.Factor == 0 {
		c.Factor = 1.5
	}
	if c.Slack == 0 {
		c.Slack = 5 * time.Millisecond
	}
	if c.InFlight == 0 {
		c.InFlight = 65536
	}
	switch c.Spin {
	case 0:
		c.Spin = 50 * time.Microsecond
	case NoSpin:
		c.Spin = 0
	}
	if c.Left == nil {
		c.Left = func(Op) {}
	}
	return c
}

// validate checks a configuration that has its defaults.
func (c PacerConfig) validate() error {
	switch {
	case c.CatchUp < Smooth || c.CatchUp > None:
		return fmt.Errorf("loadgen: new pacer: catch-up policy %d: want Smooth, Burst or None", int(c.CatchUp))
	case !(c.Factor >= 1) || math.IsInf(c.Factor, 1):
		return fmt.Errorf("loadgen: new pacer: catch-up factor %v: want a number >= 1", c.Factor)
	case c.Slack < 0:
		return fmt.Errorf("loadgen: new pacer: slack %v: want >= 0", c.Slack)
	case c.InFlight < 0:
		return fmt.Errorf("loadgen: new pacer: %d operations in flight: want >= 1", c.InFlight)
	case c.Spin < 0:
		return fmt.Errorf("loadgen: new pacer: spin window %v: want >= 0, or NoSpin", c.Spin)
	case c.Nap < 0 || c.Nap > c.Slack:
		return fmt.Errorf("loadgen: new pacer: nap %v: want 0 to the slack, %v", c.Nap, c.Slack)
	}
	return nil
}

// Start begins one operation, whose latency counts from intended, and returns
// without waiting for its end: while it runs, no other operation can start. Each
// call must be followed by one call of [Pacer.Done], now or later, however the
// operation ends.
type Start func(op Op, intended time.Time)

// A Pacer starts the operations of schedules in real time. It may be used for
// one schedule after another, but not for two at once: operations of one run may
// still be in flight during the next, and count against the same bound.
type Pacer struct {
	cfg      PacerConfig
	inFlight atomic.Int64
}

// NewPacer returns a pacer, or an error that names the field of the
// configuration that makes no sense.
func NewPacer(cfg PacerConfig) (*Pacer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Pacer{cfg: cfg}, nil
}

// Done tells that an operation has ended, well or badly. Any goroutine may call
// it, and within [Start] too.
func (p *Pacer) Done() { p.inFlight.Add(-1) }

// InFlight returns the number of operations that have started and are not done.
func (p *Pacer) InFlight() int { return int(p.inFlight.Load()) }

// PacerStats says what load a run really offered. Every operation whose time came is
// counted once: Offered = Sent + Missed + Dropped.
type PacerStats struct {
	Offered uint64 // operations whose intended time came
	Sent    uint64 // started
	Missed  uint64 // not started: late under the policy None, or due when the run was cancelled
	Dropped uint64 // not started: too many in flight

	// Lateness is the distribution, in nanoseconds, of how long after its
	// intended time each operation was started. It is the generator's own error,
	// and part of every latency.
	Lateness hist.Histogram

	Start   time.Time     // what the times of the schedule counted from
	Elapsed time.Duration // from Start to the end of the run
}

// Run starts the operations of a schedule whose times count from begin, or from
// now if begin is zero. It returns when the last one has been started, with the
// statistics of the run; operations may then still be in flight. If ctx is done
// earlier, Run returns within some 10 ms, with the statistics so far and the
// cause.
//
// The goroutine of the caller becomes the pacer, on a thread of its own. It still
// waits for its turn after each sleep while other goroutines of the process keep
// all processors busy: up to 10 ms, the time the Go runtime gives each of them.
// Lateness shows it; a pacer in a process of its own does not have it.
//
// Under Smooth and Burst a run that fell behind goes on past the end of the
// schedule: bound it by ctx.
func (p *Pacer) Run(ctx context.Context, begin time.Time, s Schedule, start Start) (*PacerStats, error) {
	clock := p.cfg.Clock
	if clock == nil {
		clock = systemClock{}
		defer dedicateThread()()
	}
	if begin.IsZero() {
		begin = clock.Now()
	}
	r := &run{
		pacer: p,
		clock: clock,
		done:  ctx.Done(),
		start: start,
		stats: &PacerStats{Start: begin},
	}
	finished := r.through(s)
	r.stats.Elapsed = r.elapsed()
	if !finished {
		return r.stats, context.Cause(ctx)
	}
	return r.stats, nil
}
