package matcher

import "i3bench/i3"

// batch is the number of look-ups whose cache misses overlap: enough for any
// memory system, and little enough that what was touched is still in the L1
// cache when its turn comes.
const batch = 64

// Match appends to dst the live targets of the identifier that wins id, in the
// order of their insertion, and returns the winner and the extended slice. If
// nothing matches, dst comes back unchanged with the zero identifier. It
// allocates only if dst is too short.
func (t *Table) Match(id i3.ID, now Tick, dst []Target) (winner i3.ID, targets []Target) {
	w := wordsOf(&id)
	before := len(dst)
	suffix, targets := t.match(w, t.probeFor(w), now, dst)
	if len(targets) > before {
		winner = id.WithSuffix(suffix)
	}
	return winner, targets
}

// A probe is where to look for an identifier in the index: at pos and behind,
// for slots with this tag.
type probe struct{ tag, pos uint32 }

// probeFor returns the whole search for an identifier.
func (t *Table) probeFor(id words) probe {
	tag := t.tag(id)
	return probe{tag, t.index.home(tag)}
}

// match is Match for an identifier whose probe is known. All that is left to tell
// of the winner is its suffix, which means nothing without targets.
func (t *Table) match(id words, p probe, now Tick, dst []Target) (suffix uint64, targets []Target) {
	for ; ; p.pos = t.index.next(p.pos) {
		s := t.index.slots[p.pos]
		if s == 0 {
			return 0, dst
		}
		if s.tag() != p.tag {
			continue
		}
		leaf := s.ref()
		if leaf.isNode() {
			if leaf, _ = t.trie.winner(leaf, id.suffix, now); leaf == 0 {
				continue // all of the group has expired, and it may be another's
			}
		}
		c := &t.cells.items[leaf]
		if !c.id.matches(id) {
			continue
		}
		for _, tr := range t.slab.list(c) {
			if tr.expire > now {
				dst = append(dst, tr.target)
			}
		}
		return c.id.suffix, dst
	}
}

// MatchBatch does [Table.Match] for every identifier of a batch and leaves the
// results in m. The batch may be of any length and must not share memory with
// m. It allocates only until m has grown to what the batches need.
func (t *Table) MatchBatch(ids []i3.ID, now Tick, m *Matches) {
	m.Reset()
	var probes [batch]probe
	for len(ids) > 0 {
		n := min(len(ids), batch)
		for i := range n {
			probes[i] = t.probeFor(wordsOf(&ids[i]))
		}
		t.touch(probes[:n])
		for i := range n {
			before := len(m.Targets)
			var suffix uint64
			suffix, m.Targets = t.match(wordsOf(&ids[i]), probes[i], now, m.Targets)
			var winner i3.ID
			if len(m.Targets) > before {
				winner = ids[i].WithSuffix(suffix)
			}
			m.Matched = append(m.Matched, winner)
			m.Off = append(m.Off, uint32(len(m.Targets)))
		}
		ids = ids[n:]
	}
}

// RefreshBatch sets the expiry of every trigger of a batch that is stored, live
// or expired, and appends to missing the positions in the batch of those that
// are not: their owners have to insert them again. A trigger whose expire is
// not after now is left alone and reported, too. It allocates only if missing
// is too short.
func (t *Table) RefreshBatch(rs []Refresh, now Tick, missing []int) []int {
	var probes [batch]probe
	for base := 0; base < len(rs); base += batch {
		part := rs[base:min(base+batch, len(rs))]
		for i := range part {
			probes[i] = t.probeFor(wordsOf(&part[i].ID))
		}
		t.touch(probes[:len(part)])
		for i := range part {
			r := &part[i]
			c, pos, _ := t.exact(wordsOf(&r.ID), probes[i])
			if c == nil || r.Expire <= now || !t.refresh(c, pos, r.Target, r.Expire) {
				missing = append(missing, base+i)
			}
		}
	}
	return missing
}

// touch moves every probe to the first slot that is empty or has its tag, and
// reads the cell or trie root there. The loads of each loop do not depend on
// each other, so the processor has as many misses under way as it can, which
// the branches of match would prevent.
//
// It is not inlined because the compiler would then see that nobody uses the
// result and drop the loads.
//
//go:noinline
func (t *Table) touch(probes []probe) (sum uint32) {
	var slots [batch]slot
	for i, p := range probes {
		slots[i] = t.index.slots[p.pos]
	}
	for i, p := range probes {
		s := slots[i]
		for s != 0 && s.tag() != p.tag {
			p.pos = t.index.next(p.pos)
			s = t.index.slots[p.pos]
		}
		probes[i].pos = p.pos
		slots[i] = s
	}
	for i := range probes {
		if r := slots[i].ref(); r.isNode() {
			sum += t.trie.nodes.items[r.index()].bit
		} else {
			sum += t.cells.items[r].n
		}
	}
	return sum
}
