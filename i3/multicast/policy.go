package multicast

import (
	"fmt"

	"i3bench/i3/machine"
)

// A SearchPolicy says how a joining receiver looks for its parent.
type SearchPolicy struct {
	// Width is how many full children are descended into at each level. The
	// paper's Figures 4 and 6 take one, the default.
	Width int
	// Slack is by how much a full child's distance may exceed the best joinable
	// one and still be descended into. The paper's is zero, the default; more
	// makes up for distances that break the triangle inequality. Less than zero
	// ends the search earlier: a full child must promise at least so much.
	Slack machine.Duration
	// Blur is the random duration, U[0, Blur), added to every distance when they
	// are compared, so that receivers for whom several places are about equally
	// far do not all crowd at the same one. The paper's is zero, the default.
	Blur machine.Duration
	// HopPercent is how much longer than it is the hop from a candidate to the
	// receiver counts when places are compared: near places are left to those that
	// are near them, which shortens the whole tree and spreads its links. The
	// paper's is zero, the default.
	HopPercent int
	// Draw asks one child of each identifier instead of all, see [DrawSearch].
	Draw bool
	// Metric is what places are compared by before their distances are, and what the
	// candidates report. With Bandwidth the receiver also measures the ways to the
	// best places itself. Default Delay.
	Metric Metric
	// Trial is after how many packets a receiver judges the place it has joined at:
	// it searches anew, without that place, if what comes falls clearly short of what
	// was promised. Default [DefaultTrial], but none with Delay; none if negative.
	Trial int
	// Moves is how many places a receiver leaves for this before it stays anyway.
	// Default [DefaultMoves], at most 16.
	Moves int
}

// measures reports whether receivers measure more than delays.
func (p *SearchPolicy) measures() bool { return p.Metric != Delay || p.Trial > 0 }

// WideSearch is the search policy for wide-area trees, to go with relays at the
// source: it descends into the best three full children of each level, and counts a
// hop half as much again. See [Config.Relays].
func WideSearch() SearchPolicy { return SearchPolicy{Width: 3, HopPercent: 50} }

// LANSearch is the search policy for networks in which all distances are about
// equal and their differences are those of queues: any joinable place will do, so
// the search ends at the first level that has one, and picks one by chance.
func LANSearch() SearchPolicy {
	return SearchPolicy{Slack: -machine.Second, Blur: 100 * machine.Millisecond}
}

// fillIn gives every field that is zero its default.
func (p *SearchPolicy) fillIn() {
	if p.Width == 0 {
		p.Width = 1
	}
	if p.Trial == 0 && p.Metric != Delay {
		p.Trial = DefaultTrial
	}
	if p.Moves == 0 {
		p.Moves = DefaultMoves
	}
}

// check wants what the fields allow.
func (p *SearchPolicy) check() error {
	switch {
	case p.HopPercent < 0 || p.HopPercent > maxHopPercent:
		return fmt.Errorf("multicast: config: hop percent %d: want 0 to %d", p.HopPercent, maxHopPercent)
	case p.Metric >= metricEnd:
		return fmt.Errorf("multicast: config: metric %d: want Delay, Bandwidth or Loss", p.Metric)
	case p.Metric != Delay && p.HopPercent != 0:
		return fmt.Errorf("multicast: config: hop percent %d: want 0 but with the metric Delay", p.HopPercent)
	case p.Moves < 0 || p.Moves > maxMoves:
		return fmt.Errorf("multicast: config: %d moves: want 0 to %d", p.Moves, maxMoves)
	case p.Width < 1 || p.Width > maxWidth:
		return fmt.Errorf("multicast: config: search width %d: want 1 to %d", p.Width, maxWidth)
	}
	return nil
}
