package cluster

import (
	"bytes"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"i3bench/i3/machine"
)

// An echo sends back what it receives and has its timer set anew each time, as hosts do.
type echo struct {
	at    machine.Time
	heard atomic.Int64
	peer  netip.AddrPort // if set, it only counts
}

func (e *echo) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	e.at = now.Add(200 * machine.Microsecond)
	for _, d := range batch {
		if !e.peer.IsValid() {
			for rest := d.Bytes; len(rest) > 0; rest = rest[min(100, len(rest)):] {
				out.Forward(d.From, rest[:min(40, len(rest))], rest[min(40, len(rest)):min(100, len(rest))])
			}
		}
	}
	e.heard.Add(int64(len(batch)))
}

func (e *echo) Deadline() machine.Time                       { return e.at }
func (e *echo) Expire(now machine.Time, out *machine.Outbox) { e.at = now.Add(machine.Second) }

// In its steady state a round trip allocates nothing: sending, reading, running the machine, forwarding, timers.
func TestRoundTripDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	w := New(Config{Shards: 1})
	var eps [2]*Endpoint
	var ms [2]*echo
	for i := range eps {
		var err error
		if eps[i], err = w.Open(); err != nil {
			t.Fatal(err)
		}
		defer eps[i].Close()
		ms[i] = &echo{at: machine.Never}
	}
	ms[0].peer = eps[1].Addr()
	for i, m := range ms {
		eps[i].Start(m)
	}
	body := make([]byte, 300)
	ask := func(_ machine.Time, out *machine.Outbox) {
		out.Send(eps[1].Addr(), body)
		out.Forward(eps[1].Addr(), body[:40], body)
	}
	limit := time.Now().Add(10 * time.Second)
	trip := func() {
		for want := ms[0].heard.Load() + 1; ms[0].heard.Load() < want && time.Now().Before(limit); {
			eps[0].Do(ask)
			for k := 0; k < 1000 && ms[0].heard.Load() < want && time.Now().Before(limit); k++ {
				time.Sleep(50 * time.Microsecond)
			}
		}
	}
	for range 50 { // buffers find their size
		trip()
	}
	if n := testing.AllocsPerRun(100, trip); n > 0 {
		t.Errorf("a round trip allocates %v times", n)
	}
	if heard := ms[0].heard.Load(); heard < 150 {
		t.Errorf("%d answers, expected 150 and more", heard)
	}
}

// Sending alone allocates nothing, with more datagrams than one system call takes.
func TestSendDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	w := New(Config{Shards: 1})
	e, err := w.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var to []netip.AddrPort
	for i := range 100 {
		to = append(to, netip.MustParseAddrPort(fmt.Sprintf("127.2.0.%d:%d", i+1, e.Addr().Port())))
	}
	body, payload := make([]byte, 1000), make([]byte, 100)
	fill := func(_ machine.Time, out *machine.Outbox) {
		for _, a := range to {
			out.Send(a, payload)
			out.Forward(a, body[:40], body[40:])
		}
	}
	if n := testing.AllocsPerRun(50, func() { e.Do(fill) }); n > 0 {
		t.Errorf("sending 200 packets allocates %v times", n)
	}
	if c := w.Counters(); c.Sent+c.SendErrors < 50*100 {
		t.Errorf("%+v: expected 100 datagrams for each call", c)
	}
}

// A shard refuses an endpoint more than its addresses can tell apart, and says so.
func TestShardIsBounded(t *testing.T) {
	s := &shard{world: New(Config{})}
	full := make([]*Endpoint, maxEndpoints)
	s.endpoints.Store(&full)
	want := fmt.Sprintf("cluster: open endpoint: a shard has %d already: want more shards", maxEndpoints)
	if _, err := s.add(); err == nil || err.Error() != want {
		t.Errorf("%v, expected %s", err, want)
	}
}

// With trains or without, and whatever a delay line keeps: an endpoint's machine gets each datagram that was sent to
// it, byte for byte and in order.
func TestTrainsArriveAsDatagrams(t *testing.T) {
	for name, cfg := range map[string]Config{"trains": {Shards: 1}, "delay line": {Shards: 1, Network: slow{}}} {
		t.Run(name, func(t *testing.T) {
			w := New(cfg)
			var eps [2]*Endpoint
			for i := range eps {
				var err error
				if eps[i], err = w.Open(); err != nil {
					t.Fatal(err)
				}
				defer eps[i].Close()
			}
			got := &keeper{}
			eps[1].Start(got)
			eps[0].Start(&keeper{})
			const packets, rounds = 200, 20
			body := make([]byte, 900)
			for r := range rounds {
				eps[0].Do(func(_ machine.Time, out *machine.Outbox) {
					for i := range packets {
						out.Forward(eps[1].Addr(), []byte{1, byte(r), byte(i)}, body[:800+(i%5)*20])
					}
				})
			}
			limit := time.Now().Add(10 * time.Second)
			for got.count() < packets*rounds && time.Now().Before(limit) {
				time.Sleep(time.Millisecond)
			}
			got.mu.Lock()
			defer got.mu.Unlock()
			for k, d := range got.datagrams {
				if r, i := k/packets, k%packets; d[1] != byte(r) || d[2] != byte(i) || !padded(d, 803+(i%5)*20) {
					t.Fatalf("datagram %d is %d bytes of round %d, number %d", k, len(d), d[1], d[2])
				}
			}
			if len(got.datagrams) != packets*rounds {
				t.Errorf("%d datagrams, want %d: %+v", len(got.datagrams), packets*rounds, w.Counters())
			}
		})
	}
}

// padded reports whether a datagram is so long, but for zeros at the end.
func padded(d []byte, size int) bool {
	for _, c := range d[min(size, len(d)):] {
		if c != 0 {
			return false
		}
	}
	return len(d) >= size
}

// A keeper keeps what it receives.
type keeper struct {
	mu        sync.Mutex
	datagrams [][]byte
}

func (k *keeper) Receive(_ machine.Time, batch []machine.Datagram, _ *machine.Outbox) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range batch {
		k.datagrams = append(k.datagrams, bytes.Clone(d.Bytes))
	}
}

func (k *keeper) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.datagrams)
}

func (k *keeper) Deadline() machine.Time               { return machine.Never }
func (k *keeper) Expire(machine.Time, *machine.Outbox) {}

// slow is a network of a millisecond.
type slow struct{}

func (slow) Path(_, _ netip.AddrPort) machine.Path { return machine.Path{Delay: machine.Millisecond} }

// A manifold makes many copies of each datagram, as a node of a large fan-out does.
type manifold struct {
	echo
	to      netip.AddrPort
	copies  int
	dropped atomic.Uint64
	seen    atomic.Int64
}

func (m *manifold) Receive(_ machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	for _, d := range batch {
		for range m.copies {
			out.Forward(m.to, nil, d.Bytes)
		}
	}
	m.dropped.Store(out.Dropped())
	m.seen.Add(int64(len(batch)))
}

// Whatever the fan-out, the copies of what a machine is handed at a time find room in its outbox.
func TestSharesFitTheOutbox(t *testing.T) {
	w := New(Config{Shards: 1})
	e, err := w.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m := &manifold{echo: echo{at: machine.Never}, to: netip.MustParseAddrPort("127.200.0.1:9"), copies: 1000}
	e.Start(m)
	ds := make([]machine.Datagram, 1500)
	for i := range ds {
		ds[i].Bytes = []byte{1, byte(i)}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.borrow()
	e.receive(w.Now(), ds[:300])
	if m.seen.Load() != 300 || m.dropped.Load() != 0 || e.share > 8 {
		t.Errorf("%d of 300 datagrams seen, %d copies dropped, %d a share", m.seen.Load(), m.dropped.Load(), e.share)
	}
	m.copies = 1
	e.receive(w.Now(), ds)
	if e.share != mostShare {
		t.Errorf("a share of %d datagrams of a copy each, want %d", e.share, mostShare)
	}
	m.copies = 1000 // at once: what is too much for the outbox is dropped until the shares are smaller
	e.receive(w.Now(), ds)
	before := m.dropped.Load()
	if e.receive(w.Now(), ds); m.dropped.Load() != before || e.share > 8 {
		t.Errorf("%d copies dropped later on, with %d a share", m.dropped.Load()-before, e.share)
	}
}
