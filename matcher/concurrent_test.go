package matcher_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"i3bench/asm"
	"i3bench/i3"
	"i3bench/matcher"
)

// A history is what a writer has done to one identifier, for readers to hold what they see against: it goes from
// version to version, by inserting the target of the next and then removing the one before. So from when begun is v on,
// and until done is v, the targets are v-1, v, or both, in this order; otherwise v.
type history struct {
	id    i3.ID
	begun atomic.Uint32
	done  atomic.Uint32
}

// next takes the identifier to its next version.
func (h *history) next(t testing.TB, table *matcher.Table) {
	v := h.begun.Add(1)
	if _, err := table.Insert(h.id, matcher.Target(v), 0, 10); err != nil {
		t.Error(err)
	}
	if v > 1 && !table.Remove(h.id, matcher.Target(v-1)) {
		t.Errorf("version %d of %v is gone", v-1, h.id)
	}
	h.done.Store(v)
}

// agrees reports whether targets are what the identifier had at some time between two looks at its history.
func agrees(targets []matcher.Target, done, begun uint32) bool {
	switch len(targets) {
	case 1:
		return uint32(targets[0]) >= done && uint32(targets[0]) <= begun
	case 2:
		return targets[1] == targets[0]+1 && uint32(targets[0]) >= done && uint32(targets[1]) <= begun
	}
	return false
}

// histories makes what a concurrent test works on: some alone, some in groups whose other members come and go.
func histories(n int) []*history {
	hs := make([]*history, n)
	for i, id := range randomIDs(n, 8) {
		if i%4 == 0 {
			id = group.WithSuffix(id.Suffix())
		}
		hs[i] = &history{id: id}
	}
	return hs
}

// TestReadersAndWriters: readers see every identifier that is stored, with the targets that it has at some time while
// they look, whatever writers do to it and to others: lists change, homes split, chains and groups grow and shrink.
func TestReadersAndWriters(t *testing.T) {
	for _, kernel := range asm.Variants() {
		t.Run("kernel="+kernel, func(t *testing.T) {
			if err := asm.Use(kernel); err != nil {
				t.Fatal(err)
			}
			defer asm.Use(asm.Variants()[0])
			t.Run("beside=0", func(t *testing.T) { readersAndWriters(t, 0) })
			t.Run("beside=5000", func(t *testing.T) { readersAndWriters(t, 5000) })
		})
	}
}

// readersAndWriters has some more identifiers beside: with many, cells behind homes are in lines of others.
func readersAndWriters(t *testing.T, beside int) {
	table := newTable(t, matcher.Config{Seed: [16]byte{3}, MaxTriggers: 20_000})
	defer table.Close()
	for i, id := range randomIDs(beside, 12) {
		mustInsert(t, table, id, matcher.Target(i), 0, 10)
	}
	hs := histories(400)
	for _, h := range hs {
		h.next(t, table)
	}
	end := time.Now().Add(time.Second)
	var looks, splits atomic.Int64
	var wg sync.WaitGroup
	for w := range 2 { // one who changes versions, one who makes the table grow and shrink
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 1))
			for round := uint64(1); time.Now().Before(end); round++ {
				if w == 0 {
					for range 100 {
						hs[rng.IntN(len(hs))].next(t, table)
					}
					continue
				}
				churn(t, table, round)
				splits.Add(1)
			}
		})
	}
	for r := range 2 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(r), 2))
			for time.Now().Before(end) && !t.Failed() {
				looks.Add(int64(look(t, table, hs, rng)))
			}
		})
	}
	wg.Wait()
	if err := table.Check(); err != nil {
		t.Error(err)
	}
	t.Logf("%d looks, %d rounds of growth, kernel %s: %+v", looks.Load(), splits.Load(), table.Kernel(), table.Stats())
	if looks.Load() == 0 || splits.Load() == 0 {
		t.Error("nobody looked, or nothing grew")
	}
}

// churn adds identifiers, alone and in a group, and takes them away.
func churn(t *testing.T, table *matcher.Table, round uint64) {
	ids := randomIDs(300, 100+round)
	for i, id := range ids {
		if i%3 == 0 {
			ids[i] = group.WithSuffix(id.Suffix())
		}
		if _, err := table.Insert(ids[i], 1<<31, 0, matcher.Tick(5+i%2)); err != nil {
			t.Error(err)
		}
	}
	table.Sweep(0, 5, nil)
	for i, id := range ids {
		if removed := table.Remove(id, 1<<31); removed != (i%2 == 1) {
			t.Errorf("trigger %d: removed %v", i, removed)
		}
	}
}

// look matches a batch and holds it against the histories.
func look(t *testing.T, table *matcher.Table, hs []*history, rng *rand.Rand) int {
	var m matcher.Matches
	batch := make([]*history, 64)
	ids := make([]i3.ID, len(batch))
	done := make([]uint32, len(batch))
	for i := range batch {
		batch[i] = hs[rng.IntN(len(hs))]
		ids[i], done[i] = batch[i].id, batch[i].done.Load()
	}
	table.MatchBatch(ids, 5, &m)
	for i, h := range batch {
		if begun := h.begun.Load(); m.Matched[i] != h.id || !agrees(m.At(i), done[i], begun) {
			t.Errorf("%v: %v %v, want a version from %d to %d", h.id, m.Matched[i], m.At(i), done[i], begun)
		}
	}
	return len(batch)
}
