package sim

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// A stub is a machine that notes what happens to it and answers as told.
type stub struct {
	seen     []string
	got      [][]byte
	deadline machine.Time
	expired  []machine.Time
	receive  func(now machine.Time, d machine.Datagram, out *machine.Outbox)
	expire   func(now machine.Time, out *machine.Outbox)
}

func newStub() *stub { return &stub{deadline: machine.Never} }

func (s *stub) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	for _, d := range batch {
		s.seen = append(s.seen, fmt.Sprintf("%d:%s", now.Sub(epoch), d.Bytes))
		s.got = append(s.got, bytes.Clone(d.Bytes))
		if s.receive != nil {
			s.receive(now, d, out)
		}
	}
}

func (s *stub) Deadline() machine.Time { return s.deadline }

func (s *stub) Expire(now machine.Time, out *machine.Outbox) {
	s.expired = append(s.expired, now)
	s.deadline = machine.Never
	if s.expire != nil {
		s.expire(now, out)
	}
}

// A fixed network gives every path the same delay and loss.
type fixed machine.Path

func (f fixed) Path(_, _ netip.AddrPort) machine.Path { return machine.Path(f) }

// start opens an endpoint and runs a stub there.
func start(t testing.TB, w *World) (*Endpoint, *stub) {
	t.Helper()
	e, err := w.Open()
	if err != nil {
		t.Fatal(err)
	}
	s := newStub()
	e.Start(s)
	return e, s
}

// send makes an endpoint send one datagram.
func send(from *Endpoint, to netip.AddrPort, text string) {
	from.Do(func(_ machine.Time, out *machine.Outbox) { out.Send(to, []byte(text)) })
}

// Datagrams arrive after their delay, those of one path in order, and are what
// was sent.
func TestDelivery(t *testing.T) {
	w := New(Config{Network: fixed{Delay: 5 * machine.Millisecond}})
	a, _ := start(t, w)
	b, got := start(t, w)
	send(a, b.Addr(), "one")
	w.Sleep(machine.Millisecond)
	send(a, b.Addr(), "two")
	w.Sleep(machine.Millisecond)
	if len(got.seen) > 0 {
		t.Errorf("arrived before its time: %q", got.seen)
	}
	w.Sleep(10 * machine.Millisecond)
	if want := []string{"5000000:one", "6000000:two"}; !slices.Equal(got.seen, want) {
		t.Errorf("arrived %q, want %q", got.seen, want)
	}
	if c := w.Counters(); c.Offered != 2 || c.Delivered != 2 || c.Events != 2 {
		t.Errorf("counters %+v, want 2 offered, delivered, events", c)
	}
	if now := w.Now().Sub(epoch); now != 12*machine.Millisecond {
		t.Errorf("it is %d ns, want 12 ms", now)
	}
}

// Even a path without delay takes time, so that cause comes before effect.
func TestNothingIsInstant(t *testing.T) {
	w := New(Config{Network: fixed{}})
	a, sa := start(t, w)
	b, sb := start(t, w)
	n := 0
	back := func(to *Endpoint) func(machine.Time, machine.Datagram, *machine.Outbox) {
		return func(_ machine.Time, _ machine.Datagram, out *machine.Outbox) {
			n++
			out.Send(to.Addr(), []byte("ball"))
		}
	}
	sa.receive, sb.receive = back(b), back(a)
	send(a, b.Addr(), "ball")
	w.Sleep(1000) // ns: without this rule it would never end
	if n != 1000 {
		t.Errorf("the ball was played %d times in 1000 ns, want 1000", n)
	}
}

// A copy that aliases what was received leaves as it was, whatever its buffer is
// used for next.
func TestForwardKeepsBytes(t *testing.T) {
	w := New(Config{})
	a, _ := start(t, w)
	b, sb := start(t, w)
	c, sc := start(t, w)
	template := []byte("new ")
	sb.receive = func(_ machine.Time, d machine.Datagram, out *machine.Outbox) {
		out.Forward(c.Addr(), template, d.Bytes[4:])
		out.Forward(c.Addr(), nil, d.Bytes)
	}
	for i := range 5 {
		send(a, b.Addr(), fmt.Sprintf("old body %d", i))
	}
	w.Sleep(machine.Second)
	for i := range 5 {
		for k, want := range []string{"new body %d", "old body %d"} {
			if got := string(sc.got[2*i+k]); got != fmt.Sprintf(want, i) {
				t.Errorf("copy %d of packet %d is %q", k, i, got)
			}
		}
	}
}

// A machine is woken when its deadline comes, not before, not twice, also when it
// has moved.
func TestDeadlines(t *testing.T) {
	w := New(Config{})
	e, s := start(t, w)
	set := func(d machine.Duration) {
		e.Do(func(now machine.Time, _ *machine.Outbox) { s.deadline = now.Add(d) })
	}
	at := func(ms ...int) []machine.Time {
		var ts []machine.Time
		for _, m := range ms {
			ts = append(ts, epoch.Add(machine.Duration(m)*machine.Millisecond))
		}
		return ts
	}
	set(10 * machine.Millisecond)
	w.Sleep(9 * machine.Millisecond)
	if len(s.expired) > 0 {
		t.Errorf("woken at %v, before the deadline", s.expired)
	}
	w.Sleep(21 * machine.Millisecond) // 30
	set(20 * machine.Millisecond)
	set(5 * machine.Millisecond) // earlier
	w.Sleep(10 * machine.Millisecond)
	set(5 * machine.Millisecond)
	set(30 * machine.Millisecond) // later: the machine may be asked at 45 too
	w.Sleep(60 * machine.Millisecond)
	set(-50 * machine.Millisecond) // overdue: at once
	w.Sleep(machine.Millisecond)
	if want := at(10, 35, 70, 100); !slices.Equal(s.expired, want) {
		t.Errorf("woken at %v, want %v", s.expired, want)
	}
}

// What is sent to an endpoint whose machine is gone, or to nowhere, is counted
// and dropped; a new machine there gets what arrives from then on.
func TestClose(t *testing.T) {
	w := New(Config{})
	a, _ := start(t, w)
	b, sb := start(t, w)
	b.Do(func(now machine.Time, _ *machine.Outbox) { sb.deadline = now.Add(machine.Second) })
	send(a, b.Addr(), "under way")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	send(a, b.Addr(), "too late")
	send(a, netip.MustParseAddrPort("10.9.9.9:9"), "to nowhere")
	w.Sleep(2 * machine.Second)
	if len(sb.seen)+len(sb.expired) > 0 {
		t.Errorf("a closed machine got %q and was woken at %v", sb.seen, sb.expired)
	}
	if c := w.Counters(); c.NoHost != 3 || c.Delivered != 0 {
		t.Errorf("counters %+v, want 3 for no host", c)
	}
	again := newStub()
	again.deadline = w.Now().Add(machine.Second)
	b.Start(again)
	send(a, b.Addr(), "hello")
	w.Sleep(2 * machine.Second)
	if len(again.seen) != 1 || len(again.expired) != 1 || len(sb.seen) > 0 {
		t.Errorf("the new machine got %q and was woken at %v, want one of each", again.seen, again.expired)
	}
}

// A filter sees what arrives before the machine does, and can drop it.
func TestFilter(t *testing.T) {
	w := New(Config{})
	a, _ := start(t, w)
	b, sb := start(t, w)
	b.SetFilter(func(d machine.Datagram) bool { return d.From == a.Addr() && string(d.Bytes) != "no" })
	send(a, b.Addr(), "yes")
	send(a, b.Addr(), "no")
	w.Sleep(machine.Second)
	b.SetFilter(nil)
	send(a, b.Addr(), "no")
	w.Sleep(machine.Second)
	if len(sb.got) != 2 || string(sb.got[0]) != "yes" || string(sb.got[1]) != "no" {
		t.Errorf("got %q, want yes and the second no", sb.got)
	}
	if c := w.Counters(); c.Filtered != 1 || c.Delivered != 2 {
		t.Errorf("counters %+v, want 1 filtered, 2 delivered", c)
	}
}

// RunWhile ends when the condition does, or the time is up, and says which.
func TestRunWhile(t *testing.T) {
	w := New(Config{})
	a, _ := start(t, w)
	b, sb := start(t, w)
	for range 5 {
		send(a, b.Addr(), "x")
		w.Sleep(machine.Microsecond)
	}
	until := w.Now().Add(machine.Second)
	if !w.RunWhile(func() bool { return len(sb.got) < 3 }, until) || len(sb.got) != 3 || w.Now() >= until {
		t.Errorf("%d datagrams at %d, want to stop at the third", len(sb.got), w.Now())
	}
	if w.RunWhile(func() bool { return len(sb.got) < 6 }, until) || len(sb.got) != 5 || w.Now() != until {
		t.Errorf("%d datagrams at %d, want 5 and the whole second", len(sb.got), w.Now())
	}
	w.Run(until.Add(-machine.Millisecond))
	if w.Now() != until {
		t.Error("time runs backwards")
	}
}

// Of n datagrams on a path of loss p about np are lost, on each path others, and
// each time the same ones.
func TestLossRate(t *testing.T) {
	const n = 4_000
	lost := func(seed uint64, p float64) (paths [2]map[int]bool) {
		w := New(Config{Seed: seed, Network: fixed{Loss: p}})
		a, _ := start(t, w)
		for k := range paths {
			b, sb := start(t, w)
			for i := range n {
				send(a, b.Addr(), fmt.Sprint(i))
				w.Sleep(2)
			}
			paths[k] = map[int]bool{}
			next := 0
			for i := range n {
				if next < len(sb.got) && string(sb.got[next]) == fmt.Sprint(i) {
					next++
				} else {
					paths[k][i] = true
				}
			}
		}
		if c := w.Counters(); int(c.Lost) != len(paths[0])+len(paths[1]) || c.Lost+c.Delivered != 2*n {
			t.Errorf("counters %+v, but %d and %d lost", c, len(paths[0]), len(paths[1]))
		}
		return paths
	}
	for _, p := range []float64{0, 0.01, 0.3, 1} {
		paths := lost(1, p)
		sigma := math.Sqrt(p * (1 - p) * n)
		for k := range paths {
			if off := math.Abs(float64(len(paths[k])) - p*n); off > 4*sigma {
				t.Errorf("loss %v: %d of %d lost, %.1f sigma off", p, len(paths[k]), n, off/sigma)
			}
		}
		both := 0
		for i := range paths[0] {
			if paths[1][i] {
				both++
			}
		}
		if want, sigma := p*p*n, math.Sqrt(p*p*(1-p*p)*n); math.Abs(float64(both)-want) > 4*sigma {
			t.Errorf("loss %v: %d lost on both paths, want about %.0f: paths are not independent", p, both, want)
		}
		again := lost(1, p)
		if len(again[0]) != len(paths[0]) || len(again[1]) != len(paths[1]) {
			t.Errorf("loss %v: another run of the same seed loses others", p)
		}
	}
	if a, b := lost(1, 0.3), lost(2, 0.3); len(a[0]) == len(b[0]) && len(a[1]) == len(b[1]) {
		t.Error("another seed loses as many on both paths")
	}
}

// hashOf runs a small random world and returns its trace.
func hashOf(seed uint64, change func(*World, *Endpoint, *Endpoint)) string {
	w := New(Config{Seed: seed, Network: fixed{Delay: machine.Millisecond, Loss: 0.5}})
	a, _ := w.Open()
	b, _ := w.Open()
	a.Start(newStub())
	b.Start(newStub())
	rng := prng.New(5, 0)
	for range 50 {
		send(a, b.Addr(), fmt.Sprint(rng.Uint64()))
		w.Sleep(machine.Duration(rng.IntN(1000)))
	}
	if change != nil {
		change(w, a, b)
	}
	w.Sleep(machine.Second)
	return w.TraceHash()
}

// The trace tells runs apart that differ in anything: a byte, a time, a loss, an
// address; and equal runs have equal traces.
func TestTraceHash(t *testing.T) {
	base := hashOf(1, nil)
	if again := hashOf(1, nil); again != base {
		t.Error("two equal runs have different traces")
	}
	lossless := func(w *World) { w.cfg.Network = fixed{} }
	lossy := func(w *World) { w.cfg.Network = fixed{Loss: 1} }
	forward := func(body string) func(*World, *Endpoint, *Endpoint) {
		return func(w *World, a, b *Endpoint) {
			lossy(w)
			a.Do(func(_ machine.Time, out *machine.Outbox) { out.Forward(b.Addr(), []byte("head"), []byte(body)) })
		}
	}
	seen := map[string]string{base: "nothing more"}
	for name, change := range map[string]func(*World, *Endpoint, *Endpoint){
		"one more":             func(w *World, a, b *Endpoint) { lossless(w); send(a, b.Addr(), "x") },
		"another byte":         func(w *World, a, b *Endpoint) { lossless(w); send(a, b.Addr(), "y") },
		"later":                func(w *World, a, b *Endpoint) { lossless(w); w.Sleep(1); send(a, b.Addr(), "x") },
		"the other way":        func(w *World, a, b *Endpoint) { lossless(w); send(b, a.Addr(), "x") },
		"lost":                 func(w *World, a, b *Endpoint) { lossy(w); send(a, b.Addr(), "x") },
		"lost copy":            forward("body"),
		"lost copy, other end": forward("BODY"),
	} {
		h := hashOf(1, change)
		if other, dup := seen[h]; dup {
			t.Errorf("the trace does not tell %q from %q", name, other)
		}
		seen[h] = name
	}
	if hashOf(2, nil) == base {
		t.Error("another seed has the same trace")
	}
}
