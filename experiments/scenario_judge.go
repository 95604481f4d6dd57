package experiments

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

// ErrObjective says that a scenario did not keep to an objective.
var ErrObjective = errors.New("an objective was missed")

// A Judge is a sink that hands samples on and judges objectives by them.
type Judge struct {
	objectives []scenario.Objective
	sink       Sink

	mu    sync.Mutex
	kinds map[string]*outcomes
}

// outcomes are the latencies of the operations of a kind, in nanoseconds.
type outcomes struct{ good, bad []float64 }

// NewJudge returns a judge of objectives whose samples go on to sink.
func NewJudge(objectives []scenario.Objective, sink Sink) *Judge {
	j := &Judge{objectives: objectives, sink: sink, kinds: make(map[string]*outcomes)}
	for _, o := range objectives {
		j.kinds[o.Operation] = new(outcomes)
	}
	return j
}

// Sample implements [Sink].
func (j *Judge) Sample(s reports.Sample) {
	j.sink.Sample(s)
	if s.Stage != reports.StageLoad || s.Status == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch k := j.kinds[s.Kind]; {
	case k == nil:
	case s.Status == reports.StatusOK:
		k.good = append(k.good, s.Value)
	default:
		k.bad = append(k.bad, s.Value)
	}
}

// Verdict returns a line for each bound of each objective, and [ErrObjective] if one
// was not kept to. Operations that were not started are the generator's fault and
// not judged here.
func (j *Judge) Verdict() (text string, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var b strings.Builder
	for _, o := range j.objectives {
		k := j.kinds[o.Operation]
		n := len(k.good) + len(k.bad)
		if n == 0 {
			fmt.Fprintf(&b, "objective %-8s not judged: there was no such operation\n", o.Operation)
			continue
		}
		d := reports.NewDistribution(k.good, k.bad)
		for _, bound := range []struct {
			name  string
			share float64
			limit time.Duration
		}{{"p50", 0.5, o.P50}, {"p90", 0.9, o.P90}, {"p99", 0.99, o.P99}, {"max", 1, o.Max}} {
			if bound.limit == 0 {
				continue
			}
			took, failed := time.Duration(d.P(bound.share)), float64(len(k.good)) < bound.share*float64(n)
			verdict := "ok"
			if failed || took > bound.limit {
				verdict, err = "MISSED", ErrObjective
			}
			text := fmt.Sprint(took.Round(time.Microsecond))
			if failed {
				text = "failed"
			}
			fmt.Fprintf(&b, "objective %-8s %s %s, want at most %v: %s\n", o.Operation, bound.name, text, bound.limit, verdict)
		}
		if o.Failed < 1 {
			verdict, share := "ok", float64(len(k.bad))/float64(n)
			if share > o.Failed {
				verdict, err = "MISSED", ErrObjective
			}
			fmt.Fprintf(&b, "objective %-8s failed %.4g, want at most %v: %s\n", o.Operation, share, o.Failed, verdict)
		}
	}
	return b.String(), err
}
