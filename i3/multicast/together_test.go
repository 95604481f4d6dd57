package multicast_test

import (
	"testing"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// Receivers that joined by agents for the least loss move, one after the other, while two sources send and one of them
// hands its role over, in a group with a key: each packet comes once to all.
func TestAllAtOnce(t *testing.T) {
	for _, key := range [][32]byte{{}, groupKey} {
		s := successionSetup(51, false)
		s.group.Key, s.group.MaxSources, s.group.Agents = key, 2, true
		s.group.Search.Metric = multicast.Loss
		c := newCast(newBed(t, s), s, 4)
		c.agents(2)
		for i := range 12 {
			c.follow(i)
		}
		heir, other, old := c.standby(5, 1), c.sender(3, 1), c.Source()
		before := c.searches()
		var moves, tags uint64
		move := func(f *follower) {
			f.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { f.Machine.Move(now, out) })
		}
		for _, f := range c.followers[:8] {
			move(f)
			c.together(20, 20*millisecond, other)
		}
		old.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { old.Machine.HandOver(now, heir.ep.Addr(), out) })
		move(c.followers[8])
		c.until("the heir leads", 5*second, func() bool { return heir.m.Leads() && old.Machine.Yielded() })
		for _, f := range c.followers[9:] {
			move(f)
			for range 20 {
				c.sends(heir.ep, heir.m.Source(), 1, 20*millisecond)
				c.sends(other.ep, other.src, 1, 0)
			}
		}
		c.settle(60 * second)
		c.judgeStreams(append(c.epochs(other), multicast.EpochOf(heir.m.Source()))...)
		for _, f := range c.followers {
			moves += f.Machine.MoveCounters().Moves
			tags += f.Machine.Counters().DropTag
		}
		if moves < 6 || tags > 0 || c.searches() != before {
			t.Errorf("%d moves, %d tags wrong, %d receivers searched again", moves, tags, c.searches()-before)
		}
		t.Logf("%d moves", moves)
	}
}
