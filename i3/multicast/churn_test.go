package multicast_test

import (
	"slices"
	"testing"
	"time"

	"i3bench/i3/host"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/testbed"
)

// A churn is a random history of a group.
type churn struct {
	*bed
	rng     prng.Source
	degree  int
	restart bool // nodes lose their memory, too
	crashes int
}

// act does one random thing to the group.
func (c *churn) act() {
	live := c.live()
	switch k := c.rng.IntN(10); {
	case k == 0 && c.restart:
		c.bed.restart(c.rng.IntN(len(c.Nodes())), c.degree, lifetime)
	case k < 5 || len(live) < 12:
		c.enter()
	case k < 8:
		r := live[c.rng.IntN(len(live))]
		r.gone = true
		r.Leave()
	default:
		c.crashes++
		c.crash(live[c.rng.IntN(len(live))])
	}
}

// enter makes a receiver join that left before, or a new one.
func (c *churn) enter() {
	for _, r := range c.rs {
		if r.gone && r.left > 0 && r.Machine.Idle() && c.rng.IntN(2) == 0 {
			r.gone, r.left, r.joined, r.failed = false, 0, 0, 0
			r.Join()
			return
		}
	}
	c.add(c.rng.IntN(len(c.Nodes())))[0].Join()
}

// run lets n things happen while packets flow, then waits until everything that
// can settle has.
func (c *churn) run(n int) {
	for range n {
		c.act()
		c.send(1+c.rng.IntN(3), 40*millisecond)
		if c.rng.IntN(10) == 0 {
			c.send(15, 70*millisecond)
		}
	}
	settled := func() bool {
		return !slices.ContainsFunc(c.live(), func(r *receiver) bool {
			return r.Machine.Level() == 0 || r.joined == 0
		})
	}
	for range 60 {
		if c.again(); settled() {
			break
		}
		c.send(10, 100*millisecond)
	}
	c.send(50, 20*millisecond)
	c.quiesce(120 * second)
}

// again makes those join again whose search found nobody, as an application
// would.
func (c *churn) again() {
	for _, r := range c.live() {
		if r.Machine.Idle() {
			r.joined = 0
			r.Join()
		}
	}
}

// After 500 joins, leaves and crashes every live receiver is in the tree and has
// every packet since it joined exactly once.
func TestChurn(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 3
	}
	for _, kind := range []struct {
		name          string
		loss, restart bool
	}{{"lossless", false, false}, {"lossy", true, false}, {"nodes restart", false, true}} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= seeds; seed++ {
				s := setup{seed: seed, nodes: 12, degree: 3, delays: newPlane(seed, 12, 20*time.Millisecond)}
				s.group.Host = host.Config{Lifetime: lifetime, Hurry: 1}
				if kind.loss {
					s.loss, s.group.Host.Hurry = testbed.PaperLoss(seed), 3
				}
				c := &churn{bed: newBed(t, s), rng: prng.New(seed, 1), degree: 3, restart: kind.restart}
				c.run(500)
				c.judge()
				c.net.Mute(true) // losses make owners silent for a while, and then others adopt
				c.world.Sleep(longest)
				c.checkTables()
				failed := 0
				for _, r := range c.rs {
					failed += r.failed
				}
				t.Logf("seed %d: %d receivers, %d live, %d crashes, %d failed searches, %d adoptions, %d lost",
					seed, len(c.rs), len(c.live()), c.crashes, failed,
					c.sum(func(m multicast.Counters) uint64 { return m.Adoptions }),
					c.sum(func(m multicast.Counters) uint64 { return m.Abandoned }))
				if t.Failed() {
					t.Fatalf("seed %d: stopped at the first failure\n%s", seed, c.tree())
				}
			}
		})
	}
}

// Nodes that cut dead branches cut no live one: through joins, departures, crashes and losses all is as without, and
// branches are cut.
func TestChurnWithPushback(t *testing.T) {
	pruned := uint64(0)
	for seed := uint64(1); seed <= 3; seed++ {
		s := setup{seed: seed, nodes: 12, degree: 3, delays: newPlane(seed, 12, 20*time.Millisecond), pushback: true}
		s.group.Host = host.Config{Lifetime: lifetime, Hurry: 1}
		c := &churn{bed: newBed(t, s), rng: prng.New(seed, 1), degree: 3}
		c.world.Sleep(lifetime)
		c.run(200)
		c.judge()
		c.world.Sleep(longest)
		c.checkTables()
		silences := c.sum(func(m multicast.Counters) uint64 { return m.Silences })
		told := uint64(0)
		for _, n := range c.Nodes() {
			pruned += n.Machine.Counters().Pruned
			told += n.Machine.Counters().Pushbacks
		}
		t.Logf("seed %d: %d receivers, %d crashes, %d silences, %d pushbacks, %d pruned", seed, len(c.rs), c.crashes,
			silences, told, pruned)
	}
	if pruned == 0 {
		t.Error("no branch was cut: nothing was tested")
	}
}
