package experiments

import (
	"slices"

	"i3bench/loadgen"
	"i3bench/loadgen/scenario"
)

// A share is what a process has of a scenario, where several carry it out together. An agent has the
// receivers whose number is part modulo parts, standing ones and visitors, with all their operations. The
// nodes and the source, with the operations that are about all receivers, are a share of their own, the ground.
type share struct {
	part, parts int
	ground      bool
}

// whole is the share of a process that has all.
var whole = share{}

// of returns how many of n receivers are its own.
func (s share) of(n int) int {
	if s == whole {
		return n
	}
	return max(0, (n-s.part+s.parts-1)/s.parts)
}

// nth returns the number of the i-th of its own.
func (s share) nth(i int) int { return s.part + i*max(1, s.parts) }

// index returns which of its own has a number.
func (s share) index(number uint64) uint64 { return number / uint64(max(1, s.parts)) }

// isAboutAll reports whether operations of a kind are about all receivers.
func isAboutAll(kind string) bool { return kind == scenario.Packet || kind == scenario.Restart }

// aboutAll reports whether a stream may have such operations.
func aboutAll(p *scenario.Planned) bool { return slices.ContainsFunc(p.Kinds, isAboutAll) }

// offers reports whether a stream may have operations of its own.
func (s share) offers(p *scenario.Planned) bool { return !s.ground || aboutAll(p) }

// open opens its part of a stream's plan.
func (s share) open(p *scenario.Planned) (loadgen.Plan, error) {
	plan, err := p.Open()
	switch {
	case err != nil || s == whole:
		return plan, err
	case s.ground:
		return loadgen.Only(plan, func(a loadgen.Action) bool { return isAboutAll(a.Kind) }), nil
	case aboutAll(p):
		plan = loadgen.Only(plan, func(a loadgen.Action) bool { return !isAboutAll(a.Kind) })
	}
	return loadgen.ShardPlan(plan, s.part, s.parts)
}
