package matcher

import (
	"iter"
	"math"

	"i3bench/i3"
)

// A cursor is the place that Sweep looks at next: a trigger of a cell.
type cursor struct {
	cell ref
	pos  int
}

var passStart = cursor{cell: 1}

// dropped keeps the cursor on its trigger when one before it in its list goes.
// If all of the list goes, the cursor is left at the beginning of whatever
// takes the cell next.
func (c *cursor) dropped(cell ref, pos int) {
	if c.cell == cell && pos < c.pos {
		c.pos--
	}
}

// Sweep removes expired triggers and gives each to expired, which may be nil
// and must not call the table. One call visits at most max places, stored
// triggers and free cells alike, and goes on where the last one stopped; with
// max <= 0 it visits everything, from the start. It returns true when it has
// come to the end, and the next call starts over.
//
// A pass from start to end visits every trigger that is stored throughout. The
// order is that of [Table.All].
func (t *Table) Sweep(max int, now Tick, expired func(i3.ID, Target)) (done bool) {
	if max <= 0 {
		t.cursor = passStart
		t.least = math.MaxUint32
		max = len(t.cells.items) + t.entries
	}
	for ; int(t.cursor.cell) < len(t.cells.items); t.cursor = (cursor{cell: t.cursor.cell + 1}) {
		if t.cells.items[t.cursor.cell].n == 0 {
			if max--; max < 0 {
				return false
			}
		}
		for t.cursor.pos < int(t.cells.items[t.cursor.cell].n) {
			if max--; max < 0 {
				return false
			}
			t.visit(now, expired)
		}
	}
	t.cursor = passStart
	t.soonest, t.least = t.least, math.MaxUint32
	return true
}

// Soonest returns the tick before which no trigger expires that the last whole
// pass of [Table.Sweep] left, or the last tick of all if it left none. Triggers
// inserted since, or whose expiry has come forward, may be sooner.
func (t *Table) Soonest() Tick { return t.soonest }

// visit removes the trigger at the cursor or moves the cursor past it.
func (t *Table) visit(now Tick, expired func(i3.ID, Target)) {
	c := &t.cells.items[t.cursor.cell]
	tr := t.slab.list(c)[t.cursor.pos]
	if tr.expire > now {
		t.cursor.pos++
		t.least = min(t.least, tr.expire)
		return
	}
	w := c.id
	pos, leaf := t.find(w, t.probeFor(w))
	t.drop(c, pos, leaf, t.cursor.pos)
	if expired != nil {
		expired(w.id(), tr.target)
	}
}

// All returns the live triggers. The triggers of one identifier come together,
// in the order of their insertion. The order of the identifiers is not
// specified, but it is a function of the operations since [New] and does not
// depend on Config.Seed. The table must not change during the iteration.
func (t *Table) All(now Tick) iter.Seq2[i3.ID, Target] {
	return func(yield func(i3.ID, Target) bool) {
		for i := range t.cells.items {
			c := &t.cells.items[i]
			for _, tr := range t.slab.list(c) {
				if tr.expire > now && !yield(c.id.id(), tr.target) {
					return
				}
			}
		}
	}
}
