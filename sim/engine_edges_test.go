package sim

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3/machine"
)

// With one process a run can end after any event, and what is posted from outside
// then finds its place among what waits, as it does in the reference.
func TestRunWhileIsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		ahead := machine.Duration(rapid.IntRange(1, 5000).Draw(t, "look-ahead"))
		steps := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 30).Draw(t, "events")
		want, got := newGossip(seed, 1, ahead), newGossip(seed, 1, ahead)
		r := NewReference(1, want)
		e, err := NewEngine(EngineConfig{Processes: 1, LookAhead: ahead}, got)
		if err != nil {
			t.Fatal(err)
		}
		want.begin(r.At)
		got.begin(e.At)
		for i, n := range steps {
			until := r.Now().Add(ahead * machine.Duration(100*n))
			endR := r.RunWhile(during(n, r.At, r.Now), until)
			endE := e.RunWhile(during(n, e.At, e.Now), until)
			if endR != endE || r.Now() != e.Now() || r.Handled() != e.Handled() || !slices.Equal(want.traces, got.traces) {
				t.Fatalf("run %d: %v at %d after %d events, want %v at %d after %d",
					i, endE, e.Now(), e.Handled(), endR, r.Now(), r.Handled())
			}
		}
	})
}

// during returns a condition that holds n times and posts something each other
// time: for now, soon or later.
func during(n int, at func(Process) Context, now func() machine.Time) func() bool {
	left := n
	return func() bool {
		if left--; left%2 == 0 {
			when := now().Add(machine.Duration(left * left * left))
			x := at(0)
			x.Post(0, when, 9, x.Store(when, []byte("outside"), []byte{byte(left)}))
		}
		return left >= 0
	}
}

// A run that looks after each event costs about as much as one that does not: it
// does not begin the window anew each time.
func TestRunWhileIsLinear(t *testing.T) {
	const events = 200_000 // of one window: 20 billion steps otherwise
	n := 0
	e, err := NewEngine(EngineConfig{Processes: 1}, handlerFunc(func(Context, *Event) { n++ }))
	if err != nil {
		t.Fatal(err)
	}
	for i := range machine.Time(events) {
		e.At(0).Post(0, i, 0, 0)
	}
	if e.RunWhile(func() bool { return true }, machine.Time(machine.Millisecond)) || n != events {
		t.Errorf("%d events, want %d", n, events)
	}
}

// Runs end anywhere in a window while several workers run shards; the race
// detector watches what processes keep for the rest of it.
func TestCutWindows(t *testing.T) {
	var want []uint64
	for _, cfg := range []EngineConfig{{Shards: 1}, {Shards: 7, Workers: 3}} {
		cfg.Processes, cfg.LookAhead = 2000, 1024
		g := newGossip(5, cfg.Processes, cfg.LookAhead)
		e, err := NewEngine(cfg, g)
		if err != nil {
			t.Fatal(err)
		}
		g.begin(e.At)
		for e.Now() < 40_000 {
			e.Run(e.Now() + 300)
		}
		if want == nil {
			want = g.traces
		}
		if !slices.Equal(g.traces, want) || e.Handled() < 20_000 {
			t.Errorf("%+v: %d events, and others than with one shard", cfg, e.Handled())
		}
	}
}

// What is posted for the past happens at once, at the process that it is for.
func TestPostedTooLate(t *testing.T) {
	var got []Process
	note := handlerFunc(func(_ Context, ev *Event) { got = append(got, ev.To) })
	for name, e := range bothEngines(t, EngineConfig{Processes: 3, LookAhead: 1000}, note) {
		got = nil
		e.RunWhile(nil, 5000)
		e.At(0).Post(0, 5500, 0, 0)
		e.At(2).Post(2, 10, 0, 0)
		x := e.At(1)
		x.Post(1, 20, 0, x.Store(20, []byte("late"), nil))
		e.RunWhile(nil, 5000)
		if slices.Sort(got); !slices.Equal(got, []Process{1, 2}) {
			t.Errorf("%s: events at processes %v, want 1 and 2", name, got)
		}
		if e.RunWhile(nil, 6000); len(got) != 3 {
			t.Errorf("%s: %d events in all, want 3", name, len(got))
		}
	}
}

// bothEngines returns the engine and the reference.
func bothEngines(t *testing.T, cfg EngineConfig, h Handler) map[string]engine {
	e, err := NewEngine(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]engine{"engine": e, "reference": NewReference(cfg.Processes, h)}
}

// A handler that posts from outside would post for whichever process runs there.
func TestOutsideIsOutside(t *testing.T) {
	var e engine
	reach := handlerFunc(func(_ Context, _ *Event) { e.At(0) })
	for name, x := range bothEngines(t, EngineConfig{Processes: 2, LookAhead: 1000}, reach) {
		e = x
		e.At(1).Post(1, 100, 0, 0)
		if what := panicOf(func() { e.RunWhile(nil, 1000) }); !strings.Contains(what, "from outside") {
			t.Errorf("%s: %s", name, what)
		}
	}
}

// Where there is only one process, what its handler posts so is not lost, though it
// happens in the window under way.
func TestOutsideOfOne(t *testing.T) {
	var e engine
	n := 0
	again := handlerFunc(func(c Context, ev *Event) {
		if n++; n < 10 {
			x := e.At(0)
			x.Post(0, ev.At+1, 0, x.Store(ev.At+1, []byte("x"), nil))
			c.Post(0, ev.At+1, 0, 0)
		}
	})
	for name, x := range bothEngines(t, EngineConfig{Processes: 1, LookAhead: 1000, Workers: 3}, again) {
		n, e = 0, x
		e.At(0).Post(0, 100, 0, 0)
		if e.RunWhile(nil, 5000); n != 19 {
			t.Errorf("%s: %d events, want 19", name, n)
		}
	}
}

// Bytes for ages ahead wait in slabs as others do: copies share them, they come
// out as they went in, and when all is over the memory is free again.
func TestFarBytes(t *testing.T) {
	const ahead = 16
	seen := map[string]int{}
	e, err := NewEngine(EngineConfig{Processes: 4, LookAhead: ahead}, handlerFunc(func(c Context, ev *Event) {
		seen[string(c.Bytes(ev))]++
	}))
	if err != nil {
		t.Fatal(err)
	}
	const turn = coarseSlots * fineSlots
	for _, windows := range []machine.Time{fineSlots, 3 * fineSlots, turn, 5 * turn} {
		for _, text := range []string{"some", "others"} {
			c := e.At(0)
			ref := c.Store(windows*ahead, []byte(text), nil)
			for p := range Process(4) {
				c.Post(p, windows*ahead+machine.Time(p), 0, ref)
			}
		}
	}
	e.Run(6 * turn * ahead)
	if seen["some"] != 16 || seen["others"] != 16 || len(seen) != 2 {
		t.Errorf("events came with %v, want 16 of each", seen)
	}
	w := e.workers[0]
	for slot, s := range append(w.away[:], w.slabs[:]...) {
		if len(s.blocks) > 0 {
			t.Errorf("slab %d holds %d blocks when all is over", slot, len(s.blocks))
		}
	}
	if n := len(w.blocks.first) + len(w.blocks.full); n > 6 {
		t.Errorf("%d blocks for 8 texts that were under way at four times", n)
	}
}
