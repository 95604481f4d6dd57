package node_test

import (
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// What happens while something else does: see TestLeave for the rest.

// TestHandoverFarAway: nodes hand over though an answer takes longer than they wait before they ask again.
func TestHandoverFarAway(t *testing.T) {
	f := newFlood(t, 6, 100, 12)
	f.idle = true
	f.delay = 200 * machine.Millisecond
	joined := f.join(f.ids[0].Prefix() + 1)
	f.run(12 * machine.Second)
	if c := joined.node.Counters(); f.lost() != 0 || c.TakenOver == 0 || c.HandoverFailed != 0 {
		t.Errorf("joined: %d triggers are lost, counters %+v", f.lost(), c)
	}
	r, _ := f.leave(2)
	f.run(12 * machine.Second)
	if c := r.node.Counters(); f.lost() != 0 || c.LeaveFailed != 0 || r.member.Joined() {
		t.Errorf("left: %d triggers are lost, counters %+v", f.lost(), c)
	}
}

// TestHeirLeaves: one that takes over leaves in the middle of that, or just after it, before the ring says that it owns
// what it has taken over: it hands that on with its own.
func TestHeirLeaves(t *testing.T) {
	for _, after := range []machine.Duration{20, 60, 140, 160, 180, 200, 220, 240, 260, 280, 300} {
		f := newFlood(t, 8, 800, 13)
		first, _ := f.leave(2)
		f.run(after * machine.Millisecond)
		second, _ := f.leave(3)
		f.run(12 * machine.Second)
		f.check()
		a, b := first.node.Counters(), second.node.Counters()
		if a.LeaveFailed+b.LeaveFailed != 0 || !second.node.Left() {
			t.Errorf("after %d ms: left %v, counters %+v and %+v", after, second.node.Left(), a, b)
		}
	}
}

// TestJoinWhileSuccessorLeaves: a node that joins before one that leaves gets its triggers from that, or from the one
// to which it has handed them over.
func TestJoinWhileSuccessorLeaves(t *testing.T) {
	for after := machine.Duration(0); after < 240; after += 5 {
		f := newFlood(t, 8, 300, 14)
		f.idle = true
		r := f.rigs[f.all[4].Addr]
		place := chord.Range{Lo: f.all[3].Prefix, Hi: f.all[4].Prefix}.At(1 << 63)
		r.node.Leave(f.now, r.out)
		f.leaving[f.all[4].Addr] = machine.Never
		f.post(f.all[4].Addr)
		f.run(after * machine.Millisecond)
		joined := f.join(place)
		f.run(14 * machine.Second)
		if c := joined.node.Counters(); f.lost() != 0 || c.TakenOver == 0 || c.HandoverFailed != 0 || !r.node.Left() {
			t.Errorf("after %d ms: %d triggers are lost, counters %+v", after, f.lost(), c)
		}
	}
}

// TestEndOfHandoverLost: the last answers are lost, and the questions that say that all is there: who matches packets
// has all triggers all the same, and they are not passed to and fro.
func TestEndOfHandoverLost(t *testing.T) {
	f := newFlood(t, 8, 400, 15)
	last, has := 0, 0
	f.lose = func(_, _ netip.AddrPort, b []byte) bool {
		h, _, ok := asHandover(b)
		switch {
		case !ok || h.More:
			return false
		case h.Bring:
			last++
			return last <= 4
		case h.Cursor>>63 == 1:
			has++
			return has <= 4
		}
		return false
	}
	r, _ := f.leave(2)
	f.run(12 * machine.Second)
	f.check()
	if c := r.node.Counters(); c.LeaveFailed != 0 || !r.node.Left() || last <= 4 || has <= 4 {
		t.Errorf("left %v, %d last answers, %d questions behind that, counters %+v", r.node.Left(), last, has, c)
	}
}

// TestSuccessorIsDeaf: the successor answers no offer for a while, and dies then; the next one, which answers none at
// first either, is given as many as it.
func TestSuccessorIsDeaf(t *testing.T) {
	f := newFlood(t, 6, 100, 16)
	f.idle = true
	r, self := f.leave(2)
	f.lose = func(_, _ netip.AddrPort, b []byte) bool {
		_, _, ok := asHandover(b)
		return ok
	}
	f.run(3 * machine.Second)
	delete(f.rigs, f.all[3].Addr)
	f.run(3500 * machine.Millisecond)
	f.lose = nil
	own := chord.Range{Lo: f.all[1].Prefix, Hi: self.Prefix}
	f.ids = slices.DeleteFunc(f.ids, func(id i3.ID) bool { return !own.Contains(id.Prefix()) })
	f.run(12 * machine.Second)
	if c := r.node.Counters(); f.lost() != 0 || c.LeaveFailed != 0 || !r.node.Left() {
		t.Errorf("%d triggers are lost, left %v, counters %+v", f.lost(), r.node.Left(), c)
	}
}

// TestExpiryWhileLeaving: triggers that expire in a table that is taken over do not make it leave others out.
func TestExpiryWhileLeaving(t *testing.T) {
	f := newFlood(t, 4, 3000, 17)
	f.idle = true
	f.run(29 * machine.Second)
	for i, id := range f.ids {
		if i%2 == 1 {
			f.insert(id)
		}
	}
	f.run(800 * machine.Millisecond)
	r, _ := f.leave(2)
	expired := r.node.Counters().Expired
	for range 100 {
		f.run(10 * machine.Millisecond)
		if r.member.Joined() && r.node.Counters().Expired != expired {
			t.Fatal("triggers are reclaimed while the table is taken over")
		}
	}
	f.run(8 * machine.Second)
	var kept []i3.ID
	for i, id := range f.ids {
		if i%2 == 1 {
			kept = append(kept, id)
		}
	}
	if f.ids = kept; f.lost() != 0 || !r.node.Left() {
		t.Errorf("%d triggers are lost, left %v", f.lost(), r.node.Left())
	}
}

// TestLeaveSoonAfterJoining: the successor has old copies of the triggers of a node that has joined a while ago. They
// live as long as those.
func TestLeaveSoonAfterJoining(t *testing.T) {
	f := newFlood(t, 6, 300, 10)
	f.idle = true
	joined := f.join(f.ids[0].Prefix() + 2)
	f.run(12 * machine.Second)
	for _, id := range f.ids {
		f.insert(id)
	}
	f.run(machine.Second)
	f.leaving[f.all[6].Addr] = machine.Never
	joined.node.Leave(f.now, joined.out)
	f.post(f.all[6].Addr)
	f.run(machine.Second)
	f.run(25 * machine.Second) // the old copies are gone by now
	if lost := f.lost(); lost != 0 || joined.node.Counters().TakenOver == 0 || !joined.node.Left() {
		t.Errorf("%d triggers are lost, left %v, counters %+v", lost, joined.node.Left(), joined.node.Counters())
	}
}

// TestRefreshedBeforeLeaving: a trigger that is refreshed for the last time just after it was handed over lives until
// its host refreshes it again.
func TestRefreshedBeforeLeaving(t *testing.T) {
	f := newFlood(t, 6, 300, 11)
	f.idle = true
	f.run(15 * machine.Second)
	r, _ := f.leave(2)
	for r.node.Counters().HandedOver < 100 {
		f.run(machine.Millisecond)
	}
	own := chord.Range{Lo: f.all[1].Prefix, Hi: f.all[2].Prefix}
	f.ids = slices.DeleteFunc(f.ids, func(id i3.ID) bool { return !own.Contains(id.Prefix()) })
	for _, id := range f.ids {
		f.insert(id)
	}
	if !r.member.Joined() {
		t.Fatal("it has left by now")
	}
	f.run(16 * machine.Second)
	if lost := f.lost(); lost != 0 || len(f.ids) < 30 {
		t.Errorf("%d triggers of %d identifiers are lost", lost, len(f.ids))
	}
}
