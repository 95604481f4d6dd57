package matcher

import (
	"i3bench/asm"
	"i3bench/i3"
)

// Steps is the number of steps of [Table.Approach].
const Steps = 3

// Approach reads what a look-up of id will need, a miss a step, so that somebody
// with look-ups in several tables can let these misses overlap: step 0 the table
// itself, step 1 the home, step 2 what stands behind it. The hint is what the step before has returned; 0 says
// that there is nothing more to read. It changes nothing, and sum depends on what
// was read, so that no compiler leaves it out.
func (t *Table) Approach(id i3.ID, step int, hint uint64) (next uint64, sum byte) {
	v := t.view.Load()
	switch step {
	case 0:
		return 1, byte(len(v.homes)) + byte(t.key[0])
	case 1:
		place := t.shaped().Place(asm.HashOne(&id, &t.key))
		if int(place.Home()) >= len(v.homes) {
			return 0, 0
		}
		return uint64(place), byte(asm.Load(&v.homes[place.Home()][asm.Meta]))
	}
	place := asm.Place(hint)
	home := &v.homes[place.Home()]
	n, _ := v.search(home, asm.Load(&home[asm.Meta]), &id, place)
	if n == 0 {
		return 0, 0
	}
	c := v.at(n)
	switch state, count := kindOf(asm.Load(&c[asm.Meta])); {
	case state >= asm.Group:
		return 0, 0 // the rest is a path of misses
	case count == elsewhere:
		run := uint32(asm.Load(&c[asm.Links]))
		if int(run)*lineLen >= len(v.lines) {
			return 0, 0
		}
		sum = byte(asm.Load(&v.lines[run*lineLen]))
	}
	return uint64(n), sum
}

// Approached appends to dst the targets of the cell that the last step of Approach
// has read. Nobody may write meanwhile.
func (t *Table) Approached(hint uint64, dst []Target) []Target {
	for _, tr := range t.list(t.at(number(hint))) {
		dst = append(dst, targetOf(tr))
	}
	return dst
}
