package multicast_test

import (
	"bytes"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// eachPolicy runs a test under every repair policy.
func eachPolicy(t *testing.T, f func(t *testing.T, policy multicast.RepairPolicy)) {
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) { f(t, policy) })
	}
}

// once makes a drop function drop only the first time.
func once(drop func(i3.Packet, []byte) bool) func(i3.Packet, []byte) bool {
	done := false
	return func(p i3.Packet, payload []byte) bool {
		if done || !drop(p, payload) {
			return false
		}
		done = true
		return true
	}
}

// either drops what one of several drop functions drops.
func either(drops ...func(i3.Packet, []byte) bool) func(i3.Packet, []byte) bool {
	return func(p i3.Packet, payload []byte) bool {
		drop := false
		for _, d := range drops {
			drop = d(p, payload) || drop
		}
		return drop
	}
}

// A packet that one receiver lost comes from a sibling, who sends it to that
// receiver alone.
func TestRepairFromSibling(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy multicast.RepairPolicy) {
		b := newBed(t, setup{seed: 41, degree: 8, group: multicast.Config{Repair: policy}})
		rs := b.grow(6)
		for i, r := range rs { // each loses one packet
			r.drop = once(messageIs(multicast.TypeData, uint64(2+i)))
		}
		b.send(12, 20*millisecond)
		b.quiesce(5 * second)
		b.judge()
		for _, r := range rs {
			if len(r.repaired) != 1 {
				t.Errorf("%s: %d packets repaired, want one", r.name, len(r.repaired))
			}
		}
		if n := b.Source().Machine.Counters().SubtreeRepairs; n > 0 && !policy.Literal {
			t.Errorf("%d repairs to the whole tree for losses of single receivers", n)
		}
	})
}

// A packet that a whole branch lost comes from above, once for all of it.
func TestRepairOfBranch(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy multicast.RepairPolicy) {
		b := newBed(t, setup{seed: 42, degree: 2, group: multicast.Config{Repair: policy}})
		rs := b.grow(12)
		branch := rs[0].own()
		losers := 0
		for _, r := range rs {
			if r.Machine.Chain()[1] == branch {
				r.drop = once(messageIs(multicast.TypeData, 5))
				losers++
			}
		}
		if losers < 3 {
			t.Fatalf("a branch of %d:\n%s", losers, b.tree())
		}
		b.send(10, 20*millisecond)
		b.quiesce(10 * second)
		b.judge()
		subtree := b.sum(func(c multicast.Counters) uint64 { return c.SubtreeRepairs }) +
			b.Source().Machine.Counters().SubtreeRepairs
		if subtree == 0 {
			t.Error("nobody repaired the subtree")
		}
	})
}

// When nobody below the source has a packet, the source repairs the whole tree.
func TestRepairFromSource(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy multicast.RepairPolicy) {
		b := newBed(t, setup{seed: 43, degree: 2, group: multicast.Config{Repair: policy}})
		rs := b.grow(8)
		for _, r := range rs {
			r.drop = once(messageIs(multicast.TypeData, 5))
		}
		b.send(10, 20*millisecond)
		b.quiesce(20 * second)
		b.judge()
		c := b.Source().Machine.Counters()
		if c.Repairs+c.SubtreeRepairs == 0 {
			t.Error("the source repaired nothing")
		}
	})
}

// The only member of a repair group asks itself, and still gets its packet.
func TestOwnRequestComesBack(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy multicast.RepairPolicy) {
		b := newBed(t, setup{seed: 44, degree: 1, group: multicast.Config{Repair: policy}})
		rs := b.grow(3)
		rs[2].drop = once(messageIs(multicast.TypeData, 4))
		b.send(8, 20*millisecond)
		b.quiesce(10 * second)
		b.judge()
		if c := rs[2].Machine.Counters(); c.RequestsReceived == 0 || c.Escalated == 0 {
			t.Errorf("the request did not come back: %+v", c)
		}
	})
}

// The loss of the last packet is noticed by the next heartbeat, if that is lost
// too by the one after, and by an acknowledgement of a refresh.
func TestTailLoss(t *testing.T) {
	for name, c := range map[string]struct {
		drop   func(i3.Packet, []byte) bool
		within machine.Duration
	}{
		"heartbeat":        {either(), 200 * millisecond},
		"second heartbeat": {once(messageIs(multicast.TypeHeartbeat, 10)), 400 * millisecond},
		"refresh":          {messageIs(multicast.TypeHeartbeat, 10), 20 * second},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, setup{seed: 45, degree: 2})
			r := b.grow(6)[5]
			r.drop = either(once(messageIs(multicast.TypeData, 10)), c.drop)
			b.send(10, 20*millisecond)
			b.until("the last packet is repaired", c.within, func() bool { return r.got[10] == 1 })
			b.judge()
		})
	}
}

// A late packet is not a lost one.
func TestReordering(t *testing.T) {
	b := newBed(t, setup{seed: 46})
	r := b.grow(2)[1]
	p := newProber(b)
	late := 0
	var kept []byte
	r.Endpoint.SetFilter(func(d machine.Datagram) bool {
		for pkt, payload := range packets(d.Bytes) {
			m, _, err := multicast.ParseMessage(payload)
			if pkt.Kind == i3.KindData && err == nil && m.Type == multicast.TypeData && m.Seq%10 == 3 && kept == nil {
				kept = bytes.Clone(d.Bytes)
				return false
			}
		}
		return true
	})
	for range 700 {
		b.send(1, 10*millisecond)
		if kept != nil && b.Source().Machine.Highest()%10 == 4 { // one packet later, within the wait
			p.sendRaw(r, kept)
			b.world.Sleep(2 * millisecond)
			late++
			kept = nil
		}
	}
	b.world.Sleep(2 * second)
	b.judge()
	c := r.Machine.Counters()
	if c.Requests != 0 || c.Repaired != 0 || c.Reordered != uint64(late) || late < 50 {
		t.Errorf("%d packets came late; counters %+v", late, c)
	}
	if n := multicast.LossClass(r.Machine); n != 0 {
		t.Errorf("a receiver that loses nothing is in loss class %d", n)
	}
}

// A gap is a loss after the wait for reordering, or after three later packets,
// whichever comes first.
func TestGapBecomesLoss(t *testing.T) {
	for _, c := range []struct {
		name    string
		reorder machine.Duration
		gap     machine.Duration // between packets
		quiet   int              // packets after the gap without a request
	}{
		{"three packets", 10 * second, 10 * millisecond, 2},
		{"the wait", 35 * millisecond, 10 * millisecond, 2},
		{"a long wait of few packets", 150 * millisecond, 100 * millisecond, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, setup{seed: 47, group: multicast.Config{Repair: multicast.RepairPolicy{Reorder: c.reorder}}})
			r := b.grow(2)[1]
			r.drop = messageIs(multicast.TypeData, 5)
			b.send(5, c.gap)
			b.send(c.quiet, c.gap)
			if n := r.Machine.Counters().Requests; n != 0 {
				t.Errorf("%d requests after %d later packets, want none yet", n, c.quiet)
			}
			b.send(2, c.gap)
			if n := r.Machine.Counters().Requests; n == 0 {
				t.Errorf("no request after %d later packets", c.quiet+2)
			}
		})
	}
}

// What nobody has any more is reported, and nothing is lost in silence.
func TestGone(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy multicast.RepairPolicy) {
		b := newBed(t, setup{seed: 48, degree: 2, group: multicast.Config{Repair: policy, Cache: 16}})
		rs := b.grow(5)
		deaf := rs[3]
		deaf.drop = func(p i3.Packet, _ []byte) bool { return p.Kind == i3.KindData || p.Kind == i3.KindDirect }
		b.send(100, 10*millisecond)
		deaf.drop = nil
		b.send(1, 10*millisecond)
		b.quiesce(60 * second)
		high := b.Source().Machine.Highest()
		for _, r := range rs {
			for seq := r.from + 1; seq <= high; seq++ {
				if r.got[seq]+r.lost[seq] != 1 {
					t.Errorf("%s: packet %d delivered %d times, lost %d", r.name, seq, r.got[seq], r.lost[seq])
				}
			}
			if r != deaf && len(r.lost) > 0 {
				t.Errorf("%s lost %d packets although it heard all", r.name, len(r.lost))
			}
		}
		if len(deaf.lost) < 80 || len(deaf.lost) > 90 {
			t.Errorf("%d packets lost of 100 with caches of 16, want about 85", len(deaf.lost))
		}
		if n := deaf.Machine.Counters().Abandoned; n != uint64(len(deaf.lost)) {
			t.Errorf("%d packets abandoned, told of %d", n, len(deaf.lost))
		}
	})
}

// More losses than a receiver keeps count of are given up from the oldest on,
// and told.
func TestTooManyLosses(t *testing.T) {
	b := newBed(t, setup{seed: 49, group: multicast.Config{Cache: 1 << 13}})
	rs := b.grow(2)
	deaf := rs[1]
	deaf.drop = func(p i3.Packet, _ []byte) bool { return p.Kind == i3.KindData }
	b.send(6000, millisecond/4)
	deaf.drop = nil
	b.send(1, 10*millisecond)
	b.quiesce(60 * second)
	lost := len(deaf.lost)
	if lost < 1800 || lost > 2000 || len(deaf.got)+lost != 6001 {
		t.Errorf("%d packets delivered and %d lost of 6001, want all but the last 4096 or so lost", len(deaf.got), lost)
	}
	for seq := range deaf.lost {
		if deaf.got[seq] > 0 || seq > 2000 {
			t.Errorf("packet %d is lost and came %d times", seq, deaf.got[seq])
		}
	}
}

// A packet that cannot be had, because everybody who could be asked is gone, is
// given up after a while, and told.
func TestGivenUp(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy multicast.RepairPolicy) {
		b := newBed(t, setup{seed: 50, group: multicast.Config{Repair: policy, HeartbeatMax: 60 * second}})
		r := b.grow(1)[0]
		r.drop = messageIs(multicast.TypeData, 3)
		b.send(4, 10*millisecond)
		b.Source().Endpoint.Close()
		b.until("the packet is given up", 120*second, func() bool { return r.lost[3] == 1 })
		if n := r.Machine.Missing(); n != 0 {
			t.Errorf("%d packets still missing", n)
		}
	})
}

// A repair that left a moment ago is not sent again to the same host, but is to
// another, and later.
func TestHoldDown(t *testing.T) {
	b := newBed(t, setup{seed: 51})
	rs := b.grow(3)
	b.send(5, 10*millisecond)
	p := newProber(b)
	ask := func(for_ *receiver, target i3.ID) {
		m := multicast.Message{Type: multicast.TypeRequest, Seq: 2}
		q := multicast.Request{Group: b.Group(), Target: target, Requester: for_.Endpoint.Addr()}
		p.sendDirect(rs[0], b.Group(), q.AppendTo(m.AppendTo(nil)))
	}
	repairs := func() (direct, subtree, held uint64) {
		b.world.Sleep(2 * millisecond)
		c := rs[0].Machine.Counters()
		return c.Repairs, c.SubtreeRepairs, c.DropHeldDown
	}
	for i, step := range []struct {
		do                    func()
		direct, subtree, held uint64
	}{
		{func() { ask(rs[1], i3.ID{}) }, 1, 0, 0},
		{func() { ask(rs[1], i3.ID{}) }, 1, 0, 1},
		{func() { ask(rs[2], i3.ID{}) }, 2, 0, 1},
		{func() { b.world.Sleep(20 * millisecond); ask(rs[1], i3.ID{}) }, 3, 0, 1},
		{func() { ask(rs[1], b.Group()) }, 3, 1, 1},
		{func() { b.world.Sleep(50 * millisecond); ask(rs[2], b.Group()) }, 3, 1, 2},
		{func() { b.world.Sleep(100 * millisecond); ask(rs[2], b.Group()) }, 3, 2, 2},
	} {
		step.do()
		if d, s, h := repairs(); d != step.direct || s != step.subtree || h != step.held {
			t.Errorf("step %d: %d repairs, %d for subtrees, %d held down; want %d, %d, %d",
				i, d, s, h, step.direct, step.subtree, step.held)
		}
	}
	b.judge() // and what came twice was not delivered twice
	if n := b.sum(func(c multicast.Counters) uint64 { return c.Duplicates }); n == 0 {
		t.Error("no duplicates counted")
	}
}

// With the lowest loss rate decisive one member answers all; spread, many do.
func TestWhoIsAsked(t *testing.T) {
	for _, scheme := range []multicast.RepairScheme{multicast.LowestLoss, multicast.Spread} {
		b := newBed(t, setup{seed: 52, degree: 8, group: multicast.Config{Repair: multicast.RepairPolicy{Scheme: scheme}}})
		rs := b.grow(8)
		b.send(1, 10*millisecond)
		good := rs[4]
		for i, r := range rs {
			if r == good {
				continue
			}
			n := 2 * i // no two lose the same
			r.drop = func(p i3.Packet, payload []byte) bool {
				m, _, err := multicast.ParseMessage(payload)
				if err != nil || p.Kind != i3.KindData || m.Type != multicast.TypeData {
					return false
				}
				n++
				return n%20 == 0
			}
		}
		b.send(600, 5*millisecond)
		b.world.Sleep(3 * second) // the classes are drawn anew
		before := map[*receiver]uint64{}
		for _, r := range rs {
			before[r] = r.Machine.Counters().Repairs
		}
		b.send(400, 5*millisecond)
		b.quiesce(20 * second)
		b.judge()
		answered, all := 0, uint64(0)
		for _, r := range rs {
			n := r.Machine.Counters().Repairs - before[r]
			if all += n; n > 0 {
				answered++
			}
		}
		byGood := good.Machine.Counters().Repairs - before[good]
		switch {
		case scheme == multicast.LowestLoss && float64(byGood) < 0.95*float64(all):
			t.Errorf("rel-loss: %d of %d repairs by the receiver that loses nothing", byGood, all)
		case scheme == multicast.Spread && answered < 5:
			t.Errorf("rel-random: %d of 8 members answer", answered)
		}
	}
}

// A member of the repair group that is gone, though its trigger is not, keeps
// nobody from a repair: the second request goes to another.
func TestDeadMemberIsAvoided(t *testing.T) {
	for _, scheme := range []multicast.RepairScheme{multicast.LowestLoss, multicast.Spread} {
		b := newBed(t, setup{seed: 54, degree: 8, group: multicast.Config{Repair: multicast.RepairPolicy{Scheme: scheme}}})
		rs := b.grow(8)
		asked := ""
		b.spies = append(b.spies, func(at string, _ i3.Packet, m multicast.Message, _ []byte) {
			if m.Type == multicast.TypeRequest && asked == "" {
				asked = at
			}
		})
		for seq := uint64(1); seq <= 40; seq++ { // until somebody else than the loser is asked
			loser := rs[seq%8]
			loser.drop = once(messageIs(multicast.TypeData, seq))
			asked = ""
			b.send(2, 100*millisecond)
			seq++
			if asked != "" && asked != loser.name {
				break
			}
		}
		dead := rs[slices.IndexFunc(rs, func(r *receiver) bool { return r.name == asked })]
		b.crash(dead)
		before := b.Source().Machine.Counters().RequestsReceived
		for _, r := range b.live() {
			high := b.Source().Machine.Highest()
			r.drop = once(messageIs(multicast.TypeData, high+1))
			b.send(2, 100*millisecond)
		}
		b.quiesce(10 * second)
		b.judge()
		if n := b.Source().Machine.Counters().RequestsReceived - before; n > 1 {
			t.Errorf("scheme %d: %d requests to the source, though seven siblings have the packet", scheme, n)
		}
	}
}

// A receiver that came later does not have what was sent before: a request for
// it finds another way.
func TestRequestForWhatIsOlder(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy multicast.RepairPolicy) {
		b := newBed(t, setup{seed: 53, degree: 1, group: multicast.Config{Repair: policy}})
		rs := b.grow(2)
		rs[1].drop = either(messageIs(multicast.TypeData, 3), messageIs(multicast.TypeRepair, 3))
		b.send(5, 10*millisecond)
		j := b.grow(1)[0]
		rs[1].drop = nil
		b.send(5, 10*millisecond)
		b.quiesce(60 * second)
		b.judge()
		if j.got[3] > 0 {
			t.Error("a packet from before it joined was delivered")
		}
	})
}
