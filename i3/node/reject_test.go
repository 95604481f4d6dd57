package node_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/node"
)

// with returns a copy of b in which byte at is c.
func with(b []byte, at int, c byte) []byte {
	b = slices.Clone(b)
	b[at] = c
	return b
}

// entry is where the first entry of a request begins.
const entry = i3.HeaderSize

// malformed returns datagrams that do not decode, by what is wrong with them.
func malformed() map[string][]byte {
	insert := request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(local(1), alice)})
	link, _ := chain(local(1), 6, 0)
	toID := request(i3.KindInsert, 1, i3.Insert{Trigger: link})
	six := request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(local(1), mallory)})
	many := make([]i3.Insert, i3.MaxEntries+1)
	for i := range many {
		many[i] = i3.Insert{Trigger: toHost(local(1), alice)}
	}
	bad := map[string][]byte{
		"text":                     []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n................"),
		"one byte":                 {0x11},
		"no magic":                 with(insert, 2, 'I'),
		"version 0":                with(insert, 0, 0x03),
		"version 2":                with(insert, 0, 0x23),
		"kind 0":                   with(insert, 0, 0x10),
		"kind 15":                  with(insert, 0, 0x1f),
		"reserved in header":       with(insert, 7, 1),
		"reserved beside hops":     with(insert, 41, 1),
		"length above datagram":    with(insert, 43, byte(i3.EntrySize+1)),
		"largest length":           with(with(insert, 42, 0xff), 43, 0xff),
		"length of no entries":     with(insert, 43, 0)[:entry],
		"length of half an entry":  with(insert, 43, i3.EntrySize/2)[:entry+i3.EntrySize/2],
		"one entry too many":       request(i3.KindInsert, 1, many...),
		"padding that is not zero": {0, 0, 0, 1},
		"no target kind":           with(insert, entry+64, 0),
		"unknown target kind":      with(insert, entry+64, 3),
		"unknown flag":             with(insert, entry+65, 2),
		"all flags":                with(insert, entry+65, 0xff),
		"port zero":                with(with(insert, entry+66, 0), entry+67, 0),
		"port of an identifier":    with(toID, entry+67, 1),
		"reserved in trigger":      with(insert, entry+71, 1),
		"address 0.0.0.0":          with(with(with(insert, entry+44, 0), entry+46, 0), entry+47, 0),
		"multicast, IPv4":          with(insert, entry+44, 224),
		"multicast, IPv6":          with(six, entry+32, 0xff),
	}
	bad["address ::"] = slices.Clone(six)
	clear(bad["address ::"][entry+32 : entry+48])
	bad["removal that probes"] = with(request(i3.KindRemove, 1, i3.Insert{Trigger: link}), entry+65, 1)
	return bad
}

// TestAttackA15MalformedEach: what does not decode is counted, and nothing else happens.
func TestAttackA15MalformedEach(t *testing.T) {
	for name, bytes := range malformed() {
		r := newRig(t, config())
		r.insert(toHost(local(1), bob))
		count := r.delta(func() { r.receive(mallory, bytes) })
		r.silent()
		if count.DropMalformed != 1 || r.node.Triggers() != 1 {
			t.Errorf("%s: counters %+v, %d triggers; want one malformed, 1", name, count, r.node.Triggers())
		}
		if count.Packets -= min(count.Packets, 1); count != (node.Counters{DropMalformed: 1}) {
			t.Errorf("%s: counters %+v, want nothing else", name, count)
		}
	}
}

// In a bundle, what comes before a malformed packet counts and what comes after does not; a packet that decodes but
// whose entries do not takes only itself down.
func TestMalformedInABundle(t *testing.T) {
	good := request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(local(1), alice), Probe: true})
	header := []byte("this is no i3 packet, and whatever comes behind it cannot be found")
	entries := with(good, entry+64, 9)
	for _, c := range []struct {
		name    string
		parts   [][]byte
		probed  uint64
		dropped uint64
	}{
		{"three good", [][]byte{good, good, good}, 3, 0},
		{"header in the middle", [][]byte{good, header, good}, 1, 1},
		{"header first", [][]byte{header, good}, 0, 1},
		{"entries in the middle", [][]byte{good, entries, good}, 2, 1},
		{"padding in the middle", [][]byte{good, make([]byte, 64), good}, 1, 1},
		{"padding at the end", [][]byte{good, good, make([]byte, 64)}, 2, 0},
		{"truncated", [][]byte{good, good[:len(good)-1]}, 1, 1},
	} {
		r := newRig(t, config())
		r.receive(bob, slices.Concat(c.parts...))
		got := r.node.Counters()
		if got.Probed != c.probed || got.DropMalformed != c.dropped || len(r.replies()) != int(c.probed) ||
			got.DropKind != 0 || got.Packets > c.probed+1 {
			t.Errorf("%s: counters %+v, %d replies; want %d probed, %d malformed", c.name, got, len(r.replies()),
				c.probed, c.dropped)
		}
		// In datagrams of their own only the bad part is lost.
		r = newRig(t, config())
		r.receive(bob, c.parts...)
		if got := r.node.Counters().Probed; got < c.probed {
			t.Errorf("%s, apart: %d probed, want at least %d", c.name, got, c.probed)
		}
	}
}

// Every way to cut a valid request off is malformed.
func TestTruncated(t *testing.T) {
	r := newRig(t, config())
	whole := request(i3.KindInsert, 1, r.proven(toHost(local(1), alice)), r.proven(toHost(local(2), alice)))
	for n := 1; n < len(whole); n++ {
		count := r.delta(func() { r.receive(alice, whole[:n]) })
		if r.silent(); count != (node.Counters{DropMalformed: 1}) || r.node.Triggers() != 0 {
			t.Fatalf("first %d of %d bytes: counters %+v, %d triggers", n, len(whole), count, r.node.Triggers())
		}
	}
	r.receive(alice, whole)
	if r.node.Triggers() != 2 {
		t.Fatalf("whole request: %d triggers, want 2", r.node.Triggers())
	}
}

// No bit of a proven insertion may be flipped without a new challenge, or an answer that says no.
func TestFlippedBits(t *testing.T) {
	tr := toHost(local(1), alice)
	whole := request(i3.KindInsert, 1, newRig(t, config()).proven(tr))
	for bit := range 8 * len(whole) {
		r := newRig(t, config())
		r.receive(mallory, with(whole, bit/8, whole[bit/8]^1<<(bit%8)))
		inEntry := bit/8 >= entry
		unproven := inEntry && bit/8 < entry+88 // behind it: the owner, which says nothing for a host
		if unproven && r.node.Triggers() != 0 {
			t.Errorf("bit %d of byte %d flipped: inserted", bit%8, bit/8)
		}
		for _, got := range r.replies() {
			if got.size > len(whole) {
				t.Errorf("bit %d of byte %d flipped: reply of %d bytes to %d", bit%8, bit/8, got.size, len(whole))
			}
		}
	}
}

// Nodes answer requests, not answers: two nodes cannot be made to talk to each other. One that was given its ring is no
// member of one that forms itself, and says nothing to those who are.
func TestOtherKinds(t *testing.T) {
	r := newRig(t, config())
	tr := toHost(local(1), home)
	ack := i3.Ack{Trigger: tr, Status: i3.StatusInserted}
	entries := map[i3.Kind][]byte{
		i3.KindAck:       ack.AppendTo(nil),
		i3.KindChallenge: i3.Challenge{Trigger: tr}.AppendTo(nil),
		i3.KindDirect:    []byte("hello"),
		i3.KindRing:      append([]byte{1}, make([]byte, 47)...), // an ask
	}
	for kind, payload := range entries {
		p := i3.Packet{Kind: kind, HopLimit: 9, Length: uint16(len(payload)), ID: local(1)}
		count := r.delta(func() { r.receive(away, append(p.AppendTo(nil), payload...)) })
		if r.silent(); count != (node.Counters{Packets: 1, DropKind: 1}) {
			t.Errorf("%v: counters %+v", kind, count)
		}
	}
}

// A request proves one address, so it may name only one.
func TestTwoTargetsInOneRequest(t *testing.T) {
	for i, ins := range [][]i3.Insert{
		{{Trigger: toHost(local(1), alice)}, {Trigger: toHost(local(2), bob)}},
		{{Trigger: toHost(local(1), alice)}, {Trigger: toHost(local(2), bob), Probe: true}},
		{{Trigger: toHost(local(1), alice)}, {Trigger: toHost(local(2), netip.AddrPortFrom(alice.Addr(), 1))}},
	} {
		for _, kind := range []i3.Kind{i3.KindInsert, i3.KindRemove} {
			if kind == i3.KindRemove {
				ins = []i3.Insert{{Trigger: ins[0].Trigger}, {Trigger: ins[1].Trigger}}
			}
			r := newRig(t, config())
			count := r.delta(func() { r.receive(mallory, request(kind, 1, ins...)) })
			if r.silent(); count != (node.Counters{Packets: 1, DropTargets: 1}) {
				t.Errorf("%d, %v: counters %+v", i, kind, count)
			}
		}
	}
	mapped := netip.AddrPortFrom(netip.AddrFrom16(alice.Addr().As16()), alice.Port())
	r := newRig(t, config())
	r.receive(bob, request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(local(1), alice)},
		i3.Insert{Trigger: toHost(local(2), mapped)}))
	if got := r.one(); len(got.challenges) != 2 || got.to != alice {
		t.Errorf("one address in two forms: %d challenges to %v", len(got.challenges), got.to)
	}
}

// state describes all triggers of the node, for comparison.
func (r *rig) state() string {
	r.Helper()
	if err := r.node.Check(); err != nil {
		r.Fatalf("%v", err)
	}
	return fmt.Sprint(r.node.Triggers(), r.node.Targets(), r.node.Dump())
}

// FuzzReceive hands the node any bytes: it must not panic, not answer with more than it was given, not answer anybody
// but the sender and the targets named, and not change unless it says so.
func FuzzReceive(f *testing.F) {
	for _, seed := range malformed() {
		f.Add(seed)
	}
	t1, t2 := toHost(local(1), alice), toHost(local(2), alice)
	link, second := chain(local(1), 6, 0)
	ok := func(t i3.Trigger) i3.Insert { return i3.Insert{Trigger: t, Nonce: nonceAt(start, t)} }
	for _, seed := range [][]byte{
		request(i3.KindInsert, 1, ok(t1)),
		request(i3.KindInsert, 1, ok(t1), ok(t2), i3.Insert{Trigger: link, Owner: i3.OwnerOf(i3.Nonce{1})}),
		request(i3.KindInsert, 1, i3.Insert{Trigger: t1, Probe: true}),
		request(i3.KindInsert, 1, i3.Insert{Trigger: t1}, ok(t2)),
		request(i3.KindInsert, 1, ok(toHost(remote(1), alice))),
		request(i3.KindRemove, 1, ok(toHost(local(3), alice))),
		request(i3.KindRemove, 1, i3.Insert{Trigger: link, Nonce: i3.Nonce{1}}),
		data(local(3), "to a host"),
		data(local(4), "along a chain"),
		data(remote(1), "elsewhere"),
		dataWithin(local(3), 0, "no hops left"),
		slices.Concat(data(local(3), "a"), request(i3.KindInsert, 1, ok(t1)), data(local(1), "b"), make([]byte, 9)),
		data(second, ""),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		cfg := config()
		cfg.Limits = node.Limits{}
		r := newRig(t, cfg)
		far, _ := chain(local(4), remote(1).Prefix(), 0)
		near, _ := chain(local(4), local(3).Prefix(), 0)
		r.insert(toHost(local(3), alice), toHost(local(3), bob), far, near)
		before := r.state()
		count := r.delta(func() { r.receive(mallory, datagram) })
		checkAnswer(t, r, datagram)
		if after := r.state(); after != before && count.Inserted+count.Removed == 0 {
			t.Errorf("counters %+v, state before\n%s\nafter\n%s", count, before, after)
		}
	})
}

// checkAnswer compares what the node sent with what an independent reading of the datagram allows.
func checkAnswer(t *testing.T, r *rig, datagram []byte) {
	named, packets, control, dataBytes := map[netip.AddrPort]bool{mallory: true}, 0, 0, 0
	for rest := datagram; len(rest) > 0; {
		p, wire, tail, err := i3.Next(rest)
		if err != nil || wire == nil {
			break
		}
		packets++
		rest = tail
		if p.Kind == i3.KindData {
			dataBytes += len(wire)
			continue
		}
		control += len(wire)
		for b := i3.Payload(wire); len(b) >= i3.EntrySize; b = b[i3.EntrySize:] {
			if in, err := i3.ParseInsert(b); err == nil {
				addr, _ := in.Trigger.Target.Host()
				named[addr] = true
			}
		}
	}
	if got := int(r.node.Counters().Packets); got < packets {
		t.Errorf("%d packets counted of %d", got, packets)
	}
	sent, copied := 0, 0
	for _, s := range r.out.Sends() {
		if sent += len(s.Bytes); !named[s.To] {
			t.Errorf("%d bytes to %v, which nothing names", len(s.Bytes), s.To)
		}
	}
	for _, f := range r.out.Forwards() {
		if copied += len(f.Template) + len(f.Body); f.To != alice && f.To != bob && f.To != away {
			t.Errorf("copy to %v, which has no trigger", f.To)
		}
	}
	if sent > control || copied > 9*dataBytes {
		t.Errorf("%d bytes answered to %d, %d copied of %d", sent, control, copied, dataBytes)
	}
}
