package reports

import (
	"encoding/json"
	"html"
	"math"
	"regexp"
	"strings"
	"testing"

	"i3bench/loadgen/plan"
)

// planFigures makes figures up: shapes are plausible, nothing was measured.
func planFigures() plan.Measured {
	origin := plan.Origin{
		Date: "2026-11-22", Machine: "Synthetic CPU, 2 cores", Commit: "0123456789ab", Command: "made up",
	}
	m := plan.Measured{Calibrated: origin, Simulated: origin, Control: []float64{5000, 5500, 6000}}
	for _, payload := range []int{64, 1200} {
		for _, fan := range []int{1, 8} {
			each := 3000 + 2000/float64(fan) + float64(payload)/4
			m.Copies = append(m.Copies, plan.CopyCost{Fan: fan, Payload: payload, NS: []float64{each, 1.1 * each, 1.2 * each}})
		}
	}
	for i, n := range []float64{256, 1024, 4096, 256, 1024, 4096} {
		wobble := 0.9 + 0.05*float64(i%4)
		for name, v := range map[string]float64{
			plan.Depth: math.Log2(n) / 2, plan.Local: 0.7, plan.Hottest: 1.3, plan.Triggers: 4, plan.RestRequests: 0.3,
			plan.RestCopies: 0.5, plan.JoinPackets: 100, plan.Duplicates: 1, plan.Requests: 2,
		} {
			m.Observed = append(m.Observed, plan.Observed{
				Figure: name, Variant: "relays/A-M", Degree: 8, Receivers: n, Nodes: n / 64, Value: 1 + (v-1)*wobble,
			})
		}
	}
	return m
}

func planAnswer(t testing.TB) plan.Answer {
	t.Helper()
	m := planFigures()
	a, err := plan.Question{
		Demand: plan.Demand{
			Receivers: 1e6, Packets: 500, Bytes: 160, Churn: 0.2, Loss: 0.001, Variant: "relays/A-M", Degree: 8, Limit: 0.25,
		},
		Node:   plan.NodeType{Cores: 16, Bits: 25e9, Packets: 5e6, Memory: 64e9},
		Policy: plan.DefaultPolicy(), Measured: &m, Seed: 1, Draws: 2000,
	}.Solve()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestGoldenPlan(t *testing.T) { golden(t, "plan.golden", PlanText(planAnswer(t))) }

func TestGoldenPlanJSON(t *testing.T) {
	text, err := json.MarshalIndent(planAnswer(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.json.golden", string(text)+"\n")
}

func TestGoldenPlanPage(t *testing.T) {
	page, err := PlanHTML(planAnswer(t), []string{"bench", "plan", "--churn", "20%/h"})
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	style := regexp.MustCompile(`(?s)<style>.*</style>`)
	drawing := regexp.MustCompile(`(?s)<svg.*?</svg>`)
	golden(t, "plan.html.golden", drawing.ReplaceAllString(style.ReplaceAllString(text, "<style></style>"), "<svg></svg>"))
	for _, bad := range []string{"<script", " style=", "<link", "<img", "url(", "Not drawn", "NaN", "+Inf"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	for _, s := range planSections(planAnswer(t)) {
		if !strings.Contains(text, `id="`+s.ID+`"`) || !strings.Contains(text, html.EscapeString(s.Title)) {
			t.Errorf("the page lacks %q", s.Title)
		}
	}
}

// What results have takes the place of defaults, and says where it is from; the rest stays.
func TestPlanMeasured(t *testing.T) {
	base := planFigures()
	m := syntheticManifest()
	m.Command = []string{"bench", "plan", "--out", "/made/up", "--self"}
	self := openResult(t, m, capacitySamples())
	m.Command = []string{"bench", "micro"}
	copies := openResult(t, m, []Sample{
		{Stage: StageCopies, Kind: KindCopies, Group: "node-single", Seed: 1, N: 8, Level: 64, Value: 250_000},
		{Stage: StageCopies, Kind: KindCopies, Group: "node-single", Seed: 2, N: 8, Level: 64, Value: 200_000},
		{Stage: StageCopies, Kind: KindCopies, Group: "node-trains", Seed: 2, N: 8, Level: 64, Value: 1},
	})
	m.Parameters = map[string]string{ParamDegree: "4"}
	nodes := openResult(t, m, []Sample{
		{Stage: StageNodes, Kind: KindHottest, Group: "relays/A-M", Seed: 1, Host: 16, N: 1024, Value: 1.5},
		{Stage: StageRecovery, Kind: KindDupPerLoss, Group: "rel-loss/relays/A-M", Seed: 1, N: 64, Value: 0.4},
		{Stage: StageRecovery, Kind: KindDupPerLoss, Group: "rel-random/relays/A-M", Seed: 1, N: 64, Value: 9},
	})
	got := PlanMeasured(base, []*Result{self, copies, nodes})
	if len(got.Control) != 2 || got.Control[0] != 5000 {
		t.Errorf("a request costs %v, want that of the driver and of machines together", got.Control)
	}
	if len(got.Copies) != 1 || got.Copies[0].NS[0] != 4000 || got.Copies[0].NS[1] != 5000 {
		t.Errorf("copies %+v, want those of single datagrams", got.Copies)
	}
	want := []plan.Observed{
		{Figure: plan.Hottest, Variant: "relays/A-M", Degree: 4, Receivers: 1024, Nodes: 16, Value: 1.5},
		{Figure: plan.Duplicates, Variant: "relays/A-M", Degree: 4, Receivers: 64, Value: 0.4},
	}
	if len(got.Observed) != 2 || got.Observed[0] != want[0] || got.Observed[1] != want[1] {
		t.Errorf("%+v, want %+v", got.Observed, want)
	}
	if got.Calibrated.Command != "bench plan --self; bench micro" || got.Simulated.Command != "bench micro" {
		t.Errorf("%q and %q", got.Calibrated.Command, got.Simulated.Command)
	}
	if same := PlanMeasured(base, nil); len(same.Copies) != len(base.Copies) || same.Calibrated != base.Calibrated {
		t.Error("without results figures are others")
	}
}

// The nodes of groups have a row for each size and number.
func TestNodesSection(t *testing.T) {
	m := syntheticManifest()
	var list []Sample
	for seed := range uint64(3) {
		for k, kind := range nodesKinds {
			list = append(list, Sample{
				Stage: StageNodes, Kind: kind, Group: "paper/A-M", Seed: seed, Host: 16, N: 256, Value: float64(k) + float64(seed),
			})
		}
	}
	s := nodesSection(openResult(t, m, list))
	if len(s.Tables) != 1 || len(s.Tables[0].Rows) != 1 {
		t.Fatalf("%+v", s.Tables)
	}
	row := s.Tables[0].Rows[0]
	if row[0] != "paper/A-M" || row[1] != "256" || row[2] != "16" || !strings.HasPrefix(row[5], "3.00 ± ") {
		t.Errorf("%q, want means of three seeds", row)
	}
	if s := nodesSection(openResult(t, m, nil)); s.Absent == "" {
		t.Error("shows something of nothing")
	}
}
