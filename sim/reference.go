package sim

import (
	"slices"

	"i3bench/i3/machine"
)

// A Reference is the slow engine that is always right: one heap of all events,
// one goroutine. It defines what [Engine] does.
type Reference struct {
	handler  Handler
	now      machine.Time
	heap     heap
	sequence []uint32
	at       Process
	stored   map[Ref]*storedBytes
	refs     Ref
	handled  uint64
	running  bool
}

// storedBytes are bytes and the number of events that wait with them.
type storedBytes struct {
	bytes []byte
	uses  int
}

// NewReference returns a reference engine at time 0.
func NewReference(processes int, h Handler) *Reference {
	return &Reference{handler: h, sequence: make([]uint32, processes), stored: make(map[Ref]*storedBytes)}
}

// Now returns the time until which the engine has run.
func (r *Reference) Now() machine.Time { return r.now }

// Handled returns how many events have been carried out.
func (r *Reference) Handled() uint64 { return r.handled }

// Workers returns 1.
func (r *Reference) Workers() int { return 1 }

// Worker returns 0.
func (r *Reference) Worker() int { return 0 }

// At returns a context with which to post events on behalf of a process, see
// [Engine.At].
func (r *Reference) At(p Process) Context {
	if r.running && len(r.sequence) > 1 {
		panic(calledWithin)
	}
	r.at = p
	return r
}

// Post makes an event happen.
func (r *Reference) Post(to Process, at machine.Time, arg uint64, ref Ref) {
	r.sequence[r.at]++
	if ref != 0 {
		r.stored[ref].uses++
	}
	r.heap.push(Event{At: at, Arg: arg, To: to, From: r.at, seq: r.sequence[r.at], ref: ref})
}

// Store keeps bytes for events.
func (r *Reference) Store(_ machine.Time, a, b []byte) Ref {
	r.refs++
	r.stored[r.refs] = &storedBytes{bytes: slices.Concat(a, b)}
	return r.refs
}

// SameWindow returns true: the bytes are kept as long as an event needs them.
func (r *Reference) SameWindow(_, _ machine.Time) bool { return true }

// Bytes returns what goes with an event.
func (r *Reference) Bytes(ev *Event) []byte {
	if ev.ref == 0 {
		return nil
	}
	return r.stored[ev.ref].bytes
}

// Run carries out every event up to and including the given time.
func (r *Reference) Run(until machine.Time) { r.RunWhile(nil, until) }

// RunWhile runs as long as cond holds, to the given time at most, and reports
// whether cond ended it. It looks at cond after each event.
func (r *Reference) RunWhile(cond func() bool, until machine.Time) (ended bool) {
	for cond == nil || cond() {
		if r.heap.len() == 0 || r.heap.min().At > until {
			r.now = max(r.now, until)
			return false
		}
		e := r.heap.pop()
		r.now = max(r.now, e.At)
		r.at = e.To
		r.running = true
		r.handler.Handle(r, &e)
		r.running = false
		r.handled++
		r.release(e.ref)
	}
	return true
}

// release frees bytes with the last event that came with them.
func (r *Reference) release(ref Ref) {
	if ref == 0 {
		return
	}
	if s := r.stored[ref]; s.uses == 1 {
		delete(r.stored, ref)
	} else {
		s.uses--
	}
}
