package matcher

import (
	"fmt"

	"i3bench/i3"
)

// Tag returns the part of the hash that the index works with.
func (t *Table) Tag(id i3.ID) uint32 { return t.tag(wordsOf(&id)) }

// WinnerSteps returns how many trie nodes the search for the winner of id visits.
func (t *Table) WinnerSteps(id i3.ID, now Tick) int {
	pos, leaf := t.find(wordsOf(&id), t.probeFor(wordsOf(&id)))
	if leaf == 0 {
		return 0
	}
	_, steps := t.trie.winner(t.index.slots[pos].ref(), id.Suffix(), now)
	return steps
}

// Check returns an error if the parts of the table contradict each other.
func (t *Table) Check() error {
	c := checker{t: t, cells: map[ref]bool{}, nodes: map[ref]bool{}}
	prefixes := map[i3.Exact]bool{}
	for i, s := range t.index.slots {
		if s == 0 {
			continue
		}
		for pos := t.index.home(s.tag()); pos != uint32(i); pos = t.index.next(pos) {
			if t.index.slots[pos] == 0 {
				return fmt.Errorf("slot %d cannot be reached: slot %d is empty", i, pos)
			}
		}
		some := t.cells.items[t.trie.nearest(s.ref(), 0)].id
		if prefixes[some.id().Exact()] {
			return fmt.Errorf("slot %d: prefix of %v is there twice", i, some.id())
		}
		prefixes[some.id().Exact()] = true
		if t.tag(some) != s.tag() {
			return fmt.Errorf("slot %d: tag %x of %v, want %x", i, s.tag(), some.id(), t.tag(some))
		}
		if _, err := c.group(s.ref(), some, 64); err != nil {
			return fmt.Errorf("slot %d: %w", i, err)
		}
	}
	if len(prefixes) != t.index.used {
		return fmt.Errorf("index has %d prefixes and counts %d", len(prefixes), t.index.used)
	}
	return c.totals()
}

type checker struct {
	t            *Table
	cells, nodes map[ref]bool
	entries      int
	slab         int // triggers of runs in use
}

// group checks what is below r, where all identifiers agree with like from bit
// on, and returns the latest expiry there.
func (c *checker) group(r ref, like words, bit uint32) (Tick, error) {
	if !r.isNode() {
		return c.leaf(r, like, bit)
	}
	n := c.t.trie.nodes.items[r.index()]
	if c.nodes[r] || n.bit >= bit {
		return 0, fmt.Errorf("node %d with bit %d, visited %v, below bit %d", r.index(), n.bit, c.nodes[r], bit)
	}
	c.nodes[r] = true
	if (like.suffix^c.t.cells.items[c.t.trie.nearest(r, 0)].id.suffix)>>(bit-1)>>1 != 0 {
		return 0, fmt.Errorf("node %d does not belong below bit %d", r.index(), bit)
	}
	for b, child := range n.child {
		some := c.t.cells.items[c.t.trie.nearest(child, 0)].id
		if some.suffix>>n.bit&1 != uint64(b) {
			return 0, fmt.Errorf("node %d: suffix %x on side %d of bit %d", r.index(), some.suffix, b, n.bit)
		}
		until, err := c.group(child, some, n.bit)
		if err != nil {
			return 0, err
		}
		if until != n.until[b] {
			return 0, fmt.Errorf("node %d side %d: until %d, want %d", r.index(), b, n.until[b], until)
		}
	}
	return n.latest(), nil
}

func (c *checker) leaf(r ref, like words, bit uint32) (Tick, error) {
	l := &c.t.cells.items[r]
	switch {
	case r == 0 || c.cells[r] || l.n == 0 || int(l.n) > c.t.cfg.MaxPerID:
		return 0, fmt.Errorf("cell %d with %d triggers, visited %v", r, l.n, c.cells[r])
	case !l.id.matches(like), bit < 64 && (l.id.suffix^like.suffix)>>bit != 0:
		return 0, fmt.Errorf("cell %d: %v is not with its like %v above bit %d", r, l.id.id(), like.id(), bit)
	}
	c.cells[r] = true
	c.entries += int(l.n)
	if k := class(l.n); k > 0 {
		c.slab += lineLen << (k - 1)
	}
	seen := map[Target]bool{}
	for _, tr := range c.t.slab.list(l) {
		if seen[tr.target] {
			return 0, fmt.Errorf("cell %d: target %d is there twice", r, tr.target)
		}
		seen[tr.target] = true
	}
	return latest(c.t.slab.list(l)), nil
}

func (c *checker) totals() error {
	for k, free := range c.t.slab.free {
		c.slab += len(free) * (lineLen << max(k-1, 0))
	}
	if c.entries != c.t.entries || c.slab != len(c.t.slab.triggers) {
		return fmt.Errorf("%d triggers, counted as %d; %d places in the slab, of %d",
			c.entries, c.t.entries, c.slab, len(c.t.slab.triggers))
	}
	if len(c.cells) != c.t.cells.used() || len(c.nodes) != c.t.trie.nodes.used() {
		return fmt.Errorf("%d cells of %d and %d nodes of %d can be reached",
			len(c.cells), c.t.cells.used(), len(c.nodes), c.t.trie.nodes.used())
	}
	for _, i := range c.t.cells.free {
		if c.t.cells.items[i] != (cell{}) {
			return fmt.Errorf("free cell %d is not zero", i)
		}
	}
	return nil
}
