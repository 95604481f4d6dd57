package matcher

import "i3bench/i3"

// Steps is the number of steps of [Table.Approach].
const Steps = 3

// Approach reads what a look-up of id will need, a miss a step, so that somebody
// with look-ups in several tables can let these misses overlap: step 0 the table
// itself, step 1 the slot of the index, step 2 the cell. The hint is what the step before has returned; 0 says
// that there is nothing more to read. It changes nothing, and sum depends on what
// was read, so that no compiler leaves it out.
func (t *Table) Approach(id i3.ID, step int, hint uint64) (next uint64, sum byte) {
	switch step {
	case 0:
		return 1, byte(t.key[0]) + byte(t.index.used) + byte(len(t.cells.items)) + byte(len(t.slab.triggers))
	case 1:
		p := t.probeFor(wordsOf(&id))
		return 1 | uint64(p.tag)<<32, byte(t.index.slots[p.pos])
	}
	tag := uint32(hint >> 32)
	pos := t.index.home(tag)
	for s := t.index.slots[pos]; s != 0; s = t.index.slots[pos] {
		if s.tag() == tag {
			return t.approachLeaf(s.ref())
		}
		pos = t.index.next(pos)
	}
	return 0, 0
}

// approachLeaf reads the cell of a slot; of an anycast group only the first node, for the
// rest is a path of misses.
func (t *Table) approachLeaf(r ref) (next uint64, sum byte) {
	if r.isNode() {
		return 0, byte(t.trie.nodes.items[r.index()].bit)
	}
	return uint64(r), byte(t.cells.items[r].n)
}

// Approached appends to dst the targets of the cell that the last step of Approach
// has read.
func (t *Table) Approached(hint uint64, dst []Target) []Target {
	for _, tr := range t.slab.list(&t.cells.items[uint32(hint)]) {
		dst = append(dst, tr.target)
	}
	return dst
}
