package matcher

import (
	"math/rand/v2"
	"slices"
	"testing"

	"i3bench/asm"
	"i3bench/i3"
)

// A reader that has loaded a view is overtaken by a writer who grows one of the arrays and goes on: in the arrays that
// both views share it sees what is true now, in the other what was. It must notice, or find what is stored.
func TestOldViews(t *testing.T) {
	looks, noticed := 0, 0
	batch := &Matches{batch: new(scratch)}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		table, err := New(Config{Seed: [16]byte{byte(seed)}})
		if err != nil {
			t.Fatal(err)
		}
		var live []i3.ID
		var old *view
		known := 0 // so many of the first that are live were so before the view grew old
		for step, since := 0, 0; step < 1500; step, since = step+1, since+1 {
			before := table.view.Load()
			if n := len(live); n > 0 && r.IntN(3) == 0 {
				i := r.IntN(n)
				table.Remove(live[i], 1)
				live = slices.Delete(live, i, i+1)
				if i < known {
					known--
				}
			} else {
				id := i3.NewID(r.Uint64(), i3.Key{byte(step), byte(step >> 8)}, r.Uint64())
				if _, err := table.Insert(id, 1, 0, 100); err != nil {
					t.Fatal(err)
				}
				live = append(live, id)
			}
			if table.view.Load() != before {
				old, since, known = before, 0, len(live)-1
			}
			if old == nil || since > 8 {
				continue
			}
			batch.Reset()
			for ids := live[:max(known, 0)]; len(ids) > 0; ids = ids[min(len(ids), asm.MaxBatch):] {
				table.matchIn(old, ids[:min(len(ids), asm.MaxBatch)], 0, batch)
			}
			if len(batch.Targets) != max(known, 0) {
				t.Fatalf("seed %d, step %d: a batch in an old view finds %d of %d", seed, step, len(batch.Targets), known)
			}
			for i := range live[:max(known, 0)] {
				_, targets, ok := table.tryIn(old, &live[i], asm.HashOne(&live[i], &table.key), 0, nil)
				if looks++; !ok {
					noticed++
				} else if len(targets) != 1 || targets[0] != 1 {
					t.Fatalf("seed %d, step %d: a reader of an old view finds %v, want the target or that it notices",
						seed, step, targets)
				}
			}
		}
		table.Close()
	}
	if t.Logf("%d looks through old views, %d noticed", looks, noticed); looks == 0 || noticed != looks {
		t.Errorf("%d looks, %d of them noticed, want all", looks, noticed)
	}
}

// TestViewGrowsOldInABatch: an identifier of a group whose winner a batch has found has its target once, also if the
// arrays are replaced before the batch takes it.
func TestViewGrowsOldInABatch(t *testing.T) {
	table, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	ids := make([]i3.ID, 40)
	for i := range ids {
		ids[i] = i3.NewID(7, i3.Key{7}, uint64(i)<<32)
		if _, err := table.Insert(ids[i], Target(i), 0, 100); err != nil {
			t.Fatal(err)
		}
	}
	m := &Matches{batch: new(scratch)}
	m.Reset()
	old := table.view.Load()
	m.find(table, old, ids, 0)
	for i := uint64(0); table.view.Load() == old; i++ {
		if _, err := table.Insert(i3.NewID(i, i3.Key{8}, 0), 1, 0, 100); err != nil {
			t.Fatal(err)
		}
	}
	m.take(table, old, 0)
	for i := range ids {
		if got := m.At(i); len(got) != 1 || got[0] != Target(i) {
			t.Errorf("identifier %d has %v, want its target once", i, got)
		}
	}
}
