package live

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"i3bench/internal/cputime"
	"i3bench/internal/hist"
)

// Limits are those beyond which a run says more about the generator than about the system.
type Limits struct {
	Late   time.Duration // p99 of how late operations are started
	Unsent float64       // share of the operations that are not started
}

// generator judges the generator so far, and begins a new span. The caller holds the lock.
func (m *Meter) generator(limits Limits, sum Operation, over bool) Generator {
	g := Generator{LateRecent: m.late.recent.Quantile(0.99), Unsent: sum.Offered - sum.Sent}
	m.late.overall.Merge(&m.late.recent)
	m.late.recent = hist.Histogram{}
	g.LateOverall = m.late.overall.Quantile(0.99)
	switch unsent := float64(g.Unsent) / float64(max(sum.Offered, 1)); {
	case sum.Sent == 0 && g.Unsent == 0:
	case unsent > limits.Unsent && over:
		g.Verdict = fmt.Sprintf("INVALID: %s not sent, allowed %s", percent(unsent), percent(limits.Unsent))
	case g.LateOverall > int64(limits.Late):
		g.Verdict = fmt.Sprintf("INVALID: p99 lateness %s, allowed %s", duration(g.LateOverall), duration(int64(limits.Late)))
	case unsent > limits.Unsent:
		g.Verdict = fmt.Sprintf("BEHIND: %s due and not sent yet", percent(unsent))
	default:
		g.Verdict = "VALID"
	}
	return g
}

// A usage is what of the machine has been used by a moment.
type usage struct {
	at           time.Time
	cpu          time.Duration // of the process
	pause        time.Duration // of the collector
	stolen, jiff uint64        // of all processors: ticks taken by the hypervisor, and all ticks
	errors       uint64        // of UDP sockets
	hasJiff      bool
	hasErrors    bool
}

// used returns what has been used by now.
func used() usage {
	u := usage{at: time.Now(), cpu: cputime.Now()}
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	u.pause = gc.PauseTotal
	u.stolen, u.jiff, u.hasJiff = stolen()
	u.errors, u.hasErrors = socketErrors()
	return u
}

// since fills in what was used since a moment before; socket errors since the first.
func (u usage) since(before, first usage, l *Load) {
	if wall := u.at.Sub(before.at); wall > 0 {
		l.Generator.CPU = float64(u.cpu-before.cpu) / float64(wall) / float64(runtime.NumCPU())
	}
	l.Generator.GC = (u.pause - before.pause).Seconds()
	if u.hasJiff && u.jiff > before.jiff {
		share := float64(u.stolen-min(u.stolen, before.stolen)) / float64(u.jiff-before.jiff)
		l.Generator.Steal = &share
	}
	if u.hasErrors {
		n := u.errors - min(u.errors, first.errors)
		l.Nodes.Kernel = &n
	}
}
