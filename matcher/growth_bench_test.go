package matcher_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"i3bench/internal/mem"
	"i3bench/matcher"
)

// BenchmarkGrowth fills an empty table and tells how long single insertions take: with memory taken ahead, without, in
// a table where identifiers come and go, so that nothing grows, alone and while somebody else takes memory from the
// system as fast as a table that grows, and, as the limit, what the machine makes of waiting.
func BenchmarkGrowth(b *testing.B) {
	for _, size := range benchSizes {
		ids := randomIDs(size.n, 1)
		took := make([]int32, size.n)
		for _, ahead := range []bool{true, false} {
			b.Run(fmt.Sprintf("n=%s/ahead=%v", size.name, ahead), func(b *testing.B) {
				for b.Loop() {
					table := newTable(b, matcher.Config{MaxTriggers: size.n})
					stop := func() {}
					if ahead {
						stop = keepAhead(table)
					}
					timed(took, func(i int) { mustInsert(b, table, ids[i], 1, 0, 10) })
					stop()
					table.Close()
				}
				reportTimes(b, took)
			})
		}
		for _, beside := range []bool{false, true} {
			b.Run(fmt.Sprintf("n=%s/still/beside=%v", size.name, beside), func(b *testing.B) {
				table, ids := filled(b, size.n)
				defer table.Close()
				for b.Loop() {
					stop := func() {}
					if beside {
						stop = takeMemory(b)
					}
					timed(took, func(i int) {
						table.Remove(ids[i], matcher.Target(i))
						mustInsert(b, table, ids[i], matcher.Target(i), 0, 10)
					})
					stop()
				}
				reportTimes(b, took)
			})
		}
		b.Run(fmt.Sprintf("n=%s/nothing", size.name), func(b *testing.B) {
			for b.Loop() {
				timed(took, func(i int) { wait(800 * time.Nanosecond) })
			}
			reportTimes(b, took)
		})
	}
}

// wait does nothing for so long.
func wait(d time.Duration) {
	for begun := time.Now(); time.Since(begun) < d; {
	}
}

// keepAhead takes memory ahead for a table from a goroutine of its own until it is told to stop.
func keepAhead(table *matcher.Table) (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				table.Ahead()
			}
		}
	}()
	return func() { close(done); <-stopped }
}

// takeMemory takes memory from the system in a goroutine of its own until it is told to stop: a huge page every 13 ms,
// which is 1 GiB in the seven seconds in which a table of 10^7 grows by that.
func takeMemory(b *testing.B) (stop func()) {
	const page = 2 << 20
	memory, err := mem.Reserve(2 << 30)
	if err != nil {
		b.Fatal(err)
	}
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(13 * time.Millisecond)
		defer tick.Stop()
		for rest := memory; len(rest) >= page; rest = rest[page:] {
			select {
			case <-done:
				return
			case <-tick.C:
				mem.Touch(rest[:page])
			}
		}
	}()
	return func() { close(done); <-stopped; mem.Release(memory) }
}

// timed calls f for each of took and notes how long it takes, in nanoseconds, at most two seconds.
func timed(took []int32, f func(i int)) {
	for i := range took {
		begun := time.Now()
		f(i)
		took[i] = int32(min(time.Since(begun), 2*time.Second))
	}
}

func reportTimes(b *testing.B, took []int32) {
	slices.Sort(took)
	at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))]) }
	b.ReportMetric(at(0.5), "p50-ns")
	b.ReportMetric(at(0.999), "p999-ns")
	b.ReportMetric(at(0.99999), "p99999-ns")
	b.ReportMetric(at(1), "max-ns")
}
