package matcher

import (
	"runtime"

	"i3bench/asm"
	"i3bench/i3"
)

// Match appends to dst the live targets of the identifier that wins id, in the
// order of their insertion, and returns the winner and the extended slice. If
// nothing matches, dst comes back unchanged with the zero identifier. It
// allocates only if dst is too short.
func (t *Table) Match(id i3.ID, now Tick, dst []Target) (winner i3.ID, targets []Target) {
	return t.match(&id, asm.HashOne(&id, &t.key), now, dst)
}

// match is Match for an identifier whose hash is known.
func (t *Table) match(id *i3.ID, hash uint64, now Tick, dst []Target) (winner i3.ID, targets []Target) {
	for tries := 0; ; tries++ {
		suffix, targets, ok := t.try(id, hash, now, dst)
		if ok {
			if len(targets) > len(dst) {
				winner = id.WithSuffix(suffix)
			}
			runtime.KeepAlive(t) // and with it the memory that was read
			return winner, targets
		}
		if tries > 8 {
			runtime.Gosched() // the writer may wait for this processor
		}
	}
}

// try is one attempt of match. It is not ok if a writer came in between.
func (t *Table) try(id *i3.ID, hash uint64, now Tick, dst []Target) (suffix uint64, targets []Target, ok bool) {
	return t.tryIn(t.view.Load(), id, hash, now, dst)
}

// tryIn is try with the arrays of a view. It is not ok either if they have been replaced, see [Table.stale].
func (t *Table) tryIn(
	v *view, id *i3.ID, hash uint64, now Tick, dst []Target,
) (suffix uint64, targets []Target, ok bool) {
	place := unpackShape(t.shape.Load()).Place(hash)
	if int(place.Home()) >= len(v.homes) {
		return 0, dst, false // a newer shape than the view
	}
	home := &v.homes[place.Home()]
	meta := asm.Load(&home[asm.Meta])
	if meta&asm.Odd != 0 || (meta^uint64(place))>>asm.DepthShift&0xff != 0 {
		return 0, dst, false
	}
	n, ok := v.search(home, meta, id, place)
	if n == 0 {
		return 0, dst, ok && asm.Load(&home[asm.Meta]) == meta && !t.stale(v)
	}
	suffix, targets, ok = v.emit(v.at(n), id, now, dst)
	return suffix, targets, ok && asm.Load(&home[asm.Meta]) == meta && !t.stale(v)
}

// stale reports whether an array has been replaced since a view was loaded. Arrays grow one at a time, and views share
// the others: what a home says by now may be about a cell that the old array of cells does not have, or has as it was.
func (t *Table) stale(v *view) bool { return t.view.Load() != v }

// search returns the cell in a home or behind it that has the exact words of id, or
// 0. It is not ok if it saw what cannot be.
func (v *view) search(home *asm.Cell, meta uint64, id *i3.ID, place asm.Place) (n number, ok bool) {
	if state, _ := kindOf(meta); state == asm.Empty {
		return 0, true
	}
	if holds(home, id) {
		return v.first + number(place.Home()), true
	}
	if nobodyBehind(meta, place) {
		return 0, true
	}
	for c, hops := home, 1; ; hops++ {
		next := asm.Load(&c[asm.Links]) >> 32
		if next == 0 {
			return 0, true
		}
		if next >= uint64(len(v.cells)) || hops%16 == 0 && asm.Load(&home[asm.Meta]) != meta {
			return 0, false
		}
		if c = &v.cells[next]; holds(c, id) {
			return number(next), true
		}
	}
}

// emit appends the live targets of the winner among the identifiers of a cell.
func (v *view) emit(c *asm.Cell, id *i3.ID, now Tick, dst []Target) (suffix uint64, targets []Target, ok bool) {
	if state, _ := kindOf(asm.Load(&c[asm.Meta])); state >= asm.Group {
		n := v.winner(asm.Load(&c[3]), state == asm.Few, id.Suffix(), now)
		if n == 0 || int(n) >= len(v.cells) {
			return 0, dst, true
		}
		c = &v.cells[n]
	}
	return v.emitList(c, now, dst)
}

// emitList appends the live targets of a cell with a single identifier.
func (v *view) emitList(c *asm.Cell, now Tick, dst []Target) (suffix uint64, targets []Target, ok bool) {
	_, count := kindOf(asm.Load(&c[asm.Meta]))
	list := c[asm.First:]
	if count == elsewhere {
		run, n := uint32(asm.Load(&c[asm.Links])), asm.Load(&c[asm.First])
		if n > MaxMaxPerID || uint64(run)*lineLen+n > uint64(len(v.lines)) {
			return 0, dst, false
		}
		list, count = v.lines[int(run)*lineLen:], n
	}
	for i := range count {
		if tr := asm.Load(&list[i]); expiryOf(tr) > now {
			dst = append(dst, targetOf(tr))
		}
	}
	return asm.Load(&c[3]), dst, true
}
