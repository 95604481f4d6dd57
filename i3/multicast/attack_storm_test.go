package multicast_test

import (
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// TestAttackA11RepairAmplification: who asks again and again for the repair of a whole subtree has it repaired once in
// a while, however often it asks and of whomever.
func TestAttackA11RepairAmplification(t *testing.T) {
	b := newBed(t, setup{seed: 44, degree: 3})
	rs := b.grow(12)
	b.send(5, 10*millisecond)
	b.quiesce(5 * second)
	attacker, err := b.world.Open()
	if err != nil {
		t.Fatal(err)
	}
	sent := func() (n uint64) {
		of := func(c multicast.Counters) uint64 { return c.SubtreeRepairs }
		return b.sum(of) + of(b.Source().Machine.Counters())
	}
	const asks, each = 1000, millisecond
	var target *receiver
	for _, r := range rs {
		if r.Machine.Level() == 1 {
			target = r
		}
	}
	chain := target.Machine.Chain()
	for i := range asks {
		attacker.Do(func(now machine.Time, out *machine.Outbox) {
			q := multicast.Request{Group: chain[0], Target: chain[1], Requester: attacker.Addr()}
			body := q.AppendTo(multicast.Message{Type: multicast.TypeRequest, Seq: 3}.AppendTo(nil))
			wire := i3.Packet{
				Kind: i3.KindData, HopLimit: 32, Length: uint16(len(body)), ID: multicast.RepairGroup(chain[0], uint64(i)<<54),
			}.AppendTo(nil)
			out.Send(b.Nodes()[b.nodeOf(chain[0])].Endpoint.Addr(), append(wire, body...))
		})
		b.world.Sleep(each)
	}
	b.world.Sleep(second)
	// Three members of the group hold back for 100 ms each.
	seconds := float64(asks*each) / float64(second)
	if n := sent(); n == 0 || float64(n) > 3*(10*seconds+1) {
		t.Errorf("%d repairs of a subtree for %d requests in %.0f s, want 1 to %.0f", n, asks, seconds, 3*(10*seconds+1))
	} else {
		t.Logf("%d repairs of a subtree for %d requests in %.0f s", n, asks, seconds)
	}
	b.send(3, 10*millisecond)
	b.quiesce(5 * second)
	b.judge()
}

// TestAttackA13JoinStorm: all that join at one instant join, agents take queries off the source, and for each query
// that it gets it sends one answer as long.
func TestAttackA13JoinStorm(t *testing.T) {
	s := agentSetup(35, true)
	c := newCast(newBed(t, s), s, 4)
	agents := c.agents(3)
	before := c.Source().Machine.Counters().Queries
	rs := c.add(spread(300, 16)...)
	for _, r := range rs {
		r.Join()
	}
	begun := c.world.Now()
	c.until("the storm is over", 120*second, func() bool {
		return !slices.ContainsFunc(rs, func(r *receiver) bool { return !r.Machine.Settled() })
	})
	atSource, total := c.Source().Machine.Counters().Queries-before, uint64(0)
	for _, a := range agents {
		total += uint64(a.asked)
	}
	total += atSource
	t.Logf("300 joins at once in %.1f s; the source answered %d of %d queries to the root",
		c.world.Now().Sub(begun).Seconds(), atSource, total)
	if atSource*2 > total {
		t.Errorf("the source answered %d of %d queries to the root, with 3 agents", atSource, total)
	}
	c.world.Sleep(2 * second) // a heartbeat
	for _, r := range rs {
		if r.joined == 0 {
			t.Errorf("%s: no heartbeat came down the tree", r.name)
		}
	}
}
