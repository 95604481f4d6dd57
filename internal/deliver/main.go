package deliver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// variable is the environment's variable that tells a process the role it was started for.
const variable = "I3BENCH_DELIVER"

// The files that a sender's process inherits.
const (
	boardFile  = 3
	reportFile = 4
)

// What a sender's process reports: lines of a word and a text.
const (
	wordReady = "ready"
	wordError = "error"
)

// grace is how long a role may take to end after the run is over.
const grace = 2 * time.Second

// Main is for TestMain, and comes first in the main of a program that measures. In a process that was started as a
// sender it plays the role of that name and exits. In any other it returns at once.
func Main(roles map[string]Role) {
	name, started := os.LookupEnv(variable)
	if !started {
		return
	}
	if err := serve(name, roles); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// serve plays a role and reports how that went.
func serve(name string, roles map[string]Role) error {
	reports := os.NewFile(reportFile, "reports")
	err := play(roles[name], func(where string) { report(reports, wordReady, where) })
	if err != nil {
		report(reports, wordError, err.Error())
	}
	return err
}

func report(to io.Writer, word, text string) {
	// A line is JSON so that an error of several lines is one. If the other process is gone nobody wants to know.
	_ = json.NewEncoder(to).Encode([2]string{word, text})
}

// play plays a role until the run is over, which is when the other process closes the pipe to this one's input, or is
// no more.
func play(role Role, ready func(string)) error {
	if role == nil {
		return errors.New("no such role, want one that was given to Main")
	}
	memory, err := mapBoard(os.NewFile(boardFile, "board"))
	if err != nil {
		return err
	}
	input, over := json.NewDecoder(os.Stdin), make(chan struct{})
	t := &Task{board: boardOf(memory), ready: ready, over: over, pause: pauseAlone}
	if err := input.Decode(&t.Job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(over)
		time.Sleep(grace)
		os.Exit(2) // the role did not end; nobody is there to be told
	}()
	if err := role(t); err != nil {
		return err
	}
	t.Wait() // with the process its processor time would be gone
	return nil
}
