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

// stored returns how many bytes of blocks are in use in a world.
func stored(w *World) (n int) {
	for _, x := range w.engine.(*Engine).workers {
		for _, s := range append(x.slabs[:], x.away[:]...) {
			n += max(len(s.blocks)-1, 0)*blockSize + s.used
		}
	}
	return n
}

// Copies of one packet that arrive in one window are stored once, near and far
// ahead, and yet each receiver has bytes of its own to write to.
func TestCopiesShareBytes(t *testing.T) {
	for _, delay := range []machine.Duration{20 * machine.Millisecond, 30 * machine.Second} {
		w := New(Config{Network: fixed{Delay: delay}})
		a, _ := start(t, w)
		b, _ := start(t, w)
		head, packet := []byte("head "), bytes.Repeat([]byte("payload "), 125)
		var stubs []*stub
		for range 100 {
			_, s := start(t, w)
			s.receive = func(_ machine.Time, d machine.Datagram, out *machine.Outbox) {
				clear(d.Bytes[:500]) // and on it goes
				out.Forward(b.Addr(), nil, d.Bytes)
			}
			stubs = append(stubs, s)
		}
		a.Do(func(_ machine.Time, out *machine.Outbox) {
			for i := range stubs {
				out.Forward(addrOf(uint32(i+2)), head, packet)
			}
		})
		if n := stored(w); n < len(packet) || n > 2*len(packet) {
			t.Errorf("delay %d: %d bytes stored for 100 copies of %d", delay, n, len(packet))
		}
		clear(packet) // the sender's buffer is used for something else
		w.Sleep(3 * delay)
		for i, s := range stubs {
			if len(s.got) != 1 || !bytes.HasPrefix(s.got[0], []byte("head payload payload ")) {
				t.Fatalf("delay %d: stub %d got %.40q", delay, i, s.got)
			}
		}
		if c := w.Counters(); c.Delivered != 200 {
			t.Errorf("delay %d: %+v, want 200 delivered", delay, c)
		}
		if n := stored(w); n > 0 {
			t.Errorf("delay %d: %d bytes are stored when all is over", delay, n)
		}
	}
}

// Jitter makes each datagram late by U[0, Jitter), by itself, and the same in
// another run.
func TestJitter(t *testing.T) {
	const n, jitter, delay = 4000, 8 * machine.Millisecond, 5 * machine.Millisecond
	run := func(seed uint64, jitter machine.Duration) (late []machine.Duration) {
		w := New(Config{Seed: seed, Network: fixed{Delay: delay}, Jitter: jitter})
		a, _ := start(t, w)
		b, sb := start(t, w)
		late = make([]machine.Duration, n)
		sent := make([]machine.Time, n)
		sb.receive = func(now machine.Time, d machine.Datagram, _ *machine.Outbox) {
			var i int
			fmt.Sscan(string(d.Bytes), &i)
			late[i] = now.Sub(sent[i]) - delay
		}
		for i := range n {
			sent[i] = w.Now()
			send(a, b.Addr(), fmt.Sprint(i))
			w.Sleep(machine.Millisecond)
		}
		w.Sleep(machine.Second)
		return late
	}
	late := run(1, jitter)
	var counts [8]int
	reordered := 0
	for i, d := range late {
		if d < 0 || d >= jitter {
			t.Fatalf("datagram %d is %d ns late, want less than %d", i, d, jitter)
		}
		counts[d/machine.Millisecond]++
		if i > 0 && late[i-1] > d+machine.Millisecond {
			reordered++
		}
	}
	for ms, k := range counts {
		if k < n/8-100 || k > n/8+100 { // 4.8 sigma
			t.Errorf("%d of %d datagrams are %d ms late, want about an eighth", k, n, ms)
		}
	}
	// Of two numbers of U[0, 8) the first is larger by more than 1 with probability 49/128.
	if want := n * 49 / 128; reordered < want-150 || reordered > want+150 {
		t.Errorf("%d datagrams overtake the one before, want about %d: lateness is not independent", reordered, want)
	}
	if !slices.Equal(run(1, jitter), late) {
		t.Error("another run of the same seed is late otherwise")
	}
	if slices.Equal(run(2, jitter), late) {
		t.Error("another seed is late the same")
	}
	if slices.Max(run(1, 0)) != 0 {
		t.Error("late without jitter")
	}
}

// Whatever is lost on one path of a divided network says nothing of the others,
// and each loses at its own rate.
func TestLossOfPaths(t *testing.T) {
	const n = 3000
	net := newParts(4, 0.5)
	w := New(Config{Seed: 3, Network: net})
	var endpoints [4]*Endpoint
	var stubs [4]*stub
	for i := range endpoints {
		endpoints[i], stubs[i] = startIn(t, w, net)
	}
	for k := range n {
		for i := range endpoints {
			send(endpoints[i], endpoints[(i+1)%4].Addr(), fmt.Sprint(k))
		}
		w.Sleep(200 * machine.Millisecond) // in order
	}
	var rates []float64
	both := map[string]int{} // of the last two paths
	for i := range endpoints {
		got := stubs[(i+1)%4].got
		p := net.Between(int64(i), int64(i+1)%4).Loss
		if d := 1 - float64(len(got))/n - p; d*d*n > 16*p*(1-p) {
			t.Errorf("path %d loses %v too many, want %v", i, d, p)
		}
		rates = append(rates, p)
		for _, text := range got[:len(got)*(i/2)] { // none of the first two
			both[string(text)]++
		}
	}
	arrived := 0
	for _, k := range both {
		arrived += k / 2
	}
	if want := n * (1 - rates[2]) * (1 - rates[3]); math.Abs(float64(arrived)-want) > 4*math.Sqrt(want*(1-want/n)) {
		t.Errorf("%d arrive on both of two paths, want about %.0f: paths are not independent", arrived, want)
	}
	if slices.Max(rates)-slices.Min(rates) < 0.1 {
		t.Errorf("rates %v are too much alike to tell paths apart", rates)
	}
}

// A machine that was stopped is woken again when it goes on, though its deadline
// came while it was stopped.
func TestDeadlineWhileClosed(t *testing.T) {
	w := New(Config{})
	e, s := start(t, w)
	s.deadline = w.Now().Add(machine.Second)
	e.Do(func(machine.Time, *machine.Outbox) {})
	e.Close()
	w.Sleep(2 * machine.Second)
	e.Start(s)
	w.Sleep(machine.Second)
	if want := epoch.Add(2 * machine.Second); len(s.expired) != 1 || s.expired[0] != want {
		t.Errorf("woken at %v, want %d", s.expired, want)
	}
}

// A run that has found its size allocates nothing: with and without bytes, near
// and beyond the fine ring, and looked at after each event.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	const ahead = 1000
	var payload [100]byte
	for _, c := range []struct {
		name      string
		processes int
		bytes     bool
		far       uint64 // windows
		cond      func() bool
	}{
		{"plain", 200, false, 30, nil},
		{"bytes", 200, true, 30, nil},
		{"far", 200, false, 400, nil},
		{"far bytes", 200, true, 400, nil},
		{"one process", 1, true, 30, nil},
		{"one process, step by step", 1, true, 30, func() bool { return true }},
	} {
		relay := handlerFunc(func(x Context, ev *Event) {
			h := prng.Hash3(1, ev.Arg, uint64(ev.At), 3)
			at := ev.At.Add(machine.Duration(ahead + h%(ahead*c.far)))
			var ref Ref
			if c.bytes {
				ref = x.Store(at, payload[:], payload[:h%50])
			}
			x.Post(Process(h>>32)%Process(c.processes), at, h, ref)
		})
		e, err := NewEngine(EngineConfig{Processes: c.processes, LookAhead: ahead}, relay)
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(200) {
			e.At(0).Post(0, 1, i, 0)
		}
		step := func() { e.RunWhile(c.cond, e.Now()+200*ahead) }
		for range 150 {
			step()
		}
		if allocs := testing.AllocsPerRun(20, step); allocs > 1 {
			t.Errorf("%s: %v allocations in 200 windows, want none but for the odd list that grows", c.name, allocs)
		}
	}
}

// Machines that send and are woken cost no allocation either.
func TestWorldDoesNotAllocate(t *testing.T) {
	net := newParts(8, 0.1)
	w := New(Config{Network: net, Jitter: machine.Millisecond})
	for i := range 100 {
		e, err := w.Open()
		if err != nil {
			t.Fatal(err)
		}
		net.place(e.Addr())
		e.Start(&metronome{next: epoch + machine.Time(i), peer: addrOf(uint32((i + 37) % 100))})
	}
	step := func() { w.Run(w.Whole(w.Now() + 1)) }
	for range 2000 {
		step()
	}
	before := w.Counters().Delivered
	if allocs := testing.AllocsPerRun(100, step); allocs > 0.5 {
		t.Errorf("%v allocations a window, want none", allocs)
	}
	if n := w.Counters().Delivered - before; n < 1000 {
		t.Errorf("%d datagrams delivered: nothing much was run", n)
	}
}

// A metronome sends something each time that it is woken, and passes on a part of
// what it gets.
type metronome struct {
	next machine.Time
	peer netip.AddrPort
}

func (m *metronome) Receive(_ machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	if b := batch[0].Bytes; len(b) > 10 {
		out.Forward(m.peer, nil, b[10:])
	}
}

func (m *metronome) Deadline() machine.Time { return m.next }

func (m *metronome) Expire(now machine.Time, out *machine.Outbox) {
	m.next = now.Add(20 * machine.Millisecond)
	out.Send(m.peer, []byte("as long as a packet that is passed on three times"))
}
