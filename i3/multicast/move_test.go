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
	for name, loss := range map[string]testbed.Loss{"lossless": {}, "lossy": testbed.PaperLoss(41)} {
		t.Run(name, func(t *testing.T) {
			s := setup{seed: 41, degree: 2, nodes: 12, delays: newPlane(41, 12, 20*time.Millisecond), loss: loss}
			s.group.Host.Hurry = 3
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
			if n := b.sum(func(c multicast.Counters) uint64 { return c.Searches }); n != 16 && name == "lossless" {
				t.Errorf("%d searches for 16 joins: somebody fell out of the tree", n)
			}
			if name == "lossless" {
				b.world.Sleep(host.DefaultLifetime / 2) // refreshes tell who is full
				b.checkTables()
			}
			b.net.Mute(true)
			b.world.Sleep(4*host.DefaultLifetime + 2*second)
			b.checkTables()
		})
	}
}

// movingChurn is a churn in which members move as well.
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
