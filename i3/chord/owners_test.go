package chord_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// TestOwnersAreCached: a member sends the first packet for a far prefix by way of others, and later ones to the owner
// itself; when that has died, to the next one within seconds.
func TestOwnersAreCached(t *testing.T) {
	n := formed(t, 4, 128)
	p := n.live()[5]
	var prefixes []uint64
	for len(prefixes) < 40 {
		if prefix := n.rng.Uint64(); n.owners(prefix)[0] != p.place {
			prefixes = append(prefixes, prefix)
		}
	}
	direct := func() (right int) {
		for _, prefix := range prefixes {
			a, ok := p.Owner(prefix)
			n.after(p)
			if !ok || n.byAddr[a] == nil {
				t.Fatalf("%x goes to %v, %v", prefix, a, ok)
			}
			if a == n.owners(prefix)[0].Addr {
				right++
			}
		}
		return right
	}
	first := direct()
	n.run(machine.Second)
	direct() // those above the bound of what may be wanted at a time
	n.run(machine.Second)
	if later := direct(); first > len(prefixes)/2 || later != len(prefixes) {
		t.Errorf("%d of %d packets go to the owner at first, %d later", first, len(prefixes), later)
	}
	for _, prefix := range prefixes[:10] {
		if q := n.byAddr[n.owners(prefix)[0].Addr]; q != p {
			q.dead = true
		}
	}
	took := 0
	for ; took < 30 && direct() != len(prefixes); took++ {
		n.run(machine.Second)
	}
	if t.Logf("ten owners have died: all packets go to owners after %d s", took); took > 15 {
		t.Errorf("only %d of %d packets go to the owner after %d s", direct(), len(prefixes), took)
	}
}

// TestOwnersAreBounded: whoever makes a member send packets to prefixes of his choice makes it look for few of the
// owners in a second, and others still find theirs.
func TestOwnersAreBounded(t *testing.T) {
	n := formed(t, 5, 32)
	p := n.live()[7]
	before := p.Counters()
	const ms = 2000
	for range ms {
		for range 100 {
			if _, ok := p.Owner(n.rng.Uint64()); !ok {
				t.Fatal("no way")
			}
		}
		n.after(p)
		n.run(machine.Millisecond)
	}
	after := p.Counters()
	lookups := after.Finds - before.Finds
	if t.Logf("%d lookups in %d ms", lookups, ms); lookups < 20 || lookups > 32*ms/100+50 {
		t.Errorf("%d lookups for %d packets in %d ms", lookups, 100*ms, ms)
	}
	if after.DropFull != before.DropFull || after.Failed != before.Failed {
		t.Errorf("before %+v, after %+v: lookups failed for want of room", before, after)
	}
}

// The way of a packet does not allocate once its owner is known.
func TestOwnerDoesNotAllocate(t *testing.T) {
	n := formed(t, 6, 32)
	p := n.live()[3]
	prefix := p.place.Prefix - 1<<62
	p.Owner(prefix)
	n.after(p)
	n.run(machine.Second)
	if allocs := testing.AllocsPerRun(100, func() { p.Owner(prefix) }); allocs > 0 {
		t.Errorf("%v allocations for a known owner", allocs)
	}
}

// BenchmarkOwner is the cost of finding where a packet goes: with a fixed ring, which knows all, and as a member, by
// its cache and by its successors.
func BenchmarkOwner(b *testing.B) {
	n := formed(b, 7, 512)
	p := n.live()[3]
	var places []chord.Place
	for _, q := range n.live() {
		places = append(places, q.place)
	}
	fixed, err := chord.NewFixed(places)
	if err != nil {
		b.Fatal(err)
	}
	far := make([]uint64, 256)
	for i := range far {
		far[i] = n.rng.Uint64()
	}
	near := p.Successors()[7].Prefix
	for range 20 {
		for _, prefix := range far {
			p.Owner(prefix)
		}
		n.after(p)
		n.run(200 * machine.Millisecond)
	}
	known := 0
	for _, prefix := range far {
		if a, _ := p.Owner(prefix); a == n.owners(prefix)[0].Addr {
			known++
		}
	}
	for _, c := range []struct {
		by    string
		owner func(i int) (netip.AddrPort, bool)
	}{
		{"fixed", func(i int) (netip.AddrPort, bool) { return fixed.Owner(far[i%len(far)]) }},
		{fmt.Sprintf("cache/known=%d", known), func(i int) (netip.AddrPort, bool) { return p.Owner(far[i%len(far)]) }},
		{"successors", func(int) (netip.AddrPort, bool) { return p.Owner(near) }},
	} {
		b.Run("by="+c.by, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := c.owner(i); !ok {
					b.Fatal("no owner")
				}
				i++
			}
			b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "lookups/s")
		})
	}
}

// stale lets a member find who owns a prefix, which another that joins then takes over, and returns the three.
func stale(t *testing.T, seed uint64) (n *network, p, before, after *peer, prefix uint64) {
	t.Helper()
	n = formed(t, seed, 64)
	p = n.live()[9]
	for ; before == nil || before == p; prefix = n.rng.Uint64() {
		before = n.byAddr[n.owners(prefix)[0].Addr]
	}
	prefix = before.place.Prefix - 5
	ask := func() netip.AddrPort {
		a, _ := p.Owner(prefix)
		n.after(p)
		return a
	}
	ask()
	n.run(machine.Second)
	if ask() != before.place.Addr {
		t.Fatalf("%x goes to %v", prefix, ask())
	}
	after = n.addAt(before.place.Prefix-2, before)
	for began := n.now; before.Predecessor() != after.place; n.run(machine.Millisecond) {
		if n.now.Sub(began) > 20*machine.Second {
			t.Fatal("nobody has joined")
		}
	}
	return n, p, before, after, prefix
}

// TestMisdirected: who is told that an owner is none any more knows the right one a moment later; forged, it costs a
// question now and then to who was thought to own the prefix, and none to anybody else.
func TestMisdirected(t *testing.T) {
	n, p, before, after, prefix := stale(t, 8)
	if a, _ := p.Owner(prefix); a != before.place.Addr {
		t.Fatal("the member has asked again by itself in between: choose another seed")
	}
	before.Misdirected(p.place.Addr, prefix, 200, n.out)
	n.after(before)
	n.run(250 * machine.Millisecond)
	if a, _ := p.Owner(prefix); a != after.place.Addr {
		t.Errorf("%x goes to %v, want %v", prefix, a, after.place.Addr)
	}
	asked := p.Counters().Asked
	const packets = 10_000
	for range packets {
		b := ringPacket(moved, 0, 48, after.place, func(b []byte) { binary.BigEndian.PutUint64(b[8:], prefix) })
		p.Receive(n.now, []machine.Datagram{{From: after.place.Addr, Bytes: b}}, n.out)
		n.after(p)
		n.run(machine.Millisecond / 10)
	}
	forged := p.Counters().Asked - asked
	if t.Logf("%d questions in a second after %d forged messages", forged, packets); forged > 100 {
		t.Errorf("%d questions for %d forged messages in a second", forged, packets)
	}
	before.Misdirected(p.place.Addr, prefix, 95, n.out)
	if len(n.out.Sends()) > 0 {
		t.Error("more is sent than came")
	}
	for range 100 {
		before.Misdirected(p.place.Addr, prefix, 200, n.out)
	}
	if sent := len(n.out.Sends()); sent > 32 {
		t.Errorf("%d are told in one look", sent)
	}
}
