package matcher

import "math/bits"

// A trigger is what an identifier's list is made of.
type trigger struct {
	target Target
	expire Tick
}

const triggerBytes = 8

// inline is the number of triggers that fit in a cell.
const inline = 3

// A cell holds one identifier and the list of its triggers: in place while
// there are few, otherwise in a run of the slab. One look-up of an identifier
// with few triggers reads one cache line here. A cell without triggers is free.
type cell struct {
	id  words
	in  [inline]trigger
	ext uint32 // run of the slab, if n > inline
	n   uint32 // triggers in the list
}

// lineLen is the number of triggers in a line, the unit of the slab: 64 bytes.
const lineLen = 8

// A slab hands out runs of 1, 2, 4, ... lines by the number of their first
// line. Runs are not split or joined: a class keeps the memory of its peak.
type slab struct {
	triggers []trigger    // whole lines
	free     [32][]uint32 // by class
}

// class returns the size class of a list of n triggers: 0 for a list in place,
// k for a run of 1<<(k-1) lines. It depends on n alone, so that no cell has to
// store it, at the price of a move whenever the length crosses a power of two.
func class(n uint32) int {
	if n <= inline {
		return 0
	}
	return 1 + bits.Len32((n-1)/lineLen)
}

// get returns a run of the given class, which is not 0. Its contents are
// whatever was there. It invalidates all slices of the slab.
func (s *slab) get(class int) uint32 {
	if k := len(s.free[class]); k > 0 {
		run := s.free[class][k-1]
		s.free[class] = s.free[class][:k-1]
		return run
	}
	run := uint32(len(s.triggers) / lineLen)
	s.triggers = append(s.triggers, make([]trigger, lineLen<<(class-1))...)
	return run
}

// put takes a run back.
func (s *slab) put(class int, run uint32) { s.free[class] = append(s.free[class], run) }

// run returns the first n triggers of a run.
func (s *slab) run(run, n uint32) []trigger {
	return s.triggers[int(run)*lineLen:][:n]
}

// bytes returns the memory of the slab.
func (s *slab) bytes() int {
	b := cap(s.triggers) * triggerBytes
	for _, f := range s.free {
		b += cap(f) * 4
	}
	return b
}

// list returns the triggers of c in the order of their insertion. The slice is
// good until the next resize.
func (s *slab) list(c *cell) []trigger {
	if c.n <= inline {
		return c.in[:c.n]
	}
	return s.run(c.ext, c.n)
}

// resize makes the list of c n triggers long, keeping the first ones.
func (s *slab) resize(c *cell, n uint32) {
	from, to := class(c.n), class(n)
	if from == to {
		c.n = n
		return
	}
	old, ext := s.list(c), c.ext
	if to == 0 {
		copy(c.in[:], old)
		c.ext = 0
	} else {
		c.ext = s.get(to)
		copy(s.run(c.ext, n), old)
	}
	c.n = n
	if from != 0 {
		s.put(from, ext)
	}
}

// add appends a trigger to the list of c.
func (s *slab) add(c *cell, tr trigger) {
	s.resize(c, c.n+1)
	s.list(c)[c.n-1] = tr
}

// drop removes trigger i from the list of c and closes the gap.
func (s *slab) drop(c *cell, i int) {
	l := s.list(c)
	copy(l[i:], l[i+1:])
	s.resize(c, c.n-1)
}

// latest returns the last tick at which one of the triggers expires.
func latest(list []trigger) (t Tick) {
	for _, tr := range list {
		t = max(t, tr.expire)
	}
	return t
}

// search returns the index of a target in a list, or -1.
func search(list []trigger, tg Target) int {
	for i, tr := range list {
		if tr.target == tg {
			return i
		}
	}
	return -1
}
