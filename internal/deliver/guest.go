package deliver

import (
	"errors"
	"fmt"
	"time"
)

// A Guest is a role at work in a process of its own for a measurement that this package does not make: there are no
// receivers and no account, and so nothing keeps it from running ahead. It must be stopped.
type Guest struct {
	process *process
	where   string
}

// Launch starts a role on so many processors of Go's, and returns when it is ready.
func Launch(role string, procs int, j Job) (*Guest, error) {
	board, err := newBoard()
	if err != nil {
		return nil, fmt.Errorf("deliver: launch %.40q: %w", role, err)
	}
	defer board.Close()
	g := &Guest{}
	if g.process, err = startProcess(role, procs, j, board); err != nil {
		return nil, fmt.Errorf("deliver: launch %.40q: %w", role, err)
	}
	const startup = 10 * time.Second
	select {
	case g.where = <-g.process.ready:
		return g, nil
	case <-g.process.gone:
		err = g.process.failed()
	case <-time.After(startup):
		err = errors.New("not ready in time")
	}
	return nil, fmt.Errorf("deliver: launch %.40q: %w", role, g.process.end(err))
}

// Where returns what the role said when it was ready.
func (g *Guest) Where() string { return g.where }

// Processor returns how much processor time the role's process has used, in user and system.
func (g *Guest) Processor() (time.Duration, error) { return g.process.time() }

// Stop tells the role that the run is over, waits for its process to end, and returns what went wrong in it.
func (g *Guest) Stop() error {
	if err := g.process.end(nil); err != nil {
		return fmt.Errorf("deliver: guest: %w", err)
	}
	return nil
}
