package cluster_test

import (
	"cmp"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/internal/prng"
)

// A ringNode is a node of a ring, on an endpoint.
type ringNode struct {
	endpoint
	place  chord.Place
	member *chord.Member
	node   *node.Node
	found  map[uint32]chord.Finding
}

// A ringTest is nodes that form a ring in some world.
type ringTest struct {
	*testing.T
	rig
	nodes   []*ringNode
	rng     prng.Source
	mirrors bool // nodes keep mirrors, and hosts refresh triggers seldom
}

// start adds so many nodes, which join by the first.
func (r *ringTest) start(nodes int) {
	for range nodes {
		r.startAt(r.rng.Uint64())
	}
}

// startAt adds one at a position.
func (r *ringTest) startAt(prefix uint64) {
	end, err := r.open()
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { end.Close() })
	n := &ringNode{endpoint: end, found: map[uint32]chord.Finding{}}
	n.place = chord.Place{Prefix: prefix, Addr: end.Addr()}
	cfg := chord.Config{
		Self: n.place, Seed: r.rng.Uint64(), Period: 200 * machine.Millisecond,
		Found: func(_ machine.Time, f chord.Finding, _ *machine.Outbox) { n.found[f.Ticket] = f },
	}
	if len(r.nodes) > 0 {
		cfg.Join = []netip.AddrPort{r.nodes[0].place.Addr}
	}
	if n.member, err = chord.NewMember(cfg, r.now()); err != nil {
		r.Fatal(err)
	}
	m, err := node.New(node.Config{Self: n.place.Addr, Member: n.member, Mirrors: r.mirrors})
	if err != nil {
		r.Fatal(err)
	}
	n.node = m
	end.Start(m)
	r.nodes = append(r.nodes, n)
}

// whole reports whether the nodes are one ring.
func (r *ringTest) whole() bool {
	slices.SortFunc(r.nodes, func(a, b *ringNode) int { return cmp.Compare(a.place.Prefix, b.place.Prefix) })
	whole := true
	for i, n := range r.nodes {
		pred, next := r.nodes[(i+len(r.nodes)-1)%len(r.nodes)], r.nodes[(i+1)%len(r.nodes)]
		n.Do(func(machine.Time, *machine.Outbox) {
			owned, ok := n.member.Range()
			want := chord.Range{Lo: pred.place.Prefix, Hi: n.place.Prefix}
			whole = whole && ok && owned == want && n.member.Successors()[0] == next.place
		})
	}
	return whole
}

// find makes every node look for some owners, and returns how many of how many lookups are right.
func (r *ringTest) find(each int) (right, all int) {
	var places []chord.Place
	for _, n := range r.nodes {
		places = append(places, n.place)
	}
	ring, err := chord.NewFixed(places)
	if err != nil {
		r.Fatal(err)
	}
	var done atomic.Int64
	for _, n := range r.nodes {
		n.Do(func(now machine.Time, out *machine.Outbox) {
			clear(n.found)
			for range each {
				n.member.Find(now, r.rng.Uint64(), out)
			}
		})
	}
	r.until(func() bool {
		done.Store(0)
		for _, n := range r.nodes {
			n.Do(func(machine.Time, *machine.Outbox) { done.Add(int64(len(n.found))) })
		}
		return int(done.Load()) == each*len(r.nodes)
	})
	for _, n := range r.nodes {
		n.Do(func(machine.Time, *machine.Outbox) {
			for _, f := range n.found {
				if owner, _ := ring.Owner(f.Prefix); f.OK && f.Owner.Addr == owner {
					right++
				}
			}
		})
	}
	return right, each * len(r.nodes)
}

// findAll looks for owners until all are right: on a machine that is busy for tenths of a second, members are taken for
// dead that live, and found again.
func (r *ringTest) findAll() {
	r.Helper()
	var right, all int
	for range 10 {
		if right, all = r.find(4); right == all {
			return
		}
		r.Logf("%d of %d lookups are right", right, all)
	}
	r.Errorf("%d of %d lookups are right in the end", right, all)
}

// TestRing: in every world nodes form a ring by one of them, and again when a quarter has died at once; who looks for
// an owner finds it.
func TestRing(t *testing.T) {
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) {
			r := &ringTest{T: t, rig: d.rig(nil), rng: prng.New(3, 3)}
			r.start(32)
			if !r.until(r.whole) {
				t.Fatal("the nodes do not become a ring")
			}
			r.findAll()
			for range 8 { // any but the first, by which others join
				i := 1 + r.rng.IntN(len(r.nodes)-1)
				r.nodes[i].Close()
				r.nodes = slices.Delete(r.nodes, i, i+1)
			}
			if !r.until(r.whole) {
				t.Fatal("the rest does not become a ring")
			}
			r.findAll()
		})
	}
}

// A hearer notes when it is sent something.
type hearer struct{ last atomic.Int64 }

func (h *hearer) Deliver(now machine.Time, _ netip.AddrPort, _ i3.Packet, _ []byte, _ *machine.Outbox) {
	h.last.Store(int64(now))
}
func (h *hearer) Acked(machine.Time, i3.Ack, *machine.Outbox)      {}
func (h *hearer) Failed(machine.Time, i3.Trigger, *machine.Outbox) {}

// visitor adds a host, which finds owners by some of the nodes.
func (r *ringTest) visitor(h host.Handler) (*host.Host, endpoint) {
	end, err := r.open()
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { end.Close() })
	cfg := chord.Config{Self: chord.Place{Addr: end.Addr()}}
	for _, n := range r.nodes[:5] {
		cfg.Join = append(cfg.Join, n.place.Addr)
	}
	guest, err := chord.NewGuest(cfg, r.now())
	if err != nil {
		r.Fatal(err)
	}
	c := host.Config{Self: end.Addr(), Ring: guest, Lifetime: 3 * machine.Second}
	if r.mirrors {
		c.Lifetime = node.DefaultLifetime
	}
	m, err := host.New(c, h)
	if err != nil {
		r.Fatal(err)
	}
	end.Start(guest.Beside(m))
	return m, end
}

// TestHostsOnRing: hosts find the owners of identifiers by themselves, and others when these have died.
func TestHostsOnRing(t *testing.T) {
	for _, d := range drivers[:2] {
		t.Run(d.name, func(t *testing.T) {
			r := &ringTest{T: t, rig: d.rig(nil), rng: prng.New(4, 4)}
			r.start(16)
			if !r.until(r.whole) {
				t.Fatal("the nodes do not become a ring")
			}
			heard := new(hearer)
			to, toEnd := r.visitor(heard)
			from, fromEnd := r.visitor(new(hearer))
			id := i3.NewID(r.nodes[9].place.Prefix&^1-4, i3.Key{1}, 0)
			toEnd.Do(func(now machine.Time, out *machine.Outbox) { to.Maintain(now, to.Own(id), out) })
			arrives := func() bool {
				since := int64(r.now())
				var sent machine.Time
				return r.until(func() bool {
					if now := r.now(); now > sent.Add(100*machine.Millisecond) {
						sent = now
						fromEnd.Do(func(_ machine.Time, out *machine.Outbox) { from.Send(id, []byte("x"), out) })
					}
					return heard.last.Load() > since
				})
			}
			if !arrives() {
				t.Fatal("nothing arrives")
			}
			r.nodes[9].Close()
			dead := r.now()
			if !arrives() {
				t.Fatal("nothing arrives after the owner has died")
			}
			t.Logf("again after %.1f s", r.now().Sub(dead).Seconds())
		})
	}
}
