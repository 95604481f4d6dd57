package reports

import (
	"fmt"
)

// Limits of the generator's self-check. Latency counts from the intended time,
// so a late generator makes the system look slower, never faster; beyond these
// limits the run says more about the generator than about the system.
const (
	// latenessLimitNS is 10 % of the 250 ms within which the project wants 99 %
	// of joins done.
	latenessLimitNS = 25e6
	// UnsentLimit is the share of offered operations that may stay unsent.
	UnsentLimit = 0.001
)

// A Generator describes how well the load generator kept its schedule.
type Generator struct {
	Lateness Distribution // actual start minus intended time, in nanoseconds
	Offered  int64        // operations that the schedule asked for
	Missed   int64        // operations never started
}

// SummarizeGenerator computes the self-check from samples of kind [KindLate] and
// the operations of the stage.
func SummarizeGenerator(late []Sample, ops []LoadOp) Generator {
	g := Generator{Lateness: NewDistribution(values(late), nil)}
	for _, l := range ops {
		g.Offered += l.Offered
		g.Missed += l.Offered - int64(l.Sent)
	}
	return g
}

// verdict judges whether the run is valid.
func (g Generator) verdict() Verdict {
	share := float64(g.Missed) / float64(g.Offered)
	switch {
	case g.Offered == 0 || g.Lateness.Count() == 0:
		return Verdict{NotMeasured, "not measured"}
	case share > UnsentLimit:
		return Verdict{Miss, fmt.Sprintf("INVALID: %s of the operations were not sent, allowed 0.1 %%", percent(share))}
	case g.Lateness.P(0.99) > latenessLimitNS:
		return Verdict{Miss, fmt.Sprintf("INVALID: p99 lateness %s, allowed 25 ms", duration(g.Lateness.P(0.99)))}
	}
	return Verdict{Pass, "VALID"}
}

const generatorTitle = "Generator self-check"

func generatorSection(r *Result) Section {
	finding := Finding{
		ID: "generator", What: "load generator on time",
		Paper: "p99 lateness ≤ 25 ms, ≤ 0.1 % not sent",
	}
	var ops []LoadOp
	for _, k := range loadOps {
		ops = append(ops, SummarizeLoad(k.op, r.Select(StageLoad, k.op), r.Select(StageLoad, KindOffered)))
	}
	g := SummarizeGenerator(r.Select(StageLoad, KindLate), ops)
	finding.Verdict = g.verdict()
	if finding.Verdict.State == NotMeasured {
		return absent("generator", generatorTitle, StageLoad, finding)
	}
	d := g.Lateness
	finding.Ours = fmt.Sprintf("p99 %s, %s not sent", duration(d.P(0.99)), count(g.Missed))
	return Section{
		ID: "generator", Title: generatorTitle, Stage: StageLoad, Findings: []Finding{finding},
		Text: []string{"How late operations started against their schedule. A run is INVALID if the p99 of the lateness is " +
			"above 25 ms (10 % of the 250 ms within which 99 % of joins should be done) or if more than 0.1 % of the " +
			"operations were never started."},
		Tables: []Table{{
			Caption: "Lateness of the generator",
			Columns: []Column{
				number("operations"), number("mean"), number("p50"), number("p99"), number("max"),
				number("not sent"),
			},
			Rows: [][]string{{
				count(d.Count()), duration(d.Mean()), duration(d.P(0.5)), duration(d.P(0.99)),
				duration(d.Max()), count(g.Missed),
			}},
		}},
		Bench: []BenchLine{{"Load/generator", d.Count(), []BenchValue{
			{d.P(0.5), "p50-late-ns"},
			{d.P(0.99), "p99-late-ns"},
			{float64(g.Missed), "unsent"},
		}}},
	}
}
