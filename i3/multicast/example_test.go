package multicast_test

import (
	"fmt"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
	"i3bench/testbed"
)

// A source and three receivers in virtual time. The second receiver loses a
// packet, and a sibling sends it the copy it has kept.
func ExampleReceiver() {
	world := sim.New(sim.Config{})
	bed, err := testbed.New(testbed.Config{
		Open:  func() (testbed.Endpoint, error) { return world.Open() },
		Nodes: 4, Seed: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bed.Close()
	world.Sleep(machine.Second)
	deaf := false
	for i := range 3 {
		r, err := bed.AddReceiver(i, multicast.Events{
			Joined: func(_ machine.Time, seq uint64) { fmt.Println("receiver", i, "is owed packets after", seq) },
			Deliver: func(_ machine.Time, seq uint64, _ int64, payload []byte) {
				fmt.Printf("receiver %d gets packet %d: %s\n", i, seq, payload)
			},
			Repaired: func(machine.Time, uint64, machine.Duration) { fmt.Print("repaired: ") },
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		if i == 1 {
			r.Endpoint.SetFilter(func(machine.Datagram) bool { return !deaf })
		}
		r.Join()
		world.Sleep(machine.Second)
	}
	for _, word := range []string{"end", "to", "end"} {
		deaf = word == "to"
		bed.Source().Send([]byte(word))
		world.Sleep(10 * machine.Millisecond)
	}
	world.Sleep(machine.Second)
	// Unordered output:
	// receiver 0 is owed packets after 0
	// receiver 1 is owed packets after 0
	// receiver 2 is owed packets after 0
	// receiver 0 gets packet 1: end
	// receiver 1 gets packet 1: end
	// receiver 2 gets packet 1: end
	// receiver 0 gets packet 2: to
	// receiver 2 gets packet 2: to
	// receiver 0 gets packet 3: end
	// receiver 1 gets packet 3: end
	// receiver 2 gets packet 3: end
	// repaired: receiver 1 gets packet 2: to
}
