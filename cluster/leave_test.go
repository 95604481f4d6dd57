package cluster_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// A tally is a handler that counts what it is sent, by number.
type tally struct{ got map[uint64]int }

func (c *tally) Deliver(_ machine.Time, _ netip.AddrPort, _ i3.Packet, payload []byte, _ *machine.Outbox) {
	c.got[binary.BigEndian.Uint64(payload)]++
}
func (c *tally) Acked(machine.Time, i3.Ack, *machine.Outbox)      {}
func (c *tally) Failed(machine.Time, i3.Trigger, *machine.Outbox) {}

// A far network has everything 10 ms away from everything else.
type far struct{}

func (far) Path(_, _ netip.AddrPort) machine.Path {
	return machine.Path{Delay: 10 * machine.Millisecond}
}

// A leaveTest is a ring with a host whose trigger one node owns, and another that sends to it.
type leaveTest struct {
	*ringTest
	heard          *tally
	to, from       *host.Host
	toEnd, fromEnd endpoint
	id             i3.ID
	sent           uint64
}

func newLeaveTest(t *testing.T, r rig, mirrors bool) *leaveTest {
	l := &leaveTest{
		ringTest: &ringTest{T: t, rig: r, rng: prng.New(5, 5), mirrors: mirrors}, heard: &tally{got: map[uint64]int{}},
	}
	l.start(16)
	if !l.until(l.whole) {
		t.Fatal("the nodes do not become a ring")
	}
	l.to, l.toEnd = l.visitor(l.heard)
	l.from, l.fromEnd = l.visitor(&tally{got: map[uint64]int{}})
	l.id = i3.NewID(l.nodes[9].place.Prefix&^1-4, i3.Key{1}, 0)
	l.toEnd.Do(func(now machine.Time, out *machine.Outbox) { l.to.Maintain(now, l.to.Own(l.id), out) })
	if !l.until(l.maintains) {
		t.Fatal("the trigger is not inserted")
	}
	return l
}

// maintains reports whether the host has heard of late that its trigger is there.
func (l *leaveTest) maintains() (ok bool) {
	l.toEnd.Do(func(machine.Time, *machine.Outbox) { ok = l.to.Maintains(l.to.Own(l.id)) })
	return ok
}

// stream sends numbered packets until something has come true, and for a while from then on.
func (l *leaveTest) stream(cond func() bool, more machine.Duration) {
	l.Helper()
	var last, met machine.Time
	if !l.until(func() bool {
		now := l.now()
		if now > last.Add(5*machine.Millisecond) {
			last = now
			l.fromEnd.Do(func(_ machine.Time, out *machine.Outbox) {
				l.from.Send(l.id, binary.BigEndian.AppendUint64(nil, l.sent), out)
			})
			l.sent++
		}
		if met == 0 && cond() {
			met = now
		}
		return met != 0 && now > met.Add(more)
	}) {
		l.Fatal("it does not come to what is waited for")
	}
}

// judge returns how many packets are missing, and how many came twice, when none is under way any more.
func (l *leaveTest) judge() (missing, twice int) {
	end := l.now().Add(machine.Second)
	l.until(func() bool { return l.now() > end })
	l.toEnd.Do(func(machine.Time, *machine.Outbox) {
		for number := range l.sent {
			switch l.heard.got[number] {
			case 0:
				missing++
			case 1:
			default:
				twice++
			}
		}
	})
	return missing, twice
}

// TestLeaveRing: while a node leaves, packets to a host whose trigger it owns arrive as before, and when it is closed,
// too; the host has its trigger refreshed by the next owner. In virtual time no packet is lost; on a machine that is
// busy a node may be taken for dead.
func TestLeaveRing(t *testing.T) {
	for _, d := range drivers[:2] {
		t.Run(d.name, func(t *testing.T) {
			l := newLeaveTest(t, d.rig(far{}), false)
			leaver, next := l.nodes[9], l.nodes[10]
			l.stream(func() bool { return true }, machine.Second)
			leaver.Do(leaver.node.Leave)
			began := l.now()
			l.stream(func() (left bool) {
				leaver.Do(func(machine.Time, *machine.Outbox) { left = leaver.node.Left() })
				return left
			}, 0)
			leaver.Close()
			took := l.now().Sub(began)
			l.stream(func() bool { return true }, 4*machine.Second)
			missing, twice := l.judge()
			t.Logf("left after %.1f s; %d packets sent, %d missing, %d came twice", took.Seconds(), l.sent, missing, twice)
			if sim := d.name == "sim"; twice > 0 || sim && missing > 0 || uint64(missing) > l.sent/2 {
				t.Errorf("of %d packets %d are missing and %d came twice", l.sent, missing, twice)
			}
			if !l.until(l.maintains) {
				t.Error("the trigger is not refreshed any more")
			}
			next.Do(func(machine.Time, *machine.Outbox) {
				if c := next.node.Counters(); c.TakenOver == 0 && d.name == "sim" {
					t.Errorf("the next one has taken over nothing, counters %+v", c)
				}
			})
		})
	}
}
