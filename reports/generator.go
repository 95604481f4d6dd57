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
	Late     float64      // how late the p99 may be, in nanoseconds
	Health   Health       // of platform and runtime
}

// SummarizeGenerator computes the self-check from samples of kind [KindLate] and
// the operations of the stage, given how late the p99 may be in nanoseconds.
func SummarizeGenerator(late []Sample, ops []LoadOp, limit float64) Generator {
	g := Generator{Lateness: NewDistribution(values(late), nil), Late: limit}
	for _, l := range ops {
		g.Offered += l.Offered
		g.Missed += l.Offered - int64(l.Sent)
	}
	return g
}

// generator computes the self-check of the load stage.
func (r *Result) generator() Generator {
	var ops []LoadOp
	for _, k := range loadOps {
		ops = append(ops, SummarizeLoad(k.op, r.Select(StageLoad, k.op), r.Select(StageLoad, KindOffered)))
	}
	late := float64(latenessLimitNS)
	if seconds := r.Manifest.number(ParamLate, 0); seconds > 0 {
		late = 1e9 * seconds
	}
	g := SummarizeGenerator(r.Select(StageLoad, KindLate), ops, late)
	g.Health = r.health(StageLoad)
	return g
}

// limit writes how late the generator may be.
func (g Generator) limit() string { return plain(g.Late/1e6) + " ms" }

// measured reports whether there is anything to judge.
func (g Generator) measured() bool { return g.Offered > 0 && g.Lateness.Count() > 0 }

// invalid says why the generator was the limit, or nothing.
func (g Generator) invalid() string {
	share := float64(g.Missed) / float64(g.Offered)
	switch {
	case !g.measured():
		return ""
	case share > UnsentLimit:
		return percent(share) + " of the operations were not sent, allowed 0.1 %"
	case g.Lateness.P(0.99) > g.Late:
		return "p99 lateness " + duration(g.Lateness.P(0.99)) + ", allowed " + g.limit()
	}
	return g.Health.invalid(g.Late)
}

// rows are the lines of the self-check.
func (g Generator) rows() [][]string {
	judge := func(ok bool) string { return map[bool]string{true: "ok", false: "INVALID"}[ok] }
	p99, share := g.Lateness.P(0.99), float64(g.Missed)/float64(g.Offered)
	return append([][]string{
		{"lateness, p99", duration(p99), "≤ " + g.limit(), judge(p99 <= g.Late)},
		{"operations not sent", count(g.Missed) + " of " + count(g.Offered), "≤ 0.1 %", judge(share <= UnsentLimit)},
	}, g.Health.rows(g.Late, false)...)
}

// verdict judges whether the run is valid.
func (g Generator) verdict() Verdict {
	if !g.measured() {
		return Verdict{NotMeasured, "not measured"}
	}
	if reason := g.invalid(); reason != "" {
		return Verdict{Miss, "INVALID: " + reason}
	}
	return Verdict{Pass, "VALID"}
}

const generatorTitle = "Generator self-check"

func generatorSection(r *Result) Section {
	finding := Finding{
		ID: "generator", What: "load generator on time",
	}
	g := r.generator()
	finding.Paper = "p99 lateness ≤ " + g.limit() + ", ≤ 0.1 % not sent"
	finding.Verdict = g.verdict()
	if finding.Verdict.State == NotMeasured {
		return absent("generator", generatorTitle, StageLoad, finding)
	}
	d := g.Lateness
	finding.Ours = fmt.Sprintf("p99 %s, %s not sent", duration(d.P(0.99)), count(g.Missed))
	return Section{
		ID: "generator", Title: generatorTitle, Stage: StageLoad, Findings: []Finding{finding},
		Text: []string{"How late operations started against their schedule. A run is INVALID if the p99 of the lateness is " +
			"above its limit (--late; by default 25 ms, 10 % of the 250 ms within which 99 % of joins should be done) or if " +
			"more than 0.1 % of the operations were never started.", healthText},
		Tables: []Table{checkTable(g.rows()), {
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
