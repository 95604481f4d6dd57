package host_test

import (
	"fmt"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// A handler prints what reaches the host.
type printer struct{}

func (printer) Deliver(_ machine.Time, _ netip.AddrPort, _ i3.Packet, payload []byte, _ *machine.Outbox) {
	fmt.Printf("delivered %q\n", payload)
}

func (printer) Acked(_ machine.Time, a i3.Ack, _ *machine.Outbox) { fmt.Println("trigger", a.Status) }

func (printer) Failed(machine.Time, i3.Trigger, *machine.Outbox) { fmt.Println("nobody answers") }

// A host asks for a trigger until the node answers. Here nobody does until the third try.
func Example() {
	nodeAddr := netip.MustParseAddrPort("10.0.0.1:3000")
	ring, _ := chord.NewFixed([]chord.Place{{Prefix: 0, Addr: nodeAddr}})
	h, err := host.New(host.Config{Self: netip.MustParseAddrPort("192.0.2.7:4000"), Ring: ring, Seed: 1}, printer{})
	if err != nil {
		fmt.Println(err)
		return
	}
	out := machine.NewOutbox(0, 0, 0)
	now := machine.Time(machine.Second)
	mine := h.Own(i3.NewID(42, i3.Key{1}, 0))
	h.Maintain(now, mine, out)
	for h.Counters().Requests < 3 {
		now = h.Deadline()
		h.Expire(now, out)
	}
	fmt.Printf("asked for the third time after %.2f s\n", now.Sub(machine.Time(machine.Second)).Seconds())

	asked, _, _, _ := i3.Next(out.Sends()[0].Bytes)
	answer := i3.Packet{Kind: i3.KindAck, Length: i3.EntrySize, Flow: asked.Flow}.AppendTo(nil)
	answer = i3.Ack{Trigger: mine, Status: i3.StatusInserted}.AppendTo(answer)
	data := i3.Packet{Kind: i3.KindData, Length: 5, ID: mine.ID}.AppendTo(nil)
	h.Receive(now, []machine.Datagram{{From: nodeAddr, Bytes: append(append(answer, data...), "hello"...)}}, out)
	fmt.Println("maintained:", h.Maintains(mine))
	// Output:
	// asked for the third time after 1.25 s
	// trigger inserted
	// delivered "hello"
	// maintained: true
}
