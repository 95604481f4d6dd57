package coord

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// A State is what an agent is doing.
type State string

// The states of an agent, in their order.
const (
	Idle      State = "idle"      // has no part yet
	Preparing State = "preparing" // has one
	Ready     State = "ready"     // could begin
	Running   State = "running"   // knows when to begin
	Finished  State = "finished"  // has its results, and waits for the end
	Failed    State = "failed"    // will not go on; Error says why
)

// A report is what an agent says of itself, five times a second.
type report struct {
	Agent   string // drawn when it began
	Host    string
	PID     int
	CPUs    int
	Version string // of the program
	State   State
	Error   string            `json:",omitempty"`
	Live    map[string][]byte `json:",omitempty"` // histograms of what was measured since the last with any
}

// An order is what a coordinator asks of one agent. Each is answered.
type order struct {
	Do     string
	From   string        // the coordinator
	Part   int           // prepare: the agent's number,
	Parts  int           // of so many,
	Limit  time.Duration // after this time without its coordinator it ends,
	Work   []byte        // and what the work is
	At     int64         // start: when, in ns of the agent's clock; read: from which byte
	Reason string        // stop
}

// The orders.
const (
	doClock   = "clock"
	doPrepare = "prepare"
	doStart   = "start"
	doStop    = "stop"
	doRead    = "read"
	doEnd     = "end"
)

// An answer is that to an order. Error is empty if it is being carried out.
type answer struct {
	Error string `json:",omitempty"`
	Now   int64  `json:",omitempty"` // clock: ns
	Data  []byte `json:",omitempty"` // read: what is there,
	Last  bool   `json:",omitempty"` // and whether that is the end
}

// A beat is the coordinator's sign of life.
type beat struct {
	From string
	Over bool // the run is: who has no part in it may go
}

// Bounds of messages.
const (
	// MaxWork is the longest description of work, in bytes.
	MaxWork = 512 << 10
	// chunk is how much of the results is read at a time.
	chunk = 256 << 10
	// maxAgents bounds a run.
	maxAgents = 4096
	// maxKinds bounds the histograms in a report.
	maxKinds = 32
)

// BeatPeriod is the time between two signs of life of agents and coordinators.
const BeatPeriod = 200 * time.Millisecond

// DefaultSilence is how long an agent may be silent until it is lost.
const DefaultSilence = time.Second

// deadMan is how many times as long an agent goes on without its coordinator.
const deadMan = 3

// runName is what a run may be called: its subjects begin with it.
var runName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// subjects returns where the agents of a run report, where its coordinator's beats are, and what the
// subjects of orders begin with.
func subjects(run string) (reports, beats, orders string, err error) {
	run = cmp.Or(run, "default")
	if !runName.MatchString(run) {
		return "", "", "", fmt.Errorf("coord: run %.80q: want letters, digits, - and _, at most 64", run)
	}
	root := "i3bench." + run
	return root + ".report", root + ".beat", root + ".order.", nil
}

// decode reads a message.
func decode(data []byte, m any) error {
	if err := json.Unmarshal(data, m); err != nil {
		return fmt.Errorf("coord: message of %d bytes: %w", len(data), err)
	}
	return nil
}

// encode writes a message; all of them can be.
func encode(m any) []byte {
	data, err := json.Marshal(m)
	if err != nil {
		panic("coord: " + err.Error())
	}
	return data
}
