package matcher

import (
	"i3bench/asm"
)

// settleIn returns a cell for one more prefix with a hash: the home if it is free,
// otherwise one behind it. The home must be open; what the cell holds is up to the caller.
func (t *Table) settleIn(home *asm.Cell, hash uint64) number {
	if stateOf(home) == asm.Empty {
		setKind(home, asm.Single, 0)
		return t.homeNumber(hash)
	}
	n := t.newCell()
	set(&t.v.cells[n][asm.Links], uint64(nextOf(home))<<32)
	setNext(home, n)
	m := home[asm.Meta]
	first, second := m>>asm.TagAShift&0xff, m>>asm.TagBShift
	if second != 0 {
		m |= asm.FollowBit
	}
	tag := uint64(t.shaped().Place(hash).Tag())
	set(&home[asm.Meta], m&(1<<asm.TagAShift-1)|tag<<asm.TagAShift|first<<asm.TagBShift)
	return n
}

// homeNumber returns the number of the home of a hash.
func (t *Table) homeNumber(hash uint64) number {
	return number(t.shaped().Place(hash).Home()) | homeBit
}

// dropTop takes a cell out of its home, or from behind it. The first behind takes the
// place of one at home.
func (t *Table) dropTop(f *found) {
	t.tops--
	c := t.at(f.top)
	if f.prev != 0 {
		setNext(t.at(f.prev), nextOf(c))
		t.putCell(f.top)
		t.retag(f.home)
		return
	}
	next := nextOf(c)
	if next == 0 {
		setKind(c, asm.Empty, 0)
		return
	}
	first := &t.v.cells[next]
	copyEntry(c, first)
	setNext(c, nextOf(first))
	if stateOf(c) == asm.Single {
		t.due(f.top, soonest(t.list(c)))
	}
	t.putCell(next)
	t.retag(f.home)
}

// retag writes the tags of what stands behind a home anew.
func (t *Table) retag(home *asm.Cell) {
	var tags [2]uint64
	follow := uint64(0)
	for i, n := 0, nextOf(home); n != 0; i, n = i+1, nextOf(&t.v.cells[n]) {
		if i == len(tags) {
			follow = asm.FollowBit
			break
		}
		tags[i] = uint64(t.shaped().Place(t.hashOf(&t.v.cells[n])).Tag())
	}
	const mask = asm.FollowBit | 0xffff<<asm.TagAShift
	set(&home[asm.Meta], home[asm.Meta]&^mask|follow|tags[0]<<asm.TagAShift|tags[1]<<asm.TagBShift)
}

// split makes one home two: those prefixes of the next home in turn whose hash has the bit
// that now counts go to a new home at the end (Litwin, "Linear hashing", 1980).
func (t *Table) split() {
	s := t.shaped()
	n := uint32(s.Homes())
	if int(n) >= len(t.v.homes) {
		v := t.v
		t.show(view{grown(t.memory, v.homes, int(n)+1, t.cfg.mostHomes()), v.cells, v.lines, v.nodes})
	}
	old, fresh := &t.v.homes[s.Split], &t.v.homes[n]
	open(old)
	t.takeOut(old)
	depth := uint64(s.Level+1) << asm.DepthShift
	set(&old[asm.Meta], old[asm.Meta]&(asm.SeqMask)|depth)
	set(&fresh[asm.Meta], depth|asm.Odd)
	if s.Split++; s.Split == 1<<s.Level {
		s = asm.Shape{Level: s.Level + 1}
	}
	// Who looks with the new shape finds both open, and waits; who looks with the old one finds
	// another depth than it expects.
	t.shape.Store(packShape(s))
	for i := range t.moving {
		e := &t.moving[i]
		hash := t.hashOf(e)
		home := &t.v.homes[s.Place(hash).Home()]
		m := t.settleIn(home, hash)
		c := t.at(m)
		copyEntry(c, e)
		if stateOf(c) == asm.Single {
			t.due(m, soonest(t.list(c)))
		}
	}
	shut(fresh)
	shut(old)
}

// takeOut moves a home and what stands behind it to t.moving.
func (t *Table) takeOut(home *asm.Cell) {
	t.moving = t.moving[:0]
	if stateOf(home) == asm.Empty {
		return
	}
	t.moving = append(t.moving, *home)
	for n := nextOf(home); n != 0; {
		c := &t.v.cells[n]
		t.moving = append(t.moving, *c)
		next := nextOf(c)
		t.putCell(n)
		n = next
	}
	set(&home[asm.Links], 0)
}
