package reports

import (
	"slices"
	"strings"
	"testing"
)

func TestDupPerLossByHand(t *testing.T) {
	c := SummarizeBySize([]Sample{
		{Group: "rel-loss/paper/A-L", Seed: 1, N: 16, Value: 1.2}, {Group: "rel-loss/paper/A-L", Seed: 1, N: 64, Value: 1.5},
		{Group: "rel-loss/paper/A-L", Seed: 1, N: 256, Value: 1.3},
	})[0]
	f := fig13aFinding(c)
	if f.What != "duplicates per loss, rel-loss/paper/A-L, most at 64 receivers" || f.Ours != "1.50" ||
		f.Verdict != (Verdict{Miss, "misses by +0.0 %"}) {
		t.Errorf("finding %+v: 1.5 is not less than 1.5", f)
	}
	c.Rows[1].Mean = 1.2
	if f = fig13aFinding(c); f.Ours != "1.30" || f.Verdict.State != Pass {
		t.Errorf("finding %+v", f)
	}
}

// Two seeds: 60 repairs within 100 ms, 25 within 600, 14 within 605, one within
// 3,000.
func TestRepairBinsByHand(t *testing.T) {
	bin := func(seed uint64, ms float64, n int64) Sample {
		return Sample{Group: "g", Seed: seed, N: n, Value: ms * 1e6}
	}
	samples := []Sample{
		bin(1, 605, 14), bin(1, 100, 50), bin(2, 100, 10), bin(2, 600, 25), bin(2, 3000, 1), bin(2, 9000, 0),
	}
	b := SummarizeRepairBins(samples)[0]
	if b.Total != 100 || len(b.Bins) != 4 || b.Bins[0] != (RepairBin{100e6, 60}) {
		t.Fatalf("bins %+v", b)
	}
	near(t, "within 600 ms", b.Share(600e6), 0.85)
	near(t, "within 2,400 ms", b.Share(2400e6), 0.99)
	for p, want := range map[float64]float64{0.5: 100, 0.6: 100, 0.61: 600, 0.85: 600, 0.86: 605, 0.99: 605, 1: 3000} {
		near(t, "percentile", b.P(p), want*1e6)
	}
	points := b.curve()
	if len(points) != 5 || points[0].Y != 0 || points[2].Y != 0.85 || points[2].X != 600 || points[4].Y != 1 {
		t.Errorf("curve %+v", points)
	}
	var many []Sample
	for i := range 5000 {
		many = append(many, bin(1, float64(5*i), 1))
	}
	if points = SummarizeRepairBins(many)[0].curve(); len(points) > curvePoints+2 || points[len(points)-1].Y != 1 {
		t.Errorf("%d points of a curve, expected at most %d up to all", len(points), curvePoints+2)
	}
	if got := SummarizeRepairBins([]Sample{bin(1, 5, 0)}); len(got) != 0 {
		t.Errorf("no repairs are a distribution: %+v", got)
	}
}

func TestRepairFindingsByHand(t *testing.T) {
	row := func(values ...float64) SizeRow {
		return SizeRow{N: 1024, PerSeed: perSeed(values...), Estimate: NewEstimate(values)}
	}
	f := repairSoonFinding(row(0.80, 0.86, 0.92), "g")
	if f.What != "repairs within 600 ms, g, 1,024 receivers" || f.Ours != "86.0 %" ||
		f.Verdict != (Verdict{Pass, "reached (+1.0 points), limit inside the interval"}) {
		t.Errorf("finding %+v", f)
	}
	whole := shares([]SizeCurve{{Rows: []SizeRow{row(0.9, 0.99, 0.96)}}})[0].Rows[0]
	if got := whole.spread(percent); got != "95 % CI 83.6 % to 100.0 %, 3 seeds" {
		t.Errorf("a share is written %q", got)
	}
	if f = repairSoonFinding(row(0.80), "g"); f.Verdict.State != Miss {
		t.Errorf("finding %+v", f)
	}
	f = repairMaxFinding(row(1.2e9, 3e9), "g")
	if f.Ours != "3.00 s" || f.Spread != "1.20 s to 3.00 s, 2 seeds" || f.Verdict != (Verdict{Miss, "misses by +25.0 %"}) {
		t.Errorf("finding %+v", f)
	}
	if f = repairMaxFinding(row(2.3e9), "g"); f.Verdict.State != Pass {
		t.Errorf("finding %+v", f)
	}
	if f = repairMaxFinding(SizeCurve{}.at(1024), "g"); f.Verdict.State != NotMeasured {
		t.Errorf("finding %+v", f)
	}
}

// Of the column of requests per drop with rel-loss, 16 is 20 % above the paper's
// 1.12 and 64 is half above its 1.07; nothing else was measured.
func TestRequestsByHand(t *testing.T) {
	perLoss := SummarizeBySize([]Sample{
		{Group: "rel-loss/paper/A-L", Seed: 1, N: 16, Value: 1.344},
		{Group: "rel-loss/paper/A-L", Seed: 1, N: 64, Value: 1.605},
		{Group: "rel-loss/paper/A-L", Seed: 1, N: 100, Value: 9},
	})
	most := SummarizeBySize([]Sample{{Group: "rel-random/paper/A-L", Seed: 1, N: 4096, Value: 0.84}})
	tables := SummarizeRequests(perLoss, most)
	if len(tables) != 1 || tables[0].Rest != "paper/A-L" || len(tables[0].Cells) != 20 {
		t.Fatalf("tables %+v, expected one with twenty values", tables)
	}
	want := []State{Pass, Miss, NotMeasured, NotMeasured, NotMeasured}
	for i, c := range tables[0].Cells[:5] {
		if c.verdict().State != want[i] || c.Paper != []float64{1.12, 1.07, 1.16, 1.18, 1.13}[i] {
			t.Errorf("cell %+v: %+v", c, c.verdict())
		}
	}
	f := tables[0].finding(0)
	if f.What != "requests per drop, rel-loss/paper/A-L, 16 to 4,096 receivers" ||
		f.Paper != "1.12 1.07 1.16 1.18 1.13" ||
		f.Ours != "1.34 1.60 - - -" || f.Verdict != (Verdict{Miss, "misses: 1 of 2 within 20 %"}) {
		t.Errorf("finding %+v", f)
	}
	f = tables[0].finding(3)
	if f.Verdict != (Verdict{Pass, "1 of 1 within 20 %"}) || !strings.HasSuffix(f.Ours, "0.840") {
		t.Errorf("finding %+v", f)
	}
	if f = tables[0].finding(1); f.Verdict.State != NotMeasured {
		t.Errorf("finding %+v", f)
	}
}

func TestOwedByHand(t *testing.T) {
	rows := SummarizeOwed([]Sample{
		{Group: "g", Seed: 1, Host: 16, N: 100, Value: 100}, {Group: "g", Seed: 2, Host: 16, N: 100, Value: 97},
		{Group: "g", Seed: 1, Host: 64, N: 10, Value: 11},
	}, func(s *Sample) int64 { return int64(s.Host) })
	want := []OwedRow{{"g", 16, 2, 200, 197, 3, 0}, {"g", 64, 1, 10, 10, 0, 1}}
	if !slices.Equal(rows, want) {
		t.Fatalf("rows %+v", rows)
	}
	f := owedFinding("recovery", rows[:1])
	if f.Ours != "197 of 200" || f.Verdict != (Verdict{Miss, "misses by 3 packets"}) {
		t.Errorf("finding %+v", f)
	}
	if f := owedFinding("recovery", rows); f.Verdict.State != Miss || !strings.Contains(f.Verdict.Text, "beyond") {
		t.Errorf("finding %+v", f)
	}
	if f := owedFinding("recovery", nil); f.Verdict.State != NotMeasured {
		t.Errorf("finding %+v", f)
	}
}
