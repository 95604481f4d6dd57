package matcher

import (
	"iter"

	"i3bench/i3"
)

// A Cursor is how far a [Table.Scan] has come. The zero Cursor is the beginning.
type Cursor uint64

// CursorBits is how many bits a Cursor may take: who keeps one may use those above.
const CursorBits = 33

// Scan calls f for the live triggers in the next so many cells, with the tick at which each expires, and returns
// where to go on, and whether that is anywhere. The triggers of one identifier come together, in the order of their
// insertion; the order of the identifiers is not specified. The table may change between scans: then an identifier
// that moves meanwhile may be left out or come twice. f must not call the table.
func (t *Table) Scan(from Cursor, cells int, now Tick, f func(i3.ID, Target, Tick)) (next Cursor, more bool) {
	t.lock.acquire()
	defer t.lock.release()
	p := position(from)
	for range cells {
		for p.cell() >= t.end(p.part()) {
			if p >= others {
				return 0, false
			}
			p = others
		}
		c := t.at(t.numberOf(p))
		for _, tr := range t.list(c) {
			if expiryOf(tr) > now {
				f(idOf(c), targetOf(tr), expiryOf(tr))
			}
		}
		p++
	}
	return Cursor(p), true
}

// All returns the live triggers, see [Table.Scan]. The table may change during the iteration.
func (t *Table) All(now Tick) iter.Seq2[i3.ID, Target] {
	type pair struct {
		id i3.ID
		tg Target
	}
	return func(yield func(i3.ID, Target) bool) {
		var some []pair
		for at, more := Cursor(0), true; more; {
			some = some[:0]
			at, more = t.Scan(at, 256, now, func(id i3.ID, tg Target, _ Tick) { some = append(some, pair{id, tg}) })
			for _, s := range some {
				if !yield(s.id, s.tg) {
					return
				}
			}
		}
	}
}
