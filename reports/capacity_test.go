package reports

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// capacitySamples makes samples up: 1,000 datagrams a second at rest and 50 for a join with its repair, 5 µs each in
// all, and 25 µs for each operation, on two processors. See TestPredictByHand of loadgen/plan: 6,631 joins a second.
func capacitySamples() (out []Sample) {
	add := func(kind, group string, value float64) {
		out = append(out, Sample{Stage: StageCapacity, Kind: kind, Group: group, Value: value})
	}
	add(KindGiven, GivenCores, 2)
	add(KindGiven, GivenPool, 160)
	add(KindGiven, GivenLimit, 250e6)
	for _, rate := range []int64{1, 1000, 2000, 4000} {
		for _, delay := range []int64{200_000, 1_000_000, 4_000_000} {
			s := Sample{Stage: StageCapacity, Kind: KindWork, Group: GroupBoth, N: rate, ServiceNS: delay}
			s.Value = 1000 + 50*float64(rate)
			out = append(out, s)
			s.Kind, s.Value = KindBusy, float64(rate)*(0.005+10*float64(delay)/1e9)
			out = append(out, s)
		}
	}
	for round := range uint64(2) {
		s := Sample{Stage: StageCapacity, Seed: round + 1, N: 100_000, StartNS: 1e9, ServiceNS: 2e9}
		s.Kind, s.Value = KindMachine, 1000
		out = append(out, s)
		s.Kind, s.Value = KindCarry, 4000
		out = append(out, s)
		s.Kind, s.Value = KindGenerate, 25_000
		out = append(out, s)
	}
	return out
}

func capacityResult(t testing.TB, more ...Sample) *Result {
	t.Helper()
	m := syntheticManifest()
	m.Stages = []Stage{{Name: StageCapacity, Status: Complete, Seconds: 20, Note: "made up"}}
	m.Parameters = nil
	return openResult(t, m, append(capacitySamples(), more...))
}

func TestGoldenCapacity(t *testing.T) {
	r := capacityResult(t, FoundSamples(5000, 6000, true)...)
	golden(t, "capacity.golden", Text(r)+"\n"+string(Bench(r)))
}

// What was found is compared, if both ends are confirmed, and the verdict is by the bound.
func TestCapacityVerdicts(t *testing.T) {
	for _, row := range []struct {
		lower, upper float64
		confirmed    bool
		state        State
		text         string
	}{
		{6000, 7000, true, Pass, "+2.3 %"},
		{5000, 5500, true, Miss, "+26.5 %"},
		{9000, 9500, true, Miss, "-28.3 %"},
		{6000, 7000, false, NotJudged, "not confirmed"},
		{6000, math.Inf(1), false, NotJudged, "nothing was found"},
		{0, 0, false, NotJudged, "nothing was found"},
	} {
		var found []Sample
		if row.lower > 0 {
			found = FoundSamples(row.lower, row.upper, row.confirmed)
		}
		f := capacitySection(capacityResult(t, found...)).Findings[0]
		if f.Verdict.State != row.state || !strings.Contains(f.Verdict.Text, row.text) {
			t.Errorf("%v to %v, %v: %v, %q; want %v, %q", row.lower, row.upper, row.confirmed, f.Verdict.State, f.Verdict.Text,
				row.state, row.text)
		}
	}
}

// A program that got next to nothing of the machine has no rate now, and the page has no figure that is none.
func TestCapacityOfNothing(t *testing.T) {
	list := capacitySamples()
	for i := range list {
		if list[i].Kind == KindCarry {
			list[i].ServiceNS = 1e6
		}
	}
	m := syntheticManifest()
	m.Stages = []Stage{{Name: StageCapacity, Status: Complete}}
	r := openResult(t, m, append(list, FoundSamples(5000, 6000, true)...))
	if f := capacitySection(r).Findings[0]; f.Verdict.State != Miss || !strings.Contains(f.Ours, "0/s") {
		t.Errorf("%+v", f)
	}
	if page := mustHTML(t, r); strings.Contains(page, "NaN") || strings.Contains(page, "Not drawn") {
		t.Error("the page has figures that are no numbers")
	}
}

// A run that has searched itself is compared with that.
func TestCapacityBesideFind(t *testing.T) {
	samples, want := findSamples(t)
	m := syntheticManifest()
	m.Parameters = findResult(t, nil).Manifest.Parameters
	r := openResult(t, m, slices.Concat(samples, capacitySamples(), FoundSamples(1, 2, true)))
	c, err := SummarizeCapacity(r)
	if err != nil || c.Lower != want.All.Lower || c.Upper != want.All.Upper || !c.Confirmed {
		t.Errorf("%v to %v, %v; want what the run itself has found, %v to %v (%v)", c.Lower, c.Upper, c.Confirmed,
			want.All.Lower, want.All.Upper, err)
	}
}

// The processors that the search got are those of its trials that failed and were valid: in the made-up one, of those
// above 300 joins a second but for the third, in which the generator was late.
func TestCapacityThen(t *testing.T) {
	samples, _ := findSamples(t)
	for _, s := range samples {
		if s.Kind != KindTrial {
			continue
		}
		p := Sample{Stage: StageFind, Kind: KindProcessors, Level: s.Level, Value: 0.5}
		switch {
		case s.Level == 2:
			p.Value = 99
		case s.Value > 300:
			p.Value = 1.5
		}
		samples = append(samples, p)
	}
	m := syntheticManifest()
	m.Parameters = findResult(t, nil).Manifest.Parameters
	m.Stages = []Stage{{Name: StageFind, Status: Complete}, {Name: StageCapacity, Status: Complete}}
	r := openResult(t, m, append(samples, capacitySamples()...))
	c, err := SummarizeCapacity(r)
	if err != nil || c.ThenCores != 1.5 || !(c.Then.Mid < c.All.Mid && c.Then.Mid > c.All.Mid/2) {
		t.Errorf("%v processors, %v joins/s of %v with two (%v); want 1.5", c.ThenCores, c.Then.Mid, c.All.Mid, err)
	}
	if !strings.Contains(Text(r), "predicted, then") {
		t.Errorf("the table lacks the row:\n%s", Text(r))
	}
}

// Without costs nothing is predicted, and the page says so.
func TestCapacityFromNothing(t *testing.T) {
	m := syntheticManifest()
	list := slices.DeleteFunc(capacitySamples(), func(s Sample) bool { return s.Kind == KindCarry })
	if s := capacitySection(openResult(t, m, list)); !strings.Contains(s.Absent, "at least one round") {
		t.Errorf("%q", s.Absent)
	}
}
