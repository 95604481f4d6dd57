package sim

import (
	"fmt"
	"slices"

	"i3bench/i3/machine"
)

// A worker runs shards, one at a time, and is the context of their handlers.
// Whatever it posts goes to lists of its own, so that workers share nothing
// while a window lasts.
type worker struct {
	engine *Engine
	number int

	fine   [fineSlots][]list // by window and shard
	slabs  [fineSlots]slab   // the bytes of their events
	coarse [coarseSlots]list
	away   [coarseSlots]slab
	chunks pool
	blocks blockPool

	lane    *lane        // whose event is being handled
	limit   machine.Time // of the segment: what a process posts to itself up to it stays in its lane
	near    slab         // the bytes of such events
	border  machine.Time // what goes to another process comes after it
	handled uint64

	lanes [laneCount]lane
	next  [laneCount]Event // of each lane

	counts []int32   // scratch: events of each process of a shard
	sorted []Event   // scratch: the events of a shard, by process
	runs   [][]Event // scratch: these, each process's
}

func newWorker(e *Engine, number int) *worker {
	w := &worker{engine: e, number: number, counts: make([]int32, e.size+1)}
	for i := range w.fine {
		w.fine[i] = make([]list, e.cfg.Shards)
	}
	return w
}

// Turn makes the process of the i-th of the events that are carried out together the
// one that posts.
func (w *worker) Turn(i int) { w.lane = &w.lanes[i] }

// Worker returns the number of the worker.
func (w *worker) Worker() int { return w.number }

// enter makes the process of a lane the one that posts, in a segment that ends at
// limit.
func (w *worker) enter(l *lane, limit machine.Time) { w.lane, w.limit = l, limit }

// Post makes an event happen.
func (w *worker) Post(to Process, at machine.Time, arg uint64, ref Ref) {
	from := w.lane.process
	seq := &w.engine.sequence[from]
	*seq++
	e := Event{At: at, Arg: arg, To: to, From: from, seq: *seq, ref: ref}
	switch {
	case to == from && at <= w.limit:
		w.lane.local.push(e)
	case to != from && at <= w.border:
		panic(fmt.Sprintf("sim: process %d posts to %d for time %d, within the look-ahead of %d ns",
			from, to, at, w.engine.cfg.LookAhead))
	default:
		w.queue(e)
	}
}

// queue puts an event into the fine ring, or beyond it into the coarse one.
func (w *worker) queue(e Event) {
	en := w.engine
	window := en.windowOf(e.At)
	if window-en.window >= fineSlots {
		w.coarse[en.coarseSlot(window)].add(&w.chunks, &e)
		return
	}
	w.fine[window%fineSlots][uint32(e.To)/uint32(en.size)].add(&w.chunks, &e)
}

// cascade puts the coarse slot whose time has come into the fine ring. What is
// farther still comes back into the coarse one, to another slot.
func (w *worker) cascade() {
	slot := w.engine.window / fineSlots % coarseSlots
	bytes := &w.away[slot]
	var at machine.Time
	var from, ref Ref // what was stored again last, and as what
	w.coarse[slot].runs(func(events []Event) {
		for _, e := range events {
			if e.ref != 0 {
				if e.ref != from || !w.SameWindow(at, e.At) {
					at, from, ref = e.At, e.ref, w.Store(e.At, bytes.bytes(e.ref), nil)
				}
				e.ref = ref
			}
			w.queue(e)
		}
	})
	w.coarse[slot].recycle(&w.chunks)
	bytes.recycle(&w.blocks)
}

// Store keeps bytes for events of one window.
func (w *worker) Store(at machine.Time, a, b []byte) Ref {
	if at <= w.limit {
		return w.near.put(&w.blocks, localBytes, a, b)
	}
	en := w.engine
	window := en.windowOf(at)
	if window-en.window >= fineSlots {
		return w.away[en.coarseSlot(window)].put(&w.blocks, farBytes, a, b)
	}
	return w.slabs[window%fineSlots].put(&w.blocks, w.number, a, b)
}

// SameWindow reports whether what is stored for s can go with an event at t.
func (w *worker) SameWindow(s, t machine.Time) bool {
	return s>>w.engine.shift == t>>w.engine.shift && (s <= w.limit) == (t <= w.limit)
}

// Bytes returns what goes with an event.
func (w *worker) Bytes(ev *Event) []byte {
	if ev.ref == 0 {
		return nil
	}
	owner := ev.ref.worker()
	if owner == localBytes {
		return w.near.bytes(ev.ref)
	}
	en := w.engine
	return en.workers[owner].slabs[en.window%fineSlots].bytes(ev.ref)
}

// shard carries out a shard's events of the current window up to limit.
func (w *worker) shard(s int, limit machine.Time) {
	events := w.gather(s)
	w.border = w.engine.end(w.engine.window)
	if w.engine.together == nil {
		w.oneByOne(events, limit)
	} else {
		w.sideBySide(events, limit)
	}
	w.near.recycle(&w.blocks)
}

// oneByOne runs a shard's processes one after the other.
func (w *worker) oneByOne(events []Event, limit machine.Time) {
	l := &w.lanes[0]
	for len(events) > 0 {
		n := firstRun(events)
		l.load(events[:n])
		events = events[n:]
		w.enter(l, limit)
		for l.advance(limit) {
			w.handle(&l.current)
		}
		w.requeue(l.events)
	}
}

// sideBySide runs several of a shard's processes together, an event of each at a
// time: see [Together].
func (w *worker) sideBySide(events []Event, limit machine.Time) {
	runs := w.longestFirst(events)
	for busy := 0; ; {
		for ; busy < len(w.lanes) && len(runs) > 0; busy++ {
			w.lanes[busy].load(runs[0])
			runs = runs[1:]
		}
		if busy == 0 {
			return
		}
		for i := 0; i < busy; {
			if w.lanes[i].advance(limit) {
				w.next[i] = w.lanes[i].current
				i++
				continue
			}
			w.requeue(w.lanes[i].events)
			busy--
			w.lanes[i], w.lanes[busy] = w.lanes[busy], w.lanes[i]
		}
		w.enter(&w.lanes[0], limit)
		if busy == 1 {
			w.handle(&w.next[0])
			continue
		}
		w.handled += uint64(busy)
		w.engine.together.HandleAll(w, w.next[:busy])
	}
}

// longestFirst parts a shard's events into those of each process, most events
// first: begun last, a process with many would at the end run alone.
func (w *worker) longestFirst(events []Event) [][]Event {
	w.runs = w.runs[:0]
	for len(events) > 0 {
		n := firstRun(events)
		w.runs = append(w.runs, events[:n])
		events = events[n:]
	}
	slices.SortFunc(w.runs, func(a, b []Event) int { return len(b) - len(a) })
	return w.runs
}

// firstRun returns how many events the first process has.
func firstRun(events []Event) int {
	n := 1
	for n < len(events) && events[n].To == events[0].To {
		n++
	}
	return n
}

// A lane is a process whose events are being carried out.
type lane struct {
	process Process
	events  []Event // of the window, in order, that are still to come
	local   heap    // events that it posted to itself for the segment under way
	current Event
}

// laneCount is how many processes run side by side.
const laneCount = beside

// load takes the events of a process over.
func (l *lane) load(events []Event) {
	l.process, l.events = events[0].To, events
	sortEvents(l.events)
}

// advance makes the next event up to limit the current one. It returns false if
// there is none.
func (l *lane) advance(limit machine.Time) bool {
	switch {
	case l.local.len() > 0 && (len(l.events) == 0 || l.local.min().before(&l.events[0])):
		l.current = l.local.pop()
	case len(l.events) > 0 && l.events[0].At <= limit:
		l.current = l.events[0]
		l.events = l.events[1:]
	default:
		return false
	}
	return true
}

// gather takes a shard's events of the current window out of the lists, process
// by process: a counting sort, which reads and writes memory in order.
func (w *worker) gather(s int) []Event {
	en := w.engine
	slot, base := en.window%fineSlots, Process(s*en.size)
	n := 0
	for _, o := range en.workers {
		n += o.fine[slot][s].len()
	}
	if n == 0 {
		return nil
	}
	counts := w.counts
	clear(counts)
	for _, o := range en.workers {
		o.fine[slot][s].runs(func(events []Event) {
			for i := range events {
				counts[events[i].To-base+1]++
			}
		})
	}
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
	w.sorted = slices.Grow(w.sorted[:0], n)[:n]
	for _, o := range en.workers {
		l := &o.fine[slot][s]
		l.runs(func(events []Event) {
			for i := range events {
				at := &counts[events[i].To-base]
				w.sorted[*at] = events[i]
				*at++
			}
		})
		l.recycle(&w.chunks)
	}
	return w.sorted
}

// sortEvents sorts the events of one process. There are few in a window, mostly
// in order already.
func sortEvents(events []Event) {
	const fewEvents = 24
	if len(events) > fewEvents {
		slices.SortFunc(events, func(a, b Event) int { return a.compare(&b) })
		return
	}
	for i := 1; i < len(events); i++ {
		if !events[i].before(&events[i-1]) {
			continue
		}
		e := events[i]
		k := i
		for ; k > 0 && e.before(&events[k-1]); k-- {
			events[k] = events[k-1]
		}
		events[k] = e
	}
}

func (w *worker) handle(e *Event) {
	if w.engine.cfg.Processes == 1 {
		w.engine.now = max(w.engine.now, e.At)
	}
	w.handled++
	w.engine.handler.Handle(w, e)
}

// steps carries out the only process's events of the current window up to limit,
// as long as cond holds, and reports whether it ended them.
func (w *worker) steps(limit machine.Time, cond func() bool) (ended bool) {
	en, l := w.engine, &w.lanes[0]
	list := &w.fine[en.window%fineSlots][0]
	for posted := true; posted && !ended; {
		l.process, l.events, posted = 0, w.gather(0), false
		sortEvents(l.events)
		for !ended && !posted && l.advance(limit) {
			w.enter(l, limit)
			w.next[0] = l.current
			en.running = true
			w.handle(&w.next[0])
			en.running = false
			en.handled++
			before := list.len()
			ended = !cond()
			posted = list.len() != before // for this window, from outside
		}
		w.putBack(l)
	}
	w.near.recycle(&w.blocks)
	w.handled = 0 // counted already
	return ended
}

// putBack puts what waits in a lane into the ring again.
func (w *worker) putBack(l *lane) {
	w.requeue(l.events)
	w.limit = always // Store keeps their bytes for the window
	for _, e := range l.local.events {
		if e.ref != 0 {
			e.ref = w.Store(e.At, w.near.bytes(e.ref), nil)
		}
		w.queue(e)
	}
	l.local.events = l.local.events[:0]
}

// requeue puts events back that were taken too early.
func (w *worker) requeue(events []Event) {
	for _, e := range events {
		w.queue(e)
	}
}
