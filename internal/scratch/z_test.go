package scratch

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"i3bench/experiments"
	"i3bench/sim/topology"
)

func TestWanOne(t *testing.T) {
	m, _ := topology.ReadFile(os.Getenv("RTT"))
	var a, b syscall.Rusage
	syscall.Getrusage(0, &a)
	t0 := time.Now()
	xs := run(t, experiments.WAN{World: experiments.UDP, Matrix: m, Nodes: 50, PerNode: 2, Degree: 8, Seeds: []uint64{1, 2, 3, 4}, Variants: []experiments.Variant{experiments.PaperVariant()}, Packets: 100, PerSecond: 10}.Run)
	syscall.Getrusage(0, &b)
	fmt.Println("wall", time.Since(t0), "user", b.Utime.Nano()-a.Utime.Nano(), "sys", b.Stime.Nano()-a.Stime.Nano())
	n, bl := 0, 0
	for _, x := range sel(xs, "stretch") {
		n++
		if x.Value < 2 {
			bl++
		}
	}
	fmt.Println(float64(bl) / float64(n))
}
