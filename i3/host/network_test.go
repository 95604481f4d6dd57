package host_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/sim"
)

// A flight is a datagram under way.
type flight struct {
	at       machine.Time
	from, to netip.AddrPort
	bytes    []byte
}

// A mesh joins a real node and a host by a network that loses, delays, duplicates and so reorders datagrams.
type mesh struct {
	t        testing.TB
	rng      *rand.Rand
	now      machine.Time
	loss     float64
	dup      float64
	slowest  machine.Duration
	flights  []flight
	machines map[netip.AddrPort]machine.Machine
	out      *machine.Outbox
	node     *node.Node
	host     *host.Host
	handler  *recorder
}

func newMesh(t testing.TB, seed uint64, hurry int) *mesh {
	t.Helper()
	all := mustRing(chord.Place{Prefix: 0, Addr: near})
	n, err := node.New(node.Config{Self: near, Ring: all, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	handler := new(recorder)
	h, err := host.New(host.Config{Self: self, Ring: all, Seed: seed, Hurry: hurry}, handler)
	if err != nil {
		t.Fatal(err)
	}
	return &mesh{
		t: t, rng: rand.New(rand.NewPCG(seed, 7)), now: start, slowest: machine.Millisecond,
		machines: map[netip.AddrPort]machine.Machine{near: n, self: h},
		out:      machine.NewOutbox(0, 0, 0), node: n, host: h, handler: handler,
	}
}

// flush puts what a machine sent on its way.
func (m *mesh) flush(from netip.AddrPort) {
	for _, s := range m.out.Sends() {
		copies := 1
		if m.rng.Float64() < m.loss {
			copies = 0
		}
		if m.rng.Float64() < m.dup {
			copies++
		}
		for range copies {
			delay := 1 + machine.Duration(m.rng.Int64N(int64(m.slowest)))
			m.flights = append(m.flights, flight{m.now.Add(delay), from, s.To, slices.Clone(s.Bytes)})
		}
	}
	m.out.Reset()
}

// run lets time pass.
func (m *mesh) run(d machine.Duration) {
	for until := m.now.Add(d); ; {
		next, at := -1, until+1
		for i, f := range m.flights {
			if f.at < at {
				next, at = i, f.at
			}
		}
		who := netip.AddrPort{}
		for _, addr := range []netip.AddrPort{near, self} {
			if due := m.machines[addr].Deadline(); due < at {
				who, at = addr, due
			}
		}
		if at > until {
			m.now = until
			return
		}
		m.now = max(m.now, at)
		if who.IsValid() {
			m.machines[who].Expire(m.now, m.out)
			m.flush(who)
			continue
		}
		f := m.flights[next]
		m.flights = slices.Delete(m.flights, next, next+1)
		if to := m.machines[f.to]; to != nil {
			to.Receive(m.now, []machine.Datagram{{From: f.from, Bytes: f.bytes}}, m.out)
			m.flush(f.to)
		}
	}
}

// act does one random thing to one of a few triggers and notes what should become of it.
func (m *mesh) act(wanted map[i3.Trigger]bool) {
	t := own(uint64(m.rng.IntN(5)))
	secret := i3.Nonce{}
	if m.rng.IntN(3) == 0 {
		t, secret = link(uint64(m.rng.IntN(5))), i3.Nonce{9}
	}
	switch m.rng.IntN(6) {
	case 0, 1, 2:
		m.host.Maintain(m.now, t, m.out)
		wanted[t] = true
	case 3:
		m.host.Insert(m.now, t, secret, m.out)
	case 4:
		m.host.Remove(m.now, t, secret, m.out)
		delete(wanted, t)
	default:
		m.host.Forget(t)
		delete(wanted, t)
	}
	m.flush(self)
}

// TestConverges does random things over a bad network. Once that has mended and lost time is made up for, the node has
// exactly the triggers that the host maintains.
func TestConverges(t *testing.T) {
	for seed := range uint64(150) {
		m := newMesh(t, seed, 1)
		m.loss, m.dup, m.slowest = 0.3*m.rng.Float64(), 0.3*m.rng.Float64(), 800*machine.Millisecond
		wanted := make(map[i3.Trigger]bool)
		for range 60 {
			m.act(wanted)
			m.run(machine.Duration(m.rng.Int64N(int64(4 * machine.Second))))
		}
		m.loss, m.dup, m.slowest = 0, 0, machine.Millisecond
		m.run(3 * lifetime)
		if m.node.Triggers() != len(wanted) {
			t.Errorf("seed %d: the node has %d triggers, the host wants %d", seed, m.node.Triggers(), len(wanted))
		}
		for n := range uint64(5) {
			for _, tr := range []i3.Trigger{own(n), link(n)} {
				if m.host.Maintains(tr) != wanted[tr] {
					t.Errorf("seed %d: maintains %v is %v, want %v", seed, tr, m.host.Maintains(tr), wanted[tr])
				}
			}
		}
		if c := m.host.Counters(); c.DropMalformed+c.DropKind+c.DropTasks != 0 {
			t.Errorf("seed %d: counters %+v", seed, c)
		}
	}
}

// TestSurvivesLoss maintains triggers for ten minutes: none may be missing at the node once it was there.
func TestSurvivesLoss(t *testing.T) {
	for _, c := range []struct {
		loss  float64
		hurry int
	}{{0.05, 1}, {0.3, 3}} {
		m := newMesh(t, 3, c.hurry)
		m.loss, m.slowest = c.loss, 100*machine.Millisecond
		const n = 20
		for i := range uint64(n) {
			m.host.Maintain(m.now, own(i), m.out)
		}
		m.flush(self)
		for m.node.Triggers() < n && m.now < start.Add(4*lifetime) { // a first insertion may be given up and come again
			m.run(machine.Second)
		}
		begin, before := m.now, m.node.Counters().Refreshed
		for second := range 600 {
			m.run(machine.Second)
			if got := m.node.Triggers(); got != n {
				t.Fatalf("loss %v, hurry %d: %d of %d triggers after %d s", c.loss, c.hurry, got, n, second)
			}
		}
		if got := m.node.Counters(); got.Expired != 0 || got.Inserted != n || m.host.Counters().Retries == 0 {
			t.Errorf("loss %v, hurry %d: node %+v, host %+v", c.loss, c.hurry, got, m.host.Counters())
		}
		per := float64(m.node.Counters().Refreshed-before) / n / m.now.Sub(begin).Seconds() * lifetime.Seconds()
		t.Logf("loss %v, hurry %d: %.1f refreshes per trigger and lifetime", c.loss, c.hurry, per)
		if per < 2*float64(c.hurry) || per > 4*float64(c.hurry) {
			t.Errorf("loss %v, hurry %d: %v refreshes per trigger and lifetime", c.loss, c.hurry, per)
		}
	}
}

// A node that dies takes its memory along; the host's next refresh inserts again, with one more challenge if the node
// has a new secret.
func TestNodeRestarts(t *testing.T) {
	m := newMesh(t, 1, 1)
	m.host.Maintain(m.now, own(1), m.out)
	m.flush(self)
	m.run(machine.Second)
	again, err := node.New(node.Config{
		Self: near, Ring: mustRing(chord.Place{Addr: near}), Secret: [32]byte{2}, Epoch: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(m.machines, near)
	m.machines[near], m.node = again, again
	m.run(lifetime / 2)
	if m.node.Triggers() != 1 || !m.host.Maintains(own(1)) || m.host.Counters().Challenges != 2 {
		t.Errorf("%d triggers, maintains %v, counters %+v", m.node.Triggers(), m.host.Maintains(own(1)), m.host.Counters())
	}
	if last := m.handler.acked[len(m.handler.acked)-1]; last.Epoch != 1 || last.Status != i3.StatusInserted {
		t.Errorf("handler told %+v, want inserted in epoch 1", last)
	}
}

// lossy is a network that loses some of all datagrams.
type lossy float64

func (l lossy) Path(_, _ netip.AddrPort) machine.Path {
	return machine.Path{Delay: 20 * machine.Millisecond, Loss: float64(l)}
}

// TestInSim runs hosts and nodes in the project's own virtual time: a packet to an identifier reaches the hosts that
// maintain it, across two nodes.
func TestInSim(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1, Network: lossy(0.2)})
	var places []chord.Place
	var ends []*sim.Endpoint
	for i := range uint64(2) {
		e, err := w.Open()
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, e)
		places = append(places, chord.Place{Prefix: (i + 1) << 62, Addr: e.Addr()})
	}
	nodes := mustRing(places...)
	for i, e := range ends {
		owned, _ := nodes.RangeOf(e.Addr())
		n, err := node.New(node.Config{Self: e.Addr(), Range: owned, Ring: nodes, Secret: [32]byte{byte(i)}})
		if err != nil {
			t.Fatal(err)
		}
		e.Start(n)
	}
	group := i3.NewID(1<<62-2, i3.Key{1}, 0)
	var handlers []*recorder
	var hosts []*host.Host
	for i := range uint64(5) {
		e, _ := w.Open()
		handler := new(recorder)
		h, err := host.New(host.Config{Self: e.Addr(), Ring: nodes, Seed: i, Hurry: 3}, handler)
		if err != nil {
			t.Fatal(err)
		}
		e.Start(h)
		ends, handlers, hosts = append(ends, e), append(handlers, handler), append(hosts, h)
		if i > 0 { // the first only sends
			e.Do(func(now machine.Time, out *machine.Outbox) { h.Maintain(now, h.Own(group), out) })
		}
	}
	w.Sleep(20 * machine.Second)
	const packets = 1000
	for range packets {
		ends[2].Do(func(_ machine.Time, out *machine.Outbox) { hosts[0].Send(group, []byte("to the group"), out) })
		w.Sleep(100 * machine.Millisecond)
	}
	for i, h := range handlers[1:] {
		if n := len(h.delivered); n < packets/2 || n > packets*8/10 { // 0.8 * 0.8 of them arrive
			t.Errorf("host %d got %d of %d packets at a loss of 20 %% on each of two hops", i, n, packets)
		}
		if !hosts[i+1].Maintains(hosts[i+1].Own(group)) {
			t.Errorf("host %d lost its trigger", i)
		}
	}
	if len(handlers[0].delivered) != 0 {
		t.Error("the sender got its own packets")
	}
}
