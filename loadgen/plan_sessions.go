package loadgen

import (
	"container/heap"
	"fmt"
	"time"
)

// maxSessions bounds the sessions that may be under way at a time, of which a plan
// keeps 16 bytes each.
const maxSessions = 1 << 22

// Sessions are members who come, stay for a time of their own and go: session i is
// that of member i, who joins at the i-th time of Arrivals and leaves when its length
// is over. Both operations last.
type Sessions struct {
	Arrivals Profile
	Length   Lengths
	Join     string        // the kind of the first operation of a session
	Leave    string        // that of the last
	For      time.Duration // sessions that last longer than this do not end
	Seed     uint64        // makes the lengths
}

// Open returns the plan. It fails as the profile of arrivals does, and where a
// parameter of the lengths makes no sense.
//
// Operations are numbered in the order of their times. The plan keeps the place where
// it was last asked, with the ends of the sessions under way in a heap, so that
// going through it in order costs O(log of these) per operation. A step back starts
// from the beginning. Where 2^22 sessions are under way, those that come do not end.
func (s Sessions) Open() (Plan, error) {
	arrivals, err := s.Arrivals.Open()
	if err != nil {
		return nil, err
	}
	if err := s.Length.validate(); err != nil {
		return nil, err
	}
	if s.For <= 0 {
		return nil, fmt.Errorf("loadgen: sessions: duration %v: want more than 0", s.For)
	}
	p := &sessions{profile: s, arrivals: arrivals}
	p.rewind()
	return p, nil
}

// sessions is the plan of sessions.
type sessions struct {
	profile  Sessions
	arrivals Schedule

	place   uint64        // number of the operation it stands at
	at      time.Duration // its time
	action  Action        // and what it does, without a kind if there is none
	arrived uint64        // sessions that have begun
	ends    endings
}

// rewind goes back to the first operation.
func (s *sessions) rewind() {
	s.place, s.arrived, s.ends = 0, 0, s.ends[:0]
	s.next()
}

// next takes the next operation: an arrival or an end, the end first if they are at
// the same time.
func (s *sessions) next() {
	op, comes := s.arrivals.At(s.arrived)
	if len(s.ends) > 0 && (!comes || s.ends[0].at <= op.At) {
		e := heap.Pop(&s.ends).(ending)
		s.at, s.action = e.at, Action{Kind: s.profile.Leave, Member: e.member, Lasting: true}
		return
	}
	if !comes {
		s.action = Action{}
		return
	}
	s.arrived++
	s.at, s.action = op.At, Action{Kind: s.profile.Join, Member: op.Index, Lasting: true}
	if end := op.At + s.profile.Length.Of(s.profile.Seed, op.Index); end < s.profile.For && len(s.ends) < maxSessions {
		heap.Push(&s.ends, ending{end, op.Index})
	}
}

// seek goes to an operation and reports whether it exists.
func (s *sessions) seek(i uint64) bool {
	if i < s.place {
		s.rewind()
	}
	for s.place < i && s.action.Kind != "" {
		s.place++
		s.next()
	}
	return s.action.Kind != ""
}

// At implements [Schedule].
func (s *sessions) At(i uint64) (Op, bool) {
	if !s.seek(i) {
		return Op{}, false
	}
	return Op{Index: i, At: s.at}, true
}

// Action implements [Plan].
func (s *sessions) Action(index uint64) Action {
	if !s.seek(index) {
		return Action{}
	}
	return s.action
}

// Len implements [Schedule].
func (s *sessions) Len() uint64 {
	all := &sessions{profile: s.profile, arrivals: s.arrivals}
	all.rewind()
	for all.seek(all.place + 1) {
	}
	return all.place
}

// An ending is the end of a session under way.
type ending struct {
	at     time.Duration
	member uint64
}

// endings are a heap with the earliest first.
type endings []ending

func (e endings) Len() int { return len(e) }
func (e endings) Less(i, k int) bool {
	return e[i].at < e[k].at || e[i].at == e[k].at && e[i].member < e[k].member
}
func (e endings) Swap(i, k int) { e[i], e[k] = e[k], e[i] }
func (e *endings) Push(x any)   { *e = append(*e, x.(ending)) }
func (e *endings) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
