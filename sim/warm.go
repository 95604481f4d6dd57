package sim

import (
	"reflect"
	"unsafe"

	"i3bench/i3/machine"
)

// A Warmer is a handler that wants to see events a little before it handles them.
//
// A world of many hosts is larger than any cache, and the few events of a window
// strike hosts all over it: each begins with a row of misses that wait for each
// other. Looked at together, many events' misses overlap.
type Warmer interface {
	Handler
	// Warm is called with events that will be handled soon. It must change nothing.
	Warm(c Context, events []Event)
}

// warmBatch is how many events are looked at together: enough misses to keep a
// memory system busy, and not more than stays in a first-level cache.
const warmBatch = 24

const cacheLine = 64

// linesOf returns how many cache lines the value has that an interface holds a
// pointer to, at most 16; 0 if it holds none.
func linesOf(v any) uint8 {
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Pointer {
		return 0
	}
	return uint8(min(t.Elem().Size()/cacheLine, 16))
}

// pointerIn returns the pointer that a machine's interface value holds.
func pointerIn(m *machine.Machine) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(m))[1]
}

// touch reads a byte of each of so many cache lines.
func touch(p unsafe.Pointer, lines int) (sum byte) {
	for i := range lines {
		sum += *(*byte)(unsafe.Add(p, i*cacheLine))
	}
	return sum
}

// nowhere is an endpoint without a machine.
var nowhere Endpoint

// Warm reads what the coming events will need: their endpoints and bytes, then the
// machines that these lead to.
func (w *World) Warm(ctx Context, events []Event) {
	ww := &w.workers[ctx.Worker()]
	var ends [warmBatch]*Endpoint
	sum := byte(0)
	for i := range events {
		ends[i] = w.endpoint(uint32(events[i].Arg & endpointOf))
		sum += ends[i].lines
		if b := ctx.Bytes(&events[i]); len(b) > 0 {
			sum += touch(unsafe.Pointer(unsafe.SliceData(b)), (len(b)+cacheLine-1)/cacheLine)
		}
	}
	for i, e := range ends[:len(events)] {
		if e.where.process != events[i].To {
			ends[i] = &nowhere // see Handle
		} else if e.lines > 0 && e.running() {
			sum += touch(pointerIn(&e.machine), int(e.lines))
		}
	}
	for i, e := range ends[:len(events)] {
		if t, ok := e.machine.(machine.Toucher); ok {
			sum += t.Touch(ctx.Bytes(&events[i]))
		}
	}
	ww.warmed += sum
}
