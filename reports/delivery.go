package reports

import "fmt"

// A DeliveryRow says what became of the packets owed to the receivers of one
// variant: every packet sent while a receiver was joined is owed to it, exactly
// once.
type DeliveryRow struct {
	Variant    string
	Receivers  int
	Seeds      int
	Owed       int64
	Delivered  int64 // exactly once
	Missing    int64 // owed and not delivered exactly once
	Incomplete int   // receivers that miss any
	Excess     int64 // counted as delivered beyond what was owed: an error of the run
}

// SummarizeDelivery computes delivery from samples of kind [KindDelivered], a
// row per variant.
func SummarizeDelivery(samples []Sample) []DeliveryRow {
	variants, groups := grouped(samples, byGroup)
	var rows []DeliveryRow
	for _, v := range variants {
		row := DeliveryRow{Variant: v, Receivers: len(groups[v])}
		seeds, _ := grouped(groups[v], bySeed)
		row.Seeds = len(seeds)
		for _, s := range groups[v] {
			got := int64(s.Value)
			row.Owed += s.N
			row.Delivered += min(got, s.N)
			row.Missing += max(s.N-got, 0)
			row.Excess += max(got-s.N, 0)
			if got < s.N || s.Status == StatusMissing {
				row.Incomplete++
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// verdict judges one row.
func (row DeliveryRow) verdict() Verdict {
	switch {
	case row.Owed == 0:
		return Verdict{NotMeasured, "not measured: nothing was owed"}
	case row.Excess > 0:
		return Verdict{Miss, fmt.Sprintf("misses: %s counted beyond what was owed", count(row.Excess))}
	case row.Missing > 0:
		return Verdict{Miss, fmt.Sprintf("misses by %s packets at %d receivers", count(row.Missing), row.Incomplete)}
	case row.Incomplete > 0:
		return Verdict{Miss, fmt.Sprintf("misses: %d receivers marked missing", row.Incomplete)}
	}
	return Verdict{Pass, "nothing missing"}
}

const deliveryTitle = "Delivery after repair"

// deliverySection is the section of the delivery of one stage.
func deliverySection(stage string) func(*Result) Section {
	return func(r *Result) Section {
		id, what := "delivery-"+stage, "delivered exactly once, "+stage
		samples := r.Select(stage, KindDelivered)
		if len(samples) == 0 {
			return absent(id, deliveryTitle, stage, Finding{ID: "delivery", What: what, Paper: "all of what is owed"})
		}
		s := Section{
			ID: id, Title: deliveryTitle, Stage: stage,
			Text: []string{"A packet is owed to every receiver that was joined when it was sent, exactly once. Missing is " +
				"what a receiver never got, or got more than once, after repair."},
		}
		t := Table{
			Caption: "Packets owed and delivered",
			Columns: []Column{
				text("variant"), number("receivers"), number("seeds"), number("owed"),
				number("delivered exactly once"), number("missing"), number("receivers that miss any"),
			},
		}
		for _, row := range SummarizeDelivery(samples) {
			t.Rows = append(t.Rows, []string{
				variantName(row.Variant), count(row.Receivers), count(row.Seeds),
				count(row.Owed), count(row.Delivered), count(row.Missing), count(row.Incomplete),
			})
			f := Finding{
				ID: "delivery", What: what, Paper: "all of what is owed", Verdict: row.verdict(),
				Ours: count(row.Delivered) + " of " + count(row.Owed),
			}
			if row.Variant != "" {
				f.What += ", " + row.Variant
			}
			s.Findings = append(s.Findings, f)
			s.Bench = append(s.Bench, BenchLine{
				"Delivery/stage=" + stage + "/variant=" + pathPart(row.Variant), row.Receivers,
				[]BenchValue{{float64(row.Owed), "owed-packets"}, {float64(row.Missing), "missing-packets"}},
			})
		}
		s.Tables = []Table{t}
		return s
	}
}
