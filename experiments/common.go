package experiments

import (
	"sync"
	"time"

	"i3bench/loadgen"
	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

// common carries out the operations that are about all receivers where these are agents'. How they end is put
// together from the agents' parts.
type common struct {
	run *scenarioRun

	mu  sync.Mutex
	ops map[mark]commonOp
}

// A commonOp is an operation of which the agents have parts.
type commonOp struct {
	kind     string
	intended time.Duration // since the first phase began
	late     time.Duration // by which it was begun later than intended
	failed   bool          // could not be carried out
}

// begin begins an operation. It never waits.
func (c *common) begin(stream int, op loadgen.Op, intended time.Time, a loadgen.Action, done func()) {
	k, late := mark{stream, op.Index}, time.Since(intended)
	at := intended.Sub(c.run.tally.begin)
	c.mu.Lock()
	c.ops[k] = commonOp{kind: a.Kind, intended: at, late: late}
	c.mu.Unlock()
	c.run.sink.Sample(reports.Sample{
		Stage: reports.StageLoad, Kind: reports.KindLate, Group: a.Kind, StartNS: int64(at), Value: float64(late),
	})
	c.run.work.later(func() {
		if a.Kind != scenario.Restart || c.run.restartNode(a.Member) == nil {
			c.run.emitMarked(k)
		} else {
			c.fail(k)
		}
		done()
	})
}

// fail notes that an operation could not be carried out.
func (c *common) fail(k mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.ops[k]
	o.failed = true
	c.ops[k] = o
}

// finish hands a sample of each operation to the sink, and what was offered and achieved: it has succeeded if
// it has at every agent with receivers, when the last of them had it.
func (c *common) finish(parts map[mark][]reports.Sample, agents int, sink Sink) {
	for k, o := range c.ops {
		s := reports.Sample{
			Stage: reports.StageLoad, Kind: o.kind, Status: o.status(parts[k], agents), StartNS: int64(o.intended),
		}
		for _, p := range parts[k] {
			s.Value = max(s.Value, p.Value)
		}
		s.ServiceNS = max(0, int64(s.Value)-int64(o.late))
		sink.Sample(s)
		sink.Sample(offeredIn(o.kind, o.intended, 1, 0))
		if s.Status == reports.StatusOK {
			sink.Sample(offeredIn(o.kind, o.intended+time.Duration(s.Value), 0, 1))
		}
	}
}

// status returns how an operation has ended whose parts these are.
func (o commonOp) status(parts []reports.Sample, agents int) string {
	somebody := false
	for _, p := range parts {
		switch p.Status {
		case reports.StatusOK:
			somebody = true
		case statusNobody:
		default:
			return p.Status
		}
	}
	switch {
	case o.failed || !somebody:
		return reports.StatusError
	case len(parts) < agents: // one was lost, or stopped
		return reports.StatusTimeout
	}
	return reports.StatusOK
}

// offeredIn is a sample of what was offered and achieved in the second of a time.
func offeredIn(kind string, at time.Duration, offered int64, achieved float64) reports.Sample {
	return reports.Sample{
		Stage: reports.StageLoad, Kind: reports.KindOffered, Group: kind, N: offered, Value: achieved,
		StartNS: int64(max(0, at).Truncate(time.Second)),
	}
}
