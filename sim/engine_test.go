package sim

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// A gossip is a handler whose every event causes others, near and far, with and
// without bytes, as its seed says. It notes at each process what happened there.
type gossip struct {
	seed      uint64
	processes int
	ahead     machine.Duration
	traces    []uint64
	lengths   []int // of the traces
}

func newGossip(seed uint64, processes int, ahead machine.Duration) *gossip {
	g := &gossip{
		seed: seed, processes: processes, ahead: ahead, traces: make([]uint64, processes), lengths: make([]int, processes),
	}
	return g
}

// limit is how many events happen at one process: a number that does not depend
// on the order in which processes run.
const gossipLimit = 60

func (g *gossip) Handle(c Context, ev *Event) {
	t := &g.traces[ev.To]
	*t = prng.Hash4(*t, uint64(ev.At), uint64(ev.From), ev.Arg, prng.Bytes(c.Bytes(ev), nil))
	g.lengths[ev.To]++
	if g.lengths[ev.To] > gossipLimit {
		return
	}
	rng := prng.New(*t, g.seed)
	var ref Ref
	var stored machine.Time
	text := fmt.Sprint(*t, strings.Repeat("x", rng.IntN(100)))
	for range rng.IntN(4) {
		at, to := g.next(&rng, ev)
		switch {
		case rng.IntN(3) == 0:
			c.Post(to, at, rng.Uint64(), 0)
			continue
		case ref == 0 || !c.SameWindow(stored, at):
			ref, stored = c.Store(at, []byte(text[:5]), []byte(text[5:])), at
		}
		c.Post(to, at, rng.Uint64(), ref)
	}
}

// next draws where and when the next event happens: often at one time with
// others, at the process itself at once or ages later.
func (g *gossip) next(rng *prng.Source, ev *Event) (machine.Time, Process) {
	delay := machine.Duration(rng.IntN(4)) * g.ahead / 2
	switch rng.IntN(8) {
	case 0:
		delay = machine.Duration(rng.IntN(200)) * g.ahead
	case 1:
		delay = machine.Duration(rng.IntN(9000)) * g.ahead
	}
	to := ev.To
	if rng.IntN(2) == 0 {
		if to = Process(rng.IntN(g.processes)); to != ev.To {
			delay += g.ahead
		}
	}
	return ev.At.Add(delay), to
}

// An abreast gossip carries out events of several processes together, the last one
// first: their order must not matter.
type abreast struct{ *gossip }

func (g abreast) HandleAll(t Turns, events []Event) {
	var seen [beside]Process
	for i := range events {
		seen[i] = events[i].To
		if slices.Contains(seen[:i], seen[i]) || len(events) > beside {
			panic("events of one process side by side")
		}
	}
	for i := len(events) - 1; i >= 0; i-- {
		t.Turn(i)
		g.Handle(t, &events[i])
	}
}

// begin posts the first events.
func (g *gossip) begin(at func(Process) Context) {
	for p := range Process(g.processes) {
		at(p).Post(p, machine.Time(prng.Hash3(g.seed, uint64(p), 0, 0)%1000), 1, 0)
	}
}

// Every engine does at each process what the reference does, however it is
// divided, and however the time is cut into runs.
func TestEngineIsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		processes := rapid.IntRange(1, 40).Draw(t, "processes")
		ahead := machine.Duration(rapid.IntRange(1, 5000).Draw(t, "look-ahead"))
		cuts := rapid.SliceOfN(rapid.Int64Range(1, int64(40*ahead)), 1, 20).Draw(t, "cuts")
		cfg := EngineConfig{
			Processes: processes, LookAhead: ahead,
			Shards:  rapid.IntRange(1, 9).Draw(t, "shards"),
			Workers: rapid.IntRange(1, 4).Draw(t, "workers"),
		}
		want := newGossip(seed, processes, ahead)
		r := NewReference(processes, want)
		got := newGossip(seed, processes, ahead)
		var handler Handler = got
		if rapid.Bool().Draw(t, "together") {
			handler = abreast{got}
		}
		e, err := NewEngine(cfg, handler)
		if err != nil {
			t.Fatal(err)
		}
		want.begin(r.At)
		got.begin(e.At)
		now := machine.Time(0)
		for _, c := range append(cuts, int64(ahead)*100_000) {
			now += machine.Time(c)
			r.Run(now)
			e.Run(now)
			if e.Now() != now || r.Now() != now {
				t.Fatalf("it is %d and %d, want %d", e.Now(), r.Now(), now)
			}
			if !slices.Equal(got.lengths, want.lengths) {
				t.Fatalf("at %d: events at each process %v, want %v", now, got.lengths, want.lengths)
			}
			if !slices.Equal(got.traces, want.traces) {
				t.Fatalf("at %d: the order or the bytes differ", now)
			}
			at := Process(uint64(c) % uint64(processes)) // and from outside
			for _, x := range []Context{r.At(at), e.At(at)} {
				far := now.Add(ahead * machine.Duration(c%5000))
				x.Post(at, far, 7, x.Store(far, []byte("from outside"), nil))
			}
		}
		if e.Handled() != r.Handled() || e.Handled() == 0 {
			t.Fatalf("%d events, want %d", e.Handled(), r.Handled())
		}
	})
}

// A hundred thousand gossips on several workers, which the race detector watches.
func TestEngineWorkers(t *testing.T) {
	var want []uint64
	for _, cfg := range []EngineConfig{{Shards: 1}, {Shards: 2, Workers: 2}, {Shards: 7, Workers: 3}, {Workers: 2}} {
		cfg.Processes, cfg.LookAhead = 3000, 1000
		g := newGossip(3, cfg.Processes, cfg.LookAhead)
		e, err := NewEngine(cfg, g)
		if err != nil {
			t.Fatal(err)
		}
		g.begin(e.At)
		e.Run(30_000_000)
		if want == nil {
			want = g.traces
		}
		if !slices.Equal(g.traces, want) || e.Handled() < 100_000 {
			t.Errorf("%+v: %d events, and others than with one shard", cfg, e.Handled())
		}
	}
}

// An event for another process within the look-ahead is a bug of who posts it,
// and is not let through, wherever a run ends.
func TestLookAheadIsHeld(t *testing.T) {
	early := handlerFunc(func(c Context, ev *Event) {
		if ev.Arg == 1 {
			c.Post(1, ev.At+1, 2, 0)
		}
	})
	for _, until := range []machine.Time{10_000, 5_000} {
		e, err := NewEngine(EngineConfig{Processes: 2, LookAhead: 1000}, early)
		if err != nil {
			t.Fatal(err)
		}
		e.At(0).Post(0, 5000, 1, 0)
		const want = "process 0 posts to 1 for time 5001, within the look-ahead of 1000 ns"
		if what := panicOf(func() { e.Run(until) }); !strings.Contains(what, want) {
			t.Errorf("a run until %d: %s", until, what)
		}
	}
}

// panicOf returns what f panics with.
func panicOf(f func()) (what string) {
	defer func() { what = fmt.Sprint(recover()) }()
	f()
	return
}

type handlerFunc func(c Context, ev *Event)

func (f handlerFunc) Handle(c Context, ev *Event) { f(c, ev) }

func TestEngineConfig(t *testing.T) {
	for want, cfg := range map[string]EngineConfig{
		"0 processes":                 {LookAhead: 1},
		"look-ahead of 0 ns":          {Processes: 2},
		"look-ahead of -1 ns":         {Processes: 2, LookAhead: -1},
		"1 shards and 16 workers":     {Processes: 1, Shards: 1, Workers: 16},
		"-1 shards and 1 workers":     {Processes: 2, LookAhead: 1, Shards: -1},
		"sim: engine of 8 shards and": {Processes: 2, LookAhead: 1, Shards: 8, Workers: -2},
	} {
		if _, err := NewEngine(cfg, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", cfg, err, want)
		}
	}
	e, err := NewEngine(EngineConfig{Processes: 10, LookAhead: 10 * machine.Millisecond, Shards: 99}, nil)
	if err != nil || e.cfg.Shards != 10 || e.Workers() != 1 || e.end(0) != 1<<23-1 {
		t.Errorf("%+v, %v", e.cfg, err)
	}
}

// Chunks and blocks are used again: a run that goes on for long needs no more
// memory than one that has just begun.
func TestEngineReusesMemory(t *testing.T) {
	var payload [200]byte
	relay := handlerFunc(func(c Context, ev *Event) {
		at := ev.At.Add(machine.Duration(1000 + ev.Arg%30_000))
		binary.LittleEndian.PutUint64(payload[:], ev.Arg)
		c.Post(Process(ev.Arg%100), at, prng.Hash3(1, ev.Arg, 2, 3), c.Store(at, payload[:], payload[:]))
	})
	e, err := NewEngine(EngineConfig{Processes: 100, LookAhead: 1000}, relay)
	if err != nil {
		t.Fatal(err)
	}
	for p := range Process(100) {
		e.At(p).Post(p, 1, uint64(p), 0)
	}
	e.Run(2_000_000)
	if allocs := testing.AllocsPerRun(5, func() { e.Run(e.Now() + 200_000) }); allocs > 2 {
		t.Errorf("%v allocations in 200 windows, want none but for the odd list that grows", allocs)
	}
}
