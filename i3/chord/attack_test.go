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

// Kinds of messages, and the length of what a member says when it is there.
const (
	ask, answer, tell, follow, leave, moved = 1, 2, 3, 4, 5, 6
	tellSize                                = 48 + 20*32
)

// ringPacket returns a packet of the ring as anybody could write it.
func ringPacket(kind byte, flow uint32, size int, self chord.Place, more func(payload []byte)) []byte {
	b := i3.Packet{Kind: i3.KindRing, HopLimit: 1, Length: uint16(size), Flow: flow}.AppendTo(nil)
	payload := make([]byte, size)
	payload[0] = kind
	putPlace(payload[16:], self)
	if more != nil {
		more(payload)
	}
	return append(b, payload...)
}

func putPlace(b []byte, p chord.Place) {
	binary.BigEndian.PutUint64(b, p.Prefix)
	copy(b[8:], i3.AppendAddr(nil, p.Addr))
}

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
			payload[0] = byte(rng.IntN(8))
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

// TestAttackA14ForgedAnswers: answers that nobody asked for, and claims to be somebody else, are dropped and change
// nothing.
func TestAttackA14ForgedAnswers(t *testing.T) {
	n := formed(t, 2, 24)
	p := n.live()[3]
	before, dropped := p.Successors(), p.Counters().DropStranger
	rng, liar := prng.New(5, 5), n.live()[9]
	for range 10_000 {
		b := i3.Packet{Kind: i3.KindRing, HopLimit: 1, Length: 48 + 64, Flow: uint32(rng.Uint64())}.AppendTo(nil)
		payload := make([]byte, 48+64)
		payload[0], payload[3] = byte(2+rng.IntN(4)), 1 // an answer, "I am here", or "I have left"
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

// TestAttackA14Liar: a member that claims a place which it does not hold in the next one's eyes is asked before
// anybody believes in it, and one that does not answer there changes nothing.
func TestAttackA14Liar(t *testing.T) {
	n := formed(t, 3, 24)
	live := n.live()
	p, next := live[3], live[4]
	nobody := chord.Place{Prefix: p.place.Prefix + 1, Addr: netip.MustParseAddrPort("10.9.9.9:1")}
	n.byAddr[nobody.Addr] = &peer{place: nobody, dead: true}
	for _, q := range []*peer{p, next} {
		before, _ := q.Range()
		asked := q.Counters().Asked
		q.Receive(n.now, []machine.Datagram{{From: nobody.Addr, Bytes: ringPacket(tell, 0, tellSize, nobody, nil)}}, n.out)
		n.after(q)
		n.run(10 * machine.Second)
		if after, _ := q.Range(); q.Counters().Asked == asked || after != before || p.Successors()[0] != next.place {
			t.Errorf("%v: owns %x, before %x; after %v comes %v", q.place, after, before, p.place, p.Successors()[0])
		}
	}
}

// TestAttackA14ForgedPredecessor: who has seen the number of one question does not know that of the next, by which
// it could answer for somebody who is not there.
func TestAttackA14ForgedPredecessor(t *testing.T) {
	n := formed(t, 3, 24)
	victim := n.live()[4]
	own := chord.Place{Prefix: victim.place.Prefix - 2, Addr: netip.MustParseAddrPort("10.9.9.9:1")}
	fake := chord.Place{Prefix: victim.place.Prefix - 1, Addr: netip.MustParseAddrPort("10.8.8.8:1")}
	for _, p := range []chord.Place{own, fake} {
		n.byAddr[p.Addr] = &peer{place: p, dead: true}
	}
	claim := func(kind byte, flow uint32, self chord.Place) {
		b := ringPacket(kind, flow, tellSize, self, func(b []byte) {
			b[2], b[3] = 1, 1 // a member, with one successor
			putPlace(b[48+32:], victim.place)
		})
		victim.Receive(n.now, []machine.Datagram{{From: self.Addr, Bytes: b}}, n.out)
	}
	var flow uint32
	for range 50 {
		claim(tell, 0, own)
		for _, s := range n.out.Sends() {
			if p, _, _, err := i3.Next(s.Bytes); err == nil && s.To == own.Addr {
				flow = p.Flow
			}
		}
		if n.after(victim); flow != 0 {
			break
		}
		n.run(10 * machine.Millisecond)
	}
	if flow == 0 {
		t.Fatal("it is not asked whether it is there")
	}
	claim(answer, flow, own) // so that fake is next
	claim(tell, 0, fake)
	for d := uint32(1); d <= 1000; d++ {
		claim(answer, flow+d, fake)
	}
	if r, _ := victim.Range(); r.Lo == fake.Prefix {
		t.Error("who has never received a packet is the predecessor")
	}
}

// TestAttackA14StarvedPredecessor: who claims all the time to be the predecessor, and does not answer, keeps nobody
// out.
func TestAttackA14StarvedPredecessor(t *testing.T) {
	n := formed(t, 3, 24)
	victim := n.live()[4]
	fake := chord.Place{Prefix: victim.place.Prefix - 1, Addr: netip.MustParseAddrPort("10.8.8.8:1")}
	n.byAddr[fake.Addr] = &peer{place: fake, dead: true}
	r, _ := victim.Range()
	place := chord.Place{Prefix: r.At(1 << 63), Addr: netip.MustParseAddrPort("10.7.7.7:1")}
	m, err := chord.NewMember(chord.Config{Self: place, Join: []netip.AddrPort{n.live()[10].place.Addr}}, n.now)
	if err != nil {
		t.Fatal(err)
	}
	n.start(&peer{Member: m, machine: m, place: place})
	tells := 0
	for ; tells < 1200; tells++ {
		b := ringPacket(tell, 0, tellSize, fake, nil)
		victim.Receive(n.now, []machine.Datagram{{From: fake.Addr, Bytes: b}}, n.out)
		n.after(victim)
		n.run(100 * machine.Millisecond)
		if r, _ := victim.Range(); r.Lo == place.Prefix {
			t.Logf("predecessor after %d forged claims, in %d s", tells+1, tells/10)
			return
		}
	}
	t.Errorf("not the predecessor after %d forged claims, in %d s", tells, tells/10)
}

// TestLongAsk: an answer is no longer than it can have to be, however long the question.
func TestLongAsk(t *testing.T) {
	n := formed(t, 3, 3)
	from := chord.Place{Prefix: 1, Addr: netip.MustParseAddrPort("10.8.8.8:1")}
	p := n.live()[0]
	p.Receive(n.now, []machine.Datagram{{From: from.Addr, Bytes: ringPacket(ask, 5, 60_000, from, nil)}}, n.out)
	if s := n.out.Sends(); len(s) != 1 || len(s[0].Bytes) != i3.HeaderSize+tellSize {
		t.Errorf("%d answers, the first of %d bytes, want one of %d", len(s), len(s[0].Bytes), i3.HeaderSize+tellSize)
	}
}

// TestAttackA14Bystander: a member that names places at a bystander's address in all its answers has no more sent
// there than some times what it sends itself (60 times without bounds), and that only when it is asked.
func TestAttackA14Bystander(t *testing.T) {
	n := formed(t, 3, 24)
	n.run(10 * machine.Second)
	l := &liar{place: n.live()[4].place, bystander: netip.MustParseAddr("10.77.0.1")}
	n.live()[4].machine = l
	n.elsewhere = l.strange
	n.run(60 * machine.Second)
	t.Logf("the liar sent %d bytes, the bystander got %d datagrams of %d bytes: %.1f times", l.sent, l.datagrams, l.got,
		float64(l.got)/float64(l.sent))
	if l.sent == 0 || l.got > 15*l.sent {
		t.Errorf("the bystander got %d bytes for %d of the liar, want at most 15 times", l.got, l.sent)
	}
}

// A liar answers every question with places at a bystander's address.
type liar struct {
	place                chord.Place
	bystander            netip.Addr
	port                 uint16
	sent, datagrams, got int
}

// strange counts what is for the bystander.
func (l *liar) strange(to netip.AddrPort, size int) bool {
	if to.Addr() != l.bystander {
		return false
	}
	l.datagrams++
	l.got += size
	return true
}

func (l *liar) Deadline() machine.Time               { return machine.Never }
func (l *liar) Expire(machine.Time, *machine.Outbox) {}

func (l *liar) Receive(_ machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	for _, d := range batch {
		p, wire, _, err := i3.Next(d.Bytes)
		if q := i3.Payload(wire); err == nil && q[0] == ask {
			b := ringPacket(answer, p.Flow, len(q), l.place, func(b []byte) { l.lie(b, q) })
			l.sent += len(b)
			out.Send(d.From, b)
		}
	}
}

// lie writes an answer with as many places as it has room for.
func (l *liar) lie(b, question []byte) {
	b[3] = 1
	copy(b[8:16], question[8:16])
	places := (len(b) - 48) / 32
	if places == 0 {
		return
	}
	about := binary.BigEndian.Uint64(question[8:])
	near := min(3, places-1)
	succ := min(16, places-1-near)
	b[1], b[2] = byte(near), byte(succ)
	putPlace(b[48:], chord.Place{Prefix: l.place.Prefix - 1, Addr: netip.AddrPortFrom(l.bystander, 1)})
	for i := range near + succ {
		l.port = max(l.port+1, 1)
		prefix := about - uint64(i) - 1
		if i >= near {
			prefix = about + uint64(i-near)*5
		}
		putPlace(b[80+32*i:], chord.Place{Prefix: prefix, Addr: netip.AddrPortFrom(l.bystander, l.port)})
	}
}
