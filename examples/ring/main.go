// Ring lets nodes become a ring by the address of one of them. A host finds the owner of a name by itself, and another
// when that has died. It runs in virtual time and opens no socket.
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

func (l listener) Deliver(_ machine.Time, _ netip.AddrPort, _ i3.Packet, payload []byte, _ *machine.Outbox) {
	fmt.Printf("%s: %q\n", l, payload)
}
func (l listener) Acked(machine.Time, i3.Ack, *machine.Outbox)      {}
func (l listener) Failed(machine.Time, i3.Trigger, *machine.Outbox) {}

func main() {
	world := sim.New(sim.Config{})
	var ends []*sim.Endpoint
	for i := range 10 {
		end := must(world.Open())
		cfg := chord.Config{Self: chord.Place{Prefix: uint64(i) << 60, Addr: end.Addr()}}
		if i > 0 {
			cfg.Join = []netip.AddrPort{ends[0].Addr()}
		}
		member := must(chord.NewMember(cfg, world.Now()))
		end.Start(must(node.New(node.Config{Self: end.Addr(), Member: member, Secret: [32]byte{byte(i)}})))
		ends = append(ends, end)
	}
	world.Sleep(20 * machine.Second)

	end := must(world.Open())
	guest := must(chord.NewGuest(chord.Config{
		Self: chord.Place{Addr: end.Addr()}, Join: []netip.AddrPort{ends[3].Addr(), ends[8].Addr()},
	}, world.Now()))
	h := must(host.New(host.Config{Self: end.Addr(), Ring: guest, Lifetime: 5 * machine.Second}, listener("alice")))
	end.Start(guest.Beside(h))
	name := i3.NewID(0x4800<<48, i3.Key{1}, 0) // whose owner is the node at 5<<60
	end.Do(func(now machine.Time, out *machine.Outbox) { h.Maintain(now, h.Own(name), out) })
	world.Sleep(3 * machine.Second)
	end.Do(func(_ machine.Time, out *machine.Outbox) { h.Send(name, []byte("hello"), out) })
	world.Sleep(machine.Second)

	ends[5].Close()
	world.Sleep(20 * machine.Second)
	end.Do(func(_ machine.Time, out *machine.Outbox) { h.Send(name, []byte("hello again"), out) })
	world.Sleep(machine.Second)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
