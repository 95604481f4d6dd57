package sim

import (
	"net/netip"
	"reflect"
	"unsafe"

	"i3bench/asm"
	"i3bench/i3/machine"
)

// A Together is a handler that carries out several events at once.
//
// A world of many hosts is larger than any cache, and the few events of a window
// strike hosts all over it: each begins with a row of misses that wait for each
// other. Looked at together, many events' misses overlap.
type Together interface {
	Handler
	// HandleAll carries out events, of a process each, at most 24. Whatever it posts
	// or stores is on behalf of the process for whose event it called Turn last.
	HandleAll(t Turns, events []Event)
}

// Turns is the context of events that are carried out together.
type Turns interface {
	Context
	// Turn makes the process of the i-th event the one that posts.
	Turn(i int)
}

// beside is how many events are carried out together: enough misses to keep a
// memory system busy, and not more than stays in a first-level cache.
const beside = 24

// HandleAll reads what the events will need, calls their machines, reads what is
// needed to carry out what these want, and does so.
func (w *World) HandleAll(ts Turns, events []Event) {
	ww := &w.workers[ts.Worker()]
	w.warm(ww, ts, events)
	for i := range events {
		ww.enter(ts, events[i].At)
		ww.begin(ww.turn(i), &events[i])
	}
	turns := ww.turns[:len(events)]
	ww.aim(turns)
	for i := range turns {
		ts.Turn(i)
		ww.enter(ts, events[i].At)
		ww.flush(&turns[i])
	}
}

// aim reads where it is that machines send to.
func (w *worldWorker) aim(turns []turn) {
	sum := int64(0)
	for i := range turns {
		if turns[i].end == nil {
			continue
		}
		for _, s := range turns[i].out.Sends() {
			sum += w.world.look(s.To)
		}
		for _, f := range turns[i].out.Forwards() {
			sum += w.world.look(f.To)
		}
	}
	w.warmed += byte(sum)
}

// look reads what must be known to send something to an address.
func (w *World) look(a netip.AddrPort) int64 {
	if n := w.lookup(a); n != noEndpoint {
		return w.where[n].place
	}
	return 0
}

// linesOf returns how many cache lines a machine needs whenever it is called, at
// most 16; 0 if it does not say.
func linesOf(m machine.Machine) uint8 {
	t, ok := m.(machine.Toucher)
	if !ok || reflect.TypeOf(m).Kind() != reflect.Pointer {
		return 0
	}
	hot := min(t.Hot(), reflect.TypeOf(m).Elem().Size())
	return uint8(min((hot+asm.LineBytes-1)/asm.LineBytes, 16))
}

// pointerIn returns the pointer that a machine's interface value holds.
func pointerIn(m *machine.Machine) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(m))[1]
}

// nowhere is an endpoint without a machine.
var nowhere Endpoint

// warm gets what events will need into a cache, and changes nothing: their endpoints and
// bytes, then the machines that these lead to.
func (w *World) warm(ww *worldWorker, ctx Context, events []Event) {
	var ends [beside]*Endpoint
	var bytes [beside][]byte
	sum := byte(0)
	for i := range events {
		ends[i] = w.endpoint(uint32(events[i].Arg & endpointOf))
		sum += ends[i].lines
		bytes[i] = ctx.Bytes(&events[i])
	}
	for i, e := range ends[:len(events)] { // whoever waits for a length here waits for all
		if b := bytes[i]; len(b) > 0 {
			asm.Prefetch(unsafe.Pointer(unsafe.SliceData(b)), len(b))
		}
		if e.process != events[i].To {
			ends[i] = &nowhere // see begin
		} else if e.lines > 0 && e.running() {
			asm.Prefetch(pointerIn(&e.machine), int(e.lines)*asm.LineBytes)
		}
	}
	ww.warmed += sum + approach(ends[:len(events)], &bytes)
}

// approach lets machines read what they will need, step by step and in turn, for
// what a machine reads in a step tells where it has to look in the next.
func approach(ends []*Endpoint, bytes *[beside][]byte) (sum byte) {
	var hints [beside]uint64
	var busy [beside]machine.Toucher
	for i, e := range ends {
		busy[i], _ = e.machine.(machine.Toucher)
	}
	for step, left := 0, 1; left > 0; step++ {
		left = 0
		for i := range ends {
			if busy[i] == nil {
				continue
			}
			hint, b := busy[i].Touch(bytes[i], step, hints[i])
			sum += b
			if hints[i] = hint; hint == 0 {
				busy[i] = nil
				continue
			}
			left++
		}
	}
	return sum
}
