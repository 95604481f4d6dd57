package matcher

import (
	"math"
	"unsafe"

	"i3bench/asm"
	"i3bench/internal/mem"
)

// A view is the arrays of a table, as readers see them. Small ones are on the heap
// and are replaced by larger copies, one at a time; a reader that still has the old view
// has to look again, see [Table.stale]. Large ones are in reserved memory, where they never move.
type view struct {
	homes []asm.Cell
	cells []asm.Cell // the pool: behind the homes, and members of groups; where first says so, the homes are its end
	first number     // the number of the first home
	lines []uint64   // lists of more than two triggers, in lines of eight
	nodes []node     // of groups
}

// lineLen is the unit of lists: eight triggers, a cache line.
const lineLen = 8

// heapMax is the size up to which an array is on the heap: a copy of it stalls no
// writer for longer than a page of fresh memory does.
const heapMax = 256 << 10

// The arrays of a table, each of which may have a region.
const (
	ofHomes = iota
	ofCells
	ofLines
	ofNodes
	ofBlocks // of homes; those of cells are next
	ofVacant = ofBlocks + 2
	ofBoth   = ofVacant + 1 // the region that those of cells and homes are parts of
	arrays   = ofBoth + 1
)

// A memory is what a table has reserved, a region for each array that is large.
type memory [arrays]region

// A region is reserved memory, of which as many bytes as ready are there already, or
// will be soon; the rest comes as it is first written.
type region struct {
	bytes []byte
	ready int
	part  bool // of ofBoth
}

func (m *memory) release() {
	for i := range m {
		if m[i].bytes != nil && !m[i].part {
			mem.Release(m[i].bytes)
		}
		m[i] = region{}
	}
}

// grown returns an array that begins with a, has at least n elements, and need not
// have more than most ever.
func grown[T any](r *region, a []T, n, most int) []T {
	size := int(unsafe.Sizeof(*new(T)))
	want := max(n, 2*len(a), 4)
	if want*size > heapMax && most > want && r.bytes == nil {
		if b, err := mem.Reserve(most * size); err == nil {
			r.bytes = b
			next := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), most)
			copy(next, a)
			return next
		}
	}
	next := make([]T, want) // where nothing can be reserved, growth stalls for a copy
	copy(next, a)
	return next
}

// A pool hands out the elements of an array by their numbers. Number 0 is never
// handed out: it means "none". What is free is linked through itself by the user.
type pool struct {
	end  uint32 // of what was ever handed out
	free uint32 // the first that was taken back
	idle int    // how many were
}

// used returns the number of elements handed out.
func (p *pool) used() int { return int(p.end) - 1 - p.idle }

// How much of everything a table of some triggers can need.
func (c Config) mostHomes() int {
	roomy := min(int(float64(c.MaxTriggers)/roomyLoad), roomyHomes)
	return max(int(float64(c.MaxTriggers)/maxLoad), roomy) + minHomes + 1
}
func (c Config) mostCells() int { return c.MaxTriggers + c.MaxTriggers/2 + 8 }
func (c Config) mostNodes() int { return min(c.MaxTriggers+2*fewMembers, maxNodes) }
func (c Config) mostLines() int { return min(4*c.MaxTriggers+2*c.MaxPerID/lineLen+8, math.MaxUint32) }

// room makes sure that an insertion finds cells and nodes, so that nothing moves
// while it has pointers. It reports whether there are nodes.
func (t *Table) room() bool {
	const someCells, someNodes = 3, fewMembers + 1
	if end := int(t.cells.end) + someCells; t.cells.idle < someCells && end > t.v.poolLen() {
		t.growCells(0, end)
	}
	if end := int(t.nodes.end) + someNodes; t.nodes.idle < someNodes && end > len(t.v.nodes) {
		if end > maxNodes {
			return false
		}
		v := *t.v
		v.nodes = grown(&t.memory[ofNodes], v.nodes, end, t.cfg.mostNodes())
		t.show(v)
	}
	return true
}

// show makes v what readers see from now on.
func (t *Table) show(v view) {
	t.v = &v
	t.view.Store(&v)
}

// newCell returns the number of a free cell; room has seen to it that there is one.
func (t *Table) newCell() number {
	if n := t.cells.free; n != 0 {
		t.cells.free = uint32(t.v.cells[n][asm.Links])
		t.cells.idle--
		asm.Prefetch(unsafe.Pointer(&t.v.cells[t.cells.free]), asm.LineBytes)
		return number(n)
	}
	t.cells.end++
	return number(t.cells.end - 1)
}

// putCell takes a cell back. Its home must be open.
func (t *Table) putCell(n number) {
	if n >= t.v.first {
		leaveLine(t.at(n))
		t.vacate(n)
		return
	}
	c := &t.v.cells[n]
	set(&c[asm.Meta], 0)
	set(&c[asm.Links], uint64(t.cells.free))
	t.cells.free = uint32(n)
	t.cells.idle++
}

// newNode returns the number of a free node, all zero.
func (t *Table) newNode() uint32 {
	n := t.nodes.free
	if n == 0 {
		t.nodes.end++
		return t.nodes.end - 1
	}
	t.nodes.free = uint32(t.v.nodes[n][0])
	t.nodes.idle--
	set(&t.v.nodes[n][0], 0)
	return n
}

// putNode takes a node back. Its home must be open.
func (t *Table) putNode(n uint32) {
	for i := range t.v.nodes[n] {
		set(&t.v.nodes[n][i], 0)
	}
	set(&t.v.nodes[n][0], uint64(t.nodes.free))
	t.nodes.free = n
	t.nodes.idle++
}
