package reports

import (
	"slices"
	"strings"
	"testing"

	"i3bench/internal/deliverylines"
)

// copiesSamples makes the samples of a run up: two rounds of a node and of others, and of another run a peer, the node
// that it is compared with, one that we measure ourselves, and senders with their limit.
func copiesSamples() (out []Sample) {
	add := func(kind, who string, fan, size int, rates ...float64) {
		for round, rate := range rates {
			out = append(out, Sample{
				Stage: StageCopies, Kind: kind, Group: who, Seed: uint64(round + 1), N: int64(fan), Level: size, Value: rate,
				StartNS: 3e8, ServiceNS: 2e8,
			})
		}
	}
	for _, fan := range []int{1, 8, 64} {
		for _, size := range []int{64, 512} {
			rate := 1e6 * float64(1000-size) / 500
			add(KindCopies, ourCopies, fan, size, 4*rate, 6*rate)
			add(KindCopies, deliverylines.Node, fan, size, 2*rate, 2.5*rate)
			add(KindCopies, deliverylines.Plain, fan, size, 0.2*rate, 0.3*rate)
		}
	}
	for _, fan := range []int{8, 64} {
		add(KindCopiesElsewhere, ourCopies, fan, 512, 8e6, 8e6)
		add(KindCopiesElsewhere, deliverylines.Plain, fan, 512, 1e6)
		add(KindCopiesElsewhere, deliverylines.NATS, fan, 512, 2e6, 4e6)
		add(KindCopiesSent, deliverylines.Train, fan, 512, 18e6, 19e6, 20e6)
		add(KindCopiesSent, deliverylines.Train+deliverylines.OfC, fan, 512, 20e6, 20e6, 20e6)
		add(KindCopiesSent, deliverylines.Train+deliverylines.OfGo, fan, 512, 3e5, 3e5, 3e5)
	}
	return out
}

func copiesResult(t testing.TB, samples []Sample) *Result {
	t.Helper()
	m := syntheticManifest()
	m.Stages = []Stage{{Name: StageCopies, Status: Complete, Seconds: 40, Note: "made up"}}
	return openResult(t, m, samples)
}

func TestGoldenCopies(t *testing.T) {
	r := copiesResult(t, copiesSamples())
	golden(t, "copies.golden", Text(r)+"\n"+string(Bench(r)))
}

// Of another run there is whom we did not measure, compared with the node of that run and not with ours.
func TestCopiesByHand(t *testing.T) {
	sections := copiesResult(t, copiesSamples()).Sections()
	i := slices.IndexFunc(sections, func(s Section) bool { return s.ID == "copies" })
	s := sections[i]
	if len(s.Figures) != 2 || len(s.Tables) != 2 || len(s.Findings) != 2 {
		t.Fatalf("reports: %d figures, %d tables, %d findings, want two of each", len(s.Figures), len(s.Tables),
			len(s.Findings))
	}
	var names []string
	for _, series := range s.Figures[1].Chart.Series {
		names = append(names, series.Name)
		if dashed := strings.HasSuffix(series.Name, "(other run)"); dashed != series.Dashed {
			t.Errorf("reports: %s dashed: %v", series.Name, series.Dashed)
		}
	}
	if want := []string{"node", "Go write per copy", "NATS (other run)"}; !slices.Equal(names, want) {
		t.Fatalf("reports: series %v, want %v", names, want)
	}
	nats := s.Figures[1].Chart.Series[2].Points
	if len(nats) != 2 || nats[0].X != 8 {
		t.Fatalf("reports: NATS at %+v, want 8 and 64 receivers", nats)
	}
	near(t, "node of the other run / NATS", nats[0].Y, 8./3)
	near(t, "node / plain", s.Figures[1].Chart.Series[1].Points[0].Y, 20)
	if f := s.Findings[1]; f.Verdict.Text != "20.0 times Go write per copy, 2.67 times NATS (other run)" {
		t.Errorf("reports: finding %+v", f)
	}
}

// A run without a file of others has no limit, and says how to come by one; one without samples has nothing.
func TestCopiesAbsent(t *testing.T) {
	nothing := Sample{Stage: StageCopies, Kind: KindCopies, Group: ourCopies, Seed: 1, N: 8, Level: 64}
	if text := Text(copiesResult(t, []Sample{nothing})); !strings.Contains(text, "no samples for this") {
		t.Errorf("reports: of a round in which nothing arrived:\n%s", text)
	}
	own := slices.DeleteFunc(copiesSamples(), func(s Sample) bool { return s.Kind != KindCopies })
	r := copiesResult(t, own)
	if text := Text(r); !strings.Contains(text, "make delivery") || strings.Contains(text, "(other run)") {
		t.Errorf("reports:\n%s", text)
	}
	text := Text(copiesResult(t, nil))
	if !strings.Contains(text, copiesTitle) || !strings.Contains(text, "no samples for this") {
		t.Errorf("reports:\n%s", text)
	}
}
