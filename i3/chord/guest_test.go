package chord_test

import (
	"net/netip"
	"strings"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// A still is a machine that does nothing but count.
type still struct{ datagrams, packets int }

func (s *still) Receive(_ machine.Time, batch []machine.Datagram, _ *machine.Outbox) {
	for _, d := range batch {
		s.datagrams++
		for rest := d.Bytes; len(rest) > 0; s.packets++ {
			_, _, tail, err := i3.Next(rest)
			if err != nil {
				break
			}
			rest = tail
		}
	}
}
func (s *still) Deadline() machine.Time               { return machine.Never }
func (s *still) Expire(machine.Time, *machine.Outbox) {}

// visit adds a guest of members to a network.
func (n *network) visit(members ...*peer) (*chord.Guest, *peer) {
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16, 0, byte(len(n.members))}), 4000)
	cfg := chord.Config{Self: chord.Place{Addr: addr}}
	for _, p := range members {
		cfg.Join = append(cfg.Join, p.place.Addr)
	}
	g, err := chord.NewGuest(cfg, n.now)
	if err != nil {
		n.t.Fatal(err)
	}
	p := &peer{machine: g.Beside(new(still)), place: cfg.Self}
	n.start(p)
	return g, p
}

// TestGuest: a guest finds the owners of what it asks for, and follows as members come and go.
func TestGuest(t *testing.T) {
	n := formed(t, 1, 32)
	g, p := n.visit(n.live()[3], n.live()[9])
	prefixes := make([]uint64, 20)
	for i := range prefixes {
		prefixes[i] = n.rng.Uint64()
	}
	ask := func() (right int) {
		for _, prefix := range prefixes {
			a, ok := g.Owner(prefix)
			n.after(p)
			if !ok || n.byAddr[a] == nil {
				t.Fatalf("%x is owned by %v, %v", prefix, a, ok)
			}
			if a == n.owners(prefix)[0].Addr {
				right++
			}
		}
		return right
	}
	ask()
	n.run(machine.Second)
	if right := ask(); right != len(prefixes) {
		t.Errorf("%d of %d owners are right after a second", right, len(prefixes))
	}
	for _, p := range n.live()[:8] {
		p.dead = true
	}
	for range 8 {
		n.add(n.live()...)
	}
	took := 0
	for ; took < 30 && ask() != len(prefixes); took++ {
		n.run(machine.Second)
	}
	if t.Logf("all owners are right again %d s after a quarter of the members has changed", took); took > 15 {
		t.Errorf("%d of %d owners are right after %d s", ask(), len(prefixes), took)
	}
}

// TestGuestIsCorrected: what a host hears from nodes makes a guest look again at once.
func TestGuestIsCorrected(t *testing.T) {
	n := formed(t, 2, 32)
	g, p := n.visit(n.live()[3:]...)
	prefix := n.rng.Uint64()
	is := func() bool {
		a, _ := g.Owner(prefix)
		n.after(p)
		return a == n.owners(prefix)[0].Addr
	}
	is()
	n.run(machine.Second)
	if !is() {
		t.Fatal("the owner is not found")
	}
	n.byAddr[n.owners(prefix)[0].Addr].dead = true
	n.run(1500 * machine.Millisecond) // the ring mends itself
	g.Doubt(prefix)
	n.after(p)
	n.run(2 * machine.Second)
	if !is() {
		t.Error("after a doubt, the owner is not found again")
	}
	g.Wrong(prefix)
	n.after(p)
	n.run(500 * machine.Millisecond)
	if !is() {
		t.Error("after it was wrong, the owner is not found again")
	}
}

// TestGuestOutlivesItsMembers: a guest that asks now and then finds owners long after all members that it was given,
// and all owners that it has found, are gone.
func TestGuestOutlivesItsMembers(t *testing.T) {
	n := formed(t, 3, 32)
	first := n.live()
	g, p := n.visit(first[3], first[9])
	prefix := n.rng.Uint64()
	for _, dies := range first { // one every two seconds, and another joins
		g.Owner(prefix)
		n.after(p)
		dies.dead = true
		n.add(n.live()...)
		n.run(2 * machine.Second)
	}
	for range 10 {
		g.Owner(prefix)
		n.after(p)
		n.run(machine.Second)
	}
	if a, _ := g.Owner(prefix); a != n.owners(prefix)[0].Addr {
		t.Errorf("the owner is said to be %v, want %v", a, n.owners(prefix)[0].Addr)
	}
}

// TestGuestBeside: the guest gets the packets of the ring out of any datagram, and the machine all others.
func TestGuestBeside(t *testing.T) {
	member := netip.MustParseAddrPort("10.0.0.1:3000")
	g, err := chord.NewGuest(chord.Config{
		Self: chord.Place{Addr: netip.MustParseAddrPort("10.0.0.2:3000")}, Join: []netip.AddrPort{member},
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	packet := func(k i3.Kind) []byte {
		return append(i3.Packet{Kind: k, Length: 3}.AppendTo(nil), "abc"...)
	}
	ring, data := packet(i3.KindRing), packet(i3.KindData)
	var all []byte
	for _, p := range [][]byte{ring, data, data, ring, ring, data, {0, 0, 0}} {
		all = append(all, p...)
	}
	s := new(still)
	m := g.Beside(s)
	m.Receive(1, []machine.Datagram{{From: member, Bytes: all}, {From: member, Bytes: ring}}, machine.NewOutbox(0, 0, 0))
	if got := g.Counters().DropMalformed; got != 4 || s.datagrams != 2 || s.packets != 4 {
		t.Errorf("the guest got %d packets, the machine %d in %d datagrams, want 4 and 4 in 2", got, s.packets, s.datagrams)
	}
}

func TestGuestErrors(t *testing.T) {
	_, err := chord.NewGuest(chord.Config{Self: chord.Place{Addr: netip.MustParseAddrPort("10.0.0.2:3000")}}, 1)
	if err == nil || !strings.Contains(err.Error(), "no members") {
		t.Errorf("%v, want an error about members", err)
	}
}
