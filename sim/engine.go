package sim

import (
	"fmt"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"

	"i3bench/i3/machine"
)

// A Handler carries out the events of an engine's processes. It is called for
// events of different processes at once, from several goroutines.
type Handler interface {
	// Handle carries out one event. What it posts goes through c, which it must
	// not keep. It may not keep ev either.
	Handle(c Context, ev *Event)
}

// A Context is what a handler may do during a call.
type Context interface {
	// Post makes an event happen, posted by the process whose event is being
	// handled. One for another process must be at least the look-ahead away: one
	// that would happen in the window under way panics.
	Post(to Process, at machine.Time, arg uint64, ref Ref)
	// Store keeps the bytes a followed by b, for events that are posted for the
	// time at. Other events of the same window may use the reference too, see
	// [Context.SameWindow]. It panics with more than 128 KiB at once, or 2 GiB for
	// one window.
	Store(at machine.Time, a, b []byte) Ref
	// SameWindow reports whether bytes stored for one time can go with an event
	// for another.
	SameWindow(s, t machine.Time) bool
	// Bytes returns what goes with an event, until Handle returns.
	Bytes(ev *Event) []byte
	// Worker returns a number from 0 to Workers-1 that no other call under way has.
	Worker() int
}

// An EngineConfig says what an engine is. The zero value of each optional field
// means its default.
type EngineConfig struct {
	// Processes is the number of processes, at least 1.
	Processes int
	// LookAhead is the least time between an event and one that it causes at
	// another process. Windows are as long as the largest power of two that is not
	// more.
	// It is not needed for a single process.
	LookAhead machine.Duration
	// Shards is the number of parts into which the processes are divided; the
	// result does not depend on it. Default: a part for each 16,384 processes, and at
	// least one for a single worker, and eight for each further one: the more
	// processes a part has the longer many of them run side by side, see [Together].
	Shards int
	// Workers is the number of goroutines that run shards beside each other, up
	// to 14, and to the number of processes; the result does not depend on it.
	// Default 1.
	Workers int
}

func (c *EngineConfig) setDefaults() error {
	if c.Workers == 0 {
		c.Workers = 1
	}
	if c.Processes == 1 && c.LookAhead <= 0 {
		c.LookAhead = machine.Millisecond
	}
	if c.Shards == 0 {
		c.Shards = max(c.Processes/shardSize, 8*c.Workers-7)
	}
	switch {
	case c.Processes < 1 || c.Processes > 1<<31:
		return fmt.Errorf("sim: engine of %d processes: want 1 to %d", c.Processes, 1<<31)
	case c.LookAhead < 1:
		return fmt.Errorf("sim: engine with a look-ahead of %d ns: want more than zero", c.LookAhead)
	case c.Shards < 1 || c.Workers < 1 || c.Workers > maxWorkers:
		return fmt.Errorf("sim: engine of %d shards and %d workers: want at least one of each, and at most %d workers",
			c.Shards, c.Workers, maxWorkers)
	}
	return nil
}

// shardSize is the number of processes of a shard whose counters fit a first
// level cache.
const shardSize = 16384

// An Engine runs the events of many processes in virtual time, in windows no
// longer than the look-ahead: nothing that happens in a window can cause
// anything in the same window at another process, so that in it the processes
// are independent, whatever the order in which they are run. There is no queue
// of all events: they lie in lists, one for each window and shard, and a window
// sorts its own by process. The order at each process is that of [Reference].
type Engine struct {
	cfg      EngineConfig
	handler  Handler
	together Together // the handler, if it is one
	now      machine.Time
	shift    uint  // log2 of a window's length
	window   int64 // the first window that is not over
	size     int   // processes of a shard
	sequence []uint32
	workers  []*worker
	handled  uint64
	running  bool
}

// The rings of windows. What lies farther ahead than the fine ring waits in a
// coarse one, whose slots are as long as the whole fine ring, and beyond that in
// its last slot, from which it is put back again.
const (
	fineSlots   = 128
	coarseSlots = 64
)

// NewEngine returns an engine at time 0.
func NewEngine(cfg EngineConfig, h Handler) (*Engine, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, handler: h,
		shift:    shiftOf(cfg.LookAhead),
		size:     (cfg.Processes + cfg.Shards - 1) / cfg.Shards,
		sequence: make([]uint32, cfg.Processes),
	}
	e.cfg.Shards = (cfg.Processes + e.size - 1) / e.size
	e.cfg.Workers = min(cfg.Workers, cfg.Processes)
	e.together, _ = h.(Together)
	for i := range e.cfg.Workers {
		e.workers = append(e.workers, newWorker(e, i))
	}
	return e, nil
}

// Now returns the time until which the engine has run, and with one process,
// during a call of the handler, that of its event.
func (e *Engine) Now() machine.Time { return e.now }

// Handled returns how many events have been carried out.
func (e *Engine) Handled() uint64 { return e.handled }

// Workers returns how many workers there are.
func (e *Engine) Workers() int { return len(e.workers) }

// At returns a context with which to post events from outside, on behalf of a
// process. It is good until the next call of the engine. The condition of RunWhile
// may use it, too. A handler may not, which panics, unless there is only one process.
func (e *Engine) At(p Process) Context {
	w := e.workers[0]
	switch {
	case e.running && e.cfg.Processes > 1:
		panic(calledWithin)
	case e.running:
		return w // as it is: what belongs in the window under way must not miss it
	}
	w.lanes[0].process = p
	w.border = always
	w.enter(&w.lanes[0], always)
	return w
}

// always is before all events.
const always machine.Time = math.MinInt64

const calledWithin = "sim: events posted from outside while one is carried out: want that between runs"

// shiftOf returns log2 of the length of windows: the largest power of two that is
// not more than the look-ahead.
func shiftOf(ahead machine.Duration) uint { return uint(bits.Len64(uint64(ahead)) - 1) }

// end returns the last time of a window.
func (e *Engine) end(window int64) machine.Time { return endOf(window, e.shift) }

func endOf(window int64, shift uint) machine.Time { return machine.Time((window+1)<<shift - 1) }

// windowOf returns the window in which an event at a time happens: what is late
// happens in the current one.
func (e *Engine) windowOf(at machine.Time) int64 { return max(int64(at)>>e.shift, e.window) }

// coarseSlot returns the slot in the coarse ring of a window beyond the fine one:
// another than the one whose time has come, however far ahead.
func (e *Engine) coarseSlot(window int64) int64 {
	return min(window/fineSlots, e.window/fineSlots+coarseSlots-1) % coarseSlots
}

// Run carries out every event up to and including the given time.
func (e *Engine) Run(until machine.Time) { e.RunWhile(nil, until) }

// RunWhile runs as long as cond holds, to the given time at most, and reports
// whether cond ended it. It looks at cond after each window, or, where there is
// one process, after each event. Nil always holds.
func (e *Engine) RunWhile(cond func() bool, until machine.Time) (ended bool) {
	if ended = cond != nil && !cond(); ended || until < e.now {
		return ended
	}
	for {
		end := e.end(e.window)
		limit := min(end, until)
		single := cond != nil && e.cfg.Processes == 1
		if !single {
			e.segment(limit)
		} else if e.workers[0].steps(limit, cond) {
			return true
		}
		e.now = limit
		if limit == end {
			e.finish()
		}
		if ended = cond != nil && !single && !cond(); ended || limit == until {
			return ended
		}
	}
}

// few is the number of events in a window below which it is not worth while to
// wake other workers. Tests wake them for any.
var few = 128

// segment carries out the current window's events up to limit. If that is not the
// end of the window, one worker does: what a process posts to itself for the rest
// of it would go where other workers read.
func (e *Engine) segment(limit machine.Time) {
	e.running = true
	if len(e.workers) == 1 || limit < e.end(e.window) || e.pending() < few {
		for s := range e.cfg.Shards {
			e.workers[0].shard(s, limit)
		}
	} else {
		e.allWorkers(limit)
	}
	for _, w := range e.workers {
		e.handled += w.handled
		w.handled = 0
	}
	e.running = false
}

// pending returns about how many events the current window has.
func (e *Engine) pending() (n int) {
	for _, w := range e.workers {
		for s := range w.fine[e.window%fineSlots] {
			n += w.fine[e.window%fineSlots][s].len()
		}
	}
	return n
}

// allWorkers lets all workers take shards until none is left.
func (e *Engine) allWorkers(limit machine.Time) {
	var next atomic.Int64
	var wg sync.WaitGroup
	work := func(w *worker) {
		for s := next.Add(1) - 1; s < int64(e.cfg.Shards); s = next.Add(1) - 1 {
			w.shard(int(s), limit)
		}
	}
	for _, w := range e.workers[1:] {
		wg.Go(func() { work(w) })
	}
	work(e.workers[0])
	wg.Wait()
}

// finish ends the current window: it frees its memory and, when the fine ring
// has turned, fills it from the coarse one.
func (e *Engine) finish() {
	slot := e.window % fineSlots
	for _, w := range e.workers {
		for s := range w.fine[slot] {
			w.fine[slot][s].recycle(&w.chunks)
		}
		w.slabs[slot].recycle(&w.blocks)
	}
	e.window++
	e.balance()
	if e.window%fineSlots == 0 {
		for _, w := range e.workers {
			w.cascade()
		}
	}
}

// balance evens out the free memory of the workers: whoever takes more shards
// than it fills would hoard it.
func (e *Engine) balance() {
	first := &e.workers[0].chunks
	for _, w := range e.workers[1:] {
		from, to := first, &w.chunks
		if len(from.free) < len(to.free) {
			from, to = to, from
		}
		if n := (len(from.free) - len(to.free)) / 2; n > hoard {
			cut := len(from.free) - n
			to.free = append(to.free, from.free[cut:]...)
			from.free = from.free[:cut]
		}
	}
}

// hoard is the number of chunks by which the workers' free memory may differ.
const hoard = 256
