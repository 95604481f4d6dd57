package matcher

import (
	"unsafe"

	"i3bench/asm"
	"i3bench/i3"
)

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
		hashes := t.approachAll(part)
		t.approachRoom(len(part))
		for i, hash := range hashes {
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
	ids := t.work.ids[:0]
	for i := range rs {
		ids = append(ids, rs[i].ID)
	}
	t.work.ids = ids
	asm.Hash(hashes, ids, &t.key)
	places := t.work.Places[:len(rs)]
	asm.Locate(places, hashes, t.v.homes, t.shaped())
	for i := range rs {
		t.approachBehind(&ids[i], places[i])
	}
	return hashes
}

// approachNotes asks for what is noted about a home elsewhere: the tick of its block, and the vacant lines of its page.
func (t *Table) approachNotes(home uint32) {
	if b := int(home / blockCells); b < len(t.expiry.blocks[0]) {
		asm.Prefetch(unsafe.Pointer(&t.expiry.blocks[0][b]), tickBytes)
	}
	if p := int(home / lineCount); p < len(t.vacant) {
		asm.Prefetch(unsafe.Pointer(&t.vacant[p]), 8)
	}
}

// approachBehind asks for the cell behind a home in which an identifier most likely is, and for what is noted about the
// home.
func (t *Table) approachBehind(id *i3.ID, place asm.Place) {
	t.approachNotes(uint32(place.Home()))
	home := &t.v.homes[place.Home()]
	meta := home[asm.Meta]
	if exactly(home, id) || nobodyBehind(meta, place) {
		return
	}
	next := directly(home, meta, place)
	if next == 0 {
		next = nextOf(home)
	}
	if next != 0 {
		asm.Prefetch(unsafe.Pointer(&t.v.cells[next]), asm.LineBytes)
	}
}
