package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// An Objective is a bound on something measured of an operation, as users write
// it: "join.p99<250ms", "repair.errors<0.1%", "join.backlog<1%".
type Objective struct {
	Text    string  // as it was written
	Op      string  // [KindJoin] or [KindRepair]
	Measure string  // one of the measures below
	Limit   float64 // met by values below it: ns, or a share of one
}

// latencies are the measures that are percentiles of the latency from the
// intended time, by name. The other measures are "errors", the share of
// operations that did not succeed, and "backlog", the speed at which operations
// under way become more, as a share of the rate at which they are offered.
var latencies = map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999, "max": 1}

const (
	measureErrors  = "errors"
	measureBacklog = "backlog"
	measures       = "p50, p90, p95, p99, p99.9, max, errors or backlog"
)

// Latency reports whether the objective is about a percentile of the latency.
func (o Objective) Latency() bool { return latencies[o.Measure] > 0 }

// ParseObjective reads an objective. Its errors say what was expected.
func ParseObjective(text string) (Objective, error) {
	o := Objective{Text: text}
	left, right, ok := strings.Cut(text, "<")
	op, measure, ok2 := strings.Cut(left, ".")
	if !ok || !ok2 {
		return o, fmt.Errorf("objective %.40q: want an operation, a measure and a limit, such as join.p99<250ms", text)
	}
	o.Op, o.Measure = op, measure
	if op != KindJoin && op != KindRepair {
		return o, fmt.Errorf("objective %.40q: operation %.20q, want %s or %s", text, op, KindJoin, KindRepair)
	}
	switch {
	case o.Latency():
		d, err := time.ParseDuration(right)
		if err != nil || d <= 0 {
			return o, fmt.Errorf("objective %.40q: limit %.20q, want a duration such as 250ms", text, right)
		}
		o.Limit = float64(d)
	case measure == measureErrors || measure == measureBacklog:
		number, percent := strings.CutSuffix(right, "%")
		v, err := strconv.ParseFloat(number, 64)
		if percent {
			v /= 100
		}
		if err != nil || !(v > 0 && v <= 1) {
			return o, fmt.Errorf("objective %.40q: limit %.20q, want a share such as 0.1%%", text, right)
		}
		o.Limit = v
	default:
		return o, fmt.Errorf("objective %.40q: measure %.20q, want %s", text, measure, measures)
	}
	return o, nil
}

// LateLimit returns how late, in nanoseconds, a generator may be in the 99th
// percentile, for trials that are judged by these objectives: a tenth of the
// tightest latency, and never more than in any other run.
func LateLimit(list []Objective) float64 {
	limit := float64(latenessLimitNS)
	for _, o := range list {
		if o.Latency() {
			limit = min(limit, o.Limit/10)
		}
	}
	return limit
}

// write says a value of the objective's measure.
func (o Objective) write(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "failed"
	case o.Latency():
		return duration(v)
	}
	return strconv.FormatFloat(100*v, 'f', 2, 64) + " %"
}
