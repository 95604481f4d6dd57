package multicast_test

import (
	"fmt"
	"testing"
	"time"

	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/testbed"
)

// policies are the repair policies that every delivery test runs under.
var policies = map[string]multicast.RepairPolicy{
	"default-lowestloss": {Scheme: multicast.LowestLoss},
	"default-spread":     {Scheme: multicast.Spread},
	"paper-lowestloss":   multicast.PaperRepair(multicast.LowestLoss),
	"paper-spread":       multicast.PaperRepair(multicast.Spread),
}

// hurried refreshes three times as often, as section 4 does where messages are
// lost.
var hurried = host.Config{Hurry: 3}

// lossy is section 6.3 of the paper in the plane.
func lossy(seed uint64, policy multicast.RepairPolicy) setup {
	return setup{
		seed: seed, nodes: 16, degree: 4,
		delays: newPlane(seed, 16, 40*time.Millisecond),
		loss:   testbed.PaperLoss(seed),
		group:  multicast.Config{Repair: policy, Host: hurried},
	}
}

// Under the paper's loss rates every packet reaches every receiver once,
// whoever is asked and however.
func TestDeliveryExactlyOnce(t *testing.T) {
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			seeds := uint64(3)
			if testing.Short() {
				seeds = 1
			}
			for seed := uint64(1); seed <= seeds; seed++ {
				b := newBed(t, lossy(seed, policy))
				b.grow(24)
				b.send(300, 20*millisecond)
				b.quiesce(60 * second)
				b.judge()
				lost := b.world.Counters().Lost
				repaired := b.sum(func(c multicast.Counters) uint64 { return c.Repaired })
				dup := b.sum(func(c multicast.Counters) uint64 { return c.Duplicates })
				t.Logf("seed %d: %d datagrams lost, %d packets repaired, %d duplicates dropped", seed, lost, repaired, dup)
				if repaired == 0 {
					t.Errorf("seed %d: nothing was repaired, so nothing was tested", seed)
				}
			}
		})
	}
}

// 64 receivers, 2,000 packets, the losses of section 6.3.
func TestDeliveryOf64(t *testing.T) {
	if testing.Short() {
		t.Skip("64 receivers of 2,000 packets take seconds")
	}
	began := time.Now()
	s := lossy(64, multicast.RepairPolicy{})
	s.nodes, s.delays = 32, newPlane(64, 32, 40*time.Millisecond)
	b := newBed(t, s)
	b.grow(64)
	b.send(2000, 10*millisecond)
	b.quiesce(60 * second)
	b.judge()
	var worst machine.Duration
	n := 0
	for _, r := range b.rs {
		n += len(r.repaired)
		for _, d := range r.repaired {
			worst = max(worst, d)
		}
	}
	t.Logf("%d packets repaired, the slowest in %v s; %s", n, worst.Seconds(), fmt.Sprint(time.Since(began)))
}
