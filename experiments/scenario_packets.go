package experiments

import "i3bench/reports"

// A sentPacket is a packet that is followed to every standing receiver.
type sentPacket struct {
	op      *operation
	waiting map[*stayer]bool
}

// sendTo sends one more packet. The operation is over when every standing receiver has
// it that was in the group when it was sent, and has not left since.
func (r *scenarioRun) sendTo(d *operation) {
	r.sendMu.Lock()
	defer r.sendMu.Unlock()
	seq := r.stream.last + 1
	p := &sentPacket{op: d, waiting: make(map[*stayer]bool)}
	r.mu.Lock()
	for _, s := range r.stays {
		if s.in.Load() {
			p.waiting[s] = true
		}
	}
	nobody := len(p.waiting) == 0
	if !nobody {
		r.sent[seq] = p
		r.watching.Add(1)
	}
	r.mu.Unlock()
	r.tally.onTimeout(d, func() { r.unfollow(seq) })
	r.stream.emit()
	if nobody {
		r.fail(d)
	}
}

// unfollow gives up a packet.
func (r *scenarioRun) unfollow(seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent[seq] != nil {
		delete(r.sent, seq)
		r.watching.Add(-1)
	}
}

// got is told that a standing receiver has a packet.
func (r *scenarioRun) got(s *stayer, seq uint64) {
	r.mu.Lock()
	p := r.sent[seq]
	over := p != nil && r.strike(s, seq, p)
	r.mu.Unlock()
	if over {
		r.tally.end(p.op, reports.StatusOK)
	}
}

// strike notes that a packet need not wait for a receiver any more, and reports
// whether it waits for nobody. The caller holds the lock.
func (r *scenarioRun) strike(s *stayer, seq uint64, p *sentPacket) bool {
	delete(p.waiting, s)
	if len(p.waiting) > 0 {
		return false
	}
	delete(r.sent, seq)
	r.watching.Add(-1)
	return true
}

// gone is told that a standing receiver leaves the group.
func (r *scenarioRun) gone(s *stayer) {
	s.in.Store(false)
	var over []*operation
	r.mu.Lock()
	for seq, p := range r.sent {
		if p.waiting[s] && r.strike(s, seq, p) {
			over = append(over, p.op)
		}
	}
	r.mu.Unlock()
	for _, d := range over {
		r.tally.end(d, reports.StatusOK)
	}
	if r.follows != nil {
		r.follows.gone(s)
	}
}
