package matcher

import (
	"math"

	"i3bench/asm"
	"i3bench/i3"
)

// An expiry knows where something may have expired, at no cost to refreshes: for every
// block of cells a tick before which nothing in it expires. That is far less memory
// than the cells, and what a sweep reads of the rest has expired or been refreshed
// since it was last looked at.
type expiry struct {
	blocks  [2][]Tick // of the homes, and of the other cells
	cursor  position  // where the pass under way is
	back    position  // what has become due behind it
	swept   Tick      // up to when that pass looks for what has expired
	least   Tick      // of what that pass has left
	soonest Tick      // before which nothing expires
}

// blockCells is the number of cells of a block.
const blockCells = 32

// A position is a cell in the order of a sweep: the homes, then the others.
type position uint64

const (
	others position = 1 << 32
	nobody position = math.MaxUint64
)

func (p position) part() int       { return int(p >> 32) }
func (p position) cell() int       { return int(uint32(p)) }
func (p position) block() int      { return p.cell() / blockCells }
func (p position) begin() position { return p &^ (blockCells - 1) }

func (t *Table) positionOf(n number) position {
	if n >= t.v.first {
		return position(n - t.v.first)
	}
	return others | position(n)
}

func (t *Table) numberOf(p position) number {
	if p < others {
		return t.v.first + number(p)
	}
	return number(uint32(p))
}

func (e *expiry) init() { e.back, e.least, e.soonest = nobody, forever, forever }

// note makes sure that the block of a cell is looked at when something in it expires.
func (t *Table) note(p position, at Tick) {
	blocks := &t.expiry.blocks[p.part()]
	for n := len(*blocks); n <= p.block(); n++ {
		if n == cap(*blocks) {
			most := max(t.cfg.mostHomes(), t.cfg.mostCells())/blockCells + 1
			*blocks = grown(&t.memory[ofBlocks+p.part()], *blocks, n+1, most)
		}
		*blocks = (*blocks)[:n+1]
		(*blocks)[n] = forever
	}
	(*blocks)[p.block()] = min((*blocks)[p.block()], at)
}

// due is note for a trigger that is new in its cell.
func (t *Table) due(n number, at Tick) {
	e, p := &t.expiry, t.positionOf(n)
	t.note(p, at)
	e.soonest = min(e.soonest, at)
	if p < e.cursor {
		e.least = min(e.least, at)
		if at <= e.swept {
			e.back = min(e.back, p.begin())
		}
	}
}

// abandon makes sure that the block that is being looked at will be looked at again.
func (e *expiry) abandon() {
	if p := e.cursor; p != p.begin() && p.block() < len(e.blocks[p.part()]) {
		e.blocks[p.part()][p.block()] = 0
	}
}

// Sweep removes expired triggers and gives each to expired, which may be nil
// and must not call the table. One call removes at most max triggers and looks at no more cells, and goes on where
// the last one stopped; with max <= 0 it goes through everything, from the start. It
// returns true when it has come to the end, and the next call starts over.
//
// A pass from start to end removes every trigger that had expired when it began and is
// stored throughout. It costs what it removes, and 4 bytes read for every 32
// cells. The order is not specified.
func (t *Table) Sweep(max int, now Tick, expired func(i3.ID, Target)) (done bool) {
	t.lock.acquire()
	defer t.lock.release()
	e := &t.expiry
	if max <= 0 {
		e.abandon()
		e.cursor, e.back, e.least, max = 0, nobody, forever, math.MaxInt
	}
	e.swept = now
	for max > 0 {
		if e.cursor.cell() >= t.end(e.cursor.part()) {
			if e.cursor < others {
				e.cursor = others
				continue
			}
			if e.cursor = e.back; e.cursor != nobody {
				e.back = nobody
				continue
			}
			e.cursor, e.soonest, e.least = 0, e.least, forever
			return true
		}
		max -= t.visit(now, max, expired)
	}
	return false
}

// end returns the number of cells of a part.
func (t *Table) end(part int) int {
	if part == 0 {
		return t.shaped().Homes()
	}
	return min(int(t.cells.end), t.v.poolLen())
}

// visit looks at the cell at the cursor, or passes the block that begins there by, and
// returns what it did: cells and triggers.
func (t *Table) visit(now Tick, most int, expired func(i3.ID, Target)) (did int) {
	const passedInOne = 64 // blocks, whose ticks are four cache lines
	e := &t.expiry
	if e.cursor == e.cursor.begin() {
		blocks := e.blocks[e.cursor.part()]
		for i := 0; ; i++ {
			b := e.cursor.block()
			if b >= len(blocks) {
				e.cursor = e.cursor&others | position(t.end(e.cursor.part()))
				return 1
			}
			if blocks[b] <= now {
				blocks[b] = forever // until its cells have been looked at
				break
			}
			e.least = min(e.least, blocks[b])
			e.cursor += blockCells
			if i == passedInOne {
				return 1
			}
		}
		if e.cursor.cell() >= t.end(e.cursor.part()) {
			return 1
		}
	}
	removed, all := t.visitCell(t.numberOf(e.cursor), now, most, expired)
	if all {
		e.cursor++
	}
	return removed + 1
}

// visitCell removes the expired triggers of a cell, at most so many.
func (t *Table) visitCell(n number, now Tick, most int, expired func(i3.ID, Target)) (removed int, all bool) {
	for i := 0; ; {
		c := t.at(n)
		if stateOf(c) != asm.Single {
			return removed, true
		}
		list := t.list(c)
		if i >= len(list) {
			at := soonest(list)
			t.note(t.positionOf(n), at)
			t.expiry.least = min(t.expiry.least, at)
			return removed, true
		}
		tr := list[i]
		if expiryOf(tr) > now {
			i++
			continue
		}
		if removed == most {
			t.note(t.positionOf(n), 0) // look again, whatever the time is then
			return removed, false
		}
		id := idOf(c)
		f := t.find(&id, t.hashOf(c))
		if len(list) == 1 {
			i = 0 // another identifier may come here
		}
		t.drop(&f, i)
		removed++
		if expired != nil {
			expired(id, targetOf(tr))
		}
	}
}

// Soonest returns a tick before which no trigger expires, or the last tick of all if
// there is none.
func (t *Table) Soonest() Tick {
	t.lock.acquire()
	defer t.lock.release()
	return t.expiry.soonest
}
