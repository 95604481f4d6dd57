package multicast_test

import (
	"slices"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
)

// hour is a clock that is off by more than any latency.
const hour = 3600 * second

// parents returns, for every receiver, the number of its parent, less than zero
// for the source and its relays.
func (b *bed) parents() []int {
	b.tb.Helper()
	var ps []int
	for _, r := range b.rs {
		c := r.Machine.Chain()
		parent := c[len(c)-2]
		relays, _ := multicast.Relays(b.Source().Machine)
		if i := slices.Index(append(relays, b.Group()), parent); i >= 0 {
			ps = append(ps, -1-i)
			continue
		}
		ps = append(ps, slices.IndexFunc(b.rs, func(o *receiver) bool {
			c := o.Machine.Chain()
			return c[len(c)-1] == parent
		}))
	}
	return ps
}

// The clocks of hosts do not matter: their skews cancel out of Equation 3, also
// when those who are asked have not heard a packet yet.
func TestSkewChangesNoParent(t *testing.T) {
	testSkewChangesNoParent(t, multicast.Config{})
}

func testSkewChangesNoParent(t *testing.T, group multicast.Config) {
	grow := func(crowd bool, skew machine.Duration) []int {
		b := newBed(t, setup{
			seed: 5, nodes: 40, degree: 4, delays: newPlane(5, 40, 100*time.Millisecond), skew: skew, group: group,
		})
		if crowd {
			rs := b.add(spread(100, 40)...)
			for _, r := range rs {
				r.Join()
				b.world.Sleep(20 * millisecond) // fewer packets than joins
			}
			b.until("the crowd joins", 60*second, func() bool {
				return !slices.ContainsFunc(rs, func(r *receiver) bool { return r.joined == 0 })
			})
		} else {
			b.grow(200)
		}
		b.send(20, 10*millisecond)
		b.quiesce(10 * second)
		b.judge()
		return b.parents()
	}
	for _, crowd := range []bool{true, false} {
		if testing.Short() && !crowd {
			break // 200 receivers one after the other take their time
		}
		plain, skewed := grow(crowd, 0), grow(crowd, hour)
		if !slices.Equal(plain, skewed) {
			t.Errorf("crowd %v: parents with true clocks\n%v\nand with clocks an hour off\n%v", crowd, plain, skewed)
		}
		if deep := slices.IndexFunc(plain, func(p int) bool { return p >= 0 }); deep < 0 {
			t.Error("everybody is the source's child, so nothing was chosen")
		}
	}
}

// A tree of 200 receivers is what the paper says a tree is: every chain leads
// from the group's identifier over the parent's, every link of it is in its
// node's table, no identifier has more than D+1 triggers, and constraints hold.
func TestTreeIsSound(t *testing.T) {
	const degree = 4
	b := newBed(t, setup{seed: 6, nodes: 40, degree: degree, delays: newPlane(6, 40, 100*time.Millisecond)})
	rs := b.grow(200)
	p := newProber(b)
	parents := b.parents()
	children := map[int]int{}
	for i, r := range rs {
		chain := r.Machine.Chain()
		if r.Machine.Level() != len(chain)-1 || r.level != r.Machine.Level() || chain[0] != b.Group() {
			t.Errorf("%s: level %d, told %d, chain of %d from %v", r.name, r.Machine.Level(), r.level, len(chain), chain[0])
		}
		above := []i3.ID{b.Group()}
		if parents[i] >= 0 {
			above = rs[parents[i]].Machine.Chain()
		}
		if !slices.Equal(above, chain[:len(chain)-1]) {
			t.Errorf("%s: its chain is not its parent's and its own identifier", r.name)
		}
		own := chain[len(chain)-1]
		if own.Key() != i3.RightKey(chain[len(chain)-2]) || own.IsPublic() {
			t.Errorf("%s: %v breaks the right constraint", r.name, own)
		}
		if site := b.Nodes()[r.Site%len(b.Nodes())]; !site.Range.Contains(own.Prefix()) {
			t.Errorf("%s: its identifier is not on the node near it", r.name)
		}
		if !p.has(chain[len(chain)-2], own) {
			t.Errorf("%s: its link is not in the node's table", r.name)
		}
		children[parents[i]]++
	}
	for i, r := range rs {
		chain := r.Machine.Chain()
		n, limit := p.count(chain[len(chain)-1])
		if n != children[i]+1 || limit != degree+1 || n > limit {
			t.Errorf("%s: %d triggers of at most %d for %d children", r.name, n, limit, children[i])
		}
	}
	if n, _ := p.count(b.Group()); n != degree+1 {
		t.Errorf("the source has %d triggers, want %d: itself and D children", n, degree+1)
	}
	b.send(5, 10*millisecond)
	b.quiesce(10 * second)
	b.judge()
}

// 64 receivers that join at the same instant all get in, though most are
// refused somewhere on the way, and end up in the right sets.
func TestCrowdJoins(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		b := newBed(t, setup{seed: seed, nodes: 16, degree: 4, delays: newPlane(seed, 16, 50*time.Millisecond)})
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
		p := newProber(b)
		for _, r := range rs {
			c := r.Machine.Chain()
			if n, limit := p.count(c[len(c)-1]); n > limit {
				t.Errorf("seed %d: %s has %d triggers, at most %d allowed", seed, r.name, n, limit)
			}
		}
		refused := b.sum(func(c multicast.Counters) uint64 { return c.Refused })
		t.Logf("seed %d: %d refusals", seed, refused)
		if refused == 0 {
			t.Errorf("seed %d: nobody was refused, so nothing was tested", seed)
		}
	}
}

// Of two that want the last slot one is refused. It goes on from where it is:
// there is one search for each join.
func TestLastSlot(t *testing.T) {
	b := newBed(t, setup{seed: 7, degree: 3, delays: newPlane(7, 8, 50*time.Millisecond)})
	b.grow(2)
	rs := b.add(3, 3)
	for _, r := range rs {
		r.Join()
	}
	b.until("both join", 20*second, func() bool { return rs[0].joined > 0 && rs[1].joined > 0 })
	refused := b.sum(func(c multicast.Counters) uint64 { return c.Refused })
	searches := b.sum(func(c multicast.Counters) uint64 { return c.Searches })
	if refused != 1 || searches != 4 {
		t.Errorf("%d refusals and %d searches, want 1 and 4\n%s", refused, searches, b.tree())
	}
	if a, c := rs[0].Machine.Level(), rs[1].Machine.Level(); a+c != 3 {
		t.Errorf("levels %d and %d, want 1 and 2", a, c)
	}
}

// The same under loss.
func TestCrowdJoinsUnderLoss(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		b := newBed(t, lossy(seed, multicast.RepairPolicy{}))
		rs := b.add(spread(64, 16)...)
		for _, r := range rs {
			r.Join()
		}
		b.until("the crowd joins", 120*second, func() bool {
			return !slices.ContainsFunc(rs, func(r *receiver) bool { return !r.Machine.Settled() || r.joined == 0 })
		})
		b.send(100, 10*millisecond)
		b.quiesce(60 * second)
		b.judge()
		b.net.Mute(true)
		b.world.Sleep(host.DefaultLifetime)
		b.checkTables()
	}
}

// A receiver that fills up moves to the set of the full, and back when a child
// leaves, at once and not only with its next refresh.
func TestFullAndFree(t *testing.T) {
	const degree = 2
	b := newBed(t, setup{seed: 3, degree: degree})
	b.grow(4) // two below the source, the others below them
	b.world.Sleep(100 * millisecond)
	b.checkTables()
	b.join(b.add(0, 1)...)
	b.world.Sleep(100 * millisecond)
	b.checkTables()
	full := b.rs[0]
	if full.Machine.Children() != degree {
		full = b.rs[1]
	}
	if full.Machine.Children() != degree {
		t.Fatalf("none of the first is full:\n%s", b.tree())
	}
	own := full.Machine.Chain()[1]
	for _, r := range b.rs {
		if c := r.Machine.Chain(); len(c) == 3 && c[1] == own {
			b.leave(r)
			break
		}
	}
	b.world.Sleep(100 * millisecond)
	b.checkTables()
	if full.Machine.Children() != degree-1 {
		t.Errorf("%s has %d children after one left, want %d", full.name, full.Machine.Children(), degree-1)
	}
}

// A parent whose node does not answer is given up for the next best.
func TestParentNodeIsDown(t *testing.T) {
	l := &latencies{sites: 4, far: 30 * time.Millisecond, known: map[[2]int]time.Duration{
		{0, 1}: time.Millisecond, {1, 3}: time.Millisecond, {0, 2}: 5 * time.Millisecond,
	}}
	b := newBed(t, setup{seed: 10, nodes: 4, degree: 2, delays: l})
	rs := b.add(1, 2, 3)
	b.join(rs[:2]...)
	b.world.Sleep(2 * second)
	b.Nodes()[1].Endpoint.Close()
	rs[0].gone = true
	b.join(rs[2])
	if c := rs[2].Machine.Chain(); c[1] != rs[1].own() || rs[2].Machine.Counters().Refused != 1 {
		t.Errorf("%d refusals, want one, by the closer parent\n%s", rs[2].Machine.Counters().Refused, b.tree())
	}
	b.send(3, 10*millisecond)
	b.quiesce(5 * second)
	b.judge()
}

// Where all distances are about equal the tree fills up level by level.
func TestLANSearch(t *testing.T) {
	b := newBed(t, setup{seed: 13, degree: 4, group: multicast.Config{Search: multicast.LANSearch()}})
	b.grow(40)
	levels := map[int]int{}
	parents := map[int]bool{}
	for i, r := range b.rs {
		levels[r.Machine.Level()]++
		if r.Machine.Level() == 3 {
			parents[b.parents()[i]] = true
		}
	}
	if levels[1] != 4 || levels[2] != 16 || levels[3] != 20 {
		t.Errorf("levels %v, want 4, 16 and 20 receivers", levels)
	}
	if len(parents) < 8 {
		t.Errorf("20 receivers below %d of 16 parents: they crowd", len(parents))
	}
}

// Nobody joins at a level that no packet reaches: the hop limit ends there.
func TestDeepestLevel(t *testing.T) {
	const deepest = i3.DefaultHopLimit - 1 // the first of the nodes holds the group's identifier
	b := newBed(t, setup{seed: 9, degree: 1})
	rs := b.grow(deepest)
	if n := rs[deepest-1].Machine.Level(); n != deepest {
		t.Fatalf("the last of %d is at level %d", deepest, n)
	}
	r := b.add(deepest)[0]
	r.Join()
	b.until("the search fails", 120*second, func() bool { return r.failed > 0 })
	if r.attached > 0 {
		t.Errorf("attached at level %d, where no packet arrives", r.level)
	}
	b.send(3, 10*millisecond)
	b.quiesce(5 * second)
	r.gone = true
	b.judge()
}

// Without a source a search fails, says so once, and leaves nothing behind.
func TestJoinFails(t *testing.T) {
	b := newBed(t, setup{seed: 1})
	b.Source().Endpoint.Close()
	r := b.add(0)[0]
	r.Join()
	b.until("the search fails", 120*second, func() bool { return r.failed == 1 })
	if !r.Machine.Idle() {
		t.Error("a receiver whose search failed is not idle")
	}
	b.world.Sleep(60 * second)
	if c := r.Machine.Counters(); r.failed != 1 || r.attached != 0 || c.Searches < 2 {
		t.Errorf("%d times failed, %d attached, counters %+v", r.failed, r.attached, c)
	}
	r.Join()
	b.until("the second search fails", 120*second, func() bool { return r.failed == 2 })
}

// A search survives the loss of half the messages of any one kind.
func TestJoinSurvivesLoss(t *testing.T) {
	for name, kind := range map[string]i3.Kind{
		"replies":    i3.KindDirect,
		"acks":       i3.KindAck,
		"challenges": i3.KindChallenge,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, setup{seed: 2, degree: 3})
			b.grow(5)
			rng := prng.New(3, 0)
			lost := 0
			for _, r := range b.add(spread(6, 8)...) {
				r.drop = func(p i3.Packet, _ []byte) bool {
					if p.Kind != kind || rng.IntN(2) == 0 {
						return false
					}
					lost++
					return true
				}
				b.join(r)
			}
			if lost < 6 {
				t.Errorf("%d messages lost by 6 receivers: nothing was tested", lost)
			}
		})
	}
}

// Leave breaks off a join wherever it stands, for good, and leaves no trigger
// behind.
func TestLeaveWhileJoining(t *testing.T) {
	inserted := func(b *bed, node int) uint64 { return b.Nodes()[node].Machine.Counters().Inserted }
	for name, reached := range map[string]func(b *bed, r *receiver) bool{
		"searching":    func(_ *bed, r *receiver) bool { return r.Machine.Counters().QueriesSent > 0 },
		"attaching":    func(_ *bed, r *receiver) bool { return len(r.Machine.Chain()) > 0 },
		"own inserted": func(b *bed, _ *receiver) bool { return inserted(b, 1) == 1 },
		"linked":       func(b *bed, _ *receiver) bool { return inserted(b, 0) == 4 }, // three are the source's
		"attached":     func(_ *bed, r *receiver) bool { return r.attached > 0 },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, setup{seed: 4})
			r := b.add(1)[0]
			p := newProber(b)
			before, _ := p.count(b.Group())
			r.Join()
			b.until(name, 10*second, func() bool { return reached(b, r) })
			r.Leave()
			b.until("the receiver leaves", 10*second, func() bool { return r.left == 1 && r.Machine.Idle() })
			attached := r.attached
			b.world.Sleep(5 * second)
			if r.attached != attached || r.left != 1 || !r.Machine.Idle() {
				t.Errorf("after it left: %d times attached, %d left, idle %v", r.attached, r.left, r.Machine.Idle())
			}
			if n, _ := p.count(b.Group()); n != before {
				t.Errorf("the source's identifier has %d triggers, %d before", n, before)
			}
			if n, _ := p.count(multicast.JoinSet(b.Group())); n != 0 {
				t.Errorf("%d receivers in the set of joinable children, want none", n)
			}
			if n := b.Nodes()[1].Machine.Triggers(); n != 0 {
				t.Errorf("%d triggers on the receiver's own node, want none", n)
			}
			r.joined = 0
			b.join(r)
		})
	}
}

// Leave also breaks off a search that waits for its next round.
func TestLeaveBetweenRounds(t *testing.T) {
	b := newBed(t, setup{seed: 4})
	deaf := true
	b.Source().Endpoint.SetFilter(func(machine.Datagram) bool { return !deaf })
	r := b.add(1)[0]
	r.Join()
	b.until("a round fails", 10*second, func() bool { return multicast.BetweenRounds(r.Machine) })
	if r.Machine.Idle() {
		t.Error("a receiver that will search again calls itself idle")
	}
	r.Leave()
	deaf = false
	b.world.Sleep(30 * second)
	if r.left != 1 || r.attached != 0 || !r.Machine.Idle() {
		t.Errorf("%d times left, %d attached, idle %v", r.left, r.attached, r.Machine.Idle())
	}
}
