package sim_test

import (
	"fmt"

	"i3bench/i3/machine"
	"i3bench/sim"
)

// A bell is a machine that rings once.
type bell struct{ at machine.Time }

func (b *bell) Receive(now machine.Time, batch []machine.Datagram, _ *machine.Outbox) {
	fmt.Printf("%.3f s: got %q\n", now.Sub(0).Seconds(), batch[0].Bytes)
}

func (b *bell) Deadline() machine.Time { return b.at }

func (b *bell) Expire(now machine.Time, _ *machine.Outbox) {
	fmt.Printf("%.3f s: ring\n", now.Sub(0).Seconds())
	b.at = machine.Never
}

// Two machines, one datagram and one timer, in virtual time. A world begins at
// one second.
func ExampleWorld() {
	w := sim.New(sim.Config{})
	a, _ := w.Open()
	b, _ := w.Open()
	a.Start(&bell{at: machine.Never})
	b.Start(&bell{at: w.Now().Add(3 * machine.Second)})
	a.Do(func(_ machine.Time, out *machine.Outbox) { out.Send(b.Addr(), []byte("hello")) })
	w.Sleep(60 * machine.Second)
	fmt.Println(w.Counters().Delivered, "delivered")
	// Output:
	// 1.000 s: got "hello"
	// 4.000 s: ring
	// 1 delivered
}
