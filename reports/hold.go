package reports

import "fmt"

// refreshLimit is how many refreshes per trigger and T the project allows: the paper's figure 12 has about 1.5.
const refreshLimit = 2

const holdTitle = "Members held on sockets"

// A HoldRow is what members of a group on sockets cost, for each seed.
type HoldRow struct {
	Seed      uint64
	Members   int64
	Seconds   float64 // how long they were held
	Refreshes float64 // per trigger and T
	Bytes     float64 // in use, per member
	Peak      float64 // bytes of the members' process
	Least     float64 // triggers in the second in which there were fewest
	Want      float64 // triggers that ought to be there
	Expired   float64 // triggers
}

// Names of the counters that are judged.
const (
	HoldLeast   = "triggers of the group in the second with the fewest"
	HoldWant    = "triggers that ought to be there"
	HoldExpired = "triggers that expired"
)

// SummarizeHold collects the samples of [StageHold] by seed.
func SummarizeHold(r *Result) []HoldRow {
	var rows []HoldRow
	for _, s := range r.Select(StageHold, KindWallSeconds) {
		row := HoldRow{Seed: s.Seed, Members: s.N, Seconds: s.Value}
		for kind, to := range map[string]*float64{
			KindRefreshMean: &row.Refreshes, KindBytesPerReceiver: &row.Bytes, KindPeakBytes: &row.Peak,
		} {
			*to = valueOf(r.Select(StageHold, kind), func(t *Sample) bool { return t.Seed == s.Seed })
		}
		for name, to := range map[string]*float64{HoldLeast: &row.Least, HoldWant: &row.Want, HoldExpired: &row.Expired} {
			*to = valueOf(r.Select(StageHold, KindCount), func(t *Sample) bool { return t.Seed == s.Seed && t.Group == name })
		}
		rows = append(rows, row)
	}
	return rows
}

// valueOf returns the value of the last sample that a condition holds for, or 0.
func valueOf(samples []Sample, holds func(*Sample) bool) (v float64) {
	for i := range samples {
		if holds(&samples[i]) {
			v = samples[i].Value
		}
	}
	return v
}

func (row HoldRow) verdict() Verdict {
	switch {
	case row.Expired > 0:
		return Verdict{Miss, fmt.Sprintf("misses: %.0f triggers expired", row.Expired)}
	case row.Least < row.Want:
		return Verdict{Miss, fmt.Sprintf("misses: %.0f triggers were not there for a time", row.Want-row.Least)}
	case row.Refreshes > refreshLimit:
		return Verdict{Miss, fmt.Sprintf("misses by %.2f refreshes", row.Refreshes-refreshLimit)}
	}
	return Verdict{Pass, "all alive"}
}

func holdSection(r *Result) Section {
	rows := SummarizeHold(r)
	finding := Finding{ID: "hold", What: "triggers of members held on sockets", Paper: "all alive, ≤ 2 refreshes per T"}
	owed := SummarizeOwed(r.Select(StageHold, KindDelivered), func(*Sample) int64 { return 0 })
	if len(rows) == 0 {
		return absent("hold", holdTitle, StageHold, finding, owedFinding(StageHold, owed))
	}
	finding.Verdict = rows[0].verdict()
	for _, row := range rows[1:] {
		if v := row.verdict(); v.State == Miss {
			finding.Verdict = v
		}
	}
	finding.Ours = fmt.Sprintf("%s members, %.2f refreshes", count(rows[0].Members), rows[0].Refreshes)
	s := Section{
		ID: "hold", Title: holdTitle, Stage: StageHold, Findings: []Finding{finding, owedFinding(StageHold, owed)},
		Text: []string{"Members of one process, each with an address of its own, against i3 nodes in another. Each has " +
			"four triggers: its own, its link, and its places in a set and a repair group. Memory is what is in use after a " +
			"collection, for each member, beyond what was without any."},
		Tables: []Table{holdTable(rows), growthTable(r.Select(StageHold, KindJoin))},
	}
	for _, row := range rows {
		s.Bench = append(s.Bench, BenchLine{fmt.Sprintf("Hold/members=%d", row.Members), 1, []BenchValue{
			{row.Refreshes, "refreshes/T"}, {row.Bytes, "B/member"},
		}})
	}
	return s
}

func holdTable(rows []HoldRow) Table {
	t := Table{Caption: "Members held", Columns: []Column{
		number("members"), number("held"), number("triggers wanted"), number("fewest of any second"), number("expired"),
		number("refreshes per trigger and T"), number("memory per member"), number("peak of the process"), text("verdict"),
	}}
	for _, row := range rows {
		t.Rows = append(t.Rows, []string{
			count(row.Members), seconds(row.Seconds), whole(row.Want), whole(row.Least), whole(row.Expired),
			fmt.Sprintf("%.2f", row.Refreshes), bytesText(row.Bytes), bytesText(row.Peak), row.verdict().Text,
		})
	}
	return t
}

// growthTable says how the rate of joins falls as a group grows. Each level costs a join about as much as the
// others, so the rate times the level is what ought not to fall.
func growthTable(samples []Sample) Table {
	t := Table{Caption: "Growth of the group", Columns: []Column{
		number("members"), number("joins/s"), number("level"), number("joins/s × level"), number("CPU of members per join"),
	}}
	for _, s := range samples {
		t.Rows = append(t.Rows, []string{
			count(s.N), whole(s.Value), count(int64(s.Level)), whole(s.Value * float64(s.Level)),
			duration(float64(s.ServiceNS)),
		})
	}
	return t
}
