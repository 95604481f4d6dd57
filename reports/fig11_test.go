package reports

import (
	"math"
	"testing"
)

// treeCurve is a curve of one group whose values at 16 and at a large size are
// given.
func treeCurve(group string, large int64, small, value float64) SizeCurve {
	return SummarizeBySize([]Sample{
		{Group: group, Seed: 1, N: 16, Value: small},
		{Group: group, Seed: 1, N: large, Value: value},
		{Group: group, Seed: 2, N: large, Value: value},
	})[0]
}

func TestTreeLimitsByHand(t *testing.T) {
	p90, stress := treeLimits[0], treeLimits[3]
	f := p90.finding(treeCurve("paper/A-M", 65536, 1, 3.85))
	if f.What != "90th percentile of the stretch, paper/A-M, 65,536 receivers" || f.Paper != "≤ 3.5" ||
		f.Ours != "3.85" || f.Verdict != (Verdict{Miss, "misses by +10.0 %"}) || f.Spread != "range 3.85 to 3.85, 2 seeds" {
		t.Errorf("finding %+v", f)
	}
	for _, row := range []struct {
		l    treeLimit
		n    int64
		v    float64
		want State
	}{
		{p90, 65536, 3.5, Pass}, // "does not exceed"
		{p90, 200_000, 3.6, Miss},
		{p90, 65535, 9, NotJudged}, // smaller than the paper's
		{stress, 65536, 49.5, Pass},
		{stress, 65536, 50, Miss}, // "less than"
	} {
		if got := row.l.finding(treeCurve("g", row.n, 1, row.v)); got.Verdict.State != row.want {
			t.Errorf("%s of %v at %d: %+v, expected %v", row.l.what, row.v, row.n, got.Verdict, row.want)
		}
	}
}

func TestTreeScoresByHand(t *testing.T) {
	curves := map[string][]SizeCurve{
		KindStretchP90: {treeCurve("a", 65536, 1, 3.4), treeCurve("b", 65536, 1, 3.6), treeCurve("small", 4096, 1, 1)},
		KindRAD:        {treeCurve("a", 65536, 1, 1.4), treeCurve("b", 65536, 1, 1.6), treeCurve("small", 4096, 1, 1)},
		KindRMD:        {treeCurve("a", 65536, 1, 1.4), treeCurve("b", 65536, 1, 1.2), treeCurve("small", 4096, 1, 1)},
		KindStressMax:  {treeCurve("a", 65536, 9, 51), treeCurve("b", 65536, 9, 20), treeCurve("small", 4096, 1, 1)},
	}
	scores := SummarizeTreeScores(curves)
	if len(scores) != 2 || scores[0].Met != 3 || scores[1].Met != 2 || scores[0].Missed[0] != "largest link stress" {
		t.Fatalf("scores %+v, expected a with 3 and b with 2 of 4", scores)
	}
	f := treeFinding(scores)
	if f.Ours != "3 of 4" || f.Verdict != (Verdict{Miss, "misses: a meets most, not largest link stress"}) {
		t.Errorf("finding %+v", f)
	}
	curves[KindStressMax][0] = treeCurve("a", 65536, 9, 49)
	f = treeFinding(SummarizeTreeScores(curves))
	if f.Ours != "4 of 4" || f.Verdict != (Verdict{Pass, "met by a"}) {
		t.Errorf("finding %+v", f)
	}
	if f = treeFinding(nil); f.Verdict.State != NotMeasured {
		t.Errorf("finding without large groups %+v", f)
	}
	curves[KindRMD] = nil // a figure that is absent is not one that is met
	if scores = SummarizeTreeScores(curves); len(scores) != 0 {
		t.Errorf("scores without RMD %+v", scores)
	}
}

// log_8 64 is 2 and log_8 4096 is 4: 16 and 32 queries.
func TestJoinCostByHand(t *testing.T) {
	curve := SummarizeBySize([]Sample{
		{Group: "g", Seed: 1, N: 64, Value: 8}, {Group: "g", Seed: 1, N: 4096, Value: 48},
	})
	rows := SummarizeJoinCost(curve, 8)["g"]
	near(t, "formula of 64", rows[0].Formula, 16)
	near(t, "formula of 4,096", rows[1].Formula, 32)
	if got := joinVerdict(rows); got != (Verdict{Pass, "1.50 times D log_D N at most, at 4,096 receivers"}) {
		t.Errorf("%+v", got)
	}
	rows[0].Mean = 33
	if got := joinVerdict(rows); got.State != Miss || got.Text != "misses: 2.06 times D log_D N at most, at 64 receivers" {
		t.Errorf("%+v", got)
	}
}

func TestReachByHand(t *testing.T) {
	r := SummarizeReach([]Sample{{N: 100}, {N: 1000, Value: 2}})
	f := r.finding()
	if f.Ours != "1,098 of 1,100" || f.Verdict != (Verdict{Miss, "misses by 2"}) || f.Spread != "2 trees" {
		t.Errorf("finding %+v", f)
	}
	if f := SummarizeReach([]Sample{{N: 100}}).finding(); f.Verdict.State != Pass {
		t.Errorf("finding %+v", f)
	}
}

func TestNumbersOfParameters(t *testing.T) {
	m := Manifest{Parameters: map[string]string{"a": "4", "b": "30s", "c": "-1", "d": "x", "e": "+Inf", "f": "NaN"}}
	for name, want := range map[string]float64{"a": 4, "b": 30, "c": 7, "d": 7, "e": 7, "f": 7, "none": 7} {
		if got := m.number(name, 7); got != want {
			t.Errorf("parameter %s is %v, expected %v", name, got, want)
		}
	}
	p := (&Result{}).formulaParams()
	if p.degree != 8 || p.period != 30e9 || p.alpha != 0.5 || p.betaUniform != 1 || p.betaLevel != 0.75 {
		t.Errorf("the paper's parameters %+v", p)
	}
}

// Sizes that are close to each other share a label.
func TestSizeAxis(t *testing.T) {
	a := sizeAxis([]int64{16, 64, 256, 1024, 1100, 4096, 65536})
	if len(a.Ticks) != 6 || a.Ticks[4] != 4096 || a.Format(65536) != "65,536" || a.Label == "" {
		t.Errorf("ticks %v", a.Ticks)
	}
	if a = sizeAxis([]int64{64}); len(a.Ticks) != 1 || math.IsNaN(a.Ticks[0]) {
		t.Errorf("ticks of one size %v", a.Ticks)
	}
}
