package matcher

import (
	"fmt"

	"i3bench/asm"
	"i3bench/i3"
)

// Hash returns the keyed hash of an identifier.
func (t *Table) Hash(id i3.ID) uint64 { return asm.HashOne(&id, &t.key) }

// WinnerSteps returns how many nodes the search for the winner of id visits.
func (t *Table) WinnerSteps(id i3.ID, now Tick) (steps int) {
	f := t.find(&id, t.Hash(id))
	if f.top == 0 || stateOf(t.at(f.top)) != asm.Group { // of few, one node is all
		return 0
	}
	for r := refOf(t.at(f.top)[3]); r.isNode(); steps++ {
		b := t.v.nodes[r.number()].nearest(side(id.Suffix(), r.nibble()), now)
		if b == 0 {
			return steps + 1
		}
		r = refOf(b)
	}
	return steps
}

// Check returns an error if the parts of the table contradict each other.
func (t *Table) Check() error {
	c := checker{t: t, cells: map[number]bool{}, nodes: map[uint32]bool{}, prefixes: map[i3.Exact]bool{}}
	s := t.shaped()
	for i := range s.Homes() {
		if err := c.home(uint32(i), s); err != nil {
			return fmt.Errorf("home %d of %d: %w", i, s.Homes(), err)
		}
	}
	if crowded(t.tops, s.Homes()) {
		return fmt.Errorf("%d prefixes in %d homes", t.tops, s.Homes())
	}
	return c.totals()
}

type checker struct {
	t        *Table
	cells    map[number]bool
	nodes    map[uint32]bool
	prefixes map[i3.Exact]bool
	entries  int
	lines    int // of lists in use
	guests   int
}

// home checks a home and what stands behind it.
func (c *checker) home(i uint32, s asm.Shape) error {
	home := &c.t.v.homes[i]
	meta := home[asm.Meta]
	if meta&asm.Odd != 0 {
		return fmt.Errorf("open")
	}
	if isGuest(home) {
		c.guests++
	}
	if c.t.v.first != apart {
		if vacant := c.t.vacant[i/lineCount]>>(i%lineCount)&1 != 0; vacant != (stateOf(home) == asm.Empty) {
			return fmt.Errorf("vacant %v, meta %x", vacant, meta)
		}
	}
	if stateOf(home) == asm.Empty || isGuest(home) {
		if !isGuest(home) && nextOf(home) != 0 || meta>>asm.TagAShift != 0 || meta&(asm.FollowBit|asm.DirectBit) != 0 {
			return fmt.Errorf("empty, with somebody behind: meta %x, links %x", meta, home[asm.Links])
		}
		home = nil
	}
	var tags []uint64
	for n := c.t.v.first + number(i); home != nil; {
		if err := c.top(n, home, i, s); err != nil {
			return err
		}
		if n != c.t.v.first+number(i) {
			c.cells[n] = true
			tags = append(tags, uint64(s.Place(c.t.Hash(idOf(home))).Tag()))
		}
		if n = nextOf(home); n == 0 {
			break
		}
		if c.cells[n] {
			return fmt.Errorf("cell %d is there twice", n)
		}
		home = &c.t.v.cells[n]
	}
	if meta&asm.DirectBit != 0 {
		home := &c.t.v.homes[i]
		second := nextOf(&c.t.v.cells[nextOf(home)])
		third := nextOf(&c.t.v.cells[second])
		if _, count := kindOf(meta); count == inline || second == 0 ||
			home[asm.Second] != uint64(second)|uint64(third)<<32 {
			return fmt.Errorf("directly to %x with %d triggers, want %x and %x", home[asm.Second], count, second, third)
		}
	} else if _, count := kindOf(meta); count != inline && len(tags) > 1 {
		return fmt.Errorf("%d behind, and not directly", len(tags))
	}
	more := len(tags) > 2
	tags = append(tags, 0, 0)
	if meta>>asm.TagAShift&0xff != tags[0] || meta>>asm.TagBShift != tags[1] || (meta&asm.FollowBit != 0) != more {
		return fmt.Errorf("meta %x, want tags %x and follow %v", meta, tags, more)
	}
	return nil
}

// top checks a cell that is a home or behind one.
func (c *checker) top(n number, cell *asm.Cell, home uint32, s asm.Shape) error {
	id := idOf(cell)
	if c.prefixes[id.Exact()] {
		return fmt.Errorf("prefix of %v is there twice", id)
	}
	c.prefixes[id.Exact()] = true
	place := s.Place(c.t.Hash(id))
	depth := uint64(place) >> asm.DepthShift & 0xff
	if place.Home() != home || c.t.v.homes[home][asm.Meta]>>asm.DepthShift&0xff != depth {
		return fmt.Errorf("cell %x: home %d and depth %d are right", n, place.Home(), depth)
	}
	if stateOf(cell) == asm.Single {
		return c.single(n, cell)
	}
	if stateOf(cell) == asm.Few {
		return c.few(cell)
	}
	until, err := c.branch(cell[3], cell, 0, 0)
	if err == nil && (!refOf(cell[3]).isNode() || untilOf(cell[3]) != until) {
		return fmt.Errorf("cell %x: root %x, want a node until %d", n, cell[3], until)
	}
	return err
}

// few checks a group of few.
func (c *checker) few(group *asm.Cell) error {
	r := refOf(group[3])
	if !r.isNode() || c.nodes[r.number()] {
		return fmt.Errorf("few: root %x, visited %v", group[3], c.nodes[r.number()])
	}
	c.nodes[r.number()] = true
	n, members, until := &c.t.v.nodes[r.number()], 0, Tick(0)
	for i := range fewMembers {
		b := n[fewMembers+i]
		if b == 0 {
			continue
		}
		members++
		until = max(until, untilOf(b))
		if under, err := c.branch(b, group, n[i], 16); err != nil || under != untilOf(b) {
			return fmt.Errorf("few: member %d with suffix %x until %d, want %d: %w", i, n[i], untilOf(b), under, err)
		}
	}
	if members < 2 || until != untilOf(group[3]) {
		return fmt.Errorf("few: %d members, until %d, want %d", members, untilOf(group[3]), until)
	}
	return nil
}

// branch checks a branch of a group, where the members agree with like in their first nibbles, and
// returns the latest expiry there.
func (c *checker) branch(b uint64, group *asm.Cell, like uint64, nibbles uint) (Tick, error) {
	r := refOf(b)
	if !r.isNode() {
		n := number(r)
		cell := &c.t.v.cells[n]
		if c.cells[n] || [3]uint64(cell[:3]) != [3]uint64(group[:3]) || !alike(cell[3], like, nibbles) {
			return 0, fmt.Errorf("member %d with suffix %x, after %d nibbles like %x", n, cell[3], nibbles, like)
		}
		c.cells[n] = true
		return latest(c.t.list(cell)), c.single(n, cell)
	}
	if c.nodes[r.number()] || r.nibble() < nibbles {
		return 0, fmt.Errorf("node %d with nibble %d, visited %v, below nibble %d",
			r.number(), r.nibble(), c.nodes[r.number()], nibbles)
	}
	c.nodes[r.number()] = true
	branches, until := 0, Tick(0)
	for i, b := range c.t.v.nodes[r.number()] {
		if b == 0 {
			continue
		}
		branches++
		under, err := c.branch(b, group, like|c.between(b, r)|uint64(i)<<(60-4*r.nibble()), r.nibble()+1)
		if err != nil {
			return 0, err
		}
		if under != untilOf(b) {
			return 0, fmt.Errorf("node %d branch %d: until %d, want %d", r.number(), i, untilOf(b), under)
		}
		until = max(until, under)
	}
	if branches < 2 {
		return 0, fmt.Errorf("node %d has %d branches", r.number(), branches)
	}
	return until, nil
}

// alike reports whether two suffixes agree in their first nibbles.
func alike(a, b uint64, nibbles uint) bool { return (a^b)&^(1<<(64-4*nibbles)-1) == 0 }

// between returns the nibbles above a node's that no node parts by.
func (c *checker) between(b uint64, r ref) uint64 {
	some := refOf(b)
	for some.isNode() {
		some = refOf(c.t.v.nodes[some.number()].any())
	}
	return c.t.v.cells[some][3] &^ (1<<(64-4*r.nibble()) - 1)
}

// single checks a cell with one identifier.
func (c *checker) single(n number, cell *asm.Cell) error {
	list := c.t.list(cell)
	if len(list) == 0 || len(list) > c.t.cfg.MaxPerID {
		return fmt.Errorf("cell %x with %d triggers", n, len(list))
	}
	c.entries += len(list)
	if k := class(len(list)); k > 0 {
		c.lines += 1 << (k - 1)
	}
	seen := map[Target]bool{}
	e, p := &c.t.expiry, c.t.positionOf(n)
	for _, tr := range list {
		if seen[targetOf(tr)] {
			return fmt.Errorf("cell %x: target %d is there twice", n, targetOf(tr))
		}
		seen[targetOf(tr)] = true
		if expiryOf(tr) < e.soonest {
			return fmt.Errorf("cell %x: expires at %d, before the soonest, %d", n, expiryOf(tr), e.soonest)
		}
		if p.begin() != e.cursor.begin() && expiryOf(tr) < e.blocks[p.part()][p.block()] {
			return fmt.Errorf("cell %x: expires at %d, and its block at %d", n, expiryOf(tr), e.blocks[p.part()][p.block()])
		}
	}
	return nil
}

func (c *checker) totals() error {
	t := c.t
	if c.entries != t.Len() || len(c.prefixes) != t.tops || len(c.cells)-c.guests != t.cells.used() ||
		len(c.nodes) != t.nodes.used() {
		return fmt.Errorf("%d triggers of %d, %d prefixes of %d, %d cells of %d, %d nodes of %d can be reached",
			c.entries, t.Len(), len(c.prefixes), t.tops, len(c.cells)-c.guests, t.cells.used(), len(c.nodes), t.nodes.used())
	}
	if c.lines+t.lists.idle != int(t.lists.end)-1 {
		return fmt.Errorf("%d lines in use and %d idle of %d", c.lines, t.lists.idle, t.lists.end-1)
	}
	idle := 0
	for n := t.cells.free; n != 0; n = uint32(t.v.cells[n][asm.Links]) {
		if idle++; c.cells[number(n)] || t.v.cells[n][asm.Meta] != 0 {
			return fmt.Errorf("free cell %d: %x", n, t.v.cells[n])
		}
	}
	if idle != t.cells.idle {
		return fmt.Errorf("%d free cells, counted as %d", idle, t.cells.idle)
	}
	return nil
}
