package reports

import (
	"math"
	"testing"
)

// Two seeds at 64 and one common seed at 1,024, where the ratio is 5/20.
func TestRefreshGapByHand(t *testing.T) {
	var samples []Sample
	for _, v := range []struct {
		group string
		seed  uint64
		n     int64
		value float64
	}{
		{"refresh-unif/paper/A-M", 1, 64, 4},
		{"refresh-unif/paper/A-M", 1, 1024, 20},
		{"refresh-unif/paper/A-M", 2, 1024, 30},
		{"refresh-unif/paper/A-M", 1, 4096, 99}, // refresh-level has no such size
		{"refresh-level/paper/A-M", 1, 64, 3},
		{"refresh-level/paper/A-M", 1, 1024, 5},
		{"refresh-unif/other/A-M", 1, 64, 4}, // and no such variant
		{"owner-first/paper/A-M", 1, 1024, 1},
	} {
		samples = append(samples, Sample{Group: v.group, Seed: v.seed, N: v.n, Value: v.value})
	}
	gaps := SummarizeRefreshGap(SummarizeBySize(samples))
	if len(gaps) != 1 || gaps[0].Rest != "paper/A-M" || gaps[0].N != 1024 || gaps[0].Share.Seeds != 1 {
		t.Fatalf("gaps %+v, expected paper/A-M at 1,024 with one seed", gaps)
	}
	near(t, "ratio", gaps[0].Share.Mean, 0.25)
	f := refreshGapFinding(&gaps[0])
	if f.Ours != "0.250 (5.00 of 25.0)" || f.Verdict != (Verdict{Pass, "within the limit (-50.0 %)"}) {
		t.Errorf("finding %+v", f)
	}
	gaps[0].Share = NewEstimate([]float64{0.5})
	if f = refreshGapFinding(&gaps[0]); f.Verdict.State != Miss {
		t.Errorf("half is not below half: %+v", f)
	}
}

func TestRefreshMeanVerdict(t *testing.T) {
	for _, row := range []struct {
		group string
		value float64
		want  Verdict
	}{
		{"refresh-unif/paper/a", 1.3, Verdict{Pass, "between 1.3 and 2 (-13.3 %)"}},
		{"refresh-level/paper/a", 2, Verdict{Pass, "between 1.3 and 2 (+33.3 %)"}},
		{"refresh-level/paper/a", 2.1, Verdict{Miss, "misses 1.3 to 2 (+40.0 %)"}},
		{"refresh-unif/paper/a", 1.2, Verdict{Miss, "misses 1.3 to 2 (-20.0 %)"}},
		{"owner-first/paper/a", 1.2, Verdict{NotJudged, "not the paper's scheme (-20.0 %)"}},
	} {
		if got := refreshMeanFinding(treeCurve(row.group, 4096, 1, row.value)); got.Verdict != row.want {
			t.Errorf("%s %v: %+v, expected %+v", row.group, row.value, got.Verdict, row.want)
		}
	}
}

// The values are those of the paper's formulas worked out apart: for n = 1,
// 1/(0.5+0.25) = 1.333; for n = 72 and v = 150 ms, 1/(0.5+0.5/73) = 1.973 and
// 72*0.15/15 = 0.72; with refresh-level 1/(0.5+0.25/73) = 1.986 and
// 72*0.15/7.5 = 1.44, for any n from 72 on.
func TestExpectedRefreshesByHand(t *testing.T) {
	p := (&Result{}).formulaParams()
	for _, row := range []struct {
		scheme  string
		n, v, w float64
	}{
		{SchemeUniform, 1, 0, 4.0 / 3},
		{SchemeUniform, 72, 150e6, 1/(0.5+0.5/73) + 0.72},
		{SchemeLevel, 72, 150e6, 1/(0.5+0.25/73) + 1.44},
		{SchemeLevel, 65536, 150e6, 1/(0.5+0.25/73) + 1.44},
		{SchemeLevel, 1, 0, 1 / 0.625},
		{SchemeOwnerFirst, 1, 0, math.NaN()},
	} {
		near(t, row.scheme, p.expectedRefreshes(row.scheme, row.n, row.v), row.w)
	}
}

// Bucket 1: 90 triggers with 1.4 and 10 with 1.6; bucket 8: 20 with 3, of which
// v is known, and 30 with 2, of which it is not.
func TestRefreshSizesByHand(t *testing.T) {
	samples := []Sample{
		{Group: "refresh-unif/paper/x", Seed: 1, N: 1, Host: 90, Value: 1.4},
		{Group: "refresh-unif/paper/x", Seed: 2, N: 1, Host: 10, Value: 1.6},
		{Group: "refresh-unif/paper/x", Seed: 1, N: 8, Host: 20, Value: 3, ServiceNS: 300e6},
		{Group: "refresh-unif/paper/x", Seed: 2, N: 8, Host: 30, Value: 2},
	}
	f := summarizeRefreshSizes(samples, (&Result{}).formulaParams())[0]
	if len(f.Buckets) != 2 || f.Buckets[0].Triggers != 100 || !f.Known || !math.IsNaN(f.Buckets[0].Vulnerable) {
		t.Fatalf("formula %+v", f)
	}
	near(t, "v", f.Buckets[1].Vulnerable, 300e6)
	first, second := 4.0/3, 1/(0.5+0.5/9)+8*0.3/15
	near(t, "formula of 8", f.Buckets[1].Formula, second)
	near(t, "measured", f.Measured, (90*1.4+10*1.6+20*3+30*2)/150)
	near(t, "expected", f.Expected, (100*first+50*second)/150)
	// 1.5/1.333 and 2.5/1.960 by size; 1.747 of 1.542 in all.
	got := f.finding()
	if got.Spread != "by size +12.5 % to +27.6 %, 2 seeds" || got.Verdict != (Verdict{Pass, "within 20 % (+13.3 %)"}) {
		t.Errorf("finding %+v", got)
	}
	samples[0].Host, samples[1].Host = 0, 0
	got = summarizeRefreshSizes(samples[:2], (&Result{}).formulaParams())[0].finding()
	if got.Verdict.State != NotMeasured {
		t.Errorf("finding without triggers %+v", got)
	}
}
