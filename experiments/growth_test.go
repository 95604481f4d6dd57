package experiments

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
)

func smallGrowth(t testing.TB, seed uint64, workers int) stepped {
	cfg := smallGroup(t, seed)
	cfg.Workers = workers
	cfg.Faults = Faults{Skew: time.Second, Jitter: time.Millisecond}
	e := Growth{
		Config: cfg, Name: "paper/tiny", Scheme: reports.SchemeLevel, Sizes: []int{6, 30}, Periods: 2,
	}
	return stepped{e.Work(), e.Run}
}

func TestGrowthSamples(t *testing.T) {
	var r recorder
	m := meter{t: t}
	if err := smallGrowth(t, 1, 1).Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	m.finished()
	r.known(t)
	want := map[string]int{
		reports.KindRefreshMean: 2, reports.KindRefreshMax: 2, reports.KindTrace: 1,
		reports.KindRefreshSize: len(r.of(reports.KindRefreshSize)),
	}
	for _, kind := range []string{
		reports.KindRAD, reports.KindRMD, reports.KindStretchP50, reports.KindStretchP90, reports.KindStretchP99,
		reports.KindStressMax, reports.KindStressP99, reports.KindStressUndirected, reports.KindDepthMax,
		reports.KindDepthMean, reports.KindJoinQueries, reports.KindColocated, reports.KindUnreached,
	} {
		want[kind] = 2
		for i, s := range r.of(kind) {
			if s.Stage != reports.StageTree || s.N != []int64{6, 30}[i] || s.Group != "paper/tiny" || s.Seed != 1 {
				t.Errorf("sample %d: %+v", i, s)
			}
			if s.Value == 0 && kind != reports.KindColocated && kind != reports.KindUnreached {
				t.Errorf("%s is zero", kind)
			}
		}
	}
	r.expectCounts(t, want)
	for _, s := range r.of(reports.KindUnreached) {
		if s.Value != 0 {
			t.Errorf("%+v: the packet did not reach everyone", s)
		}
	}
	triggers, refreshes := 0, 0.0
	for _, s := range r.of(reports.KindRefreshSize) {
		if s.Group != reports.SchemeLevel+"/paper/tiny" || s.ServiceNS <= 0 {
			t.Errorf("%+v", s)
		}
		triggers += s.Host
		refreshes += float64(s.Host) * s.Value
	}
	// A link for each receiver: no relays here.
	mean, most := r.of(reports.KindRefreshMean)[1].Value, r.of(reports.KindRefreshMax)[1].Value
	if triggers != 30 || math.Abs(refreshes/30-mean) > 1e-9 {
		t.Errorf("%d triggers of all sizes with %v refreshes each, expected 30 with %v", triggers, refreshes/30, mean)
	}
	if mean < 1 || mean > 2.5 || most < mean {
		t.Errorf("%v refreshes per trigger and T, %v at most", mean, most)
	}
}

// What a run samples depends on its seed and not on the number of its threads.
func TestGrowthRepeats(t *testing.T) {
	sameTwice(t, smallGrowth(t, 1, 1), smallGrowth(t, 2, 1))
	sameWithWorkers(t, func(workers int) experiment { return smallGrowth(t, 1, workers) })
}

func TestGrowthCancelled(t *testing.T) { cancelEverywhere(t, smallGrowth(t, 1, 1)) }

// Without a scheme the refreshes are not measured.
func TestGrowthParts(t *testing.T) {
	e := Growth{Config: smallGroup(t, 1), Name: "n", Sizes: []int{5}, Periods: 1}
	var r recorder
	if _, err := e.Run(t.Context(), &r, func(int) {}); err != nil || len(r.of(reports.KindRefreshMean)) != 0 {
		t.Errorf("%v, samples %v, expected no refreshes", err, r.counts())
	}
	if e.Work() != 5 {
		t.Errorf("work %d of five joins", e.Work())
	}
	e.Scheme = "s"
	if _, err := e.Run(t.Context(), &r, func(int) {}); err != nil || r.counts()[reports.KindRefreshMean] != 1 {
		t.Errorf("%v, samples %v, expected refreshes", err, r.counts())
	}
	if e.Work() <= 5 {
		t.Errorf("work %d with refreshes", e.Work())
	}
}

// Refreshes are counted up to a size, and those of refresh-unif for less time in large groups; the last count of each
// scheme says how they depend on what is below.
func TestGrowthCountings(t *testing.T) {
	e := Growth{Scheme: "s", Sizes: []int{64, 4096, 16384, 65536}, Periods: 2, Counted: 16384, Uniform: 65536}
	var got []string
	for i, n := range e.Sizes {
		for _, c := range e.countings(i) {
			got = append(got, fmt.Sprint(n, " ", c.name, " ", c.count, " ", c.last))
		}
	}
	want := []string{
		"64 s 1m0s false", "64 refresh-unif 1m0s false", "4096 s 1m0s false", "4096 refresh-unif 1m0s false",
		"16384 s 1m0s true", "16384 refresh-unif 30s false", "65536 refresh-unif 30s true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("counts %q, want %q", got, want)
	}
}

// Two schemes are measured on the same trees, one after the other, and the tree
// goes on growing with the first: in the group of 30, whose top triggers have
// most receivers under them, refresh-unif has somebody refresh them more often.
func TestGrowthComparesSchemes(t *testing.T) {
	cfg := smallGroup(t, 1)
	cfg.Variant.Refresh = multicast.ByLevel
	e := Growth{Config: cfg, Name: "n", Scheme: "s", Sizes: []int{6, 30, 40}, Periods: 20, Uniform: 30}
	var r recorder
	m := meter{t: t}
	if err := (stepped{e.Work(), e.Run}).Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	m.finished()
	most := make(map[string]float64)
	for _, s := range r.of(reports.KindRefreshMax) {
		most[fmt.Sprint(s.Group, " ", s.N)] = s.Value
	}
	if len(most) != 5 || most["refresh-unif/n 30"] <= most["s/n 30"] || most["s/n 40"] >= most["refresh-unif/n 30"] {
		t.Errorf("most refreshes in T: %v", most)
	}
	sizes := make(map[string]bool)
	for _, s := range r.of(reports.KindRefreshSize) {
		sizes[s.Group] = true
	}
	if len(sizes) != 2 {
		t.Errorf("refreshes by what is below for %v, expected both schemes", sizes)
	}
}

// The refreshes of a trigger are those of all receivers whose chains it is in.
func TestRefreshTotals(t *testing.T) {
	g := grown(t, smallGroup(t, 1), 20)
	seq := g.send()
	g.run(longestPath)
	children := make(map[uint64]int)
	for i, m := range g.members {
		m.refreshed = make([]uint16, len(m.Machine.Chain()))
		for level := range m.refreshed {
			m.refreshed[level] = uint16(100*level + i)
		}
		if m.latest != seq {
			t.Fatalf("receiver %d has no packet", i)
		}
		for level, id := range m.Machine.Chain() {
			if level > 0 {
				children[id.Suffix()] += 100*level + i
			}
		}
	}
	var want, got []int
	for _, n := range children {
		want = append(want, n)
	}
	below, levels := 0, 0
	for _, total := range g.refreshTotals() {
		got = append(got, total.refreshes)
		below += total.below
		if v := total.vulnerability(); v < 0 || v > machine.Second || total.measured != total.below {
			t.Errorf("%+v is vulnerable for %v ns", total, v)
		}
	}
	for _, m := range g.members {
		levels += m.Machine.Level()
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || below != levels {
		t.Errorf("refreshes %v, expected %v; %d receivers below all triggers, expected %d", got, want, below, levels)
	}
}
