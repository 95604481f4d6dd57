package cluster_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"i3bench/i3"
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

// stream sends numbered packets until something has come true, and for a while from then on.
func (r *ringTest) stream(send func(number uint64), cond func() bool, more machine.Duration) (sent uint64) {
	var last, met machine.Time
	if !r.until(func() bool {
		now := r.now()
		if now > last.Add(5*machine.Millisecond) {
			last = now
			send(sent)
			sent++
		}
		if met == 0 && cond() {
			met = now
		}
		return met != 0 && now > met.Add(more)
	}) {
		r.Fatal("it does not come to what is waited for")
	}
	return sent
}

// TestLeaveRing: while a node leaves, packets to a host whose trigger it owns arrive as before, and when it is closed,
// too; the host has its trigger refreshed by the next owner. In virtual time no packet is lost.
func TestLeaveRing(t *testing.T) {
	for _, d := range drivers[:2] {
		t.Run(d.name, func(t *testing.T) {
			r := &ringTest{T: t, rig: d.rig(far{}), rng: prng.New(5, 5)}
			r.start(16)
			if !r.until(r.whole) {
				t.Fatal("the nodes do not become a ring")
			}
			heard := &tally{got: map[uint64]int{}}
			to, toEnd := r.visitor(heard)
			from, fromEnd := r.visitor(&tally{got: map[uint64]int{}})
			leaver, next := r.nodes[9], r.nodes[10]
			id := i3.NewID(leaver.place.Prefix&^1-4, i3.Key{1}, 0)
			toEnd.Do(func(now machine.Time, out *machine.Outbox) { to.Maintain(now, to.Own(id), out) })
			if !r.until(func() (ok bool) {
				toEnd.Do(func(machine.Time, *machine.Outbox) { ok = to.Maintains(to.Own(id)) })
				return ok
			}) {
				t.Fatal("the trigger is not inserted")
			}
			send := func(number uint64) {
				fromEnd.Do(func(_ machine.Time, out *machine.Outbox) {
					from.Send(id, binary.BigEndian.AppendUint64(nil, number), out)
				})
			}
			began := r.now()
			leaving := false
			left := func() (left bool) {
				leaver.Do(func(now machine.Time, out *machine.Outbox) {
					if left = leaver.node.Left(); !leaving && now > began.Add(machine.Second) {
						leaving = true
						leaver.node.Leave(now, out)
					}
				})
				return left
			}
			sent := r.stream(send, left, 0)
			leaver.Close()
			took := r.now().Sub(began)
			first := sent
			sent += r.stream(func(n uint64) { send(first + n) }, func() bool { return true }, 4*machine.Second)
			r.until(func() bool { return r.now() > began.Add(took+5*machine.Second) })
			r.checkStream(heard, toEnd, sent, d.name == "sim")
			toEnd.Do(func(machine.Time, *machine.Outbox) {
				if !to.Maintains(to.Own(id)) {
					t.Error("the trigger is not refreshed any more")
				}
			})
			next.Do(func(machine.Time, *machine.Outbox) {
				if c := next.node.Counters(); c.TakenOver == 0 {
					t.Errorf("the next one has taken over nothing, counters %+v", c)
				}
			})
			t.Logf("left after %.1f s", took.Seconds())
		})
	}
}

// checkStream fails if packets are missing, or on a machine that may be busy, most of them.
func (r *ringTest) checkStream(heard *tally, at endpoint, sent uint64, exact bool) {
	r.Helper()
	at.Do(func(machine.Time, *machine.Outbox) {
		missing, twice := 0, 0
		for number := range sent {
			switch heard.got[number] {
			case 0:
				missing++
			case 1:
			default:
				twice++
			}
		}
		r.Logf("%d packets sent, %d missing, %d came twice", sent, missing, twice)
		if twice > 0 || exact && missing > 0 || uint64(missing) > sent/2 {
			r.Errorf("of %d packets %d are missing and %d came twice", sent, missing, twice)
		}
	})
}
