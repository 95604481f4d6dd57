package multicast_test

import (
	"slices"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/testbed"
)

// successionSetup is a plane in which roles pass on, with losses or without.
func successionSetup(seed uint64, loss bool) setup {
	s := setup{seed: seed, nodes: 12, degree: 3, delays: newPlane(seed, 12, 20*time.Millisecond)}
	s.group = multicast.Config{Epoch: 1, Host: host.Config{Lifetime: lifetime, Hurry: 1}}
	if loss {
		s.loss, s.group.Host.Hurry = testbed.PaperLoss(seed), 3
	}
	return s
}

// A source hands its role over while packets are under way. Every receiver gets
// every packet of both once, from the first of the second on, and none searches again.
func TestHandOver(t *testing.T) {
	for _, c := range []struct {
		name   string
		loss   bool
		relays int
		key    [32]byte
	}{
		{"lossless", false, 0, [32]byte{}}, {"lossy", true, 0, [32]byte{}}, {"relays", false, 2, [32]byte{}},
		{"with a key", false, 0, groupKey}, {"with a key, lossy, relays", true, 2, groupKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := successionSetup(11, c.loss)
			s.group.Relays, s.group.Key = c.relays, c.key
			g := newCast(newBed(t, s), s, 12)
			heir := g.standby(5, 1)
			g.first(100, 20*millisecond)
			before := g.searches()
			old := g.Source()
			old.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { old.Machine.HandOver(now, heir.ep.Addr(), out) })
			if n := old.Send([]byte("late")); n != 0 {
				t.Errorf("a source that hands over sends packet %d", n)
			}
			g.until("the heir leads", 5*second, func() bool { return heir.m.Leads() && old.Machine.Yielded() })
			src := heir.m.Source()
			g.sends(heir.ep, src, 100, 20*millisecond)
			g.settle(60 * second)
			if g.searches() != before {
				t.Errorf("%d receivers searched again", g.searches()-before)
			}
			g.judgeStreams(1, multicast.EpochOf(src))
			for _, f := range g.followers {
				if from := f.streams[multicast.EpochOf(src)].from; from != 0 {
					t.Errorf("%s: is owed packets above %d of the second source, want all", f.name, from)
				}
			}
			g.world.Sleep(longest)
			late := g.follow(3)
			g.sends(heir.ep, src, 5, 20*millisecond)
			g.settle(10 * second)
			g.judgeStreams(multicast.EpochOf(src))
			if n := late.Machine.Counters().Searches; !c.loss && n != 1 {
				t.Errorf("a later receiver searched %d times, want once", n)
			}
		})
	}
}

// After a handover the old source has no trigger left.
func TestHandOverLeavesNothing(t *testing.T) {
	s := successionSetup(12, false)
	s.group.Relays = 2
	g := newCast(newBed(t, s), s, 0)
	heir := g.standby(4, 0)
	old := g.Source()
	old.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { old.Machine.HandOver(now, heir.ep.Addr(), out) })
	g.world.Sleep(30 * second)
	if !heir.m.Leads() || !old.Machine.Yielded() {
		t.Fatal("the role was not handed over")
	}
	p := newProber(g.bed)
	root := multicast.RootOf(g.Group())
	for what, id := range map[string]i3.ID{
		"joinable set": multicast.JoinSet(root), "full set": multicast.FullSet(root),
		"repair group": multicast.RepairGroup(root, 0),
	} {
		want := 1
		if what == "full set" {
			want = 0
		}
		if n, _ := p.count(id); n != want {
			t.Errorf("the root's %s has %d triggers, want the new source's %d", what, n, want)
		}
	}
}

// A source that hands over to nobody stays the source.
func TestHandOverToNobody(t *testing.T) {
	s := successionSetup(13, false)
	g := newCast(newBed(t, s), s, 4)
	nobody := g.open(2)
	old := g.Source()
	old.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { old.Machine.HandOver(now, nobody.Addr(), out) })
	g.world.Sleep(10 * second)
	g.first(10, 20*millisecond)
	g.settle(10 * second)
	g.judgeStreams(1)
}

// A crashed source is followed by the stand-by of the lowest rank, soon enough that
// nobody searches again; when it comes back it yields.
func TestStandbyTakesOver(t *testing.T) {
	for i, loss := range []bool{false, true, true} {
		s := successionSetup(14, loss)
		if i == 2 {
			s.group.Key = groupKey
		}
		g := newCast(newBed(t, s), s, 12)
		by := []*standby{g.standby(4, 0), g.standby(7, 1)}
		g.first(60, 20*millisecond)
		before := g.searches()
		g.Source().Endpoint.Start(dead{})
		g.until("a stand-by leads", 15*second, func() bool { return by[0].m.Leads() || by[1].m.Leads() })
		g.world.Sleep(10 * second)
		if !by[0].m.Leads() || len(by[1].leads) > 0 {
			t.Errorf("loss %v: the stand-bys lead %v, %v; want the first alone", loss, by[0].leads, by[1].leads)
		}
		src := by[0].m.Source()
		g.sends(by[0].ep, src, 60, 20*millisecond)
		g.Source().Endpoint.Start(g.Source().Machine)
		g.until("the old one yields", 10*second, g.Source().Machine.Yielded)
		g.sends(by[0].ep, src, 60, 20*millisecond)
		g.settle(60 * second)
		if n := g.searches() - before; n > 0 {
			t.Errorf("loss %v: %d receivers searched again", loss, n)
		}
		g.judgeStreams(1, multicast.EpochOf(src))
	}
}

// dead is a host that has crashed.
type dead struct{}

func (dead) Receive(machine.Time, []machine.Datagram, *machine.Outbox) {}
func (dead) Deadline() machine.Time                                    { return machine.Never }
func (dead) Expire(machine.Time, *machine.Outbox)                      {}

// What the source sent last the stand-by and one receiver have lost. The others know
// of it, so the stand-by learns of it, and nobody stays without.
func TestLastWordsAreRepaired(t *testing.T) {
	s := successionSetup(15, false)
	g := newCast(newBed(t, s), s, 8)
	by := g.standby(4, 0)
	g.first(20, 20*millisecond)
	g.world.Sleep(second)
	by.deaf = true
	deaf := g.followers[6]
	deaf.drop = func(i3.Packet, []byte) bool { return true }
	g.first(3, millisecond)
	g.world.Sleep(20 * millisecond) // less than until the next heartbeat
	g.Source().Endpoint.Start(dead{})
	g.world.Sleep(200 * millisecond)
	by.deaf, deaf.drop = false, nil
	g.until("the stand-by leads", 15*second, by.m.Leads)
	src := by.m.Source()
	g.sends(by.ep, src, 20, 20*millisecond)
	g.settle(60 * second)
	if n := deaf.Machine.Counters().Repaired; n != 3 {
		t.Errorf("%d packets repaired, want the 3 that were lost", n)
	}
	g.judgeStreams(1, multicast.EpochOf(src))
}

// A packet that nobody has any more is reported as lost, of the last stream too.
func TestLastStreamIsGone(t *testing.T) {
	s := successionSetup(16, false)
	g := newCast(newBed(t, s), s, 6)
	by := g.standby(4, 0)
	g.first(10, 20*millisecond)
	g.Source().Endpoint.Start(dead{})
	by.ep.Do(func(now machine.Time, out *machine.Outbox) { // everybody is told of a packet that was never sent
		multicast.ForgeEnd(g.Source().Machine, now, 11, by.m.Member(), out)
	})
	g.until("the stand-by leads", 15*second, by.m.Leads)
	g.until("it is given up", 300*second, func() bool {
		return !slices.ContainsFunc(g.followers, func(f *follower) bool { return f.streams[1].lost[11] == 0 })
	})
	for _, f := range g.followers {
		if f.streams[1].lost[11] != 1 || f.Machine.Missing() > 0 {
			t.Errorf("%s: told %d times that packet 11 is lost, misses %d", f.name, f.streams[1].lost[11], f.Machine.Missing())
		}
	}
}

// Of two that lead, for one could hear nothing for a while, the lower epoch yields.
func TestOneOfTwoYields(t *testing.T) {
	s := successionSetup(17, false)
	g := newCast(newBed(t, s), s, 8)
	by := g.standby(4, 3)
	by.deaf = true
	g.until("it leads", 30*second, by.m.Leads)
	by.deaf = false
	g.until("the source yields", 10*second, g.Source().Machine.Yielded)
	g.sends(by.ep, by.m.Source(), 20, 20*millisecond)
	g.settle(20 * second)
	g.judgeStreams(multicast.EpochOf(by.m.Source()))
}

// A stand-by whose branch is silent asks for the source, which answers: it does not
// take over.
func TestSilentBranchIsNoCrash(t *testing.T) {
	s := successionSetup(18, false)
	g := newCast(newBed(t, s), s, 4)
	by := g.standby(4, 0)
	by.ep.SetFilter(func(d machine.Datagram) bool {
		for p, payload := range packets(d.Bytes) {
			m, _, err := multicast.ParseMessage(payload)
			if p.Kind == i3.KindData && err == nil && (m.Type == multicast.TypeData || m.Type == multicast.TypeHeartbeat) {
				return false
			}
		}
		return true
	})
	g.world.Sleep(15 * second)
	if len(by.leads) > 0 {
		t.Error("it has taken over from a source that is alive")
	}
}

// With nobody at the root, and nobody in the tree, a stand-by becomes the source.
func TestFirstStandbyLeads(t *testing.T) {
	s := successionSetup(19, false)
	g := newCast(newBed(t, s), s, 0)
	g.Source().Endpoint.Start(dead{})
	g.world.Sleep(lifetime + second)
	by := g.standby(4, 0)
	if !by.m.Leads() {
		t.Fatal("it is in the tree and does not lead")
	}
	g.follow(2)
	g.sends(by.ep, by.m.Source(), 10, 20*millisecond)
	g.settle(10 * second)
	g.judgeStreams(multicast.EpochOf(by.m.Source()))
}

// Who hears nothing of a successor but its fifth packet is owed the four before, too.
func TestSuccessorIsOwedFromTheFirst(t *testing.T) {
	s := successionSetup(20, false)
	g := newCast(newBed(t, s), s, 6)
	heir := g.standby(4, 0)
	g.first(10, 20*millisecond)
	f := g.followers[4]
	f.drop = func(p i3.Packet, payload []byte) bool {
		m, _, err := multicast.ParseMessage(payload)
		return p.Kind == i3.KindData && err == nil && m.Epoch > 1 && m.Seq < 5
	}
	old := g.Source()
	old.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { old.Machine.HandOver(now, heir.ep.Addr(), out) })
	g.until("the heir leads", 5*second, heir.m.Leads)
	g.sends(heir.ep, heir.m.Source(), 20, 20*millisecond)
	g.settle(20 * second)
	g.judgeStreams(1, multicast.EpochOf(heir.m.Source()))
	if from := f.streams[multicast.EpochOf(heir.m.Source())].from; from != 0 {
		t.Errorf("it is owed packets above %d, want all", from)
	}
}
