package matcher

import (
	"unsafe"

	"i3bench/asm"
)

// settleIn returns a cell for one more prefix with a hash: the home if it is free,
// otherwise one behind it. The home must be open; what the cell holds is up to the caller, who then says that it has
// settled.
func (t *Table) settleIn(home *asm.Cell, hash uint64) number {
	h := t.homeNumber(hash)
	if isGuest(home) {
		t.moveGuest(h)
	}
	if stateOf(home) == asm.Empty {
		setKind(home, asm.Single, 0)
		t.occupy(h)
		return h
	}
	n := t.newBehind(h)
	first := nextOf(home)
	set(&t.v.cells[n][asm.Links], uint64(first)<<32)
	setNext(home, n)
	b := behind{second: first}
	b.tags[0] = t.tagOf(hash)
	if first != 0 {
		b.tags[1] = home[asm.Meta] >> asm.TagAShift & 0xff
		b.third = t.secondBehind(home)
	}
	b.tell(home)
	return n
}

// secondBehind returns the second cell behind a home that has a first, without looking at that if the
// home tells.
func (t *Table) secondBehind(home *asm.Cell) number {
	switch m := home[asm.Meta]; {
	case m>>asm.TagBShift == 0:
		return 0
	case m&asm.DirectBit != 0:
		return number(home[asm.Second])
	}
	return nextOf(&t.v.cells[nextOf(home)])
}

// nobodyBehind reports whether the word Meta of a home says that none of the cells behind it
// has an identifier of this place.
func nobodyBehind(meta uint64, place asm.Place) bool {
	tags := meta ^ uint64(place)
	return tags>>asm.TagAShift&0xff != 0 && tags>>asm.TagBShift != 0 && meta&asm.FollowBit == 0
}

// directly returns the second cell behind a home if the home has its number, and its tag is that of this
// place and not the first's; or 0.
func directly(home *asm.Cell, meta uint64, place asm.Place) number {
	tags := meta ^ uint64(place)
	if tags>>asm.TagAShift&0xff == 0 || tags>>asm.TagBShift != 0 || meta&asm.DirectBit == 0 {
		return 0
	}
	return number(home[asm.Second])
}

// A behind is what a home tells about the cells behind it, so that readers go to the
// right one at once.
type behind struct {
	tags          [2]uint64 // of the first two
	second, third number
}

// tell writes it into the home, the numbers only if no trigger is in their place.
func (b *behind) tell(home *asm.Cell) {
	const mask = asm.DirectBit | asm.FollowBit | 0xffff<<asm.TagAShift
	m := home[asm.Meta]&^mask | b.tags[0]<<asm.TagAShift | b.tags[1]<<asm.TagBShift
	if b.third != 0 {
		m |= asm.FollowBit
	}
	if _, count := kindOf(m); b.second != 0 && count != inline {
		m |= asm.DirectBit
		set(&home[asm.Second], uint64(b.second)|uint64(b.third)<<32)
	}
	set(&home[asm.Meta], m)
}

// retell makes a home tell anew what is behind it.
func (t *Table) retell(home *asm.Cell) {
	var b behind
	if first := nextOf(home); first != 0 {
		b.tags[0] = t.tagOf(t.hashOf(&t.v.cells[first]))
		b.second = nextOf(&t.v.cells[first])
	}
	if b.second != 0 {
		b.tags[1] = t.tagOf(t.hashOf(&t.v.cells[b.second]))
		b.third = nextOf(&t.v.cells[b.second])
	}
	b.tell(home)
}

// retellIf is retell for a cell that has changed the number of its triggers: if it is a
// home, the place of the second may have become free, or been taken.
func (t *Table) retellIf(n number, before, after int) {
	if !t.isHome(n) || (before == inline) == (after == inline) {
		return
	}
	if home := t.at(n); home[asm.Meta]>>asm.TagBShift != 0 {
		t.retell(home)
	}
}

// tagOf returns the tag of a hash.
func (t *Table) tagOf(hash uint64) uint64 { return uint64(t.shaped().Place(hash).Tag()) }

// homeNumber returns the number of the home of a hash.
func (t *Table) homeNumber(hash uint64) number {
	return t.v.first + number(t.shaped().Place(hash).Home())
}

// dropTop takes a cell out of its home, or from behind it. The first behind takes the
// place of one at home.
func (t *Table) dropTop(f *found) {
	t.tops--
	c := t.at(f.top)
	if f.prev != 0 {
		setNext(t.at(f.prev), nextOf(c))
		t.putCell(f.top)
		t.retell(f.home)
		return
	}
	next := nextOf(c)
	if next == 0 {
		setKind(c, asm.Empty, 0)
		t.vacate(f.top)
		return
	}
	first := &t.v.cells[next]
	copyEntry(c, first)
	setNext(c, nextOf(first))
	if stateOf(c) == asm.Single {
		t.due(f.top, soonest(t.list(c)))
	}
	t.putCell(next)
	t.retell(f.home)
}

// split makes one home two: those prefixes of the next home in turn whose hash has the bit
// that now counts go to a new home at the end (Litwin, "Linear hashing", 1980).
func (t *Table) split() {
	s := t.shaped()
	n := uint32(s.Homes())
	if int(n) >= len(t.v.homes) {
		t.growCells(int(n)+1, 0)
	}
	before := t.v.first + number(s.Split)
	old, fresh := &t.v.homes[s.Split], &t.v.homes[n] // neither is offered to guests before everybody has settled
	open(old)
	t.takeOut(old)
	depth := uint64(s.Level+1) << asm.DepthShift
	set(&old[asm.Meta], old[asm.Meta]&(asm.SeqMask|kindMask|asm.GuestBit)|depth)
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
		t.settled(m)
		if stateOf(c) == asm.Single {
			t.due(m, soonest(t.list(c)))
		}
	}
	t.offer(t.v.first + number(n))
	t.offer(before)
	shut(fresh)
	shut(old)
	t.approachSplits(s)
}

// approachSplits asks for what the splits to come will read.
func (t *Table) approachSplits(s asm.Shape) {
	const near, far = 4, 8 // splits from now
	if i := int(s.Split) + near; i < s.Homes() {
		if next := nextOf(&t.v.homes[i]); next != 0 {
			asm.Prefetch(unsafe.Pointer(&t.v.cells[next]), asm.LineBytes)
		}
	}
	for _, i := range [...]int{int(s.Split) + far, s.Homes() + far} {
		if i < len(t.v.homes) {
			asm.Prefetch(unsafe.Pointer(&t.v.homes[i]), asm.LineBytes)
		}
	}
}

// takeOut moves a home and what stands behind it to t.moving.
func (t *Table) takeOut(home *asm.Cell) {
	t.moving = t.moving[:0]
	if stateOf(home) == asm.Empty || isGuest(home) {
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
	setKind(home, asm.Empty, 0)
}
