package asm

import (
	"math/rand/v2"
	"slices"
	"testing"

	"i3bench/i3"
)

// A scene is a table and a batch that looks it up.
type scene struct {
	homes, cells []Cell
	batch        *Batch
	now          uint32
}

// identifier makes one of a few identifiers, many of which differ in one word only.
func identifier(r *rand.Rand) i3.ID {
	word := func() uint64 { return []uint64{0, 0, 0, 0, 0, 0, 1, 1 << 63}[r.IntN(8)] }
	key := i3.Key{0: byte(word() >> 56), 7: byte(word()), 8: byte(word() >> 56), 15: byte(word())}
	return i3.NewID(word(), key, r.Uint64())
}

// hostile makes a scene of n identifiers in which every rule of Match is often kept and often broken.
func hostile(r *rand.Rand, n int) *scene {
	s := &scene{
		homes: make([]Cell, 1+r.IntN(40)),
		cells: make([]Cell, r.IntN(12)),
		batch: new(Batch),
		now:   pick(r, 0, 1, 1000, 1<<31, 1<<32-1),
	}
	for _, part := range [][]Cell{s.homes, s.cells} {
		for i := range part {
			part[i] = s.cell(r)
		}
	}
	s.batch.IDs = make([]i3.ID, n)
	for i := range n {
		s.batch.IDs[i] = identifier(r)
		s.batch.Places[i] = Place(uint64(r.IntN(len(s.homes))) | uint64(pick(r, 3, 3, 3, 3, 3, 3, 3, 4))<<DepthShift |
			uint64(tag(r))<<TagAShift | uint64(tag(r))<<TagBShift)
	}
	return s
}

func pick(r *rand.Rand, of ...uint32) uint32 { return of[r.IntN(len(of))] }

func tag(r *rand.Rand) uint8 { return uint8(pick(r, 1, 1, 2, 255)) }

// cell makes a cell with fields that are often right.
func (s *scene) cell(r *rand.Rand) Cell {
	if r.IntN(8) == 0 {
		return Cell{} // what a lane without an identifier would be noted for
	}
	id := identifier(r)
	e := id.Exact()
	meta := uint64(r.Uint32()) &^ uint64(pick(r, 0, 1, 1, 1, 1, 1, 1, 1))
	meta |= uint64(pick(r, Empty, Single, Single, Single, Single, Single, Single, Group, 3)) << StateShift
	meta |= uint64(pick(r, 0, 1, 1, 1, 1, 1, 1, 2, 3)) << CountShift
	meta |= uint64(pick(r, 0, 0, 1))*FollowBit | uint64(pick(r, 0, 1))*DirectBit
	meta |= uint64(pick(r, 0, 0, 1)) << 36 // no field's
	meta |= uint64(pick(r, 3, 3, 3, 3, 3, 3, 4, 255))<<DepthShift | uint64(tag(r))<<TagAShift | uint64(tag(r))<<TagBShift
	trigger := func() uint64 {
		expiry := pick(r, s.now, s.now+1, s.now-1, 0, 1<<32-1, 1<<32-1, r.Uint32())
		return uint64(expiry)<<32 | uint64(r.Uint32())
	}
	next := func() uint32 {
		return pick(r, uint32(len(s.cells)), uint32(max(len(s.cells), 1)-1), 1<<32-1, 1<<31, 0, 0, 1)
	}
	second := trigger()
	if meta&DirectBit != 0 {
		second = uint64(next()) | uint64(next())<<32
	}
	return Cell{e[0], e[1], e[2], id.Suffix(), meta, trigger(), second, uint64(next())<<32 | uint64(r.Uint32())}
}

// batchOf returns a batch of n identifiers, of which some are noted.
func batchOf(n, behind int) *Batch {
	return &Batch{IDs: make([]i3.ID, n), Winners: make([]i3.ID, Room(n)), Behind: behind}
}

// spoiled returns a batch with the same questions and every answer wrong.
func (s *scene) spoiled() *Batch {
	b := batchOf(len(s.batch.IDs), 77)
	b.IDs, b.Places = s.batch.IDs, s.batch.Places
	for i := range b.Winners {
		b.Winners[i] = i3.NewID(9, i3.Key{9}, 9)
	}
	for i := range b.Answers {
		b.Answers[i], b.Targets[i] = 9, 1<<32-1
		b.Who[i], b.Next[i], b.Seen[i] = 99, 1<<32-1, 1
	}
	return b
}

// compare compares what means something in two batches, one of the variant that runs and one of the portable twin.
func compare(tb testing.TB, after string, got, want *Batch) {
	tb.Helper()
	n := len(want.IDs)
	for i := range n {
		if got.Answers[i] != want.Answers[i] || got.Winners[i] != want.Winners[i] {
			tb.Fatalf("asm: %s: %s: identifier %d of %d is answered %d with winner %v, want %d with %v",
				Kernel(), after, i, n, got.Answers[i], got.Winners[i], want.Answers[i], want.Winners[i])
		}
		if want.Answers[i] == One && got.Targets[i] != want.Targets[i] {
			tb.Fatalf("asm: %s: %s: identifier %d of %d has target %d, want %d",
				Kernel(), after, i, n, got.Targets[i], want.Targets[i])
		}
	}
	k := want.Behind
	if got.Behind != k || !slices.Equal(got.Who[:k], want.Who[:k]) || !slices.Equal(got.Next[:k], want.Next[:k]) ||
		!slices.Equal(got.Seen[:k], want.Seen[:k]) {
		tb.Fatalf("asm: %s: %s: of %d noted %d: who %d, next %d, seen %x; want %d: %d, %d, %x", Kernel(), after, n,
			got.Behind, got.Who[:k], got.Next[:k], got.Seen[:k], k, want.Who[:k], want.Next[:k], want.Seen[:k])
	}
}

// check looks a scene up with the variant that runs and with the portable twin, and compares.
func (s *scene) check(tb testing.TB) (answers [3]int, noted int) {
	tb.Helper()
	got, want := s.spoiled(), s.spoiled()
	places := got.Places
	Match(got, s.homes, s.cells, s.now)
	want.Behind = 0
	matchPortable(want, s.homes, s.cells, s.now)
	compare(tb, "Match", got, want)
	noted = want.Behind
	for range 3 {
		Follow(got, s.homes, s.cells, s.now)
		if want.Behind > 0 {
			followPortable(want, s.homes, s.cells, s.now)
		}
		compare(tb, "Follow", got, want)
	}
	if got.Places != places || &got.IDs[:1][0] != &want.IDs[:1][0] {
		tb.Fatalf("asm: %s: the questions have changed", Kernel())
	}
	for _, a := range want.Answers[:len(want.IDs)] {
		answers[a]++
	}
	return answers, noted
}
