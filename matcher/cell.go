package matcher

import (
	"runtime"
	"sync/atomic"

	"i3bench/asm"
	"i3bench/i3"
)

// A number names a cell: the line of a home from the view's number of the first home on, and one of the pool below.
// Zero is none.
type number uint32

// apart is the number of the first home where the homes are not in one region with the pool.
const apart number = 1 << 31

// at returns the cell of a number.
func (t *Table) at(n number) *asm.Cell { return t.v.at(n) }

// at returns the cell of a number.
func (v *view) at(n number) *asm.Cell {
	if n >= v.first {
		return &v.homes[n-v.first]
	}
	return &v.cells[n]
}

// A trigger is a target and when it expires, as one word.
func makeTrigger(tg Target, expire Tick) uint64 { return uint64(tg) | uint64(expire)<<32 }
func targetOf(trigger uint64) Target            { return Target(trigger) }
func expiryOf(trigger uint64) Tick              { return Tick(trigger >> 32) }

// kindOf returns the state and the count field of a cell's word Meta.
func kindOf(meta uint64) (state, count uint64) {
	return meta >> asm.StateShift & 3, meta >> asm.CountShift & 3
}

// isGuest reports whether the line of a home has a cell that stands behind another.
func isGuest(home *asm.Cell) bool { return home[asm.Meta]&asm.GuestBit != 0 }

// isHome reports whether a number is that of a home, and not of a guest there.
func (t *Table) isHome(n number) bool { return n >= t.v.first && !isGuest(t.at(n)) }

func stateOf(c *asm.Cell) uint64 { return c[asm.Meta] >> asm.StateShift & 3 }

// kindMask is the state and the count field.
const kindMask = 15 << asm.StateShift

// setKind sets the state and the count field.
func setKind(c *asm.Cell, state, count uint64) {
	set(&c[asm.Meta], c[asm.Meta]&^kindMask|state<<asm.StateShift|count<<asm.CountShift)
}

func nextOf(c *asm.Cell) number { return number(c[asm.Links] >> 32) }
func setNext(c *asm.Cell, n number) {
	set(&c[asm.Links], c[asm.Links]&(1<<32-1)|uint64(n)<<32)
}

func listOf(c *asm.Cell) uint32 { return uint32(c[asm.Links]) }
func setList(c *asm.Cell, run uint32) {
	set(&c[asm.Links], c[asm.Links]>>32<<32|uint64(run))
}

// exactly reports whether c has the exact words of id.
func exactly(c *asm.Cell, id *i3.ID) bool {
	a, b, d, _ := id.Words()
	return c[0] == a && c[1] == b && c[2] == d
}

// holds is exactly for readers.
func holds(c *asm.Cell, id *i3.ID) bool {
	a, b, d, _ := id.Words()
	return asm.Load(&c[0]) == a && asm.Load(&c[1]) == b && asm.Load(&c[2]) == d
}

// idOf returns the identifier of a cell that holds a single one.
func idOf(c *asm.Cell) i3.ID { return i3.Exact(c[:3]).WithSuffix(c[3]) }

// hashOf returns the hash of the identifier of a cell.
func (t *Table) hashOf(c *asm.Cell) uint64 {
	id := idOf(c)
	return asm.HashOne(&id, &t.key)
}

// copyEntry copies what c has to say of its identifier, but not where it is.
func copyEntry(to, from *asm.Cell) {
	for _, i := range [...]int{0, 1, 2, 3, asm.First, asm.Second} {
		set(&to[i], from[i])
	}
	state, count := kindOf(from[asm.Meta])
	setKind(to, state, count)
	setList(to, listOf(from))
}

// open tells readers that a home, or what stands behind it, is being written.
func open(home *asm.Cell) { atomic.StoreUint64(&home[asm.Meta], home[asm.Meta]|asm.Odd) }

// shut tells them that it is as it should be again, and not what it was.
func shut(home *asm.Cell) {
	m := home[asm.Meta]
	atomic.StoreUint64(&home[asm.Meta], m&^asm.SeqMask|uint64(uint32(m)+1))
}

// A lock lets one writer in at a time. Who has it holds it for a batch at most.
type lock struct{ held atomic.Bool }

func (l *lock) acquire() {
	for !l.held.CompareAndSwap(false, true) {
		runtime.Gosched()
	}
}

func (l *lock) release() { l.held.Store(false) }
