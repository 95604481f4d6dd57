package multicast_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/testbed"
)

// move makes a receiver look for another place.
func (r *receiver) move() (begun bool) {
	r.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { begun = r.Machine.Move(now, out) })
	return begun
}

// rest waits, while packets flow, until nobody moves any more.
func (b *bed) rest() {
	b.tb.Helper()
	for range 600 {
		if !slices.ContainsFunc(b.live(), func(r *receiver) bool { return r.Machine.Moving() }) {
			return
		}
		b.send(1, 100*millisecond)
	}
	b.tb.Fatalf("somebody moves still\n%s", b.tree())
}

// moveCounters adds up what receivers have done to move.
func (b *bed) moveCounters() (sum multicast.MoveCounters) {
	for _, r := range b.rs {
		c := r.Machine.MoveCounters()
		sum.Probes += c.Probes
		sum.Moves += c.Moves
		sum.Refused += c.Refused
		sum.Failed += c.Failed
		sum.Rekeys += c.Rekeys
	}
	return sum
}

// A receiver moves with all below it, whose nodes, prefixes and suffixes stay, and nobody misses a packet or gets one
// twice. What was left behind is taken back at once.
func TestMove(t *testing.T) {
	for name, loss := range map[string]testbed.Loss{"lossless": {}, "lossy": testbed.PaperLoss(41), "with a key": {}} {
		t.Run(name, func(t *testing.T) {
			s := setup{seed: 41, degree: 2, nodes: 12, delays: newPlane(41, 12, 20*time.Millisecond), loss: loss}
			s.group.Host.Hurry = 3
			if name == "with a key" {
				s.group.Key = groupKey
			}
			b := newBed(t, s)
			rs := b.grow(16)
			for _, r := range rs {
				before := slices.Clone(r.Machine.Chain())
				if !r.move() {
					t.Fatalf("%s does not look for a place", r.name)
				}
				b.rest()
				after := r.Machine.Chain()
				own, was := after[len(after)-1], before[len(before)-1]
				if own.Prefix() != was.Prefix() || own.Suffix() != was.Suffix() {
					t.Errorf("%s was %v and is %v: it changed more than its key", r.name, was, own)
				}
				if i3.RightKey(after[len(after)-2]) != own.Key() {
					t.Errorf("%s has not its parent's key", r.name)
				}
			}
			b.send(50, 20*millisecond)
			b.quiesce(30 * second)
			b.judge()
			follows := b.moveCounters().Rekeys
			dup := b.sum(func(c multicast.Counters) uint64 { return c.Duplicates })
			t.Logf("%d moves, %d rekeys, %d duplicates dropped, %d refused, %d failed", b.moveCounters().Moves, follows, dup,
				b.moveCounters().Refused,
				b.moveCounters().Failed)
			if b.moveCounters().Moves < 8 || dup == 0 {
				t.Errorf("%d moves, %d packets came twice: nothing was tested", b.moveCounters().Moves, dup)
			}
			if n := b.sum(func(c multicast.Counters) uint64 { return c.Searches }); n != 16 && name != "lossy" {
				t.Errorf("%d searches for 16 joins: somebody fell out of the tree", n)
			}
			if name != "lossy" {
				if n := b.sum(func(c multicast.Counters) uint64 { return c.Repaired }); n > 0 {
					t.Errorf("%d packets had to be repaired: something was broken before its successor was made", n)
				}
				b.world.Sleep(host.DefaultLifetime / 2) // refreshes tell who is full
				b.checkTables()
			}
			b.net.Mute(true)
			b.world.Sleep(4*host.DefaultLifetime + 2*second)
			b.checkTables()
		})
	}
}

// A receiver that has moved keeps the old place for a while, for packets that are on their way to it, and then gives it
// back without waiting for it to expire.
func TestOverlap(t *testing.T) {
	b := newBed(t, setup{seed: 41, degree: 2})
	leaf := b.grow(6)[5]
	old := leaf.Machine.Chain()
	was := old[len(old)-1]
	p := newProber(b)
	leaf.move()
	b.until("it moves", 10*second, func() bool { return leaf.moved > 0 })
	b.world.Sleep(second)
	if n, _ := p.count(was); n != 1 || !p.has(old[len(old)-2], was) {
		t.Errorf("a second after the move there are %d triggers at the old place, want 1, and its link", n)
	}
	b.world.Sleep(2 * second)
	if n, _ := p.count(was); n != 0 || p.has(old[len(old)-2], was) {
		t.Errorf("three seconds after the move there are %d triggers at the old place, or its link", n)
	}
}

// Where every place seems nearer than it turns out to be, receivers move again and again, but ever more rarely.
func TestLiesAreDamped(t *testing.T) {
	s := setup{seed: 48, degree: 3, delays: newPlane(48, 8, 40*time.Millisecond)}
	s.group.Probe.Period = 2 * second
	b := newBed(t, s)
	rs := b.grow(12)
	for _, r := range rs {
		r.drop = func(p i3.Packet, payload []byte) bool {
			m, body, err := multicast.ParseMessage(payload)
			if p.Kind != i3.KindDirect || err != nil || m.Type != multicast.TypeReply {
				return false
			}
			if rep, err := multicast.ParseReply(body); err == nil {
				rep.SourceDistance -= int64(second)
				copy(body, rep.AppendTo(nil))
			}
			return false
		}
	}
	const minutes = 30
	half := uint64(0)
	for i := range minutes {
		if i == minutes/2 {
			half = b.moveCounters().Moves
		}
		b.send(1, 60*second)
	}
	moves := b.moveCounters().Moves
	t.Logf("%d moves of %d receivers, %d of them in the second half", moves, len(rs), moves-half)
	if moves == 0 || moves > 20*uint64(len(rs)) || moves-half > half*3/4 {
		t.Errorf("%d moves in the first half, %d in the second", half, moves-half)
	}
	b.quiesce(20 * second)
	b.judge()
}

// Who has adopted its parent's identifier may move up beside it: then it stands in the same set for itself.
func TestAdopterMovesUp(t *testing.T) {
	b := newBed(t, setup{seed: 42, degree: 2, group: multicast.Config{Host: host.Config{Lifetime: lifetime}}})
	rs := b.grow(3)
	child := rs[2]
	parent := slices.IndexFunc(rs, func(r *receiver) bool { return r.own() == child.Machine.Chain()[1] })
	b.leave(rs[parent], rs[1-parent])
	b.world.Sleep(2 * second)
	if child.Machine.Counters().Adoptions != 1 || !child.move() {
		t.Fatalf("%+v: it has not adopted, or does not look for a place", child.Machine.Counters())
	}
	b.rest()
	if child.Machine.Level() != 1 {
		t.Fatalf("it is at level %d, want 1\n%s", child.Machine.Level(), b.tree())
	}
	if !child.Machine.Settled() {
		t.Error("others do not find it")
	}
	b.world.Sleep(longest)
	b.judge()
	b.checkTables()
}

// moveOne makes some member look for another place.
func (c *churn) moveOne() {
	if live := c.live(); len(live) > 0 {
		live[c.rng.IntN(len(live))].move()
	}
}

// Members move while others join, leave and crash, and while packets and whatever is said of moves are lost: whoever is
// in the tree gets every packet once, and in the end the tables are as the chains say.
func TestMovesInChurn(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for _, loss := range []bool{false, true} {
		t.Run(fmt.Sprint("loss ", loss), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= seeds; seed++ {
				s := setup{seed: seed, nodes: 12, degree: 3, delays: newPlane(seed, 12, 20*time.Millisecond)}
				s.group.Host = host.Config{Lifetime: lifetime, Hurry: 1}
				s.group.Probe.Period = 2 * second
				if loss {
					s.loss, s.group.Host.Hurry = testbed.PaperLoss(seed), 3
				}
				c := &churn{bed: newBed(t, s), rng: prng.New(seed, 1), degree: 3}
				for range 25 {
					for range 8 {
						c.act()
						c.moveOne()
						c.send(1+c.rng.IntN(3), 40*millisecond)
					}
					c.send(10, 70*millisecond)
				}
				c.run(1)
				c.rest()
				c.quiesce(60 * second)
				c.judge()
				moves := c.moveCounters().Moves
				for _, r := range c.rs {
					multicast.StopProbes(r.Machine)
				}
				c.net.Mute(true)
				c.world.Sleep(longest + 2*lifetime)
				c.checkTables()
				t.Logf("seed %d: %d of %d live, %d moves, %d rekeys, %d failed, %d duplicates, %d adoptions", seed,
					len(c.live()), len(c.rs), moves, c.moveCounters().Rekeys,
					c.moveCounters().Failed,
					c.sum(func(m multicast.Counters) uint64 { return m.Duplicates }),
					c.sum(func(m multicast.Counters) uint64 { return m.Adoptions }))
				if moves < 20 {
					t.Errorf("seed %d: %d moves: little was tested", seed, moves)
				}
				if t.Failed() {
					t.Fatalf("seed %d: stopped at the first failure\n%s", seed, c.tree())
				}
			}
		})
	}
}

// isRekey is a drop function for what is said of moves.
func isRekey(p i3.Packet, payload []byte) bool {
	m, _, err := multicast.ParseMessage(payload)
	return (p.Kind == i3.KindData || p.Kind == i3.KindDirect) && err == nil && m.Type == multicast.TypeRekey
}

// family returns a receiver with exactly one child, and that child.
func (b *bed) family() (parent, child *receiver) {
	b.tb.Helper()
	for _, p := range b.rs {
		var below []*receiver
		for _, r := range b.rs {
			if c := r.Machine.Chain(); slices.Contains(c[:len(c)-1], p.own()) {
				below = append(below, r)
			}
		}
		if len(below) == 1 {
			return p, below[0]
		}
	}
	b.tb.Fatalf("nobody has one child\n%s", b.tree())
	return nil, nil
}

// under reports whether the child's chain leads through the parent's identifier.
func under(child, parent *receiver) bool { return slices.Contains(child.Machine.Chain(), parent.own()) }

// Who misses that its parent has moved is told again, as long as it hangs below the old identifier, and loses nothing
// meanwhile. If it is never told, it stays there.
func TestLostRekey(t *testing.T) {
	for _, lost := range []int{0, 1, 3, 1000} {
		t.Run(fmt.Sprint(lost, " lost"), func(t *testing.T) {
			b := newBed(t, setup{seed: 43, degree: 2, group: multicast.Config{Host: host.Config{Lifetime: lifetime}}})
			b.grow(5)
			parent, child := b.family()
			told := 0
			child.drop = func(p i3.Packet, payload []byte) bool {
				if !isRekey(p, payload) {
					return false
				}
				told++
				return told <= lost
			}
			if !parent.move() {
				t.Fatal("it does not look for a place")
			}
			b.rest()
			if parent.Machine.MoveCounters().Moves != 1 {
				t.Fatalf("it did not move: %+v", parent.Machine.MoveCounters())
			}
			if follows := under(child, parent); follows != (lost < 1000) {
				t.Errorf("told %d times: follows %v\n%s", told, follows, b.tree())
			}
			b.send(100, 100*millisecond)
			b.quiesce(10 * second)
			b.judge()
			b.world.Sleep(longest)
			b.checkTables()
			if n := b.sum(func(c multicast.Counters) uint64 { return c.Searches }); n != 5 {
				t.Errorf("%d searches for 5 joins: somebody fell out of the tree", n)
			}
		})
	}
}

// Two that move below each other at the same time make no ring of the tree: each stays below the other's old
// identifier, and all get every packet.
func TestMovesBelowEachOther(t *testing.T) {
	for seed := uint64(1); seed <= 2; seed++ {
		b := newBed(t, setup{seed: seed, degree: 2, group: multicast.Config{Host: host.Config{Lifetime: lifetime}}})
		rs := b.grow(8)
		var tops, leaves []*receiver
		for _, r := range rs {
			if r.Machine.Level() == 1 {
				tops = append(tops, r)
			}
		}
		for _, top := range tops {
			i := slices.IndexFunc(rs, func(r *receiver) bool { return r != top && under(r, top) && r.Machine.Children() < 2 })
			leaves = append(leaves, rs[i])
		}
		for i, top := range tops {
			chain := slices.Clone(leaves[1-i].Machine.Chain())
			top.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { multicast.MoveBelow(top.Machine, now, chain, out) })
		}
		b.send(50, 100*millisecond)
		b.rest()
		if n := b.moveCounters().Moves; n < 2 {
			t.Errorf("seed %d: %d moves: nothing was tested", seed, n)
		}
		b.send(100, 200*millisecond)
		b.quiesce(30 * second)
		b.judge()
		for _, r := range rs {
			c := r.Machine.Chain()
			for i := range c {
				for _, above := range c[:i] {
					if above.Prefix() == c[i].Prefix() && above.Suffix() == c[i].Suffix() {
						t.Errorf("seed %d: %s hangs below somebody who hangs below himself: %v", seed, r.name, c)
					}
				}
			}
		}
		b.world.Sleep(2 * longest)
		b.send(10, 200*millisecond)
		b.quiesce(30 * second)
		b.judge()
		b.checkTables()
		if t.Failed() {
			t.Fatalf("seed %d\n%s", seed, b.tree())
		}
	}
}

// All children of an identifier together make about one probe in a period, however many they are.
func TestProbeRate(t *testing.T) {
	for _, children := range []int{2, 8} {
		s := setup{seed: 47, degree: 8, delays: newPlane(47, 8, 20*time.Millisecond)}
		s.group.Probe = multicast.ProbePolicy{Period: 5 * second, MinGain: second}
		b := newBed(t, s)
		b.grow(8 + children)
		parents := map[i3.ID]int{}
		for _, r := range b.rs {
			if c := r.Machine.Chain(); r.Machine.Level() > 1 {
				parents[c[len(c)-2]]++
			}
		}
		b.world.Sleep(60 * second) // each owner has heard how many they are
		before, sent := b.moveCounters().Probes, b.sum(func(c multicast.Counters) uint64 { return c.QueriesSent })
		const periods = 80
		b.world.Sleep(periods * 5 * second)
		n := float64(b.moveCounters().Probes-before) / float64(periods*len(parents))
		queries := b.sum(func(c multicast.Counters) uint64 { return c.QueriesSent }) - sent
		t.Logf("%d children of %d parents: %.2f probes a period, %d queries", children, len(parents), n, queries)
		if n < 0.8 || n > 1.3 {
			t.Errorf("%d children of %d parents make %.2f probes a period, want about 1", children, len(parents), n)
		}
		if b.moveCounters().Moves > 0 {
			t.Errorf("%d moves for less than a second", b.moveCounters().Moves)
		}
	}
}

// Those below one that has crashed follow when the one above it moves: they insert its link, too.
func TestMoveAboveACrash(t *testing.T) {
	b := newBed(t, setup{seed: 44, degree: 1, group: multicast.Config{Host: host.Config{Lifetime: lifetime}}})
	rs := b.grow(4) // a chain
	c := rs[3].Machine.Chain()
	// The topmost hangs elsewhere from now on, below an identifier that forwards to it.
	p := newProber(b)
	other := i3.NewID(c[1].Prefix()+2, i3.RightKey(c[0]), 9).Private()
	top := i3.NewID(c[1].Prefix(), i3.RightKey(other), c[1].Suffix())
	b.restart(b.nodeOf(c[0]), 3, lifetime) // room for a second link
	for _, l := range [][2]i3.ID{{c[0], other}, {other, top}, {c[0], c[1]}} {
		p.ask(i3.KindInsert, i3.Insert{Trigger: i3.Trigger{ID: l[0], Target: i3.ToID(l[1])}})
	}
	b.crash(rs[1])
	msg := c[1].AppendTo(multicast.Message{Type: multicast.TypeRekey}.AppendTo(nil))
	for _, id := range []i3.ID{c[0], other, top} {
		msg = id.AppendTo(msg)
	}
	for range 200 {
		if rs[2].Machine.Chain()[1] == other && rs[3].Machine.Chain()[1] == other {
			break
		}
		p.sendTo(c[1], msg)
		b.send(1, 100*millisecond)
	}
	if now := rs[3].Machine.Chain(); now[1] != other || len(now) != len(c)+1 {
		t.Errorf("the last one's chain is %v, want it through %v", now, other)
	}
	b.send(50, 50*millisecond)
	b.quiesce(20 * second)
	b.judge()
}

// A forged move leads to where no packet comes from: nobody goes there, and nothing is left of it.
func TestForgedRekey(t *testing.T) {
	b := newBed(t, setup{seed: 45, degree: 2, group: multicast.Config{Host: host.Config{Lifetime: lifetime}}})
	b.grow(5)
	parent, child := b.family()
	before := b.tree()
	c := parent.Machine.Chain()
	old := parent.own()
	p := newProber(b)
	forge := func(chain ...i3.ID) {
		m := multicast.Message{Type: multicast.TypeRekey}
		msg := old.AppendTo(m.AppendTo(nil))
		for _, id := range chain {
			msg = id.AppendTo(msg)
		}
		p.sendTo(old, msg)
	}
	nowhere := i3.NewID(4, i3.RightKey(c[0]), 9)
	for range 3 {
		forge(c[0], nowhere, i3.NewID(old.Prefix(), i3.RightKey(nowhere), old.Suffix()))
		own := child.own() // a place below itself
		forge(append(append(slices.Clone(child.Machine.Chain()), i3.NewID(2, i3.RightKey(own), 2)),
			i3.NewID(old.Prefix(), i3.Key{}, old.Suffix()))...)
		forge(c[0], i3.NewID(old.Prefix(), i3.Key{1}, old.Suffix())) // its constraint does not hold
		forge(c[0], old)                                             // it is there
		b.send(3, 100*millisecond)
		b.rest()
	}
	b.send(50, 100*millisecond)
	b.judge()
	if after := b.tree(); after != before {
		t.Errorf("the tree was\n%s\nand is\n%s", before, after)
	}
	if n := child.Machine.MoveCounters().Failed; n != 3 {
		t.Errorf("%d times somebody tried to follow, want 3: only the first is possible", n)
	}
	b.world.Sleep(longest)
	b.checkTables()
}

// No more receivers move together than are allowed, a leaf always may, and nobody moves below itself.
func TestHeavyStays(t *testing.T) {
	s := setup{seed: 46, degree: 2}
	s.group.Probe.MaxHeads = 3
	b := newBed(t, s)
	rs := b.grow(14)
	for _, r := range rs {
		heads := 0
		for _, o := range rs {
			if under(o, r) {
				heads++
			}
		}
		before := r.Machine.MoveCounters()
		if !r.move() {
			t.Fatalf("%s does not look for a place", r.name)
		}
		b.rest()
		after := r.Machine.MoveCounters()
		if moved := after.Moves > before.Moves; moved && heads > 3 {
			t.Errorf("%s moved with %d heads", r.name, heads)
		} else if !moved && after.Refused == before.Refused && heads <= 3 {
			t.Logf("%s with %d heads found no place", r.name, heads)
		} else if !moved && heads <= 3 {
			t.Errorf("%s with %d heads may not move", r.name, heads)
		}
	}
	c := b.moveCounters()
	if c.Moves < 4 || c.Refused < 2 {
		t.Errorf("%d moves, %d refused: little was tested", c.Moves, c.Refused)
	}
	b.send(20, 20*millisecond)
	b.quiesce(10 * second)
	b.judge()
}
