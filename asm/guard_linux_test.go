package asm

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"i3bench/i3"
)

// fenced returns n values with memory that nobody may touch right behind them, or right before.
func fenced[T any](tb testing.TB, n int, behind bool) []T {
	tb.Helper()
	var v T
	size := n * int(unsafe.Sizeof(v))
	page := unix.Getpagesize()
	room := (size + page - 1) / page * page
	memory, err := unix.Mmap(-1, 0, room+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := unix.Munmap(memory); err != nil {
			tb.Error(err)
		}
	})
	for _, fence := range [][]byte{memory[:page], memory[page+room:]} {
		if err := unix.Mprotect(fence, unix.PROT_NONE); err != nil {
			tb.Fatal(err)
		}
	}
	inside := memory[page : page+room]
	if behind {
		inside = inside[room-size:]
	}
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&inside[0])), n)
}

// TestGuardPages gives each kernel memory that ends or begins where none may be touched: an access beyond it ends the
// program.
func TestGuardPages(t *testing.T) {
	const seed = 4
	eachVariant(t, func(tb testing.TB) {
		r := rand.New(rand.NewPCG(seed, 0))
		for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 31, 32, 33, 100, 254, 255, 256} {
			for _, behind := range []bool{true, false} {
				guardHash(tb, r, n, behind)
				guardMatch(tb, r, n, behind)
				guardTake(tb, r, n, behind)
			}
		}
	})
}

func guardHash(tb testing.TB, r *rand.Rand, n int, behind bool) {
	tb.Helper()
	key := &fenced[Key](tb, 1, behind)[0]
	*key = NewKey(r.Uint64(), r.Uint64())
	ids, dst, places := fenced[i3.ID](tb, n, behind), fenced[uint64](tb, n, behind), fenced[Place](tb, n, behind)
	copy(ids, randomIDs(r, n))
	Hash(dst, ids, key)
	shape := Shape{Level: 2, Split: 1}
	homes := fenced[Cell](tb, shape.Homes(), behind)
	Locate(places, dst, homes, shape)
	for i := range n {
		if h := HashOne(&ids[i], key); dst[i] != h || places[i] != shape.Place(h) {
			tb.Fatalf("asm: %s: %d of %d at the end of memory: %#x at %#x, want %#x at %#x",
				Kernel(), i, n, dst[i], places[i], h, shape.Place(h))
		}
	}
	Prefetch(unsafe.Pointer(&ids[0]), n*i3.IDSize)
}

func guardMatch(tb testing.TB, r *rand.Rand, n int, behind bool) {
	tb.Helper()
	s := hostile(r, n)
	homes, cells, ids := fenced[Cell](tb, len(s.homes), behind), fenced[Cell](tb, len(s.cells), behind),
		fenced[i3.ID](tb, n, behind)
	copy(homes, s.homes)
	copy(cells, s.cells)
	copy(ids, s.batch.IDs)
	got, want := &fenced[Batch](tb, 1, behind)[0], s.spoiled()
	*got = *want
	got.IDs, got.Winners = ids, fenced[i3.ID](tb, Room(n), behind)
	copy(got.Winners, want.Winners)
	want.Behind = 0
	matchPortable(want, s.homes, s.cells, s.now)
	Match(got, homes, cells, s.now)
	compare(tb, "Match at the end of memory", got, want)
	followPortable(want, s.homes, s.cells, s.now)
	Follow(got, homes, cells, s.now)
	compare(tb, "Follow at the end of memory", got, want)
}

func guardTake(tb testing.TB, r *rand.Rand, n int, behind bool) {
	tb.Helper()
	b := &fenced[Batch](tb, 1, behind)[0]
	targets, off := fenced[uint32](tb, MaxBatch, behind), fenced[uint32](tb, MaxBatch, behind)
	for _, ask := range []int{0, 20} {
		*b = *answered(r, n, 200, ask)
		for from := range n {
			room := (n - from + takes - 1) / takes * takes
			at := 0
			if behind {
				at = MaxBatch - room
			}
			gotTargets, gotOff := Take(targets[at:at:at+room], off[at:at:at+room], b, from)
			wantTargets, wantOff := slowTake(nil, nil, b, from)
			if !slices.Equal(gotTargets, wantTargets) || !slices.Equal(gotOff, wantOff) {
				tb.Fatalf("asm: %s: Take from %d of %d at the end of memory gave targets %d and off %d, want %d and %d",
					Kernel(), from, n, gotTargets, gotOff, wantTargets, wantOff)
			}
		}
	}
}

// TestWildNumbers gives Match and Follow places and cells that are not there. The portable code panics; assembly must
// stay inside the table.
func TestWildNumbers(t *testing.T) {
	eachVariant(t, func(tb testing.TB) {
		homes, cells := fenced[Cell](tb, 3, true), fenced[Cell](tb, 2, true)
		for _, number := range []uint32{3, 64, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
			for _, n := range []int{1, 8, 9, 16} {
				b := &Batch{IDs: make([]i3.ID, n), Behind: n}
				for i := range n {
					b.Places[i], b.Next[i] = rulePlace|Place(number), number
				}
				orPanic(func() { Follow(b, homes, cells, 1) })
				orPanic(func() { Match(b, homes, cells, 1) })
			}
		}
	})
}

// orPanic lets do panic.
func orPanic(do func()) {
	defer func() { _ = recover() }()
	do()
}
