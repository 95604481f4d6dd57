package experiments

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"i3bench/internal/prng"
	"i3bench/loadgen"
	"i3bench/reports"
)

// A mark is what the source writes into the packet of an operation that is about all receivers, for agents to
// know it: which stream and which of its operations. It takes the place of the 16 bytes after the first
// eight.
type mark struct {
	stream int
	index  uint64
}

// streamMarks tells the word that begins a mark from other draws of a seed.
const streamMarks = 302

// put writes the mark into a payload of at least 24 bytes, the least that a scenario may have.
func (k mark) put(payload []byte, seed uint64) {
	binary.BigEndian.PutUint64(payload[8:], prng.Hash3(seed, streamMarks, 0, 0))
	binary.BigEndian.PutUint64(payload[16:], uint64(k.stream)<<48|k.index&(1<<48-1))
}

// markIn returns the mark of a payload, if it has one.
func markIn(payload []byte, seed uint64) (k mark, ok bool) {
	if len(payload) < 24 || binary.BigEndian.Uint64(payload[8:]) != prng.Hash3(seed, streamMarks, 0, 0) {
		return k, false
	}
	word := binary.BigEndian.Uint64(payload[16:])
	return mark{int(word >> 48), word & (1<<48 - 1)}, true
}

// A follow is an agent's part of such an operation: the packet on its way to the agent's standing receivers.
type follow struct {
	kind     string
	intended time.Time
	begun    bool // its time has come here; a packet may come before
	over     bool
	seq      uint64 // of the packet, 0 until somebody has it
	waiting  map[*stayer]bool
	had      map[*stayer]bool // who had it before it was begun
	last     time.Time        // when the last had it
}

// follows are those of an agent. It is safe for concurrent use; nil follows nothing.
type follows struct {
	run *scenarioRun

	mu    sync.Mutex // under it scenarioRun.mu is not taken
	all   map[mark]*follow
	begun int // and not over
}

func newFollows(r *scenarioRun) *follows { return &follows{run: r, all: make(map[mark]*follow)} }

// maxFollows bounds the packets that are followed, and remembered for a while after.
const maxFollows = 1 << 16

// stagePart is the stage of samples that are an agent's part of one: a merger makes one of them.
const stagePart = "part"

// find returns what is known of a packet, from now on, or nil if there are too many. The caller holds the lock.
func (f *follows) find(k mark) *follow {
	w := f.all[k]
	if w == nil && len(f.all) < maxFollows {
		w = &follow{had: make(map[*stayer]bool), intended: time.Now()}
		f.all[k] = w
	}
	return w
}

// begin is told that the time of an operation has come. All standing receivers that are in the group and have
// not had the packet are waited for.
func (f *follows) begin(k mark, kind string, intended time.Time) {
	r := f.run
	r.mu.Lock()
	var in []*stayer
	for _, s := range r.stays {
		if s.in.Load() {
			in = append(in, s)
		}
	}
	r.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.find(k)
	if w == nil {
		f.sample(k, kind, intended, reports.StatusError, intended)
		return
	}
	w.kind, w.intended, w.begun, w.waiting = kind, intended, true, make(map[*stayer]bool)
	f.begun++
	for _, s := range in {
		if !w.had[s] {
			w.waiting[s] = true
		}
	}
	if len(w.waiting) == 0 && len(w.had) == 0 {
		f.end(k, w, statusNobody, intended)
		return
	}
	f.strike(k, w)
}

// statusNobody is that of a part that no receiver has.
const statusNobody = "nobody"

// got is told that a receiver has a packet.
func (f *follows) got(s *stayer, seq uint64, payload []byte) {
	k, ok := markIn(payload, f.run.Seed)
	if !ok {
		return
	}
	now := f.run.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.find(k)
	if w == nil || w.over {
		return
	}
	w.seq = seq
	if now.After(w.last) {
		w.last = now
	}
	if !w.begun {
		w.had[s] = true
		return
	}
	delete(w.waiting, s)
	f.strike(k, w)
}

// gone is told that a receiver leaves the group.
func (f *follows) gone(s *stayer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, w := range f.all {
		if w.begun && !w.over && w.waiting[s] {
			delete(w.waiting, s)
			f.strike(k, w)
		}
	}
}

// strike ends what nobody waits for any more. Who came to the group after the packet is not owed it. The
// caller holds the lock.
func (f *follows) strike(k mark, w *follow) {
	for s := range w.waiting {
		if w.seq != 0 && s.since.Load() >= w.seq {
			delete(w.waiting, s)
		}
	}
	if len(w.waiting) > 0 {
		return
	}
	if w.last.IsZero() { // all have left
		w.last = f.run.now()
	}
	f.end(k, w, reports.StatusOK, w.last)
}

// end ends a part. The caller holds the lock.
func (f *follows) end(k mark, w *follow, status string, at time.Time) {
	w.over, w.waiting, w.had = true, nil, nil
	f.begun--
	f.sample(k, w.kind, w.intended, status, at)
}

// sample hands on the agent's part of an operation.
func (f *follows) sample(k mark, kind string, intended time.Time, status string, at time.Time) {
	f.run.sink.Sample(reports.Sample{
		Stage: stagePart, Kind: kind, Status: status, Host: k.stream, N: int64(k.index), Value: float64(at.Sub(intended)),
	})
}

// expire ends what has taken too long, and forgets what nothing more can come of.
func (f *follows) expire(now time.Time) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, w := range f.all {
		age := now.Sub(w.intended)
		if w.begun && !w.over && age >= f.run.Cluster.Timeout {
			f.end(k, w, reports.StatusTimeout, now)
		}
		if (w.over || !w.begun) && age >= 2*f.run.Cluster.Timeout {
			delete(f.all, k)
		}
	}
}

// underWay returns how many parts are.
func (f *follows) underWay() int {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.begun
}

// follow follows the operations of a stream that are about all receivers, each from its time on.
func (r *scenarioRun) follow(ctx context.Context, stream int, begin time.Time) error {
	plan, err := share{ground: true}.open(r.streams[stream])
	if err != nil {
		return err
	}
	_, err = paceFrom(ctx, loadgen.PacerConfig{}, begin, plan, func(op loadgen.Op, intended time.Time, done func()) {
		r.follows.begin(mark{stream, op.Index}, plan.Action(op.Index).Kind, intended)
		done()
	})
	return err
}
