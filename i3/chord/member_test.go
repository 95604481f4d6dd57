package chord_test

import (
	"math/bits"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// TestRingForms: members that join one after the other by the first become a ring, and find every owner.
func TestRingForms(t *testing.T) {
	for _, size := range []int{1, 2, 3, 17, 40, 100} {
		n := newNetwork(t, uint64(size))
		first := n.add()
		for range size - 1 {
			n.run(100 * machine.Millisecond)
			n.add(first)
		}
		took := n.now
		for n.now < 200*machine.Time(machine.Second) && (len(n.live()) < size || n.ringError() != nil) {
			n.run(machine.Second)
		}
		if err := n.ringError(); err != nil || len(n.live()) != size {
			t.Fatalf("%d members: %d have joined: %v", size, len(n.live()), err)
		}
		took = n.now - took
		n.run(30 * machine.Second) // for fingers
		right, hops := n.find(200)
		if most := mostHops(size); right != 200 || hops > most {
			t.Errorf("%d members: %d of 200 lookups right, in %d hops at most, want %d", size, right, hops, most)
		}
		t.Logf("%d members: a ring %.1f s after the last began, %d hops at most, %d datagrams a member and second", size,
			machine.Duration(took).Seconds(), hops, n.carried/size/int(machine.Duration(n.now).Seconds()+1))
	}
}

// mostHops is how many members a lookup may ask: log2 of their number, and four.
func mostHops(members int) int { return bits.Len(uint(members-1)) + 4 }

// formed returns a network with a ring of so many members.
func formed(t testing.TB, seed uint64, size int) *network {
	n := newNetwork(t, seed)
	first := n.add()
	for range size - 1 {
		n.run(50 * machine.Millisecond)
		n.add(first)
	}
	n.settle(size, 300)
	return n
}

// settle waits until there is a ring of so many members, so many seconds at most.
func (n *network) settle(size, seconds int) {
	n.t.Helper()
	for end := n.now.Add(machine.Duration(seconds) * machine.Second); n.now < end; n.run(machine.Second) {
		if len(n.live()) == size && n.ringError() == nil {
			return
		}
	}
	if err := n.ringError(); err != nil || len(n.live()) != size {
		n.t.Fatalf("no ring of %d after %d seconds: %d are there: %v", size, seconds, len(n.live()), err)
	}
}

// TestChurn: members join, leave and are killed, packets are lost, and afterwards there is one ring, on which all is
// found in few hops.
func TestChurn(t *testing.T) {
	seeds := chord.Share(40)
	if s := os.Getenv("I3BENCH_SEEDS"); s != "" { // make model
		seeds, _ = strconv.Atoi(s)
	}
	joins, leaves, kills, lookups, most := 0, 0, 0, 0, 0
	for seed := range uint64(seeds) {
		n := formed(t, seed, 24)
		n.loss = float64(seed%4) / 100
		gone := 0
		for range 40 {
			live := n.live()
			switch who := live[n.rng.IntN(len(live))]; {
			case n.rng.IntN(2) == 0 || len(live) < 16:
				k := n.rng.IntN(len(live)) // by any, but not by a few alone, which may all be gone before it has asked one
				n.add(slices.Concat(live[k:], live[:k])...)
				joins++
			case n.rng.IntN(2) == 0:
				n.leave(who)
				leaves++
				gone++
			default:
				who.dead = true
				kills++
				gone++
			}
			n.run(500 * machine.Millisecond)
			n.close()
			if err := n.oneRing(); err != nil {
				t.Fatalf("seed %d, at %d: %v", seed, n.now, err)
			}
		}
		n.loss = 0
		n.settle(len(n.members)-gone, 60)
		n.run(20 * machine.Second)
		right, hops := n.find(20)
		if right != 20 || hops > mostHops(len(n.live())) {
			t.Errorf("seed %d: %d of 20 lookups right, %d hops among %d", seed, right, hops, len(n.live()))
		}
		lookups, most = lookups+right, max(most, hops)
	}
	t.Logf("%d seeds, %d joins, %d leaves, %d kills, %d lookups right, in %d hops at most", seeds, joins, leaves, kills,
		lookups, most)
	if kills == 0 || leaves == 0 {
		t.Error("nobody was killed, or nobody has left")
	}
}

// TestKills: of 64 members a quarter are killed at once, and then one a second, while as many join. Lookups go on: of
// those whose asker lives on, 99.9 % find the owner, and afterwards all do.
func TestKills(t *testing.T) {
	seeds := uint64(chord.Share(8))
	if os.Getenv("I3BENCH_SEEDS") != "" {
		seeds = 100
	}
	right, all, hops := 0, 0, 0
	for seed := range seeds {
		r, a, h := kills(t, seed)
		right, all, hops = right+r, all+a, max(hops, h)
	}
	if t.Logf("%d of %d lookups right, in %d hops at most", right, all, hops); (all-right)*1000 > all {
		t.Errorf("%d of %d lookups are right, want 99.9 %%", right, all)
	}
}

func kills(t *testing.T, seed uint64) (right, all, hops int) {
	n := formed(t, seed, 64)
	asked := map[ticket]bool{}
	kill := func() {
		live := n.live()
		live[n.rng.IntN(len(live))].dead = true
	}
	lookups := func(seconds int) {
		for range seconds * 40 {
			asked[n.ask()] = true
			n.run(25 * machine.Millisecond)
		}
	}
	n.run(20 * machine.Second)
	for range 16 {
		kill()
	}
	lookups(10)
	for range 60 {
		kill()
		n.add(n.live()...)
		lookups(1)
	}
	n.run(5 * machine.Second)
	for id := range asked {
		if id.who.dead {
			delete(asked, id)
		}
	}
	right, hops = n.judge(asked)
	n.settle(48, 60)
	if after, _ := n.find(200); after != 200 {
		t.Errorf("seed %d: %d of 200 lookups are right afterwards, want all", seed, after)
	}
	return right, len(asked), hops
}

// TestAloneJoinsAgain: a member that is cut off for so long that it has lost all others joins again when it can, also
// one that was the first of its ring, and so has nobody to join by, and one of only two.
func TestAloneJoinsAgain(t *testing.T) {
	for _, members := range []int{2, 3, 20} {
		for first := range 2 {
			n := formed(t, 5, members)
			p := n.members[first]
			n.cutOff = p
			n.run(60 * machine.Second)
			if got := p.Successors(); len(got) != 1 || got[0] != p.place {
				t.Fatalf("cut off it has the successors %v, want only itself", got)
			}
			n.cutOff = nil
			n.settle(members, 60)
		}
	}
}

// TestIslandsBecomeOneRing: members that were cut off from each other for so long that they are several rings are one
// again some time after they can reach each other, however they were divided.
func TestIslandsBecomeOneRing(t *testing.T) {
	for name, island := range map[string]func(i int) int{
		"two together": func(i int) int { return max(0, 1-i/2) },
		"two apart":    func(i int) int { return max(0, 2-i) },
		"halves":       func(i int) int { return i / 10 },
		"mixed thirds": func(i int) int { return i % 3 },
		"all apart":    func(i int) int { return i },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(chord.Share(20)) {
				n := formed(t, seed, 20)
				n.island = make(map[*peer]int)
				for i, p := range n.members {
					n.island[p] = island(i)
				}
				n.run(60 * machine.Second)
				n.island = nil
				began := n.now
				n.settle(20, 120)
				if seed == 0 {
					t.Logf("one ring after %d s", n.now.Sub(began)/machine.Second)
				}
			}
		})
	}
}

// TestAloneOutlivesItsSeeds: the same for one whose seeds have died since it joined.
func TestAloneOutlivesItsSeeds(t *testing.T) {
	n := formed(t, 6, 20)
	p := n.add(n.members[3])
	n.run(20 * machine.Second)
	n.members[3].dead = true
	n.run(20 * machine.Second)
	n.cutOff = p
	n.run(60 * machine.Second)
	n.cutOff = nil
	n.settle(20, 60)
}

// TestJoinsOnce: a member joins once, though the first of those it asks is dead and others answer late, or not at all.
func TestJoinsOnce(t *testing.T) {
	for seed := range uint64(chord.Share(20)) {
		n := formed(t, seed, 12)
		live := n.live()
		live[0].dead = true
		n.loss = float64(seed%4) / 10
		for i := range 12 {
			n.add(live[0], live[1+i%5], live[6+i%5])
			n.run(300 * machine.Millisecond)
		}
		n.run(20 * machine.Second)
		for _, p := range n.members[12:] {
			if joined := p.Counters().Joined; joined > 1 {
				t.Errorf("seed %d: %v has joined %d times", seed, p.place, joined)
			}
		}
	}
}

// TestTaken: who wants the position of another does not get it, and says so.
func TestTaken(t *testing.T) {
	n := formed(t, 6, 8)
	p := n.live()[2]
	m, err := chord.NewMember(chord.Config{
		Self: chord.Place{Prefix: p.place.Prefix, Addr: netip.MustParseAddrPort("10.9.9.9:1")},
		Join: []netip.AddrPort{n.live()[5].place.Addr},
	}, n.now)
	if err != nil {
		t.Fatal(err)
	}
	n.start(&peer{Member: m, machine: m, place: m.Self()})
	n.run(5 * machine.Second)
	if m.Joined() || !m.Taken() {
		t.Errorf("joined %v, taken %v", m.Joined(), m.Taken())
	}
}
