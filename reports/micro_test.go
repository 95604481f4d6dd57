package reports

import (
	"math"
	"slices"
	"strings"
	"testing"

	"i3bench/reports/chart"
)

// microSamples makes the samples of a run up: three rounds, of which one of the map's is busy, and all of the portable
// kernels' at the largest size. With others there are results of another run, which has a larger table, too.
func microSamples(others bool) (out []Sample) {
	times := []struct {
		group string
		ns    [3]float64 // by size
	}{
		{GroupKernel + "avx512", [3]float64{4, 6, 20}}, {GroupKernel + "avx2", [3]float64{5, 8, 22}},
		{GroupKernel + "portable", [3]float64{25, 28, 45}}, {GroupLimit, [3]float64{2, 3, 10}},
		{GroupMap, [3]float64{12, 24, 80}},
	}
	for round, factor := range []float64{1, 1.1, 0.95} {
		for i, n := range []int64{1000, 30_000, 1_000_000} {
			for _, hit := range []int{100, 50} {
				for _, w := range times {
					s := Sample{
						Stage: StageMicro, Kind: KindLookup, Group: w.group, Seed: uint64(round + 1), N: n, Level: hit,
						Value: w.ns[i] * factor, StartNS: 3e8, ServiceNS: 2.99e8, Status: StatusOK,
					}
					if w.group == GroupMap && round == 1 || w.group == GroupKernel+"portable" && i == 2 {
						s.Value, s.ServiceNS, s.Status = 10*s.Value, 1e8, StatusBusy
					}
					out = append(out, s)
				}
			}
		}
	}
	if !others {
		return out
	}
	for i, who := range []string{"limit", "matcher", "swiss", "dpdk-bulk64"} {
		for _, n := range []int64{1000, 1_000_000, 10_000_000} {
			out = append(out, Sample{
				Stage: StageMicro, Kind: KindLookupElsewhere, Group: who, Seed: 1, N: n, Level: 100, Status: StatusOK,
				Value: math.Round(float64(2+4*i) * math.Cbrt(float64(n)/100)),
			})
		}
	}
	return out
}

func microResult(t testing.TB, samples []Sample) *Result {
	t.Helper()
	m := syntheticManifest()
	m.Stages = []Stage{{Name: StageMicro, Status: Complete, Seconds: 40, Note: "made up"}}
	m.Parameters = map[string]string{ParamFrom: "some/where/tables.txt"}
	return openResult(t, m, samples)
}

// section returns the section of a result.
func section(t testing.TB, r *Result) Section {
	t.Helper()
	for _, s := range r.Sections() {
		if s.Stage == StageMicro {
			return s
		}
	}
	t.Fatal("reports: no section of look-ups")
	return Section{}
}

func TestGoldenMicro(t *testing.T) {
	r := microResult(t, microSamples(true))
	text := Text(r) + "\n" + strings.Join(section(t, r).Text, "\n\n") + "\n\n" + string(Bench(r))
	golden(t, "micro.golden", text)
}

func TestMicroByHand(t *testing.T) {
	busy := Sample{Group: "limit", N: 10, Level: 100, Value: 1, Status: StatusBusy}
	own := []Sample{
		{Group: GroupKernel + "b", N: 100, Level: 100, Value: 3, Status: StatusOK},
		{Group: GroupKernel + "b", N: 10, Level: 100, Value: 1, Status: StatusOK},
		{Group: GroupKernel + "a", N: 10, Level: 100, Value: 4, Status: StatusOK},
		{Group: GroupKernel + "b", N: 10, Level: 100, Value: 5, Status: StatusOK},
		{Group: GroupKernel + "b", N: 10, Level: 100, Value: 2, Status: StatusOK}, busy, busy,
	}
	elsewhere := []Sample{
		{Group: "z", N: 10, Level: 100, Value: 6, Status: StatusOK},
		{Group: "limit", N: 10, Level: 50, Value: 1, Status: StatusOK},
	}
	views := microViews(SummarizeMicro(own, elsewhere))
	if len(views) != 2 || views[0].hit != 100 || views[1].hit != 50 {
		t.Fatalf("reports: views %+v, want 100 and 50 %% hits", views)
	}
	v := views[0]
	want := []microWho{{GroupKernel + "b", false}, {GroupKernel + "a", false}, {"limit", false}, {"z", true}}
	if !slices.Equal(v.who(), want) || v.ours() != want[0] || !slices.Equal(v.sizes(), []int64{10, 100}) {
		t.Errorf("reports: %v measured, ours %v, sizes %v", v.who(), v.ours(), v.sizes())
	}
	row := v.at(want[0], 10)
	if !slices.Equal(row.Times, []float64{1, 2, 5}) || row.Median() != 2 || row.half() != 3 {
		t.Errorf("reports: %+v, want the rounds 1, 2, 5", row)
	}
	near(t, "kernel a / ours", v.ratio(want[1], 10), 2)
	near(t, "z / ours", v.ratio(want[3], 10), 3)
	near(t, "z / ours where z was not measured", v.ratio(want[3], 100), math.NaN())
	limit := v.at(want[2], 10)
	if limit.Busy != 2 || len(limit.Times) != 0 || limit.cell() != "busy" {
		t.Errorf("reports: limit %+v, %s, want two busy rounds and no other", limit, limit.cell())
	}
	if cell := (MicroRow{Times: []float64{2}, Busy: 1}).cell(); cell != "2.00 (2.00–2.00)*" {
		t.Errorf("reports: cell %q, want it marked", cell)
	}
	none := microView{100, []MicroRow{{Group: GroupKernel + "b", N: 10, Hit: 100, Busy: 2}}}.finding()
	if none.Verdict.State != NotJudged || !strings.Contains(none.Verdict.Text, "no measurement of matcher b counts") {
		t.Errorf("reports: finding %+v of busy rounds only, want it to say so", none)
	}
	if lines := microBench(append(own, busy)); len(lines) != 5 {
		t.Errorf("reports: %d lines for benchstat, want the 5 that count", len(lines))
	}
}

// The chart has its axes, a series for each who was measured, and the other run's dashed and named so.
func TestMicroChart(t *testing.T) {
	figures := section(t, microResult(t, microSamples(true))).Figures
	if len(figures) != 2 {
		t.Fatalf("reports: %d figures, want one for each share of hits", len(figures))
	}
	c := figures[0].Chart
	if c.X.Scale != chart.Log || c.Y.Scale != chart.Log || !strings.Contains(c.Y.Label, "ns") || c.X.Label == "" {
		t.Errorf("reports: axes %+v and %+v, want both logarithmic and named", c.X, c.Y)
	}
	var dashed []string
	type look struct {
		ink    chart.Ink
		glyph  chart.Glyph
		dashed bool
	}
	looks, inks := make(map[look]bool), make(map[chart.Ink]bool)
	for i, s := range c.Series {
		looks[look{s.Ink, s.Glyph, s.Dashed}] = true
		if i < 5 {
			inks[s.Ink] = true
		}
		if s.Dashed {
			dashed = append(dashed, s.Name)
		}
	}
	others := []string{"dpdk-bulk64 (other run)", "limit (other run)", "matcher (other run)", "swiss (other run)"}
	if len(c.Series) != 9 || !slices.Equal(dashed, others) {
		t.Errorf("reports: %d series, dashed %q, want 9, and %q", len(c.Series), dashed, others)
	}
	if len(looks) != 9 || len(inks) != 5 {
		t.Errorf("reports: %d looks of 9 series, %d inks of our 5, want each to have its own", len(looks), len(inks))
	}
	near3 := section(t, microResult(t, []Sample{
		{Stage: StageMicro, Kind: KindLookup, Group: GroupLimit, N: 10, Level: 100, Value: 1, Status: StatusOK},
		{Stage: StageMicro, Kind: KindLookup, Group: GroupMap, N: 10, Level: 100, Value: 3, Status: StatusOK},
	})).Figures[0].Chart
	if near3.Y.Scale != chart.Linear {
		t.Error("reports: a logarithmic axis for figures of 1 and 3 ns, want a linear one")
	}
}

// What an interrupt leaves, down to a single sample, makes every form of the report.
func TestMicroOfAnyPart(t *testing.T) {
	all := microSamples(true)
	for i := range all {
		for _, part := range [][]Sample{all[:i], all[i : i+1]} {
			r := microResult(t, part)
			page, text := mustHTML(t, r), Text(r)+string(Bench(r))
			for _, bad := range []string{"Not drawn", "NaN", "Inf"} {
				if strings.Contains(page, bad) || strings.Contains(text, bad) {
					t.Fatalf("reports: samples %d: the report says %s", i, bad)
				}
			}
		}
	}
}

func TestSizeName(t *testing.T) {
	for n, want := range map[int64]string{1: "1", 100: "100", 1000: "1e3", 1024: "1024", 2_500_000: "25e5", 1e7: "1e7"} {
		if got := sizeName(n); got != want {
			t.Errorf("reports: %d is named %s, want %s", n, got, want)
		}
	}
}
