package node_test

import (
	"testing"

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
		if a, b := first.node.Counters(), second.node.Counters(); a.LeaveFailed+b.LeaveFailed != 0 || !second.node.Left() {
			t.Errorf("after %d ms: left %v, counters %+v and %+v", after, second.node.Left(), a, b)
		}
	}
}

// TestJoinWhileSuccessorLeaves: a node that joins before one that leaves gets its triggers from that, or from the one to
// which it has handed them over.
func TestJoinWhileSuccessorLeaves(t *testing.T) {
	for _, after := range []machine.Duration{0, 20, 40, 60, 80, 100, 150, 300} {
		f := newFlood(t, 8, 800, 14)
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
