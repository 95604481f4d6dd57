package loadgen

import (
	"math"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"i3bench/internal/hist"
)

// A Health says how the platform and the runtime behaved while load was offered, so
// that a stall of theirs is not taken for one of the system.
type Health struct {
	// Hiccups are how late, in nanoseconds, sleeps of a millisecond ended on a thread
	// that does nothing else. Nobody but the platform, and a process that keeps all
	// processors busy, makes it late.
	Hiccups hist.Histogram

	// Pauses is how often the garbage collector stopped the program; LongestPause at
	// most how long, as exact as the runtime counts (some 10 %).
	Pauses       uint64
	LongestPause time.Duration

	// Steal is the share of the time of all processors that the hypervisor gave to
	// others; negative where the system does not tell.
	Steal float64

	// Busy is the share of that time in which processors were not idle, whoever had
	// them; negative where the system does not tell.
	Busy float64
}

// A Second is what the thread that only sleeps saw in one second.
type Second struct {
	Index   int64         // since the watch began
	Sleeps  int64         // that ended in it
	Longest time.Duration // the latest end of a sleep, after the time that was asked for
}

// A Watch watches platform and runtime until it is stopped.
type Watch struct {
	stop, done chan struct{}
	health     Health
	ticks      ticks // when it began
	pauses     *metrics.Float64Histogram
}

// nap is how long the thread that only sleeps does so at a time.
const nap = time.Millisecond

// StartWatch begins to watch. each is told of every second that is over, the last one
// included, on a goroutine of the watch; nil if nobody wants to know.
func StartWatch(each func(Second)) *Watch {
	w := &Watch{stop: make(chan struct{}), done: make(chan struct{}), ticks: readTicks(), pauses: gcPauses()}
	if each == nil {
		each = func(Second) {}
	}
	go w.sleep(each)
	return w
}

// Stop ends the watch and returns what it has seen.
func (w *Watch) Stop() Health {
	close(w.stop)
	<-w.done
	w.health.Pauses, w.health.LongestPause = newPauses(w.pauses, gcPauses())
	later := readTicks()
	w.health.Steal = w.ticks.share(later, func(t ticks) uint64 { return t.steal })
	w.health.Busy = w.ticks.share(later, func(t ticks) uint64 { return t.all - t.idle })
	return w.health
}

// sleep sleeps and notes how late each sleep ended.
func (w *Watch) sleep(each func(Second)) {
	defer close(w.done)
	defer dedicateThread()()
	var clock systemClock
	begin := clock.Now()
	var now Second
	for {
		before := clock.Now()
		clock.Sleep(nap)
		end := clock.Now()
		if index := int64(end.Sub(begin) / time.Second); index != now.Index {
			each(now)
			now = Second{Index: index}
		}
		late := max(end.Sub(before)-nap, 0) // a signal may end a sleep early
		now.Sleeps++
		now.Longest = max(now.Longest, late)
		w.health.Hiccups.Record(int64(late))
		select {
		case <-w.stop:
			each(now)
			return
		default:
		}
	}
}

// gcPauses returns how long the collector has stopped the program so far, or nil where
// the runtime does not tell.
func gcPauses() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindFloat64Histogram {
		return nil
	}
	return s[0].Value.Float64Histogram()
}

// newPauses returns how many pauses came between two readings, and the upper end of the
// bucket with the longest.
func newPauses(before, after *metrics.Float64Histogram) (n uint64, longest time.Duration) {
	if before == nil || after == nil {
		return 0, 0
	}
	for i, count := range after.Counts {
		if count -= before.Counts[i]; count == 0 {
			continue
		}
		n += count
		end := after.Buckets[i+1]
		if math.IsInf(end, 1) {
			end = after.Buckets[i]
		}
		longest = time.Duration(end * float64(time.Second))
	}
	return n, longest
}

// ticks are the times of all processors since the machine started.
type ticks struct{ steal, idle, all uint64 }

// share returns the part of the time between two readings that was of a kind, or -1.
func (t ticks) share(later ticks, of func(ticks) uint64) float64 {
	if later.all <= t.all || of(later) < of(t) {
		return -1
	}
	return float64(of(later)-of(t)) / float64(later.all-t.all)
}

// readTicks returns the times as they are now; none where the system does not tell.
func readTicks() ticks {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ticks{}
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return parseTicks(line)
}

// parseTicks reads the first line of /proc/stat, which has ten numbers: in the fourth and
// fifth nothing was done, the eighth is what was stolen, and the last two are part of the
// first two.
func parseTicks(line string) (t ticks) {
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return ticks{}
	}
	for i, text := range fields[1:9] {
		v, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return ticks{}
		}
		t.all += v
		switch i {
		case 3, 4:
			t.idle += v
		case 7:
			t.steal = v
		}
	}
	return t
}
