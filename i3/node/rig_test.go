package node_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// The world of these tests: home owns the prefixes up to one half of the circle, away the others.
var (
	home    = netip.MustParseAddrPort("10.0.0.1:3000")
	away    = netip.MustParseAddrPort("10.0.0.2:3000")
	alice   = netip.MustParseAddrPort("192.0.2.1:4000")
	bob     = netip.MustParseAddrPort("192.0.2.2:4000")
	mallory = netip.MustParseAddrPort("[2001:db8::66]:666")
	ring    = mustRing(chord.Place{Prefix: 1 << 63, Addr: home}, chord.Place{Prefix: 1<<64 - 1, Addr: away})
)

// start is when the tests begin: not at zero, which is no time a driver passes.
const start = machine.Time(machine.Second)

const lifetime = node.DefaultLifetime

var secret = [32]byte{1, 2, 3, 31: 4}

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

// A rig is a node driven by hand.
type rig struct {
	failer
	node   *node.Node
	member *chord.Member // if there is one
	out    *machine.Outbox
	now    machine.Time
}

// config returns that of a node without limits for each source, for most tests are one.
func config() node.Config {
	owned, _ := ring.RangeOf(home)
	return node.Config{Self: home, Range: owned, Ring: ring, Secret: secret, Epoch: 7, Limits: node.Unlimited()}
}

func newRig(f failer, cfg node.Config) *rig {
	f.Helper()
	n, err := node.New(cfg)
	if err != nil {
		f.Fatalf("new node: %v", err)
	}
	return &rig{failer: f, node: n, out: machine.NewOutbox(32, 16<<10, 512), now: start}
}

// receive hands the node one batch of datagrams from one address. What the node answers replaces what was there.
// The node gets copies of the datagrams, so that a test can use them again.
func (r *rig) receive(from netip.AddrPort, datagrams ...[]byte) {
	clones := make([][]byte, len(datagrams))
	for i, d := range datagrams {
		clones[i] = slices.Clone(d)
	}
	r.receiveInPlace(from, clones...)
}

func (r *rig) receiveInPlace(from netip.AddrPort, datagrams ...[]byte) {
	r.out.Reset()
	batch := make([]machine.Datagram, 0, len(datagrams))
	for _, d := range datagrams {
		batch = append(batch, machine.Datagram{From: from, Bytes: d})
	}
	r.node.Receive(r.now, batch, r.out)
}

// sleep lets time pass as a driver would, which calls Expire when the deadline has come.
func (r *rig) sleep(d machine.Duration) {
	for until := r.now.Add(d); ; {
		at := r.node.Deadline()
		if at > until {
			r.now = until
			return
		}
		r.now = max(r.now, at)
		r.node.Expire(r.now, r.out)
	}
}

// A reply is one control packet that the node sent.
type reply struct {
	to         netip.AddrPort
	packet     i3.Packet
	acks       []i3.Ack
	challenges []i3.Challenge
	size       int
}

// replies decodes the control packets in the outbox.
func (r *rig) replies() (all []reply) {
	r.Helper()
	for _, s := range r.out.Sends() {
		for rest := s.Bytes; len(rest) > 0; {
			p, wire, tail, err := i3.Next(rest)
			if err != nil || wire == nil {
				r.Fatalf("reply does not decode: %v", err)
			}
			all = append(all, r.reply(s.To, p, wire))
			rest = tail
		}
	}
	return all
}

func (r *rig) reply(to netip.AddrPort, p i3.Packet, wire []byte) reply {
	r.Helper()
	got := reply{to: to, packet: p, size: len(wire)}
	payload := i3.Payload(wire)
	if err := i3.CheckEntries(payload); err != nil {
		r.Fatalf("reply: %v", err)
	}
	for ; len(payload) > 0; payload = payload[i3.EntrySize:] {
		var err error
		switch p.Kind {
		case i3.KindAck:
			var a i3.Ack
			a, err = i3.ParseAck(payload)
			got.acks = append(got.acks, a)
		case i3.KindChallenge:
			var c i3.Challenge
			c, err = i3.ParseChallenge(payload)
			got.challenges = append(got.challenges, c)
		default:
			r.Fatalf("reply is a packet of kind %v", p.Kind)
		}
		if err != nil {
			r.Fatalf("entry of a reply: %v", err)
		}
	}
	return got
}

// one returns the only reply.
func (r *rig) one() reply {
	r.Helper()
	all := r.replies()
	if len(all) != 1 {
		r.Fatalf("%d replies, want one: %v", len(all), all)
	}
	return all[0]
}

// silent fails unless the node sent nothing at all.
func (r *rig) silent() {
	r.Helper()
	if !r.out.Empty() {
		r.Fatalf("node sent %d control datagrams and %d copies, want none", len(r.out.Sends()), len(r.out.Forwards()))
	}
}

// A copied is one copy of a data packet as it leaves.
type copied struct {
	to    netip.AddrPort
	bytes string
}

func (c copied) String() string { return fmt.Sprintf("%v <- %q", c.to, c.bytes) }

// copies returns the copies in the outbox, each as the bytes of its datagram.
func (r *rig) copies() (all []copied) {
	for _, f := range r.out.Forwards() {
		all = append(all, copied{f.To, string(f.Template) + string(f.Body)})
	}
	return all
}

// ask sends a request from one address and returns the answers to it, in order; challenges are answered first, as
// the host at the target would.
func (r *rig) ask(from netip.AddrPort, k i3.Kind, ins ...i3.Insert) []i3.Ack {
	r.Helper()
	r.receive(from, request(k, 1, ins...))
	got := r.one()
	if got.packet.Kind == i3.KindChallenge {
		for _, c := range got.challenges {
			for i := range ins {
				if ins[i].Trigger == c.Trigger {
					ins[i].Nonce = c.Nonce
				}
			}
		}
		r.receive(from, request(k, 1, ins...))
		got = r.one()
	}
	if got.packet.Kind != i3.KindAck || got.to != from || len(got.acks) != len(ins) {
		r.Fatalf("answer %v to %v with %d entries, want acks to %v with %d",
			got.packet.Kind, got.to, len(got.acks), from, len(ins))
	}
	return got.acks
}

// insert inserts triggers, which must succeed.
func (r *rig) insert(ts ...i3.Trigger) {
	r.Helper()
	for _, t := range ts {
		if a := r.ask(bob, i3.KindInsert, i3.Insert{Trigger: t})[0]; !a.Status.Alive() {
			r.Fatalf("insert %v: %v", t, a.Status)
		}
	}
}

// status returns what became of a single insertion.
func (r *rig) status(in i3.Insert) i3.Status {
	r.Helper()
	return r.ask(bob, i3.KindInsert, in)[0].Status
}

// matches returns the number of copies of a fresh data packet to id.
func (r *rig) matches(id i3.ID) int {
	r.receive(bob, data(id, "x"))
	return len(r.out.Forwards())
}

// local returns the n-th private identifier of home, remote of away.
func local(n uint64) i3.ID  { return i3.NewID(n<<1, i3.Key{byte(n), 5}, 0) }
func remote(n uint64) i3.ID { return i3.NewID(1<<63+2*n+2, i3.Key{byte(n), 6}, 0) }

// host returns the n-th of many addresses.
func host(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}), 5000)
}

// toHost returns a trigger that the right constraint admits.
func toHost(id i3.ID, addr netip.AddrPort) i3.Trigger {
	return i3.Trigger{ID: id, Target: i3.ToHost(addr, i3.RightKey(id))}
}

// chain returns a trigger from id to an identifier with the given prefix that the right constraint admits.
func chain(id i3.ID, prefix, suffix uint64) (i3.Trigger, i3.ID) {
	to := i3.NewID(prefix, i3.RightKey(id), suffix)
	return i3.Trigger{ID: id, Target: i3.ToID(to)}, to
}

// nonceAt returns what a node with the tests' secret asks for at a time.
func nonceAt(now machine.Time, t i3.Trigger) i3.Nonce {
	return i3.NewCookies(secret).Nonce(uint32(now/machine.Time(60*machine.Second)), t)
}

// proven returns an insertion that answers the challenge already.
func (r *rig) proven(t i3.Trigger) i3.Insert {
	return i3.Insert{Trigger: t, Nonce: nonceAt(r.now, t)}
}

func request(k i3.Kind, flow uint32, ins ...i3.Insert) []byte {
	p := i3.Packet{Kind: k, HopLimit: 1, Length: uint16(len(ins) * i3.EntrySize), Flow: flow}
	if len(ins) > 0 {
		p.ID = ins[0].Trigger.ID
	}
	b := p.AppendTo(nil)
	for _, in := range ins {
		b = in.AppendTo(b)
	}
	return b
}

func data(id i3.ID, payload string) []byte { return dataWithin(id, i3.DefaultHopLimit, payload) }

func dataWithin(id i3.ID, hops uint8, payload string) []byte {
	p := i3.Packet{Kind: i3.KindData, HopLimit: hops, Length: uint16(len(payload)), Flow: 99, ID: id}
	return append(p.AppendTo(nil), payload...)
}

// delta returns what a call added to the node's counters, for comparison as a whole.
func (r *rig) delta(call func()) node.Counters {
	before := r.node.Counters()
	call()
	return sub(r.node.Counters(), before)
}

var _ failer = testing.TB(nil)

// sub returns a - b, counter by counter.
func sub(a, b node.Counters) (d node.Counters) {
	x, y, z := reflect.ValueOf(a), reflect.ValueOf(b), reflect.ValueOf(&d).Elem()
	for i := range z.NumField() {
		z.Field(i).SetUint(x.Field(i).Uint() - y.Field(i).Uint())
	}
	return d
}
