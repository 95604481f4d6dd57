package experiments

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"i3bench/reports"
	"i3bench/sim/topology"
	"i3bench/testbed"
)

// smallPlan is a plan of small groups on few servers.
func smallPlan(t testing.TB, sizes ...int) *Plan {
	t.Helper()
	m, err := topology.Generate(1, 12)
	if err != nil {
		t.Fatal(err)
	}
	return &Plan{
		Seeds: []uint64{1, 2, 3}, LargeSeeds: []uint64{1}, Sizes: sizes, Servers: 40, Degree: 3, Lifetime: 5 * time.Second,
		Periods: 1, Nets: []Net{"A-M", "A-L"}, Others: []Net{"D-M", PowerLaw},
		Variants: []Variant{LiteralVariant(), RelaysVariant()}, Faults: Faults{Skew: time.Second}, Packets: 10, Matrix: m,
		Scale: 30, Workers: 1, NodeLoss: testbed.PaperNodeMax, HostLoss: testbed.PaperHostMax,
	}
}

// rows returns the jobs of every row of a plan.
func rows(p *Plan) map[string][]Job {
	return map[string][]Job{
		reports.StageTree: p.Trees(), reports.StageRecovery: p.Recoveries(), reports.StageCluster: p.Clusters(),
		reports.StageWAN: p.WANs(), reports.StageMatch: p.Matches(), reports.StageScale: p.Scales(),
	}
}

// Whatever the sizes are, also all above or all below every limit: no row panics,
// no two jobs have the same key, each weighs something, and the largest come first.
func TestPlanJobs(t *testing.T) {
	p := smallPlan(t)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{1, 16, 64, 1024, 1025, 4096, 4097, 16384, 65536})
		p.Sizes = rapid.SliceOfDistinct(size, rapid.ID[int]).Draw(t, "sizes")
		slices.Sort(p.Sizes)
		p.Seeds = p.Seeds[:rapid.IntRange(1, 3).Draw(t, "seeds")]
		defer func() { p.Seeds = []uint64{1, 2, 3} }()
		seen := make(map[string]bool)
		for stage, jobs := range rows(p) {
			for i, j := range jobs {
				if seen[j.Key] || strings.ContainsAny(j.Key, ",\"\n") {
					t.Fatalf("key %q is there twice, or cannot be kept", j.Key)
				}
				seen[j.Key] = true
				if j.Weight < 1 || j.Stage != stage || !slices.Contains(p.Seeds, j.Seed) {
					t.Fatalf("job %+v of %s", j, stage)
				}
				if i > 0 && j.Weight > jobs[i-1].Weight {
					t.Fatalf("%s: %d after %d", j.Key, j.Weight, jobs[i-1].Weight)
				}
			}
		}
		// Trees: per seed two networks with two variants, and those of others.
		at := func(limit int) int { return min(1, len(p.upTo(limit))) }
		trees := 4*at(1<<30) + 4*(len(p.Seeds)-1)*at(LargeSize)
		trees += 4 * min(2, len(p.Seeds)) * at(OtherSize)
		// Recoveries: two networks and schemes; the paper's variant with each seed in groups that are not large.
		small := len(p.upTo(OtherSize))
		recoveries := 2 * 2 * ((len(p.Seeds)+1)*small + 2*(len(p.upTo(LargeSize))-small))
		if a, b := len(p.Trees()), len(p.Recoveries()); a != trees || b != recoveries {
			t.Fatalf("%d trees, %d recoveries, expected %d and %d", a, b, trees, recoveries)
		}
	})
}

func TestUpTo(t *testing.T) {
	p := &Plan{Sizes: []int{16, 64, 4096, 16384}}
	for limit, want := range map[int]int{0: 0, 15: 0, 16: 1, 63: 1, 64: 2, 4095: 2, 4096: 3, 1 << 30: 4} {
		if got := p.upTo(limit); len(got) != want {
			t.Errorf("up to %d: %v", limit, got)
		}
	}
}

// A plan's rows can be run, and their samples are the same for a seed however many
// run beside each other; networks are not kept.
func TestPlanRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: every row of a plan takes a while")
	}
	result := func(beside int) *recorder {
		p := smallPlan(t, 8, 20)
		p.Seeds, p.Others = p.Seeds[:2], []Net{"D-M"}
		var r recorder
		for _, jobs := range [][]Job{p.Trees(), p.Recoveries(), p.Clusters(), p.WANs()} {
			m := meter{t: t}
			if err := (Suite{Jobs: jobs, Beside: beside}).Run(t.Context(), &r, m.step); err != nil {
				t.Fatal(err)
			}
			m.finished()
		}
		if len(p.nets.nets) > idleNets {
			t.Errorf("%d networks are kept", len(p.nets.nets))
		}
		r.known(t)
		for i := range r.samples {
			if r.samples[i].Kind == reports.KindRun {
				r.samples[i].Value = 0
			}
		}
		return &r
	}
	one, three := result(1), result(3)
	if a, b := one.sorted(), three.sorted(); a != b {
		t.Errorf("three beside each other gave other samples: %s", firstDifference(a, b))
	}
	groups := make(map[string]bool)
	traces := make(map[string]string)
	for _, s := range one.samples {
		groups[s.Stage+" "+s.Group] = true
		if s.Kind == reports.KindTrace {
			if before, ok := traces[s.Status]; ok {
				t.Errorf("%s has the trace of %s", s.Group, before)
			}
			traces[s.Status] = s.Group
		}
	}
	for _, want := range []string{
		"tree paper/A-M", "tree relays/A-L", "tree paper/D-M", "refresh refresh-level/paper/A-M",
		"refresh refresh-unif/paper/A-M", "refresh owner-first/relays/A-M", "recovery rel-loss/paper/A-L",
		"recovery rel-random/relays/A-M", "wan paper",
	} {
		if !groups[want] {
			t.Errorf("no samples of %s", want)
		}
	}
	if groups["refresh refresh-level/paper/A-L"] || groups["tree refresh-unif/paper/A-M"] {
		t.Error("refreshes of a second network, or the trees of refresh-unif, were sampled")
	}
}

// Every simulated run has a trace: the same for the same seed, another for another.
// A run on sockets has none.
func TestPlanTraces(t *testing.T) {
	p := smallPlan(t, 8)
	trace := func(j Job) string {
		hash, err := j.Run(t.Context(), &recorder{}, func(int) {})
		if err != nil {
			t.Fatalf("%s: %v", j.Key, err)
		}
		return hash
	}
	onSockets := func(j Job) bool { return strings.HasPrefix(j.Key, "match udp") }
	for stage, jobs := range map[string]func() []Job{
		reports.StageTree: p.Trees, reports.StageRecovery: p.Recoveries, reports.StageCluster: p.Clusters,
		reports.StageWAN: p.WANs, reports.StageMatch: p.Matches, reports.StageScale: p.Scales,
	} {
		seen := make(map[string]string)
		list := slices.DeleteFunc(jobs(), onSockets)
		for _, j := range list[:min(4, len(list))] {
			hash := trace(j)
			if before, ok := seen[hash]; ok || len(hash) < traceDigits {
				t.Errorf("%s: trace %q of %s is that of %q", stage, hash, j.Key, before)
			}
			if seen[hash] = j.Key; trace(j) != hash {
				t.Errorf("%s: other traces of %s", stage, j.Key)
			}
		}
	}
	if w, err := NewWorld(UDP, 1, nil, 0); err != nil || traceOf(w) != "" {
		t.Errorf("%v, a world of sockets has a trace", err)
	}
}

// The large group is on the first network, with the last variant.
func TestPlanScale(t *testing.T) {
	p := smallPlan(t, 8)
	var r recorder
	if err := (Suite{Jobs: p.Scales()}).Run(t.Context(), &r, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	if d := r.of(reports.KindDelivered); len(d) != 1 || d[0].Group != "relays/A-M" || d[0].N != 30*scaleSeconds ||
		d[0].Value != float64(d[0].N) {
		t.Errorf("%+v", d)
	}
}

// What cannot be run says why, and which job it was.
func TestPlanWithTooManyServers(t *testing.T) {
	p := smallPlan(t, 8)
	p.Servers = 20_000
	err := (Suite{Jobs: p.Scales()}).Run(t.Context(), &recorder{}, func(int, int, string) {})
	if err == nil || !strings.Contains(err.Error(), "scale relays/A-M") || !strings.Contains(err.Error(), "20000") {
		t.Errorf("%v", err)
	}
}

// A Suite runs what a Plan asks for. Here it is one small tree, and its figures go
// to a sink.
func ExamplePlan() {
	p := Plan{
		Seeds: []uint64{1}, Sizes: []int{8}, Servers: 30, Degree: 4, Periods: 1, Nets: []Net{"A-M"},
		Variants: []Variant{RelaysVariant()},
	}
	var r recorder
	suite := Suite{Jobs: p.Trees(), Beside: 2}
	if err := suite.Run(context.Background(), &r, func(done, total int, what string) {}); err != nil {
		fmt.Println(err)
	}
	for _, s := range r.of(reports.KindUnreached) {
		fmt.Printf("%s, %d receivers: %v not reached\n", s.Group, s.N, s.Value)
	}
	// Output: relays/A-M, 8 receivers: 0 not reached
}
