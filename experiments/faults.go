package experiments

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"i3bench/i3/machine"
)

// Faults are what goes wrong in a simulated run besides the losses of a network.
// All of it is drawn from the run's seed.
type Faults struct {
	// Skew bounds the offset of each host's clock: [-Skew, Skew).
	Skew time.Duration
	// Jitter bounds the time by which each datagram is late: U[0, Jitter).
	Jitter time.Duration
	// Crashes is how many receivers stop at once, per minute, after the group has
	// grown. They do not come back, and are owed nothing.
	Crashes float64
	// Restarts is how many nodes lose their memory per minute, after the group has
	// grown.
	Restarts float64
}

// String says the faults for a run's description.
func (f Faults) String() string {
	var parts []string
	for _, part := range []struct {
		is   bool
		text string
	}{
		{f.Skew > 0, fmt.Sprintf("clock skew up to %v", f.Skew)},
		{f.Jitter > 0, fmt.Sprintf("jitter up to %v", f.Jitter)},
		{f.Crashes > 0, fmt.Sprintf("%v receivers crash a minute", f.Crashes)},
		{f.Restarts > 0, fmt.Sprintf("%v nodes restart a minute", f.Restarts)},
	} {
		if part.is {
			parts = append(parts, part.text)
		}
	}
	if len(parts) == 0 {
		return "no faults"
	}
	return strings.Join(parts, ", ")
}

// Steady returns the faults without those that come after the group has grown.
func (f Faults) Steady() Faults { return Faults{Skew: f.Skew, Jitter: f.Jitter} }

// A faultClock says when the next receiver crashes and the next node restarts,
// from the time when it was first asked.
type faultClock struct {
	crash, restart machine.Time
}

// gap draws the time to the next of so many events a minute, uniformly from zero
// to twice the mean: a logarithm would not be the same on every processor.
func (g *group) gap(perMinute float64) machine.Duration {
	return max(1, machine.Duration(g.faultRNG.Float64()*120/perMinute*float64(machine.Second)))
}

// inflict carries out the faults that are due. It is called between runs.
func (g *group) inflict() error {
	g.due(&g.faults.crash, g.cfg.Faults.Crashes, g.crashOne)
	var err error
	g.due(&g.faults.restart, g.cfg.Faults.Restarts, func() {
		err = errors.Join(err, g.bed.RestartNode(g.faultRNG.IntN(len(g.bed.Nodes()))))
	})
	return err
}

// due calls f for each event of so many a minute that is due by now.
func (g *group) due(next *machine.Time, perMinute float64, f func()) {
	if perMinute <= 0 {
		return
	}
	now := g.world.Now()
	if *next == 0 {
		*next = now.Add(g.gap(perMinute))
	}
	for ; *next <= now; *next = next.Add(g.gap(perMinute)) {
		f()
	}
}

// crashOne stops a receiver, one of those that have not crashed yet.
func (g *group) crashOne() {
	live := slices.DeleteFunc(slices.Clone(g.members), func(m *groupMember) bool { return m.crashed })
	if len(live) == 0 {
		return
	}
	m := live[g.faultRNG.IntN(len(live))]
	m.crashed = true
	m.Endpoint.Close()
}
