package matcher_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"i3bench/asm"
	"i3bench/i3"
	"i3bench/internal/tablebench"
	"i3bench/matcher"
	"i3bench/matcher/lookups"
)

// A benchSize is a number of identifiers. Tables are built when a benchmark of their size runs, so ask for what you
// need: -bench 'Match/n=1e6/'.
type benchSize struct {
	name string
	n    int
}

var benchSizes = []benchSize{{"1e3", 1e3}, {"1e5", 1e5}, {"1e6", 1e6}, {"1e7", 1e7}}

// streamLen is the number of look-ups that a benchmark repeats: so many that their order is not learnt, and the large
// tables' do not stay in a cache.
func (s benchSize) streamLen() int {
	if s.n <= 1e5 {
		return 1 << 16
	}
	return 1 << 22
}

// stream returns look-ups of which so many percent hit, in random order.
func stream(ids []i3.ID, size benchSize, hitPercent int) []i3.ID {
	rng := rand.New(rand.NewPCG(9, uint64(hitPercent)))
	misses := randomIDs(1<<16, 2)
	out := make([]i3.ID, size.streamLen())
	for i := range out {
		if rng.IntN(100) < hitPercent {
			out[i] = ids[rng.IntN(len(ids))]
		} else {
			id := misses[i&(1<<16-1)]
			out[i] = i3.NewID(id.Prefix()+uint64(i), id.Key(), id.Suffix())
		}
	}
	return out
}

func reportLookups(b *testing.B, perOp int) {
	b.ReportMetric(float64(b.N*perOp)/b.Elapsed().Seconds(), "lookups/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*perOp), "ns/lookup")
}

// variants calls f for each variant of the kernels that this machine has, the best first.
func variants(b *testing.B, f func(b *testing.B)) {
	for _, kernel := range asm.Variants() {
		b.Run("kernel="+kernel, func(b *testing.B) {
			if err := asm.Use(kernel); err != nil {
				b.Fatal(err)
			}
			defer asm.Use(asm.Variants()[0])
			f(b)
		})
	}
}

// built is the last table that a benchmark has used, for the next one of the same size.
var built struct {
	size  int
	table *matcher.Table
	ids   []i3.ID
}

func benchTable(b *testing.B, size benchSize) (*matcher.Table, []i3.ID) {
	if built.size != size.n {
		if built.table != nil {
			built.table.Close()
		}
		built.table, built.ids = filled(b, size.n)
		built.size = size.n
	}
	return built.table, built.ids
}

// BenchmarkMatch is the job of tables, in batches of 256: its limit is BenchmarkLimit, its peers are in peers_test.go
// and under peer/.
func BenchmarkMatch(b *testing.B) {
	tablebench.Run(b, lookups.ID, func(b *testing.B, n int) tablebench.Lookup[i3.ID] {
		return mustBuild(b, n, lookups.Table)
	})
}

// BenchmarkHuge is BenchmarkMatch and BenchmarkLimit with 1e8 identifiers, which takes 12 GB: only where I3BENCH_HUGE
// is set (make huge).
func BenchmarkHuge(b *testing.B) {
	const n = 1e8
	if os.Getenv("I3BENCH_HUGE") == "" {
		b.Skip("takes 12 GB and minutes: make huge")
	}
	job := tablebench.Job{N: n, Hit: 100}
	queries := tablebench.Draw(job, lookups.ID)
	for name, build := range map[string]func(int) (tablebench.Lookup[i3.ID], func() error, error){
		"match": lookups.Table, "limit": lookups.Limit,
	} {
		b.Run(fmt.Sprintf("what=%s/n=1e8/%v", name, job), func(b *testing.B) {
			tablebench.Time(b, tablebench.Batch, queries.Walk(mustBuild(b, n, build)))
		})
	}
}

// mustBuild builds a table that gives its memory back when the benchmark ends.
func mustBuild(
	b *testing.B, n int, build func(int) (tablebench.Lookup[i3.ID], func() error, error),
) tablebench.Lookup[i3.ID] {
	lookup, done, err := build(n)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := done(); err != nil {
			b.Error(err)
		}
	})
	return lookup
}

// BenchmarkBatch looks identifiers with one trigger each up in batches of several sizes.
func BenchmarkBatch(b *testing.B) {
	for _, size := range benchSizes {
		b.Run("n="+size.name, func(b *testing.B) {
			for _, hit := range []int{100, 50} {
				b.Run(fmt.Sprintf("hit=%d", hit), func(b *testing.B) {
					table, ids := benchTable(b, size)
					queries := stream(ids, size, hit)
					for _, batch := range []int{1, 16, 64, 256} {
						b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
							benchMatch(b, table, queries, batch)
						})
					}
				})
			}
		})
	}
}

func benchMatch(b *testing.B, table *matcher.Table, queries []i3.ID, batch int) {
	var m matcher.Matches
	dst := make([]matcher.Target, 0, 16)
	i := 0
	for b.Loop() {
		if batch == 1 {
			table.Match(queries[i], 5, dst)
		} else {
			table.MatchBatch(queries[i:i+batch], 5, &m)
		}
		i = (i + batch) & (len(queries) - 1)
	}
	reportLookups(b, batch)
	b.ReportMetric(table.Stats().BytesPerEntry, "B/entry")
}

// BenchmarkKernel is BenchmarkMatch with each variant of the kernels.
func BenchmarkKernel(b *testing.B) {
	variants(b, func(b *testing.B) {
		for _, size := range benchSizes {
			b.Run("n="+size.name+"/hit=100/batch=256", func(b *testing.B) {
				table, ids := benchTable(b, size)
				benchMatch(b, table, stream(ids, size, 100), 256)
			})
		}
	})
}

// BenchmarkThreads is BenchmarkMatch with two goroutines.
func BenchmarkThreads(b *testing.B) {
	for _, size := range benchSizes {
		b.Run("n="+size.name+"/hit=100/batch=256/threads=2", func(b *testing.B) {
			table, ids := benchTable(b, size)
			queries := stream(ids, size, 100)
			b.SetParallelism(1)
			var thread atomic.Int64
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				var m matcher.Matches
				i := int(thread.Add(1)) * len(queries) / 4 &^ 255
				for pb.Next() {
					table.MatchBatch(queries[i:i+256], 5, &m)
					i = (i + 256) & (len(queries) - 1)
				}
			})
			reportLookups(b, 256)
		})
	}
}

// BenchmarkWithWriter is BenchmarkMatch while somebody refreshes random triggers, two million a second, and
// two other ways to let readers and a writer share a map.
func BenchmarkWithWriter(b *testing.B) {
	const rate, batch = 2.1e6, 256 // what begins and ends beside the measurement takes some of it
	size := benchSizes[2]
	for _, writer := range []bool{false, true} {
		b.Run(fmt.Sprintf("table=matcher/n=%s/writer=%v", size.name, writer), func(b *testing.B) {
			table, ids := benchTable(b, size)
			rs := refreshes(ids, 1<<20, 10)
			var missing []int
			stop := pace(writer, rate, func(i int) {
				missing = table.RefreshBatch(rs[i&(len(rs)-1):][:batch], 5, missing[:0])
			})
			benchMatch(b, table, stream(ids, size, 100), batch)
			b.ReportMetric(stop(), "refreshes/s")
		})
	}
	for _, writer := range []bool{false, true} {
		b.Run(fmt.Sprintf("table=rwmutex-map/n=%s/writer=%v", size.name, writer), func(b *testing.B) {
			_, ids := benchTable(b, size)
			var mu sync.RWMutex
			m := make(map[i3.ID]uint64, len(ids))
			for i, id := range ids {
				m[id] = uint64(i)
			}
			stop := pace(writer, rate, func(i int) {
				for k := range batch {
					mu.Lock()
					m[ids[(i*7919+k*31)%len(ids)]] = uint64(i)
					mu.Unlock()
				}
			})
			benchPeerMap(b, stream(ids, size, 100), func(id i3.ID) {
				mu.RLock()
				_ = m[id]
				mu.RUnlock()
			})
			b.ReportMetric(stop(), "refreshes/s")
		})
	}
	for _, writer := range []bool{false, true} {
		b.Run(fmt.Sprintf("table=sync-map/n=%s/writer=%v", size.name, writer), func(b *testing.B) {
			_, ids := benchTable(b, size)
			var m sync.Map
			for i, id := range ids {
				m.Store(id, uint64(i))
			}
			stop := pace(writer, rate, func(i int) {
				for k := range batch {
					m.Store(ids[(i*7919+k*31)%len(ids)], uint64(i))
				}
			})
			benchPeerMap(b, stream(ids, size, 100), func(id i3.ID) { m.Load(id) })
			b.ReportMetric(stop(), "refreshes/s")
		})
	}
}

func benchPeerMap(b *testing.B, queries []i3.ID, find func(i3.ID)) {
	i := 0
	for b.Loop() {
		find(queries[i&(len(queries)-1)])
		i++
	}
	reportLookups(b, 1)
}

// pace calls f, with 0, 256, 512, ..., so often that this is rate a second, until stop is called, which returns the
// rate achieved.
func pace(on bool, rate float64, f func(i int)) (stop func() float64) {
	if !on {
		return func() float64 { return 0 }
	}
	var done atomic.Bool
	achieved := make(chan float64)
	go func() {
		begun, i := time.Now(), 0
		for !done.Load() {
			if time.Since(begun).Seconds()*rate < float64(i) {
				continue
			}
			f(i)
			i += 256
		}
		achieved <- float64(i) / time.Since(begun).Seconds()
	}()
	return func() float64 { done.Store(true); return <-achieved }
}

// BenchmarkAnycast matches packets with random suffixes in one group.
func BenchmarkAnycast(b *testing.B) {
	for _, n := range []int{1, 8, 64, 1000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			table := newTable(b, matcher.Config{MaxTriggers: n})
			defer table.Close()
			for i, s := range members("random", n) {
				mustInsert(b, table, group.WithSuffix(s), matcher.Target(i), 0, 10)
			}
			rng := rand.New(rand.NewPCG(3, 3))
			queries := make([]i3.ID, 1<<16)
			for i := range queries {
				queries[i] = group.WithSuffix(rng.Uint64())
			}
			for _, batch := range []int{1, 256} {
				b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) { benchMatch(b, table, queries, batch) })
			}
		})
	}
}

// BenchmarkBesideGroup looks up single identifiers in a table that has, or has not, a million members of one group
// as well.
func BenchmarkBesideGroup(b *testing.B) {
	const members = 1_000_000
	for _, size := range benchSizes[:3] {
		for _, beside := range []int{0, members} {
			b.Run(fmt.Sprintf("n=%s/members=%d", size.name, beside), func(b *testing.B) {
				table := newTable(b, matcher.Config{MaxTriggers: size.n + beside})
				defer table.Close()
				ids := randomIDs(size.n, 1)
				for i, id := range ids {
					mustInsert(b, table, id, matcher.Target(i), 0, 10)
				}
				rng := rand.New(rand.NewPCG(5, 5))
				for i := range beside {
					mustInsert(b, table, group.WithSuffix(rng.Uint64()), matcher.Target(i), 0, 10)
				}
				benchMatch(b, table, stream(ids, size, 100), 256)
			})
		}
	}
}

// refreshes returns n refreshes of random triggers of filled.
func refreshes(ids []i3.ID, n int, expire matcher.Tick) []matcher.Refresh {
	rng := rand.New(rand.NewPCG(4, 4))
	rs := make([]matcher.Refresh, n)
	for i := range rs {
		k := rng.IntN(len(ids))
		rs[i] = matcher.Refresh{ID: ids[k], Target: matcher.Target(k), Expire: expire}
	}
	return rs
}

// BenchmarkRefresh refreshes triggers in random order, the bulk of all writes.
func BenchmarkRefresh(b *testing.B) {
	for _, size := range benchSizes {
		b.Run("n="+size.name, func(b *testing.B) {
			table, ids := benchTable(b, size)
			rs := refreshes(ids, size.streamLen(), 10)
			b.Run("batch=1", func(b *testing.B) {
				i := 0
				for b.Loop() {
					r := &rs[i&(len(rs)-1)]
					if o, err := table.Insert(r.ID, r.Target, 5, r.Expire); o != matcher.Refreshed {
						b.Fatal(o, err)
					}
					i++
				}
				reportLookups(b, 1)
			})
			b.Run("batch=256", func(b *testing.B) {
				missing := make([]int, 0, 256)
				i := 0
				for b.Loop() {
					if missing = table.RefreshBatch(rs[i:i+256], 5, missing[:0]); len(missing) > 0 {
						b.Fatalf("missing %v", missing)
					}
					i = (i + 256) & (len(rs) - 1)
				}
				reportLookups(b, 256)
			})
		})
	}
}

// BenchmarkInsert fills a table of some size with identifiers that it does not have, and removes them again, which is
// not measured.
func BenchmarkInsert(b *testing.B) {
	for _, size := range benchSizes {
		for _, batch := range []int{1, 256} {
			b.Run(fmt.Sprintf("n=%s/batch=%d", size.name, batch), func(b *testing.B) { benchInsert(b, size, batch) })
		}
	}
}

func benchInsert(b *testing.B, size benchSize, batch int) {
	const some = 1 << 16
	table := newTable(b, matcher.Config{MaxTriggers: size.n + some})
	defer table.Close()
	for i, id := range randomIDs(size.n, 1) {
		mustInsert(b, table, id, matcher.Target(i), 0, 10)
	}
	fresh := make([]matcher.Refresh, some)
	for i, id := range randomIDs(some, 7) {
		fresh[i] = matcher.Refresh{ID: id, Target: 1, Expire: 10}
	}
	refused := make([]int, 0, batch)
	i := 0
	for b.Loop() {
		if i == some {
			b.StopTimer()
			for _, r := range fresh {
				table.Remove(r.ID, r.Target)
			}
			i = 0
			b.StartTimer()
		}
		if batch == 1 {
			if o, err := table.Insert(fresh[i].ID, 1, 5, 10); o != matcher.Added {
				b.Fatal(o, err)
			}
		} else if refused = table.InsertBatch(fresh[i:i+batch], 5, refused[:0]); len(refused) > 0 {
			b.Fatal(refused)
		}
		i += batch
	}
	reportLookups(b, batch)
}

// BenchmarkChurn removes an identifier and inserts another.
func BenchmarkChurn(b *testing.B) {
	for _, size := range benchSizes[:3] {
		b.Run("n="+size.name, func(b *testing.B) {
			table, ids := filled(b, size.n)
			defer table.Close()
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

// BenchmarkExpire sweeps a table in which one identifier of a hundred has expired, and one in which none has.
func BenchmarkExpire(b *testing.B) {
	for _, size := range benchSizes[:3] {
		b.Run("n="+size.name+"/expired=1%", func(b *testing.B) {
			table, ids := filled(b, size.n)
			defer table.Close()
			removed := 0
			for now := matcher.Tick(10); b.Loop(); now += 10 {
				b.StopTimer()
				for i, id := range ids {
					expire := now + 20
					if i%100 == 0 {
						expire = now
					}
					if _, err := table.Insert(id, matcher.Target(i), now-1, expire); err != nil {
						b.Fatal(err)
					}
				}
				table.Sweep(0, now-1, nil) // what was refreshed is looked at once
				b.StartTimer()
				table.Sweep(0, now, func(i3.ID, matcher.Target) { removed++ })
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(removed), "ns/expired")
		})
		b.Run("n="+size.name+"/expired=0", func(b *testing.B) {
			table, _ := filled(b, size.n)
			defer table.Close()
			table.Sweep(0, 5, nil)
			for b.Loop() {
				table.Sweep(0, 5, nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size.n), "ns/stored")
		})
	}
}
