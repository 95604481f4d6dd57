package sim

import (
	"fmt"
	"runtime"
	"testing"

	"i3bench/i3/machine"
	"i3bench/internal/cputime"
	"i3bench/internal/prng"
)

// A hold is the trivial handler of the hold model: five events wait for each
// process; each that happens changes the state of its process and causes one
// somewhere else, 10 to 60 ms later; one of five is a timer of 15 to 30 s.
type hold struct {
	states []holdState
}

// A holdState is two cache lines, the size of what a small machine keeps hot.
type holdState struct {
	draws, sum uint64
	_          [112]byte
}

const (
	holdPending = 5
	holdAhead   = 10 * machine.Millisecond
	holdTimer   = 1
)

func (h *hold) Handle(c Context, ev *Event) {
	s := &h.states[ev.To]
	s.draws++
	s.sum += uint64(ev.At)
	r := prng.Hash3(1, uint64(ev.To), s.draws, 0)
	if ev.Arg == holdTimer {
		c.Post(ev.To, ev.At.Add(15*machine.Second+machine.Duration(r%uint64(15*machine.Second))), holdTimer, 0)
		return
	}
	delay := holdAhead + machine.Duration(r&(1<<32-1))%(50*machine.Millisecond)
	c.Post(Process((r>>32)*uint64(len(h.states))>>32), ev.At.Add(delay), 0, 0)
}

// begin posts what waits at first.
func (h *hold) begin(at func(Process) Context) {
	for p := range Process(len(h.states)) {
		for k := range uint64(holdPending - 1) {
			at(p).Post(p, machine.Time(prng.Hash3(2, uint64(p), k, 0)%uint64(60*machine.Millisecond)), 0, 0)
		}
		at(p).Post(p, machine.Time(prng.Hash3(3, uint64(p), 0, 0)%uint64(30*machine.Second)), holdTimer, 0)
	}
}

// BenchmarkEngine is the rate of the engine with a handler that does next to
// nothing, beside its peer, a plain heap; make peers measures ns-3 as well. A step
// of the engine is of whole windows, and not one is too short for two workers.
func BenchmarkEngine(b *testing.B) {
	for _, processes := range []int{1 << 14, 1 << 16, 1 << 20} {
		b.Run(fmt.Sprintf("processes=%d/engine=heap", processes), func(b *testing.B) {
			before := heapInUse()
			h := &hold{states: make([]holdState, processes)}
			r := NewReference(processes, h)
			h.begin(r.At)
			r.Run(machine.Time(20 * machine.Millisecond))
			measure(b, func() uint64 {
				r.Run(r.Now().Add(machine.Millisecond))
				return r.Handled()
			})
			b.ReportMetric(float64(heapInUse()-before)/float64(processes), "B/process")
			runtime.KeepAlive(r)
		})
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("processes=%d/engine=windows/workers=%d", processes, workers), func(b *testing.B) {
				benchmarkWindows(b, processes, workers)
			})
		}
	}
}

func benchmarkWindows(b *testing.B, processes, workers int) {
	before := heapInUse()
	h := &hold{states: make([]holdState, processes)}
	e, err := NewEngine(EngineConfig{Processes: processes, LookAhead: holdAhead, Workers: workers}, h)
	if err != nil {
		b.Fatal(err)
	}
	h.begin(e.At)
	e.Run(e.end(30))
	measure(b, func() uint64 {
		e.Run(e.Now() + 4<<e.shift)
		return e.Handled()
	})
	b.ReportMetric(float64(heapInUse()-before)/float64(processes), "B/process")
	runtime.KeepAlive(e)
}

// heapInUse returns how many bytes are reachable.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// measure reports the rate of events of an engine that step runs for a while and
// returns the number of events handled so far.
func measure(b *testing.B, step func() uint64) {
	begun := step()
	events := begun
	report := cputime.Start(b)
	for b.Loop() {
		events = step()
	}
	report(int(events-begun), "event")
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64(events-begun)/seconds, "events/s")
	b.ReportMetric(seconds*1e9/float64(events-begun), "ns/event")
}

// The hold model is the one that the peer counts, too: see sim/peer/ns3.
func TestHoldIsThePeers(t *testing.T) {
	h := &hold{states: make([]holdState, 1000)}
	e, err := NewEngine(EngineConfig{Processes: 1000, LookAhead: holdAhead}, h)
	if err != nil {
		t.Fatal(err)
	}
	h.begin(e.At)
	e.Run(machine.Time(200 * machine.Millisecond))
	if e.Handled() != 21826 {
		t.Errorf("%d events in 200 ms, in the peer 21826", e.Handled())
	}
}
