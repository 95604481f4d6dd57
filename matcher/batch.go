package matcher

import (
	"bytes"
	"runtime"
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

	// Who is in a group.
	descents int
	descent  [asm.MaxBatch]descent
	few      int // groups of few
	fewWho   [asm.MaxBatch]uint8
	fewGroup [asm.MaxBatch]*asm.Members
	found    [asm.MaxBatch]uint64 // the suffix, then the branch of the winner
	member   [asm.MaxBatch]number // of the identifier's group, the winner; 0 for none
	seen     [asm.MaxBatch]uint64 // word Meta of its home
}

// A descent is the search for the winner in a trie.
type descent struct {
	branch uint64 // where it is
	who    uint8
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
		t.matchIn(t.view.Load(), ids[:n], now, m)
		ids = ids[n:]
	}
	runtime.KeepAlive(t) // and with it the memory that was read
}

// matchOne adds the result for one identifier.
func (m *Matches) matchOne(t *Table, id *i3.ID, hash uint64, now Tick) {
	var winner i3.ID
	winner, m.Targets = t.match(id, hash, now, m.Targets)
	m.Matched = append(m.Matched, winner)
	m.Off = append(m.Off, uint32(len(m.Targets)))
}

// matchIn matches at most asm.MaxBatch identifiers with the arrays of a view.
func (t *Table) matchIn(v *view, ids []i3.ID, now Tick, m *Matches) {
	m.find(t, v, ids, now)
	m.take(t, v, now)
	m.batch.IDs, m.batch.Winners = nil, nil
}

// find looks for the answers to a batch. Those that a writer was in the way of, or that are in a group, are to be taken
// one by one.
func (m *Matches) find(t *Table, v *view, ids []i3.ID, now Tick) {
	b := m.batch
	before, room := len(m.Matched), asm.Room(len(ids))
	m.Matched = slices.Grow(m.Matched, room)[:before+room]
	b.IDs, b.Winners = ids, m.Matched[before:]
	m.Matched = m.Matched[:before+len(ids)]
	hashes := b.hashes[:len(ids)]
	asm.Hash(hashes, ids, &t.key)
	if s := unpackShape(t.shape.Load()); s.Homes() <= len(v.homes) {
		asm.Locate(b.Places[:len(ids)], hashes, v.homes, s)
		asm.Match(&b.Batch, v.homes, v.cells, uint32(now))
		for range longChain {
			asm.Follow(&b.Batch, v.homes, v.cells, uint32(now))
		}
		b.descend(v, now)
	}
	if t.stale(v) { // as it is if the shape was newer, too: one by one
		for i := range ids {
			b.Answers[i], b.member[i] = asm.Ask, 0
		}
	}
}

// take adds the results of a batch whose answers are there; the winners are already.
func (m *Matches) take(t *Table, v *view, now Tick) {
	b, before := m.batch, len(m.Off)
	for i := 0; i < len(b.IDs); {
		m.Targets, m.Off = asm.Take(m.Targets, m.Off, &b.Batch, i)
		for i = len(m.Off) - before; i < len(b.IDs) && b.Answers[i] == asm.Ask; i++ {
			if w := b.member[i]; w == 0 || !m.matchMember(t, v, i, w, now) {
				b.Winners[i], m.Targets = t.match(&b.IDs[i], b.hashes[i], now, m.Targets)
			}
			m.Off = append(m.Off, uint32(len(m.Targets)))
		}
	}
}

// descend looks for the winners of those identifiers that are in groups, all of them a
// node at a time, so that their misses overlap.
func (b *scratch) descend(v *view, now Tick) {
	b.begin(v)
	found := b.found[:b.few]
	asm.Nearest(found, b.fewGroup[:b.few], found, uint32(now))
	for k, branch := range found {
		b.arrive(v, b.fewWho[k], refOf(branch))
	}
	for b.descents > 0 {
		left := 0
		for k := range b.descents {
			d := b.descent[k]
			r := refOf(d.branch)
			if !r.isNode() {
				b.arrive(v, d.who, r)
				continue
			}
			d.branch = v.step(r, false, b.IDs[d.who].Suffix(), now)
			v.ask(refOf(d.branch))
			b.descent[left] = d
			left++
		}
		b.descents = left
	}
}

// arrive notes the winner of an identifier's group, and asks for it.
func (b *scratch) arrive(v *view, who uint8, r ref) {
	if !r.isNode() && int(r) < len(v.cells) {
		b.member[who] = number(r)
		asm.Prefetch(unsafe.Pointer(&v.cells[r]), asm.LineBytes)
	}
}

// ask asks for a node, and reports whether there is one.
func (v *view) ask(r ref) bool {
	if !r.isNode() || int(r.number()) >= len(v.nodes) {
		return false
	}
	asm.Prefetch(unsafe.Pointer(&v.nodes[r.number()]), int(unsafe.Sizeof(node{})))
	return true
}

// begin finds out who is in a group.
func (b *scratch) begin(v *view) {
	b.descents, b.few = 0, 0
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
		if n, _ := v.search(home, meta, &b.IDs[i], place); n != 0 {
			b.seen[i] = meta
			b.enter(v, uint8(i), v.at(n))
		}
	}
}

// enter notes an identifier whose exact words a cell has, if that is a group.
func (b *scratch) enter(v *view, who uint8, c *asm.Cell) {
	state, _ := kindOf(asm.Load(&c[asm.Meta]))
	if state < asm.Group {
		return
	}
	root := asm.Load(&c[3])
	switch r := refOf(root); {
	case !v.ask(r):
	case state == asm.Few:
		b.fewWho[b.few], b.fewGroup[b.few] = who, v.nodes[r.number()].members()
		b.found[b.few] = b.IDs[who].Suffix()
		b.few++
	default:
		b.descent[b.descents] = descent{root, who}
		b.descents++
	}
}

// matchMember adds the targets for an identifier whose group's winner is known, unless a
// writer came in between. It adds nothing then.
func (m *Matches) matchMember(t *Table, v *view, i int, n number, now Tick) bool {
	b, before := m.batch, len(m.Targets)
	suffix, targets, ok := v.emitList(&v.cells[n], now, m.Targets)
	if !ok || len(targets) == before || asm.Load(&v.homes[b.Places[i].Home()][asm.Meta]) != b.seen[i] || t.stale(v) {
		return false
	}
	m.Targets, b.Winners[i] = targets, b.IDs[i].WithSuffix(suffix)
	return true
}
