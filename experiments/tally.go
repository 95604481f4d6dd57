package experiments

import (
	"sync"
	"time"

	"i3bench/reports"
)

// A tally keeps the operations of a run that are under way, and hands the sink a
// sample of each when it has ended. It is safe for concurrent use.
type tally struct {
	sink    Sink
	now     func() time.Time
	begin   time.Time // of the first phase
	timeout time.Duration

	mu    sync.Mutex
	under map[*operation]struct{}
	kinds map[string]*kindTally
}

// A kindTally counts the operations of a kind.
type kindTally struct {
	ended    int
	offered  map[int64]int // by second of the intended time
	achieved map[int64]int // by second of the end
}

// An operation is one that was offered: a join, a repair.
type operation struct {
	of       *tally
	kind     string
	intended time.Time
	started  time.Time
	done     func() // tells the pacer, or nil
	abort    func() // called when the time is over, or nil
}

// newTally returns one that reads the time from now and lets an operation take so long.
func newTally(sink Sink, now func() time.Time, timeout time.Duration) *tally {
	return &tally{
		sink: sink, now: now, timeout: timeout, under: make(map[*operation]struct{}), kinds: make(map[string]*kindTally),
	}
}

// start notes an operation that begins now.
func (t *tally) start(kind string, intended time.Time, done func()) *operation {
	d := &operation{of: t, kind: kind, intended: intended, started: t.now(), done: done}
	t.mu.Lock()
	t.under[d] = struct{}{}
	t.kindOf(kind).offered[t.second(intended)]++
	t.mu.Unlock()
	t.sink.Sample(reports.Sample{
		Stage: reports.StageLoad, Kind: reports.KindLate, Group: kind,
		StartNS: int64(intended.Sub(t.begin)), Value: float64(d.started.Sub(intended)),
	})
	return d
}

// left notes an operation that the generator did not start, by its time in the run.
func (t *tally) left(kind string, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kindOf(kind).offered[max(0, int64(at/time.Second))]++
}

// kindOf returns the counts of a kind. The caller holds the lock.
func (t *tally) kindOf(kind string) *kindTally {
	k := t.kinds[kind]
	if k == nil {
		k = &kindTally{offered: make(map[int64]int), achieved: make(map[int64]int)}
		t.kinds[kind] = k
	}
	return k
}

// begun notes that an operation which waited is carried out only now, and reports
// whether it may be: its time may be over.
func (t *tally) begun(d *operation) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, open := t.under[d]
	d.started = t.now()
	return open
}

// alive reports whether an operation is under way.
func (t *tally) alive(d *operation) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, open := t.under[d]
	return open
}

// onTimeout says what to do if the operation does not end in time.
func (t *tally) onTimeout(d *operation, abort func()) {
	t.mu.Lock()
	d.abort = abort
	t.mu.Unlock()
}

// end notes how an operation has ended. Ending it twice does no harm.
func (t *tally) end(d *operation, status string) {
	now := t.now()
	t.mu.Lock()
	_, open := t.under[d]
	if open {
		delete(t.under, d)
		if status == reports.StatusOK {
			k := t.kinds[d.kind]
			k.ended++
			k.achieved[t.second(now)]++
		}
	}
	t.mu.Unlock()
	if !open {
		return
	}
	t.sink.Sample(reports.Sample{
		Stage: reports.StageLoad, Kind: d.kind, Status: status, StartNS: int64(d.intended.Sub(t.begin)),
		Value: float64(now.Sub(d.intended)), ServiceNS: max(0, int64(now.Sub(d.started))),
	})
	if d.done != nil {
		d.done()
	}
}

// expire ends the operations whose time is over, or all.
func (t *tally) expire(all bool) {
	now := t.now()
	var over []*operation
	t.mu.Lock()
	for d := range t.under {
		if all || now.Sub(d.intended) >= t.timeout {
			over = append(over, d)
		}
	}
	t.mu.Unlock()
	for _, d := range over {
		t.end(d, reports.StatusTimeout)
		t.mu.Lock()
		abort := d.abort
		t.mu.Unlock()
		if abort != nil && !all {
			abort()
		}
	}
}

// open returns how many operations are under way.
func (t *tally) open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.under)
}

// finish ends what is under way and samples what was offered and achieved by second.
func (t *tally) finish() {
	t.expire(true)
	t.mu.Lock()
	defer t.mu.Unlock()
	for kind, k := range t.kinds {
		for second := range k.achieved {
			k.offered[second] += 0 // seconds in which operations only ended
		}
		for second, n := range k.offered {
			t.sink.Sample(reports.Sample{
				Stage: reports.StageLoad, Kind: reports.KindOffered, Group: kind, N: int64(n),
				Value: float64(k.achieved[second]), StartNS: second * int64(time.Second),
			})
		}
	}
}

// done returns how many operations have succeeded.
func (t *tally) done() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.kinds {
		n += k.ended
	}
	return n
}

// second returns the second of the run that an instant falls into.
func (t *tally) second(at time.Time) int64 { return max(0, int64(at.Sub(t.begin)/time.Second)) }
