package multicast_test

import (
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// Whatever roles pass to whom and when, with losses or without: of every stream that a
// receiver follows it gets every packet above the first once, or is told that it is
// lost, never both and never neither.
func TestSuccessionsLoseNothingSilently(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := successionSetup(rapid.Uint64Range(1, 1<<32).Draw(rt, "seed"), rapid.Bool().Draw(rt, "loss"))
		s.degree = rapid.IntRange(2, 5).Draw(rt, "degree")
		s.group.Relays = rapid.IntRange(0, 2).Draw(rt, "relays")
		c := newCast(newBed(t, s), s, rapid.IntRange(1, 10).Draw(rt, "receivers"))
		by := []*standby{c.standby(4, 0), c.standby(7, 1), c.standby(2, 2)}
		lead, src := testEndpoint(c.Source().Endpoint), c.Source().Machine
		for range rapid.IntRange(1, 3).Draw(rt, "successions") {
			gap := machine.Duration(rapid.IntRange(1, 60).Draw(rt, "gap")) * millisecond
			c.sends(lead, src, rapid.IntRange(1, 50).Draw(rt, "packets"), gap)
			next := by[rapid.IntRange(0, len(by)-1).Draw(rt, "heir")]
			if next.m.Leads() {
				continue
			}
			crash := rapid.Bool().Draw(rt, "crash")
			if crash {
				lead.Start(dead{})
				by = without(by, lead)
			}
			waits := func() bool { return leader(by) == nil || leader(by).m.Source() == src }
			for try := 0; waits(); try++ {
				if try == 3 {
					rt.Fatalf("nobody else leads")
				}
				if !crash { // it may come to nothing: who has just yielded takes the role again only when its source is gone
					lead.Do(func(now machine.Time, out *machine.Outbox) { src.HandOver(now, next.ep.Addr(), out) })
				}
				c.world.RunWhile(waits, c.world.Now().Add(20*second))
			}
			lead, src = testEndpoint(leader(by).ep), leader(by).m.Source()
			c.world.Sleep(apart)
			if len(by) == 1 {
				break
			}
		}
		c.sends(lead, src, 20, 20*millisecond)
		c.settle(120 * second)
		c.judgeSilence(rt)
		if t.Failed() {
			rt.Fatal("see above")
		}
	})
}

// apart is the time from one succession to the next: the tree is told for five seconds how
// the last stream ends.
const apart = 8 * second

// A testEndpoint is where a source runs.
type testEndpoint interface {
	Start(machine.Machine)
	Do(func(now machine.Time, out *machine.Outbox))
}

// leader returns the stand-by that is the source of the highest epoch.
func leader(by []*standby) (best *standby) {
	for _, s := range by {
		if s.m.Leads() && (best == nil || multicast.EpochOf(s.m.Source()) > multicast.EpochOf(best.m.Source())) {
			best = s
		}
	}
	return best
}

// without returns the stand-bys that do not run at an endpoint.
func without(by []*standby, ep testEndpoint) (rest []*standby) {
	for _, s := range by {
		if testEndpoint(s.ep) != ep {
			rest = append(rest, s)
		}
	}
	return rest
}

// judgeSilence fails the test unless what every follower is owed came once or is
// told to be lost. What a source sent that then crashed, and nobody has got, nobody can
// know of.
func (c *cast) judgeSilence(t *rapid.T) {
	for _, f := range c.followers {
		for epoch, s := range f.streams {
			for seq := s.from + 1; seq <= c.sent[epoch]; seq++ {
				if n := s.got[seq] + s.lost[seq]; n > 1 || n == 0 && c.known(epoch, seq) {
					t.Errorf("%s: packet %d of %d came %d times, lost %d", f.name, seq, epoch, s.got[seq], s.lost[seq])
				}
			}
		}
	}
}

// known reports whether anybody knows of a packet.
func (c *cast) known(epoch uint32, seq uint64) bool {
	for _, f := range c.followers {
		if s := f.streams[epoch]; s != nil && s.got[seq]+s.lost[seq] > 0 {
			return true
		}
	}
	return false
}
