package multicast_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// healTime is how long a tree may take to notice a node's lost memory and to
// put things right: three heartbeats and up to one of housekeeping, half a second
// of jitter, and the next heartbeat.
const healTime = 6 * second

// A node that comes back without its triggers, whichever it is, is served again
// soon, and nobody misses a packet.
func TestNodeLosesMemory(t *testing.T) {
	const degree = 2
	for node := range 8 {
		t.Run(fmt.Sprint("node ", node), func(t *testing.T) {
			b := newBed(t, setup{seed: 31, degree: degree, delays: newPlane(31, 8, 20*time.Millisecond)})
			b.grow(12)
			b.sendFor(second)
			b.restart(node, degree, host.DefaultLifetime)
			b.sendFor(healTime)
			for _, r := range b.rs {
				seen := len(r.got)
				b.send(10, 20*millisecond)
				b.world.Sleep(100 * millisecond)
				if len(r.got) < seen+10 {
					t.Errorf("%s gets nothing %v s after node %d restarted", r.name, healTime.Seconds(), node)
				}
			}
			b.quiesce(20 * second)
			b.judge()
			b.world.Sleep(host.DefaultLifetime / 2) // refreshes tell who is full again
			b.checkTables()
			j := b.add(node)[0]
			j.Join()
			b.until("a new receiver joins", 3*second, func() bool { return j.joined > 0 })
			if n := b.sum(func(c multicast.Counters) uint64 { return c.Searches }); n != 13 {
				t.Errorf("%d searches for 13 joins: the tree did not stay as it was", n)
			}
		})
	}
}

// A source whose node forgets it is found again at once, though nobody is in the
// tree to miss it.
func TestSourceNodeLosesMemory(t *testing.T) {
	for _, busy := range []bool{false, true} {
		b := newBed(t, setup{seed: 32})
		b.restart(0, 8, host.DefaultLifetime)
		if busy {
			b.sendFor(healTime)
		} else {
			b.world.Sleep(healTime)
		}
		if n := b.Nodes()[0].Machine.Triggers(); n != 3 {
			t.Errorf("busy %v: the source has %d triggers, want 3", busy, n)
		}
		r := b.add(1)[0]
		r.Join()
		b.until("a receiver joins", second, func() bool { return r.attached > 0 })
	}
}

// cutOff makes a receiver deaf to the tree until it has given its place up.
func (b *bed) cutOff(r *receiver) {
	b.tb.Helper()
	before := r.Machine.Counters().Searches
	r.drop = func(p i3.Packet, payload []byte) bool {
		m, _, err := multicast.ParseMessage(payload)
		return p.Kind == i3.KindData && err == nil && (m.Type == multicast.TypeData || m.Type == multicast.TypeHeartbeat)
	}
	for range 200 {
		if b.sendFor(200 * millisecond); r.Machine.Counters().Searches > before {
			r.drop = nil
			return
		}
	}
	b.tb.Fatalf("%s never searches again: %+v", r.name, r.Machine.Counters())
}

// A receiver that hears nothing for long searches for another place. It is still
// owed what it missed on the way.
func TestRejoinMissesNothing(t *testing.T) {
	b := newBed(t, setup{seed: 33, degree: 2})
	rs := b.grow(6)
	for _, r := range rs {
		b.sendFor(second)
		b.cutOff(r)
		b.sendFor(second)
		b.until(r.name+" is back", 20*second, func() bool { return r.attached == 2 && r.Machine.Settled() })
		if r.joined != 1 {
			t.Errorf("%s was told %d times that it joined: the second time its packets were forgotten", r.name, r.joined)
		}
	}
	b.sendFor(second)
	b.quiesce(30 * second)
	b.judge()
	b.world.Sleep(3 * host.DefaultLifetime) // what was left behind expires or is adopted
	b.checkTables()
}

// Who has moved in the tree does not answer for its old place.
func TestNoAnswerFromOldPlace(t *testing.T) {
	b := newBed(t, setup{seed: 34, degree: 2})
	rs := b.grow(3)
	moved := rs[2]
	oldParent := moved.Machine.Chain()[1]
	b.crash(rs[slices.IndexFunc(rs, func(r *receiver) bool { return r.own() == oldParent })])
	// Whatever it says to leave the old set is lost.
	for _, n := range b.Nodes() {
		n.Endpoint.SetFilter(func(d machine.Datagram) bool {
			for p := range packets(d.Bytes) {
				if p.Kind == i3.KindRemove {
					return false
				}
			}
			return true
		})
	}
	b.cutOff(moved)
	b.until("it is back", 60*second, func() bool { return moved.attached == 2 })
	if moved.Machine.Chain()[1] == oldParent {
		t.Fatalf("the receiver went back to its old place:\n%s", b.tree())
	}
	answers := 0
	b.spies = append(b.spies, func(_ string, p i3.Packet, m multicast.Message, body []byte) {
		rep, err := multicast.ParseReply(body)
		if m.Type == multicast.TypeReply && err == nil && rep.ID == moved.own() {
			answers++
		}
	})
	j := b.add(4)[0]
	q := multicast.Message{Type: multicast.TypeQuery, Seq: 1}
	body := make([]byte, len(multicast.Reply{}.AppendTo(nil)))
	copy(body, i3.AppendAddr(nil, j.Endpoint.Addr()))
	newProber(b).sendTo(multicast.JoinSet(oldParent), append(q.AppendTo(nil), body...))
	b.world.Sleep(second)
	if answers > 0 {
		t.Errorf("%d answers for a place that %s has left", answers, moved.name)
	}
	if moved.Machine.Counters().DropUnexpected == 0 {
		t.Error("the query did not reach the receiver, so nothing was tested")
	}
}

// fill takes all slots of an identifier for strangers.
func (p *prober) fill(id i3.ID, slots int) {
	for i := range uint64(slots) {
		p.ask(i3.KindInsert, i3.Insert{Trigger: i3.Trigger{ID: id, Target: i3.ToID(i3.NewID(2*i, i3.RightKey(id), i))}})
	}
}

// A receiver whose link is refused for good, or its own trigger, because others
// have taken the slot, searches anew and misses nothing.
func TestPlaceTaken(t *testing.T) {
	const degree = 2
	for _, own := range []bool{false, true} {
		b := newBed(t, setup{seed: 35, degree: degree})
		rs := b.grow(5)
		leaf := rs[4]
		b.sendFor(second)
		id := leaf.Machine.Chain()[1]
		if own {
			id = leaf.own()
		}
		b.restart(b.nodeOf(id), degree, host.DefaultLifetime)
		newProber(b).fill(id, degree+1)
		for range 80 { // packets flow all the while
			if b.sendFor(100 * millisecond); leaf.Machine.Counters().Searches > 1 {
				break
			}
		}
		b.until("the leaf is back", 10*second, func() bool { return leaf.attached == 2 })
		b.sendFor(second)
		b.quiesce(30 * second)
		b.judge()
	}
}

// A source whose own slot is taken knows that it is full.
func TestSourceSlotTaken(t *testing.T) {
	const degree = 2
	b := newBed(t, setup{seed: 38, degree: degree})
	b.restart(b.nodeOf(b.Group()), degree, host.DefaultLifetime)
	p := newProber(b)
	p.fill(b.Group(), degree+1)
	b.world.Sleep(healTime)
	if n, _ := p.count(multicast.FullSet(multicast.RootOf(b.Group()))); n != 1 {
		t.Errorf("the source is in the set of the full %d times, want once", n)
	}
	r := b.add(1)[0]
	b.world.Sleep(host.DefaultLifetime + 15*second) // the strangers' triggers expire
	b.join(r)
	b.send(5, 20*millisecond)
	b.quiesce(5 * second)
	b.judge()
}

// A source that starts anew counts from one again. Its receivers follow it, and
// take nothing of the old one for the new one's.
func TestSourceStartsAnew(t *testing.T) {
	b := newBed(t, setup{seed: 36, degree: 2, group: multicast.Config{Epoch: 1}})
	rs := b.grow(5)
	b.send(30, 20*millisecond)
	b.quiesce(5 * second)
	b.judge()
	fresh, err := multicast.NewSource(multicast.Config{
		Host:  host.Config{Self: b.Source().Endpoint.Addr(), Ring: b.ring(), Seed: 99},
		Group: b.Group(), Near: b.Nodes()[0].Range, Epoch: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Source().Machine = fresh
	b.Source().Endpoint.Start(fresh)
	b.Source().Endpoint.Do(fresh.Start)
	old := multicast.Message{Type: multicast.TypeData, Epoch: 1, Seq: 31}
	b.world.Sleep(second)
	rs[3].drop = messageIs(multicast.TypeData, 7) // and is repaired, not with the old one's
	b.send(5, 20*millisecond)
	newProber(b).sendTo(b.Group(), append(old.AppendTo(nil), "stale"...))
	b.send(15, 20*millisecond)
	b.quiesce(10 * second)
	for _, r := range rs {
		if r.joined != 2 || r.from > 0 {
			t.Errorf("%s: %d times joined, the last time after packet %d; want twice and 0", r.name, r.joined, r.from)
		}
	}
	b.judge()
	if n := rs[3].Machine.Counters().Repaired; n != 1 {
		t.Errorf("%d packets repaired, want the one that was lost", n)
	}
}

// Nobody is left searching, attaching or leaving for ever, whatever is lost.
func TestNothingIsStuck(t *testing.T) {
	for name, when := range map[string]func(r *receiver) bool{
		"searching": func(r *receiver) bool { return r.Machine.Counters().QueriesSent > 0 },
		"attaching": func(r *receiver) bool { return len(r.Machine.Chain()) > 0 },
		"attached":  func(r *receiver) bool { return r.attached > 0 },
		"joined":    func(r *receiver) bool { return r.joined > 0 },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, setup{seed: 37, group: multicast.Config{Host: host.Config{Lifetime: lifetime}}})
			r := b.add(3)[0]
			r.Join()
			b.until(name, 10*second, func() bool { return when(r) })
			r.drop = func(i3.Packet, []byte) bool { return true }
			b.until("it gives up", 600*second, func() bool { return r.failed > 0 })
			if !r.Machine.Idle() {
				t.Error("it is not idle")
			}
			r.drop = nil
			r.joined, r.attached = 0, 0
			b.join(r)
			r.drop = func(i3.Packet, []byte) bool { return true }
			r.Leave()
			b.until("it has left", 600*second, func() bool { return r.left == 1 })
			b.world.Sleep(100 * second)
			r.drop = nil
			b.checkTablesWithout(r)
		})
	}
}

// checkTablesWithout checks the tables after a receiver has gone.
func (b *bed) checkTablesWithout(r *receiver) {
	b.tb.Helper()
	r.gone = true
	if !slices.Contains(b.rs, r) {
		b.tb.Fatal("the receiver is another bed's")
	}
	b.checkTables()
}
