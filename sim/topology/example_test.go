package topology_test

import (
	"fmt"
	"strings"
	"time"

	"i3bench/sim/topology"
)

func ExampleRead() {
	file := "0   23.4  180\n" +
		"22.9   0  -1\n" +
		"180   95   0\n"
	m, err := topology.Read("rtt.txt", strings.NewReader(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Len(), "nodes")
	fmt.Println("0 to 1:", m.OneWay(0, 1))
	fmt.Println("1 to 0:", m.OneWay(1, 0))
	fmt.Println("1 to 2 measured:", m.OneWay(1, 2) != topology.Unknown)

	_, err = topology.Read("a", strings.NewReader("0 23.4\n? 0\n"))
	fmt.Println(err)
	// Output:
	// 3 nodes
	// 0 to 1: 11.7ms
	// 1 to 0: 11.45ms
	// 1 to 2 measured: false
	// topology: a:2:1: round-trip time "?": want a number of milliseconds >= 0, at most 3600000, or -1 if not measured
}

// Fifty nodes of a larger network, the same ones for the same seed.
func ExampleMatrix_Pick() {
	network, err := topology.Generate(1, 400)
	if err != nil {
		fmt.Println(err)
		return
	}
	nodes, err := network.Pick(7, 50)
	if err != nil {
		fmt.Println(err)
		return
	}
	part, err := network.Sub(nodes)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(part.Len(), part.OneWay(0, 1) == network.OneWay(nodes[0], nodes[1]))
	// Output: 50 true
}

func ExampleGenerate() {
	m, err := topology.Generate(1, 50)
	if err != nil {
		fmt.Println(err)
		return
	}
	s := m.Stats()
	fmt.Println(s.Nodes, "nodes, median round trip", s.MedianRTT.Round(time.Millisecond))
	// Output: 50 nodes, median round trip 125ms
}
