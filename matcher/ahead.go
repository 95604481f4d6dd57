package matcher

import (
	"runtime"
	"unsafe"

	"i3bench/internal/mem"
)

// aheadTriggers is for how many more triggers [Table.Ahead] provides.
const aheadTriggers = 1 << 17

// Ahead takes from the system the memory that the next insertions will need: for 131,072
// triggers, or for fewer if Config.MaxTriggers leaves fewer. Without it
// an insertion that is the first to need a page waits until the system has cleared it, which
// for a huge page takes up to milliseconds. Whoever is not in a hurry calls it, again and again,
// from a goroutine of its own, beside readers and writers. It returns the number of bytes
// provided, 0 when there is nothing to do yet. Tables so small that they are on the heap need nothing.
func (t *Table) Ahead() (bytes int) {
	var fresh [arrays][]byte
	t.lock.acquire()
	for i, end := range t.ends() {
		fresh[i] = t.memory[i].claim(end)
	}
	t.lock.release()
	for _, b := range fresh {
		mem.Touch(b)
		bytes += len(b)
	}
	runtime.KeepAlive(t) // and with it the memory
	return bytes
}

// ends returns how many bytes of each array will be in use soon.
func (t *Table) ends() (ends [arrays]int) {
	more := min(aheadTriggers, t.cfg.MaxTriggers-t.Len())
	if more == 0 {
		return ends
	}
	homes := max(t.shaped().Homes(), HomesFor(t.tops+more))
	cells := int(t.cells.end) + max(0, more-t.cells.idle)
	const few = 8 // one trigger in so many needs a node or a line of its own
	return [arrays]int{
		ofHomes:      homes * cellBytes,
		ofCells:      cells * cellBytes,
		ofLines:      (int(t.lists.end) + more/few) * cellBytes,
		ofNodes:      (int(t.nodes.end) + max(0, more/few-t.nodes.idle)) * int(unsafe.Sizeof(node{})),
		ofBlocks:     (homes/blockCells + 1) * tickBytes,
		ofVacant:     (homes/lineCount + 1) * 8,
		ofBlocks + 1: (cells/blockCells + 1) * tickBytes,
	}
}

const tickBytes = int(unsafe.Sizeof(Tick(0)))

// claim returns what is not ready yet of the first end bytes of a region, and counts it as
// ready from now on.
func (r *region) claim(end int) []byte {
	const step = 2 << 20 // a huge page
	end = min((end+step-1)&^(step-1), len(r.bytes))
	if end <= r.ready {
		return nil
	}
	b := r.bytes[r.ready:end]
	r.ready = end
	return b
}
