package reports

import (
	"math"
	"slices"
	"strings"
	"testing"

	"i3bench/loadgen/find"
)

// findObjectives are those of the made-up search.
var findObjectives = []string{"join.p99<60ms", "repair.p99<60ms", "join.errors<1%", "join.backlog<1%"}

// findSamples makes the samples of a search up: of a system that does 300 joins per second, and repairs as many as one
// likes, and a generator that was late in the third trial. It returns the result of the search too.
func findSamples(t testing.TB) (out []Sample, result find.Result) {
	t.Helper()
	var list []Objective
	for i, text := range findObjectives {
		o, err := ParseObjective(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
		out = append(out, Sample{Stage: StageFind, Kind: KindObjective, Group: text, Host: i, Value: o.Limit})
	}
	result, err := find.Run(find.Config{
		Objectives: Bounds(list), Min: 40, Max: 2000, Long: 1, Short: 0.5, Confidence: 0.75, Precision: 0.1,
	}, func(p find.Plan) (find.Outcome, error) {
		trial, joins, repairs, late := findTrial(p)
		out = slices.Concat(out, joins, repairs, late, []Sample{trial})
		return SummarizeTrial(trial, joins, repairs, late).Outcome(list, LateLimit(list)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, result
}

// findTrial makes the samples of a trial up.
func findTrial(p find.Plan) (trial Sample, joins, repairs, late []Sample) {
	const capacity = 300.0
	n := int(p.Rate * p.Seconds)
	for i := range n {
		at := p.Seconds * float64(i) / float64(n)
		wait := 0.004 + 0.002*float64(i%7)
		if p.Rate > capacity {
			wait += at * (p.Rate/capacity - 1)
		} else {
			wait += 0.002 / (1 - p.Rate/capacity)
		}
		s := Sample{
			Stage: StageFind, Kind: KindJoin, Level: p.Number, Status: StatusOK, StartNS: int64(1e9 * at),
			Value: math.Round(1e9 * wait), ServiceNS: int64(1e9 * wait),
		}
		if wait > 0.5 {
			s.Status = StatusTimeout
		}
		joins = append(joins, s)
		s.Kind, s.Status, s.Value = KindRepair, StatusOK, 2e7
		repairs = append(repairs, s)
		lateness := 1e5 * float64(1+i%3)
		if p.Number == 2 {
			lateness = 7e6
		}
		late = append(late, Sample{
			Stage: StageFind, Kind: KindLate, Group: KindJoin, Level: p.Number, StartNS: s.StartNS, Value: lateness,
		})
	}
	system := map[bool]string{true: SystemNew, false: SystemKept}[p.Number == 0]
	return Sample{
		Stage: StageFind, Kind: KindTrial, Level: p.Number, Group: p.Purpose.String(), Status: system, Value: p.Rate,
		StartNS: int64(1e9 * p.Seconds), ServiceNS: int64(1e9 * (p.Seconds + 0.1)),
	}, joins, repairs, late
}

func findResult(t testing.TB, samples []Sample) *Result {
	t.Helper()
	m := syntheticManifest()
	m.Stages = []Stage{{Name: StageFind, Status: Complete, Seconds: 40, Note: "made up"}}
	m.Parameters = map[string]string{
		ParamFindMin: "40", ParamFindMax: "2000", ParamFindTrial: "1s", ParamFindFirst: "500ms",
		ParamFindConfidence: "0.75", ParamFindPrecision: "0.1",
	}
	return openResult(t, m, samples)
}

func TestGoldenFind(t *testing.T) {
	samples, _ := findSamples(t)
	r := findResult(t, samples)
	golden(t, "find.golden", Text(r)+"\n"+string(Bench(r)))
}

// The report says what the search said, from the raw samples alone.
func TestFindSaysWhatTheSearchSaid(t *testing.T) {
	samples, want := findSamples(t)
	f, err := findResult(t, samples).search()
	if err != nil {
		t.Fatal(err)
	}
	got := append([]find.Answer{f.result.All}, f.result.Answers...)
	for i, a := range append([]find.Answer{want.All}, want.Answers...) {
		g := got[i]
		if g.State != a.State || g.Lower != a.Lower || g.Upper != a.Upper || g.Confidence != a.Confidence {
			t.Errorf("%q: %v, %v to %v (%v), the search said %v, %v to %v (%v)", a.Name, g.State, g.Lower, g.Upper,
				g.Confidence, a.State, a.Lower, a.Upper, a.Confidence)
		}
	}
	if all := want.All; all.State != find.Found || all.Lower > 300 || all.Upper < 250 {
		t.Errorf("the made-up search: %+v", all)
	}
	if a := want.Answers[1]; a.State != find.AtLeast || a.Lower != 2000 {
		t.Errorf("repairs of the made-up search: %+v", a)
	}
	if why := f.trials[2].Invalid(f.lateLimit); why != "p99 lateness 7.00 ms, allowed 6.00 ms" {
		t.Errorf("the third trial is invalid: %q", why)
	}
}

// The section has the curves with the limits and ends, and all trials; every chart can be drawn.
func TestFindSection(t *testing.T) {
	samples, want := findSamples(t)
	s := findSection(findResult(t, samples))
	if len(s.Tables) != 2 || len(s.Tables[0].Rows) != 5 || len(s.Tables[1].Rows) != len(want.Trials) {
		t.Fatalf("%d tables", len(s.Tables))
	}
	for i, row := range s.Tables[1].Rows {
		if len(row) != len(s.Tables[1].Columns) {
			t.Errorf("trial %d has %d cells, want %d", i, len(row), len(s.Tables[1].Columns))
		}
	}
	if len(s.Figures) != 2 || len(s.Figures[0].Chart.Series) != 4 || len(s.Figures[0].Chart.Marks) != 4 {
		t.Errorf("%d figures", len(s.Figures))
	}
	for _, f := range s.Figures {
		if _, err := f.Chart.SVG(f.ID); err != nil {
			t.Error(err)
		}
	}
	page := mustHTML(t, findResult(t, samples))
	for _, part := range []string{"find-latency", "find-achieved", "lateness 7.00 ms", "no rate up to the largest fails"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
}

// A search that was broken off is told as far as it came: a trial without its end does not count.
func TestFindCutOff(t *testing.T) {
	samples, _ := findSamples(t)
	third := 0
	cut := slices.IndexFunc(samples, func(s Sample) bool {
		if s.Kind == KindTrial {
			third++
		}
		return third == 4
	})
	f, err := findResult(t, samples[:cut]).search()
	if err != nil || len(f.trials) != 3 || f.result.All.State != find.Open || f.result.All.Lower != 80 {
		t.Errorf("%v, %d trials, %+v", err, len(f.trials), f.result.All)
	}
	if s := findSection(findResult(t, samples[:4])); s.Absent == "" {
		t.Error("a search without trials is not absent")
	}
	bad := []Sample{{Stage: StageFind, Kind: KindObjective, Group: "join.p98<1s", Value: 1}, samples[cut]}
	if s := findSection(findResult(t, bad)); !strings.Contains(s.Absent, "p98") {
		t.Errorf("an objective that nobody knows: %q", s.Absent)
	}
}

func TestObjectivesAreRead(t *testing.T) {
	for text, want := range map[string]Objective{
		"join.p99<250ms":     {Op: KindJoin, Measure: "p99", Limit: 250e6},
		"repair.p99.9<1.5s":  {Op: KindRepair, Measure: "p99.9", Limit: 1.5e9},
		"join.errors<0.1%":   {Op: KindJoin, Measure: "errors", Limit: 0.001},
		"join.backlog<0.02":  {Op: KindJoin, Measure: "backlog", Limit: 0.02},
		"repair.max<10s":     {Op: KindRepair, Measure: "max", Limit: 1e10},
		"repair.errors<100%": {Op: KindRepair, Measure: "errors", Limit: 1},
	} {
		want.Text = text
		if got, err := ParseObjective(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"": "want an operation", "join.p99": "want an operation", "p99<1s": "want an operation",
		"leave.p99<1s": "want join or repair", "join.p98<1s": "want p50", "join.p99<250": "want a duration",
		"join.p99<-1s": "want a duration", "join.errors<1s": "want a share", "join.errors<0": "want a share",
		"join.errors<101%": "want a share", "join.backlog<nan": "want a share",
	} {
		if _, err := ParseObjective(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

// Values of a trial worked out by hand, failures among them.
func TestTrialByHand(t *testing.T) {
	var joins []Sample
	for i := range 100 {
		s := Sample{StartNS: int64(i) * 1e7, Value: float64(i+1) * 1e6, Status: StatusOK}
		if i == 99 {
			s.Status = StatusTimeout
		}
		joins = append(joins, s)
	}
	trial := SummarizeTrial(Sample{Value: 100, StartNS: 1e9, N: 1}, joins, nil, joins)
	for text, want := range map[string]float64{
		"join.p50<1s": 50e6, "join.p99<1s": 99e6, "join.max<1s": math.Inf(1), "join.errors<1%": 0.01,
		"repair.p99<1s": math.NaN(),
	} {
		o, err := ParseObjective(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := trial.Value(o); math.Abs(got-want) > 1e-9 || math.IsNaN(got) != math.IsNaN(want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if got := trial.Invalid(99e6); got != "1.0 % not sent" {
		t.Errorf("one of 101 was not sent: %q", got)
	}
	trial.Unsent = 0
	if got := trial.Invalid(99e6); got != "" {
		t.Errorf("on time: %q", got)
	}
	if got := trial.Invalid(98e6); got != "p99 lateness 99.0 ms, allowed 98.0 ms" {
		t.Errorf("late: %q", got)
	}
	if got := (Trial{}).Invalid(1); got != "nothing was offered" {
		t.Errorf("nothing: %q", got)
	}
	lengths, each := underWay(joins, 1)
	if each != 0.005 || len(lengths) != underWayPoints || lengths[0] != 0 || lengths[199] == 0 {
		t.Errorf("%d lengths %v s apart, the first %v", len(lengths), each, lengths[0])
	}
}
