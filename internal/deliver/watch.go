package deliver

import (
	"errors"
	"fmt"
	"time"
)

// Why a run failed, besides the errors of roles and of the system.
var (
	// ErrStalled says that nothing was sent although there was room, or nobody was ready.
	ErrStalled = errors.New("the sender stalls")
	// ErrLost says that packets were taken by who sends them but have not arrived.
	ErrLost = errors.New("packets were lost")
	// ErrWrong says that receivers got what was not sent, or more of it.
	ErrWrong = errors.New("wrong packets arrived")
)

// step is how long passes between two looks at a run. The time until all has arrived is known to that.
const step = time.Millisecond

// until waits until done, but not longer than patience while nothing arrives.
func (r *Run) until(done func() bool) error { return r.within(r.setup.Patience, done) }

func (r *Run) within(patience time.Duration, done func() bool) error {
	var last uint64
	since := time.Now()
	for !done() {
		if err := r.failed(); err != nil {
			return err
		}
		time.Sleep(step)
		if now := r.received().packets; now != last {
			last, since = now, time.Now()
		} else if time.Since(since) > patience {
			return r.stalled()
		}
	}
	return nil
}

// failed returns why a role is no more.
func (r *Run) failed() error {
	if r.sender != nil {
		if err := r.sender.failed(); err != nil {
			return err
		}
	}
	if r.local != nil {
		if err := r.local.failed(r.board.ending()); err != nil {
			return err
		}
	}
	return r.odd()
}

// stalled says why nothing arrives. A sender that asks for more packets has sent all it took.
func (r *Run) stalled() error {
	if r.board.begun.Load() == 0 {
		return fmt.Errorf("not everybody ready after %v: %w", r.setup.Startup, ErrStalled)
	}
	why, taken := ErrStalled, r.board.total()
	if !r.arrived() && r.board.asking.Load() != 0 {
		why = ErrLost
	}
	who, fewest := r.board.fewest(r.setup.Fan)
	return fmt.Errorf("nothing arrived for %v, %d of %d copies did before, to receiver %d %d of %d: %w",
		r.setup.Patience, r.received().packets, taken*uint64(r.setup.Fan), who, fewest, taken, why)
}

// odd finds receivers that got something else than packets.
func (r *Run) odd() error {
	for i := range r.board.tallies[:r.setup.Fan] {
		if n := r.board.tallies[i].odd.Load(); n > 0 {
			return fmt.Errorf("receiver %d got %d datagrams that hold no packets of %d bytes: %w",
				i, n, r.setup.Size, ErrWrong)
		}
	}
	return nil
}

// verify finds receivers that have not got each packet once, when all are said to have arrived.
func (r *Run) verify() error {
	taken := r.board.total()
	for i := range r.board.tallies[:r.setup.Fan] {
		t := &r.board.tallies[i]
		if got := t.packets.Load(); got != taken {
			return fmt.Errorf("receiver %d got %d packets of %d: %w", i, got, taken, ErrWrong)
		}
		if got := t.sum.Load(); got != sumTo(taken) {
			return fmt.Errorf("receiver %d got as many packets as were sent, %d, but others: %w", i, taken, ErrWrong)
		}
	}
	return r.odd()
}
