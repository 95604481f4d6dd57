package scratch

import (
	"fmt"
	"sort"
	"syscall"
	"testing"
	"time"

	"i3bench/experiments"
	"i3bench/i3/multicast"
)

func TestLoad(t *testing.T) {
	var a, b syscall.Rusage
	syscall.Getrusage(0, &a)
	t0 := time.Now()
	xs := run(t, experiments.Load{Nodes: 32, Degree: 8, Standing: 64, Pool: 32, Joins: 2000, Repairs: 2000, For: 5 * time.Second, PerSecond: 150, Size: 256, Seed: 1, Search: multicast.LANSearch()}.Run)
	syscall.Getrusage(0, &b)
	fmt.Println("wall", time.Since(t0), "user", float64(b.Utime.Nano()-a.Utime.Nano())/1e9, "sys", float64(b.Stime.Nano()-a.Stime.Nano())/1e9)
	for _, k := range []string{"join", "repair", "late"} {
		var v []float64
		st := map[string]int{}
		for _, x := range sel(xs, k) {
			v = append(v, x.Value/1e6)
			st[x.Status]++
		}
		sort.Float64s(v)
		fmt.Println(k, len(v), st, "p50", v[len(v)/2], "p99", v[len(v)*99/100], "max", v[len(v)-1])
	}
	for _, x := range sel(xs, "count") {
		fmt.Println(x.Group, x.Value)
	}
}
