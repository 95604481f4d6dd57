package node_test

import (
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/internal/prng"
)

// handoverPacket returns a handover packet as anybody could write it.
func handoverPacket(flow uint32, h i3.Handover) []byte {
	return h.AppendTo(i3.Packet{
		Kind: i3.KindHandover, HopLimit: 1, Length: i3.HandoverHead + i3.MaxHanded*i3.EntrySize, Flow: flow,
	}.AppendTo(nil))
}

// asHandover decodes a handover packet, if a datagram is one.
func asHandover(b []byte) (h i3.Handover, flow uint32, ok bool) {
	p, wire, _, err := i3.Next(b)
	if err != nil || p.Kind != i3.KindHandover || i3.ParseHandover(i3.Payload(wire), &h) != nil {
		return h, 0, false
	}
	return h, p.Flow, true
}

// pair returns two neighbours of a ring of some nodes, the first of which owns triggers.
func pair(t *testing.T) (f *flood, first, second *rig, places [2]chord.Place) {
	f = newFlood(t, 6, 100, 8)
	f.idle = true
	first, second = f.rigs[f.all[2].Addr], f.rigs[f.all[3].Addr]
	first.now, second.now = f.now, f.now
	return f, first, second, [2]chord.Place{f.all[2], f.all[3]}
}

// TestForgedOffer: an offer in the name of a node that does not leave has one question sent to that, which is dropped
// there, and changes nothing; one of anybody else, or about what is not the sender's, has none.
func TestForgedOffer(t *testing.T) {
	f, first, second, p := pair(t)
	own := first.ack(i3.NewID(p[0].Prefix, i3.Key{}, 0))
	offer := i3.Handover{More: true, Lo: own.Lo, Hi: own.Hi}
	size := len(handoverPacket(0, offer))
	for name, c := range map[string]struct {
		from netip.AddrPort
		h    i3.Handover
	}{
		"a stranger":       {mallory, offer},
		"another member":   {f.all[0].Addr, offer},
		"too much":         {p[0].Addr, i3.Handover{More: true, Lo: p[1].Prefix - 1, Hi: p[0].Prefix}},
		"not its position": {p[0].Addr, i3.Handover{More: true, Lo: own.Lo, Hi: p[0].Prefix - 1}},
	} {
		count := second.delta(func() { second.receive(c.from, handoverPacket(0, c.h)) })
		if want := (node.Counters{Packets: 1, DropStranger: 1}); count != want || !second.out.Empty() {
			t.Errorf("%s: counters %+v, want %+v, and nothing sent", name, count, want)
		}
	}
	before := second.node.Counters()
	for range 500 {
		second.receive(p[0].Addr, handoverPacket(0, offer))
		sends := second.out.Sends()
		if len(sends) > 1 || len(sends) == 1 && (sends[0].To != p[0].Addr || len(sends[0].Bytes) > size) {
			t.Fatalf("%d datagrams sent for an offer, the first of %d bytes to %v", len(sends), len(sends[0].Bytes), sends[0].To)
		}
		f.post(p[1].Addr)
		f.run(4 * machine.Millisecond)
	}
	f.run(10 * machine.Millisecond) // what is under way
	strangers := first.node.Counters().DropStranger
	f.run(3 * machine.Second)
	if c := second.node.Counters(); c.TakenOver != before.TakenOver || c.HandoverFailed != 0 || strangers == 0 ||
		first.node.Counters().DropStranger != strangers {
		t.Errorf("%+v; %d questions dropped, and %d more later", c, strangers, first.node.Counters().DropStranger-strangers)
	}
	if a := second.ack(i3.NewID(p[0].Prefix, i3.Key{}, 0)); a.Status == i3.StatusProbed {
		t.Error("the successor owns the position of the one before")
	}
}

// TestForgedHeir: nobody but the successor gets triggers out of a node that leaves, and nobody but that ends it by
// saying that it has all; which is not believed of one that has not asked for anything.
func TestForgedHeir(t *testing.T) {
	f, first, _, p := pair(t)
	own := first.ack(i3.NewID(p[0].Prefix, i3.Key{}, 0))
	f.lose = func(_, _ netip.AddrPort, b []byte) bool { // the successor is silent
		_, _, ok := asHandover(b)
		return ok
	}
	f.leave(2)
	all := i3.Handover{Cursor: 1<<64 - 1, Lo: own.Lo, Hi: own.Hi}
	for name, c := range map[string]struct {
		from netip.AddrPort
		h    i3.Handover
	}{
		"a stranger asks":                 {mallory, i3.Handover{Lo: own.Lo, Hi: own.Hi}},
		"another member asks":             {f.all[5].Addr, i3.Handover{Lo: own.Lo, Hi: own.Hi}},
		"a stranger has all":              {mallory, all},
		"the successor has all at once":   {p[1].Addr, all},
		"the successor asks for too much": {p[1].Addr, i3.Handover{Lo: own.Lo - 1, Hi: own.Hi}},
	} {
		count := first.delta(func() { first.receive(c.from, handoverPacket(0, c.h)) })
		if want := (node.Counters{Packets: 1, DropStranger: 1}); count != want || !first.out.Empty() {
			t.Errorf("%s: counters %+v, want %+v, and no answer", name, count, want)
		}
	}
	// Somebody who can write the successor's address, but not read what is sent to it, asks for the triggers and says
	// that they have come.
	for at, more := uint64(0), true; more; {
		first.receive(p[1].Addr, handoverPacket(0, i3.Handover{Cursor: at, Lo: own.Lo, Hi: own.Hi}))
		page, _, ok := asHandover(first.out.Sends()[0].Bytes)
		if !ok {
			t.Fatal("no answer")
		}
		at, more = page.Cursor, page.More
	}
	rng := prng.New(9, 9)
	const guesses = 10_000
	count := first.delta(func() {
		for range guesses {
			first.receive(p[1].Addr, handoverPacket(0, i3.Handover{Cursor: 1<<63 | rng.Uint64(), Lo: own.Lo, Hi: own.Hi}))
		}
	})
	if want := (node.Counters{Packets: guesses, DropStranger: guesses}); count != want {
		t.Errorf("counters %+v after guesses, want %+v", count, want)
	}
	if !first.member.Joined() {
		t.Error("it has left")
	}
}

// TestHeirIsNotForLong: a node that says that it leaves and does not is believed for ten seconds.
func TestHeirIsNotForLong(t *testing.T) {
	f, first, second, p := pair(t)
	lo := f.all[1].Prefix
	id := i3.NewID(p[0].Prefix&^1-2, i3.Key{7}, 0)
	trigger := i3.Handed{Trigger: toHost(id, alice), LifetimeMS: 30_000}
	f.lose = func(_, _ netip.AddrPort, b []byte) bool {
		_, _, ok := asHandover(b)
		return ok
	}
	second.receive(p[0].Addr, handoverPacket(0, i3.Handover{More: true, Lo: lo, Hi: p[0].Prefix}))
	for range 2 { // the question, and that it has all
		_, flow, ok := asHandover(second.out.Sends()[0].Bytes)
		if !ok {
			t.Fatal("it does not ask")
		}
		second.receive(p[0].Addr, handoverPacket(flow, i3.Handover{
			Bring: true, Cursor: 5, Lo: lo, Hi: p[0].Prefix, Handed: []i3.Handed{trigger},
		}))
	}
	if got := second.matches(id); got != 1 {
		t.Errorf("%d copies, want that the heir matches", got)
	}
	f.run(11 * machine.Second)
	second.now = f.now
	second.receive(bob, data(id, "x"))
	if fs := second.out.Forwards(); len(fs) != 1 || fs[0].To == alice || first.member.Left() {
		t.Errorf("%d copies, want one for another node", len(fs))
	}
}
