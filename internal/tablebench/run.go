package tablebench

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// Batch is how many identifiers a table is asked for at once.
const Batch = 256

// checked is how many look-ups are compared with what they must find before they are timed, all if there are fewer.
const checked = 1 << 16

// sizes are those of the tables, as the names of benchmarks say them.
var sizes = []struct {
	name string
	n    int
}{{"1e3", 1e3}, {"1e5", 1e5}, {"1e6", 1e6}, {"1e7", 1e7}}

// A Lookup looks a batch of identifiers up and returns the sum of the values of those found.
type Lookup[T any] func(ids []T) uint64

// Same is for tables that take an [ID] as it is.
func Same(id ID) ID { return id }

// Run measures a table: for each size it calls build and then times what build returns with every kind of look-ups.
// What the benchmark's pattern leaves out is not built. The function of translates an identifier to the table's type.
func Run[T any](b *testing.B, of func(ID) T, build func(b *testing.B, n int) Lookup[T]) {
	run(b, true, of, build)
}

// RunUnchecked is [Run] for what only does a part of the job, and whose sums therefore mean nothing.
func RunUnchecked[T any](b *testing.B, of func(ID) T, build func(b *testing.B, n int) Lookup[T]) {
	run(b, false, of, build)
}

func run[T any](b *testing.B, check bool, of func(ID) T, build func(b *testing.B, n int) Lookup[T]) {
	for _, size := range sizes {
		b.Run("n="+size.name, func(b *testing.B) {
			debug.FreeOSMemory() // what was measured before is garbage now
			lookup := build(b, size.n)
			for _, job := range jobs(size.n) {
				b.Run(job.String(), func(b *testing.B) {
					queries, want := draw(job, of)
					if sum := first(queries, lookup); check && sum != want {
						b.Fatalf("the values found add up to %d, want %d", sum, want)
					}
					runtime.GC()
					collapse()
					measure(b, queries, lookup)
				})
			}
		})
	}
}

// draw returns the look-ups of a job, and the sum of the values that the first of them find.
func draw[T any](j Job, of func(ID) T) (queries []T, want uint64) {
	queries = make([]T, 0, j.Queries())
	j.All(func(number int, present bool, id ID) {
		if present && len(queries) < checked {
			want += uint64(number)
		}
		queries = append(queries, of(id))
	})
	return queries, want
}

// first does the first look-ups, and returns the sum of what they find.
func first[T any](queries []T, lookup Lookup[T]) (sum uint64) {
	for i := 0; i < checked; i += Batch {
		sum += lookup(queries[i : i+Batch])
	}
	return sum
}

// measure times look-ups, a batch an iteration.
func measure[T any](b *testing.B, queries []T, lookup Lookup[T]) {
	i, sum := 0, uint64(0)
	Time(b, Batch, func() {
		sum += lookup(queries[i : i+Batch])
		i = (i + Batch) & (len(queries) - 1)
	})
	runtime.KeepAlive(sum) // or the compiler may drop what computes it
}

// Time times f, which does n look-ups, and reports the time of one in place of that of f. It also reports for which
// part of the time the program had a processor, where the system says so: if that is little then other programs kept
// it from running, and the figure says nothing about a table.
func Time(b *testing.B, n int, f func()) {
	before := processorTime()
	for b.Loop() {
		f()
	}
	if used := processorTime() - before; used > 0 {
		b.ReportMetric(100*used.Seconds()/b.Elapsed().Seconds(), "%cpu")
	}
	lookups := float64(b.N) * float64(n)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/lookups, "ns/lookup")
	b.ReportMetric(lookups/b.Elapsed().Seconds(), "lookups/s")
}
