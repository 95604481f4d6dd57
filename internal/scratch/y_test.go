package scratch

import (
	"context"
	"fmt"
	"os"
	"sort"
	"testing"
	"time"

	"i3bench/experiments"
	"i3bench/reports"
	"i3bench/sim/topology"
)

type sink struct {
	s chan reports.Sample
	r []reports.Sample
}

func (s *sink) Sample(x reports.Sample) { s.s <- x }

func run(t *testing.T, f func(context.Context, experiments.Sink, experiments.Progress) error) []reports.Sample {
	s := &sink{s: make(chan reports.Sample, 1000000)}
	t0 := time.Now()
	err := f(context.Background(), s, func(int, int, string) {})
	fmt.Println("took", time.Since(t0), err)
	close(s.s)
	for x := range s.s {
		s.r = append(s.r, x)
	}
	return s.r
}

func TestDeliver(t *testing.T) {
	for _, k := range []experiments.Kind{experiments.Sim, experiments.UDP} {
		for _, x := range run(t, experiments.Deliver{World: k, Nodes: 32, Degree: 8, Receivers: 64, Packets: 2000, PerSecond: 500, Size: 256, Seeds: []uint64{1}}.Run) {
			if x.Kind == "delivered" && x.Status == "ok" {
				continue
			}
			fmt.Printf("%+v\n", x)
		}
	}
}

func TestWanX(t *testing.T) {
	m, _ := topology.ReadFile(os.Getenv("RTT"))
	for _, k := range []experiments.Kind{experiments.Sim, experiments.UDP} {
		xs := run(t, experiments.WAN{World: k, Matrix: m, Nodes: 50, PerNode: 2, Degree: 8, Seeds: []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, Variants: []experiments.Variant{experiments.PaperVariant(), experiments.WideVariant()}, Packets: 100, PerSecond: 10}.Run)
		for _, x := range xs {
			if x.Kind == "delivered" && x.Status != "ok" || x.Kind == "count" {
				fmt.Printf("%+v\n", x)
			}
		}
		for _, r := range reports.SummarizeDuplicates(sel(xs, "duplicates")) { fmt.Printf("%+v\n", r) }
		for _, g := range []string{"paper", "wide"} {
			n, b := 0, 0
			for _, x := range sel(xs, "stretch") {
				if x.Group == g {
					n++
					if x.Value < 2 {
						b++
					}
				}
			}
			var ds []float64
			w := 0
			for _, x := range sel(xs, "repair") {
				if x.Group == g {
					ds = append(ds, x.Value/1e6)
					if x.Value < 600e6 { w++ }
				}
			}
			sort.Float64s(ds)
			fmt.Println(g, "share<2", float64(b) / float64(n), "repairs", len(ds), "p50", ds[len(ds)/2], "p85", ds[len(ds)*85/100], "max", ds[len(ds)-1], "share<600ms", float64(w)/float64(len(ds)))
		}
	}
}

func sel(xs []reports.Sample, k string) (r []reports.Sample) {
	for _, x := range xs {
		if x.Kind == k {
			r = append(r, x)
		}
	}
	return
}
