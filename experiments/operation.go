package experiments

import (
	"sync"
	"time"

	"i3bench/loadgen"
	"i3bench/reports"
)

// operations keeps the operations of one kind in a load run: those under way,
// and a sample of each that has ended. It is safe for concurrent use.
type operations struct {
	kind  string
	sink  Sink
	begin time.Time // of the schedule
	pacer *loadgen.Pacer
	stats *loadgen.PacerStats

	mu      sync.Mutex
	under   map[uint64]*operation
	ended   int
	offered map[int64]int // by second
	achieve map[int64]int
}

// An operation is one join or repair.
type operation struct {
	of       *operations
	index    uint64
	intended time.Time
	started  time.Time
}

func newOperations(sink Sink, kind string) *operations {
	return &operations{
		kind: kind, sink: sink, under: make(map[uint64]*operation),
		offered: make(map[int64]int), achieve: make(map[int64]int),
	}
}

// start notes an operation that begins now.
func (o *operations) start(index uint64, intended time.Time) *operation {
	op := &operation{of: o, index: index, intended: intended, started: time.Now()}
	o.mu.Lock()
	o.under[index] = op
	o.offered[o.second(intended)]++
	o.mu.Unlock()
	o.sink.Sample(reports.Sample{
		Stage: reports.StageLoad, Kind: reports.KindLate, Group: o.kind,
		StartNS: int64(intended.Sub(o.begin)), Value: float64(op.started.Sub(intended)),
	})
	return op
}

// begun notes that an operation that waited is carried out only now.
func (o *operations) begun(op *operation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	op.started = time.Now()
}

// refuse ends an operation that cannot begin because too many wait already.
func (o *operations) refuse(op *operation) {
	o.mu.Lock()
	delete(o.under, op.index)
	o.mu.Unlock()
	o.sample(op, time.Now(), reports.StatusError)
	o.pacer.Done()
}

// end notes that an operation has succeeded. Ending it twice does no harm.
func (o *operations) end(op *operation) {
	now := time.Now()
	o.mu.Lock()
	_, open := o.under[op.index]
	if open {
		delete(o.under, op.index)
		o.ended++
		o.achieve[o.second(now)]++
	}
	o.mu.Unlock()
	if open {
		o.sample(op, now, reports.StatusOK)
		o.pacer.Done()
	}
}

// finish ends the run: what is still under way has timed out.
func (o *operations) finish() {
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, op := range o.under {
		o.sample(op, now, reports.StatusTimeout)
		o.pacer.Done()
	}
	clear(o.under)
	for second, n := range o.offered {
		o.sink.Sample(reports.Sample{
			Stage: reports.StageLoad, Kind: reports.KindOffered, Group: o.kind, N: int64(n),
			Value: float64(o.achieve[second]), StartNS: second * int64(time.Second),
		})
	}
	for second, n := range o.achieve { // seconds in which operations only ended
		if _, offered := o.offered[second]; !offered {
			o.sink.Sample(reports.Sample{
				Stage: reports.StageLoad, Kind: reports.KindOffered, Group: o.kind,
				Value: float64(n), StartNS: second * int64(time.Second),
			})
		}
	}
}

func (o *operations) sample(op *operation, now time.Time, status string) {
	o.sink.Sample(reports.Sample{
		Stage: reports.StageLoad, Kind: o.kind, Status: status, StartNS: int64(op.intended.Sub(o.begin)),
		Value: float64(now.Sub(op.intended)), ServiceNS: int64(now.Sub(op.started)),
	})
}

// second returns the second of the run that an instant falls into.
func (o *operations) second(t time.Time) int64 { return max(0, int64(t.Sub(o.begin)/time.Second)) }

// open returns how many operations are under way.
func (o *operations) open() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.under)
}

// done returns how many operations have succeeded.
func (o *operations) done() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended
}
