package matcher

import (
	"math"

	"i3bench/asm"
)

// HomesFor returns how many homes, of a cache line each, a table has into which so many
// identifiers were inserted that differ in their first 192 bits.
func HomesFor(identifiers int) int {
	roomy := min(identifiers*int(1/roomyLoad), roomyHomes)
	return max(roomy, int(math.Ceil(float64(identifiers)/maxLoad)), minHomes)
}

// Stats describes the table. It reads all of it, so it is for reports.
func (t *Table) Stats() Stats {
	t.lock.acquire()
	defer t.lock.release()
	s := Stats{
		Entries:  t.Len(),
		Prefixes: t.tops,
		Homes:    t.shaped().Homes(),
		Bytes: t.shaped().Homes()*cellBytes + int(t.cells.end)*cellBytes + int(t.lists.end)*cellBytes +
			int(t.nodes.end)*2*cellBytes + tickBytes*(len(t.expiry.blocks[0])+len(t.expiry.blocks[1])) + 8*len(t.vacant),
	}
	total := 0
	for i := range t.v.homes[:s.Homes] {
		c := &t.v.homes[i]
		if stateOf(c) == asm.Empty || isGuest(c) {
			continue
		}
		for n := 1; ; n++ {
			total += n
			s.ProbeMax = max(s.ProbeMax, n)
			next := nextOf(c)
			if next == 0 {
				break
			}
			c = &t.v.cells[next]
		}
	}
	for p := position(0); p.cell() < s.Homes; p++ {
		s.Identifiers += min(countOf(t.at(t.numberOf(p))), 1)
	}
	for p := others; p.cell() < t.end(1); p++ {
		s.Identifiers += min(countOf(t.at(t.numberOf(p))), 1)
	}
	if s.Entries > 0 {
		s.BytesPerEntry = float64(s.Bytes) / float64(s.Entries)
		s.ProbeMean = float64(total) / float64(s.Prefixes)
	}
	return s
}

const cellBytes = asm.LineBytes
