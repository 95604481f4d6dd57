package deliver

import (
	"errors"
	"time"
)

// local is a role that is played in the process that measures.
type local struct {
	ready chan string
	over  chan struct{}
	gone  chan struct{}
	err   error // of the role, once gone
}

func startLocal(role Role, t *Task) *local {
	l := &local{ready: make(chan string, 1), over: make(chan struct{}), gone: make(chan struct{})}
	t.over, t.pause = l.over, pauseAmong
	t.ready = func(string) {
		select {
		case l.ready <- "":
		default: // said twice
		}
	}
	go func() {
		defer close(l.gone)
		l.err = role(t)
	}()
	return l
}

func (l *local) running() bool {
	select {
	case <-l.gone:
		return false
	default:
		return true
	}
}

// failed returns why the role ended, or nil if it has not, or if it may because nothing more can be taken.
func (l *local) failed(ending bool) error {
	switch {
	case l.running():
		return nil
	case l.err == nil && !ending:
		return errors.New("the local role ended early")
	}
	return l.err
}

// end tells the role that the run is over, waits for it, and returns err, or if that is nil what went wrong.
func (l *local) end(err error) error {
	close(l.over)
	select {
	case <-l.gone:
	case <-time.After(2 * grace):
		if err == nil {
			err = errors.New("the local role does not end")
		}
		return err
	}
	if err == nil {
		err = l.err
	}
	return err
}
