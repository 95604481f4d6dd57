package node_test

import (
	"fmt"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// A node that owns the whole circle, driven by hand: a host inserts a trigger, and a sender that knows nothing but the
// identifier reaches it.
func Example() {
	self := netip.MustParseAddrPort("10.0.0.1:3000")
	receiver := netip.MustParseAddrPort("192.0.2.7:4000")
	sender := netip.MustParseAddrPort("192.0.2.8:4000")
	ring, _ := chord.NewFixed([]chord.Place{{Prefix: 0, Addr: self}})
	n, err := node.New(node.Config{Self: self, Ring: ring, Secret: [32]byte{1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	out := machine.NewOutbox(0, 0, 0)
	now := machine.Time(0).Add(machine.Second)
	receive := func(from netip.AddrPort, k i3.Kind, payload []byte, id i3.ID) {
		out.Reset()
		p := i3.Packet{Kind: k, HopLimit: 32, Length: uint16(len(payload)), ID: id}
		n.Receive(now, []machine.Datagram{{From: from, Bytes: append(p.AppendTo(nil), payload...)}}, out)
	}

	id := i3.NewID(42, i3.Key{1}, 0)
	in := i3.Insert{Trigger: i3.Trigger{ID: id, Target: i3.ToHost(receiver, i3.RightKey(id))}}
	receive(receiver, i3.KindInsert, in.AppendTo(nil), id)
	_, wire, _, _ := i3.Next(out.Sends()[0].Bytes)
	challenge, _ := i3.ParseChallenge(i3.Payload(wire))
	fmt.Println("challenge to", out.Sends()[0].To)

	in.Nonce = challenge.Nonce
	receive(receiver, i3.KindInsert, in.AppendTo(nil), id)
	_, wire, _, _ = i3.Next(out.Sends()[0].Bytes)
	ack, _ := i3.ParseAck(i3.Payload(wire))
	fmt.Println(ack.Status, ack.Count, "of", ack.Limit, "for", ack.LifetimeMS, "ms")

	receive(sender, i3.KindData, []byte("hello"), id)
	for _, f := range out.Forwards() {
		fmt.Printf("%s to %v\n", i3.Payload(append(f.Template, f.Body...)), f.To)
	}
	// Output:
	// challenge to 192.0.2.7:4000
	// inserted 1 of 9 for 30000 ms
	// hello to 192.0.2.7:4000
}
