package chord_test

import (
	"cmp"
	"slices"
	"testing"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// rightBefore returns how many members know the three before them, of how many.
func rightBefore(n *network) (right, all int) {
	live := n.live()
	slices.SortFunc(live, func(p, q *peer) int { return cmp.Compare(p.place.Prefix, q.place.Prefix) })
	for i, p := range live {
		var want [3]chord.Place
		for k := range want {
			want[k] = live[(i+3*len(live)-k-1)%len(live)].place
			if want[k] == p.place {
				break // all the way round
			}
		}
		if p.Before() == want {
			right++
		}
	}
	return right, len(live)
}

// TestBefore: members know who comes before them, in a ring of any size, and again when some have died.
func TestBefore(t *testing.T) {
	for _, size := range []int{1, 2, 3, 4, 20} {
		n := formed(t, uint64(size), size)
		for _, p := range n.members {
			p.LookBehind()
		}
		n.run(5 * machine.Second)
		if right, all := rightBefore(n); right != all || all != size {
			t.Errorf("%d members: %d of %d know who comes before them", size, right, all)
		}
		if size < 4 {
			continue
		}
		for _, p := range n.members[1:3] {
			p.dead = true
		}
		n.run(15 * machine.Second)
		if right, all := rightBefore(n); right != all || all != size-2 {
			t.Errorf("%d members, of which two died: %d of %d know who comes before them", size, right, all)
		}
	}
}

// TestBeforeIsNotAsked: without that only the predecessor is known.
func TestBeforeIsNotAsked(t *testing.T) {
	n := formed(t, 1, 6)
	for _, p := range n.members {
		if b := p.Before(); b[0] != p.Predecessor() || b[1] != (chord.Place{}) || b[2] != (chord.Place{}) {
			t.Errorf("%v comes before, want the predecessor %v alone", b, p.Predecessor())
		}
	}
}
