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

// A ring of processes, each of which passes a token on: with its own time, its own
// count, and the look-ahead between them.
type tokenRing struct {
	passed [5]int
}

func (r *tokenRing) Handle(c sim.Context, ev *sim.Event) {
	r.passed[ev.To]++
	next := sim.Process(int(ev.To+1) % len(r.passed))
	at := ev.At.Add(10 * machine.Millisecond)
	c.Post(next, at, ev.Arg+1, c.Store(at, c.Bytes(ev), []byte{byte('a' + ev.To)}))
	if ev.Arg == 7 {
		fmt.Printf("hop 7 at process %d after %.2f s, by way of %s\n", ev.To, ev.At.Sub(0).Seconds(), c.Bytes(ev))
	}
}

// The engine alone: events for processes, with a word and, if need be, bytes.
func ExampleEngine() {
	ring := &tokenRing{}
	engine, err := sim.NewEngine(sim.EngineConfig{Processes: 5, LookAhead: 10 * machine.Millisecond, Workers: 2}, ring)
	if err != nil {
		fmt.Println(err)
		return
	}
	engine.At(0).Post(0, 0, 0, 0)
	engine.Run(machine.Time(100 * machine.Millisecond))
	fmt.Println(engine.Handled(), "events:", ring.passed)
	// Output:
	// hop 7 at process 2 after 0.07 s, by way of abcdeab
	// 11 events: [3 2 2 2 2]
}
