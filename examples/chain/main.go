// Chain sends a packet to a name whose trigger points at another identifier, on another node, where two hosts listen
// (figure 3(c) of the paper). It runs in virtual time and opens no socket.
package main

import (
	"fmt"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/sim"
)

// A listener prints what reaches it.
type listener string

func (l listener) Deliver(_ machine.Time, _ netip.AddrPort, p i3.Packet, payload []byte, _ *machine.Outbox) {
	fmt.Printf("%s: %q under %04x, %d hops left\n", l, payload, p.ID.Prefix()>>48, p.HopLimit)
}
func (l listener) Acked(_ machine.Time, a i3.Ack, _ *machine.Outbox) {
	fmt.Printf("%s: %v\n", l, a.Status)
}
func (l listener) Failed(machine.Time, i3.Trigger, *machine.Outbox) { fmt.Printf("%s: no answer\n", l) }

func main() {
	world := sim.New(sim.Config{})
	west, east := must(world.Open()), must(world.Open())
	ring := must(chord.NewFixed([]chord.Place{{Prefix: 0x8000 << 48, Addr: west.Addr()}, {Addr: east.Addr()}}))
	for _, end := range []*sim.Endpoint{west, east} {
		owned, _ := ring.RangeOf(end.Addr())
		end.Start(must(node.New(node.Config{Self: end.Addr(), Range: owned, Ring: ring, Secret: [32]byte{1}})))
	}
	name := i3.NewID(0x1000<<48, i3.Key{1}, 0)         // what senders know, on the western node
	team := i3.NewID(0xe000<<48, i3.RightKey(name), 0) // what it stands for today, on the eastern one
	link := i3.Trigger{ID: name, Target: i3.ToID(team)}
	for _, l := range []listener{"alice", "bob"} {
		end := must(world.Open())
		h := must(host.New(host.Config{Self: end.Addr(), Ring: ring}, l))
		end.Start(h)
		end.Do(func(now machine.Time, out *machine.Outbox) { h.Maintain(now, h.Own(team), out) })
		world.Sleep(machine.Second)
		end.Do(func(now machine.Time, out *machine.Outbox) { h.Maintain(now, link, out) }) // both keep it alive
		world.Sleep(machine.Second)
	}
	end := must(world.Open())
	sender := must(host.New(host.Config{Self: end.Addr(), Ring: ring}, listener("sender")))
	end.Do(func(_ machine.Time, out *machine.Outbox) { sender.Send(name, []byte("hello"), out) })
	world.Sleep(machine.Second)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
