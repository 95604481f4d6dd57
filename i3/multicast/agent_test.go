package multicast_test

import (
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
)

// An agent is a receiver that answers for the root.
type agent struct {
	ep    *sim.Endpoint
	m     *multicast.Receiver
	asked int // queries to those who answer for the root
}

// agentSetup has agents, in a plane.
func agentSetup(seed uint64, agents bool) setup {
	s := setup{seed: seed, nodes: 16, degree: 4, delays: newPlane(seed, 16, 40*time.Millisecond)}
	s.group = multicast.Config{Agents: agents, Host: host.Config{Lifetime: lifetime}}
	return s
}

// agents adds receivers that are agents, numbered from 1 on.
func (c *cast) agents(n int) (all []*agent) {
	c.tb.Helper()
	key := multicast.RootAgents(c.Group(), 0).Key()
	for i := range n {
		a := &agent{ep: c.open(2 + i)}
		cfg := c.config(a.ep, 2+i)
		cfg.Agent = uint8(i + 1)
		if !cfg.Agents {
			cfg.Agent = 0
		}
		var err error
		if a.m, err = multicast.NewReceiver(cfg); err != nil {
			c.tb.Fatal(err)
		}
		a.ep.SetFilter(func(d machine.Datagram) bool {
			for p := range packets(d.Bytes) {
				if p.Kind == i3.KindData && p.ID.Key() == key {
					a.asked++
				}
			}
			return true
		})
		a.ep.Start(a.m)
		a.ep.Do(a.m.Join)
		c.until("the agent joins", 60*second, a.m.Settled)
		c.world.Sleep(2 * second)
		all = append(all, a)
	}
	return all
}

// A search asks one of those who answer for the root, each about as often. Of the
// queries to the root the source answers its share alone.
func TestQueriesSpreadOverAgents(t *testing.T) {
	s := agentSetup(31, true)
	s.group.Key = groupKey           // it makes no difference
	c := newCast(newBed(t, s), s, 4) // the group's identifier is full
	as := c.agents(3)
	before := c.Source().Machine.Counters().Queries
	const joins = 200
	for i := range joins {
		c.follow(i % 16)
	}
	atSource := int(c.Source().Machine.Counters().Queries - before)
	counts := []int{atSource}
	total := atSource
	for _, a := range as {
		counts, total = append(counts, a.asked), total+a.asked
	}
	t.Logf("queries at the source and its agents: %v in %d joins", counts, joins)
	for i, n := range counts {
		if n*100 < total*15 || n*100 > total*35 {
			t.Errorf("number %d answers %d queries of %d, want 15 to 35 %%", i, n, total)
		}
	}
	if total > joins*11/10 {
		t.Errorf("%d queries to the root in %d joins, want one each", total, joins)
	}
	c.first(10, 10*millisecond)
	c.settle(10 * second)
	c.judgeStreams(0)
}

// When agents crash, and while their triggers still live, receivers join all the
// same, somewhat later: the second query reaches the source.
func TestJoinWhenAgentsCrash(t *testing.T) {
	s := agentSetup(32, true)
	c := newCast(newBed(t, s), s, 4)
	as := c.agents(3)
	for _, a := range as {
		a.ep.Start(dead{})
	}
	start := c.world.Now()
	for i := range 10 {
		f := c.follow(i)
		if n := f.Machine.Counters().Searches; n != 1 {
			t.Errorf("%s: %d searches, want one", f.name, n)
		}
	}
	if took := c.world.Now().Sub(start); took > 30*second {
		t.Errorf("ten joins took %.1f s", took.Seconds())
	}
}

// A crash of the source while agents live keeps nobody from joining.
func TestJoinWhenSourceCrashes(t *testing.T) {
	s := agentSetup(33, true)
	c := newCast(newBed(t, s), s, 4)
	c.agents(3)
	c.Source().Endpoint.Start(dead{})
	c.world.Sleep(lifetime) // its triggers are gone
	late := c.add(5)[0]
	late.Join()
	c.until("it is in the tree", 20*second, func() bool { return late.attached > 0 })
}

// Trees are as good with agents as without: the mean distance of a hundred receivers,
// over some seeds, differs by chance alone.
func TestAgentsKeepTreesGood(t *testing.T) {
	mean := func(agents bool) (sum float64) {
		n := 0
		for seed := uint64(40); seed < 46; seed++ {
			s := agentSetup(seed, agents)
			c := newCast(newBed(t, s), s, 2)
			c.agents(3)
			for i := range 60 {
				c.follow(int(seed*7+uint64(i)*5) % 16)
			}
			c.world.Sleep(20 * second)
			for _, f := range c.followers {
				sum += float64(multicast.DistanceOf(f.Machine))
				n++
			}
		}
		return sum / float64(n) / 1e6
	}
	with, without := mean(true), mean(false)
	t.Logf("mean distance from the source: %.2f ms with agents, %.2f ms without", with, without)
	if with > 1.05*without || with < without/1.05 {
		t.Errorf("mean distance %.2f ms with agents, %.2f ms without: want the same within 5 %%", with, without)
	}
}
