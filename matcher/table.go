package matcher

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"i3bench/asm"
	"i3bench/i3"
)

// A Table holds the triggers of one shard of a node. Create it with [New]. Any
// number of goroutines may use it at once: [Table.Match] and [Table.MatchBatch] take no lock, all
// others wait for each other.
type Table struct {
	// What a look-up needs comes first.
	view  atomic.Pointer[view]
	shape atomic.Uint64 // an asm.Shape: the level above, the split below 32 bits
	key   asm.Key

	lock    lock // of all that follows
	v       *view
	memory  *memory
	cells   pool
	nodes   pool
	lists   lists
	vacant  []uint64 // a bit for each home, 64 to a page: nobody is in its line, and it is in one region with the pool
	tops    int      // cells in homes and behind them: one for each prefix
	entries atomic.Int64
	cfg     Config
	expiry  expiry
	work    *scratch   // of batches that write
	moving  []asm.Cell // scratch of a split
}

const (
	minLevel = 3
	minHomes = 1 << minLevel
)

// The number of prefixes for each home beyond which one is split. With more of them
// more are not at home, and with fewer there are more bytes for each. So a table is
// roomy, with 129 bytes for each (142 on the heap), until it has 128 MiB of homes, and goes
// on with 108.
const (
	roomyLoad  = 0.5
	roomyHomes = 1 << 21
	maxLoad    = 0.6
)

// crowded reports whether so many prefixes are too many for so many homes.
func crowded(prefixes, homes int) bool {
	load := float64(prefixes) / float64(homes)
	return load > maxLoad || load > roomyLoad && homes < roomyHomes
}

const forever Tick = math.MaxUint32

// New returns an empty table, or an error if a field of cfg is out of range.
func New(cfg Config) (*Table, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	t := &Table{
		cfg:    cfg,
		key:    asm.NewKey(binary.LittleEndian.Uint64(cfg.Seed[0:]), binary.LittleEndian.Uint64(cfg.Seed[8:])),
		memory: &memory{},
		cells:  pool{end: 1},
		nodes:  pool{end: 1},
		lists:  lists{end: 1},
	}
	t.show(view{homes: make([]asm.Cell, minHomes), first: apart})
	for i := range t.v.homes {
		t.v.homes[i][asm.Meta] = minLevel << asm.DepthShift
	}
	t.shape.Store(minLevel << 32)
	t.expiry.init()
	runtime.AddCleanup(t, (*memory).release, t.memory)
	return t, nil
}

// Kernel names the implementation that runs, see package asm.
func (t *Table) Kernel() string { return asm.Kernel() }

// Len returns the number of triggers stored, expired ones that were not
// reclaimed included.
func (t *Table) Len() int { return int(t.entries.Load()) }

// shaped returns the number of homes as it is now.
func (t *Table) shaped() asm.Shape { return unpackShape(t.shape.Load()) }

func unpackShape(w uint64) asm.Shape { return asm.Shape{Level: uint8(w >> 32), Split: uint32(w)} }
func packShape(s asm.Shape) uint64   { return uint64(s.Level)<<32 | uint64(s.Split) }

// A found is where an identifier is, or belongs.
type found struct {
	hash uint64
	home *asm.Cell
	top  number // the cell in the home or behind it that has the exact words, or 0
	prev number // the cell that top is behind; 0 if top is the home
	cell number // the cell with exactly this identifier: top or a member of its group, or 0
}

// find looks for an identifier. Only writers call it.
func (t *Table) find(id *i3.ID, hash uint64) found {
	place := t.shaped().Place(hash)
	f := found{hash: hash, home: &t.v.homes[place.Home()]}
	if t.findTop(&f, id, place); f.top == 0 {
		return f
	}
	c := t.at(f.top)
	switch stateOf(c) {
	case asm.Few:
		f.cell = t.fewOf(c).memberOfFew(id.Suffix())
	case asm.Group:
		f.cell = t.member(c[3], id.Suffix())
	default:
		if c[3] == id.Suffix() {
			f.cell = f.top
		}
	}
	return f
}

// findTop looks for the cell with the exact words of an identifier.
func (t *Table) findTop(f *found, id *i3.ID, place asm.Place) {
	meta := f.home[asm.Meta]
	if state, _ := kindOf(meta); state == asm.Empty {
		return
	}
	if exactly(f.home, id) {
		f.top = t.v.first + number(place.Home())
		return
	}
	if nobodyBehind(meta, place) {
		return
	}
	prev, n := t.v.first+number(place.Home()), nextOf(f.home)
	if second := directly(f.home, meta, place); second != 0 && exactly(&t.v.cells[second], id) {
		prev, n = n, second
	}
	for n != 0 {
		c := &t.v.cells[n]
		if exactly(c, id) {
			f.top, f.prev = n, prev
			return
		}
		prev, n = n, nextOf(c)
	}
}

// isMember reports whether the cell found is a member of a group.
func (f *found) isMember() bool { return f.cell != f.top }

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
	hash := asm.HashOne(&id, &t.key)
	t.lock.acquire()
	t.approachNotes(uint32(t.shaped().Place(hash).Home()))
	o, reason := t.insert(&id, hash, tg, now, expire)
	t.lock.release()
	if reason != nil {
		return 0, &InsertError{id, now, expire, reason}
	}
	return o, nil
}

func (t *Table) insert(id *i3.ID, hash uint64, tg Target, now, expire Tick) (Outcome, error) {
	if expire <= now {
		return 0, ErrExpired
	}
	nodes := t.room()
	f := t.find(id, hash)
	if f.cell != 0 {
		c := t.at(f.cell)
		if i := search(t.list(c), tg); i >= 0 {
			t.renew(&f, i, expire)
			return Refreshed, nil
		}
		if countOf(c) >= t.cfg.MaxPerID {
			if !t.reclaim(&f, now) {
				return 0, ErrPerID
			}
			f = t.find(id, hash) // it may have gone with its last trigger
		}
	}
	if t.Len() >= t.cfg.MaxTriggers || f.top != 0 && f.cell == 0 && !nodes {
		return 0, ErrFull
	}
	t.entries.Add(1)
	switch tr := makeTrigger(tg, expire); {
	case f.cell != 0:
		t.addTrigger(&f, tr)
	case f.top != 0:
		t.addMember(&f, id, tr)
	default:
		t.addTop(&f, id, tr)
	}
	return Added, nil
}

// renew sets the expiry of a trigger.
func (t *Table) renew(f *found, i int, expire Tick) {
	c := t.at(f.cell)
	tr := &t.list(c)[i]
	before := expiryOf(*tr)
	if renewed := makeTrigger(targetOf(*tr), expire); !f.isMember() {
		atomic.StoreUint64(tr, renewed) // readers see the one or the other
	} else {
		open(f.home)
		set(tr, renewed)
		t.changed(f)
		shut(f.home)
	}
	if expire < before {
		t.due(f.cell, expire)
	}
}

// changed tells the group, if there is one, the latest expiry of a member.
func (t *Table) changed(f *found) {
	if f.isMember() {
		c := t.at(f.cell)
		t.update(t.at(f.top), c[3], latest(t.list(c)))
	}
}

// addTrigger adds a trigger to the list of an identifier.
func (t *Table) addTrigger(f *found, tr uint64) {
	open(f.home)
	c := t.at(f.cell)
	n := countOf(c)
	t.resize(c, n+1)
	set(&t.list(c)[n], tr)
	t.retellIf(f.cell, n, n+1)
	t.changed(f)
	shut(f.home)
	t.due(f.cell, expiryOf(tr))
}

// write makes c hold an identifier with one trigger.
func write(c *asm.Cell, id *i3.ID, tr uint64) {
	exact0, exact1, exact2, suffix := id.Words()
	set(&c[0], exact0)
	set(&c[1], exact1)
	set(&c[2], exact2)
	set(&c[3], suffix)
	set(&c[asm.First], tr)
	setKind(c, asm.Single, 1)
}

// addTop adds an identifier whose exact words no other has.
func (t *Table) addTop(f *found, id *i3.ID, tr uint64) {
	open(f.home)
	n := t.settleIn(f.home, f.hash)
	write(t.at(n), id, tr)
	t.settled(n)
	shut(f.home)
	t.due(n, expiryOf(tr))
	t.tops++
	for crowded(t.tops, t.shaped().Homes()) {
		t.split()
	}
}

// addMember adds an identifier whose exact words others have.
func (t *Table) addMember(f *found, id *i3.ID, tr uint64) {
	open(f.home)
	top := t.at(f.top)
	if stateOf(top) == asm.Single { // until now it was alone
		n := t.newCell()
		c := &t.v.cells[n]
		set(&c[asm.Links], 0)
		copyEntry(c, top)
		before := countOf(top)
		t.makeFew(top, n)
		t.retellIf(f.top, before, 0)
		t.due(n, soonest(t.list(c)))
	}
	n := t.newCell()
	c := &t.v.cells[n]
	set(&c[asm.Links], 0)
	write(c, id, tr)
	t.join(top, id.Suffix(), n, expiryOf(tr))
	shut(f.home)
	t.due(n, expiryOf(tr))
}

// reclaim drops the expired triggers of an identifier and reports whether there
// were any.
func (t *Table) reclaim(f *found, now Tick) bool {
	id, before := idOf(t.at(f.cell)), t.Len()
	for i := 0; i < countOf(t.at(f.cell)); {
		tr := t.list(t.at(f.cell))[i]
		if expiryOf(tr) > now {
			i++
			continue
		}
		last := countOf(t.at(f.cell)) == 1
		t.drop(f, i)
		if t.cfg.Reclaimed != nil {
			t.cfg.Reclaimed(id, targetOf(tr))
		}
		if last {
			break
		}
	}
	return t.Len() < before
}

// drop removes trigger i of the identifier found, and the identifier with its last.
func (t *Table) drop(f *found, i int) {
	t.entries.Add(-1)
	open(f.home)
	c := t.at(f.cell)
	list := t.list(c)
	if len(list) == 1 {
		if f.isMember() {
			t.dropMember(f)
		} else {
			t.dropTop(f)
		}
		shut(f.home)
		return
	}
	for k := i; k < len(list)-1; k++ {
		set(&list[k], list[k+1])
	}
	t.resize(c, len(list)-1)
	t.retellIf(f.cell, len(list), len(list)-1)
	t.changed(f)
	shut(f.home)
}

// dropMember takes a member out of its group, and makes the last one that is left the
// only identifier of the cell.
func (t *Table) dropMember(f *found) {
	top, c := t.at(f.top), t.at(f.cell)
	t.leave(top, c[3])
	t.putCell(f.cell)
	rest := refOf(top[3])
	if rest.isNode() {
		return
	}
	copyEntry(top, &t.v.cells[rest])
	if t.isHome(f.top) {
		t.retell(top)
	}
	t.putCell(number(rest))
	t.due(f.top, soonest(t.list(top)))
}

// Remove removes a trigger and reports whether it was stored, live or expired.
func (t *Table) Remove(id i3.ID, tg Target) (removed bool) {
	hash := asm.HashOne(&id, &t.key)
	t.lock.acquire()
	f := t.find(&id, hash)
	if f.cell != 0 {
		if i := search(t.list(t.at(f.cell)), tg); i >= 0 {
			t.drop(&f, i)
			removed = true
		}
	}
	t.lock.release()
	return removed
}

// Count returns the number of live triggers of exactly this identifier.
func (t *Table) Count(id i3.ID, now Tick) (n int) {
	hash := asm.HashOne(&id, &t.key)
	t.lock.acquire()
	if f := t.find(&id, hash); f.cell != 0 {
		for _, tr := range t.list(t.at(f.cell)) {
			if expiryOf(tr) > now {
				n++
			}
		}
	}
	t.lock.release()
	return n
}

// Stored appends to dst the targets of all triggers of exactly this identifier,
// live or expired, in the order of their insertion. It allocates only if dst is
// too short.
func (t *Table) Stored(id i3.ID, dst []Target) []Target {
	hash := asm.HashOne(&id, &t.key)
	t.lock.acquire()
	if f := t.find(&id, hash); f.cell != 0 {
		for _, tr := range t.list(t.at(f.cell)) {
			dst = append(dst, targetOf(tr))
		}
	}
	t.lock.release()
	return dst
}

// Close gives the memory of the table back. Nobody may use the table any more. A
// table that is not closed gives it back when the garbage collector finds it.
func (t *Table) Close() error {
	t.lock.acquire()
	t.memory.release()
	t.lock.release()
	return nil
}

// String describes the table without its secret, which no log may show.
func (t *Table) String() string {
	return fmt.Sprintf("matcher.Table(%s, %d of %d triggers)", t.Kernel(), t.Len(), t.cfg.MaxTriggers)
}
