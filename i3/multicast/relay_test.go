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
	"i3bench/testbed"
)

// relayed returns a configuration whose source keeps so many relays.
func relayed(relays int) multicast.Config {
	return multicast.Config{Relays: relays, Host: host.Config{Lifetime: lifetime}}
}

// childrenOf counts receivers by the name of their parent.
func (b *bed) childrenOf() map[string]int {
	n := map[string]int{}
	for _, r := range b.live() {
		c := r.Machine.Chain()
		n[b.name(c[len(c)-2])]++
	}
	return n
}

// A tree with relays fills from the group's identifier over the relays down, the
// sets and tables are what they should be at every size, and everybody gets every
// packet. Relays for which the group's identifier has no place are not used.
func TestRelaysFill(t *testing.T) {
	for _, c := range []struct {
		relays, degree int
		want           map[string]int // children of the first 6 receivers
	}{
		{1, 2, map[string]int{"idg": 1, "rel1": 2}},
		{2, 2, map[string]int{"rel1": 2, "rel2": 2}},
		{2, 3, map[string]int{"idg": 1}},
		{4, 2, map[string]int{"rel1": 2, "rel2": 2, "rel3": 0, "rel4": 0}},
		{4, 1, map[string]int{"rel1": 1, "rel2": 0}},
		{4, 8, map[string]int{"idg": 4}},
	} {
		t.Run(fmt.Sprintf("%d relays, degree %d", c.relays, c.degree), func(t *testing.T) {
			b := newBed(t, setup{seed: 81, degree: c.degree, group: relayed(c.relays)})
			b.checkTables()
			for range 6 {
				b.join(b.add(len(b.rs) % 8)...)
				b.world.Sleep(100 * millisecond)
				b.checkTables()
			}
			got := b.childrenOf()
			for name, want := range c.want {
				if got[name] != want {
					t.Errorf("%d receivers below %s, want %d\n%s", got[name], name, want, b.tree())
				}
			}
			b.send(10, 10*millisecond)
			b.quiesce(5 * second)
			b.judge()
			if n := b.sum(func(c multicast.Counters) uint64 { return c.Refused }); n > 0 {
				t.Errorf("%d refusals of receivers that came one after the other", n)
			}
		})
	}
}

// A relay that fills up moves to the set of the full, and back when a child
// leaves, at once.
func TestRelaysMove(t *testing.T) {
	b := newBed(t, setup{seed: 82, degree: 2, group: multicast.Config{Relays: 2}})
	p := newProber(b)
	sets := func() [2]int {
		b.world.Sleep(100 * millisecond)
		b.checkTables()
		joinable, _ := p.count(multicast.JoinSet(b.Group()))
		full, _ := p.count(multicast.FullSet(b.Group()))
		return [2]int{joinable, full}
	}
	expect := func(what string, joinable, full int) {
		t.Helper()
		if got := sets(); got != [2]int{joinable, full} {
			t.Errorf("%s: the source is %d times joinable and %d times full, want %d and %d",
				what, got[0], got[1], joinable, full)
		}
	}
	expect("both relays are free", 1, 0)
	rs := b.grow(3)
	expect("one is full", 1, 1)
	last := b.grow(1)[0]
	expect("both are full", 0, 1)
	b.leave(last)
	expect("one has a place again", 1, 1)
	b.leave(rs...)
	expect("both are empty", 1, 0)
}

// A relay that moves back before the set it was to enter has the source leaves
// nothing behind in that set: whoever asked it would wait for an answer.
func TestRelayMovesBack(t *testing.T) {
	b := newBed(t, setup{seed: 83, degree: 1, group: relayed(1)})
	p := newProber(b)
	full := multicast.FullSet(b.Group())
	deaf := true
	b.Source().Endpoint.SetFilter(func(d machine.Datagram) bool {
		for pkt := range packets(d.Bytes) {
			if deaf && pkt.ID == full && (pkt.Kind == i3.KindAck || pkt.Kind == i3.KindChallenge) {
				return false
			}
		}
		return true
	})
	r := b.grow(1)[0]
	if n, _ := p.count(multicast.JoinSet(b.Group())); n != 1 {
		t.Error("the source left one set before it had entered the other: no search finds the relay")
	}
	b.leave(r)
	b.world.Sleep(100 * millisecond)
	deaf = false
	b.world.Sleep(lifetime)
	b.checkTables()
}

// askSource sends the source a query for a set, as one who has so many answers, and
// returns those that come.
func (p *prober) askSource(set i3.ID, level int) (all []multicast.Message, ids []i3.ID) {
	p.b.tb.Helper()
	p.told = nil
	q := multicast.Message{Type: multicast.TypeQuery, Level: uint16(level), Seq: 77}.AppendTo(nil)
	q = append(i3.AppendAddr(q, p.ep.Addr()), make([]byte, 30)...)
	p.sendSource(set, q)
	p.b.world.Sleep(100 * millisecond)
	for _, wire := range p.told {
		m, body, _ := multicast.ParseMessage(wire)
		rep, err := multicast.ParseReply(body)
		if err != nil || m.Seq != 77 || len(wire) > len(q) {
			p.b.tb.Fatalf("%d bytes, %+v: want a reply of at most %d, number 77", len(wire), m, len(q))
		}
		all, ids = append(all, m), append(ids, rep.ID)
	}
	return all, ids
}

// A source that stands for several relays gives one answer to each query, in turn,
// and always one: relays may have moved since it was asked for the first. Of a
// relay that is not in the tree it does not tell.
func TestRelaysAnswerOneByOne(t *testing.T) {
	const more, full = multicast.FlagMore, multicast.FlagFull
	type row struct {
		full, level, relay int // relay -1: any in the tree
		flags              uint8
	}
	for _, c := range []struct {
		relays, degree, receivers int
		rows                      []row
	}{
		{3, 4, 0, []row{
			{0, 0, 0, more}, {0, 1, 1, more}, {0, 2, 2, 0}, {0, 3, -1, 0}, {0, 65535, -1, 0}, {1, 0, -1, 0},
		}},
		{3, 3, 3, []row{ // the first is full
			{0, 0, 1, more}, {0, 1, 2, 0}, {0, 2, -1, 0}, {1, 0, 0, full}, {1, 1, -1, 0},
		}},
		{4, 2, 0, []row{{0, 0, 0, more}, {0, 1, 1, 0}, {0, 2, 1, 0}}}, // there is no place for two
	} {
		b := newBed(t, setup{seed: 84, degree: c.degree, group: multicast.Config{Relays: c.relays}})
		b.grow(c.receivers)
		relays, linked := multicast.Relays(b.Source().Machine)
		p := newProber(b)
		for _, r := range c.rows {
			what := fmt.Sprintf("%d relays, degree %d, %+v", c.relays, c.degree, r)
			set := [2]i3.ID{multicast.JoinSet(b.Group()), multicast.FullSet(b.Group())}[r.full]
			ms, ids := p.askSource(set, r.level)
			switch {
			case len(ms) != 1:
				t.Errorf("%s: %d answers, want one", what, len(ms))
			case ms[0].Level != 1 || ms[0].Flags != r.flags || !slices.Contains(relays[:linked], ids[0]):
				t.Errorf("%s: answer %+v for %s", what, ms[0], b.name(ids[0]))
			case r.relay >= 0 && ids[0] != relays[r.relay]:
				t.Errorf("%s: the answer is for %s", what, b.name(ids[0]))
			}
		}
		if ms, _ := p.askSource(relays[0], 0); len(ms) > 0 {
			t.Errorf("%d answers to a query that was sent to no set", len(ms))
		}
	}
}

// Asking relays one after the other takes longer than asking all children at once,
// and yet nobody is asked twice.
func TestRelaysAreAskedOnce(t *testing.T) {
	far := &latencies{sites: 2, far: 100 * time.Millisecond}
	b := newBed(t, setup{seed: 85, nodes: 2, degree: 4, delays: far, group: multicast.Config{Relays: 4}})
	r := b.add(1)[0]
	told := map[i3.ID]bool{}
	b.spies = append(b.spies, func(_ string, _ i3.Packet, m multicast.Message, body []byte) {
		if rep, err := multicast.ParseReply(body); err == nil && m.Type == multicast.TypeReply {
			told[rep.ID] = true
		}
	})
	b.join(r)
	if len(told) != 5 {
		t.Errorf("it was told of %d places, want 5: the source's and four relays", len(told))
	}
	if n := r.Machine.Counters().QueriesSent; n != 7 {
		t.Errorf("%d queries, want 7: two sets of the root, two of the group, three further relays", n)
	}
	if n := b.Source().Machine.Counters().Queries; n != 5 {
		t.Errorf("the source answered %d queries, want 5", n)
	}
}

// A liar answers every query, and says that there is more.
type liar struct {
	*prober
	id    i3.ID
	asked int
}

// Receive lies.
func (l *liar) Receive(_ machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	for _, d := range batch {
		for _, payload := range packets(d.Bytes) {
			if m, body, err := multicast.ParseMessage(payload); err == nil && m.Type == multicast.TypeQuery {
				if l.asked++; l.asked < 1000 {
					l.lie(m, body, out)
				}
			}
		}
	}
}

// lie answers a query.
func (l *liar) lie(m multicast.Message, body []byte, out *machine.Outbox) {
	to, err := i3.ParseAddr(body)
	if err != nil {
		return
	}
	b := multicast.Message{Type: multicast.TypeReply, Flags: multicast.FlagMore, Level: 1, Seq: m.Seq}.AppendTo(nil)
	b = multicast.Reply{ID: l.id, SourceDistance: int64(hour)}.AppendTo(b)
	h := i3.Packet{Kind: i3.KindDirect, HopLimit: 1, Length: uint16(len(b)), ID: l.id}
	out.Send(to, append(h.AppendTo(nil), b...))
}

// Who says without end that there is more is asked no more often than a source can
// have relays, and keeps nobody from joining.
func TestMoreHasAnEnd(t *testing.T) {
	b := newBed(t, setup{seed: 86, degree: 1})
	child := b.grow(1)[0]
	l := &liar{prober: newProber(b), id: child.own()}
	l.ep.Start(l)
	frontiers := map[uint64]bool{}
	b.spies = append(b.spies, func(at string, p i3.Packet, m multicast.Message, body []byte) {
		if at == child.name && m.Type == multicast.TypeQuery {
			frontiers[m.Seq] = true
			l.ep.Do(func(_ machine.Time, out *machine.Outbox) { l.lie(m, body, out) })
		}
	})
	r := b.add(1)[0]
	r.drop = func(_ i3.Packet, payload []byte) bool { // the true answer is lost
		m, _, err := multicast.ParseMessage(payload)
		return err == nil && m.Type == multicast.TypeReply && m.Level == 1 && m.Flags&multicast.FlagMore == 0
	}
	r.Join()
	b.until("it attaches without waiting", 40*millisecond, func() bool { return r.attached > 0 })
	if n := len(frontiers) * (multicast.MaxRelays - 1); l.asked == 0 || l.asked > n {
		t.Errorf("the liar was asked %d times in %d rounds, want between 1 and %d", l.asked, len(frontiers), n)
	}
	if n := r.Machine.Counters().Searches; n != 1 {
		t.Errorf("%d searches, want one", n)
	}
}

// Nothing of a tree with relays expires, also where messages are lost, and nobody
// adopts one while the source is heard of, or keeps one.
func TestRelaysLast(t *testing.T) {
	for name, scheme := range schemes {
		for _, loss := range []bool{false, true} {
			s := lossy(87, multicast.RepairPolicy{})
			s.group.Relays, s.group.Refresh = 3, scheme
			if !loss {
				s.loss, s.group.Host = testbed.Loss{}, host.Config{}
			} else {
				name += " lossy"
			}
			t.Run(name, func(t *testing.T) {
				b := newBed(t, s)
				b.grow(24)
				b.world.Sleep(host.DefaultLifetime + 2*second) // what joining left behind
				before := b.expired()
				for range 3 {
					b.world.Sleep(host.DefaultLifetime)
					b.send(10, 20*millisecond)
				}
				b.quiesce(60 * second)
				if n := b.expired() - before; n > 0 {
					t.Errorf("%d triggers expired", n)
				}
				if n := b.sum(func(c multicast.Counters) uint64 { return c.Adoptions }); n > 0 && !loss {
					t.Errorf("%d adoptions while every owner is alive", n)
				}
				b.judge()
				b.net.Mute(true)
				b.world.Sleep(host.DefaultLifetime)
				b.checkTables()
			})
		}
	}
}

// A relay has an owner even for receivers that have been told it has not.
func TestRelayIsTakenBack(t *testing.T) {
	b := newBed(t, setup{seed: 88, degree: 2, group: relayed(1)})
	b.grow(6)
	relays, _ := multicast.Relays(b.Source().Machine)
	m := multicast.Message{Type: multicast.TypeLeaving}
	newProber(b).sendTo(relays[0], append(relays[0].AppendTo(m.AppendTo(nil)), make([]byte, 16)...))
	b.until("somebody adopts", 2*second, func() bool {
		return b.sum(func(c multicast.Counters) uint64 { return c.Adoptions }) > 0
	})
	b.world.Sleep(lifetime)
	b.checkTables() // with an adopter there is one more in the set and the group
}

// After the source's end its relays are adopted like any identifier.
func TestRelaysOutliveSource(t *testing.T) {
	b := newBed(t, setup{seed: 89, degree: 1, group: relayed(1)})
	b.grow(2)
	b.Source().Endpoint.Close()
	b.until("the first receiver adopts the relay", 3*lifetime, func() bool {
		return b.rs[0].Machine.Counters().Adoptions == 1
	})
}

// The source's node loses its memory: with and without receivers all is put right,
// and a new receiver finds a relay at once.
func TestRelaysAreRemembered(t *testing.T) {
	for _, n := range []int{0, 3, 7} {
		t.Run(fmt.Sprint(n, " receivers"), func(t *testing.T) {
			const degree = 2
			b := newBed(t, setup{seed: 90, degree: degree, group: multicast.Config{Relays: 2}})
			b.grow(n)
			b.restart(0, degree, host.DefaultLifetime)
			b.sendFor(healTime)
			p := newProber(b)
			stands := 0
			for _, set := range []i3.ID{multicast.JoinSet(b.Group()), multicast.FullSet(b.Group())} {
				n, _ := p.count(set)
				stands += n
			}
			if stands == 0 {
				t.Error("the source is in no set: nobody finds its relays")
			}
			r := b.add(1)[0]
			r.Join()
			b.until("a receiver joins", second, func() bool { return r.attached > 0 })
			b.send(10, 20*millisecond)
			b.quiesce(10 * second)
			b.judge()
			b.world.Sleep(host.DefaultLifetime)
			b.checkTables()
			if got := b.sum(func(c multicast.Counters) uint64 { return c.Searches }); got != uint64(n)+1 {
				t.Errorf("%d searches for %d joins: the tree did not stay as it was", got, n+1)
			}
		})
	}
}

// What all below a relay lost comes from the source: nobody else is in the repair
// group where every child of the group is a relay.
func TestRepairBelowRelays(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy multicast.RepairPolicy) {
		b := newBed(t, setup{seed: 91, degree: 2, group: multicast.Config{Repair: policy, Relays: 2}})
		rs := b.grow(10)
		relays, _ := multicast.Relays(b.Source().Machine)
		for _, r := range rs {
			switch {
			case r.Machine.Chain()[1] == relays[0]:
				r.drop = messageIs(multicast.TypeData, 5)
			case r.Machine.Level() == 2:
				r.drop = messageIs(multicast.TypeData, 9)
			}
		}
		b.send(12, 20*millisecond)
		b.quiesce(20 * second)
		b.judge()
		if n := b.Source().Machine.Counters().SubtreeRepairs; n == 0 {
			t.Error("the source repaired no subtree")
		}
	})
}

// Under the paper's loss rates every packet reaches every receiver once.
func TestRelaysDeliverExactlyOnce(t *testing.T) {
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			s := lossy(92, policy)
			s.group.Relays, s.group.Search = 4, multicast.WideSearch()
			b := newBed(t, s)
			b.grow(24)
			b.send(300, 20*millisecond)
			b.quiesce(60 * second)
			b.judge()
			if n := b.sum(func(c multicast.Counters) uint64 { return c.Repaired }); n == 0 {
				t.Error("nothing was repaired, so nothing was tested")
			}
		})
	}
}

// Receivers that join at the same instant, more than there are places at relays,
// all get in, and end up in the right sets.
func TestCrowdJoinsRelays(t *testing.T) {
	b := newBed(t, setup{
		seed: 93, nodes: 16, degree: 4, delays: newPlane(93, 16, 50*time.Millisecond),
		group: multicast.Config{Relays: 3, Search: multicast.WideSearch()},
	})
	rs := b.add(spread(64, 16)...)
	for _, r := range rs {
		r.Join()
	}
	b.until("the crowd joins", 60*second, func() bool {
		return !slices.ContainsFunc(rs, func(r *receiver) bool { return !r.Machine.Settled() || r.joined == 0 })
	})
	b.send(20, 10*millisecond)
	b.quiesce(20 * second)
	b.judge()
	b.checkTables()
	if n := b.sum(func(c multicast.Counters) uint64 { return c.Refused }); n == 0 {
		t.Error("nobody was refused, so nothing was tested")
	}
}
