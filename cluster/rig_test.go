package cluster_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"i3bench/cluster"
	"i3bench/i3/machine"
	"i3bench/internal/deliver"
	"i3bench/sim"
)

func TestMain(m *testing.M) {
	deliver.Main(roles())
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must happen. It is no bound on speed: the machine may be busy.
const patience = 30 * time.Second

// An endpoint is what all drivers offer.
type endpoint interface {
	Addr() netip.AddrPort
	Start(machine.Machine)
	Do(func(now machine.Time, out *machine.Outbox))
	SetFilter(keep func(machine.Datagram) bool)
	Close() error
}

// A rig is a driver under test: one world of it.
type rig struct {
	open func() (endpoint, error)
	now  func() machine.Time
	// until lets the world run until cond holds, and reports whether it came to that.
	until func(cond func() bool) bool
	// count returns how many datagrams were sent, read, and dropped by the network and by filters.
	count func() (sent, read, lost, filtered uint64)
}

// drivers are the worlds that must not be told apart by a machine.
var drivers = []struct {
	name string
	rig  func(network machine.Network) rig
}{
	{"sim", simRig},
	{"shards", func(n machine.Network) rig { return udpRig(cluster.New(cluster.Config{Network: n, Seed: 7})) }},
	{"one shard", func(n machine.Network) rig {
		return udpRig(cluster.New(cluster.Config{Network: n, Seed: 7, Shards: 1}))
	}},
	{"sockets", func(n machine.Network) rig {
		return udpRig(cluster.New(cluster.Config{Network: n, Seed: 7, Shards: -1}))
	}},
	{"portable sockets", func(n machine.Network) rig {
		return udpRig(cluster.New(cluster.Config{Network: n, Seed: 7}).Portable())
	}},
}

func simRig(network machine.Network) rig {
	w := sim.New(sim.Config{Seed: 7, Network: network})
	return rig{
		open: func() (endpoint, error) { return w.Open() },
		now:  w.Now,
		until: func(cond func() bool) bool {
			return w.RunWhile(func() bool { return !cond() }, w.Now().Add(machine.Duration(patience))) || cond()
		},
		count: func() (sent, read, lost, filtered uint64) {
			c := w.Counters()
			return c.Offered, c.Delivered + c.Lost + c.Filtered, c.Lost, c.Filtered
		},
	}
}

func udpRig(w *cluster.World) rig {
	return rig{
		open: func() (endpoint, error) { return w.Open() },
		now:  w.Now,
		until: func(cond func() bool) bool {
			for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(200 * time.Microsecond) {
				if cond() {
					return true
				}
			}
			return cond()
		},
		count: func() (sent, read, lost, filtered uint64) {
			c := w.Counters()
			return c.Sent, c.Received, c.Lost, c.Filtered
		},
	}
}

// onAll runs a test on every driver.
func onAll(t *testing.T, network machine.Network, test func(t *testing.T, r rig)) {
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) { test(t, d.rig(network)) })
	}
}

// onUDP runs a test on both carriers.
func onUDP(t *testing.T, cfg cluster.Config, test func(t *testing.T, w *cluster.World)) {
	for name, shards := range map[string]int{"shards": 2, "sockets": -1} {
		t.Run(name, func(t *testing.T) {
			cfg.Shards = shards
			test(t, cluster.New(cfg))
		})
	}
	t.Run("portable sockets", func(t *testing.T) { test(t, cluster.New(cfg).Portable()) })
}

// A probe is a machine that writes down what happens to it. Its fields belong to its endpoint.
type probe struct {
	ep    endpoint
	rig   rig
	got   []datagram
	fired []firing
	at    machine.Time // the deadline

	// receive and expire, if not nil, are called after the writing down.
	receive func(now machine.Time, d machine.Datagram, out *machine.Outbox)
	expire  func(now machine.Time, out *machine.Outbox)
}

type datagram struct {
	now  machine.Time
	from netip.AddrPort
	text string
}

type firing struct{ due, now machine.Time }

func (p *probe) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	for _, d := range batch {
		d.Bytes = bytes.TrimRight(d.Bytes, "\x00") // texts have none
		p.got = append(p.got, datagram{now, d.From, string(d.Bytes)})
		if p.receive != nil {
			p.receive(now, d, out)
		}
	}
}

func (p *probe) Deadline() machine.Time { return p.at }

func (p *probe) Expire(now machine.Time, out *machine.Outbox) {
	p.fired = append(p.fired, firing{p.at, now})
	p.at = machine.Never
	if p.expire != nil {
		p.expire(now, out)
	}
}

// start opens an endpoint with a probe, which is closed with the test.
func (r rig) start(t *testing.T) *probe {
	t.Helper()
	ep, err := r.open()
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{ep: ep, rig: r, at: machine.Never}
	ep.Start(p)
	t.Cleanup(func() { ep.Close() })
	return p
}

// send makes the probe send one control packet.
func (p *probe) send(to netip.AddrPort, text string) {
	p.ep.Do(func(_ machine.Time, out *machine.Outbox) { out.Send(to, []byte(text)) })
}

// look calls f while the probe stands still.
func (p *probe) look(f func()) { p.ep.Do(func(machine.Time, *machine.Outbox) { f() }) }

// received returns how many datagrams have come so far.
func (p *probe) received() (n int) {
	p.look(func() { n = len(p.got) })
	return n
}

// await waits until so many datagrams have come, and returns all.
func (p *probe) await(t *testing.T, n int) (got []datagram) {
	t.Helper()
	if !p.rig.until(func() bool { return p.received() >= n }) {
		t.Fatalf("%v received %d datagrams within %v, expected %d", p.ep.Addr(), p.received(), patience, n)
	}
	p.look(func() { got = append(got, p.got...) })
	return got
}

// stream returns the bytes of all datagrams from one address in order.
func (p *probe) stream(from netip.AddrPort) string {
	var text strings.Builder
	p.look(func() {
		for _, d := range p.got {
			if d.from == from {
				text.WriteString(d.text)
			}
		}
	})
	return text.String()
}
