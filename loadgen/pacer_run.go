package loadgen

import (
	"math"
	"time"
)

// A run is one schedule on its way through a pacer. Its times count from the
// start of the run.
type run struct {
	pacer *Pacer
	clock Clock
	done  <-chan struct{} // of the context
	start Start
	stats *PacerStats

	// The schedule as the policy Smooth replays it. The operation before was
	// intended for lastAt, and is taken to have been started at lastReplay.
	lastAt     time.Duration
	lastReplay time.Duration

	spun time.Duration // since the run began, less the time slept; at least 0
}

// through starts the operations of a schedule one by one, and reports whether it
// got to the end before the context was done.
func (r *run) through(s Schedule) bool {
	for i := uint64(0); ; i++ {
		op, ok := s.At(i)
		if !ok {
			return true
		}
		due := r.due(op)
		now, ok := r.wait(due)
		if !ok {
			r.abandon(s, i, now)
			return false
		}
		r.lastAt, r.lastReplay = op.At, max(due, now-r.pacer.cfg.Slack)
		r.offer(op, now)
	}
}

// due returns when the policy wants an operation started, at the earliest.
//
// Smooth keeps at least 1/Factor of the intended distance from the operation
// before. What counts is not when that one was started but when the replay of
// the schedule wanted it, unless that is longer ago than the slack. So a wake-up
// that is a little late does not push back all that follow, and a stall earns at
// most a slack's worth of operations at once: in any time w, no more start than
// the schedule has in a time of Factor (w + Slack).
func (r *run) due(op Op) time.Duration {
	if r.pacer.cfg.CatchUp != Smooth {
		return op.At
	}
	distance := math.Ceil(float64(op.At-r.lastAt) / r.pacer.cfg.Factor)
	return max(op.At, r.lastReplay+time.Duration(distance))
}

// offer starts an operation, or counts why not.
func (r *run) offer(op Op, now time.Duration) {
	p, late := r.pacer, now-op.At
	r.stats.Offered++
	switch {
	case p.cfg.CatchUp == None && late > p.cfg.Slack:
		r.stats.Missed++
		p.cfg.Left(op)
	case p.inFlight.Load() >= int64(p.cfg.InFlight):
		r.stats.Dropped++
		p.cfg.Left(op)
	default:
		r.stats.Sent++
		r.stats.Lateness.Record(int64(late))
		p.inFlight.Add(1)
		r.start(op, r.stats.Start.Add(op.At))
	}
}

// abandon counts the operations from the i-th on that are due already: the load
// that a cancelled run owes.
func (r *run) abandon(s Schedule, i uint64, now time.Duration) {
	for op, ok := s.At(i); ok && op.At <= now; op, ok = s.At(i) {
		r.stats.Offered++
		r.stats.Missed++
		r.pacer.cfg.Left(op)
		i++
	}
}

// maxSleep bounds a single sleep, and with it the time until a cancelled run
// notices.
const maxSleep = 10 * time.Millisecond

// wait returns the time at which due has come, or false if the context is done.
func (r *run) wait(due time.Duration) (now time.Duration, ok bool) {
	spin := r.pacer.cfg.Spin
	for now = r.elapsed(); !r.cancelled(); {
		left, before := due-now, now
		switch {
		case left <= 0:
			return now, true
		case left <= spin && r.spun < spin:
			now = r.elapsed()
			r.spun += now - before
		default:
			nap := left - spin
			if nap <= 0 { // too close to sleep until then, and spinning is used up
				nap = spin
			}
			r.clock.Sleep(min(max(nap, r.pacer.cfg.Nap), maxSleep))
			now = r.elapsed()
			r.spun = max(r.spun-(now-before), 0) // for as long as the sleep really took
		}
	}
	return now, false
}

// elapsed returns the time since the start of the run; negative before it.
func (r *run) elapsed() time.Duration { return r.clock.Now().Sub(r.stats.Start) }

// cancelled reports whether the context is done.
func (r *run) cancelled() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
