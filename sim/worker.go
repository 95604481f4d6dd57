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
	coarse [coarseSlots][]far
	slabs  [fineSlots]slab
	chunks pool
	blocks blockPool

	at      Process      // whose event is being handled
	limit   machine.Time // of the segment: what at posts to itself up to it stays here
	local   heap         // such events
	near    slab         // the bytes of such events
	away    [][]byte     // bytes of events beyond the fine ring, posted in this window
	handled uint64

	counts []int32 // scratch: events of each process of a shard
	sorted []Event // scratch: the events of a shard, by process
}

// A far event lies beyond the fine ring. Its bytes wait with it.
type far struct {
	Event
	bytes []byte
}

func newWorker(e *Engine, number int) *worker {
	w := &worker{engine: e, number: number, counts: make([]int32, e.size+1)}
	for i := range w.fine {
		w.fine[i] = make([]list, e.cfg.Shards)
	}
	return w
}

// Worker returns the number of the worker.
func (w *worker) Worker() int { return w.number }

// enter makes p the process that posts, in a segment that ends at limit.
func (w *worker) enter(p Process, limit machine.Time) { w.at, w.limit = p, limit }

// Post makes an event happen.
func (w *worker) Post(to Process, at machine.Time, arg uint64, ref Ref) {
	seq := &w.engine.sequence[w.at]
	*seq++
	e := Event{At: at, Arg: arg, To: to, From: w.at, seq: *seq, ref: ref}
	if to == w.at && at <= w.limit {
		w.local.push(e)
		return
	} else if at <= w.limit {
		panic(fmt.Sprintf("sim: process %d posts to %d for time %d, within the look-ahead of %d ns",
			w.at, to, at, w.engine.cfg.LookAhead))
	}
	w.queue(e)
}

// queue puts an event into the ring.
func (w *worker) queue(e Event) {
	en := w.engine
	window := max(int64(e.At)>>en.shift, en.window)
	if window-en.window >= fineSlots {
		w.queueFar(e, window)
		return
	}
	w.fine[window%fineSlots][int(e.To)/en.size].add(&w.chunks, &e)
}

// queueFar puts an event beyond the fine ring into the coarse one.
func (w *worker) queueFar(e Event, window int64) {
	turn := w.engine.window / fineSlots
	slot := min(window/fineSlots, turn+coarseSlots-1) % coarseSlots
	f := far{Event: e}
	if e.ref != 0 {
		f.bytes = w.away[e.ref.index()]
	}
	w.coarse[slot] = append(w.coarse[slot], f)
}

// cascade puts the coarse slot whose time has come into the fine ring.
func (w *worker) cascade() {
	slot := w.engine.window / fineSlots % coarseSlots
	waiting := w.coarse[slot]
	w.coarse[slot] = nil
	for _, f := range waiting {
		if f.ref != 0 {
			f.ref = w.Store(f.At, f.bytes, nil)
		}
		w.queue(f.Event)
	}
}

// Store keeps bytes for events of one window.
func (w *worker) Store(at machine.Time, a, b []byte) Ref {
	if at <= w.limit {
		return w.near.put(&w.blocks, localBytes, a, b)
	}
	en := w.engine
	window := max(int64(at)>>en.shift, en.window)
	if window-en.window >= fineSlots {
		w.away = append(w.away, append(append(make([]byte, 0, len(a)+len(b)), a...), b...))
		return makeRef(farBytes, len(w.away)-1)
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
	warm := 0
	for i := 0; i < len(events); {
		if i >= warm && w.engine.warmer != nil {
			warm = min(i+warmBatch, len(events))
			w.engine.warmer.Warm(w, events[i:warm])
		}
		p := events[i].To
		j := i + 1
		for j < len(events) && events[j].To == p {
			j++
		}
		sortEvents(events[i:j])
		w.enter(p, limit)
		w.process(events[i:j])
		i = j
	}
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

// process carries out the events of one process up to the limit, given in order,
// and those that they cause there. What is later goes back to the ring.
func (w *worker) process(events []Event) {
	i := 0
	for {
		fromLocal := w.local.len() > 0 && (i == len(events) || w.local.min().before(&events[i]))
		switch {
		case fromLocal:
			e := w.local.pop()
			w.handle(&e)
		case i < len(events) && events[i].At <= w.limit:
			w.handle(&events[i])
			i++
		default:
			w.requeue(events[i:])
			w.near.recycle(&w.blocks)
			return
		}
	}
}

func (w *worker) handle(e *Event) {
	if w.engine.cfg.Processes == 1 {
		w.engine.now = max(w.engine.now, e.At)
	}
	w.handled++
	w.engine.handler.Handle(w, e)
}

// steps carries out the only process's events up to limit, as long as cond
// holds, and reports whether it ended them.
func (w *worker) steps(limit machine.Time, cond func() bool) (ended bool) {
	for {
		events := w.gather(0)
		sortEvents(events)
		if len(events) == 0 || events[0].At > limit {
			w.requeue(events)
			return false
		}
		w.enter(0, events[0].At-1) // what it causes goes to the ring
		first := events[0]
		w.requeue(events[1:])
		w.handle(&first)
		w.engine.handled++
		w.handled = 0
		if !cond() {
			return true
		}
	}
}

// requeue puts events back that were taken too early.
func (w *worker) requeue(events []Event) {
	for _, e := range events {
		w.queue(e)
	}
}
