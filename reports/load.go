package reports

import (
	"cmp"
	"math"
	"slices"
)

// A LoadOp describes one kind of operation offered at a fixed rate.
type LoadOp struct {
	Op        string
	Offered   int64 // operations that the schedule asked for
	Sent      int   // operations started
	Completed int
	Timeouts  int
	Errors    int // every other outcome that is not ok

	// Window is how long operations were offered, in seconds: their number times
	// the mean distance of intended times. Both rates are over it. Achieved
	// counts completions in a window of the same length that begins later by the
	// median latency, so that neither the time to the first completion nor the
	// tail after the last operation counts, and a growing backlog does.
	Window   float64
	Rate     float64 // offered per second
	Achieved float64 // completed per second

	// Response is the latency from the intended time, Service that from the
	// actual start; their difference is what waiting for the generator added.
	// Both are in nanoseconds and include timeouts and errors.
	Response, Service Distribution

	Seconds []LoadSecond
}

// A LoadSecond is what was offered and completed in one second.
type LoadSecond struct{ Second, Offered, Completed int64 }

// SummarizeLoad describes one operation from its samples and from those of kind
// [KindOffered] that name it.
func SummarizeLoad(op string, ops, offered []Sample) LoadOp {
	l := LoadOp{Op: op, Sent: len(ops)}
	var okResponse, okService, badResponse, badService []float64
	for i := range ops {
		s := &ops[i]
		switch s.Status {
		case StatusOK:
			l.Completed++
			okResponse = append(okResponse, s.Value)
			okService = append(okService, float64(s.ServiceNS))
			continue
		case StatusTimeout:
			l.Timeouts++
		default:
			l.Errors++
		}
		badResponse = append(badResponse, s.Value)
		badService = append(badService, float64(s.ServiceNS))
	}
	l.Response = NewDistribution(okResponse, badResponse)
	l.Service = NewDistribution(okService, badService)
	l.Seconds = loadSeconds(op, offered)
	for _, s := range l.Seconds {
		l.Offered += s.Offered
	}
	// An interrupted run may have operations of a second that it did not count.
	l.Offered = max(l.Offered, int64(l.Sent))
	l.rates(ops)
	return l
}

// rates computes the window and both rates.
func (l *LoadOp) rates(ops []Sample) {
	if len(ops) == 0 {
		return
	}
	first, last := int64(math.MaxInt64), int64(0)
	for i := range ops {
		first, last = min(first, ops[i].StartNS), max(last, ops[i].StartNS)
	}
	window := 1e9
	if n := float64(len(ops)); last > first {
		window = float64(last-first) * n / (n - 1)
	}
	l.Window = window / 1e9
	l.Rate = float64(l.Offered) / l.Window
	ok := l.Response.Values()[:l.Completed]
	if len(ok) == 0 {
		return
	}
	begin := float64(first) + Percentile(ok, 0.5)
	done := 0
	for i := range ops {
		end := float64(ops[i].StartNS) + ops[i].Value
		if ops[i].Status == StatusOK && end >= begin && end < begin+window {
			done++
		}
	}
	l.Achieved = float64(done) / l.Window
}

// loadSeconds returns the seconds of one operation in order. Samples that carry
// the begin of their second are placed by it; without, their order counts.
func loadSeconds(op string, offered []Sample) []LoadSecond {
	var out []LoadSecond
	timed := false
	for i := range offered {
		if s := &offered[i]; s.Group == op {
			out = append(out, LoadSecond{s.StartNS / 1e9, s.N, int64(s.Value)})
			timed = timed || s.StartNS > 0
		}
	}
	for i := range out {
		if !timed {
			out[i].Second = int64(i)
		}
	}
	slices.SortStableFunc(out, func(a, b LoadSecond) int { return cmp.Compare(a.Second, b.Second) })
	return out
}

// maxSeconds bounds the points of a time series and the rows of its table.
const maxSeconds = 120

// thin averages seconds in bins of equal length, so that at most maxSeconds
// remain, and returns the bins with rates per second.
func thin(seconds []LoadSecond) []LoadSecond {
	bin := (len(seconds) + maxSeconds - 1) / maxSeconds
	if bin <= 1 {
		return seconds
	}
	var out []LoadSecond
	for part := range slices.Chunk(seconds, bin) {
		sum := LoadSecond{Second: part[0].Second}
		for _, s := range part {
			sum.Offered += s.Offered
			sum.Completed += s.Completed
		}
		n := int64(len(part))
		out = append(out, LoadSecond{sum.Second, (sum.Offered + n/2) / n, (sum.Completed + n/2) / n})
	}
	return out
}
