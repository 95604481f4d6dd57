package tablelines

import (
	"slices"
	"strings"
	"testing"
)

const file = `goos: linux
BenchmarkMatch/n=1e7/hit=100/keys=uniform/batch=16-2   	 100	  40.0 ns/lookup	 64.0 B/entry
BenchmarkMatch/kernel=avx2/n=1e7/hit=50/keys=zipf      	 100	  22.0 ns/lookup
BenchmarkLimit/n=1e7/hit=100/keys=uniform-2            	 100	  89.9 %cpu	 70.0 ns/lookup
BenchmarkPeer/table=dpdk-bulk64/n=1e7/hit=100/keys=uniform 12345 50.00 ns/lookup 11700000 lookups/s
BenchmarkPeer/table=map/n=1e7/hit=50/keys=uniform-2 	 100	 100.0 ns/op
BenchmarkTouch/size=1GiB-2                             	 100	  9.0 ns/lookup
PASS
`

func TestRead(t *testing.T) {
	got, err := Read(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []Line{
		{Row{Ours, "16", Job{"1e7", "100", "uniform"}}, 40, 100},
		{Row{Ours + " avx2", "", Job{"1e7", "50", "zipf"}}, 22, 100},
		{Row{Limit, "", Job{"1e7", "100", "uniform"}}, 70, 89.9},
		{Row{"dpdk-bulk64", "", Job{"1e7", "100", "uniform"}}, 50, 100},
	}
	if !slices.Equal(got, want) {
		t.Errorf("tablelines: read\n%v\nwant\n%v", got, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for figures, want := range map[string]string{
		"x ns/lookup":           `line 2: "x" ns/lookup`,
		"NaN ns/lookup":         `line 2: "NaN" ns/lookup`,
		"Inf ns/lookup":         `line 2: "Inf" ns/lookup`,
		"5.0 ns/lookup -1 %cpu": `line 2: "-1" %cpu`,
	} {
		_, err := Read(strings.NewReader("PASS\nBenchmarkLimit/n=1e7/hit=50/keys=zipf 1 " + figures))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("tablelines: error %v, want one with %q", err, want)
		}
	}
}

func TestBusy(t *testing.T) {
	for share, want := range map[float64]bool{0: false, 1: true, 89.9: true, 90: false, 200: false} {
		if Busy(share) != want {
			t.Errorf("tablelines: busy with %v %%: %v, want %v", share, !want, want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		figures []float64
		want    float64
	}{{[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 9, 2}, 3}} {
		if got := Median(c.figures); got != c.want {
			t.Errorf("tablelines: median of %v is %v, want %v", c.figures, got, c.want)
		}
	}
}
