package matcher_test

import (
	"math/rand/v2"
	"testing"

	"i3bench/i3"
	"i3bench/matcher"
)

// filled returns a table with n identifiers of one trigger each, and them.
func filled(t testing.TB, n int) (*matcher.Table, []i3.ID) {
	table := newTable(t, matcher.Config{MaxTriggers: n})
	ids := randomIDs(n, 1)
	for i, id := range ids {
		mustInsert(t, table, id, matcher.Target(i), 0, 10)
	}
	return table, ids
}

func randomIDs(n int, seed uint64) []i3.ID {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	ids := make([]i3.ID, n)
	for i := range ids {
		var key i3.Key
		for j := range key {
			key[j] = byte(rng.Uint32())
		}
		ids[i] = i3.NewID(rng.Uint64(), key, rng.Uint64())
	}
	return ids
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	table, ids := filled(t, 300)
	for i := range uint64(50) { // a group, and an identifier with a long list
		if !table.Remove(ids[i+250], matcher.Target(i+250)) {
			t.Fatal("nothing to remove")
		}
		mustInsert(t, table, ids[0].WithSuffix(i), 7, 0, 10)
		ids[i+250] = ids[0].WithSuffix(i)
	}
	refreshes := make([]matcher.Refresh, len(ids))
	for i, id := range ids {
		refreshes[i] = matcher.Refresh{ID: id, Target: 7, Expire: 20}
	}
	var m matcher.Matches
	table.MatchBatch(ids, 5, &m)
	dst := make([]matcher.Target, 0, 16)
	missing := make([]int, 0, len(ids))
	for name, f := range map[string]func(){
		"Match":      func() { table.Match(ids[260], 5, dst); table.Match(ids[3], 5, dst) },
		"MatchBatch": func() { table.MatchBatch(ids, 5, &m) },
		"Count":      func() { table.Count(ids[4], 5) },
		"RefreshBatch": func() {
			if got := table.RefreshBatch(refreshes, 5, missing); len(got) != 249 {
				t.Errorf("%d missing, want 249", len(got))
			}
		},
		"Insert refreshing": func() {
			if got, err := table.Insert(ids[260], 7, 5, 20); got != matcher.Refreshed {
				t.Errorf("%v, %v", got, err)
			}
		},
		"Remove and Insert": func() { table.Remove(ids[9], 9); mustInsert(t, table, ids[9], 9, 5, 30) },
		"Sweep":             func() { table.Sweep(50, 0, nil) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestMemory holds what Stats reports against what the design says of a table of medium size: 0.5 prefixes a home, so 2
// cells for each, and 0.21 of them behind it, almost all in the lines of others: 1.25 cells a search.
func TestMemory(t *testing.T) {
	table, ids := filled(t, 30_000)
	s := table.Stats()
	if s.Entries != len(ids) || s.Identifiers != len(ids) || s.Prefixes != len(ids) {
		t.Errorf("%+v, want %d of everything", s, len(ids))
	}
	if s.BytesPerEntry < 64/0.5 || s.BytesPerEntry > 132 || s.Homes != matcher.HomesFor(len(ids)) {
		t.Errorf("%.1f bytes per trigger, %d homes, want about 129 and %d",
			s.BytesPerEntry, s.Homes, matcher.HomesFor(len(ids)))
	}
	if s.ProbeMean < 1.1 || s.ProbeMean > 1.6 || s.ProbeMax < 3 || s.ProbeMax > 12 {
		t.Errorf("probes: mean %.2f, max %d", s.ProbeMean, s.ProbeMax)
	}
	t.Logf("%+v", s)
	if err := table.Check(); err != nil {
		t.Error(err)
	}
	for i, id := range ids {
		table.Remove(id, matcher.Target(i))
	}
	if got := table.Stats(); got.BytesPerEntry != 0 || got.ProbeMax != 0 || got.Identifiers != 0 {
		t.Errorf("emptied: %+v", got)
	}
	if err := table.Check(); err != nil {
		t.Error(err)
	}
}
