package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"i3bench/loadgen/find"
)

// A Trial is one trial of a search for the largest rate, in figures.
type Trial struct {
	Number   int
	Rate     float64 // joins per second
	Seconds  float64 // for how long load was offered
	Took     float64 // seconds, with what was done beside
	Purpose  string
	System   string // [SystemKept], or [SystemNew] of one deployed for the trial
	Unsent   int64  // operations that the generator did not start
	Ops      []LoadOp
	Lateness Distribution // of the generator, in nanoseconds

	growth map[string]float64 // by operation: more under way, in operations per second
}

// Values of Sample.Status of samples of [KindTrial].
const (
	SystemKept = "kept"
	SystemNew  = "new"
)

// SummarizeTrial computes the figures of a trial from its sample of kind
// [KindTrial], those of its operations, and those of kind [KindLate].
func SummarizeTrial(t Sample, joins, repairs, late []Sample) Trial {
	out := Trial{
		Number: t.Level, Rate: t.Value, Seconds: float64(t.StartNS) / 1e9, Took: float64(t.ServiceNS) / 1e9,
		Purpose: t.Group, System: t.Status, Unsent: t.N,
		Lateness: NewDistribution(values(late), nil), growth: make(map[string]float64),
	}
	for i, samples := range [][]Sample{joins, repairs} {
		if len(samples) == 0 {
			continue
		}
		l := SummarizeLoad(findOps[i].op, samples, nil)
		out.Ops = append(out.Ops, l)
		lengths, each := underWay(samples, out.Seconds)
		out.growth[l.Op] = find.Growth(lengths, each) / l.Rate
	}
	return out
}

// underWayPoints is at how many times of a trial the operations under way are
// counted.
const underWayPoints = 200

// underWay counts the operations whose intended time has come and that have not
// succeeded, at equal distances of time in a trial.
func underWay(ops []Sample, seconds float64) (lengths []float64, each float64) {
	begins, ends := make([]int64, 0, len(ops)), make([]int64, 0, len(ops))
	for i := range ops {
		begins = append(begins, ops[i].StartNS)
		if ops[i].Status == StatusOK {
			ends = append(ends, ops[i].StartNS+int64(ops[i].Value))
		}
	}
	slices.Sort(begins)
	slices.Sort(ends)
	each = seconds / underWayPoints
	for i := range underWayPoints {
		at := int64(float64(i) * each * 1e9)
		in, _ := slices.BinarySearch(begins, at)
		out, _ := slices.BinarySearch(ends, at)
		lengths = append(lengths, float64(in-out))
	}
	return lengths, each
}

// Op returns the figures of an operation, and whether there are any.
func (t Trial) Op(name string) (LoadOp, bool) {
	for _, l := range t.Ops {
		if l.Op == name {
			return l, true
		}
	}
	return LoadOp{}, false
}

// Value returns what an objective is about. A percentile that falls on an
// operation that failed is +Inf; where there were no operations it is NaN.
func (t Trial) Value(o Objective) float64 {
	l, ok := t.Op(o.Op)
	switch {
	case !ok:
		return math.NaN()
	case o.Measure == measureErrors:
		return 1 - float64(l.Completed)/float64(l.Sent)
	case o.Measure == measureBacklog:
		return t.growth[o.Op]
	case l.Response.Beyond(latencies[o.Measure]):
		return math.Inf(1)
	}
	return l.Response.P(latencies[o.Measure])
}

// Invalid says why the trial says more about the generator than about the
// system, given how late the generator may be in the 99th percentile, in
// nanoseconds. It is empty if the trial is valid.
func (t Trial) Invalid(lateLimit float64) string {
	n := t.Unsent + int64(t.Lateness.Count())
	share := float64(t.Unsent) / float64(n)
	switch p99 := t.Lateness.P(0.99); {
	case n == 0:
		return "nothing was offered"
	case share > UnsentLimit:
		return percent(share) + " not sent"
	case p99 > lateLimit:
		return fmt.Sprintf("p99 lateness %s, allowed %s", duration(p99), duration(lateLimit))
	}
	return ""
}

// Outcome is what the search is told of a trial.
func (t Trial) Outcome(list []Objective, lateLimit float64) find.Outcome {
	o := find.Outcome{Invalid: t.Invalid(lateLimit), Took: t.Took}
	for _, objective := range list {
		o.Values = append(o.Values, t.Value(objective))
	}
	return o
}

// summarizeTrials computes the figures of all trials of a run, in order.
func summarizeTrials(r *Result) (out []Trial) {
	byTrial := func(kind string) map[int][]Sample {
		_, groups := grouped(r.Select(StageFind, kind), byLevel)
		return groups
	}
	joins, repairs, late := byTrial(KindJoin), byTrial(KindRepair), byTrial(KindLate)
	for _, t := range r.Select(StageFind, KindTrial) {
		out = append(out, SummarizeTrial(t, joins[t.Level], repairs[t.Level], late[t.Level]))
	}
	slices.SortStableFunc(out, func(a, b Trial) int { return cmp.Compare(a.Number, b.Number) })
	return out
}
