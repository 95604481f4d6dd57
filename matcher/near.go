package matcher

import (
	"fmt"
	"math/bits"
	"unsafe"

	"i3bench/asm"
	"i3bench/internal/mem"
)

// Half of all homes have nobody. Where homes and pool are in one region, a cell behind a home is a guest in the line of
// one of these in the same 4 KiB, if there is one: a second line costs least there, and takes no memory. A guest makes
// way when somebody comes whose home it is.

// lineCount is how many lines there are in 4 KiB, and bits in a word of Table.vacant.
const lineCount = 64

// poolLen returns how many cells of the pool there are.
func (v *view) poolLen() int { return min(len(v.cells), int(v.first)) }

// growCells makes room for so many homes and cells of the pool. No home may be open. In one region there is room for
// all that Config.MaxTriggers can need.
func (t *Table) growCells(homes, cells int) {
	v := *t.v
	if v.first != apart {
		panic(fmt.Sprintf("matcher: %d homes, %d cells: more than %d triggers need", homes, cells, t.cfg.MaxTriggers))
	}
	if homes > len(v.homes) {
		homes = max(homes, 2*len(v.homes))
	}
	if cells > v.poolLen() {
		cells = max(cells, 2*v.poolLen())
	}
	if max(homes, cells)*cellBytes > heapMax && t.unite(&v) {
		t.show(v)
		t.vacateAll()
		return
	}
	if homes > len(v.homes) {
		v.homes = append(make([]asm.Cell, 0, homes), v.homes...)[:homes]
	}
	if cells > len(v.cells) {
		v.cells = append(make([]asm.Cell, 0, cells), v.cells...)[:cells]
	}
	t.show(v)
}

// unite moves homes and cells to one region, if there is one to be had.
func (t *Table) unite(v *view) bool {
	const align = 2 << 20 / cellBytes // a huge page begins with a home
	pool := (t.cfg.mostCells() + align - 1) &^ (align - 1)
	all := pool + t.cfg.mostHomes()
	b, err := mem.Reserve(all * cellBytes)
	if err != nil {
		return false
	}
	t.memory[ofBoth] = region{bytes: b}
	t.memory[ofCells] = region{bytes: b[:pool*cellBytes], part: true}
	t.memory[ofHomes] = region{bytes: b[pool*cellBytes:], part: true}
	region := unsafe.Slice((*asm.Cell)(unsafe.Pointer(unsafe.SliceData(b))), all)
	copy(region, v.cells)
	copy(region[pool:], v.homes)
	v.cells, v.homes, v.first = region, region[pool:], number(pool)
	return true
}

// vacateAll offers every home that has nobody.
func (t *Table) vacateAll() {
	for i := range t.shaped().Homes() {
		t.offer(t.v.first + number(i))
	}
}

// offer offers a home to guests if nobody is in its line.
func (t *Table) offer(home number) {
	if stateOf(t.at(home)) == asm.Empty {
		t.vacate(home)
	}
}

// vacate notes that nobody is in the line of a home.
func (t *Table) vacate(home number) {
	if t.v.first == apart {
		return
	}
	i := int(home - t.v.first)
	if page := i / lineCount; page >= len(t.vacant) {
		t.vacant = grown(&t.memory[ofVacant], t.vacant, page+1, t.cfg.mostHomes()/lineCount+1)
	}
	t.vacant[i/lineCount] |= 1 << (i % lineCount)
}

// occupy notes that somebody is.
func (t *Table) occupy(home number) {
	if i := int(home - t.v.first); i/lineCount < len(t.vacant) {
		t.vacant[i/lineCount] &^= 1 << (i % lineCount)
	}
}

// nearestVacant returns the vacant home nearest to a home in its page, 0 if there is none.
func (t *Table) nearestVacant(home number) number {
	i := int(home - t.v.first)
	if i/lineCount >= len(t.vacant) || t.vacant[i/lineCount] == 0 {
		return 0
	}
	vacant := t.vacant[i/lineCount]
	if other := i ^ 1; vacant>>(other%lineCount)&1 != 0 {
		i = other // processors fetch lines in pairs
	} else {
		i = i&^(lineCount-1) | (i+bits.TrailingZeros64(bits.RotateLeft64(vacant, -i)))%lineCount
	}
	return t.v.first + number(i)
}

// newBehind returns the number of a free cell to stand behind a home, in its page if there is one. When it has been
// written, settled says so.
func (t *Table) newBehind(home number) number {
	n := t.nearestVacant(home)
	if n == 0 {
		return t.newCell()
	}
	t.occupy(n)
	open(t.at(n))
	set(&t.at(n)[asm.Meta], t.at(n)[asm.Meta]|asm.GuestBit)
	return n
}

// settled says that a cell from newBehind has been written. The line of a guest was open until now, or who looks there
// for somebody at home could compare words of this guest and of another.
func (t *Table) settled(n number) {
	if n >= t.v.first && isGuest(t.at(n)) {
		shut(t.at(n))
	}
}

// leaveLine takes a guest out of a line.
func leaveLine(c *asm.Cell) {
	set(&c[asm.Meta], c[asm.Meta]&^(kindMask|asm.GuestBit))
	set(&c[asm.Links], 0)
}

// moveGuest makes the guest in the line of a home, which must be open, go elsewhere. No other home may be open.
func (t *Table) moveGuest(n number) {
	guest := t.at(n)
	host := t.homeNumber(t.hashOf(guest))
	home, prev := t.at(host), t.at(host)
	for nextOf(prev) != n {
		prev = t.at(nextOf(prev))
	}
	open(home)
	to := t.newBehind(host)
	c := t.at(to)
	set(&c[asm.Links], uint64(nextOf(guest))<<32)
	copyEntry(c, guest)
	t.settled(to)
	setNext(prev, to)
	leaveLine(guest)
	t.retell(home)
	shut(home)
	if stateOf(c) == asm.Single {
		t.due(to, soonest(t.list(c)))
	}
}

// approachRoom asks for the lines that identifiers which [Table.approachAll] has located will be written to, or their
// guests, if they are new.
func (t *Table) approachRoom(n int) {
	if t.v.first == apart {
		return
	}
	for _, place := range t.work.Places[:n] {
		h := t.v.first + number(place.Home())
		home := t.at(h)
		if isGuest(home) {
			h = t.homeNumber(t.hashOf(home))
			asm.Prefetch(unsafe.Pointer(t.at(h)), asm.LineBytes)
		} else if stateOf(home) == asm.Empty {
			continue
		}
		if to := t.nearestVacant(h); to != 0 {
			asm.Prefetch(unsafe.Pointer(t.at(to)), asm.LineBytes)
		}
	}
}
