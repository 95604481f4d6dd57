package experiments

import (
	"time"

	"i3bench/loadgen"
	"i3bench/reports"
)

// operations are those of one kind in a load run, with the pacer that starts them.
type operations struct {
	*tally
	kind  string
	pacer *loadgen.Pacer
	stats *loadgen.PacerStats
}

func newOperations(sink Sink, kind string) *operations {
	return &operations{tally: newTally(sink, time.Now, loadTimeout), kind: kind}
}

// start notes an operation that begins now.
func (o *operations) start(intended time.Time) *operation {
	return o.tally.start(o.kind, intended, func() { o.pacer.Done() })
}

// succeeded notes that an operation has. Of what has ended already it is too late.
func (op *operation) succeeded() { op.of.end(op, reports.StatusOK) }

// refuse ends an operation that cannot begin because too many wait already.
func (op *operation) refuse() { op.of.end(op, reports.StatusError) }
