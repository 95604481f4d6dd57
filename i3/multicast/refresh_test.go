package multicast_test

import (
	"math"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/testbed"
)

var schemes = map[string]multicast.RefreshScheme{
	"owner first": multicast.OwnerFirst,
	"by level":    multicast.ByLevel,
	"uniform":     multicast.Uniform,
}

// countInserts counts, from now on, how often each link is asked for at its
// node.
func (b *bed) countInserts() map[i3.Trigger]int {
	n := map[i3.Trigger]int{}
	for _, node := range b.Nodes() {
		node.Endpoint.SetFilter(func(d machine.Datagram) bool {
			for p, payload := range packets(d.Bytes) {
				for p.Kind == i3.KindInsert && len(payload) >= i3.EntrySize {
					in, err := i3.ParseInsert(payload)
					if _, link := in.Trigger.Target.ID(); err == nil && link {
						n[in.Trigger]++
					}
					payload = payload[i3.EntrySize:]
				}
			}
			return true
		})
	}
	return n
}

// links returns the links of a receiver's chain, from the group's down.
func (r *receiver) links() (ts []i3.Trigger) {
	c := r.Machine.Chain()
	for i := 1; i < len(c); i++ {
		ts = append(ts, i3.Trigger{ID: c[i-1], Target: i3.ToID(c[i])})
	}
	return ts
}

// chainOf returns a bed whose tree is one chain of n receivers, so that the
// i-th link from below is refreshed by i receivers, and almost without delays.
func chainOf(t *testing.T, n int, scheme multicast.RefreshScheme, lifetime machine.Duration) *bed {
	b := newBed(t, setup{
		seed: 9, degree: 1, base: 10 * machine.Microsecond,
		group: multicast.Config{Refresh: scheme, Host: host.Config{Lifetime: lifetime}},
	})
	b.grow(n)
	for i, r := range b.rs {
		if r.Machine.Level() != i+1 {
			t.Fatalf("not a chain:\n%s", b.tree())
		}
	}
	return b
}

// The refreshes of a trigger in a time T are those of section 4 of the paper,
// 1/(a+(b-a)/(n+1)), where n receivers draw their timers from [aT, bT) and hear
// of each other's refreshes at once. With refresh-level only three of a chain do,
// with the owner's slot one.
func TestRefreshesPerTrigger(t *testing.T) {
	const (
		n        = 10
		lifetime = 4 * second
	)
	periods, within := 500, 0.03
	if testing.Short() {
		periods, within = 100, 0.07
	}
	for name, scheme := range schemes {
		t.Run(name, func(t *testing.T) {
			b := chainOf(t, n, scheme, lifetime)
			count := b.countInserts()
			b.world.Sleep(machine.Duration(periods) * lifetime)
			for i, link := range b.rs[n-1].links() {
				below := float64(n - i) // receivers that care for the link
				lo, hi := 0.5, 1.0
				switch scheme {
				case multicast.ByLevel:
					below, hi = min(below, 3), 0.75
				case multicast.OwnerFirst:
					below, lo, hi = 1, 0.4, 0.5
				}
				want := 1 / (lo + (hi-lo)/(below+1))
				got := float64(count[link]) / float64(periods)
				if math.Abs(got/want-1) > within {
					t.Errorf("link %d, %d receivers: %.3f refreshes per T, want %.3f", i+1, n-i, got, want)
				}
			}
		})
	}
}

// Without acknowledgements every receiver refreshes for itself.
func TestSuppression(t *testing.T) {
	const (
		n        = 10
		lifetime = 4 * second
		periods  = 100
	)
	b := chainOf(t, n, multicast.Uniform, lifetime)
	for _, r := range b.rs {
		r.drop = func(_ i3.Packet, payload []byte) bool {
			m, _, err := multicast.ParseMessage(payload)
			return err == nil && m.Type == multicast.TypeRefreshAck
		}
	}
	count := b.countInserts()
	b.world.Sleep(periods * lifetime)
	for i, link := range b.rs[n-1].links() {
		want := float64(n-i) / 0.75
		if got := float64(count[link]) / periods; math.Abs(got/want-1) > 0.05 {
			t.Errorf("link %d: %.2f refreshes per T without acknowledgements, want %.2f", i+1, got, want)
		}
	}
}

// expired counts the triggers that nodes have dropped because nobody refreshed them.
func (b *bed) expired() (n uint64) {
	for _, node := range b.Nodes() {
		n += node.Machine.Counters().Expired
	}
	return n
}

// No trigger of a live tree ever expires.
func TestNothingExpires(t *testing.T) {
	for name, scheme := range schemes {
		for _, loss := range []bool{false, true} {
			s := setup{seed: 11, nodes: 16, degree: 4, delays: newPlane(11, 16, 50*time.Millisecond)}
			s.group.Refresh = scheme
			if loss {
				name += " lossy"
				s.loss, s.group.Host = testbed.PaperLoss(11), hurried
			}
			t.Run(name, func(t *testing.T) {
				b := newBed(t, s)
				b.grow(40)
				b.world.Sleep(host.DefaultLifetime + 2*second) // what joining left behind
				before := b.expired()
				for range 10 {
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
				b.checkTables()
			})
		}
	}
}

// The own link's timer is not put off by others' acknowledgements with the
// owner's slot: forged ones cannot silence its owner.
func TestForgedAcksDoNotSilenceOwner(t *testing.T) {
	b := newBed(t, setup{seed: 12})
	r := b.grow(1)[0]
	p := newProber(b)
	own := r.Machine.Chain()[1]
	for range 60 {
		m := multicast.Message{Type: multicast.TypeRefreshAck, Flags: multicast.FlagOwner}
		p.sendTo(own, own.AppendTo(m.AppendTo(nil)))
		b.world.Sleep(second)
	}
	if n := r.Machine.Counters().Refreshes; n < 3 {
		t.Errorf("%d refreshes in two lifetimes, want 3 or more", n)
	}
	if !p.has(b.Group(), own) {
		t.Error("the link has expired")
	}
}

// The application is told of every refresh that is counted, with the link's level.
func TestRefreshedIsTold(t *testing.T) {
	b := newBed(t, setup{seed: 96, degree: 1})
	b.grow(1)
	levels := map[int]uint64{}
	r, err := b.AddReceiver(1, multicast.Events{Refreshed: func(_ machine.Time, level int) { levels[level]++ }})
	if err != nil {
		t.Fatal(err)
	}
	r.Join()
	b.world.Sleep(120 * second)
	n := r.Machine.Counters().Refreshes
	if levels[2] < 7 || levels[1]+levels[2] != n {
		t.Errorf("told of refreshes by level %v, %d counted", levels, n)
	}
}

// Whoever asks for it refreshes every link of its chain once, and nobody else need do so for a while.
func TestRefreshNow(t *testing.T) {
	b := chainOf(t, 4, multicast.Uniform, 4*second)
	last := b.rs[3]
	count := b.countInserts()
	last.Endpoint.Do(last.Machine.Refresh)
	b.world.Sleep(second)
	for _, link := range last.links() {
		if count[link] != 1 {
			t.Errorf("%v was inserted %d times, want once", link, count[link])
		}
	}
	b.checkTables()
	b.leave(last)
	clear(count)
	last.Endpoint.Do(last.Machine.Refresh)
	b.world.Sleep(second)
	if n := count[i3.Trigger{}]; n > 0 || last.Machine.Level() > 0 {
		t.Error("an idle receiver refreshed")
	}
}

// A receiver that is moved to the other set and back stands where it stood, and once.
func TestMoveSet(t *testing.T) {
	b := chainOf(t, 3, multicast.Uniform, 30*second) // the last one is not full, the others are
	move := func(r *receiver, full bool) (moved bool) {
		r.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { moved = r.Machine.MoveSet(now, full, out) })
		return moved
	}
	for i, r := range b.rs {
		was := r.Machine.Full()
		if was != (i < 2) || move(r, was) {
			t.Errorf("receiver %d: full %v, moved to where it was", i, was)
		}
		if !move(r, !was) || move(r, was) {
			t.Errorf("receiver %d: did not move, or twice at a time", i)
		}
		b.world.Sleep(second / 2)
		if r.Machine.Full() == was || !r.Machine.Settled() {
			t.Errorf("receiver %d has not moved", i)
		}
		if !move(r, was) {
			t.Errorf("receiver %d does not move back", i)
		}
		b.world.Sleep(second / 2)
	}
	b.checkTables()
}

// What the node says of the receiver's own trigger puts a wrong set right.
func TestMovedSetIsPutRight(t *testing.T) {
	b := chainOf(t, 2, multicast.Uniform, 4*second)
	r := b.rs[1]
	r.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { r.Machine.MoveSet(now, true, out) })
	b.world.Sleep(4 * second)
	if r.Machine.Full() {
		t.Error("a receiver without children stands among the full ones for T")
	}
	b.checkTables()
}
