package cluster

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3/machine"
)

// TestDeadlinesAgainstModel compares the queue with a map from endpoint to the earliest time it was set to.
func TestDeadlinesAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q deadlines
		model := make(map[*Endpoint]machine.Time)
		all := make([]*Endpoint, 6)
		for i := range all {
			all[i] = new(Endpoint)
		}
		first := func() machine.Time {
			at := machine.Never
			for _, x := range model {
				at = min(at, x)
			}
			return at
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				e := rapid.SampledFrom(all).Draw(t, "endpoint")
				at := machine.Time(rapid.Int64Range(-5, 50).Draw(t, "at"))
				if rapid.IntRange(0, 9).Draw(t, "never") == 0 {
					at = machine.Never
				}
				old, queued := model[e]
				earlier := at != machine.Never && (!queued || at < old)
				if earlier {
					model[e] = at
				}
				if got := q.set(e, at); got != earlier {
					t.Fatalf("set(%d) over %d, queued %v: %v", at, old, queued, got)
				}
			},
			"due": func(t *rapid.T) {
				now := machine.Time(rapid.Int64Range(-5, 50).Draw(t, "now"))
				e := q.due(now)
				switch at, queued := model[e]; {
				case e == nil && first() <= now:
					t.Fatalf("due(%d) is nil, the first is due at %d", now, first())
				case e != nil && (!queued || at != first() || at > now):
					t.Fatalf("due(%d) is due at %d, queued %v, the first at %d", now, at, queued, first())
				}
				delete(model, e)
			},
			"": func(t *rapid.T) {
				if q.next() != first() || len(q.heap) != len(model) {
					t.Fatalf("next %d of %d, expected %d of %d", q.next(), len(q.heap), first(), len(model))
				}
			},
		})
	})
}

// A machine with one far and many near timers takes one place in the queue: entries do not pile up until the far time.
func TestDeadlinesStayFew(t *testing.T) {
	var q deadlines
	e := new(Endpoint)
	for now := machine.Time(1); now < 1000; now++ {
		q.set(e, now+1_000_000)
		q.set(e, now)
		if q.due(now) != e {
			t.Fatalf("not due at %d", now)
		}
		if len(q.heap) > 1 {
			t.Fatalf("one endpoint takes %d places", len(q.heap))
		}
	}
}

// TestDelayLineAgainstModel compares the line with a list that is sorted by time and, for equal times, arrival.
func TestDelayLineAgainstModel(t *testing.T) {
	type entry struct {
		at   machine.Time
		text string
	}
	rapid.Check(t, func(t *rapid.T) {
		var l delayLine
		var model []entry
		now, serial := machine.Time(1), 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			for range rapid.IntRange(0, 4).Draw(t, "arrivals") {
				b, at := l.buffer(), now+machine.Time(rapid.IntRange(0, 20).Draw(t, "delay"))
				if len(b) != bufferSize {
					t.Fatalf("a buffer of %d bytes, expected %d", len(b), bufferSize)
				}
				serial++
				text := fmt.Sprintf("%d|%d", serial, at)
				if !l.put(at, machine.Datagram{Bytes: b[:copy(b, text)]}) {
					t.Fatal("no room")
				}
				model = append(model, entry{at, text})
			}
			now += machine.Time(rapid.IntRange(0, 10).Draw(t, "time"))
			slices.SortStableFunc(model, func(a, b entry) int { return int(a.at - b.at) })
			got := l.due(now, nil)
			for i, d := range got {
				if i >= len(model) || string(d.Bytes) != model[i].text || model[i].at > now {
					t.Fatalf("at %d: %q is due, model %v", now, d.Bytes, model)
				}
			}
			if model = model[len(got):]; len(model) > 0 && model[0].at <= now {
				t.Fatalf("at %d: %v is not due", now, model[0])
			}
			want := machine.Never
			if len(model) > 0 {
				want = model[0].at
			}
			if l.next() != want {
				t.Fatalf("next %d, expected %d", l.next(), want)
			}
			l.recycle()
		}
	})
}

// The line has bounded room: what comes when it is full is refused, and there is room again when something has left.
func TestDelayLineIsBounded(t *testing.T) {
	var l delayLine
	for i := range maxDelayed {
		if !l.put(machine.Time(i), machine.Datagram{}) {
			t.Fatalf("no room for datagram %d of %d", i, maxDelayed)
		}
	}
	if l.put(5, machine.Datagram{}) {
		t.Errorf("a full line took another")
	}
	if got := len(l.due(9, nil)); got != 10 {
		t.Errorf("%d due, expected 10", got)
	}
	if !l.put(5, machine.Datagram{}) {
		t.Error("no room after some have left")
	}
}

// Buffers are used again, but only after recycle: until then they are the machine's.
func TestDelayLineRecycles(t *testing.T) {
	var l delayLine
	b := l.buffer()
	l.put(1, machine.Datagram{Bytes: b[:3]})
	l.due(1, nil)
	if c := l.buffer(); &c[0] == &b[0] {
		t.Error("a buffer was handed out while it was in use")
	}
	l.recycle()
	if c := l.buffer(); &c[0] != &b[0] || len(c) != bufferSize {
		t.Error("a buffer was not used again, or not whole")
	}
}

// Losses are drawn for each path by itself: a function of seed, path and position. The memory for it is bounded.
func TestLossesAreDrawnByPath(t *testing.T) {
	to := netip.MustParseAddrPort("127.1.0.1:1")
	path := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 9)
	}
	draw := func(seed uint64, from []int) map[int]string {
		var l delayLine
		drawn := make(map[int]string)
		for _, i := range from {
			drawn[i] += fmt.Sprint(l.lost(seed, path(i), to, 0.5))
		}
		return drawn
	}
	var alone, mixed []int
	for n := range 50 {
		alone = append(alone, 1)
		mixed = append(mixed, 2, 1, 3+n%2)
	}
	if a, b := draw(1, alone)[1], draw(1, mixed)[1]; a != b {
		t.Errorf("what is lost of one path depends on the others:\n%s\n%s", a, b)
	}
	if a, b := draw(1, mixed), draw(2, mixed); a[1] == b[1] || a[1] == a[2] {
		t.Error("other seeds or paths lose the same")
	}
	var l delayLine
	for i := range 3 * maxPeers {
		l.lost(1, path(i), to, 0.5)
		if l.lost(1, path(i), to, 0) {
			t.Fatal("a path without loss loses")
		}
		if len(l.offered) > maxPeers+1 {
			t.Fatalf("%d paths are remembered, at most %d", len(l.offered), maxPeers)
		}
	}
}
