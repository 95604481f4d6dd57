package matcher_test

import (
	"sync"
	"testing"

	"i3bench/internal/tablebench"
	"i3bench/matcher/lookups"
)

// BenchmarkPeer measures what Go has: its map, which is a Swiss table since Go 1.24; the map with the lock that it
// needs if there are writers, taken for each look-up as a server would; and the map for many goroutines. They do less
// than the table: they find a key's value, and know neither anycast, lists of triggers nor expiry. Modules of others
// and tables in C and C++ are measured in the same way in the module matcher/peer.
func BenchmarkPeer(b *testing.B) {
	for _, peer := range []struct {
		name  string
		build func(b *testing.B, n int) tablebench.Lookup[tablebench.ID]
	}{{"map", goMap}, {"rwmutex-map", lockedMap}, {"sync-map", syncMap}} {
		b.Run("table="+peer.name, func(b *testing.B) { tablebench.Run(b, tablebench.Same, peer.build) })
	}
}

func goMap(_ *testing.B, n int) tablebench.Lookup[tablebench.ID] { return lookups.Map(n) }

func lockedMap(_ *testing.B, n int) tablebench.Lookup[tablebench.ID] {
	m := lookups.Filled(n)
	var mu sync.RWMutex
	return func(ids []tablebench.ID) (sum uint64) {
		for i := range ids {
			mu.RLock()
			v := m[*lookups.ExactOf(&ids[i])]
			mu.RUnlock()
			sum += uint64(v)
		}
		return sum
	}
}

func syncMap(_ *testing.B, n int) tablebench.Lookup[tablebench.ID] {
	var m sync.Map
	for i := range n {
		id := tablebench.Present(i)
		m.Store(*lookups.ExactOf(&id), uint32(i))
	}
	return func(ids []tablebench.ID) (sum uint64) {
		for i := range ids {
			if v, ok := m.Load(*lookups.ExactOf(&ids[i])); ok {
				sum += uint64(v.(uint32))
			}
		}
		return sum
	}
}
