package chord_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// tellSize is the length of what a member says when it is there.
const tellSize = 48 + 20*32

// TestNoReplyLargerThanRequest: whatever a member is sent, it sends no more bytes to the one who sent it than it got.
func TestNoReplyLargerThanRequest(t *testing.T) {
	n := formed(t, 1, 24)
	p, rng := n.live()[3], prng.New(4, 4)
	stranger := netip.MustParseAddrPort("10.9.9.9:1")
	answers := 0
	for range 20_000 {
		length := rng.IntN(900)
		b := i3.Packet{Kind: i3.KindRing, HopLimit: 1, Length: uint16(length), Flow: uint32(rng.Uint64())}.AppendTo(nil)
		payload := make([]byte, length)
		if length >= 48 {
			payload[0] = byte(rng.IntN(6))
			if rng.IntN(2) == 0 {
				payload[1], payload[2] = byte(rng.IntN(5)), byte(rng.IntN(20))
			}
			copy(payload[16+8:], i3.AppendAddr(nil, stranger))
		}
		p.Receive(n.now, []machine.Datagram{{From: stranger, Bytes: append(b, payload...)}}, n.out)
		sent := 0
		for _, s := range n.out.Sends() {
			if s.To != stranger {
				continue
			}
			sent += len(s.Bytes)
			answers++
		}
		if sent > len(b)+length {
			t.Fatalf("%d bytes for %d of kind %d", sent, len(b)+length, payload[0])
		}
		n.out.Reset()
	}
	if answers == 0 {
		t.Error("nothing was answered")
	}
}

// TestForgedAnswers: answers that nobody asked for, and claims to be somebody else, are dropped and change nothing.
func TestForgedAnswers(t *testing.T) {
	n := formed(t, 2, 24)
	p := n.live()[3]
	before, dropped := p.Successors(), p.Counters().DropStranger
	rng, liar := prng.New(5, 5), n.live()[9]
	for range 10_000 {
		b := i3.Packet{Kind: i3.KindRing, HopLimit: 1, Length: 48 + 64, Flow: uint32(rng.Uint64())}.AppendTo(nil)
		payload := make([]byte, 48+64)
		payload[0], payload[3] = byte(2+rng.IntN(3)), 1 // an answer, or "I am here"
		claimed := p.Successors()[0].Addr               // of somebody else
		copy(payload[16+8:], i3.AppendAddr(nil, claimed))
		p.Receive(n.now, []machine.Datagram{{From: liar.place.Addr, Bytes: append(b, payload...)}}, n.out)
		if len(n.out.Sends()) > 0 {
			t.Fatalf("a forged message makes it send %d datagrams", len(n.out.Sends()))
		}
	}
	if got := p.Counters().DropStranger - dropped; got != 10_000 || !slices.Equal(before, p.Successors()) {
		t.Errorf("%d of 10000 forged messages dropped, successors %v, before %v", got, p.Successors(), before)
	}
}

// TestLiar: a member that claims a place which it does not hold in the next one's eyes is asked before anybody
// believes in it, and one that does not answer there changes nothing.
func TestLiar(t *testing.T) {
	n := formed(t, 3, 24)
	live := n.live()
	p, next := live[3], live[4]
	nobody := chord.Place{Prefix: p.place.Prefix + 1, Addr: netip.MustParseAddrPort("10.9.9.9:1")}
	n.byAddr[nobody.Addr] = &peer{place: nobody, dead: true}
	payload := make([]byte, tellSize)
	payload[0] = 3
	binary.BigEndian.PutUint64(payload[16:], nobody.Prefix)
	copy(payload[24:], i3.AppendAddr(nil, nobody.Addr))
	b := i3.Packet{Kind: i3.KindRing, HopLimit: 1, Length: tellSize}.AppendTo(nil)
	for _, q := range []*peer{p, next} {
		before, _ := q.Range()
		asked := q.Counters().Asked
		q.Receive(n.now, []machine.Datagram{{From: nobody.Addr, Bytes: append(b, payload...)}}, n.out)
		n.after(q)
		n.run(10 * machine.Second)
		if after, _ := q.Range(); q.Counters().Asked == asked || after != before || p.Successors()[0] != next.place {
			t.Errorf("%v: owns %x, before %x; after %v comes %v", q.place, after, before, p.place, p.Successors()[0])
		}
	}
}
