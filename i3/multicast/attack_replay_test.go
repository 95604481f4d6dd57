package multicast_test

import (
	"bytes"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// A recording is a message with its tag, and the packet it came in.
type recording struct {
	p       i3.Packet
	payload []byte
}

// record notes what reaches a receiver for a while.
func record(r *receiver, during func()) (all []recording) {
	r.drop = func(p i3.Packet, payload []byte) bool {
		if p.Kind == i3.KindData || p.Kind == i3.KindDirect {
			all = append(all, recording{p, bytes.Clone(payload)})
		}
		return false
	}
	during()
	r.drop = nil
	return all
}

// TestAttackReplay: what a member was sent does nothing when it is sent again later: no packet comes twice, the source
// seems no farther and the tree no livelier, no refresh is put off, and nobody takes an identifier to be adopted.
func TestAttackReplay(t *testing.T) {
	b := newBed(t, setup{seed: 21, degree: 2, group: multicast.Config{Key: groupKey}})
	rs := b.grow(4)
	b.world.Sleep(2 * second)
	r := rs[3]
	all := record(r, func() { b.send(60, second/4) })
	b.world.Sleep(10 * second)
	seen := map[multicast.Type]int{}
	high, delivered := r.Machine.Highest(), r.Machine.Counters().Delivered
	due := multicast.LinkDue(r.Machine, 1)
	for range 20 { // more than a window of distances has
		for _, c := range all {
			m, _, err := multicast.ParseMessage(c.payload)
			if err != nil {
				t.Fatal(err)
			}
			seen[m.Type]++
			before := dropped(r.Machine.Counters())
			d := machine.Datagram{From: r.Endpoint.Addr(), Bytes: append(c.p.AppendTo(nil), c.payload...)}
			out := machine.NewOutbox(0, 0, 0)
			r.Machine.Receive(b.world.Now(), []machine.Datagram{d}, out)
			if dropped(r.Machine.Counters()) == before && m.Type != multicast.TypeHint {
				t.Fatalf("a message of type %d is taken again", m.Type)
			}
			if len(out.Sends()) > 0 && m.Type != multicast.TypeHint {
				t.Fatalf("a message of type %d is answered again", m.Type)
			}
		}
	}
	if r.Machine.Highest() != high || r.Machine.Counters().Delivered != delivered ||
		multicast.LinkDue(r.Machine, 1) != due {
		t.Errorf("the highest number is %d, was %d; counters %+v", r.Machine.Highest(), high, r.Machine.Counters())
	}
	if seen[multicast.TypeData] == 0 || seen[multicast.TypeHeartbeat] == 0 || seen[multicast.TypeRefreshAck] == 0 {
		t.Errorf("recorded %v: not all there is", seen)
	}
}

// TestAttackA9RefreshSilence: an attacker records the owner's last refresh-ack and, when the owner has crashed, sends
// it to its children for two lifetimes. With a key the link lives and a child adopts it; without, the children are
// silent until packets stop coming.
func TestAttackA9RefreshSilence(t *testing.T) {
	for _, key := range [][32]byte{{}, groupKey} {
		b := newBed(t, setup{seed: 22, degree: 2, nodes: 4, group: multicast.Config{Key: key}})
		rs := b.grow(5)
		var owner, child *receiver
		for _, r := range rs {
			if r.Machine.Level() == 2 {
				child = r
			}
		}
		above := child.Machine.Chain()[1]
		for _, r := range rs {
			if r.own() == above {
				owner = r
			}
		}
		var last *recording
		for range 40 { // until the owner is heard
			for _, c := range record(child, func() { b.send(1, second) }) {
				m, body, _ := multicast.ParseMessage(c.payload)
				if m.Type == multicast.TypeRefreshAck && m.Flags&multicast.FlagOwner != 0 &&
					bytes.Equal(body, above.AppendTo(nil)) {
					last = &c
				}
			}
			if last != nil {
				break
			}
		}
		if last == nil {
			t.Fatal("the owner is not heard")
		}
		b.crash(owner)
		p := newProber(b)
		silences, adoptions := uint64(0), uint64(0)
		for range 120 {
			p.sendTo(above, last.payload)
			b.send(1, second/2)
		}
		for _, r := range b.live() {
			silences += r.Machine.Counters().Silences
			adoptions += r.Machine.Counters().Adoptions
		}
		if safe := key != [32]byte{}; safe != (silences == 0 && adoptions > 0) {
			t.Errorf("with key %v: the tree was silent %d times, %d adoptions", safe, silences, adoptions)
		}
	}
}

// TestAttackOldStream: a newcomer is sent what others were sent before it came. It has the source's time from the
// source's own reply, and is not taken in.
func TestAttackOldStream(t *testing.T) {
	for _, key := range [][32]byte{{}, groupKey} {
		b := newBed(t, setup{seed: 23, nodes: 4, group: multicast.Config{Key: key}})
		rs := b.grow(2)
		old := record(rs[0], func() { b.send(3, 50*millisecond) })
		b.send(200, 50*millisecond)
		r := b.add(3)[0]
		r.drop = func(p i3.Packet, _ []byte) bool { return p.Kind == i3.KindData } // the true ones come later
		r.Join()
		b.until("attached", 10*second, func() bool { return r.attached > 0 })
		for _, c := range old {
			c.p.ID = r.own()
			d := machine.Datagram{From: rs[0].Endpoint.Addr(), Bytes: append(c.p.AppendTo(nil), c.payload...)}
			r.Machine.Receive(b.world.Now(), []machine.Datagram{d}, machine.NewOutbox(0, 0, 0))
		}
		if safe := key != [32]byte{}; safe != (r.joined == 0) {
			t.Errorf("with key %v: joined %d times by packets up to %d", safe, r.joined, r.Machine.Highest())
		}
	}
}

// TestTagsElsewhere: a message is not good at another identifier than the one it was sent to, or in another kind of
// packet, and a notice says which identifier it is about.
func TestTagsElsewhere(t *testing.T) {
	v := newVictim(t, groupKey)
	chain := v.Machine.Chain()
	for _, typ := range []multicast.Type{multicast.TypeQuery, multicast.TypeRequest, multicast.TypeHint} {
		p, message := v.forge(typ)
		if typ == multicast.TypeHint {
			p.Kind = i3.KindDirect
		}
		sealed := multicast.Seal(groupKey, v.bed.Group(), p, message)
		elsewhere := p
		elsewhere.ID = multicast.FullSet(chain[len(chain)-2])
		if v.accepts(elsewhere, sealed) {
			t.Errorf("a message of type %d is good at another identifier", typ)
		}
		if !v.accepts(p, sealed) {
			t.Errorf("a message of type %d is not good where it was sent to", typ)
		}
	}
	stranger := i3.NewID(2, i3.RightKey(chain[0]), 9)
	for _, typ := range []multicast.Type{multicast.TypeRefreshAck, multicast.TypeAdopt} {
		p, message := v.forge(typ)
		message = append(message[:multicast.HeaderSize], stranger.AppendTo(nil)...)
		if v.accepts(p, multicast.Seal(groupKey, v.bed.Group(), p, message)) && typ == multicast.TypeRefreshAck {
			t.Errorf("a notice of type %d about another branch is taken", typ)
		}
	}
}

// TestAttackOldRekey: an attacker keeps from a receiver that the one above it has moved, and tells it much later. With
// a key the receiver stays where it is, without it tries to go where the other was then.
func TestAttackOldRekey(t *testing.T) {
	for _, key := range [][32]byte{{}, groupKey} {
		b := newBed(t, setup{seed: 41, degree: 2, group: multicast.Config{Key: key}})
		rs := b.grow(8)
		var mover, child *receiver
		for _, r := range rs {
			for _, above := range rs {
				if chain := r.Machine.Chain(); chain[len(chain)-2] == above.own() && above.Machine.Level() > 1 {
					mover, child = above, r
				}
			}
		}
		var kept []recording
		child.drop = func(p i3.Packet, payload []byte) bool {
			if p.Kind != i3.KindData || payload[0] != byte(multicast.TypeRekey) {
				return false
			}
			kept = append(kept, recording{p, bytes.Clone(payload)})
			return true
		}
		mover.move()
		b.rest()
		b.send(20, second)
		if len(kept) == 0 || mover.moved == 0 {
			t.Fatalf("%d rekeys, %d moves", len(kept), mover.moved)
		}
		before := child.Machine.Counters().DropReplay
		d := machine.Datagram{From: rs[0].Endpoint.Addr(), Bytes: append(kept[0].p.AppendTo(nil), kept[0].payload...)}
		child.Machine.Receive(b.world.Now(), []machine.Datagram{d}, machine.NewOutbox(0, 0, 0))
		replays := child.Machine.Counters().DropReplay - before
		if safe := key != [32]byte{}; safe == child.Machine.Moving() || safe != (replays == 1) {
			t.Errorf("with key %v: it moves: %v; %d replays", safe, child.Machine.Moving(), replays)
		}
	}
}
