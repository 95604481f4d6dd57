package loadgen

import (
	"fmt"
	"math/bits"
	"time"

	"i3bench/internal/prng"
)

// An Action says what an operation does. This package does not look at it.
type Action struct {
	// Kind names the operation.
	Kind string
	// Member is the number of who carries it out.
	Member uint64
	// Lasting says that the member stays as the operation leaves it, a member that
	// left outside, for another operation brings it back. Without it the
	// operation includes the way back.
	Lasting bool
}

// A Plan is a schedule that says of each operation what it does. Like its time, that
// is a function of the number alone, and of the seed of the plan.
type Plan interface {
	Schedule
	// Action returns what the operation with this number in the whole schedule does;
	// the zero value if there is none.
	Action(index uint64) Action
}

// A Weight is how often a kind of operation comes up in a [Mix].
type Weight struct {
	Kind   string
	Weight float64 // relative to the sum of all weights
}

// A Mix is a profile whose operations are drawn by weights, for members that are
// drawn with equal probability.
type Mix struct {
	Profile Profile
	Weights []Weight
	Members uint64 // numbered from 0; at least 1
	Seed    uint64 // makes the draws, but not the times: those are the profile's
}

// Open returns the plan. It fails as the profile does, where a weight is not a
// number of at least 0 or all are 0, and without members. To ask for an action
// costs two hashes and a walk over the weights.
func (m Mix) Open() (Plan, error) {
	s, err := m.Profile.Open()
	if err != nil {
		return nil, err
	}
	p := &mix{Schedule: s, members: m.Members, seed: m.Seed, weights: m.Weights}
	for _, w := range m.Weights {
		if !(w.Weight >= 0 && w.Weight <= MaxOps) {
			return nil, fmt.Errorf("loadgen: mix: weight %v of %.40q: want 0 to %d", w.Weight, w.Kind, MaxOps)
		}
		p.sum += w.Weight
	}
	if p.sum == 0 {
		return nil, fmt.Errorf("loadgen: mix: weights %v: want one above 0", m.Weights)
	}
	if m.Members == 0 {
		return nil, fmt.Errorf("loadgen: mix: 0 members: want at least 1")
	}
	return p, nil
}

// mix is the plan of a mix.
type mix struct {
	Schedule
	weights []Weight
	sum     float64
	members uint64
	seed    uint64
}

// The words that tell the draws for one operation apart.
const (
	drawKind = iota
	drawMember
)

// Action implements [Plan].
func (m *mix) Action(index uint64) Action {
	rest := prng.Unit(prng.Hash3(m.seed, index, drawKind, 0)) * m.sum
	a := Action{Member: scale(prng.Hash3(m.seed, index, drawMember, 0), m.members)}
	for _, w := range m.weights {
		if w.Weight > 0 {
			a.Kind = w.Kind // of the last one, if the subtractions end above 0
		}
		if rest -= w.Weight; rest < 0 {
			break
		}
	}
	return a
}

// scale maps 64 uniform bits to [0, n).
func scale(draw, n uint64) uint64 {
	high, _ := bits.Mul64(draw, n)
	return high
}

// ShardPlan returns the part of a plan that one of several agents carries out: the
// operations of the members whose number is agent modulo agents, who are that
// agent's. Together the agents carry out exactly the operations of p, under the same
// numbers, and all of a member's at one place. It fails unless 0 <= agent < agents
// <= 2^20.
//
// Members are drawn, so an agent goes through the operations of all, at the cost of
// asking for each of them, and Len does so once more.
func ShardPlan(p Plan, agent, agents int) (Plan, error) {
	if err := checkShard(agent, agents); err != nil {
		return nil, err
	}
	return Only(p, func(a Action) bool { return a.Member%uint64(agents) == uint64(agent) }), nil
}

// Only returns the operations of a plan that are wanted, under their numbers in p. It
// goes through all operations of p, as [ShardPlan] does.
func Only(p Plan, wanted func(Action) bool) Plan { return &planPart{Plan: p, wanted: wanted} }

// planPart is some operations of a plan. It keeps the place where it was last asked.
type planPart struct {
	Plan
	wanted func(Action) bool

	own   uint64 // operations of its own before the place
	whole uint64 // operations of the whole before it
}

// At implements [Schedule].
func (s *planPart) At(i uint64) (Op, bool) {
	if i < s.own {
		s.own, s.whole = 0, 0
	}
	for {
		op, ok := s.Plan.At(s.whole)
		if !ok {
			return Op{}, false
		}
		mine := s.wanted(s.Plan.Action(op.Index))
		if mine && s.own == i {
			return op, true
		}
		if mine {
			s.own++
		}
		s.whole++
	}
}

// Len implements [Schedule].
func (s *planPart) Len() (n uint64) {
	for i := uint64(0); ; i++ {
		op, ok := s.Plan.At(i)
		if !ok {
			return n
		}
		if s.wanted(s.Plan.Action(op.Index)) {
			n++
		}
	}
}

// Counts returns how many operations of each kind a plan has, and the time of the
// last. It asks for them all.
func Counts(p Plan) (kinds map[string]uint64, last time.Duration) {
	kinds = make(map[string]uint64)
	for i := uint64(0); ; i++ {
		op, ok := p.At(i)
		if !ok {
			return kinds, last
		}
		kinds[p.Action(op.Index).Kind]++
		last = op.At
	}
}
