package node_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// draw returns random bytes of a key.
func draw(rng *rand.Rand) (k i3.Key) {
	for i := range k {
		k[i] = byte(rng.Uint32())
	}
	return k
}

// accepted returns how many of the entries in the answers are in the table or have left it.
func (r *rig) accepted() (n int) {
	for _, got := range r.replies() {
		for _, a := range got.acks {
			if a.Status.Alive() || a.Status == i3.StatusRemoved {
				n++
			}
		}
	}
	return n
}

// TestAttackA1ReflectSpoofed has requests from as many addresses as requests, all of which name hosts that did not ask:
// no bytes of data come to these, and of answers no more than were spent. Nothing is kept.
func TestAttackA1ReflectSpoofed(t *testing.T) {
	r, rng := newRig(t, config()), rand.New(rand.NewPCG(1, 1))
	n := volume(50_000, 1_000_000)
	in, out := 0, 0
	for i := range n {
		victim := host(rng.IntN(1 << 16))
		ins := make([]i3.Insert, 1+rng.IntN(3))
		for j := range ins {
			ins[j] = i3.Insert{Trigger: toHost(local(rng.Uint64N(1<<20)), victim), Nonce: i3.Nonce(draw(rng))}
		}
		spoofed := netip.AddrPortFrom(netip.AddrFrom4([4]byte{100, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
		datagram := request(i3.KindInsert, 1, ins...)
		r.receiveInPlace(spoofed, datagram, data(ins[0].Trigger.ID, "flood"))
		sent := 0
		for _, s := range r.out.Sends() {
			sent += len(s.Bytes)
		}
		if in, out = in+len(datagram), out+sent; sent > len(datagram) || len(r.out.Forwards()) > 0 {
			t.Fatalf("request %d: %d bytes for %d, %d copies", i, sent, len(datagram), len(r.out.Forwards()))
		}
	}
	if r.node.Triggers() != 0 || out == 0 {
		t.Errorf("%d triggers, %d bytes sent", r.node.Triggers(), out)
	}
	t.Logf("%d requests, %d bytes in, %d out: factor %.2f", n, in, out, float64(out)/float64(in))
}

// TestAttackA4Hijack: public identifiers are known to all. Without what their keys were made from nobody can insert a
// trigger for one, be it to an address that is his own, or by way of an identifier that is.
func TestAttackA4Hijack(t *testing.T) {
	r, rng := newRig(t, config()), rand.New(rand.NewPCG(4, 4))
	var publics []i3.ID
	for i := range uint64(16) {
		preimage := draw(rng)
		id := i3.NewID(2*i+1, i3.LeftKeyOf(preimage), rng.Uint64())
		r.insert(i3.Trigger{ID: id, Target: i3.ToHost(alice, preimage)})
		publics = append(publics, id)
	}
	n, hijacked := volume(20_000, 1_000_000), 0
	for i := range n {
		id := publics[rng.IntN(len(publics))]
		tr := i3.Trigger{ID: id, Target: i3.ToHost(mallory, hijackKey(rng, id))}
		switch rng.IntN(6) {
		case 0: // by way of an identifier
			tr.Target = i3.ToID(i3.NewID(2*rng.Uint64N(1<<20), hijackKey(rng, id), rng.Uint64()))
		case 1: // under another suffix, to win some packets
			tr.ID = id.WithSuffix(id.Suffix() ^ 1<<rng.IntN(64))
		}
		r.receive(mallory, request(i3.KindInsert, 1, r.proven(tr)))
		hijacked += r.accepted()
		if i%1000 == 0 {
			r.deliversAll(publics, func(c copied) bool { return c.to == alice })
		}
	}
	if hijacked > 0 || r.node.Triggers() != len(publics) {
		t.Errorf("%d of %d attempts accepted, %d triggers", hijacked, n, r.node.Triggers())
	}
	t.Logf("%d of %d attempts accepted", hijacked, n)
}

// hijackKey returns what might pass for the key of a public identifier's target.
func hijackKey(rng *rand.Rand, id i3.ID) i3.Key {
	switch rng.IntN(5) {
	case 0:
		return i3.RightKey(id) // what would do if it were private
	case 1:
		return i3.RightKey(id.Private())
	case 2:
		return id.Key()
	case 3:
		return i3.LeftKeyOf(id.Key())
	}
	return draw(rng)
}

// deliversAll sends a packet to each identifier, all copies of which must be good.
func (r *rig) deliversAll(ids []i3.ID, good func(copied) bool) {
	r.Helper()
	for _, id := range ids {
		r.receive(bob, data(id, "for one"))
		got := r.copies()
		if len(got) != 1 || !good(got[0]) {
			r.Fatalf("packet to %v: copies %v", id, got)
		}
	}
}

// TestAttackA5Eavesdrop: who knows the node of a private identifier, and even nearly all of its bits, hears nothing.
func TestAttackA5Eavesdrop(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	n, heard := volume(20_000, 1_000_000), 0
	var r *rig
	var private []i3.ID
	hear := func() {
		for _, id := range private {
			r.receive(bob, data(id, "a secret"))
			for _, c := range r.copies() {
				if c.to != alice {
					heard++
				}
			}
		}
	}
	for i := range n {
		if i%20_000 == 0 { // the table of one node has no room for a million guesses
			r, private = newRig(t, config()), nil
			for range 16 {
				id := i3.NewID(2*rng.Uint64N(1<<20), draw(rng), rng.Uint64())
				r.insert(toHost(id, alice))
				private = append(private, id)
			}
		}
		guess := guessOf(rng, private[rng.IntN(len(private))])
		r.receive(mallory, request(i3.KindInsert, 1, r.proven(toHost(guess, mallory))))
		if r.accepted() != 1 {
			t.Fatalf("guess %d: a trigger for an identifier of the attacker's own is refused", i)
		}
		if i%1000 == 999 {
			hear()
		}
	}
	if heard > 0 {
		t.Errorf("%d packets came to a stranger", heard)
	}
	t.Logf("%d of %d guesses heard something", heard, n)
}

// guessOf returns an identifier with the prefix of a private one that is not it: with a key that is drawn, or wrong in
// one bit, or with the key and a prefix that is.
func guessOf(rng *rand.Rand, id i3.ID) i3.ID {
	key := id.Key()
	switch rng.IntN(3) {
	case 0:
		return i3.NewID(id.Prefix(), draw(rng), id.Suffix())
	case 1:
		bit := rng.IntN(128)
		key[bit/8] ^= 1 << (bit % 8)
		return i3.NewID(id.Prefix(), key, id.Suffix())
	}
	return i3.NewID(id.Prefix()^2<<rng.IntN(61), key, id.Suffix())
}

// TestAttackA6Forge inserts, refreshes and removes what belongs to others with nonces and secrets that are drawn, wrong
// in one bit, too old, or of something else.
func TestAttackA6Forge(t *testing.T) {
	r, rng := newRig(t, config()), rand.New(rand.NewPCG(6, 6))
	r.now = start.Add(1000 * machine.Second)
	var own, strange []i3.Trigger
	for i := range uint64(8) {
		link, _ := chain(local(100+i), 6, 0)
		own = append(own, toHost(local(i), alice), link)
		strange = append(strange, toHost(local(50+i), alice))
	}
	ownerOf := func(i int) i3.Nonce { return i3.Nonce{byte(i), 77} }
	for i, tr := range own {
		in := r.proven(tr)
		in.Owner = i3.OwnerOf(ownerOf(i))
		r.ask(alice, i3.KindInsert, in)
	}
	before := r.state()
	n, forged := volume(50_000, 1_000_000), 0
	for range n {
		kind := []i3.Kind{i3.KindInsert, i3.KindRemove}[rng.IntN(2)]
		i := rng.IntN(len(own))
		tr, secret := own[i], ownerOf(i)
		if !tr.Target.IsID() {
			if rng.IntN(2) == 0 {
				tr = strange[rng.IntN(len(strange))]
			}
			secret = r.proven(tr).Nonce
		} else {
			kind = i3.KindRemove // anybody may refresh a link
		}
		in := i3.Insert{Trigger: tr, Nonce: forgedNonce(rng, r.now, tr, secret), Owner: draw(rng)}
		r.receive(mallory, request(kind, 1, in))
		forged += r.accepted()
	}
	if after := r.state(); forged > 0 || after != before {
		t.Errorf("%d of %d forgeries accepted; before\n%s\nafter\n%s", forged, n, before, after)
	}
	t.Logf("%d of %d forgeries accepted", forged, n)
}

// forgedNonce returns a nonce or secret that is not right.
func forgedNonce(rng *rand.Rand, now machine.Time, tr i3.Trigger, right i3.Nonce) i3.Nonce {
	host := tr
	if tr.Target.IsID() {
		host = toHost(tr.ID, alice)
	}
	switch rng.IntN(6) {
	case 0:
		bit := rng.IntN(128)
		right[bit/8] ^= 1 << (bit % 8)
		return right
	case 1:
		return nonceAt(now.Add(-machine.Duration(120+60*rng.IntN(10))*machine.Second), host)
	case 2:
		return nonceAt(now.Add(machine.Duration(60+60*rng.IntN(10))*machine.Second), host)
	case 3:
		return nonceAt(now, i3.Trigger{ID: host.ID.WithSuffix(1 + rng.Uint64N(9)), Target: host.Target})
	case 4:
		return i3.Nonce(i3.OwnerOf(right))
	}
	return i3.Nonce(draw(rng))
}

// TestAttackA8SlotTheft: a probe takes no place, and one source takes at most its share of an identifier's, so that
// others still join.
func TestAttackA8SlotTheft(t *testing.T) {
	r := limited(t, func(l *node.Limits) { *l = node.Limits{} })
	r.insert(toHost(local(1), alice))
	for i := range 4 * node.DefaultMaxPerID {
		link, _ := chain(local(1), uint64(2*i+8), 0)
		r.receive(mallory, request(i3.KindInsert, 1, i3.Insert{Trigger: link, Probe: true}))
		if got := r.one().acks[0]; got.Count != 1 {
			t.Fatalf("probe %d finds %d triggers", i, got.Count)
		}
	}
	stolen := 0
	for i := range 10_000 {
		link, _ := chain(local(1), uint64(2*i+8), 0)
		from := mallory
		if i%2 == 0 { // its network is one source
			from = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 14: byte(i >> 8), 15: byte(i)}), 1)
		}
		r.now = r.now.Add(machine.Millisecond)
		r.receive(from, request(i3.KindInsert, 1, i3.Insert{Trigger: link}))
		stolen += r.accepted()
	}
	if want := (node.DefaultMaxPerID + 1) / 2; stolen != want {
		t.Errorf("one network has %d of %d places, want %d", stolen, node.DefaultMaxPerID, want)
	}
	joined, _ := chain(local(1), 6, 0)
	if s := r.ask(bob, i3.KindInsert, i3.Insert{Trigger: joined})[0].Status; s != i3.StatusInserted {
		t.Errorf("an honest host's link is %v", s)
	}
}

// TestAttackA15Malformed hands the node packets that were right before they were cut, extended, spliced and flipped: it
// does not panic nor allocate, and what it refuses changes nothing.
func TestAttackA15Malformed(t *testing.T) {
	r, rng := newRig(t, config()), rand.New(rand.NewPCG(15, 15))
	r.insert(toHost(local(3), alice), toHost(local(3), bob), links(local(4), 1)[0])
	var whole [][]byte
	for _, b := range malformed() {
		whole = append(whole, b)
	}
	slices.SortFunc(whole, slices.Compare) // a map has no order
	whole = append(whole, data(local(3), "data"), request(i3.KindInsert, 1, r.proven(toHost(local(5), alice))),
		request(i3.KindRemove, 1, i3.Insert{Trigger: toHost(local(3), alice)}))
	n := volume(100_000, 10_000_000)
	buffer, batch := make([]byte, 0, 1<<14), make([]machine.Datagram, 1)
	attack := func() {
		buffer = mangle(rng, buffer[:0], whole)
		batch[0] = machine.Datagram{From: mallory, Bytes: buffer}
		r.out.Reset()
		r.node.Receive(r.now, batch, r.out)
		if c := r.node.Counters(); r.node.Triggers() != int(c.Inserted-c.Removed) {
			t.Fatalf("%d triggers, counters %+v, after %x", r.node.Triggers(), c, buffer)
		}
	}
	attack()
	if allocs := testing.AllocsPerRun(n, attack); allocs > 0 {
		t.Errorf("%v allocations for each", allocs)
	}
	c := r.node.Counters()
	if c.DropMalformed < uint64(n)/4 || c.Challenged+c.Data+c.Probed == 0 {
		t.Errorf("counters %+v, want some that decode and many that do not", c)
	}
	if err := r.node.Check(); err != nil {
		t.Error(err)
	}
	t.Logf("%d packets, %d malformed", c.Packets, c.DropMalformed)
}

// mangle makes a datagram out of right ones.
func mangle(rng *rand.Rand, b []byte, whole [][]byte) []byte {
	b = append(b, whole[rng.IntN(len(whole))]...)
	for range 1 + rng.IntN(3) {
		switch rng.IntN(5) {
		case 0:
			b = b[:rng.IntN(len(b)+1)]
		case 1:
			b = append(b, byte(rng.Uint32()), 0, 0, byte(rng.Uint32()))
		case 2:
			other := whole[rng.IntN(len(whole))]
			b = append(b[:rng.IntN(len(b)+1)], other[rng.IntN(len(other)):]...)
		default:
			if len(b) > 0 {
				b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			}
		}
	}
	return b
}
