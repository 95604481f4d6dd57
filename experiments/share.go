package experiments

import (
	"i3bench/loadgen"
	"i3bench/loadgen/scenario"
)

// A share is which receivers of a scenario a process has, where several carry it out together: those whose
// number is part modulo parts, standing ones and visitors. All operations of these are its own.
type share struct{ part, parts int }

// whole is the share of a process that has all.
var whole = share{0, 1}

// of returns how many of n are its own.
func (s share) of(n int) int { return max(0, (n-s.part+s.parts-1)/s.parts) }

// nth returns the number of the i-th of its own.
func (s share) nth(i int) int { return s.part + i*s.parts }

// index returns which of its own has a number.
func (s share) index(number uint64) uint64 { return number / uint64(s.parts) }

// open opens its part of a stream's plan.
func (s share) open(p *scenario.Planned) (loadgen.Plan, error) {
	plan, err := p.Open()
	if err != nil || s == whole {
		return plan, err
	}
	return loadgen.ShardPlan(plan, s.part, s.parts)
}
