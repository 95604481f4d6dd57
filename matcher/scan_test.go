package matcher_test

import (
	"testing"

	"i3bench/i3"
	"i3bench/matcher"
)

// TestScan: scans of any number of cells have all live triggers, with their expiry, each once.
func TestScan(t *testing.T) {
	table := newTable(t, matcher.Config{})
	want := map[i3.ID]int{}
	for i, id := range randomIDs(3000, 5) {
		for k := range 1 + i%4 {
			mustInsert(t, table, id, matcher.Target(4*i+k), 0, matcher.Tick(5+k))
		}
		want[id] = 4 * i
	}
	for _, cells := range []int{1, 7, 1000, 1 << 20} {
		got, at, more, last := 0, matcher.Cursor(0), true, i3.ID{}
		for more {
			at, more = table.Scan(at, cells, 5, func(id i3.ID, tg matcher.Target, expire matcher.Tick) {
				first, ok := want[id]
				if k := int(tg) - first; !ok || k < 1 || k > 3 || expire != matcher.Tick(5+k) {
					t.Fatalf("%v has target %d until %d", id, tg, expire)
				}
				if got++; int(tg)-first == 1 && id == last {
					t.Fatalf("%v comes twice", id)
				}
				last = id
			})
		}
		if got != 3000/4*6 {
			t.Errorf("%d cells at a time: %d live triggers, want %d", cells, got, 3000/4*6)
		}
	}
}
