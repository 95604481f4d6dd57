package loadgen

import (
	"fmt"
	"math"
	"time"
)

const (
	// MaxOps is the largest number of operations that a profile may ask for, on
	// average: twelve days at a million a second. It keeps arithmetic on their
	// numbers exact.
	MaxOps = 1 << 40

	// MaxRate is the largest number of operations per second that a profile may
	// ask for: one in each nanosecond, the resolution of time.
	MaxRate = 1e9
)

// An Op is one operation of a schedule.
type Op struct {
	// Index is its number in the whole schedule, from 0, however the schedule
	// is sharded. What the operation does should follow from it.
	Index uint64

	// At is its intended time since the start.
	At time.Duration
}

// A Schedule says when each operation is to start. It is a function of the
// number alone: asked twice, it answers the same. Times do not decrease with the
// number.
//
// A schedule may keep the place where it was last asked, so that asking in order
// is fast; each goroutine opens its own.
type Schedule interface {
	// At returns the i-th operation of the schedule, from 0, or false where
	// there is none.
	At(i uint64) (Op, bool)

	// Len returns the number of operations.
	Len() uint64
}

// A Profile is the description of a load. It is a plain value: it may be
// compared, shared by goroutines, and sent to other agents, who will open the
// same schedule from it.
type Profile interface {
	// Open checks the profile and returns its schedule.
	Open() (Schedule, error)
}

// Constant offers operations at equal distances, the first at 0.
type Constant struct {
	Rate float64       // operations per second
	For  time.Duration // operations are due before this time
}

// Open returns the schedule. It fails where the rate or the duration is not
// positive, the rate exceeds [MaxRate], or their product [MaxOps].
func (c Constant) Open() (Schedule, error) {
	if err := check("constant", c.For, c.Rate); err != nil {
		return nil, err
	}
	at := func(i uint64) float64 { return float64(i) / c.Rate }
	return newFormula(at, c.Rate*c.For.Seconds(), c.For), nil
}

// Ramp offers operations at a rate that changes linearly with time.
type Ramp struct {
	From float64       // operations per second at the start
	To   float64       // operations per second at the end
	For  time.Duration // operations are due before this time
}

// Open returns the schedule. It fails where a rate is negative or both are 0,
// where the duration is not positive, and beyond [MaxRate] and [MaxOps].
func (r Ramp) Open() (Schedule, error) {
	if err := check("ramp", r.For, r.From, r.To); err != nil {
		return nil, err
	}
	p := piece{r.For.Seconds(), r.From, r.To}
	at := func(i uint64) float64 { return p.at(float64(i)) }
	return newFormula(at, p.area(), r.For), nil
}

// check returns an error unless the profile asks for a sensible number of
// operations. Of several rates, their mean counts and not all may be 0.
func check(kind string, length time.Duration, rates ...float64) error {
	sum := 0.0
	for _, rate := range rates {
		if !(rate >= 0 && rate <= MaxRate) {
			return fmt.Errorf("loadgen: %s profile: rate %v per second: want 0 to %v", kind, rate, MaxRate)
		}
		sum += rate
	}
	if sum == 0 {
		return fmt.Errorf("loadgen: %s profile: rate 0 per second: want more than 0", kind)
	}
	if length <= 0 {
		return fmt.Errorf("loadgen: %s profile: duration %v: want more than 0", kind, length)
	}
	if ops := sum / float64(len(rates)) * length.Seconds(); ops > MaxOps {
		return fmt.Errorf("loadgen: %s profile: %.3g operations in %v: want at most %d", kind, ops, length, MaxOps)
	}
	return nil
}

// A formula is a schedule whose times can be computed one by one.
type formula struct {
	at func(i uint64) float64 // seconds
	n  uint64
}

// newFormula returns the schedule of the operations that at puts before end. They
// are as many as the area under the rate, rounded up; rounded down first, so that
// errors of arithmetic cannot make it one too many.
func newFormula(at func(i uint64) float64, area float64, end time.Duration) *formula {
	f := &formula{at: at, n: uint64(area)}
	for f.time(f.n) < end {
		f.n++
	}
	return f
}

// time returns the intended time of operation i, rounded to nanoseconds.
func (f *formula) time(i uint64) time.Duration {
	return time.Duration(min(math.Round(f.at(i)*float64(time.Second)), 1<<62))
}

// At implements [Schedule].
func (f *formula) At(i uint64) (Op, bool) {
	if i >= f.n {
		return Op{}, false
	}
	return Op{Index: i, At: f.time(i)}, true
}

// Len implements [Schedule].
func (f *formula) Len() uint64 { return f.n }

// maxAgents is the most agents that a schedule is divided among. With [MaxOps] it
// keeps the products of [shard] from overflowing.
const maxAgents = 1 << 20

// Shard returns the part of a schedule that one of several agents offers: the
// operations whose number is agent modulo agents. Together the agents offer
// exactly the operations of s, at the same times, under the same numbers. It
// fails unless 0 <= agent < agents <= 2^20.
func Shard(s Schedule, agent, agents int) (Schedule, error) {
	if err := checkShard(agent, agents); err != nil {
		return nil, err
	}
	return &shard{whole: s, agent: uint64(agent), agents: uint64(agents)}, nil
}

func checkShard(agent, agents int) error {
	if agent < 0 || agent >= agents || agents > maxAgents {
		return fmt.Errorf("loadgen: shard %d of %d: want 0 to one less than the agents, of whom at most %d",
			agent, agents, maxAgents)
	}
	return nil
}

// A shard is every agents-th operation of a schedule.
type shard struct {
	whole         Schedule
	agent, agents uint64
}

// At implements [Schedule].
func (s *shard) At(i uint64) (Op, bool) {
	if i > 2*MaxOps {
		return Op{}, false // beyond any schedule; the product below might come round
	}
	return s.whole.At(i*s.agents + s.agent)
}

// Len implements [Schedule].
func (s *shard) Len() uint64 {
	n := s.whole.Len()
	if n <= s.agent {
		return 0
	}
	return (n - s.agent + s.agents - 1) / s.agents
}
