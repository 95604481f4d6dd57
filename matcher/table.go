package matcher

import (
	"fmt"
	"math"

	"i3bench/i3"
)

// A Table holds the triggers of one shard of a node. Create it with [New]. It
// must be used by one goroutine at a time.
type Table struct {
	// What a look-up needs comes first.
	key   sipKey
	index index
	cells pool[cell]
	slab  slab

	trie    trie
	cfg     Config
	entries int
	cursor  cursor
	least   Tick // of the expiries that the pass under way has left
	soonest Tick // of those that the last whole pass left
}

// New returns an empty table, or an error if a field of cfg is out of range.
func New(cfg Config) (*Table, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	return &Table{
		cfg:    cfg,
		key:    newSipKey(cfg.Seed),
		index:  newIndex(minSlots),
		trie:   trie{nodes: newPool[node]()},
		cells:  newPool[cell](),
		cursor: passStart,
		least:  math.MaxUint32,
	}, nil
}

// Kernel names the implementation that runs.
func (t *Table) Kernel() string { return "portable" }

// Len returns the number of triggers stored, expired ones that were not
// reclaimed included.
func (t *Table) Len() int { return t.entries }

// tag returns the part of the keyed hash of id that the index works with.
func (t *Table) tag(id words) uint32 {
	return uint32(t.key.sum(id.exact0, id.exact1, id.exact2) >> 32)
}

// find follows a probe to the slot of id's prefix and key, and of the cells that share
// them the one that has exactly id if any has. The cell is 0 if no identifier
// with this prefix and key is stored; the slot is then meaningless.
func (t *Table) find(id words, p probe) (pos uint32, leaf ref) {
	for pos = p.pos; ; pos = t.index.next(pos) {
		s := t.index.slots[pos]
		if s == 0 {
			return pos, 0
		}
		if s.tag() != p.tag {
			continue
		}
		leaf = t.trie.nearest(s.ref(), id.suffix)
		if t.cells.items[leaf].id.matches(id) {
			return pos, leaf
		}
	}
}

// exact returns the cell of exactly id, or nil, and its place.
func (t *Table) exact(id words, p probe) (c *cell, pos uint32, leaf ref) {
	pos, leaf = t.find(id, p)
	if c = &t.cells.items[leaf]; leaf == 0 || c.id != id {
		return nil, pos, leaf
	}
	return c, pos, leaf
}

// Insert stores a trigger until tick expire, or changes the expiry, up or
// down, of the same trigger if it is stored. It fails with an [InsertError],
// and stores nothing, if
//
//   - expire is not after now: ErrExpired;
//   - the identifier has MaxPerID live triggers without this one: ErrPerID.
//     Expired triggers of the identifier that would be in the way are dropped
//     and given to Config.Reclaimed, in the order of their insertion;
//   - MaxTriggers triggers are stored: ErrFull. A Sweep may make room.
func (t *Table) Insert(id i3.ID, tg Target, now, expire Tick) (Outcome, error) {
	if expire <= now {
		return 0, &InsertError{id, now, expire, ErrExpired}
	}
	w := wordsOf(&id)
	p := t.probeFor(w)
	c, pos, leaf := t.exact(w, p)
	if c != nil {
		if t.refresh(c, pos, tg, expire) {
			return Refreshed, nil
		}
		if int(c.n) >= t.cfg.MaxPerID {
			if !t.reclaim(c, pos, leaf, now) {
				return 0, &InsertError{id, now, expire, ErrPerID}
			}
			c, pos, leaf = t.exact(w, p) // it may have gone with its last trigger
		}
	}
	if t.entries >= t.cfg.MaxTriggers {
		return 0, &InsertError{id, now, expire, ErrFull}
	}
	t.entries++
	if c == nil {
		t.addCell(w, p.tag, pos, leaf, trigger{tg, expire})
		return Added, nil
	}
	t.slab.add(c, trigger{tg, expire})
	t.changed(c, pos)
	return Added, nil
}

// refresh sets the expiry of a trigger and reports whether it is stored.
func (t *Table) refresh(c *cell, pos uint32, tg Target, expire Tick) bool {
	list := t.slab.list(c)
	i := search(list, tg)
	if i < 0 {
		return false
	}
	list[i].expire = expire
	t.changed(c, pos)
	return true
}

// changed tells the trie, if there is one, the latest expiry of a cell.
func (t *Table) changed(c *cell, pos uint32) {
	if root := t.index.slots[pos].ref(); root.isNode() {
		t.trie.update(root, c.id.suffix, latest(t.slab.list(c)))
	}
}

// addCell adds an identifier with its first trigger. near is the cell that find
// returned for it at pos.
func (t *Table) addCell(id words, tag, pos uint32, near ref, tr trigger) {
	leaf := ref(t.cells.get())
	c := &t.cells.items[leaf]
	c.id = id
	t.slab.add(c, tr)
	if near == 0 {
		t.index.insert(makeSlot(tag, leaf))
		return
	}
	other := &t.cells.items[near]
	root := t.trie.insert(t.index.slots[pos].ref(), id.suffix, leaf, tr.expire,
		other.id.suffix, latest(t.slab.list(other)))
	t.index.slots[pos] = makeSlot(tag, root)
}

// reclaim drops the expired triggers of an identifier and reports whether
// there were any.
func (t *Table) reclaim(c *cell, pos uint32, leaf ref, now Tick) bool {
	id, before := c.id.id(), t.entries
	for i := 0; i < int(c.n); {
		tr := t.slab.list(c)[i]
		if tr.expire > now {
			i++
			continue
		}
		t.drop(c, pos, leaf, i)
		if t.cfg.Reclaimed != nil {
			t.cfg.Reclaimed(id, tr.target)
		}
	}
	return t.entries < before
}

// drop removes trigger i of a cell, and the cell with its last trigger.
func (t *Table) drop(c *cell, pos uint32, leaf ref, i int) {
	t.entries--
	t.cursor.dropped(leaf, i)
	t.slab.drop(c, i)
	if c.n > 0 {
		t.changed(c, pos)
		return
	}
	s := t.index.slots[pos]
	if s.ref().isNode() {
		t.index.slots[pos] = makeSlot(s.tag(), t.trie.remove(s.ref(), c.id.suffix))
	} else {
		t.index.remove(pos)
	}
	t.cells.put(uint32(leaf))
}

// Remove removes a trigger and reports whether it was stored, live or expired.
func (t *Table) Remove(id i3.ID, tg Target) bool {
	w := wordsOf(&id)
	c, pos, leaf := t.exact(w, t.probeFor(w))
	if c == nil {
		return false
	}
	i := search(t.slab.list(c), tg)
	if i < 0 {
		return false
	}
	t.drop(c, pos, leaf, i)
	return true
}

// Count returns the number of live triggers of exactly this identifier.
func (t *Table) Count(id i3.ID, now Tick) (n int) {
	w := wordsOf(&id)
	c, _, _ := t.exact(w, t.probeFor(w))
	if c == nil {
		return 0
	}
	for _, tr := range t.slab.list(c) {
		if tr.expire > now {
			n++
		}
	}
	return n
}

// Stored appends to dst the targets of all triggers of exactly this identifier,
// live or expired, in the order of their insertion. It allocates only if dst is
// too short.
func (t *Table) Stored(id i3.ID, dst []Target) []Target {
	w := wordsOf(&id)
	c, _, _ := t.exact(w, t.probeFor(w))
	if c == nil {
		return dst
	}
	for _, tr := range t.slab.list(c) {
		dst = append(dst, tr.target)
	}
	return dst
}

// Stats describes the table. It reads the whole index, so it is for reports.
func (t *Table) Stats() Stats {
	longest, total := t.index.probes()
	s := Stats{
		Entries:     t.entries,
		Identifiers: t.cells.used(),
		Prefixes:    t.index.used,
		Bytes:       t.cells.bytes() + t.slab.bytes() + t.trie.nodes.bytes() + 8*cap(t.index.slots),
		ProbeMax:    longest,
	}
	if s.Entries > 0 {
		s.BytesPerEntry = float64(s.Bytes) / float64(s.Entries)
		s.ProbeMean = float64(total) / float64(s.Prefixes)
	}
	return s
}

// String describes the table without its secret, which no log may show.
func (t *Table) String() string {
	return fmt.Sprintf("matcher.Table(%s, %d of %d triggers)", t.Kernel(), t.entries, t.cfg.MaxTriggers)
}
