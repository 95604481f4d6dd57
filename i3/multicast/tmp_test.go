package multicast_test

import (
	"testing"
	"time"
	"os"
	"strconv"

	"i3bench/i3/host"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/testbed"
)

func TestTmpStress(t *testing.T) {
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	to, _ := strconv.Atoi(os.Getenv("TO"))
	bad := 0
	for seed := uint64(from); seed < uint64(to); seed++ {
		rng := prng.New(seed, 9)
		degree := 1 + rng.IntN(6)
		s := setup{seed: seed, nodes: 3+rng.IntN(12), degree: degree, delays: newPlane(seed, 20, 60*time.Millisecond)}
		s.group.Host = host.Config{Lifetime: lifetime, Hurry: 1}
		loss, restart := rng.IntN(2) == 0, rng.IntN(2) == 0
		if loss {
			s.loss, s.group.Host.Hurry = testbed.PaperLoss(seed), 3
		}
		s.group.Search.Width = 1 + rng.IntN(3)
		s.group.Repair.Scheme = multicast.RepairScheme(rng.IntN(2))
		var q quiet; q.TB = t
		b := newBed(t, s)
		c := &churn{bed: b, rng: prng.New(seed, 1), degree: degree, restart: restart}
		c.run(400)
		c.tb = &q
		c.judge()
		j := q.errors
		c.net.Mute(true)
		c.world.Sleep(longest)
		if restart { c.world.Sleep(lifetime) }
		c.checkTables()
		if q.errors > 0 { c.tb = t; c.checkTables(); t.Log("\n"+c.tree()); for range 5 { c.world.Sleep(5*second); k := quiet{TB:t}; c.tb = &k; c.checkTables(); t.Log(k.errors) } }
		failed := 0
		for _, r := range c.rs { failed += r.failed }
		if q.errors > 0 {
			bad++
			t.Logf("seed %d degree %d loss %v restart %v: judge %d tables %d; live %d failed %d", seed, degree, loss, restart, j, q.errors-j, len(c.live()), failed)
		}
	}
	t.Log("bad", bad)
}
