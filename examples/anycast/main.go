// Anycast sends each packet to the one of three servers that is nearest by suffix (figure 3(b) of the paper). It runs
// in virtual time and opens no socket; package cluster runs the same machines on real ones.
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

// A server prints what reaches it.
type server string

func (s server) Deliver(_ machine.Time, _ netip.AddrPort, _ i3.Packet, payload []byte, _ *machine.Outbox) {
	fmt.Printf("%s: %s\n", s, payload)
}
func (s server) Acked(_ machine.Time, a i3.Ack, _ *machine.Outbox) {
	fmt.Printf("%s: %v\n", s, a.Status)
}
func (s server) Failed(machine.Time, i3.Trigger, *machine.Outbox) { fmt.Printf("%s: no answer\n", s) }

func main() {
	world := sim.New(sim.Config{})
	infra := must(world.Open())
	ring := must(chord.NewFixed([]chord.Place{{Addr: infra.Addr()}}))
	infra.Start(must(node.New(node.Config{Self: infra.Addr(), Ring: ring, Secret: [32]byte{1}})))

	group := i3.NewID(0x1000, i3.Key{0xca, 0xfe}, 0) // these 192 bits must match, the suffix is for the nearest
	for i, name := range []server{"berlin", "paris", "tokyo"} {
		end := must(world.Open())
		h := must(host.New(host.Config{Self: end.Addr(), Ring: ring}, name))
		end.Start(h)
		mine := h.Own(group.WithSuffix([]uint64{0x10, 0x18, 0xf0}[i] << 56))
		end.Do(func(now machine.Time, out *machine.Outbox) { h.Maintain(now, mine, out) })
		world.Sleep(machine.Second)
	}
	end := must(world.Open())
	client := must(host.New(host.Config{Self: end.Addr(), Ring: ring}, server("client")))
	for _, near := range []uint64{0x11, 0x1f, 0xff, 0x18} {
		text := fmt.Sprintf("packet for %02x", near)
		end.Do(func(_ machine.Time, out *machine.Outbox) { client.Send(group.WithSuffix(near<<56), []byte(text), out) })
		world.Sleep(machine.Second)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
