package tablebench

import (
	"runtime/debug"
	"time"
)

// A Bench is what is needed of *testing.B, which is the one type that is meant. It is not named because programs that
// use the job, too, would have package testing in them.
type Bench[B any] interface {
	Run(name string, f func(B)) bool
	Loop() bool
	Elapsed() time.Duration
	ReportMetric(value float64, unit string)
	Fatal(args ...any)
}

// sizes are those of the tables, as the names of benchmarks say them.
var sizes = []struct {
	name string
	n    int
}{{"1e3", 1e3}, {"1e5", 1e5}, {"1e6", 1e6}, {"1e7", 1e7}}

// Run measures a table: for each size it calls build and then times what build returns with every kind of look-ups.
// What the benchmark's pattern leaves out is not built. The function of translates an identifier to the table's type.
func Run[T any, B Bench[B]](b B, of func(ID) T, build func(b B, n int) Lookup[T]) {
	run(b, true, of, build)
}

// RunUnchecked is [Run] for what only does a part of the job, and whose sums therefore mean nothing.
func RunUnchecked[T any, B Bench[B]](b B, of func(ID) T, build func(b B, n int) Lookup[T]) {
	run(b, false, of, build)
}

func run[T any, B Bench[B]](b B, check bool, of func(ID) T, build func(b B, n int) Lookup[T]) {
	for _, size := range sizes {
		b.Run("n="+size.name, func(b B) {
			debug.FreeOSMemory() // what was measured before is garbage now
			lookup := build(b, size.n)
			for _, job := range jobs(size.n) {
				b.Run(job.String(), func(b B) {
					queries := Draw(job, of)
					if err := queries.Check(lookup); check && err != nil {
						b.Fatal(err)
					}
					Settle()
					Time(b, Batch, queries.Walk(lookup))
				})
			}
		})
	}
}

// Time times f, which does n look-ups, and reports the time of one in place of that of f. It also reports for which
// part of the time the program had a processor, where the system says so: if that is little then other programs kept
// it from running, and the figure says nothing about a table.
func Time[B Bench[B]](b B, n int, f func()) {
	before, lookups := processorTime(), 0
	for b.Loop() {
		f()
		lookups += n
	}
	t := Timing{lookups, b.Elapsed(), processorTime() - before}
	if t.Processor > 0 {
		b.ReportMetric(t.Share(), "%cpu")
		b.ReportMetric(float64(t.Processor.Nanoseconds())/float64(lookups), "cpu-ns/lookup")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(t.NS(), "ns/lookup")
	b.ReportMetric(float64(lookups)/t.Wall.Seconds(), "lookups/s")
}
