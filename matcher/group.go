package matcher

import (
	"math/bits"

	"i3bench/asm"
)

// A node parts the suffixes of a group that agree above one of their 16 nibbles,
// by that nibble. It is a node of a 16-way trie without the nodes that have a single child
// (Morrison, "PATRICIA", 1968).
//
// Each of its words, and the root in word 3 of the group's cell, says where to go on: a ref, and
// in the upper half the latest expiry there. Zero is nobody.
type node [16]uint64

// A ref names a member of a group, by the number of its cell, or a node: with nodeRef
// set, the nibble that it parts by, 0 for the highest, and its number.
type ref uint32

const (
	nodeRef     ref = 1 << 31
	nibbleShift     = 27
	maxNodes        = 1 << nibbleShift
)

func (r ref) isNode() bool   { return r&nodeRef != 0 }
func (r ref) nibble() uint   { return uint(r >> nibbleShift & 15) }
func (r ref) number() uint32 { return uint32(r) & (maxNodes - 1) }

// side returns the nibble of a suffix.
func side(suffix uint64, nibble uint) uint64 { return suffix >> (60 - 4*nibble) & 15 }

func makeBranch(r ref, until Tick) uint64 { return uint64(r) | uint64(until)<<32 }
func refOf(branch uint64) ref             { return ref(uint32(branch)) }
func untilOf(branch uint64) Tick          { return Tick(branch >> 32) }

// winner returns the member with a trigger that is live at now whose suffix
// exclusive-or the given one is smallest, or 0. It is for readers: what it sees may be
// half-written, and then the answer means nothing, but it comes.
//
// All members below a node agree above its nibble. So of two branches the one whose
// nibble is nearer wins with all that is on it, and the search never turns back.
func (v *view) winner(root uint64, few bool, suffix uint64, now Tick) number {
	b := root
	for range 17 {
		r := refOf(b)
		if !r.isNode() {
			return number(r)
		}
		b = v.step(r, few, suffix, now)
	}
	return 0
}

// step goes on from a node, to nobody if all below have expired.
func (v *view) step(r ref, few bool, suffix uint64, now Tick) (branch uint64) {
	if int(r.number()) >= len(v.nodes) {
		return 0
	}
	n := &v.nodes[r.number()]
	if few {
		return asm.NearestOne(n.members(), suffix, uint32(now))
	}
	return n.nearest(side(suffix, r.nibble()), now)
}

// nearest returns the branch nearest to a nibble on which somebody is live, or 0.
func (n *node) nearest(nibble uint64, now Tick) uint64 {
	for i := range uint64(16) {
		if b := asm.Load(&n[(nibble^i)&15]); untilOf(b) > now {
			return b
		}
	}
	return 0
}

// any returns some branch of a node; every node has two.
func (n *node) any() uint64 {
	for _, b := range n {
		if b != 0 {
			return b
		}
	}
	return 0
}

// latest returns the latest expiry below n.
func (n *node) latest() (t Tick) {
	for _, b := range n {
		t = max(t, untilOf(b))
	}
	return t
}

// member returns the member with exactly this suffix, or 0.
func (t *Table) member(root uint64, suffix uint64) number {
	r := refOf(root)
	for r.isNode() {
		r = refOf(t.v.nodes[r.number()][side(suffix, r.nibble())])
	}
	if r == 0 || t.v.cells[r][3] != suffix {
		return 0
	}
	return number(r)
}

// A way is the branches from the root of a group to some place in it.
type way struct {
	branch [17]*uint64
	n      int
}

// follow goes from the root towards a suffix as long as nodes part by nibbles before
// the given one, and returns the way, whose last branch is the first that does not.
func (t *Table) follow(root *uint64, suffix uint64, nibble uint) (w way) {
	w.branch[0], w.n = root, 1
	for r := refOf(*root); r.isNode() && r.nibble() < nibble; {
		next := &t.v.nodes[r.number()][side(suffix, r.nibble())]
		w.branch[w.n] = next
		w.n++
		r = refOf(*next)
	}
	return w
}

// settle sets the expiry of the last branch of a way and what follows from it above.
func (t *Table) settle(w *way, until Tick) {
	for i := w.n - 1; ; i-- {
		b := w.branch[i]
		if untilOf(*b) == until {
			return
		}
		set(b, makeBranch(refOf(*b), until))
		if i == 0 {
			return
		}
		until = t.v.nodes[refOf(*w.branch[i-1]).number()].latest()
	}
}

// update records a new latest expiry of the member with this suffix.
func (t *Table) update(group *asm.Cell, suffix uint64, until Tick) {
	if stateOf(group) == asm.Few {
		n := t.fewOf(group)
		set(&n[fewMembers+n.place(suffix)], makeBranch(refOf(n[fewMembers+n.place(suffix)]), until))
		t.settleFew(group)
		return
	}
	w := t.follow(&group[3], suffix, 16)
	t.settle(&w, until)
}

// join adds a member with a suffix that no other has.
func (t *Table) join(group *asm.Cell, suffix uint64, leaf number, until Tick) {
	if stateOf(group) == asm.Few {
		if t.joinFew(group, suffix, leaf, until) {
			return
		}
		t.toTrie(group)
	}
	near := refOf(group[3])
	for near.isNode() { // anybody who agrees with it as far as the nodes tell
		n := &t.v.nodes[near.number()]
		b := n[side(suffix, near.nibble())]
		if b == 0 {
			b = n.any()
		}
		near = refOf(b)
	}
	other := t.v.cells[near][3]
	nibble := uint(bits.LeadingZeros64(suffix^other)) / 4
	w := t.follow(&group[3], suffix, nibble)
	last := w.branch[w.n-1]
	r := refOf(*last)
	if !r.isNode() || r.nibble() != nibble {
		i := t.newNode()
		set(&t.v.nodes[i][side(other, nibble)], *last)
		r = nodeRef | ref(nibble)<<nibbleShift | ref(i)
		set(last, makeBranch(r, untilOf(*last)))
	}
	w.branch[w.n] = &t.v.nodes[r.number()][side(suffix, nibble)]
	w.n++
	set(w.branch[w.n-1], makeBranch(ref(leaf), 0))
	t.settle(&w, until)
}

// leave takes the member with this suffix out, and the node that would be left with
// one branch. The group must have another member.
func (t *Table) leave(group *asm.Cell, suffix uint64) {
	if stateOf(group) == asm.Few {
		t.leaveFew(group, suffix)
		return
	}
	w := t.follow(&group[3], suffix, 16)
	last, above := w.branch[w.n-1], w.branch[w.n-2]
	set(last, 0)
	i := refOf(*above).number()
	n := &t.v.nodes[i]
	rest := n.any()
	branches := 0
	for _, b := range n {
		if b != 0 {
			branches++
		}
	}
	w.n--
	if branches > 1 {
		t.settle(&w, n.latest())
		return
	}
	t.putNode(i)
	set(above, makeBranch(refOf(rest), untilOf(*above)))
	t.settle(&w, untilOf(rest))
}
