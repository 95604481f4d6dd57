package sim

import (
	"cmp"

	"i3bench/i3/machine"
)

// A Process is a part of a world whose events run one after the other: a stub
// domain of a topology, with its nodes and hosts. Processes are numbered from 0.
type Process uint32

// A Ref names bytes that travel with an event, see [Context.Store]. Zero is none.
type Ref uint32

// An Event is something that happens at a process at a time. It holds no
// pointer, so that the garbage collector never looks at those that wait.
type Event struct {
	At   machine.Time
	Arg  uint64 // the handler's
	To   Process
	From Process // who posted it
	seq  uint32  // counts the events that From posted
	ref  Ref
}

// compare orders the events of one process: by time, then by who posted them,
// then as they were posted. Nothing else decides, least of all the thread that a
// process happened to run on.
func (e *Event) compare(f *Event) int {
	switch {
	case e.At != f.At:
		return cmp.Compare(e.At, f.At)
	case e.From != f.From:
		return cmp.Compare(e.From, f.From)
	}
	return int(int32(e.seq - f.seq)) // the counter wraps around
}

func (e *Event) before(f *Event) bool { return e.compare(f) < 0 }

// A heap is a binary heap of events of one process.
type heap struct {
	events []Event
}

func (h *heap) len() int    { return len(h.events) }
func (h *heap) min() *Event { return &h.events[0] }

func (h *heap) push(e Event) {
	h.events = append(h.events, e)
	i := len(h.events) - 1
	for i > 0 {
		p := (i - 1) / 2
		if !e.before(&h.events[p]) {
			break
		}
		h.events[i] = h.events[p]
		i = p
	}
	h.events[i] = e
}

func (h *heap) pop() Event {
	top := h.events[0]
	last := len(h.events) - 1
	e := h.events[last]
	h.events = h.events[:last]
	i := 0
	for {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && h.events[c+1].before(&h.events[c]) {
			c++
		}
		if !h.events[c].before(&e) {
			break
		}
		h.events[i] = h.events[c]
		i = c
	}
	if last > 0 {
		h.events[i] = e
	}
	return top
}
