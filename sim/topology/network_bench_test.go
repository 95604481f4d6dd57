package topology

import (
	"testing"
	"time"

	"i3bench/internal/prng"
)

// benchmarked returns the networks of the benchmarks by name.
func benchmarked(b *testing.B, name string) *Network {
	b.Helper()
	var n *Network
	var err error
	switch shape, known := Instance("A"); {
	case name == "power-law":
		n, err = PowerLaw(1, PowerLawShape{})
	case name == "A+extra":
		shape.ExtraTransitStub, shape.ExtraStubStub = 100, 100
		n, err = TransitStub(1, shape, Literal)
	case known == nil:
		shape, err = Instance(name)
		if err == nil {
			n, err = TransitStub(1, shape, Literal)
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	return n
}

var benchmarkedNames = []string{"A", "C", "A+extra", "power-law"}

// BenchmarkNetwork measures what a simulator asks for each datagram, between
// places in random order.
func BenchmarkNetwork(b *testing.B) {
	const pairs = 1 << 12 // and 4093 is the largest prime below
	for _, name := range benchmarkedNames {
		n := benchmarked(b, name)
		random := prng.New(1, 0)
		var places [pairs]int
		for i := range places {
			places[i] = random.IntN(n.Len())
		}
		b.Run("op=OneWay/network="+name, func(b *testing.B) {
			var sum time.Duration
			for i := 0; b.Loop(); i++ {
				sum += n.OneWay(places[i%pairs], places[i%(pairs-3)])
			}
		})
		b.Run("op=VisitPath/network="+name, func(b *testing.B) {
			b.ReportAllocs()
			links := 0
			count := func(int) { links++ }
			for i := 0; b.Loop(); i++ {
				n.VisitPath(places[i%pairs], places[i%(pairs-3)], count)
			}
			b.ReportMetric(float64(links)/float64(b.N), "links/op")
		})
	}
}

// BenchmarkBuild measures how long a run waits for its network.
func BenchmarkBuild(b *testing.B) {
	for _, name := range benchmarkedNames {
		b.Run("network="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				benchmarked(b, name)
			}
		})
	}
}
