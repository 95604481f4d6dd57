package tablebench

import "time"

// A Timing is how long look-ups took.
type Timing struct {
	Lookups   int
	Wall      time.Duration
	Processor time.Duration // for which the program had a processor; 0: the system does not say
}

// NS returns the time of a look-up in nanoseconds.
func (t Timing) NS() float64 { return float64(t.Wall.Nanoseconds()) / float64(t.Lookups) }

// Share returns for how many percent of the time the program had a processor, 0 if that is not known.
func (t Timing) Share() float64 { return 100 * t.Processor.Seconds() / t.Wall.Seconds() }

// look is how many calls pass between two looks at the clock: so many that a look costs next to nothing, and so few
// that they take less than a millisecond.
const look = 16

// For calls f, which does n look-ups, for as long as it is told to and a little longer, or until stop says so.
func For(d time.Duration, n int, stop func() bool, f func()) (t Timing) {
	before, begun := processorTime(), time.Now()
	for t.Wall < d && !stop() {
		for range look {
			f()
		}
		t.Lookups += look * n
		t.Wall = time.Since(begun)
	}
	t.Processor = processorTime() - before
	return t
}
