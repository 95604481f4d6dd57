package cputime

import "time"

// A Bench is what is needed of *testing.B. It is not named because programs would have package testing in them.
type Bench interface {
	ReportMetric(value float64, unit string)
}

// Start returns a function that reports the processor time since of each of n things as "cpu-ns/" and what, if the
// system says it. All threads of the program count, the garbage collector's, too.
func Start(b Bench) (report func(n int, what string)) {
	before := Now()
	return func(n int, what string) {
		if spent := Now() - before; spent > 0 && n > 0 {
			b.ReportMetric(float64(spent.Nanoseconds())/float64(n), "cpu-ns/"+what)
		}
	}
}

// Now returns the processor time that the program has had, 0 if the system does not say.
func Now() time.Duration { return now() }
