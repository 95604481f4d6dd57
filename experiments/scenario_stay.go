package experiments

import (
	"sync"
	"sync/atomic"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/reports"
	"i3bench/testbed"
)

// A stayer is a standing receiver. It carries out one operation at a time; losses wait
// for packets beside them.
type stayer struct {
	*testbed.Receiver
	run    *scenarioRun
	number int
	in     atomic.Bool   // the group counts on it
	since  atomic.Uint64 // for the packets after this one

	// These belong to scenarioRun.mu.
	queue  []*operation
	busy   *operation
	coming bool // busy with joining

	mu  sync.Mutex   // a leaf but for the tally's
	due []*operation // losses to come, one for each of the next packets

	// These belong to the endpoint.
	lost   map[uint64]*operation // by sequence number of the packet that was dropped
	wanted map[i3.Trigger]bool
	acked  func() // when all that is wanted is acknowledged
}

// newStayer deploys a standing receiver, which is not in the group yet.
func (r *scenarioRun) newStayer(number int) (*stayer, error) {
	s := &stayer{run: r, number: number, lost: make(map[uint64]*operation)}
	r.bedMu.Lock()
	rec, err := r.bed.AddReceiver(number%r.Cluster.Nodes, multicast.Events{
		Attached: func(machine.Time, int) { s.attached() },
		Joined:   func(_ machine.Time, seq uint64) { s.joined(seq) },
		Deliver:  func(_ machine.Time, seq uint64, _ int64, payload []byte) { s.delivered(seq, payload) },
		Left:     func(machine.Time) { s.left() },
		Failed:   func(machine.Time) { r.work.later(s.Join) },
	})
	r.bedMu.Unlock()
	if err != nil {
		return nil, err
	}
	s.Receiver = rec
	rec.Endpoint.SetFilter(s.keep)
	return s, nil
}

// settled reports whether the receiver is in the tree and others find it.
func (s *stayer) settled() (ok bool) {
	s.Endpoint.Do(func(machine.Time, *machine.Outbox) { ok = s.in.Load() && s.Machine.Settled() })
	return ok
}

// stayDoes has a standing receiver carry out an operation.
func (r *scenarioRun) stayDoes(member uint64, d *operation) {
	r.mu.Lock()
	s := r.stays[r.share.index(member)%uint64(len(r.stays))]
	refused := len(s.queue) >= maxQueue
	if d.kind != reports.KindRepair && !refused {
		s.queue = append(s.queue, d)
	}
	r.mu.Unlock()
	if d.kind == reports.KindRepair {
		refused = !s.owe(d)
	}
	if refused {
		r.fail(d)
		return
	}
	r.next(s, nil)
}

// owe notes a loss to come, and reports whether there is room for it. The generator does
// not wait for the receiver: while that stands still, it would be late, and it is not.
func (s *stayer) owe(d *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.due) >= maxQueue {
		return false
	}
	s.due = append(s.due, d)
	return true
}

// lose reports whether a loss is due, without those whose time was over before a packet
// came.
func (s *stayer) lose() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.due) > 0 && !s.run.tally.alive(s.due[0]) {
		s.due = s.due[1:]
	}
	return len(s.due) > 0
}

// take returns the loss that is due, which there is.
func (s *stayer) take() *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.due[0]
	s.due = s.due[1:]
	return d
}

// maxQueue bounds the operations that wait for one standing receiver, and the losses;
// more are errors.
const maxQueue = 1024

// next lets a standing receiver begin its next operation, if it is done with the one
// that it was busy with: done, or none.
func (r *scenarioRun) next(s *stayer, done *operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.busy != done {
		return
	}
	s.busy, s.coming = nil, false
	if len(s.queue) > 0 {
		d := s.queue[0]
		s.busy, s.queue = d, s.queue[1:]
		r.work.later(func() { r.carryOut(s, d) })
	}
}

// finish ends the operation that a standing receiver is busy with.
func (r *scenarioRun) finish(s *stayer, d *operation, status string) {
	r.tally.end(d, status)
	r.next(s, d)
}

// carryOut begins an operation of a standing receiver.
func (r *scenarioRun) carryOut(s *stayer, d *operation) {
	if !r.tally.begun(d) {
		r.next(s, d)
		return
	}
	switch d.kind {
	case reports.KindCrash:
		r.crash(s, d)
	case reports.KindRefresh:
		s.refresh(d)
	case reports.KindFlip:
		s.flip(d)
	case reports.KindMove:
		if r.Move != nil {
			s.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { r.Move(s.Machine, now, out) })
			return
		}
		s.leaves()
	default:
		s.leaves()
	}
}

// leaves takes the receiver out of the group, for some time.
func (s *stayer) leaves() {
	s.run.gone(s)
	idle := false
	s.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
		s.drop()
		idle = s.Machine.Idle()
		s.Machine.Leave(now, out)
	})
	if idle {
		s.left()
	}
}

// left is told that the receiver is out of the group. It comes back.
func (s *stayer) left() {
	r := s.run
	r.mu.Lock()
	d := s.busy
	s.coming = d != nil
	r.mu.Unlock()
	if d != nil && d.kind == reports.KindLeave {
		r.tally.end(d, reports.StatusOK)
	}
	r.work.later(s.Join)
}

// joined is told that packets come down the tree. It may be told so again when the
// stream begins anew.
func (s *stayer) joined(seq uint64) {
	s.since.Store(seq)
	s.in.Store(true)
	r := s.run
	r.mu.Lock()
	d := s.busy
	if !s.coming {
		d = nil
	}
	r.mu.Unlock()
	if d != nil {
		r.finish(s, d, reports.StatusOK) // one that has ended stays so
	}
}

// attached is told that the receiver has a place in the tree.
func (s *stayer) attached() {
	r := s.run
	r.mu.Lock()
	d := s.busy
	r.mu.Unlock()
	if r.Move != nil && d != nil && d.kind == reports.KindMove {
		r.finish(s, d, reports.StatusOK)
	}
}

// drop gives up what a receiver that goes cannot finish. Losses to come stay. The
// endpoint calls it.
func (s *stayer) drop() {
	for _, d := range s.lost {
		s.run.fail(d)
	}
	clear(s.lost)
	s.wanted, s.acked = nil, nil
}

// crash stops a receiver at once. A new one takes its place, and its operations.
func (r *scenarioRun) crash(s *stayer, d *operation) {
	r.gone(s)
	var due []*operation
	s.Endpoint.Do(func(machine.Time, *machine.Outbox) {
		s.drop()
		s.mu.Lock()
		due, s.due = s.due, nil
		s.mu.Unlock()
	})
	s.Endpoint.Close()
	fresh, err := r.newStayer(s.number)
	if err != nil {
		r.finish(s, d, reports.StatusError)
		return
	}
	fresh.mu.Lock()
	fresh.due = due
	fresh.mu.Unlock()
	r.mu.Lock()
	fresh.busy, fresh.coming, fresh.queue = d, true, s.queue
	s.queue, s.busy = nil, nil
	r.stays[r.share.index(uint64(s.number))] = fresh
	r.mu.Unlock()
	fresh.Join()
}

// keep drops a data packet if a loss is due or the receiver is too slow for it, and
// looks for acknowledgements. It runs on the endpoint.
func (s *stayer) keep(d machine.Datagram) bool {
	if s.acked != nil {
		s.seeAcks(d.Bytes)
	}
	due, slow := s.lose(), s.number < s.run.Cluster.Slow
	if !due && !slow {
		return true
	}
	seq, ok := dataIn(d)
	if !ok || s.lost[seq] != nil {
		return true
	}
	if due {
		s.lost[seq] = s.take()
		return false
	}
	share := prng.Unit(prng.Hash3(s.run.Seed, streamSlow, uint64(s.number), seq))
	return share >= s.run.Cluster.SlowLoss
}

// streamSlow tells the draws of losses at slow receivers from others.
const streamSlow = 300

// delivered is told of each packet. It runs on the endpoint.
func (s *stayer) delivered(seq uint64, payload []byte) {
	if d := s.lost[seq]; d != nil {
		delete(s.lost, seq)
		s.run.tally.end(d, reports.StatusOK)
	}
	if s.run.watching.Load() > 0 {
		s.run.got(s, seq)
	}
	if s.run.follows != nil {
		s.run.follows.got(s, seq, payload)
	}
}
