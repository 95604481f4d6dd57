package sim

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// parts is a divided network of a few processes: endpoints are placed in turn,
// two of one process are near each other, and each pair of others has a delay and
// a loss rate of its own.
type parts struct {
	processes int
	loss      float64 // of each path: U[0, loss)
	places    map[netip.AddrPort]int64
}

const partsAhead = 5 * machine.Millisecond

func newParts(processes int, loss float64) *parts {
	return &parts{processes: processes, loss: loss, places: map[netip.AddrPort]int64{}}
}

func (p *parts) place(a netip.AddrPort) { p.places[a] = int64(len(p.places)) }

func (p *parts) Place(a netip.AddrPort) (int64, bool) {
	place, ok := p.places[a]
	return place, ok
}

func (p *parts) Path(from, to netip.AddrPort) machine.Path {
	a, okA := p.places[from]
	b, okB := p.places[to]
	if !okA || !okB {
		return machine.Path{Delay: partsAhead}
	}
	return p.Between(a, b)
}

func (p *parts) Between(from, to int64) machine.Path {
	if p.ProcessOf(from) == p.ProcessOf(to) {
		return machine.Path{}
	}
	h := prng.Hash3(7, uint64(min(from, to)), uint64(max(from, to)), 0)
	return machine.Path{
		Delay: partsAhead + machine.Duration(h%uint64(20*partsAhead)),
		Loss:  p.loss * prng.Unit(prng.Hash3(8, uint64(from), uint64(to), 0)),
	}
}

func (p *parts) ProcessOf(place int64) int   { return int(place) % p.processes }
func (p *parts) Processes() int              { return p.processes }
func (p *parts) LookAhead() machine.Duration { return partsAhead }

// startIn opens an endpoint, places it and runs a stub there.
func startIn(t testing.TB, w *World, p *parts) (*Endpoint, *stub) {
	t.Helper()
	e, err := w.Open()
	if err != nil {
		t.Fatal(err)
	}
	p.place(e.Addr())
	s := newStub()
	e.Start(s)
	return e, s
}

// chatter makes every stub answer what it gets, now and later, to others.
func chatter(endpoints []*Endpoint, stubs []*stub) {
	for i, s := range stubs {
		rng := prng.New(uint64(i), 1)
		someone := func() netip.AddrPort {
			if rng.IntN(20) == 0 {
				return netip.MustParseAddrPort("10.200.0.1:3000") // where nobody is
			}
			return endpoints[rng.IntN(len(endpoints))].Addr()
		}
		talk := func(now machine.Time, out *machine.Outbox, body []byte) {
			for range rng.IntN(3) {
				out.Forward(someone(), []byte{byte(i)}, body)
			}
			s.deadline = now.Add(machine.Duration(rng.IntN(int(80 * machine.Millisecond))))
		}
		s.receive = func(now machine.Time, d machine.Datagram, out *machine.Outbox) {
			if d.Bytes[0]++; len(d.Bytes) > 60 {
				d.Bytes = d.Bytes[:10]
			}
			talk(now, out, d.Bytes)
		}
		s.expire = func(now machine.Time, out *machine.Outbox) {
			out.Send(someone(), fmt.Append(nil, "timer ", now))
			talk(now, out, []byte("news"))
		}
		s.deadline = epoch.Add(machine.Duration(rng.IntN(1_000_000)))
	}
}

// runParts runs a chattering world of 40 endpoints for a second, with commands,
// crashes, restarts and filters, and returns it.
func runParts(t *testing.T, cfg Config) *World {
	t.Helper()
	net := newParts(9, 0.3)
	cfg.Network, cfg.Jitter = net, 3*machine.Millisecond
	w := New(cfg)
	var endpoints []*Endpoint
	var stubs []*stub
	for range 40 {
		e, s := startIn(t, w, net)
		endpoints, stubs = append(endpoints, e), append(stubs, s)
	}
	chatter(endpoints, stubs)
	for _, e := range endpoints {
		e.Do(func(machine.Time, *machine.Outbox) {}) // the deadlines
	}
	rng := prng.New(cfg.Seed, 9)
	for range 50 {
		w.Sleep(machine.Duration(rng.IntN(int(40 * machine.Millisecond))))
		i := rng.IntN(len(endpoints))
		e := endpoints[i]
		switch rng.IntN(4) {
		case 0:
			e.Close()
		case 1:
			e.Start(stubs[i])
		case 2:
			e.SetFilter(func(d machine.Datagram) bool { return d.Bytes[0]%2 == 0 })
		default:
			send(e, endpoints[rng.IntN(len(endpoints))].Addr(), "command")
		}
	}
	return w
}

// A divided world does what its reference does, whoever runs it, and knows at any
// time where every datagram is.
func TestDividedIsReference(t *testing.T) {
	for seed := range uint64(10) {
		want := runParts(t, Config{Seed: seed, Reference: true})
		for _, cfg := range []Config{{}, {Shards: 1}, {Shards: 2, Workers: 2}, {Shards: 7, Workers: 3}} {
			cfg.Seed = seed
			got := runParts(t, cfg)
			if got.TraceHash() != want.TraceHash() || got.Counters() != want.Counters() || got.Now() != want.Now() {
				t.Errorf("%+v: trace %.8s, %+v, want %.8s, %+v",
					cfg, got.TraceHash(), got.Counters(), want.TraceHash(), want.Counters())
			}
			if c, waits := got.Counters(), underWay(got); c.Offered != c.Delivered+c.Lost+c.NoHost+c.Filtered+waits {
				t.Errorf("%+v: %+v and %d under way do not add up", cfg, c, waits)
			} else if waits == 0 || c.Delivered == 0 || c.Lost == 0 || c.NoHost == 0 || c.Filtered == 0 {
				t.Errorf("%+v: %+v and %d under way: want some of each", cfg, c, waits)
			}
		}
	}
}

// underWay counts the datagrams in the rings of a world.
func underWay(w *World) (n uint64) {
	count := func(events []Event) {
		for _, e := range events {
			if e.Arg&timerEvent == 0 {
				n++
			}
		}
	}
	for _, x := range w.engine.(*Engine).workers {
		for slot := range x.fine {
			for s := range x.fine[slot] {
				x.fine[slot][s].runs(count)
			}
		}
		for slot := range x.coarse {
			x.coarse[slot].runs(count)
		}
	}
	return n
}

// An endpoint that the network does not know is a look-ahead from everybody.
func TestUnplaced(t *testing.T) {
	net := newParts(4, 0)
	w := New(Config{Network: net})
	known, sk := startIn(t, w, net)
	startIn(t, w, net)
	far, _ := startIn(t, w, net)
	lost, sl := start(t, w)
	other, so := start(t, w)
	send(lost, known.Addr(), "in")
	send(far, lost.Addr(), "out")
	send(lost, other.Addr(), "beside")
	w.Sleep(machine.Second)
	for _, c := range []struct {
		s    *stub
		want string
	}{{sk, "5000000:in"}, {sl, "5000000:out"}, {so, "5000000:beside"}} {
		if len(c.s.seen) != 1 || c.s.seen[0] != c.want {
			t.Errorf("arrived %q, want %s", c.s.seen, c.want)
		}
	}
}

// What is sent before an endpoint is started goes to no process of its own: it is
// dropped, and touches nothing that another process may be at.
func TestSentBeforeStart(t *testing.T) {
	net := newParts(4, 0)
	w := New(Config{Network: net})
	a, _ := startIn(t, w, net)
	startIn(t, w, net)
	late, err := w.Open()
	if err != nil {
		t.Fatal(err)
	}
	send(a, late.Addr(), "early")
	net.place(late.Addr())
	s := newStub()
	s.receive = func(now machine.Time, _ machine.Datagram, _ *machine.Outbox) { s.deadline = now + 1 }
	late.Start(s)
	w.Sleep(machine.Second)
	if c := w.Counters(); len(s.seen) > 0 || c.NoHost != 1 {
		t.Errorf("got %q, counters %+v, want it dropped", s.seen, c)
	}
	send(a, late.Addr(), "in time")
	w.Sleep(machine.Second)
	if len(s.seen) != 1 || len(s.expired) != 1 {
		t.Errorf("got %q, woken at %v, want one of each", s.seen, s.expired)
	}
}

// An endpoint stays in its process when its machine is replaced, whatever the
// network says by then: datagrams and timers are under way to it there.
func TestStaysInProcess(t *testing.T) {
	net := newParts(4, 0)
	w := New(Config{Network: net})
	a, _ := startIn(t, w, net)
	b, sb := startIn(t, w, net)
	sb.deadline = w.Now().Add(machine.Second)
	b.Do(func(machine.Time, *machine.Outbox) {})
	send(a, b.Addr(), "under way")
	net.place(b.Addr()) // elsewhere
	b.Start(sb)
	w.Sleep(2 * machine.Second)
	if len(sb.seen) != 1 || len(sb.expired) != 1 {
		t.Errorf("got %q, woken at %v, want one of each", sb.seen, sb.expired)
	}
}

// Networks whose parts are too near each other, or only one, are one process.
func TestUndivided(t *testing.T) {
	near := nearParts{newParts(3, 0)}
	for _, n := range []Divided{newParts(1, 0), near} {
		w := New(Config{Network: n, Workers: 99, Shards: -3})
		if w.divided != nil || len(w.traces) != 1 || w.engine.Workers() != 1 {
			t.Errorf("%T: %d processes, %d workers, want one of each", n, len(w.traces), w.engine.Workers())
		}
		a, _ := startIn(t, w, near.parts)
		b, sb := startIn(t, w, near.parts)
		send(a, b.Addr(), "x")
		if w.Sleep(machine.Second); len(sb.seen) != 1 {
			t.Errorf("%T: got %q", n, sb.seen)
		}
	}
}

// nearParts are too near each other.
type nearParts struct{ *parts }

func (nearParts) LookAhead() machine.Duration { return leastLookAhead - 1 }

// More endpoints than there are addresses are refused.
func TestTooManyEndpoints(t *testing.T) {
	w := New(Config{})
	w.where = make([]where, maxEndpoints-1, maxEndpoints)
	w.blocks = make([][]Endpoint, maxEndpoints/endpointBlock)
	last := len(w.blocks)
	w.blocks = append(w.blocks, make([]Endpoint, endpointBlock))
	if e, err := w.Open(); err != nil || e.Addr().String() != "10.255.255.254:3000" || len(w.blocks) != last+1 {
		t.Errorf("the last endpoint: %v, %v", e.Addr(), err)
	}
	if _, err := w.Open(); err == nil || !strings.Contains(err.Error(), "16777214, want no more") {
		t.Errorf("one more: error %v", err)
	}
}

// Runs to the end of a window end at the same time on any engine.
func TestWhole(t *testing.T) {
	w := New(Config{Network: newParts(3, 0)})
	r := New(Config{Network: newParts(3, 0), Reference: true})
	for _, d := range []machine.Duration{0, 1, machine.Millisecond, machine.Second} {
		at := w.Now().Add(d)
		whole := w.Whole(at)
		if whole < at || whole >= at.Add(partsAhead) || w.Whole(whole) != whole || r.Whole(at) != whole {
			t.Errorf("after %d comes %d, in the reference %d", at, whole, r.Whole(at))
		}
		e := w.engine.(*Engine)
		if w.Run(whole); e.end(e.window-1) != whole {
			t.Errorf("at %d a window is not over", whole)
		}
	}
}
