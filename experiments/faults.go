package experiments

import (
	"fmt"
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
	if f == (Faults{}) {
		return "no faults"
	}
	return fmt.Sprintf("clock skew up to %v, jitter up to %v, %v receivers crash and %v nodes restart a minute",
		f.Skew, f.Jitter, f.Crashes, f.Restarts)
}

// A faultClock says when the next receiver crashes and the next node restarts.
type faultClock struct {
	crash, restart machine.Time
}

// gap draws the time to the next of so many events a minute, uniformly from zero
// to twice the mean: a logarithm would not be the same on every processor.
func (g *group) gap(perMinute float64) machine.Duration {
	return machine.Duration(g.faultRNG.Float64() * 120 / perMinute * float64(machine.Second))
}

// inflict carries out the faults that are due. It is called between runs.
func (g *group) inflict() error {
	f := g.cfg.Faults
	now := g.world.Now()
	if f.Crashes > 0 {
		if g.faults.crash == 0 {
			g.faults.crash = now.Add(g.gap(f.Crashes))
		}
		for ; g.faults.crash <= now; g.faults.crash = g.faults.crash.Add(g.gap(f.Crashes)) {
			m := g.members[g.faultRNG.IntN(len(g.members))]
			m.crashed = true
			m.Endpoint.Close()
		}
	}
	if f.Restarts > 0 {
		if g.faults.restart == 0 {
			g.faults.restart = now.Add(g.gap(f.Restarts))
		}
		for ; g.faults.restart <= now; g.faults.restart = g.faults.restart.Add(g.gap(f.Restarts)) {
			if err := g.bed.RestartNode(g.faultRNG.IntN(len(g.bed.Nodes()))); err != nil {
				return err
			}
		}
	}
	return nil
}
