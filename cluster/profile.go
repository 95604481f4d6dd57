package cluster

import (
	"context"
	"fmt"
	"io"
	"runtime/pprof"
	"sync/atomic"
)

// LabelKey is the pprof label that says what a goroutine of a driver does while there is a profile, see
// [StartProfile].
const LabelKey = "stage"

// Values of [LabelKey].
const (
	LabelReceive   = "receive"   // reads sockets, waits for them and sorts what came
	LabelMachine   = "machine"   // is inside a machine, whose functions say more
	LabelReplicate = "replicate" // plans what a machine wants to be sent
	LabelSend      = "send"      // hands it to the kernel
)

// StartProfile begins a CPU profile of the process, in which all worlds label what their goroutines do, and returns
// the function that ends it, once. That one writes what is left to w, and returns what went wrong in writing. There is
// one profile at a time in a process: a second one is an error.
//
// Meanwhile [Endpoint.Do] takes the pprof labels away that the goroutine which calls it had. Afterwards a goroutine
// keeps the label that it had last, which nobody sees until the next profile, where it gets another first of all.
func StartProfile(w io.Writer) (stop func() error, err error) {
	out := &failing{w: w}
	if err := pprof.StartCPUProfile(out); err != nil {
		return nil, fmt.Errorf("cluster: start profile: %w", err)
	}
	labelling.Store(true)
	return func() error {
		labelling.Store(false)
		pprof.StopCPUProfile()
		return out.err
	}, nil
}

// A failing writer remembers its first error, which the profiler has nobody to tell.
type failing struct {
	w   io.Writer
	err error
}

func (f *failing) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	if f.err == nil {
		f.err = err
	}
	return n, err
}

// A label is a set of pprof labels, made once: to put it on takes some nanoseconds and no memory.
type label struct{ ctx context.Context }

func newLabel(value string) label {
	return label{pprof.WithLabels(context.Background(), pprof.Labels(LabelKey, value))}
}

var (
	receiving   = newLabel(LabelReceive)
	running     = newLabel(LabelMachine)
	replicating = newLabel(LabelReplicate)
	sending     = newLabel(LabelSend)
	nothing     = label{context.Background()}
)

// labelling is whether there is a profile. It is of the process because Go's profiler is.
var labelling atomic.Bool

// enter labels the goroutine if there is a profile. It costs a load where there is none.
func (l label) enter() {
	if labelling.Load() {
		pprof.SetGoroutineLabels(l.ctx)
	}
}
