package cluster

import (
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"i3bench/i3"
	"i3bench/i3/machine"
)

var (
	source = netip.MustParseAddrPort("127.1.0.1:4000")
	peer   = netip.MustParseAddrPort("127.1.0.2:4000")
)

// pieces returns what the i-th datagram is gathered from.
func (g *gatherer) pieces(i int) (p [][]byte) {
	for k := range g.msgs[i].hdr.Iovlen {
		v := g.vectors[i][k]
		p = append(p, unsafe.Slice(v.Base, v.Len))
	}
	return p
}

// The gatherer points the kernel at the template, the received buffer and the outbox: no payload is copied.
func TestGathererCopiesNothing(t *testing.T) {
	g := new(gatherer)
	g.begin(-1, source)
	template, received := []byte("template"), make([]byte, 1000)
	body := received[100:]
	g.add(peer, template, body)
	g.add(peer, nil, body[:50])
	g.add(source, template, body)
	want := [][][]byte{{template, body, body[:50]}, {template, body}}
	if g.n != len(want) {
		t.Fatalf("%d datagrams, expected %d", g.n, len(want))
	}
	for i, pieces := range want {
		got := g.pieces(i)
		if len(got) != len(pieces) {
			t.Fatalf("datagram %d has %d pieces, expected %d", i, len(got), len(pieces))
		}
		for k, piece := range pieces {
			if &got[k][0] != &piece[0] || len(got[k]) != len(piece) {
				t.Errorf("datagram %d, piece %d is a copy", i, k)
			}
		}
		if name := fromSockaddr(&g.names[i]); name != []netip.AddrPort{peer, source}[i] {
			t.Errorf("datagram %d goes to %v", i, name)
		}
	}
}

// TestGathererAgainstModel queues any packets: the datagrams for an address, put together, are its packets in order;
// none is longer than the limit unless one packet is; and two that follow each other would not have fitted into one.
func TestGathererAgainstModel(t *testing.T) {
	to := []netip.AddrPort{source, peer, netip.MustParseAddrPort("127.1.0.3:4000")}
	rapid.Check(t, func(t *rapid.T) {
		g := new(gatherer)
		g.begin(-1, source)
		want := make(map[netip.AddrPort]string)
		sizes := rapid.SliceOfN(rapid.IntRange(1, 1500), 1, writeBatch).Draw(t, "sizes") // never flushes
		for n, size := range sizes {
			dst := rapid.SampledFrom(to).Draw(t, "to")
			pkt := slices.Repeat([]byte{byte(n + 1)}, size)
			cut := rapid.IntRange(0, size).Draw(t, "cut")
			g.add(dst, pkt[:cut], pkt[cut:])
			want[dst] += string(pkt)
		}
		got := make(map[netip.AddrPort]string)
		for i := range g.n {
			dst, size := fromSockaddr(&g.names[i]), 0
			pieces := g.pieces(i)
			for _, p := range pieces {
				got[dst] += string(p)
				size += len(p)
			}
			if size != g.size[i] || len(pieces) > maxVectors || size > i3.MaxDatagram && len(pieces) > 2 {
				t.Fatalf("datagram %d: %d bytes, taken for %d, in %d pieces", i, size, g.size[i], len(pieces))
			}
		}
		for dst := range want {
			if got[dst] != want[dst] {
				t.Fatalf("the packets for %v are not its packets in order", dst)
			}
		}
	})
}

// Packets for one address share datagrams up to the limit of bytes and of pieces.
func TestBundling(t *testing.T) {
	for _, c := range []struct{ packets, size, want int }{
		{1, 1400, 1}, {2, 700, 1}, {2, 701, 2}, {7, 100, 1}, {8, 100, 1}, {9, 100, 2}, {3, 600, 2}, {2, 3000, 2},
	} {
		g := new(gatherer)
		g.begin(-1, source)
		for range c.packets {
			g.add(peer, make([]byte, c.size/2), make([]byte, c.size-c.size/2))
		}
		if g.n != c.want {
			t.Errorf("%d packets of %d bytes travel in %d datagrams, expected %d", c.packets, c.size, g.n, c.want)
		}
	}
}

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
