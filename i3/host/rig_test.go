package host_test

import (
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// The world of these tests: one host, two nodes that own half of the circle each, and a stranger.
var (
	self     = netip.MustParseAddrPort("192.0.2.1:4000")
	near     = netip.MustParseAddrPort("10.0.0.1:3000")
	far      = netip.MustParseAddrPort("10.0.0.2:3000")
	stranger = netip.MustParseAddrPort("203.0.113.9:9")
	ring     = mustRing(chord.Place{Prefix: 1 << 63, Addr: near}, chord.Place{Prefix: 1<<64 - 1, Addr: far})
)

// start is when the tests begin.
const start = machine.Time(machine.Second)

const lifetime = host.DefaultLifetime

func mustRing(places ...chord.Place) *chord.Fixed {
	ring, err := chord.NewFixed(places)
	if err != nil {
		panic(err)
	}
	return ring
}

// A failer is the part of testing.TB and of rapid.T that the rig uses.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

var _ failer = testing.TB(nil)

// A recorder remembers what the host told it.
type recorder struct {
	delivered []delivery
	acked     []i3.Ack
	failed    []i3.Trigger
	onAck     func(now machine.Time, a i3.Ack, out *machine.Outbox)
	onFail    func(now machine.Time, t i3.Trigger, out *machine.Outbox)
}

type delivery struct {
	from    netip.AddrPort
	packet  i3.Packet
	payload []byte
}

func (r *recorder) Deliver(_ machine.Time, from netip.AddrPort, p i3.Packet, payload []byte, _ *machine.Outbox) {
	r.delivered = append(r.delivered, delivery{from, p, payload})
}

func (r *recorder) Acked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	r.acked = append(r.acked, a)
	if r.onAck != nil {
		r.onAck(now, a, out)
	}
}

func (r *recorder) Failed(now machine.Time, t i3.Trigger, out *machine.Outbox) {
	r.failed = append(r.failed, t)
	if r.onFail != nil {
		r.onFail(now, t, out)
	}
}

// A rig is a host whose nodes are played by the test.
type rig struct {
	failer
	host    *host.Host
	handler *recorder
	out     *machine.Outbox
	now     machine.Time
}

func config() host.Config { return host.Config{Self: self, Ring: ring, Seed: 1} }

func newRig(f failer, cfg host.Config) *rig {
	f.Helper()
	handler := new(recorder)
	h, err := host.New(cfg, handler)
	if err != nil {
		f.Fatalf("new host: %v", err)
	}
	return &rig{failer: f, host: h, handler: handler, out: machine.NewOutbox(512, 64<<10, 1), now: start}
}

// A sent is one request that the host sent.
type sent struct {
	to      netip.AddrPort
	packet  i3.Packet
	entries []i3.Insert
}

// sends returns what the host has queued since the last call, and empties the outbox.
func (r *rig) sends() (all []sent) {
	r.Helper()
	for _, s := range r.out.Sends() {
		for rest := s.Bytes; len(rest) > 0; {
			p, wire, tail, err := i3.Next(rest)
			if err != nil || wire == nil {
				r.Fatalf("host sent what does not decode: %v", err)
			}
			rest = tail
			one := sent{to: s.To, packet: p}
			payload := i3.Payload(wire)
			if p.Kind != i3.KindInsert && p.Kind != i3.KindRemove {
				all = append(all, one)
				continue
			}
			if err := i3.CheckEntries(payload); err != nil {
				r.Fatalf("host sent a request: %v", err)
			}
			for ; len(payload) > 0; payload = payload[i3.EntrySize:] {
				in, err := i3.ParseInsert(payload)
				if err != nil {
					r.Fatalf("host sent an entry: %v", err)
				}
				one.entries = append(one.entries, in)
			}
			all = append(all, one)
		}
	}
	r.out.Reset()
	return all
}

// one returns the only request sent.
func (r *rig) one() sent {
	r.Helper()
	all := r.sends()
	if len(all) != 1 {
		r.Fatalf("host sent %d packets, want one: %v", len(all), all)
	}
	return all[0]
}

// silent fails unless nothing was sent.
func (r *rig) silent(when string) {
	r.Helper()
	if all := r.sends(); len(all) != 0 {
		r.Fatalf("%s: host sent %v, want nothing", when, all)
	}
}

// receive hands one datagram to the host.
func (r *rig) receive(from netip.AddrPort, datagram []byte) {
	r.host.Receive(r.now, []machine.Datagram{{From: from, Bytes: slices.Clone(datagram)}}, r.out)
}

// challenge and ack answer a request as a node would.
func (r *rig) challenge(q sent, nonce i3.Nonce) {
	r.receive(q.to, packet(i3.KindChallenge, q.packet.Flow, i3.Challenge{Trigger: q.entries[0].Trigger, Nonce: nonce}))
}

func (r *rig) ack(q sent, s i3.Status) {
	r.receive(q.to, packet(i3.KindAck, q.packet.Flow, i3.Ack{Trigger: q.entries[0].Trigger, Status: s}))
}

// packet returns a control packet of the given entries.
func packet(k i3.Kind, flow uint32, entries ...interface{ AppendTo([]byte) []byte }) []byte {
	b := i3.Packet{Kind: k, HopLimit: 1, Length: uint16(len(entries) * i3.EntrySize), Flow: flow}.AppendTo(nil)
	for _, e := range entries {
		b = e.AppendTo(b)
	}
	return b
}

// sleep lets time pass as a driver would.
func (r *rig) sleep(d machine.Duration) {
	for until := r.now.Add(d); ; {
		at := r.host.Deadline()
		if at > until {
			r.now = until
			return
		}
		r.now = max(r.now, at)
		r.host.Expire(r.now, r.out)
	}
}

// next lets time pass until the host sends something, and returns that and how long it took.
func (r *rig) next() (sent, machine.Duration) {
	r.Helper()
	begin := r.now
	for range 100 {
		if at := r.host.Deadline(); at == machine.Never {
			r.Fatalf("host waits for nothing")
		} else {
			r.now = max(r.now, at)
		}
		if r.host.Expire(r.now, r.out); !r.out.Empty() {
			return r.one(), r.now.Sub(begin)
		}
	}
	r.Fatalf("host sends nothing")
	return sent{}, 0
}

// maintained returns a host that maintains a trigger, acknowledged after the given round trip.
func maintained(f failer, cfg host.Config, t i3.Trigger, rtt machine.Duration) *rig {
	f.Helper()
	r := newRig(f, cfg)
	r.host.Maintain(r.now, t, r.out)
	q := r.one()
	r.now = r.now.Add(rtt)
	r.challenge(q, i3.Nonce{1})
	q = r.one()
	r.now = r.now.Add(rtt)
	r.ack(q, i3.StatusInserted)
	if r.silent("acknowledged"); !r.host.Maintains(t) {
		f.Fatalf("host does not maintain %v", t)
	}
	return r
}

// id returns the n-th private identifier of the near node.
func id(n uint64) i3.ID { return i3.NewID(2*n, i3.Key{byte(n), 7}, 0) }

// own returns the n-th trigger of the host itself, link one whose target is an identifier.
func own(n uint64) i3.Trigger {
	return i3.Trigger{ID: id(n), Target: i3.ToHost(self, i3.RightKey(id(n)))}
}

func link(n uint64) i3.Trigger {
	return i3.Trigger{ID: id(n), Target: i3.ToID(i3.NewID(4, i3.RightKey(id(n)), 0))}
}
