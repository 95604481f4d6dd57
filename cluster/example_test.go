package cluster_test

import (
	"fmt"

	"i3bench/cluster"
	"i3bench/i3/machine"
)

// A listener is a machine that tells what it hears, and has no timer.
type listener chan string

func (l listener) Receive(_ machine.Time, batch []machine.Datagram, _ *machine.Outbox) {
	for _, d := range batch {
		l <- string(d.Bytes)
	}
}

func (l listener) Deadline() machine.Time               { return machine.Never }
func (l listener) Expire(machine.Time, *machine.Outbox) {}

// Two machines on real UDP sockets. The same machines run in virtual time in package sim.
func ExampleWorld() {
	w := cluster.New(cluster.Config{})
	a, err := w.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	b, err := w.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	heard := make(listener, 1)
	a.Start(make(listener, 1))
	b.Start(heard)
	a.Do(func(now machine.Time, out *machine.Outbox) {
		out.Forward(b.Addr(), []byte("header, "), []byte("payload"))
	})
	fmt.Println(<-heard)
	fmt.Println("datagrams sent:", w.Counters().Sent)
	// Output:
	// header, payload
	// datagrams sent: 1
}
