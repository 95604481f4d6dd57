package node_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// less orders copies, for comparisons that do not care about order.
func less(a, b copied) int { return strings.Compare(a.to.String()+a.bytes, b.to.String()+b.bytes) }

func sorted(c []copied) []copied {
	slices.SortFunc(c, less)
	return c
}

// arrived returns the bytes that a packet has when it leaves for a host: one hop less.
func arrived(wire []byte) string {
	b := slices.Clone(wire)
	b[i3.TemplateSize]--
	return string(b)
}

// Figure 3(a): a packet goes to every trigger of its identifier, and all copies are the same bytes.
func TestReplication(t *testing.T) {
	for _, n := range []int{1, 2, 9} {
		r := newRig(t, config())
		id := local(1)
		var want []copied
		packet := data(id, "to all of you")
		for i := range n {
			r.insert(toHost(id, host(i)))
			want = append(want, copied{host(i), arrived(packet)})
		}
		count := r.delta(func() { r.receive(bob, packet) })
		if got := r.copies(); !slices.Equal(got, want) {
			t.Errorf("%d triggers: copies %v, want %v", n, got, want)
		}
		if want := (node.Counters{
			Packets: 1, Data: 1, Matched: 1, Copies: uint64(n), HostCopies: uint64(n),
		}); count != want {
			t.Errorf("%d triggers: counters %+v, want %+v", n, count, want)
		}
	}
}

// Figure 3(b): of several identifiers with the packet's prefix and key, the one nearest by suffix gets it.
func TestAnycast(t *testing.T) {
	r := newRig(t, config())
	group := local(1)
	suffixes := []uint64{0, 0xff00 << 48, 0xffff << 48, 0x0f}
	for i, s := range suffixes {
		id := group.WithSuffix(s)
		r.insert(toHost(id, host(i)))
	}
	r.insert(toHost(group.WithSuffix(0x0f), host(9))) // two at one identifier: both, which is replication
	r.insert(toHost(i3.NewID(group.Prefix(), i3.Key{99}, 3), host(8)))
	for _, c := range []struct {
		suffix uint64
		want   []netip.AddrPort
	}{
		{0, []netip.AddrPort{host(0)}},
		{1, []netip.AddrPort{host(0)}},
		{7, []netip.AddrPort{host(0)}},
		{8, []netip.AddrPort{host(3), host(9)}},
		{0x0f, []netip.AddrPort{host(3), host(9)}},
		{0xff10 << 48, []netip.AddrPort{host(1)}},
		{0x8000 << 48, []netip.AddrPort{host(1)}},
		{0xff80 << 48, []netip.AddrPort{host(2)}},
	} {
		packet := data(group.WithSuffix(c.suffix), "any of you")
		r.receive(bob, packet)
		var to []netip.AddrPort
		for _, got := range r.copies() {
			to = append(to, got.to)
			if got.bytes != arrived(packet) {
				t.Errorf("suffix %x: copy %q, want the packet as sent", c.suffix, got.bytes)
			}
		}
		if !slices.Equal(to, c.want) {
			t.Errorf("suffix %x: to %v, want %v", c.suffix, to, c.want)
		}
	}
	r.receive(bob, data(local(1).WithSuffix(0), "x"), data(i3.NewID(group.Prefix(), i3.Key{98}, 3), "nobody"))
	if len(r.out.Forwards()) != 1 || r.node.Counters().DropNoMatch != 1 {
		t.Errorf("%d copies, %d without a match", len(r.out.Forwards()), r.node.Counters().DropNoMatch)
	}
}

// Figure 3(c), within one node: the packet leaves under the identifier that the last trigger on its way names.
func TestLocalChain(t *testing.T) {
	r := newRig(t, config())
	first := local(1)
	link, second := chain(first, 6, 0x10)
	link2, third := chain(second, 8, 0x20)
	r.insert(link, link2, toHost(first, host(1)), toHost(second, host(2)), toHost(third, host(3)))
	packet := data(first, "through the chain")
	count := r.delta(func() { r.receive(bob, packet) })
	under := func(id i3.ID) string {
		return string(i3.AppendTemplate(nil, i3.KindData, id)) + arrived(packet)[i3.TemplateSize:]
	}
	want := []copied{{host(1), arrived(packet)}, {host(2), under(second)}, {host(3), under(third)}}
	if got := r.copies(); !slices.Equal(got, want) {
		t.Errorf("copies %v\nwant %v", got, want)
	}
	if want := (node.Counters{Packets: 1, Data: 1, Matched: 3, Copies: 3, HostCopies: 3}); count != want {
		t.Errorf("counters %+v, want %+v", count, want)
	}
	for _, c := range r.copies() { // what a host gets must decode as what was sent
		p, wire, rest, err := i3.Next([]byte(c.bytes))
		if err != nil || len(rest) != 0 || string(i3.Payload(wire)) != "through the chain" || p.Flow != 99 ||
			p.HopLimit != i3.DefaultHopLimit-1 {
			t.Errorf("copy to %v: %+v %q, %v", c.to, p, wire, err)
		}
	}
}

// TestRemoteChain is Figure 3(c) across nodes: three of them, and a branch that comes back to the first.
func TestRemoteChain(t *testing.T) {
	places := []chord.Place{{Prefix: 1 << 62, Addr: host(101)}, {Prefix: 2 << 62, Addr: host(102)},
		{Prefix: 3 << 62, Addr: host(103)}}
	net := newNet(t, places)
	first := i3.NewID(1<<62-2, i3.Key{1}, 0)
	link, second := chain(first, 2<<62-2, 1)
	link2, third := chain(second, 3<<62-2, 2)
	back, fourth := chain(second, 1<<62-4, 3)
	net.insert(link, link2, back, toHost(first, host(1)), toHost(second, host(2)), toHost(third, host(3)),
		toHost(fourth, host(4)))
	packet := data(first, "around the world")
	got := net.send(first, packet)
	hop := func(id i3.ID, nodes int) string {
		b := append(i3.AppendTemplate(nil, i3.KindData, id), packet[i3.TemplateSize:]...)
		i3.SetHopLimit(b, i3.DefaultHopLimit-uint8(nodes))
		return string(b)
	}
	want := []copied{
		{host(1), hop(first, 1)}, {host(2), hop(second, 2)}, {host(3), hop(third, 3)}, {host(4), hop(fourth, 3)},
	}
	if !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("copies %v\nwant %v", got, want)
	}
	// A packet that came to the wrong node is passed on, with one hop less and otherwise as it is.
	r := net.rigs[places[2].Addr]
	packet = data(first, "lost")
	count := r.delta(func() { r.receive(bob, packet) })
	if got := r.copies(); !slices.Equal(got, []copied{{places[0].Addr, arrived(packet)}}) {
		t.Errorf("misdirected: %v", got)
	}
	if want := (node.Counters{Packets: 1, Data: 1, Misdirected: 1}); count != want {
		t.Errorf("misdirected: counters %+v, want %+v", count, want)
	}
}

// A net is a few nodes joined by hand: what one forwards to another arrives at once.
type net struct {
	ring *chord.Fixed
	rigs map[netip.AddrPort]*rig
}

func newNet(t *testing.T, places []chord.Place) *net {
	n := &net{ring: mustRing(places...), rigs: make(map[netip.AddrPort]*rig)}
	for _, p := range places {
		owned, _ := n.ring.RangeOf(p.Addr)
		n.rigs[p.Addr] = newRig(t, node.Config{Self: p.Addr, Range: owned, Ring: n.ring, Secret: secret})
	}
	return n
}

func (n *net) insert(ts ...i3.Trigger) {
	for _, t := range ts {
		owner, _ := n.ring.Owner(t.ID.Prefix())
		n.rigs[owner].insert(t)
	}
}

// send returns the copies that leave the nodes for a packet to id.
func (n *net) send(id i3.ID, packet []byte) (left []copied) {
	owner, _ := n.ring.Owner(id.Prefix())
	for queue := []copied{{owner, string(packet)}}; len(queue) > 0; queue = queue[1:] {
		r, ok := n.rigs[queue[0].to]
		if !ok {
			left = append(left, queue[0])
			continue
		}
		r.receive(bob, []byte(queue[0].bytes))
		queue = append(queue, r.copies()...)
	}
	return left
}

func TestHopLimit(t *testing.T) {
	r := newRig(t, config())
	r.insert(toHost(local(1), alice))
	for _, c := range []struct {
		hops uint8
		id   i3.ID
		want int
	}{{0, local(1), 0}, {1, local(1), 1}, {255, local(1), 1}, {0, remote(1), 0}, {1, remote(1), 1}} {
		count := r.delta(func() { r.receive(bob, dataWithin(c.id, c.hops, "x")) })
		if len(r.out.Forwards()) != c.want || int(count.DropHopLimit) != 1-c.want {
			t.Errorf("hop limit %d: %d copies, counters %+v", c.hops, len(r.out.Forwards()), count)
		}
		if c.want == 1 && r.copies()[0].bytes[i3.TemplateSize] != c.hops-1 {
			t.Errorf("hop limit %d leaves as %d", c.hops, r.copies()[0].bytes[i3.TemplateSize])
		}
	}
}

// Two nodes that each take the other for the owner cannot keep a packet for ever.
func TestPingPong(t *testing.T) {
	var pair [2]*rig
	for i := range pair {
		cfg := config()
		cfg.Range, cfg.Ring = chord.Range{Lo: 1, Hi: 2}, only{host(1 - i)}
		pair[i] = newRig(t, cfg)
	}
	packet, visits := data(remote(1), "ball"), 0
	for ; visits < 1000; visits++ {
		r := pair[visits%2]
		r.receive(bob, packet)
		if len(r.out.Forwards()) == 0 {
			break
		}
		packet = []byte(r.copies()[0].bytes)
	}
	if visits != i3.DefaultHopLimit {
		t.Errorf("a packet visited %d nodes, want %d", visits, i3.DefaultHopLimit)
	}
}

// The second wall behind the constraints: a chain inside one node is followed so far and no further.
func TestLocalChainBound(t *testing.T) {
	for _, length := range []int{node.MaxLocal - 1, node.MaxLocal, node.MaxLocal + 1, 3 * node.MaxLocal} {
		r := newRig(t, config())
		id := local(1)
		for range length - 1 {
			link, next := chain(id, 6, 0)
			r.insert(link)
			id = next
		}
		r.insert(toHost(id, alice))
		count := r.delta(func() { r.receive(bob, data(local(1), "x")) })
		want := 1
		if length > node.MaxLocal {
			want = 0
		}
		if len(r.out.Forwards()) != want || int(count.DropHopLimit) != 1-want ||
			int(count.Matched) != min(length, node.MaxLocal) {
			t.Errorf("chain of %d identifiers: %d copies, counters %+v", length, len(r.out.Forwards()), count)
		}
		if r.matches(id) != 1 { // the next packet starts anew
			t.Errorf("chain of %d identifiers: the last one's trigger is not found after it", length)
		}
	}
}

func TestNoOwner(t *testing.T) {
	for name, ring := range map[string]chord.Ring{"unknown": empty{}, "itself": only{home}} {
		cfg := config()
		cfg.Ring = ring
		r := newRig(t, cfg)
		link, _ := chain(local(1), remote(1).Prefix(), 0)
		r.insert(link, toHost(local(1), alice))
		count := r.delta(func() { r.receive(bob, data(remote(1), "x"), data(local(1), "y")) })
		want := node.Counters{Packets: 2, Data: 2, Matched: 1, Copies: 1, HostCopies: 1, DropNoOwner: 2}
		if count != want || len(r.out.Forwards()) != 1 {
			t.Errorf("owner %s: %d copies, counters %+v, want %+v", name, len(r.out.Forwards()), count, want)
		}
	}
}

// An empty ring knows no node; of the other kind one node owns everything.
type (
	empty struct{}
	only  struct{ node netip.AddrPort }
)

func (empty) Owner(uint64) (netip.AddrPort, bool)  { return netip.AddrPort{}, false }
func (o only) Owner(uint64) (netip.AddrPort, bool) { return o.node, true }

// Forwards point into the datagram that arrived and into the node's templates: no payload byte is copied or written.
func TestForwardsAliasTheDatagram(t *testing.T) {
	r := newRig(t, config())
	link, second := chain(local(1), 6, 0)
	far, third := chain(local(1), remote(1).Prefix(), 0)
	r.insert(toHost(local(1), alice), link, far, toHost(second, bob))
	packet := data(local(1), strings.Repeat("payload ", 100))
	wrong := data(remote(5), "misdirected")
	before := slices.Clone(packet)
	bundle := append(slices.Clone(packet), wrong...)
	r.receiveInPlace(bob, bundle)
	templates := make(map[*byte]bool)
	for _, f := range r.out.Forwards() {
		begin, size := 0, len(packet)
		switch {
		case f.To == away && len(f.Template) == 0:
			begin, size = len(packet), len(wrong)
		case len(f.Template) > 0:
			begin, size = i3.TemplateSize, len(packet)-i3.TemplateSize
			templates[&f.Template[0]] = true
			id := third
			if f.To == bob {
				id = second
			}
			if string(f.Template) != string(i3.AppendTemplate(nil, i3.KindData, id)) {
				t.Errorf("template of the copy to %v is not that of %v", f.To, id)
			}
		}
		if &f.Body[0] != &bundle[begin] || len(f.Body) != size || cap(f.Body) != size {
			t.Errorf("copy to %v: body of %d bytes (capacity %d) is not the datagram's from %d, %d bytes",
				f.To, len(f.Body), cap(f.Body), begin, size)
		}
	}
	if len(r.out.Forwards()) != 4 || len(r.out.Sends()) != 0 || len(templates) != 2 {
		t.Fatalf("%d copies, %d sends, %d templates", len(r.out.Forwards()), len(r.out.Sends()), len(templates))
	}
	before[i3.TemplateSize]--
	if string(bundle[:len(packet)]) != string(before) {
		t.Error("more than the hop limit was written")
	}
	r.receive(bob, data(local(1), "again"))
	for _, f := range r.out.Forwards() {
		if len(f.Template) > 0 && !templates[&f.Template[0]] {
			t.Errorf("the copy to %v has a template made anew", f.To)
		}
	}
}

// No copy of a batch is made above the budget, every one that was not is counted, and the next batch is served.
func TestBudget(t *testing.T) {
	cfg := config()
	cfg.MaxPerID = 64
	r := newRig(t, cfg)
	r.out = machine.NewOutbox(0, 0, 4*node.MaxCopies)
	for i := range cfg.MaxPerID {
		r.insert(toHost(local(1), host(i)))
	}
	const packets = 200
	batch := make([][]byte, packets)
	for i := range batch {
		batch[i] = data(local(1), fmt.Sprint(i))
	}
	count := r.delta(func() { r.receive(bob, batch...) })
	dropped := uint64(packets*cfg.MaxPerID - node.MaxCopies)
	if count.Copies != node.MaxCopies || count.DropBudget != dropped || len(r.out.Forwards()) != node.MaxCopies ||
		count.Matched != packets {
		t.Errorf("counters %+v, %d copies; want %d copies, %d dropped", count, len(r.out.Forwards()), node.MaxCopies, dropped)
	}
	if n := r.matches(local(1)); n != cfg.MaxPerID {
		t.Errorf("%d copies of the packet after, want %d", n, cfg.MaxPerID)
	}
}

// A tree of chains inside one node grows like D to its depth; the budget bounds that, too.
func TestBudgetOfTrees(t *testing.T) {
	r := newRig(t, config())
	r.out = machine.NewOutbox(0, 0, 4*node.MaxCopies)
	level := []i3.ID{local(1)}
	for depth := range 5 {
		var next []i3.ID
		for _, id := range level {
			for i := range uint64(node.DefaultMaxPerID) {
				link, child := chain(id, 2*i, uint64(depth))
				r.insert(link)
				next = append(next, child)
			}
		}
		if len(next) > 5000 {
			level = next[:5000] // more than the budget in all
			break
		}
		level = next
	}
	for i, id := range level {
		r.insert(toHost(id, host(i)))
	}
	count := r.delta(func() { r.receive(bob, data(local(1), "x"), data(local(1), "y")) })
	if count.DropBudget == 0 || count.Copies > node.MaxCopies {
		t.Errorf("counters %+v, want at most %d copies and some above the budget", count, node.MaxCopies)
	}
}

// TestAttackA16SlowReceiver: who drains nothing fills an outbox. A full one drops and counts, and what it holds stays
// as it was; the node does not wait. The bounds for each address are those of the driver, in replicate.
func TestAttackA16SlowReceiver(t *testing.T) {
	r := newRig(t, config())
	r.insert(toHost(local(1), host(1)), toHost(local(1), host(2)), toHost(local(1), host(3)))
	r.out = machine.NewOutbox(1, i3.HeaderSize+i3.EntrySize, 2)
	count := r.delta(func() {
		r.receive(alice, data(local(1), "x"), data(remote(1), "y"), request(i3.KindInsert, 1, i3.Insert{
			Trigger: toHost(local(2), alice), Probe: true,
		}), request(i3.KindInsert, 2, i3.Insert{Trigger: toHost(local(2), alice), Probe: true}))
	})
	if count.DropOutbox != 3 || len(r.out.Forwards()) != 2 || len(r.replies()) != 1 {
		t.Errorf("counters %+v, %d copies, %d replies; want 3 dropped of 4 copies and 2 replies",
			count, len(r.out.Forwards()), len(r.replies()))
	}
}
