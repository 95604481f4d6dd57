package multicast_test

import (
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// lifetime is T in the tests of departures, short so that they are.
const lifetime = 6 * second

// family returns a bed with a chain of three below the source, of degree two:
// the grandparent full of nobody but the parent, and so on.
func family(t *testing.T, degree int, scheme multicast.RefreshScheme) (b *bed, parent, child, grandchild *receiver) {
	t.Helper()
	b = newBed(t, setup{
		seed: 21, degree: degree,
		group: multicast.Config{Refresh: scheme, Host: host.Config{Lifetime: lifetime}},
	})
	rs := b.grow(3)
	return b, rs[0], rs[1], rs[2]
}

// own returns a receiver's identifier.
func (r *receiver) own() i3.ID {
	c := r.Machine.Chain()
	return c[len(c)-1]
}

// sendFor keeps packets flowing for a time.
func (b *bed) sendFor(d machine.Duration) {
	for end := b.world.Now().Add(d); b.world.Now() < end; {
		b.send(1, 20*millisecond)
	}
}

// A leaf that leaves takes all its triggers with it.
func TestLeafLeaves(t *testing.T) {
	b, _, child, leaf := family(t, 1, multicast.OwnerFirst)
	with := b.triggers()
	b.send(5, 20*millisecond)
	b.leave(leaf)
	b.world.Sleep(100 * millisecond)
	if got := with - b.triggers(); got != 4 {
		t.Errorf("%d triggers less after a leaf left, want 4: link, own, set, repair group", got)
	}
	if n := child.Machine.Children(); n != 0 {
		t.Errorf("its parent has %d children, want none", n)
	}
	b.checkTables()
	b.sendFor(second)
	b.quiesce(5 * second)
	b.judge()
	if len(leaf.got) != 5 {
		t.Errorf("the leaf got %d packets, want the 5 before it left", len(leaf.got))
	}
}

// Data flow on under an internal receiver that leaves or crashes, as if nothing
// had happened; a child takes its identifier over, and keeps it.
func TestInternalReceiverGoes(t *testing.T) {
	for name, scheme := range schemes {
		for _, crash := range []bool{false, true} {
			if crash && scheme != multicast.OwnerFirst {
				continue // without the owner's slot nobody notices a crash
			}
			how := " leaves"
			if crash {
				how = " crashes"
			}
			t.Run(name+how, func(t *testing.T) { testInternalGoes(t, scheme, crash) })
		}
	}
}

func testInternalGoes(t *testing.T, scheme multicast.RefreshScheme, crash bool) {
	b, parent, child, _ := family(t, 1, scheme)
	b.sendFor(second)
	if crash {
		b.crash(parent)
	} else {
		b.leave(parent)
	}
	adopted := func() bool { return child.Machine.Counters().Adoptions == 1 }
	for range 4 * 50 { // 4 s at a time, data flowing
		if b.sendFor(100 * millisecond); adopted() {
			break
		}
	}
	if !adopted() {
		t.Fatalf("nobody adopted the identifier: %+v", child.Machine.Counters())
	}
	b.sendFor(second)
	b.quiesce(5 * second)
	b.judge()
	if n := b.sum(func(c multicast.Counters) uint64 { return c.Repaired }); n > 0 {
		t.Errorf("%d packets had to be repaired, want none lost", n)
	}
	p := newProber(b)
	for range 40 { // ten lifetimes
		b.world.Sleep(lifetime / 4)
		if n, _ := p.count(multicast.JoinSet(b.Group())); n != 1 {
			t.Fatalf("%d answer for the source's children, want the adopter", n)
		}
	}
	if n := b.sum(func(c multicast.Counters) uint64 { return c.Adoptions }); n != 1 {
		t.Errorf("%d adoptions, want one that lasts", n)
	}
	// The degree is one, so the identifier without owner is where a slot is free.
	j := b.add(5)[0]
	b.join(j)
	if c := j.Machine.Chain(); len(c) != 3 || c[1] != parent.own() {
		t.Errorf("the new receiver did not find the adopted identifier:\n%s", b.tree())
	}
	b.world.Sleep(second)
	if n, _ := p.count(multicast.FullSet(b.Group())); n != 1 {
		t.Errorf("the adopted identifier is full and in the set of the full %d times, want once", n)
	}
	b.send(10, 20*millisecond)
	b.quiesce(5 * second)
	b.judge()
}

// When the last receivers leave, bottom up or top down, nothing stays behind
// that would have to expire.
func TestLastLeaves(t *testing.T) {
	for _, order := range [][3]int{{2, 1, 0}, {0, 1, 2}, {1, 0, 2}, {0, 2, 1}, {1, 2, 0}, {2, 0, 1}} {
		b, x, y, z := family(t, 1, multicast.OwnerFirst)
		rs := []*receiver{x, y, z}
		for _, i := range order {
			b.leave(rs[i])
			b.world.Sleep(second) // time to adopt
		}
		b.world.Sleep(second)
		if n := b.triggers(); n != 3 {
			t.Errorf("order %v: %d triggers stay, want the source's 3", order, n)
		}
	}
}

// An adopted identifier that was full is found again when it has room, even if
// the hint that it has is lost.
func TestAdoptedBecomesFree(t *testing.T) {
	b, parent, child, _ := family(t, 1, multicast.OwnerFirst)
	child.drop = messageIs(multicast.TypeHint, 0)
	b.leave(parent)
	b.until("adoption", 5*second, func() bool { return child.Machine.Counters().Adoptions == 1 })
	b.world.Sleep(second)
	j := b.add(5)[0]
	b.join(j)
	b.leave(j)
	b.world.Sleep(lifetime)
	p := newProber(b)
	if n, _ := p.count(multicast.JoinSet(b.Group())); n != 1 {
		t.Errorf("an identifier with room is in the set of the joinable %d times, want once", n)
	}
	if n, _ := p.count(multicast.FullSet(b.Group())); n != 0 {
		t.Errorf("and %d times in that of the full, want none", n)
	}
}

// An adopted identifier that is full is known to be so by whoever adopts it next.
func TestAdoptedStaysFull(t *testing.T) {
	b, parent, child, _ := family(t, 1, multicast.Uniform)
	b.leave(parent)
	b.until("adoption", 5*second, func() bool { return child.Machine.Counters().Adoptions == 1 })
	b.world.Sleep(second)
	j := b.add(5)[0]
	b.join(j) // takes the free slot
	b.leave(child)
	b.until("the next adoption", 5*second, func() bool { return j.Machine.Counters().Adoptions == 1 })
	b.world.Sleep(100 * millisecond)
	p := newProber(b)
	if n, _ := p.count(multicast.FullSet(b.Group())); n != 1 {
		t.Errorf("a full identifier is in the set of the full %d times, want once", n)
	}
}

// A receiver that gives up its place hands over what it has adopted.
func TestAdopterMoves(t *testing.T) {
	b := newBed(t, setup{seed: 23, degree: 2, group: multicast.Config{
		Refresh: multicast.Uniform, Host: host.Config{Lifetime: lifetime},
	}})
	rs := b.grow(4)
	parent := rs[0]
	if rs[0].Machine.Children() != 2 {
		parent = rs[1]
	}
	if parent.Machine.Children() != 2 {
		t.Fatalf("no parent of two:\n%s", b.tree())
	}
	b.leave(parent)
	adopter := func() *receiver {
		for _, r := range rs[2:] {
			if r.Machine.Counters().Adoptions == 1 {
				return r
			}
		}
		return nil
	}
	b.until("adoption", 5*second, func() bool { return adopter() != nil })
	moves := adopter()
	b.cutOff(moves)
	b.until("the sibling adopts", 2*second, func() bool {
		return b.sum(func(c multicast.Counters) uint64 { return c.Adoptions }) == 2
	})
	b.until("the adopter is back", 20*second, func() bool { return moves.attached == 2 })
	b.quiesce(10 * second)
	b.judge()
}

// Of several children one adopts; two that do not hear of each other agree
// later.
func TestOneAdopts(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		b := newBed(t, setup{
			seed: 22, degree: 3, delays: nil,
			group: multicast.Config{Host: host.Config{Lifetime: lifetime}},
		})
		rs := b.grow(6) // three below the source, three below one of these
		var parent *receiver
		for _, r := range rs[:3] {
			if r.Machine.Children() == 3 {
				parent = r
			}
		}
		if parent == nil {
			t.Fatalf("no parent of three:\n%s", b.tree())
		}
		hearsAll := false
		for _, r := range rs[3:] {
			r.drop = func(_ i3.Packet, payload []byte) bool {
				m, _, err := multicast.ParseMessage(payload)
				return deaf && !hearsAll && err == nil && m.Type == multicast.TypeAdopt
			}
		}
		b.leave(parent)
		b.world.Sleep(second)
		hearsAll = true
		if n := b.sum(func(c multicast.Counters) uint64 { return c.Adoptions }); deaf == (n == 1) {
			t.Errorf("deaf %v: %d adoptions", deaf, n)
		}
		b.world.Sleep(lifetime)
		p := newProber(b)
		for range 20 {
			b.world.Sleep(lifetime / 4)
			if n, _ := p.count(multicast.FullSet(b.Group())); n != 0 {
				t.Fatalf("deaf %v: %d full children of the source, want none: three links are no full set", deaf, n)
			}
			if n, _ := p.count(multicast.JoinSet(b.Group())); n != 3 {
				t.Fatalf("deaf %v: %d answer for the source's children, want 3: two owners and one adopter", deaf, n)
			}
		}
	}
}

// A receiver that adopts while the owner is alive, because it did not hear of
// it, yields when it does, and does not answer for it any more.
func TestFalseAdoptionYields(t *testing.T) {
	b, parent, child, grandchild := family(t, 1, multicast.OwnerFirst)
	cut := true
	child.drop = func(_ i3.Packet, payload []byte) bool {
		m, _, err := multicast.ParseMessage(payload)
		return cut && err == nil && m.Type == multicast.TypeRefreshAck
	}
	b.until("adoption", 10*lifetime, func() bool { return child.Machine.Counters().Adoptions == 1 })
	cut = false
	b.world.Sleep(lifetime)
	p := newProber(b)
	if n, _ := p.count(multicast.FullSet(b.Group())); n != 1 {
		t.Errorf("%d answer for the source's child, want its owner alone", n)
	}
	b.leave(grandchild)
	b.world.Sleep(second)
	j := b.add(5)[0]
	b.join(j)
	b.world.Sleep(3 * lifetime)
	if c := j.Machine.Chain(); len(c) != 4 || c[1] != parent.own() || c[2] != child.own() {
		t.Errorf("the new receiver has a wrong chain:\n%s", b.tree())
	}
	if n := j.Machine.Counters().Searches; n != 1 {
		t.Errorf("%d searches, want one", n)
	}
	b.send(10, 20*millisecond)
	b.quiesce(5 * second)
	b.judge()
}

// A refresh that is under way when the receiver leaves is not taken for the end
// of its leaving.
func TestLeaveDuringRefresh(t *testing.T) {
	for _, scheme := range schemes {
		b, _, _, leaf := family(t, 1, scheme)
		before := leaf.Machine.Counters().Refreshes
		with := b.triggers()
		link := leaf.links()[2]
		asked := b.countInserts()
		b.until("the leaf refreshes", 10*lifetime, func() bool { return asked[link] > 0 })
		if leaf.Machine.Counters().Refreshes == before {
			b.until("the leaf refreshes itself", 10*lifetime, func() bool {
				return leaf.Machine.Counters().Refreshes > before
			})
		}
		b.leave(leaf)
		b.world.Sleep(second)
		if got := with - b.triggers(); got != 4 {
			t.Errorf("%v: %d triggers less after a leaf left, want 4", scheme, got)
		}
		p := newProber(b)
		if p.has(link.ID, i3.ID{}) {
			t.Error("the empty identifier has a link")
		}
	}
}

// A receiver whose messages are lost while it leaves still becomes idle.
func TestLeaveEnds(t *testing.T) {
	b, _, child, _ := family(t, 1, multicast.OwnerFirst)
	child.drop = func(p i3.Packet, _ []byte) bool { return p.Kind == i3.KindAck || p.Kind == i3.KindChallenge }
	child.gone = true
	child.Leave()
	b.until("it gives up", 120*second, func() bool { return child.Machine.Idle() })
	if child.left != 1 {
		t.Errorf("told %d times that it left, want once", child.left)
	}
	child.drop = nil
	b.world.Sleep(lifetime + 2*second)
	b.join(child)
	child.gone = false
	b.send(10, 20*millisecond)
	b.quiesce(10 * second)
	b.judge()
}

// Whoever leaves may join again, and gets what is sent from then on.
func TestJoinAgain(t *testing.T) {
	b, x, y, _ := family(t, 1, multicast.OwnerFirst)
	for range 5 {
		for _, r := range []*receiver{x, y} {
			b.leave(r)
			b.send(7, 20*millisecond)
			b.world.Sleep(second)
			b.join(r)
			r.gone = false
			b.send(5, 20*millisecond)
		}
	}
	b.quiesce(10 * second)
	b.judge()
}

// If a receiver and the only one below it leave at the same moment, neither hears of the other. No link is left behind.
func TestLeaveTogether(t *testing.T) {
	for offset := -20 * millisecond; offset <= 20*millisecond; offset += millisecond {
		b := newBed(t, setup{seed: 8, degree: 1, delays: newPlane(8, 8, 10*time.Millisecond)})
		rs := b.grow(3)
		upper, lower := rs[1], rs[2]
		if upper.Machine.Level() > lower.Machine.Level() {
			upper, lower = lower, upper
		}
		early, late := upper, lower
		if offset < 0 {
			early, late = lower, upper
		}
		early.gone, late.gone = true, true
		early.Leave()
		b.world.Sleep(max(offset, -offset))
		late.Leave()
		b.until("both have left", 10*second, func() bool { return early.left == 1 && late.left == 1 })
		b.world.Sleep(second)
		b.checkTables()
	}
}

// Who says that nobody is below a former place may lie: the link stays as long as somebody is.
func TestForgedHintCutsNothing(t *testing.T) {
	b := newBed(t, setup{seed: 8, degree: 1})
	rs := b.grow(3)
	id := rs[1].Machine.Chain()[len(rs[1].Machine.Chain())-1]
	b.leave(rs[1])
	m := multicast.Message{Type: multicast.TypeHint}.AppendTo(nil)
	wire := id.AppendTo(m)
	forger, err := b.world.Open()
	if err != nil {
		t.Fatal(err)
	}
	forger.Do(func(_ machine.Time, out *machine.Outbox) {
		out.Send(rs[1].Endpoint.Addr(), append(i3.Packet{
			Kind: i3.KindDirect, HopLimit: 1, Length: uint16(len(wire)), ID: id,
		}.AppendTo(nil), wire...))
	})
	b.world.Sleep(second)
	b.send(5, 10*millisecond)
	b.quiesce(10 * second)
	b.judge()
	b.checkTables()
}
