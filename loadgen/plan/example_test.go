package plan_test

import (
	"fmt"

	"i3bench/loadgen/plan"
)

// How many nodes a million receivers need, by the figures that came with the program.
func Example() {
	figures, err := plan.Defaults()
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := plan.Question{
		Demand: plan.Demand{
			Receivers: 1e6, Packets: 500, Bytes: 1000, Churn: 0.2, Loss: 0.001, Variant: "relays/A-M", Degree: 8,
		},
		Node:   plan.NodeType{Cores: 16, Bits: 25e9, Packets: 5e6, Memory: 64e9},
		Policy: plan.DefaultPolicy(), Measured: &figures, Seed: 1,
	}.Solve()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("decides:", a.Binding[0].Resource)
	fmt.Println("in order:", a.Nodes.P10 <= a.Nodes.P50 && a.Nodes.P50 <= a.Nodes.P90)
	// Output:
	// decides: NIC bits
	// in order: true
}
