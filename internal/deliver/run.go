package deliver

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// A Run is a sender at work. It must be stopped.
type Run struct {
	setup     Setup
	memory    []byte
	board     *board
	receivers receivers
	sender    *process
	local     *local
	began     mark
	err       error // why it failed, if it did
}

// Start starts everything that a setup says, and returns when the warm-up is over.
func Start(s Setup) (*Run, error) {
	s, err := s.filled()
	if err != nil {
		return nil, err
	}
	r := &Run{setup: s}
	if err = r.start(); err == nil {
		r.board.begun.Store(1)
		err = r.let(s.Warm)
	}
	if err == nil {
		r.began, err = r.mark()
	}
	if err != nil {
		_ = r.close(err)
		return nil, r.explain(err)
	}
	return r, nil
}

// start opens the receivers, then the sender, which needs their addresses, and then what needs that of the sender.
func (r *Run) start() error {
	file, err := newBoard()
	if err != nil {
		return err
	}
	defer file.Close() // both processes have it mapped by then
	if r.memory, err = mapBoard(file); err != nil {
		return err
	}
	r.board = boardOf(r.memory)
	s := r.setup
	job := Job{Fan: s.Fan, Size: s.Size, Window: s.Window, Arg: s.Arg}
	if !s.Own {
		if r.receivers, err = openReceivers(s, r.board); err != nil {
			return err
		}
		job.To = r.receivers.addresses()
	}
	return r.startRoles(job, file)
}

func (r *Run) startRoles(job Job, board *os.File) (err error) {
	if r.sender, err = startProcess(r.setup.Sender, r.setup.Procs, job, board); err != nil {
		return err
	}
	where := ""
	if where, err = r.readiness(r.sender.ready); err != nil || r.setup.Local == nil {
		return err
	}
	r.local = startLocal(r.setup.Local, &Task{Job: job, Peer: where, board: r.board})
	_, err = r.readiness(r.local.ready)
	return err
}

// readiness waits until a role says that it is ready.
func (r *Run) readiness(ready chan string) (where string, err error) {
	said := false
	err = r.within(r.setup.Startup, func() bool {
		select {
		case where = <-ready:
			said = true
		default:
		}
		return said
	})
	return where, err
}

// slice is how long the sender is left alone at a time.
const slice = 20 * time.Millisecond

// Slice lets the sender work for 20 ms. An error ends the run, which must be stopped all the same.
func (r *Run) Slice() error {
	if r.err == nil {
		r.err = r.let(slice)
	}
	return r.explain(r.err)
}

// let lets packets flow for some time.
func (r *Run) let(d time.Duration) error {
	end := time.Now().Add(d)
	return r.until(func() bool { return !time.Now().Before(end) })
}

// Stop ends the run: it waits until all that was sent has arrived, and closes everything. It returns an error if
// anything went wrong, and then the result tells only how far it went.
func (r *Run) Stop() (Result, error) {
	var result Result
	if r.board == nil {
		return result, errors.New("deliver: run stopped twice")
	}
	r.board.end()
	err := r.err
	if err == nil {
		err = r.until(r.arrived)
	}
	ended, markErr := r.mark()
	if err == nil {
		err = markErr
	}
	result = r.result(ended)
	if err == nil {
		err = r.verify()
	}
	return result, r.explain(r.close(err))
}

// arrived reports whether every receiver has got every packet.
func (r *Run) arrived() bool {
	_, packets := r.board.fewest(r.setup.Fan)
	return packets >= r.board.total()
}

// close closes everything and returns err, or if that is nil what went wrong.
func (r *Run) close(err error) error {
	r.err = err
	if r.board == nil {
		return err
	}
	r.board.end()
	if r.local != nil {
		if err = r.local.end(err); r.local.running() {
			return err // the memory must stay, for it is in use
		}
	}
	if r.sender != nil {
		err = r.sender.end(err)
	}
	r.receivers.close()
	r.board = nil
	if unmap := unmapBoard(r.memory); err == nil {
		err = unmap
	}
	return err
}

// explain says in an error whose it is.
func (r *Run) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("deliver: sender %.40q to %d receivers: %w", r.setup.Sender, r.setup.Fan, err)
}
