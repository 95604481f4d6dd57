package reports

import "fmt"

// An OwedRow says how much of what a group of samples was owed arrived, over all
// receivers of groups of one size.
type OwedRow struct {
	Group     string
	Receivers int64 // in the group; zero where the samples do not say
	Seeds     int
	Owed      int64
	Delivered int64 // exactly once, as far as owed
	Missing   int64
	Excess    int64 // counted beyond what was owed, which never happens unless counting is broken
}

// SummarizeOwed computes deliveries from samples of kind [KindDelivered] that
// are totals over receivers. receivers returns the group size of a sample.
func SummarizeOwed(samples []Sample, receivers func(*Sample) int64) []OwedRow {
	names, groups := grouped(samples, byGroup)
	var out []OwedRow
	for _, name := range names {
		sizes, bySizes := grouped(groups[name], receivers)
		for _, n := range sizes {
			row := OwedRow{Group: name, Receivers: n}
			for _, s := range bySizes[n] {
				row.add(s.N, int64(s.Value))
			}
			seeds, _ := grouped(bySizes[n], bySeed)
			row.Seeds = len(seeds)
			out = append(out, row)
		}
	}
	return out
}

func (row *OwedRow) add(owed, got int64) {
	row.Owed += owed
	row.Delivered += min(got, owed)
	row.Missing += max(owed-got, 0)
	row.Excess += max(got-owed, 0)
}

func (row OwedRow) verdict() Verdict {
	switch {
	case row.Owed == 0:
		return Verdict{NotMeasured, "not measured: nothing was owed"}
	case row.Excess > 0:
		return Verdict{Miss, fmt.Sprintf("misses: %s counted beyond what was owed", count(row.Excess))}
	case row.Missing > 0:
		return Verdict{Miss, fmt.Sprintf("misses by %s packets", count(row.Missing))}
	}
	return Verdict{Pass, "nothing missing"}
}

// owedFinding demands that everything arrived, in all groups of a stage.
func owedFinding(stage string, rows []OwedRow) Finding {
	f := Finding{
		ID: "delivery", What: "delivered exactly once, " + stage, Paper: "all of what is owed",
		Ours: "-", Verdict: Verdict{NotMeasured, "not measured"},
	}
	var total OwedRow
	for _, row := range rows {
		total.Owed += row.Owed
		total.Delivered += row.Delivered
		total.Missing += row.Missing
		total.Excess += row.Excess
	}
	if total.Owed > 0 {
		f.Ours, f.Verdict = count(total.Delivered)+" of "+count(total.Owed), total.verdict()
	}
	return f
}

// simDeliverySection is the delivery of the recovery stage, whose samples carry
// the size of the group as host.
func simDeliverySection(r *Result) Section {
	rows := SummarizeOwed(r.Select(StageRecovery, KindDelivered), func(s *Sample) int64 { return int64(s.Host) })
	s := Section{
		ID: "delivery-" + StageRecovery, Title: deliveryTitle, Stage: StageRecovery,
		Findings: []Finding{owedFinding(StageRecovery, rows)},
		Text: []string{"A packet is owed to every receiver that was joined when it was sent, exactly once. Missing is what " +
			"a receiver never got after repair."},
	}
	if len(rows) == 0 {
		return absent(s.ID, s.Title, s.Stage, s.Findings...)
	}
	t := Table{Caption: "Packets owed and delivered", Fold: true, Columns: []Column{
		text("group"), number("receivers"), number("seeds"), number("owed"), number("delivered exactly once"),
		number("missing"), text("verdict"),
	}}
	for _, row := range rows {
		t.Rows = append(t.Rows, []string{
			variantName(row.Group), count(row.Receivers), count(row.Seeds), count(row.Owed), count(row.Delivered),
			count(row.Missing), row.verdict().Text,
		})
		s.Bench = append(s.Bench, BenchLine{
			fmt.Sprintf("Delivery/stage=%s/group=%s/receivers=%d", StageRecovery, pathPart(row.Group), row.Receivers),
			max(row.Seeds, 1),
			[]BenchValue{{float64(row.Owed), "owed-packets"}, {float64(row.Missing), "missing-packets"}},
		})
	}
	s.Tables = []Table{t}
	return s
}
