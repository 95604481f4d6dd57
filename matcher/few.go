package matcher

import "i3bench/asm"

// fewMembers is the size up to which a group has one node with all its members, whose first eight
// words are their suffixes and whose others are their branches. That is two cache
// lines, and no decision that a processor would have to guess.
const fewMembers = 8

// members returns n as the kernels know it.
func (n *node) members() *asm.Members { return (*asm.Members)(n) }

// fewOf returns the node of a group of few.
func (t *Table) fewOf(group *asm.Cell) *node { return &t.v.nodes[refOf(group[3]).number()] }

// place returns which member of few has a suffix, or fewMembers if none has.
func (n *node) place(suffix uint64) int {
	for i := range fewMembers {
		if n[fewMembers+i] != 0 && n[i] == suffix {
			return i
		}
	}
	return fewMembers
}

// memberOfFew returns the member with exactly this suffix, or 0.
func (n *node) memberOfFew(suffix uint64) number {
	if i := n.place(suffix); i < fewMembers {
		return number(refOf(n[fewMembers+i]))
	}
	return 0
}

// settleFew tells the group the latest expiry of its members.
func (t *Table) settleFew(group *asm.Cell) {
	latest := Tick(0)
	for _, b := range t.fewOf(group)[fewMembers:] {
		latest = max(latest, untilOf(b))
	}
	set(&group[3], makeBranch(refOf(group[3]), latest))
}

// makeFew makes a cell a group of few, with one member.
func (t *Table) makeFew(group *asm.Cell, leaf number) {
	c := &t.v.cells[leaf]
	i := t.newNode()
	set(&t.v.nodes[i][0], c[3])
	set(&t.v.nodes[i][fewMembers], makeBranch(ref(leaf), latest(t.list(c))))
	set(&group[3], makeBranch(nodeRef|ref(i), latest(t.list(c))))
	setKind(group, asm.Few, 0)
	setList(group, 0)
}

// joinFew adds a member, unless there is no room.
func (t *Table) joinFew(group *asm.Cell, suffix uint64, leaf number, until Tick) bool {
	n := t.fewOf(group)
	for i := range fewMembers {
		if n[fewMembers+i] == 0 {
			set(&n[i], suffix)
			set(&n[fewMembers+i], makeBranch(ref(leaf), until))
			t.settleFew(group)
			return true
		}
	}
	return false
}

// leaveFew takes a member out. The last one that is left becomes the root.
func (t *Table) leaveFew(group *asm.Cell, suffix uint64) {
	n := t.fewOf(group)
	i := n.place(suffix)
	set(&n[i], 0)
	set(&n[fewMembers+i], 0)
	left, rest := 0, uint64(0)
	for _, b := range n[fewMembers:] {
		if b != 0 {
			left, rest = left+1, b
		}
	}
	if left > 1 {
		t.settleFew(group)
		return
	}
	t.putNode(refOf(group[3]).number())
	set(&group[3], rest)
}

// toTrie makes a group of few one whose members are told apart nibble by nibble.
func (t *Table) toTrie(group *asm.Cell) {
	few := *t.fewOf(group)
	t.putNode(refOf(group[3]).number())
	setKind(group, asm.Group, 0)
	set(&group[3], few[fewMembers])
	for i := 1; i < fewMembers; i++ {
		b := few[fewMembers+i]
		t.join(group, few[i], number(refOf(b)), untilOf(b))
	}
}
