package multicast_test

import (
	"slices"
	"testing"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
)

// A sender is a source beside that at the root.
type sender struct {
	ep  *sim.Endpoint
	src *multicast.Source
}

// sender adds a source with a number.
func (c *cast) sender(site int, number uint8) *sender {
	c.tb.Helper()
	s := &sender{ep: c.open(site)}
	cfg := c.config(s.ep, site)
	cfg.Number, cfg.Relays = number, 0
	var err error
	if s.src, err = multicast.NewSource(cfg); err != nil {
		c.tb.Fatal(err)
	}
	s.ep.Start(s.src)
	s.ep.Do(s.src.Start)
	return s
}

// together makes the bed's source and others send a packet each, n times.
func (c *cast) together(n int, gap machine.Duration, others ...*sender) {
	for range n {
		c.first(1, 0)
		for _, o := range others {
			c.sends(o.ep, o.src, 1, 0)
		}
		c.world.Sleep(gap)
	}
}

// epochs returns those of the bed's source and of others.
func (c *cast) epochs(others ...*sender) []uint32 {
	all := []uint32{multicast.EpochOf(c.Source().Machine)}
	for _, o := range others {
		all = append(all, multicast.EpochOf(o.src))
	}
	return all
}

// Three sources send to one group at once. Every receiver has every packet of each
// once, with losses too; each is repaired by members, and by its own source.
func TestSeveralSources(t *testing.T) {
	for i, loss := range []bool{false, true, true} {
		s := successionSetup(21, loss)
		s.group.MaxSources = 3
		if i == 2 {
			s.group.Key = groupKey
		}
		c := newCast(newBed(t, s), s, 12)
		a, b := c.sender(3, 1), c.sender(8, 200)
		c.together(150, 20*millisecond, a, b)
		late := c.follow(5)
		c.together(50, 20*millisecond, a, b)
		c.settle(60 * second)
		c.judgeStreams(c.epochs(a, b)...)
		var repaired, dropped uint64
		for _, f := range c.followers {
			repaired += f.Machine.Counters().Repaired
			dropped += f.Machine.Counters().DropSource
		}
		if loss && repaired == 0 || !loss && repaired > 0 || dropped > 0 {
			t.Errorf("loss %v: %d packets repaired, %d of too many sources", loss, repaired, dropped)
		}
		if n := len(late.streams); n != 3 {
			t.Errorf("a later receiver follows %d streams, want 3", n)
		}
	}
}

// The last packet of a source is missed by all: its heartbeat tells, and it repairs.
func TestTailLossOfAnotherSource(t *testing.T) {
	s := successionSetup(22, false)
	s.group.MaxSources = 2
	c := newCast(newBed(t, s), s, 5)
	a := c.sender(3, 1)
	c.together(10, 20*millisecond, a)
	for _, f := range c.followers {
		f.drop = once(messageIs(multicast.TypeData, 11))
	}
	c.sends(a.ep, a.src, 1, 0)
	c.settle(10 * second)
	c.judgeStreams(c.epochs(a)...)
	if n := a.src.Counters().Repairs + a.src.Counters().SubtreeRepairs; n == 0 {
		t.Error("the source has repaired nothing")
	}
}

// More sources than a receiver follows are dropped and counted; by default that is
// every other one. When one has been silent for long another takes its place.
func TestTooManySources(t *testing.T) {
	for _, limit := range []int{0, 2} {
		s := successionSetup(23, false)
		s.group.MaxSources = limit
		c := newCast(newBed(t, s), s, 4)
		a, b := c.sender(3, 1), c.sender(8, 2)
		c.sends(a.ep, a.src, 10, 20*millisecond)
		c.together(10, 20*millisecond, a, b)
		c.settle(5 * second)
		followed, refused := []*sender{a}, []*sender{b}
		if limit == 0 {
			followed, refused = nil, []*sender{a, b}
		}
		c.judgeStreams(c.epochs(followed...)...)
		for _, f := range c.followers {
			for _, o := range refused {
				if f.streams[multicast.EpochOf(o.src)] != nil {
					t.Errorf("limit %d: %s follows source %d", limit, f.name, multicast.EpochOf(o.src)>>24)
				}
			}
			if f.Machine.Counters().DropSource == 0 {
				t.Errorf("limit %d: %s has dropped nothing", limit, f.name)
			}
		}
		if limit == 0 {
			continue
		}
		a.ep.Start(dead{})
		c.world.Sleep(lifetime + 2*second)
		c.sends(b.ep, b.src, 5, 20*millisecond)
		for _, f := range c.followers {
			if got := multicast.Asides(f.Machine); !slices.Equal(got, []uint32{multicast.EpochOf(b.src)}) {
				t.Errorf("%s follows %d, want the second source", f.name, got)
			}
		}
	}
}

// Distances are measured from the root's source alone, however far the others are
// and whatever their clocks say.
func TestOtherSourcesChangeNoDistance(t *testing.T) {
	run := func(others bool) (ids []string) {
		s := successionSetup(24, false)
		s.group.MaxSources = 2
		c := newCast(newBed(t, s), s, 4)
		if others {
			s.group.Skew = 1000 * second
			c.setup = s
			a := c.sender(3, 1)
			c.sends(a.ep, a.src, 50, 10*millisecond)
		} else {
			c.world.Sleep(500 * millisecond)
		}
		for _, f := range c.followers {
			ids = append(ids, multicast.DistanceOf(f.Machine).String())
		}
		return ids
	}
	if with, without := run(true), run(false); !slices.Equal(with, without) {
		t.Errorf("distances are %v with another source, %v without", with, without)
	}
}

// The role at the root passes on while another source sends.
func TestHandOverBesideAnotherSource(t *testing.T) {
	s := successionSetup(25, true)
	s.group.MaxSources = 2
	c := newCast(newBed(t, s), s, 10)
	a, heir := c.sender(3, 1), c.standby(6, 0)
	c.together(50, 20*millisecond, a)
	old := c.Source()
	old.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { old.Machine.HandOver(now, heir.ep.Addr(), out) })
	c.until("the heir leads", 5*second, heir.m.Leads)
	for range 50 {
		c.sends(a.ep, a.src, 1, 0)
		c.sends(heir.ep, heir.m.Source(), 1, 20*millisecond)
	}
	c.settle(60 * second)
	c.judgeStreams(append(c.epochs(a), multicast.EpochOf(heir.m.Source()))...)
}
