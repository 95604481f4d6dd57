package matcher

import (
	"runtime"
	"unsafe"

	"i3bench/asm"
	"i3bench/i3"
)

// Match appends to dst the live targets of the identifier that wins id, in the
// order of their insertion, and returns the winner and the extended slice. If
// nothing matches, dst comes back unchanged with the zero identifier. It
// allocates only if dst is too short.
func (t *Table) Match(id i3.ID, now Tick, dst []Target) (winner i3.ID, targets []Target) {
	return t.match(&id, asm.HashOne(&id, &t.key), now, dst)
}

// match is Match for an identifier whose hash is known.
func (t *Table) match(id *i3.ID, hash uint64, now Tick, dst []Target) (winner i3.ID, targets []Target) {
	for tries := 0; ; tries++ {
		suffix, targets, ok := t.try(id, hash, now, dst)
		if ok {
			if len(targets) > len(dst) {
				winner = id.WithSuffix(suffix)
			}
			return winner, targets
		}
		if tries > 8 {
			runtime.Gosched() // the writer may wait for this processor
		}
	}
}

// try is one attempt of match. It is not ok if a writer came in between.
func (t *Table) try(id *i3.ID, hash uint64, now Tick, dst []Target) (suffix uint64, targets []Target, ok bool) {
	v := t.view.Load()
	place := unpackShape(t.shape.Load()).Place(hash)
	if int(place.Home()) >= len(v.homes) {
		return 0, dst, false // a newer shape than the view
	}
	home := &v.homes[place.Home()]
	meta := asm.Load(&home[asm.Meta])
	if meta&asm.Odd != 0 || (meta^uint64(place))>>asm.DepthShift&0xff != 0 {
		return 0, dst, false
	}
	n, ok := v.search(home, meta, id, place)
	if n == 0 {
		return 0, dst, ok && asm.Load(&home[asm.Meta]) == meta
	}
	suffix, targets, ok = v.emit(v.at(n), id, now, dst)
	return suffix, targets, ok && asm.Load(&home[asm.Meta]) == meta
}

// search returns the cell in a home or behind it that has the exact words of id, or
// 0. It is not ok if it saw what cannot be.
func (v *view) search(home *asm.Cell, meta uint64, id *i3.ID, place asm.Place) (n number, ok bool) {
	if state, _ := kindOf(meta); state == asm.Empty {
		return 0, true
	}
	if holds(home, id) {
		return number(place.Home()) | homeBit, true
	}
	tags := meta ^ uint64(place)
	if tags>>asm.TagAShift&0xff != 0 && tags>>asm.TagBShift != 0 && meta&asm.FollowBit == 0 {
		return 0, true
	}
	for c, hops := home, 1; ; hops++ {
		next := asm.Load(&c[asm.Links]) >> 32
		if next == 0 {
			return 0, true
		}
		if next >= uint64(len(v.cells)) || hops%16 == 0 && asm.Load(&home[asm.Meta]) != meta {
			return 0, false
		}
		if c = &v.cells[next]; holds(c, id) {
			return number(next), true
		}
	}
}

// emit appends the live targets of the winner among the identifiers of a cell.
func (v *view) emit(c *asm.Cell, id *i3.ID, now Tick, dst []Target) (suffix uint64, targets []Target, ok bool) {
	state, count := kindOf(asm.Load(&c[asm.Meta]))
	if state == asm.Group {
		n := v.winner(asm.Load(&c[3]), id.Suffix(), now)
		if n == 0 || int(n) >= len(v.cells) {
			return 0, dst, true
		}
		c = &v.cells[n]
		_, count = kindOf(asm.Load(&c[asm.Meta]))
	}
	suffix = asm.Load(&c[3])
	list := c[asm.First:]
	if count == elsewhere {
		run, n := uint32(asm.Load(&c[asm.Links])), asm.Load(&c[asm.First])
		if n > MaxMaxPerID || uint64(run)*lineLen+n > uint64(len(v.lines)) {
			return 0, dst, false
		}
		list, count = v.lines[int(run)*lineLen:], n
	}
	for i := range count {
		if tr := asm.Load(&list[i]); expiryOf(tr) > now {
			dst = append(dst, targetOf(tr))
		}
	}
	return suffix, dst, true
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

// fewIDs is the size of a batch that is not worth one: its misses do not overlap, nor
// does it need the memory.
const fewIDs = 4

// A scratch is what a batch needs.
type scratch struct {
	asm.Batch
	hashes [asm.MaxBatch]uint64
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
	b.IDs = ids
	hashes := b.hashes[:len(ids)]
	asm.Hash(hashes, ids, &t.key)
	v := t.view.Load()
	if s := unpackShape(t.shape.Load()); s.Homes() <= len(v.homes) {
		asm.Locate(b.Places[:len(ids)], hashes, v.homes, s)
		asm.Match(&b.Batch, v.homes, v.cells, uint32(now))
		asm.Follow(&b.Batch, v.homes, v.cells, uint32(now))
	} else { // a newer shape than the view: one by one
		clear(b.Winners[:len(ids)])
		for i := range ids {
			b.Answers[i] = asm.Ask
		}
	}
	for i := range ids {
		switch b.Answers[i] {
		case asm.One:
			m.Targets = append(m.Targets, Target(b.Targets[i]))
			m.Matched = append(m.Matched, b.Winners[i])
		case asm.Miss:
			m.Matched = append(m.Matched, i3.ID{})
		default:
			m.matchOne(t, &ids[i], hashes[i], now)
			continue
		}
		m.Off = append(m.Off, uint32(len(m.Targets)))
	}
	b.IDs = nil
}

// RefreshBatch sets the expiry of every trigger of a batch that is stored, live
// or expired, and appends to missing the positions in the batch of those that
// are not: their owners have to insert them again. A trigger whose expire is
// not after now is left alone and reported, too. It allocates only if missing
// is too short.
func (t *Table) RefreshBatch(rs []Refresh, now Tick, missing []int) []int {
	for base := 0; base < len(rs); base += asm.MaxBatch {
		part := rs[base:min(base+asm.MaxBatch, len(rs))]
		t.lock.acquire()
		for i, hash := range t.approachAll(part) {
			r := &part[i]
			if r.Expire <= now || !t.refresh(r, hash) {
				missing = append(missing, base+i)
			}
		}
		t.lock.release()
	}
	return missing
}

// refresh sets the expiry of a trigger and reports whether it is stored.
func (t *Table) refresh(r *Refresh, hash uint64) bool {
	f := t.find(&r.ID, hash)
	if f.cell == 0 {
		return false
	}
	i := search(t.list(t.at(f.cell)), r.Target)
	if i < 0 {
		return false
	}
	t.renew(&f, i, r.Expire)
	return true
}

// InsertBatch does [Table.Insert] for every trigger of a batch, in order, and appends to refused
// the positions in the batch of those that were not stored. It allocates only if
// refused is too short.
func (t *Table) InsertBatch(rs []Refresh, now Tick, refused []int) []int {
	for base := 0; base < len(rs); base += asm.MaxBatch {
		part := rs[base:min(base+asm.MaxBatch, len(rs))]
		t.lock.acquire()
		for i, hash := range t.approachAll(part) {
			r := &part[i]
			if _, err := t.insert(&r.ID, hash, r.Target, now, r.Expire); err != nil {
				refused = append(refused, base+i)
			}
		}
		t.lock.release()
	}
	return refused
}

// approachAll hashes the identifiers of at most asm.MaxBatch triggers and asks for the
// memory that finding them will read: their homes, and what stands behind.
func (t *Table) approachAll(rs []Refresh) (hashes []uint64) {
	if t.work == nil {
		t.work = new(scratch)
	}
	hashes = t.work.hashes[:len(rs)]
	ids := t.work.Winners[:len(rs)] // room for them
	for i := range rs {
		ids[i] = rs[i].ID
	}
	asm.Hash(hashes, ids, &t.key)
	places := t.work.Places[:len(rs)]
	asm.Locate(places, hashes, t.v.homes, t.shaped())
	for i := range rs {
		home := &t.v.homes[places[i].Home()]
		if next := nextOf(home); next != 0 && !exactly(home, &ids[i]) {
			asm.Prefetch(unsafe.Pointer(&t.v.cells[next]), asm.LineBytes)
		}
	}
	return hashes
}
