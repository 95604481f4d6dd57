package reports_test

import (
	"fmt"
	"os"

	"i3bench/reports"
)

// A run records samples while it goes on; what it reports is computed from the
// files that it left.
func Example() {
	base, err := os.MkdirTemp("", "reports")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(base)
	dir := base + "/result"

	run, err := reports.Create(dir, reports.Manifest{Command: []string{"bench", "cluster"}, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for seed, depth := range []float64{4, 5, 4, 5} {
		run.Sample(reports.Sample{
			Stage: reports.StageCluster, Kind: reports.KindDepth, Seed: uint64(seed), N: 64,
			Value: depth,
		})
	}
	if err := run.Stage(reports.Stage{Name: reports.StageCluster, Status: reports.Complete, Seconds: 1}); err != nil {
		fmt.Println(err)
	}
	if err := run.Close(reports.Complete, nil); err != nil {
		fmt.Println(err)
	}

	result, err := reports.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range reports.SummarizeDepth(result.Select(reports.StageCluster, reports.KindDepth)) {
		fmt.Printf("%d receivers: depth %.2f, standard deviation %.2f\n", row.Receivers, row.Mean, row.StdDev)
	}
	// Output: 64 receivers: depth 4.50, standard deviation 0.58
}
