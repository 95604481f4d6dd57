package matcher

import (
	"bytes"
	"slices"
	"unsafe"

	"i3bench/asm"
	"i3bench/i3"
)

// fewIDs is the size of a batch that is not worth one: its misses do not overlap, nor
// does it need the memory.
const fewIDs = 4

// longChain is how many cells behind a home are looked at in step; who is not among them is looked up alone.
const longChain = 4

// A scratch is what a batch needs.
type scratch struct {
	asm.Batch
	hashes [asm.MaxBatch]uint64
	ids    []i3.ID // of those that are written

	// Who is in a group: descents of them.
	descents int
	descent  [asm.MaxBatch]descent
	member   [asm.MaxBatch]number // of the identifier's group, the winner; 0 for none
	seen     [asm.MaxBatch]uint64 // word Meta of its home
}

// A descent is the search for the winner in a group.
type descent struct {
	branch uint64 // where it is
	who    uint8
	few    bool
}

// MatchBatch does [Table.Match] for every identifier of a batch and leaves the
// results in m. The batch may be of any length and must not share memory with
// m. It allocates only until m has grown to what the batches need.
func (t *Table) MatchBatch(ids []i3.ID, now Tick, m *Matches) {
	m.Reset()
	if len(ids) < fewIDs {
		for i := range ids {
			m.matchOne(t, &ids[i], asm.HashOne(&ids[i], &t.key), now)
		}
		return
	}
	if m.batch == nil {
		m.batch = new(scratch)
	}
	for len(ids) > 0 {
		n := min(len(ids), asm.MaxBatch)
		t.matchSome(ids[:n], now, m)
		ids = ids[n:]
	}
}

// matchOne adds the result for one identifier.
func (m *Matches) matchOne(t *Table, id *i3.ID, hash uint64, now Tick) {
	var winner i3.ID
	winner, m.Targets = t.match(id, hash, now, m.Targets)
	m.Matched = append(m.Matched, winner)
	m.Off = append(m.Off, uint32(len(m.Targets)))
}

// matchSome matches at most asm.MaxBatch identifiers.
func (t *Table) matchSome(ids []i3.ID, now Tick, m *Matches) {
	b := m.batch
	before, room := len(m.Matched), asm.Room(len(ids))
	m.Matched = slices.Grow(m.Matched, room)[:before+room]
	b.IDs, b.Winners = ids, m.Matched[before:]
	m.Matched = m.Matched[:before+len(ids)]
	hashes := b.hashes[:len(ids)]
	asm.Hash(hashes, ids, &t.key)
	v := t.view.Load()
	if s := unpackShape(t.shape.Load()); s.Homes() <= len(v.homes) {
		asm.Locate(b.Places[:len(ids)], hashes, v.homes, s)
		asm.Match(&b.Batch, v.homes, v.cells, uint32(now))
		for range longChain {
			asm.Follow(&b.Batch, v.homes, v.cells, uint32(now))
		}
		b.descend(v, now)
	} else { // a newer shape than the view: one by one
		for i := range ids {
			b.Answers[i], b.member[i] = asm.Ask, 0
		}
	}
	m.take(t, v, hashes, now)
	b.IDs, b.Winners = nil, nil
}

// take adds the results of a batch whose answers are there; the winners are already.
// Hits and misses come in no order that a processor could guess, so there is no
// branch for these.
func (m *Matches) take(t *Table, v *view, hashes []uint64, now Tick) {
	b, n := m.batch, len(m.batch.IDs)
	k := len(m.Targets)
	targets := slices.Grow(m.Targets, n)[:k+n]
	off := slices.Grow(m.Off, n)[:len(m.Off)+n]
	m.Off, off = off, off[len(m.Off):]
	for i, answer := range b.Answers[:n] {
		if answer == asm.Ask {
			m.Targets = targets[:k]
			if w := b.member[i]; w == 0 || !m.matchMember(v, i, w, now) {
				b.Winners[i], m.Targets = t.match(&b.IDs[i], hashes[i], now, m.Targets)
			}
			k = len(m.Targets)
			targets = slices.Grow(m.Targets, n-i)[:k+n-i]
		} else {
			targets[k] = Target(b.Targets[i])
			k += int(answer)
		}
		off[i] = uint32(k)
	}
	m.Targets = targets[:k]
}

// descend looks for the winners of those identifiers that are in groups, all of them a
// node at a time, so that their misses overlap.
func (b *scratch) descend(v *view, now Tick) {
	b.begin(v)
	for b.descents > 0 {
		left := 0
		for k := range b.descents {
			d := b.descent[k]
			r := refOf(d.branch)
			if !r.isNode() {
				if int(r) < len(v.cells) {
					b.member[d.who] = number(r)
					asm.Prefetch(unsafe.Pointer(&v.cells[r]), asm.LineBytes)
				}
				continue
			}
			d.branch = v.step(r, d.few, b.IDs[d.who].Suffix(), now)
			if next := refOf(d.branch); next.isNode() && int(next.number()) < len(v.nodes) {
				asm.Prefetch(unsafe.Pointer(&v.nodes[next.number()]), int(unsafe.Sizeof(node{})))
			}
			b.descent[left] = d
			left++
		}
		b.descents = left
	}
}

// begin finds out who is in a group.
func (b *scratch) begin(v *view) {
	b.descents = 0
	answers := b.Answers[:len(b.IDs)]
	for i := -1; ; {
		more := bytes.IndexByte(answers[i+1:], asm.Ask)
		if more < 0 {
			return
		}
		i += 1 + more
		b.member[i] = 0
		place := b.Places[i]
		home := &v.homes[place.Home()]
		meta := asm.Load(&home[asm.Meta])
		if meta&asm.Odd != 0 || (meta^uint64(place))>>asm.DepthShift&0xff != 0 {
			continue
		}
		n, _ := v.search(home, meta, &b.IDs[i], place)
		if n == 0 {
			continue
		}
		c := v.at(n)
		if state, _ := kindOf(asm.Load(&c[asm.Meta])); state >= asm.Group {
			root := asm.Load(&c[3])
			b.seen[i] = meta
			b.descent[b.descents] = descent{root, uint8(i), state == asm.Few}
			b.descents++
			if r := refOf(root); r.isNode() && int(r.number()) < len(v.nodes) {
				asm.Prefetch(unsafe.Pointer(&v.nodes[r.number()]), int(unsafe.Sizeof(node{})))
			}
		}
	}
}

// matchMember adds the targets for an identifier whose group's winner is known, unless a
// writer came in between.
func (m *Matches) matchMember(v *view, i int, n number, now Tick) bool {
	b, before := m.batch, len(m.Targets)
	suffix, targets, ok := v.emitList(&v.cells[n], now, m.Targets)
	if !ok || len(targets) == before || asm.Load(&v.homes[b.Places[i].Home()][asm.Meta]) != b.seen[i] {
		return false
	}
	m.Targets, b.Winners[i] = targets, b.IDs[i].WithSuffix(suffix)
	return true
}
