// Chat is a room of three members who all may speak. A group has one source: members say what they have to say to a
// hub, which is the source and sends it to all. With a group for each member there would be as many trees, and no order
// of what is said that all agree on. Members know the room's public name and a password, with which the hub tells
// them the group and its key; who does not have it is not let in. It runs in virtual time and opens no socket.
package main

import (
	"fmt"
	"net/netip"
	"slices"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
	"i3bench/testbed"
)

// A hub keeps what members say until it is sent on.
type hub struct{ lines [][]byte }

func (h *hub) Deliver(_ machine.Time, _ netip.AddrPort, _ i3.Packet, payload []byte, _ *machine.Outbox) {
	h.lines = append(h.lines, slices.Clone(payload))
}
func (h *hub) Acked(machine.Time, i3.Ack, *machine.Outbox)      {}
func (h *hub) Failed(machine.Time, i3.Trigger, *machine.Outbox) {}

func main() {
	world, h := sim.New(sim.Config{}), &hub{}
	open := func() (testbed.Endpoint, error) { return world.Open() }
	secret, password := [32]byte{1}, []byte("sesame") // real ones come from the operating system, as does the key
	room := multicast.Config{
		Key:  [32]byte{2},
		Door: &multicast.Door{Secret: secret, Admit: func(a multicast.Asker) bool { return a.Proves(password) }},
		Name: &multicast.Name{ID: multicast.PublicName(secret), Secret: password},
	}
	bed := must(testbed.New(testbed.Config{Open: open, Nodes: 4, Seed: 1, Group: room}))
	end := must(world.Open())
	desk := must(host.New(host.Config{Self: end.Addr(), Ring: bed.Ring()}, h))
	end.Start(desk)
	talk := i3.NewID(0x2000<<48, i3.Key{1}, 0) // what members send to; only the hub sends to the group
	end.Do(func(now machine.Time, out *machine.Outbox) { desk.Maintain(now, desk.Own(talk), out) })

	for i, name := range []string{"ann", "bob", "eve"} {
		member := must(bed.AddReceiver(i, multicast.Events{
			Deliver: func(_ machine.Time, n uint64, _ int64, line []byte) { fmt.Printf("%s reads %d: %s\n", name, n, line) },
		}))
		member.Join() // from here on it hears all that is said
		world.Sleep(machine.Second)
		self := member.Machine.Host()
		member.Endpoint.Do(func(_ machine.Time, out *machine.Outbox) { self.Send(talk, []byte("hello from "+name), out) })
		world.Sleep(machine.Second)
		for ; len(h.lines) > 0; h.lines = h.lines[1:] {
			bed.Source().Send(h.lines[0])
		}
		world.Sleep(machine.Second)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
