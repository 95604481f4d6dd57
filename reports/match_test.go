package reports

import (
	"math"
	"testing"
)

// Four seeds in each world: the depths are the same, receivers at level 1 get
// twice the queries on sockets in every run (2 of 70 arrangements are as far
// apart), and only one run of the simulator has a level 2.
func matchSamples() (depth, level []Sample) {
	for seed := range uint64(4) {
		for i, world := range []string{WorldSim, WorldUDP} {
			depth = append(depth, Sample{Group: world, Seed: seed, Value: float64(4 + seed%2)})
			for host := range 2 {
				level = append(level, Sample{Group: world, Seed: seed, Host: host, Level: 1, Value: float64(10 * (i + 1))})
			}
		}
	}
	level = append(level, Sample{Group: WorldSim, Seed: 0, Level: 2, Value: 3})
	return depth, level
}

func TestMatchByHand(t *testing.T) {
	rows := SummarizeMatch(matchSamples())
	if len(rows) != 4 || rows[2].Level != 1 || rows[3].Level != 2 {
		t.Fatalf("rows %+v, expected depth, level and two levels", rows)
	}
	near(t, "p of the depth", rows[0].P, 1)
	near(t, "difference at level 1", rows[2].Difference, 10)
	near(t, "p at level 1", rows[2].P, 2.0/70)
	near(t, "p at level 1 of three figures", rows[2].Holm, 3*2.0/70)
	near(t, "what three figures of four seeds show", rows[2].Smallest, math.NaN())
	// Eight receivers of ten against eight of twenty: 2 of 16 over 8.
	near(t, "Mann-Whitney", rows[2].MannWhitney, 2.0/12870)
	if v := rows[2].verdict(); v.State != Pass {
		t.Errorf("%+v: after the correction nothing is found", v)
	}
	if v := rows[3].verdict(); v.State != NotMeasured {
		t.Errorf("%+v, expected nothing where only one world has a level", v)
	}
	f := matchFindings(rows)
	if len(f) != 2 || f[1].Ours != "smallest p 0.0857" || f[1].Verdict.State != Pass {
		t.Errorf("findings %+v", f)
	}
}

// Six seeds are enough: 2 of 924, times three figures.
func TestMatchDiffers(t *testing.T) {
	depth, level := matchSamples()
	for seed := uint64(4); seed < 6; seed++ {
		level = append(level, Sample{Group: WorldSim, Seed: seed, Level: 1, Value: 10},
			Sample{Group: WorldUDP, Seed: seed, Level: 1, Value: 20})
	}
	rows := SummarizeMatch(depth, level)
	near(t, "p of three figures", rows[2].Holm, 3*2.0/924)
	f := matchFindings(rows)
	if f[1].Verdict != (Verdict{Miss, "1 of 1 differ, first queries per receiver, level 1"}) {
		t.Errorf("finding %+v", f[1])
	}
	few := SummarizeMatch(depth[:6], nil) // three seeds in each world
	if v := few[0].verdict(); v != (Verdict{NotJudged, "too few runs to tell"}) {
		t.Errorf("three seeds: %+v", v)
	}
	if f = matchFindings(few); f[0].Verdict.State != NotJudged || f[1].Verdict.State != NotMeasured {
		t.Errorf("findings of three seeds: %+v", f)
	}
}

func TestScaleByHand(t *testing.T) {
	curves := make([][]SizeCurve, len(scaleKinds))
	curves[1] = SummarizeBySize([]Sample{{Group: "a", Seed: 1, N: 64, Value: 10}, {Group: "a", Seed: 2, N: 64, Value: 20}})
	curves[3] = SummarizeBySize([]Sample{{Group: "a", Seed: 1, N: 16, Value: 2}})
	rows := SummarizeScale(curves)
	if len(rows) != 2 || rows[0].Receivers != 16 || rows[1].Seeds != 2 || !math.IsNaN(rows[0].Cost[1].Mean) {
		t.Fatalf("rows %+v", rows)
	}
	near(t, "events", rows[1].Cost[1].Mean, 15)
	for _, row := range [][2]string{
		{bytesText(512), "512 B"},
		{bytesText(1023.6), "1.00 KiB"},
		{bytesText(3 << 20), "3.00 MiB"},
		{bytesText(5 << 40), "5,120 GiB"},
		{seconds(90), "90.0 s"},
		{whole(1234567.4), "1,234,567"},
		{whole(math.NaN()), "-"},
	} {
		if row[0] != row[1] {
			t.Errorf("%q, expected %q", row[0], row[1])
		}
	}
}

func TestRunsByHand(t *testing.T) {
	got := SummarizeRuns([]Sample{{Stage: "tree", Value: 2}, {Stage: "scale", Value: 1}, {Stage: "tree", Value: 3}})
	want := []RunTimes{{"scale", 1, 1, 1}, {"tree", 2, 5, 3}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, expected %+v", got, want)
	}
	if s := got[1].String(); s != "2 runs of 5.00 s together, 3.00 s the longest" {
		t.Errorf("%q", s)
	}
}
