package asm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"i3bench/i3"
)

// benchVariants runs a benchmark for each variant, and reports nanoseconds for each of n identifiers.
func benchVariants(b *testing.B, name string, n int, step func()) {
	before := Kernel()
	defer func() { _ = Use(before) }()
	for _, v := range Variants() {
		b.Run("variant="+v+"/"+name, func(b *testing.B) {
			if err := Use(v); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				step()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/key")
		})
	}
}

// A benchTable is a table that fits in a first-level cache together with what is looked up in it.
type benchTable struct {
	key          Key
	shape        Shape
	homes, cells []Cell
	batch        Batch
	hashes       [MaxBatch]uint64
}

// newBenchTable makes a table and n identifiers in random order, of each hundred so many at home, so many behind and
// the others nowhere.
func newBenchTable(n, atHome, behind int) *benchTable {
	r := rand.New(rand.NewPCG(7, 0))
	t := &benchTable{key: NewKey(1, 2), shape: Shape{Level: 7, Split: 100}}
	t.homes, t.cells = make([]Cell, t.shape.Homes()), make([]Cell, 64)
	t.batch.IDs, t.batch.Winners = make([]i3.ID, n), make([]i3.ID, Room(n))
	homes := r.Perm(len(t.homes))
	for i := range n {
		t.place(r, i, homes, r.IntN(100), atHome, behind)
	}
	return t
}

// place finds an identifier whose home is free, or lets it share one, and stores it.
func (t *benchTable) place(r *rand.Rand, i int, homes []int, roll, atHome, behind int) {
	home := homes[i%len(homes)]
	if i >= len(homes) {
		t.batch.IDs[i] = t.batch.IDs[i-len(homes)]
		return
	}
	id := i3.ID{}
	var place Place
	for id.IsZero() || int(place.Home()) != home {
		id = i3.NewID(r.Uint64(), i3.Key{byte(r.Uint64())}, r.Uint64())
		place = t.shape.Place(HashOne(&id, &t.key))
	}
	t.batch.IDs[i] = id
	other := i3.NewID(1, i3.Key{}, 0)
	const one = Single<<StateShift | 1<<CountShift
	depth := uint64(place) & (0xff << DepthShift)
	switch {
	case roll < atHome:
		t.homes[home] = stored(id, one|depth, uint32(i), 0)
	case roll < atHome+behind:
		next := r.IntN(len(t.cells))
		t.homes[home] = stored(other, one|depth|uint64(place.Tag())<<TagAShift, 0, uint32(next))
		t.cells[next] = stored(id, one, uint32(i), 0)
	default:
		t.homes[home] = stored(other, one|depth, 0, 0)
	}
}

// stored is a cell with a trigger that never expires.
func stored(id i3.ID, meta uint64, target, next uint32) Cell {
	e := id.Exact()
	return Cell{e[0], e[1], e[2], id.Suffix(), meta, 0xffffffff<<32 | uint64(target), 0, uint64(next) << 32}
}

func (t *benchTable) find() {
	n := len(t.batch.IDs)
	Hash(t.hashes[:n], t.batch.IDs, &t.key)
	Locate(t.batch.Places[:n], t.hashes[:n], t.homes, t.shape)
}

func BenchmarkHash(b *testing.B) {
	for _, n := range []int{1, 7, 16, 64, 256} {
		t := newBenchTable(n, 75, 15)
		benchVariants(b, fmt.Sprintf("n=%d", n), n, func() { Hash(t.hashes[:n], t.batch.IDs, &t.key) })
	}
}

func BenchmarkLocate(b *testing.B) {
	for _, n := range []int{1, 7, 16, 64, 256} {
		t := newBenchTable(n, 75, 15)
		t.find()
		benchVariants(b, fmt.Sprintf("n=%d", n), n, func() {
			Locate(t.batch.Places[:n], t.hashes[:n], t.homes, t.shape)
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, c := range []struct {
		name           string
		atHome, behind int
	}{{"home", 100, 0}, {"behind", 0, 100}, {"miss", 0, 0}, {"mixed", 75, 15}} {
		t := newBenchTable(MaxBatch, c.atHome, c.behind)
		t.find()
		benchVariants(b, "hits="+c.name, MaxBatch, func() { Match(&t.batch, t.homes, t.cells, 1) })
	}
}

func BenchmarkFollow(b *testing.B) {
	t := newBenchTable(MaxBatch, 0, 100)
	t.find()
	Match(&t.batch, t.homes, t.cells, 1)
	behind, who, next, seen := t.batch.Behind, t.batch.Who, t.batch.Next, t.batch.Seen
	benchVariants(b, "hits=behind", behind, func() {
		t.batch.Behind, t.batch.Who, t.batch.Next, t.batch.Seen = behind, who, next, seen // 3 KiB, well below the rest
		Follow(&t.batch, t.homes, t.cells, 1)
	})
}

func BenchmarkTake(b *testing.B) {
	for _, c := range []struct {
		name     string
		one, ask int
	}{{"one=100%", 256, 0}, {"one=50%", 128, 0}, {"ask=2%", 128, 5}, {"ask=100%", 0, 256}} {
		batch := answered(rand.New(rand.NewPCG(7, 0)), MaxBatch, c.one, c.ask)
		var targets, off []uint32
		benchVariants(b, c.name, MaxBatch, func() {
			targets, off = targets[:0], off[:0]
			for len(off) < MaxBatch {
				targets, off = Take(targets, off, batch, len(off))
				for len(off) < MaxBatch && batch.Answers[len(off)] == Ask {
					off = append(off, 0)
				}
			}
		})
	}
}

func BenchmarkPipeline(b *testing.B) {
	for _, n := range []int{16, 64, 256} {
		t := newBenchTable(n, 75, 15)
		benchVariants(b, fmt.Sprintf("batch=%d", n), n, func() {
			t.find()
			Match(&t.batch, t.homes, t.cells, 1)
			Follow(&t.batch, t.homes, t.cells, 1)
		})
	}
}
