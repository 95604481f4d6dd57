package matcher

import (
	"math/bits"

	"i3bench/asm"
)

// inline is the number of triggers that fit in a cell; the count field says elsewhere
// for more.
const (
	inline    = 2
	elsewhere = 3
)

// classes is how many sizes of runs there are: 1, 2, 4, ... lines.
const classes = 16

// A lists hands out runs of lines. Runs are not split or joined: a size keeps the
// memory of its peak.
type lists struct {
	end  uint32          // of what was ever handed out; line 0 is none
	free [classes]uint32 // the first of each size that was taken back, linked by their first words
	idle int             // lines taken back
}

// class returns the size of a list of n triggers: 0 in place, k for a run of
// 1<<(k-1) lines. It depends on n alone, so that no cell has to store it, at the price of a
// move whenever the length crosses a power of two.
func class(n int) int {
	if n <= inline {
		return 0
	}
	return 1 + bits.Len32(uint32(n-1)/lineLen)
}

// countOf returns the number of triggers of a cell.
func countOf(c *asm.Cell) int {
	switch state, count := kindOf(c[asm.Meta]); {
	case state != asm.Single:
		return 0
	case count == elsewhere:
		return int(c[asm.First])
	default:
		return int(count)
	}
}

// list returns the triggers of a cell in the order of their insertion. It is good
// until the next resize.
func (t *Table) list(c *asm.Cell) []uint64 {
	n := countOf(c)
	if n <= inline {
		return c[asm.First:][:n]
	}
	return t.run(listOf(c), n)
}

// run returns the first n words of a run.
func (t *Table) run(run uint32, n int) []uint64 { return t.v.lines[int(run)*lineLen:][:n] }

// resize makes the list of c n triggers long, not 0, keeping the first ones. Its home must
// be open.
func (t *Table) resize(c *asm.Cell, n int) {
	before := countOf(c)
	from, to := class(before), class(n)
	if from == to {
		t.setCount(c, n)
		return
	}
	run, old := listOf(c), t.list(c)
	if to == 0 {
		keep := [inline]uint64(old[:inline])
		t.setCount(c, n)
		set(&c[asm.First], keep[0])
		set(&c[asm.Second], keep[1])
		setList(c, 0)
	} else {
		next := t.newRun(to)
		old = t.list(c) // newRun may have moved it
		for i := range min(before, n) {
			set(&t.run(next, n)[i], old[i])
		}
		setList(c, next)
		t.setCount(c, n)
	}
	if from != 0 {
		t.putRun(from, run)
	}
}

func (t *Table) setCount(c *asm.Cell, n int) {
	if n <= inline {
		setKind(c, asm.Single, uint64(n))
		return
	}
	setKind(c, asm.Single, elsewhere)
	set(&c[asm.First], uint64(n))
}

// newRun returns a run of some class above 0, whatever is in it.
func (t *Table) newRun(class int) uint32 {
	l := &t.lists
	lines := 1 << (class - 1)
	if run := l.free[class]; run != 0 {
		l.free[class] = uint32(t.run(run, 1)[0])
		l.idle -= lines
		return run
	}
	if end := int(l.end) + lines; end*lineLen > len(t.v.lines) {
		v := *t.v
		v.lines = grown(&t.memory[ofLines], v.lines, end*lineLen, t.cfg.mostLines()*lineLen)
		t.show(v)
	}
	run := l.end
	l.end += uint32(lines)
	return run
}

// putRun takes a run back.
func (t *Table) putRun(class int, run uint32) {
	set(&t.run(run, 1)[0], uint64(t.lists.free[class]))
	t.lists.free[class] = run
	t.lists.idle += 1 << (class - 1)
}

// latest returns the last tick at which one of the triggers expires.
func latest(list []uint64) (t Tick) {
	for _, tr := range list {
		t = max(t, expiryOf(tr))
	}
	return t
}

// soonest returns the first.
func soonest(list []uint64) Tick {
	t := forever
	for _, tr := range list {
		t = min(t, expiryOf(tr))
	}
	return t
}

// search returns the index of a target in a list, or -1.
func search(list []uint64, tg Target) int {
	for i, tr := range list {
		if targetOf(tr) == tg {
			return i
		}
	}
	return -1
}
