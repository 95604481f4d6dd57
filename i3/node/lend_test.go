package node_test

import (
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// TestJoin: while a node joins no packet and no trigger is lost, and none comes twice, though no host refreshes any.
func TestJoin(t *testing.T) {
	for seed := range uint64(6) {
		f := newFlood(t, 8, 600, 20+seed)
		f.most++ // one more, to the one that lends
		f.run(300 * machine.Millisecond)
		i := int(seed)
		r := f.join(chord.Range{Lo: f.all[i].Prefix, Hi: f.all[i+1].Prefix}.At(1 << 63))
		f.run(8 * machine.Second)
		f.check()
		c := r.node.Counters()
		lent := f.total(func(c node.Counters) uint64 { return c.Lent })
		t.Logf("%d triggers taken over, %d packets passed on to the one that lends, of %d", c.TakenOver, c.Borrowed,
			len(f.sent))
		if c.TakenOver == 0 || c.Borrowed == 0 || lent != c.Borrowed || c.DropNoMatch+c.HandoverFailed != 0 {
			t.Errorf("seed %d: %d packets matched for another, counters %+v", seed, lent, c)
		}
	}
}

// TestJoinFarAway: nor where answers take longer than a node waits before it asks again.
func TestJoinFarAway(t *testing.T) {
	f := newFlood(t, 6, 100, 26)
	f.most, f.delay = f.most+1, 200*machine.Millisecond
	f.run(500 * machine.Millisecond)
	r := f.join(chord.Range{Lo: f.all[2].Prefix, Hi: f.all[3].Prefix}.At(1 << 63))
	f.run(12 * machine.Second)
	f.idle = true
	f.run(2 * machine.Second)
	f.check()
	if c := r.node.Counters(); c.TakenOver == 0 || c.Borrowed == 0 {
		t.Errorf("counters %+v", c)
	}
}

// TestJoinOneAfterTheOther: nor when a second node joins between a node that is joining and the one that lends to it.
func TestJoinOneAfterTheOther(t *testing.T) {
	f := newFlood(t, 6, 1200, 27)
	f.most += 2
	f.run(300 * machine.Millisecond)
	between := chord.Range{Lo: f.all[2].Prefix, Hi: f.all[3].Prefix}
	f.join(between.At(1 << 62))
	f.run(150 * machine.Millisecond)
	f.join(between.At(1 << 63))
	f.run(12 * machine.Second)
	f.check()
}

// TestRequestsWhileJoining: a node that has not all triggers yet answers no request, so that hosts ask again, nor who
// keeps mirrors; afterwards it does.
func TestRequestsWhileJoining(t *testing.T) {
	f := newFloodOn(newRingBedOf(t, 6, mirrorsOn), 300, 28)
	f.idle = true
	f.lose = func(_, _ netip.AddrPort, b []byte) bool {
		h, _, ok := asHandover(b)
		return ok && h.Bring
	}
	r := f.join(chord.Range{Lo: f.all[2].Prefix, Hi: f.all[3].Prefix}.At(1 << 63))
	for !r.member.Joined() {
		f.run(10 * machine.Millisecond)
	}
	id := i3.NewID(f.all[6].Prefix&^1-2, i3.Key{9}, 0)
	r.now = f.now
	count := r.delta(func() {
		r.receive(bob, request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(id, bob), Probe: true}))
		r.receive(f.all[3].Addr, mirrorPacket(1, i3.Mirror{Pass: true, Room: 1}))
	})
	if want := (node.Counters{Packets: 2, DropUnready: 2}); count != want || !r.out.Empty() {
		t.Errorf("counters %+v, want %+v, and no answer", count, want)
	}
	f.lose = nil
	f.run(2 * machine.Second)
	r.now = f.now
	if a := r.ack(id); a.Status != i3.StatusProbed {
		t.Errorf("afterwards it answers %v", a.Status)
	}
	r.out.Reset()
}

// TestLenderIsSilent: if the one that lends gives no triggers, a node that has joined goes on without after some
// seconds.
func TestLenderIsSilent(t *testing.T) {
	f := newFlood(t, 6, 100, 29)
	f.idle = true
	f.lose = func(_, _ netip.AddrPort, b []byte) bool {
		h, _, ok := asHandover(b)
		return ok && h.Bring
	}
	r := f.join(chord.Range{Lo: f.all[2].Prefix, Hi: f.all[3].Prefix}.At(1 << 63))
	f.run(15 * machine.Second)
	id := i3.NewID(f.all[6].Prefix&^1-2, i3.Key{9}, 0)
	r.now = f.now
	r.insert(toHost(id, alice))
	if got := r.matches(id); got != 1 || r.node.Counters().HandoverFailed != 1 {
		t.Errorf("%d copies, counters %+v, want one", got, r.node.Counters())
	}
}

// TestLentToNobodyElse: packets for what a node lends are matched for the one that has joined alone, and are never sent
// back to that.
func TestLentToNobodyElse(t *testing.T) {
	f := newFlood(t, 6, 300, 30)
	f.idle = true
	joined := f.join(chord.Range{Lo: f.all[2].Prefix, Hi: f.all[3].Prefix}.At(1 << 63))
	for joined.node.Counters().TakenOver < 10 {
		f.run(machine.Millisecond)
	}
	lender, to := f.rigs[f.all[3].Addr], f.all[6]
	own := chord.Range{Lo: f.all[2].Prefix, Hi: to.Prefix}
	var id i3.ID
	for _, id = range f.ids {
		if own.Contains(id.Prefix()) {
			break
		}
	}
	lender.now = f.now
	lender.receive(bob, data(id, "x"))
	if fs := lender.out.Forwards(); len(fs) != 1 || fs[0].To != to.Addr {
		t.Errorf("a host's packet makes %d copies, want one for the owner", len(fs))
	}
	lender.receive(to.Addr, data(id, "x"))
	if fs := lender.out.Forwards(); len(fs) < 2 {
		t.Errorf("the owner's packet makes %d copies, want one for each target", len(fs))
	}
	lender.out.Reset()
	f.run(10 * machine.Second)
	lender.now = f.now
	count := lender.delta(func() { lender.receive(to.Addr, data(id, "x")) })
	if want := (node.Counters{Packets: 1, Data: 1, DropReturned: 1}); count != want {
		t.Errorf("afterwards: counters %+v, want %+v", count, want)
	}
}

// TestFetchIsFast: a node that joins has many pages under way at a time.
func TestFetchIsFast(t *testing.T) {
	f := newFlood(t, 4, 3000, 31)
	f.idle = true
	r := f.join(chord.Range{Lo: f.all[2].Prefix, Hi: f.all[3].Prefix}.At(1 << 63))
	for !r.member.Joined() {
		f.ringBed.run(machine.Millisecond)
	}
	began := f.now
	var last machine.Time
	for n := uint64(0); f.now < began.Add(5*machine.Second); f.ringBed.run(machine.Millisecond) {
		if c := r.node.Counters(); c.TakenOver > n {
			n, last = c.TakenOver, f.now
		}
	}
	pages, trips := r.node.Counters().TakenOver/i3.MaxHanded, uint64(last.Sub(began)/(2*f.delay))
	t.Logf("%d pages in %d round trips", pages, trips)
	if pages < 40 || trips > 25+pages/4 { // it waits a quarter of a second if its successor does not know it yet
		t.Errorf("%d pages in %d round trips", pages, trips)
	}
}
