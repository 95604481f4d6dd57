package node_test

import (
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// limited returns a node with some limits and no others.
func limited(t *testing.T, set func(*node.Limits)) *rig {
	t.Helper()
	cfg := config()
	set(&cfg.Limits)
	return newRig(t, cfg)
}

// A demand is a trigger and who asks for it.
type demand struct {
	from    netip.AddrPort
	trigger i3.Trigger
}

// links returns triggers from one identifier to as many.
func links(id i3.ID, n int) (all []i3.Trigger) {
	for i := range n {
		link, _ := chain(id, uint64(2*i+8), 0)
		all = append(all, link)
	}
	return all
}

// from returns demands from one address.
func from(addr netip.AddrPort, ts ...i3.Trigger) (all []demand) {
	for _, t := range ts {
		all = append(all, demand{addr, t})
	}
	return all
}

// A quotaCase fills a quota with three triggers.
type quotaCase struct {
	set    func(*node.Limits)
	fill   []demand
	over   []demand // one more of these is too many
	other  []demand // these are not
	status i3.Status
	count  node.Counters
}

// names returns triggers from public identifiers to a private one, which only who knows it can make.
func names(id i3.ID, n int) (all []i3.Trigger) {
	for i := range n {
		all = append(all, i3.Trigger{ID: i3.NewID(uint64(2*i+1), i3.LeftKey(id), 0), Target: i3.ToID(id)})
	}
	return all
}

func quotaCases() map[string]quotaCase {
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(alice.Addr(), port) }
	six := netip.MustParseAddrPort("[2001:db8::1:66]:1")
	return map[string]quotaCase{
		"hosts at one address": {
			func(l *node.Limits) { l.MaxPerSource = 3 },
			from(bob, toHost(local(1), at(1)), toHost(local(2), at(2)), toHost(local(3), at(3))),
			from(bob, toHost(local(4), at(4)), toHost(local(1), at(5))),
			from(bob, append(links(local(5), 3), toHost(local(5), bob))...),
			i3.StatusNoRoom, node.Counters{OverSource: 1},
		},
		"links asked for by one network": {
			func(l *node.Limits) { l.MaxPerSource = 3 },
			append(from(mallory, links(local(1), 2)...), from(six, links(local(2), 1)...)...),
			append(from(mallory, links(local(1), 3)[2]), from(six, links(local(3), 1)...)...),
			append(from(mallory, toHost(local(3), mallory)), from(bob, links(local(3), 1)...)...),
			i3.StatusNoRoom, node.Counters{OverSource: 1},
		},
		"one socket": {
			func(l *node.Limits) { l.MaxPerTarget = 3 },
			from(bob, toHost(local(1), alice), toHost(local(2), alice), toHost(local(3), alice)),
			from(bob, toHost(local(4), alice)),
			from(bob, toHost(local(4), at(1)), toHost(local(4), bob)),
			i3.StatusNoRoom, node.Counters{OverTarget: 1},
		},
		"one identifier": {
			func(l *node.Limits) { l.MaxPerTarget = 3 },
			from(bob, names(local(9), 3)...), from(bob, names(local(9), 4)[3]), from(bob, links(local(1), 4)...),
			i3.StatusNoRoom, node.Counters{OverTarget: 1},
		},
		"one prefix and key": {
			func(l *node.Limits) { l.MaxPerKey = 3 },
			from(bob, toHost(local(1), alice), toHost(local(1).WithSuffix(1), bob), links(local(1), 1)[0]),
			from(bob, toHost(local(1).WithSuffix(1<<63), alice), toHost(local(1), bob)),
			from(bob, toHost(local(2), alice)),
			i3.StatusNoRoom, node.Counters{OverKey: 1},
		},
		"one share of an identifier": {
			func(l *node.Limits) { l.MaxShare = 3 },
			from(bob, links(local(1), 3)...), from(bob, links(local(1), 4)[3]),
			append(from(alice, links(local(1), 5)[4]), from(bob, toHost(local(1), bob), links(local(2), 1)[0])...),
			i3.StatusFull, node.Counters{OverShare: 1},
		},
	}
}

// TestQuotas uses up each quota with three triggers, and sees the fourth refused, whatever is left of others for
// others.
func TestQuotas(t *testing.T) {
	for name, c := range quotaCases() {
		t.Run(name, func(t *testing.T) {
			r := limited(t, c.set)
			r.wants(i3.StatusInserted, c.fill...)
			for _, d := range c.over {
				count := r.delta(func() { r.wants(c.status, d) })
				count.Packets, count.Challenged = 0, 0
				if count != c.count {
					t.Errorf("counted %+v, want %+v", count, c.count)
				}
			}
			r.wants(i3.StatusRefreshed, c.fill...)
			r.wants(i3.StatusInserted, c.other...)
			r.roomAgain(c.fill, c.over)
		})
	}
}

// wants asks for triggers, and for an outcome.
func (r *rig) wants(want i3.Status, ds ...demand) {
	r.Helper()
	for i, d := range ds {
		secret := i3.Nonce{1}
		if a := r.ask(d.from, i3.KindInsert, i3.Insert{Trigger: d.trigger, Owner: i3.OwnerOf(secret)})[0]; a.Status != want {
			r.Fatalf("%d, %v for %v: %v, want %v", i, d.trigger, d.from, a.Status, want)
		}
	}
	if err := r.node.Check(); err != nil {
		r.Fatalf("%v", err)
	}
}

// roomAgain makes room by a removal, and by letting all expire.
func (r *rig) roomAgain(fill, over []demand) {
	r.Helper()
	gone := i3.Insert{Trigger: fill[0].trigger, Nonce: i3.Nonce{1}}
	if a := r.ask(bob, i3.KindRemove, gone)[0]; a.Status != i3.StatusRemoved {
		r.Fatalf("removal: %v", a.Status)
	}
	r.wants(i3.StatusInserted, over[0])
	r.sleep(lifetime + 2*machine.Second)
	if a, b, c := r.node.Counts(); a+b+c != 0 {
		r.Fatalf("%d sources, %d targets, %d keys have a count when all have expired", a, b, c)
	}
	r.wants(i3.StatusInserted, over[0])
}

// The defaults are what their names say, and bind where nothing is said.
func TestDefaultLimits(t *testing.T) {
	r := limited(t, func(l *node.Limits) { *l = node.Limits{} })
	for i := range node.DefaultMaxPerTarget {
		if i%500 == 0 {
			r.now = r.now.Add(machine.Second) // so as not to meet the limit of requests
		}
		r.insert(toHost(local(uint64(i)), alice))
	}
	r.wants(i3.StatusNoRoom, demand{alice, toHost(local(node.DefaultMaxPerTarget), alice)})
	r.wants(i3.StatusInserted, from(bob, links(local(1), 5)...)...)
	r.wants(i3.StatusFull, demand{bob, links(local(1), 6)[5]})
	if c := r.node.Counters(); c.OverTarget != 1 || c.OverShare != 1 || c.DropRate != 0 {
		t.Errorf("counters %+v", c)
	}
}

// answers returns how many of some requests from an address are answered.
func (r *rig) answers(from netip.AddrPort, n int, request []byte) (answered int) {
	for range n {
		r.receive(from, request)
		answered += len(r.replies())
	}
	return answered
}

// TestRequestRate: a source gets answers for as many entries as its bucket has tokens, and others for theirs.
func TestRequestRate(t *testing.T) {
	r := limited(t, func(l *node.Limits) { l.Requests = node.Rate{PerSecond: 10, Burst: 20} })
	one := request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(local(1), alice), Probe: true})
	plain := func(n uint64) i3.Insert { return i3.Insert{Trigger: toHost(local(n), alice)} }
	two := request(i3.KindInsert, 1, plain(1), plain(2))
	count := r.delta(func() {
		if got := r.answers(bob, 100, one); got != 20 {
			t.Errorf("%d of 100 requests answered at once, want 20", got)
		}
	})
	if want := (node.Counters{Packets: 100, Probed: 20, DropRate: 80}); count != want {
		t.Errorf("counted %+v, want %+v", count, want)
	}
	neighbour := netip.AddrPortFrom(bob.Addr(), 9)
	if got := r.answers(neighbour, 1, one); got != 0 {
		t.Error("another port of the same address has tokens of its own")
	}
	if got := r.answers(mallory, 100, two); got != 10 {
		t.Errorf("%d of 100 requests of two entries answered, want 10", got)
	}
	r.now = r.now.Add(500 * machine.Millisecond)
	if got := r.answers(bob, 100, one); got != 5 {
		t.Errorf("%d answered after half a second, want 5", got)
	}
	r.now = r.now.Add(3600 * machine.Second)
	if got := r.answers(bob, 100, one); got != 20 {
		t.Errorf("%d answered after an hour, want 20", got)
	}
}

// A request of as many entries as fit passes, however small the rate.
func TestRequestRateLetsALargeOnePass(t *testing.T) {
	r := limited(t, func(l *node.Limits) { l.Requests = node.Rate{PerSecond: 1, Burst: 1} })
	many := make([]i3.Insert, i3.MaxEntries)
	for i := range many {
		many[i] = i3.Insert{Trigger: toHost(local(uint64(i)), alice)}
	}
	if got := r.answers(bob, 2, request(i3.KindInsert, 1, many...)); got != 1 {
		t.Errorf("%d of two answered, want one", got)
	}
}

// TestRequestRateOfAnother: who sends in Alice's name takes what is for that name, but what she has lives on.
func TestRequestRateOfAnother(t *testing.T) {
	r := limited(t, func(l *node.Limits) { l.Requests = node.Rate{PerSecond: 10, Burst: 20} })
	link, _ := chain(local(3), 6, 0)
	r.wants(i3.StatusInserted, demand{alice, toHost(local(1), alice)}, demand{alice, link})
	flood := request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(local(2), alice)})
	for range 30 {
		r.now = r.now.Add(machine.Second)
		r.answers(alice, 100, flood)
		r.wants(i3.StatusRefreshed, demand{alice, toHost(local(1), alice)}, demand{alice, link})
	}
	fresh := request(i3.KindInsert, 1, r.proven(toHost(local(2), alice)))
	if got := r.answers(alice, 1, fresh); got != 0 {
		t.Error("something new passed, as if the flood had not been")
	}
	refresh := request(i3.KindInsert, 1, r.proven(toHost(local(1), alice)))
	if got := r.answers(alice, 1000, refresh); got == 0 || got > 20 {
		t.Errorf("%d of 1,000 refreshes answered, want at most 20: they have a limit, too", got)
	}
}

// TestMoreSourcesThanBuckets: with few sources each is held to the limit. With more than there are buckets some get
// more, nobody gets less, and nothing grows.
func TestMoreSourcesThanBuckets(t *testing.T) {
	r := limited(t, func(l *node.Limits) { l.Requests = node.Rate{PerSecond: 1, Burst: 13} })
	one := request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(local(1), alice), Probe: true})
	for i := range 300 {
		if got := r.answers(host(i), 20, one); got != 13 {
			t.Fatalf("source %d: %d of 20 requests answered, want 13", i, got)
		}
	}
	many := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
	}
	batch, i := []machine.Datagram{{Bytes: one}}, 0
	send := func() {
		i++
		batch[0].From = many(i)
		r.out.Reset()
		r.node.Receive(r.now, batch, r.out)
	}
	count := r.delta(func() {
		if n := testing.AllocsPerRun(100_000, send); n != 0 {
			t.Errorf("%v allocations for each new source", n)
		}
	})
	if count.DropRate != 0 {
		t.Errorf("%d of 100,000 sources had their first request dropped", count.DropRate)
	}
	if got := r.answers(bob, 20, one); got != 13 {
		t.Errorf("then %d of 20 requests of another answered, want 13", got)
	}
}

// TestPacketRate: a trigger forwards what it may, its neighbour too, and all is counted.
func TestPacketRate(t *testing.T) {
	r := limited(t, func(l *node.Limits) { l.Packets = node.Rate{PerSecond: 100, Burst: 10} })
	near, second := chain(local(1), 6, 0)
	r.insert(toHost(local(1), alice), toHost(local(2), bob), near, toHost(second, bob))
	batch := make([][]byte, 50)
	for i := range batch {
		batch[i] = data(local(1+uint64(i%2)), "x")
	}
	count := r.delta(func() { r.receive(mallory, batch...) })
	got := map[netip.AddrPort]int{}
	for _, c := range r.copies() {
		got[c.to]++
	}
	if got[alice] != 10 || got[bob] != 20 {
		t.Errorf("%v copies, want 10 to one host and twice 10 to the other", got)
	}
	want := node.Counters{Packets: 50, Data: 50, Matched: 50 + 10, Copies: 30, HostCopies: 30, DropPace: 15 + 15 + 15}
	if count != want {
		t.Errorf("counted %+v, want %+v", count, want)
	}
	r.now = r.now.Add(50 * machine.Millisecond)
	for range 5 {
		if n := r.matches(local(2)); n != 1 {
			t.Errorf("%d copies after 50 ms, want one for each of five packets", n)
		}
	}
	if n := r.matches(local(2)); n != 0 {
		t.Errorf("%d copies of one more", n)
	}
}

// Whoever has a trigger's place after it begins anew.
func TestPacketRateIsForgotten(t *testing.T) {
	r := limited(t, func(l *node.Limits) { l.Packets = node.Rate{PerSecond: 1, Burst: 1} })
	for range 3 {
		tr := toHost(local(1), alice)
		r.insert(tr)
		if first, second := r.matches(tr.ID), r.matches(tr.ID); first != 1 || second != 0 {
			t.Fatalf("%d and %d copies, want 1 and 0", first, second)
		}
		if a := r.ask(bob, i3.KindRemove, i3.Insert{Trigger: tr})[0]; a.Status != i3.StatusRemoved {
			t.Fatal(a.Status)
		}
	}
}

// TestHandedOverCounts: what another node handed over counts for nobody until it is refreshed, and then for whom it
// would have counted before.
func TestHandedOverCounts(t *testing.T) {
	b := newRingBed(t, 3)
	b.run(20 * machine.Second)
	var all []i3.Trigger
	for i := range uint64(200) {
		id := i3.NewID(i<<56|2, i3.Key{5}, 0)
		link, _ := chain(id, 6, 9)
		r := b.owner(id.Prefix())
		r.now = b.now
		r.insert(toHost(id, alice), link)
		all = append(all, toHost(id, alice), link)
	}
	b.limits = node.Limits{}
	r := b.join(100 << 56)
	b.run(5 * machine.Second)
	taken := r.node.Counters().TakenOver
	if a, c, k := r.node.Counts(); taken == 0 || a+c+k != 0 || r.node.Check() != nil {
		t.Fatalf("%d taken over, counts of %d sources, %d targets, %d keys: %v", taken, a, c, k, r.node.Check())
	}
	r.now = b.now
	refreshed := uint64(0)
	for _, tr := range all {
		if b.owner(tr.ID.Prefix()) == r {
			r.wants(i3.StatusRefreshed, demand{bob, tr})
			refreshed++
		}
	}
	sources, targets, keys := r.node.Counts()
	if refreshed != taken || sources != 2 || targets != 1+int(taken)/2 || keys != int(taken)/2 {
		t.Errorf("%d of %d refreshed, counts of %d sources, %d targets, %d keys", refreshed, taken, sources, targets, keys)
	}
}

// The share is half of the places, and where there are few, all but one, up to what a source with relays needs.
func TestDefaultShare(t *testing.T) {
	for places, want := range map[int]int{1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 4, 8: 4, 9: 5, 33: 17} {
		cfg := config()
		cfg.MaxPerID, cfg.Limits = places, node.Limits{}
		r := newRig(t, cfg)
		got := 0
		for _, link := range links(local(1), places) {
			if r.status(i3.Insert{Trigger: link}).Alive() {
				got++
			}
		}
		if got != want {
			t.Errorf("of %d places one source has %d, want %d", places, got, want)
		}
	}
}
