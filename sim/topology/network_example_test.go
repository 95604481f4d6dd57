package topology_test

import (
	"fmt"
	"time"

	"i3bench/sim/topology"
)

// The network of the paper's large simulations, in the literal reading of its
// latencies.
func ExampleTransitStub() {
	shape, err := topology.Instance("A")
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := topology.TransitStub(1, shape, topology.Literal)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(n.Len(), "places in", n.Domains(), "domains, reading", topology.Literal)
	fmt.Println("between domains at least 10 ms:", n.LookAhead() >= 10*time.Millisecond)
	// Output:
	// 9900 places in 900 domains, reading L
	// between domains at least 10 ms: true
}

func ExamplePowerLaw() {
	n, err := topology.PowerLaw(1, topology.PowerLawShape{Nodes: 1000})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := n.Stats()
	fmt.Printf("%d nodes, mean degree %.1f, look-ahead %v\n", s.Nodes, s.MeanDegree, s.LookAhead.Round(time.Millisecond))
	// Output: 1000 nodes, mean degree 4.0, look-ahead 1ms
}

// Forty servers on different nodes of a network, numbered from 0.
func ExampleNetwork_Sub() {
	n, err := topology.PowerLaw(1, topology.PowerLawShape{Nodes: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	places, err := n.Places(7, 40)
	if err != nil {
		fmt.Println(err)
		return
	}
	servers, err := n.Sub(places)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(servers.Len(), servers.OneWay(0, 39) == n.OneWay(places[0], places[39]))
	// Output: 40 true
}

// How often does the same datagram cross a link when place 0 sends it to
// everybody?
func ExampleNetwork_VisitPath() {
	n, err := topology.PowerLaw(1, topology.PowerLawShape{Nodes: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	copies := make([]int, n.Links())
	for receiver := range n.Len() {
		n.VisitPath(0, receiver, func(link int) { copies[link]++ })
	}
	fromSource := 0
	for link, crossed := range copies {
		if from, _ := n.LinkEnds(link); from == n.Node(0) {
			fromSource += crossed
		}
	}
	fmt.Println(fromSource, "copies leave the source")
	// Output: 99 copies leave the source
}
