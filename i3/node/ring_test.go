package node_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/internal/prng"
)

// A ringBed is nodes on a ring that forms itself. What they send arrives after a delay, at first none; what is for no
// node leaves.
type ringBed struct {
	limits node.Limits            // of nodes that join from now on
	change func(cfg *node.Config) // changes their configuration, or nil
	testing.TB
	rigs  map[netip.AddrPort]*rig
	all   []chord.Place
	now   machine.Time
	delay machine.Duration
	lose  func(from, to netip.AddrPort, b []byte) bool // whether a datagram is lost, or nil
	mail  []letter
	left  []copied
	hops  int // of data between nodes

	starts uint32 // of nodes
}

// A letter is a datagram between nodes.
type letter struct {
	at       machine.Time
	from, to netip.AddrPort
	bytes    []byte
}

func newRingBed(t testing.TB, nodes int) *ringBed { return newRingBedOf(t, nodes, nil) }

// newRingBedOf is newRingBed of nodes with other configurations.
func newRingBedOf(t testing.TB, nodes int, change func(cfg *node.Config)) *ringBed {
	b := &ringBed{TB: t, rigs: map[netip.AddrPort]*rig{}, now: start, limits: node.Unlimited(), change: change}
	rng := prng.New(1, 0)
	for range nodes {
		b.join(rng.Uint64())
	}
	return b
}

// join adds a node that joins by the first.
func (b *ringBed) join(prefix uint64) *rig {
	i := byte(len(b.all))
	self := chord.Place{Prefix: prefix, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, i}), 3000)}
	b.all = append(b.all, self)
	return b.start(self, i)
}

// start starts a node at a place, with nothing in its memory.
func (b *ringBed) start(self chord.Place, i byte) *rig {
	cfg := chord.Config{Self: self, Seed: uint64(i), Secret: [16]byte{i}}
	if i > 0 {
		cfg.Join = []netip.AddrPort{b.all[0].Addr}
	}
	m, err := chord.NewMember(cfg, b.now)
	if err != nil {
		b.Fatal(err)
	}
	b.starts++
	c := node.Config{
		Self: self.Addr, Member: m, Secret: secret, MaxPerID: 50, Limits: b.limits, Epoch: b.starts,
	}
	if b.change != nil {
		b.change(&c)
	}
	r := newRig(b.TB, c)
	r.member = m
	b.rigs[self.Addr] = r
	return r
}

// run lets time pass.
func (b *ringBed) run(d machine.Duration) {
	for end := b.now.Add(d); ; {
		next := end
		for _, p := range b.all {
			if r := b.rigs[p.Addr]; r != nil {
				next = min(next, r.node.Deadline())
			}
		}
		if len(b.mail) > 0 {
			next = min(next, b.mail[0].at)
		}
		b.now = max(b.now, next)
		b.deliver()
		for _, p := range b.all {
			if r := b.rigs[p.Addr]; r != nil && r.node.Deadline() <= b.now {
				r.out.Reset()
				r.node.Expire(b.now, r.out)
				b.carry(p.Addr)
			}
		}
		if b.now == end {
			return
		}
	}
}

// carry sends what a node has sent, and delivers it if that takes no time.
func (b *ringBed) carry(from netip.AddrPort) {
	b.post(from)
	b.deliver()
}

func (b *ringBed) post(from netip.AddrPort) {
	at, out := b.now.Add(b.delay), b.rigs[from].out
	for _, s := range out.Sends() {
		b.mail = append(b.mail, letter{at, from, s.To, slices.Clone(s.Bytes)})
	}
	for _, f := range out.Forwards() {
		b.hops++
		b.mail = append(b.mail, letter{at, from, f.To, append(slices.Clone(f.Template), f.Body...)})
	}
	out.Reset()
}

// deliver delivers what arrives by now, and what comes of that.
func (b *ringBed) deliver() {
	for len(b.mail) > 0 && b.mail[0].at <= b.now {
		l := b.mail[0]
		b.mail = b.mail[1:]
		switch r := b.rigs[l.to]; {
		case b.lose != nil && b.lose(l.from, l.to, l.bytes):
		case r == nil: // of a host, or of a dead node
			b.left = append(b.left, copied{l.to, string(l.bytes)})
		default:
			r.now = b.now
			r.receive(l.from, l.bytes)
			b.post(l.to)
		}
	}
}

// owner returns who owns a prefix, of those that live and have joined.
func (b *ringBed) owner(prefix uint64) *rig {
	var live []chord.Place
	for _, p := range b.all {
		if r := b.rigs[p.Addr]; r != nil && r.member.Joined() {
			live = append(live, p)
		}
	}
	addr, _ := mustRing(live...).Owner(prefix)
	return b.rigs[addr]
}

// check inserts a trigger for an identifier and sends to it by way of every node.
func (b *ringBed) check(id i3.ID, most int) {
	b.Helper()
	owner := b.owner(id.Prefix())
	owner.now = b.now
	owner.insert(toHost(id, alice))
	for _, p := range b.all {
		r := b.rigs[p.Addr]
		if r == nil {
			continue
		}
		b.left, b.hops = nil, 0
		r.now = b.now
		r.receive(bob, data(id, "hello"))
		b.carry(p.Addr)
		if len(b.left) != 1 || b.left[0].to != alice || !strings.HasSuffix(b.left[0].bytes, "hello") || b.hops > most {
			b.Errorf("by way of %v to %v: %d copies left after %d hops, want one for alice within %d", p.Addr, id,
				len(b.left), b.hops, most)
		}
	}
}

// TestRingOfNodes: nodes form a ring, packets find their way from any of them, and do so again when nodes have died.
func TestRingOfNodes(t *testing.T) {
	b := newRingBed(t, 40)
	b.run(60 * machine.Second)
	for i := range 20 {
		b.check(i3.NewID(uint64(i)<<59, i3.Key{byte(i)}, 1), 7)
	}
	for _, p := range b.all[5:15] {
		delete(b.rigs, p.Addr)
	}
	b.run(10 * machine.Second)
	for i := range 20 {
		b.check(i3.NewID(uint64(i)<<59, i3.Key{byte(i)}, 2), 7)
	}
	r := b.owner(4)
	count := r.delta(func() { r.insert(toHost(i3.NewID(4, i3.Key{}, 3), alice)) })
	if count.Inserted != 1 {
		t.Errorf("counters %+v, want an insertion", count)
	}
}

// TestHandover: a node that joins gets the triggers of the identifiers that it owns from now on, and packets for them
// arrive before any host has refreshed one.
func TestHandover(t *testing.T) {
	b := newRingBed(t, 12)
	b.run(30 * machine.Second)
	rng := prng.New(2, 0)
	var ids []i3.ID
	for range 400 {
		id := i3.NewID(rng.Uint64()&^1, i3.Key{5}, rng.Uint64())
		ids = append(ids, id)
		r := b.owner(id.Prefix())
		r.now = b.now
		link, _ := chain(id, rng.Uint64(), 9)
		r.insert(toHost(id, alice), toHost(id, bob), link)
	}
	widest := chord.Range{Hi: 1}
	for _, p := range b.all {
		if a := b.rigs[p.Addr].ack(local(1)); a.Hi-a.Lo > widest.Hi-widest.Lo {
			widest = chord.Range{Lo: a.Lo, Hi: a.Hi}
		}
	}
	r := b.join(widest.At(1 << 63))
	b.run(10 * machine.Second)
	b.checkRemove(r, ids)
	own := chord.Range{Lo: widest.Lo, Hi: widest.At(1 << 63)}
	moved := 0
	for _, id := range ids {
		if !own.Contains(id.Prefix()) {
			continue
		}
		moved++
		r.now = b.now
		r.receive(bob, data(id, "hello"))
		if n := len(r.out.Forwards()); n < 2 { // the link may lead to this node itself
			t.Errorf("%v has %d copies, want one for each host", id, n)
		}
		r.out.Reset()
	}
	if c := r.node.Counters(); moved == 0 || int(c.TakenOver) != 3*moved || c.HandoverFailed != 0 {
		t.Errorf("%d identifiers moved, counters %+v", moved, c)
	}
}

// TestNodeWithoutRing: before it has joined a node drops requests and data, and counts them.
func TestNodeWithoutRing(t *testing.T) {
	m, err := chord.NewMember(chord.Config{Self: chord.Place{Prefix: 1, Addr: home}, Join: []netip.AddrPort{away}}, start)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, node.Config{Self: home, Member: m, Secret: secret})
	count := r.delta(func() {
		r.receive(bob, data(local(1), "x"))
		r.receive(bob, request(i3.KindInsert, 1, r.proven(toHost(local(1), alice))))
	})
	if want := (node.Counters{Packets: 2, DropNoRing: 2}); count != want || !r.out.Empty() {
		t.Errorf("counters %+v, want %+v, and nothing sent", count, want)
	}
}

func TestMemberConfigErrors(t *testing.T) {
	m, err := chord.NewMember(chord.Config{Self: chord.Place{Prefix: 1, Addr: home}}, start)
	if err != nil {
		t.Fatal(err)
	}
	for want, cfg := range map[string]node.Config{
		"no ring":                        {Self: home},
		"one or the other":               {Self: home, Member: m, Ring: ring},
		fmt.Sprint("own address ", away): {Self: away, Member: m},
	} {
		if _, err := node.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

// ack returns what the node says of an identifier, which may be another's.
func (r *rig) ack(id i3.ID) i3.Ack {
	r.Helper()
	return r.ask(bob, i3.KindInsert, i3.Insert{Trigger: toHost(id, bob), Probe: true})[0]
}

// checkRemove checks that nobody can remove a trigger of a host that was handed over without being challenged.
func (b *ringBed) checkRemove(r *rig, ids []i3.ID) {
	b.Helper()
	for _, id := range ids {
		if r.now = b.now; r.ack(id).Status != i3.StatusProbed {
			continue // another's
		}
		r.receive(mallory, request(i3.KindRemove, 1, i3.Insert{Trigger: toHost(id, alice)}))
		if got := r.one(); got.packet.Kind != i3.KindChallenge || got.to != alice {
			b.Fatalf("a removal by nobody is answered by %v to %v, want a challenge to alice", got.packet.Kind, got.to)
		}
	}
}

// TestHandoverIsForTheNeighbour: nobody but the node before it gets triggers, whose identifiers are secrets, out of a
// node, and nobody but the one that it asks puts any in.
func TestHandoverIsForTheNeighbour(t *testing.T) {
	b := newRingBed(t, 5)
	b.run(30 * machine.Second)
	id := i3.NewID(1<<63, i3.Key{5}, 1)
	r := b.owner(id.Prefix())
	r.now = b.now
	r.insert(toHost(id, alice))
	own := r.ack(id)
	packet := func(h i3.Handover) []byte {
		return h.AppendTo(i3.Packet{
			Kind: i3.KindHandover, HopLimit: 1, Length: i3.HandoverHead + i3.MaxHanded*i3.EntrySize,
		}.AppendTo(nil))
	}
	slices.SortFunc(b.all, func(p, q chord.Place) int { return cmp.Compare(p.Prefix, q.Prefix) })
	i := slices.IndexFunc(b.all, func(p chord.Place) bool { return b.rigs[p.Addr] == r })
	pred := b.all[(i+len(b.all)-1)%len(b.all)]
	handed := i3.Handed{Trigger: toHost(id.WithSuffix(2), alice), LifetimeMS: 1000}
	for name, c := range map[string]struct {
		from netip.AddrPort
		h    i3.Handover
	}{
		"a stranger":                        {mallory, i3.Handover{Lo: own.Lo, Hi: own.Hi}},
		"another member":                    {b.all[(i+1)%len(b.all)].Addr, i3.Handover{Lo: own.Lo, Hi: own.Hi}},
		"the one before, for more than its": {pred.Addr, i3.Handover{Lo: pred.Prefix, Hi: pred.Prefix}},
		"one that was not asked":            {pred.Addr, i3.Handover{Bring: true, Handed: []i3.Handed{handed}}},
	} {
		count := r.delta(func() { r.receive(c.from, packet(c.h)) })
		if want := (node.Counters{Packets: 1, DropStranger: 1}); count != want || !r.out.Empty() {
			t.Errorf("%s: counters %+v, want %+v, and no answer", name, count, want)
		}
	}
}
