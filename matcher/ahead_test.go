package matcher_test

import (
	"sync"
	"testing"

	"i3bench/internal/mem"
	"i3bench/matcher"
)

// Memory is taken ahead of insertions, not twice, and not for more than the table may hold.
func TestAhead(t *testing.T) {
	const n = 50_000
	table := newTable(t, matcher.Config{MaxTriggers: n})
	defer table.Close()
	if got := table.Ahead(); got != 0 {
		t.Errorf("%d bytes for an empty table, which is on the heap", got)
	}
	ids := randomIDs(n, 1)
	taken := 0
	for i, id := range ids {
		mustInsert(t, table, id, 1, 0, 10)
		if i%1000 == 0 {
			taken += table.Ahead()
		}
	}
	if got := table.Ahead(); got != 0 {
		t.Errorf("%d bytes for a table that is full", got)
	}
	used := table.Stats().Bytes
	if b, err := mem.Reserve(4096); err != nil {
		t.Log("this build has no memory outside the heap, so none is taken ahead: ", err)
	} else if mem.Release(b); taken == 0 || taken > 4*used+8<<20 {
		t.Errorf("%d bytes taken ahead of a table that uses %d", taken, used)
	}
	for _, id := range ids {
		if winner, _ := table.Match(id, 5, nil); winner != id {
			t.Fatalf("%v is gone", id)
		}
	}
}

// One takes memory ahead while another inserts and a third looks up.
func TestAheadBesideOthers(t *testing.T) {
	const n = 100_000
	table := newTable(t, matcher.Config{MaxTriggers: n})
	defer table.Close()
	ids := randomIDs(n, 1)
	done := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				table.Ahead()
			}
		}
	})
	others.Go(func() {
		var m matcher.Matches
		for i := 0; ; i = (i + 256) % (n - 256) {
			select {
			case <-done:
				return
			default:
				table.MatchBatch(ids[i:i+256], 5, &m)
			}
		}
	})
	for i, id := range ids {
		mustInsert(t, table, id, matcher.Target(i), 0, 10)
	}
	close(done)
	others.Wait()
	for i, id := range ids {
		if _, targets := table.Match(id, 5, nil); len(targets) != 1 || targets[0] != matcher.Target(i) {
			t.Fatalf("%v leads to %v, want %d", id, targets, i)
		}
	}
	if err := table.Check(); err != nil {
		t.Error(err)
	}
}
