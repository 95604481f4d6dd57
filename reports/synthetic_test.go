package reports

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the synthetic result and the golden files")

const syntheticDir = "testdata/synthetic"

// syntheticManifest is the manifest of made-up results: nothing was measured.
func syntheticManifest() Manifest {
	start := time.Date(2026, 11, 22, 14, 15, 0, 0, time.UTC)
	return Manifest{
		Schema: Schema, Tool: "bench",
		Command: []string{"bench", "--seed=7", "--note=synthetic samples", "--rtt", "/made/up/rtt.txt", "--out=/made/up"},
		Commit:  "0123456789abcdef0123456789abcdef01234567", Dirty: true, Go: "go1.26.8", Seed: 7,
		Started: start, Stopped: start.Add(58 * time.Second), Status: Complete,
		Machine: MachineInfo{
			OS: "linux", Arch: "amd64", Kernel: "6.1.0", CPU: "Synthetic CPU", Level: "x86-64-v4",
			Cores: 2, MemoryBytes: 8 << 30, Virtual: true,
		},
		Parameters: map[string]string{
			"seeds": "3", "rate": "40", "note": "synthetic samples", ParamNets: "[A-M A-L]", ParamOthers: "[C-M powerlaw]",
		},
		Stages: []Stage{
			{Name: StageCluster, Status: Complete, Seconds: 18.2},
			{Name: StageWAN, Status: Complete, Seconds: 21.5, Note: "generated delays"},
			{Name: StageTree, Status: Complete, Seconds: 9.5},
			{Name: StageRefresh, Status: Complete, Seconds: 6.5},
			{Name: StageRecovery, Status: Complete, Seconds: 5.5},
			{Name: StageMatch, Status: Complete, Seconds: 4.5},
			{Name: StageScale, Status: Complete, Seconds: 3.5, Note: "two threads"},
			{Name: StageDeliver, Status: Skipped, Note: "not asked for"},
			{Name: StageLoad, Status: Complete, Seconds: 4.1},
		},
	}
}

// syntheticSamples makes samples up: the shapes are plausible, the values come
// from a seeded generator. perOp is the number of operations of each kind.
func syntheticSamples(seeds, receivers, perOp int) []Sample {
	rng := rand.New(rand.NewPCG(1, 2))
	var out []Sample
	for seed := range uint64(seeds) {
		out = append(out, syntheticCluster(rng, seed+1)...)
		for _, variant := range []string{"better", "paper"} {
			out = append(out, syntheticWAN(rng, seed+1, variant, receivers)...)
		}
	}
	out = append(out, syntheticLoad(rng, perOp)...)
	out = append(out, syntheticSim(seeds)...)
	return append(out, Sample{Stage: StageCluster, Kind: KindCount, Group: "drop/hop-limit", Value: 0},
		Sample{Stage: StageWAN, Kind: KindCount, Group: "drop/loss", Seed: 1, Value: 1234},
		Sample{Stage: StageWAN, Kind: KindCount, Group: "drop/loss", Seed: 2, Value: 1111})
}

func syntheticCluster(rng *rand.Rand, seed uint64) (out []Sample) {
	for i, n := range []int64{8, 16, 32, 48, 64} {
		depth := []float64{2, 3, 3, 4, 4}[i] + float64(rng.IntN(2))*float64(min(i, 1))
		out = append(out, Sample{Stage: StageCluster, Kind: KindDepth, Seed: seed, N: n, Value: depth})
	}
	for host := range 64 {
		level := 1 + min(int(math.Log2(float64(host)+1)), 5)
		mean := []float64{57, 11, 2.5, 0.8, 0.07, 0}[level-1]
		queries := math.Round(mean * (0.8 + 0.4*rng.Float64()))
		out = append(out,
			Sample{Stage: StageCluster, Kind: KindQueries, Seed: seed, Host: host, Level: level, N: 64, Value: queries},
			Sample{
				Stage: StageCluster, Kind: KindJoin, Seed: seed, Host: host, Level: level, N: int64(level * 4),
				Value: math.Round(4e5 * (1 + 2*rng.ExpFloat64())),
			})
	}
	return out
}

func syntheticWAN(rng *rand.Rand, seed uint64, variant string, receivers int) (out []Sample) {
	add := func(kind string, s Sample) {
		s.Stage, s.Kind, s.Seed, s.Group = StageWAN, kind, seed, variant
		out = append(out, s)
	}
	worse := map[string]float64{"better": 0.35, "paper": 0.6}[variant]
	for host := range receivers {
		if host < 2 {
			add(KindColocated, Sample{Host: host, Level: 1})
			continue
		}
		direct := math.Round(1e6 * (20 + 180*rng.Float64()))
		stretch := 0.9 + worse*rng.ExpFloat64()
		add(KindStretch, Sample{Host: host, Level: 1 + host%4, Value: stretch})
		add(KindLatency, Sample{Host: host, Level: 1 + host%4, Value: math.Round(direct * stretch), ServiceNS: int64(direct)})
		lost := int64(rng.IntN(9))
		add(KindDuplicates, Sample{Host: host, Level: 1 + host%4, N: lost, Value: float64(rng.IntN(int(2*lost + 2)))})
		for range lost {
			add(KindRepair, Sample{Host: host, Value: math.Round(1e6 * (60 + 180*rng.ExpFloat64()))})
		}
		add(KindDelivered, Sample{Host: host, N: 100, Value: 100, Status: StatusOK})
	}
	return out
}

func syntheticLoad(rng *rand.Rand, perOp int) (out []Sample) {
	const seconds = 4
	gap := int64(seconds * 1e9 / perOp)
	for i := range perOp {
		for k, op := range []string{KindJoin, KindRepair} {
			s := Sample{Stage: StageLoad, Kind: op, StartNS: int64(i) * gap, Status: StatusOK}
			late := math.Round(2e5 * rng.ExpFloat64())
			service := math.Round([]float64{2e6, 4e7}[k] * (1 + rng.ExpFloat64()))
			if op == KindRepair && i == perOp/2 {
				s.Status, service = StatusTimeout, 2e9
			}
			s.ServiceNS, s.Value = int64(service), service+late
			out = append(out, s, Sample{Stage: StageLoad, Kind: KindLate, Group: op, StartNS: s.StartNS, Value: late})
		}
	}
	for second := range int64(seconds) {
		for _, op := range []string{KindJoin, KindRepair} {
			out = append(out, Sample{
				Stage: StageLoad, Kind: KindOffered, Group: op, N: int64(perOp / seconds),
				StartNS: second * 1e9, Value: float64(perOp/seconds - int(second%2)),
			})
		}
	}
	return out
}

// writeResult writes a result directory without a Run, so that what Run writes
// is not needed to test what is read.
func writeResult(t testing.TB, dir string, m Manifest, samples []Sample) string {
	t.Helper()
	b := []byte(header())
	for i := range samples {
		k, err := samples[i].check()
		if err != nil {
			t.Fatal(err)
		}
		b = samples[i].appendTo(b, k)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, SamplesFile), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// synthetic opens the small committed result, rewritten first with -update.
func synthetic(t testing.TB) *Result {
	t.Helper()
	if *update {
		writeResult(t, syntheticDir, syntheticManifest(), syntheticSamples(3, 32, 160))
	}
	r, err := Open(syntheticDir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
