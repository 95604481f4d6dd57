package matcher_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"i3bench/i3"
	"i3bench/matcher"
)

var benchSizes = []struct {
	name string
	n    int
}{{"1e3", 1e3}, {"1e5", 1e5}, {"1e6", 1e6}}

// stream returns look-ups in random order, of which so many percent hit.
func stream(ids []i3.ID, hitPercent int) []i3.ID {
	rng := rand.New(rand.NewPCG(9, uint64(hitPercent)))
	misses := randomIDs(1<<16, 2)
	out := make([]i3.ID, 1<<16)
	for i := range out {
		if rng.IntN(100) < hitPercent {
			out[i] = ids[rng.IntN(len(ids))]
		} else {
			out[i] = misses[i]
		}
	}
	return out
}

func reportLookups(b *testing.B, perOp int) {
	b.ReportMetric(float64(b.N*perOp)/b.Elapsed().Seconds(), "lookups/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*perOp), "ns/lookup")
}

// BenchmarkMatch looks identifiers with one trigger each up in random order.
func BenchmarkMatch(b *testing.B) {
	for _, size := range benchSizes {
		b.Run("n="+size.name, func(b *testing.B) {
			table, ids := filled(b, size.n)
			for _, hit := range []int{100, 50} {
				queries := stream(ids, hit)
				b.Run(fmt.Sprintf("hit=%d/batch=1", hit), func(b *testing.B) { benchMatch(b, table, queries) })
				b.Run(fmt.Sprintf("hit=%d/batch=64", hit), func(b *testing.B) { benchMatchBatch(b, table, queries) })
			}
		})
	}
}

func benchMatch(b *testing.B, table *matcher.Table, queries []i3.ID) {
	dst := make([]matcher.Target, 0, 16)
	i := 0
	for b.Loop() {
		table.Match(queries[i&(len(queries)-1)], 5, dst)
		i++
	}
	reportLookups(b, 1)
	b.ReportMetric(table.Stats().BytesPerEntry, "B/entry")
}

func benchMatchBatch(b *testing.B, table *matcher.Table, queries []i3.ID) {
	const batch = 64
	var m matcher.Matches
	i := 0
	for b.Loop() {
		table.MatchBatch(queries[i:i+batch], 5, &m)
		i = (i + batch) & (len(queries) - 1)
	}
	reportLookups(b, batch)
	b.ReportMetric(table.Stats().BytesPerEntry, "B/entry")
}

// BenchmarkMapPeer does the part of the job that a Go map can do: it finds
// exact identifiers, and knows neither anycast nor expiry.
func BenchmarkMapPeer(b *testing.B) {
	for _, size := range benchSizes {
		b.Run("n="+size.name, func(b *testing.B) {
			ids := randomIDs(size.n, 1)
			m := map[i3.ID][]uint32{}
			for i, id := range ids {
				m[id] = []uint32{uint32(i)}
			}
			for _, hit := range []int{100, 50} {
				queries := stream(ids, hit)
				b.Run(fmt.Sprintf("hit=%d", hit), func(b *testing.B) {
					dst := make([]uint32, 0, 16)
					i := 0
					for b.Loop() {
						dst = append(dst[:0], m[queries[i&(len(queries)-1)]]...)
						i++
					}
					reportLookups(b, 1)
				})
			}
		})
	}
}

// BenchmarkAnycast matches packets with random suffixes in one group.
func BenchmarkAnycast(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			table := newTable(b, matcher.Config{})
			for i, s := range members("random", n) {
				mustInsert(b, table, group.WithSuffix(s), matcher.Target(i), 0, 10)
			}
			rng := rand.New(rand.NewPCG(3, 3))
			queries := make([]i3.ID, 1<<16)
			for i := range queries {
				queries[i] = group.WithSuffix(rng.Uint64())
			}
			benchMatchBatch(b, table, queries)
		})
	}
}

// BenchmarkRefresh refreshes triggers in random order, the bulk of all writes.
func BenchmarkRefresh(b *testing.B) {
	for _, size := range benchSizes {
		b.Run("n="+size.name, func(b *testing.B) {
			table, ids := filled(b, size.n)
			rng := rand.New(rand.NewPCG(4, 4))
			rs := make([]matcher.Refresh, 1<<16)
			for i := range rs {
				k := rng.IntN(len(ids))
				rs[i] = matcher.Refresh{ID: ids[k], Target: matcher.Target(k), Expire: 10}
			}
			const batch = 64
			missing := make([]int, 0, batch)
			i := 0
			for b.Loop() {
				if missing = table.RefreshBatch(rs[i:i+batch], 5, missing[:0]); len(missing) > 0 {
					b.Fatalf("missing %v", missing)
				}
				i = (i + batch) & (len(rs) - 1)
			}
			reportLookups(b, batch)
		})
	}
}

// BenchmarkChurn removes an identifier and inserts another.
func BenchmarkChurn(b *testing.B) {
	for _, size := range benchSizes {
		b.Run("n="+size.name, func(b *testing.B) {
			table, ids := filled(b, size.n)
			i := 0
			for b.Loop() {
				k := i % len(ids)
				table.Remove(ids[k], matcher.Target(k))
				ids[k] = i3.NewID(ids[k].Prefix()+1, ids[k].Key(), ids[k].Suffix())
				if _, err := table.Insert(ids[k], matcher.Target(k), 5, 10); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// BenchmarkSweep visits triggers none of which has expired.
func BenchmarkSweep(b *testing.B) {
	table, _ := filled(b, 1e5)
	const visits = 1000
	for b.Loop() {
		table.Sweep(visits, 5, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*visits), "ns/visit")
}
