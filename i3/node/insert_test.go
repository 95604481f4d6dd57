package node_test

import (
	"fmt"
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// The cap of D+1 triggers per identifier, with an explicit answer above it (paper section 3.1).
func TestCapPerIdentifier(t *testing.T) {
	for _, limit := range []int{1, 2, 5, 9, 33} {
		t.Run(fmt.Sprintf("limit=%d", limit), func(t *testing.T) {
			cfg := config()
			cfg.MaxPerID = limit
			r := newRig(t, cfg)
			id := local(1)
			triggers := make([]i3.Trigger, limit+1)
			for i := range triggers {
				if triggers[i] = toHost(id, host(i)); i%2 == 1 {
					triggers[i], _ = chain(id, uint64(2*i), 0)
				}
			}
			for i, tr := range triggers[:limit] {
				a := r.ask(bob, i3.KindInsert, i3.Insert{Trigger: tr})[0]
				if a.Status != i3.StatusInserted || int(a.Count) != i+1 || int(a.Limit) != limit {
					t.Fatalf("insertion %d: %v, %d of %d", i, a.Status, a.Count, a.Limit)
				}
			}
			checkFull(t, r, triggers, limit)
		})
	}
}

// checkFull goes on with an identifier that has as many triggers as it may.
func checkFull(t *testing.T, r *rig, triggers []i3.Trigger, limit int) {
	t.Helper()
	last := i3.Insert{Trigger: triggers[limit]}
	full := func(when string) {
		t.Helper()
		a := r.ask(bob, i3.KindInsert, last)[0]
		if a.Status != i3.StatusFull || int(a.Count) != limit || int(a.Limit) != limit || r.node.Triggers() != limit {
			t.Fatalf("%s: %v, %d of %d, %d triggers; want full", when, a.Status, a.Count, a.Limit, r.node.Triggers())
		}
	}
	full("one more than the cap")
	if s := r.status(i3.Insert{Trigger: triggers[0]}); s != i3.StatusRefreshed {
		t.Fatalf("refresh of a full identifier: %v", s)
	}
	if r.matches(triggers[0].ID) == 0 {
		t.Fatal("a full identifier forwards nothing")
	}
	if other := triggers[0].ID.WithSuffix(1); r.status(i3.Insert{Trigger: toHost(other, alice)}) != i3.StatusInserted {
		t.Fatal("the cap of one identifier holds for its neighbour")
	}
	r.ask(bob, i3.KindRemove, i3.Insert{Trigger: toHost(triggers[0].ID.WithSuffix(1), alice)})
	a := r.ask(bob, i3.KindRemove, i3.Insert{Trigger: triggers[0]})[0]
	if a.Status != i3.StatusRemoved || int(a.Count) != limit-1 {
		t.Fatalf("removal: %v, %d of %d", a.Status, a.Count, a.Limit)
	}
	if s := r.status(last); s != i3.StatusInserted {
		t.Fatalf("after a removal: %v", s)
	}
	last.Trigger = triggers[0]
	full("the one that was removed")
	r.now = r.now.Add(lifetime) // no sweep: the dead must not hold a slot
	if s := r.status(last); s != i3.StatusInserted {
		t.Fatalf("after all expired: %v", s)
	}
	if err := r.node.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestProbeInsertsNothing(t *testing.T) {
	r := newRig(t, config())
	id := local(1)
	link, _ := chain(id, 6, 0)
	for present := range 3 {
		for _, probe := range []i3.Trigger{toHost(id, alice), toHost(id, host(0)), link} {
			before := r.node.Triggers()
			count := r.delta(func() { r.receive(mallory, request(i3.KindInsert, 4, i3.Insert{Trigger: probe, Probe: true})) })
			got := r.one()
			if got.to != mallory || len(got.acks) != 1 || got.acks[0].Status != i3.StatusProbed ||
				int(got.acks[0].Count) != present || got.acks[0].Limit != 9 || got.acks[0].Trigger != probe {
				t.Fatalf("probe with %d present: %+v to %v", present, got.acks, got.to)
			}
			want := node.Counters{Packets: 1, Probed: 1}
			if count != want || r.node.Triggers() != before || r.node.Targets() != present {
				t.Fatalf("probe counted %+v and left %d triggers, %d targets", count, r.node.Triggers(), r.node.Targets())
			}
		}
		r.insert(toHost(id, host(present)))
	}
}

// A probe of a trigger that is there does not refresh it.
func TestProbeDoesNotRefresh(t *testing.T) {
	r := newRig(t, config())
	tr := toHost(local(1), alice)
	r.insert(tr)
	r.sleep(lifetime - machine.Second)
	r.ask(bob, i3.KindInsert, i3.Insert{Trigger: tr, Probe: true})
	r.sleep(machine.Second)
	if n := r.matches(tr.ID); n != 0 {
		t.Errorf("a probed trigger outlived its lifetime: %d copies", n)
	}
}

// A trigger lives for T, not a nanosecond less, and at most a tick of one millisecond more.
func TestExpiry(t *testing.T) {
	for _, life := range []machine.Duration{0, machine.Millisecond, 1500 * machine.Microsecond, 2 * machine.Second} {
		for _, at := range []machine.Duration{0, 1, 999_999, 500_000, 123_456_789} {
			cfg := config()
			cfg.Lifetime = life
			r := newRig(t, cfg)
			promised := life
			if life == 0 {
				promised = 30 * machine.Second
			}
			r.now = start.Add(at)
			tr := toHost(local(1), alice)
			a := r.ask(bob, i3.KindInsert, i3.Insert{Trigger: tr})[0]
			if want := uint32(promised / machine.Millisecond); a.LifetimeMS != want {
				t.Errorf("lifetime %d: acknowledged with %d ms, want %d", life, a.LifetimeMS, want)
			}
			born := r.now
			if r.now = born.Add(promised - 1); r.matches(tr.ID) != 1 {
				t.Errorf("lifetime %d, inserted %d ns past a second: dead before its time", life, at)
			}
			if r.now = born.Add(promised + machine.Millisecond); r.matches(tr.ID) != 0 {
				t.Errorf("lifetime %d, inserted %d ns past a second: lives on", life, at)
			}
		}
	}
}

// An expired trigger is reclaimed, and its target's place with it, without anybody asking for it.
func TestExpiredAreReclaimed(t *testing.T) {
	r := newRig(t, config())
	if r.node.Deadline() != machine.Never {
		t.Fatalf("an empty node wants to be called at %d", r.node.Deadline())
	}
	const n = 20_000 // more than one sweep visits
	for i := range n {
		r.insert(toHost(local(uint64(i)), host(i)))
	}
	if r.node.Triggers() != n || r.node.Targets() != n {
		t.Fatalf("%d triggers, %d targets, want %d", r.node.Triggers(), r.node.Targets(), n)
	}
	r.sleep(lifetime - machine.Second)
	if r.node.Triggers() != n {
		t.Fatalf("%d of %d triggers left before their time", r.node.Triggers(), n)
	}
	if before := r.node.Deadline(); before > r.now { // a driver may call too early; that puts nothing off
		if r.node.Expire(before-1, r.out); r.node.Deadline() != before {
			t.Errorf("deadline moved from %d to %d by a call before it", before, r.node.Deadline())
		}
	}
	r.sleep(3 * machine.Second)
	if r.node.Triggers() != 0 || r.node.Targets() != 0 || r.node.Counters().Expired != n {
		t.Fatalf("%d triggers, %d targets left, %d expired; want 0, 0, %d",
			r.node.Triggers(), r.node.Targets(), r.node.Counters().Expired, n)
	}
	if err := r.node.Check(); err != nil {
		t.Fatal(err)
	}
	if r.sleep(2 * machine.Second); r.node.Deadline() != machine.Never {
		t.Errorf("an empty node wants to be called at %d", r.node.Deadline())
	}
	r.insert(toHost(local(1), alice))
	if d := r.node.Deadline(); d <= r.now || d > r.now.Add(2*machine.Second) {
		t.Errorf("deadline %v s after an insertion", d.Sub(r.now).Seconds())
	}
}

func TestRefreshExtendsLife(t *testing.T) {
	r := newRig(t, config())
	refreshed, left := toHost(local(1), alice), toHost(local(2), alice)
	link, _ := chain(local(3), 1<<63+2, 0)
	r.insert(refreshed, left, link)
	r.sleep(20 * machine.Second)
	for _, tr := range []i3.Trigger{refreshed, link} {
		a := r.ask(mallory, i3.KindInsert, r.proven(tr))[0] // anyone who holds the nonce may
		if a.Status != i3.StatusRefreshed || a.Count != 1 {
			t.Fatalf("refresh: %v, count %d", a.Status, a.Count)
		}
	}
	r.sleep(lifetime - 1)
	if r.matches(refreshed.ID) != 1 || r.matches(link.ID) != 1 || r.matches(left.ID) != 0 {
		t.Errorf("%d, %d and %d copies, want 1, 1 and none for the one that was not refreshed",
			r.matches(refreshed.ID), r.matches(link.ID), r.matches(left.ID))
	}
	r.sleep(machine.Millisecond)
	if r.matches(refreshed.ID) != 0 || r.matches(link.ID) != 0 {
		t.Error("a refresh gave more than one lifetime")
	}
}

// The constraints (Secure-i3): only who knows the preimage may insert under a public identifier.
func TestConstraints(t *testing.T) {
	private, preimage := local(1), i3.Key{7, 7}
	public := i3.NewID(4, i3.LeftKeyOf(preimage), 0).Public()
	link, to := chain(private, 6, 3)
	broken := i3.Trigger{ID: private, Target: i3.ToID(i3.NewID(6, i3.Key{1}, 3))}
	name := i3.NewID(8, i3.LeftKey(to), 0).Public()
	for _, c := range []struct {
		what    string
		trigger i3.Trigger
		want    i3.Status
	}{
		{"right, host", toHost(private, alice), i3.StatusInserted},
		{"no key, host", i3.Trigger{ID: private, Target: i3.ToHost(alice, i3.Key{})}, i3.StatusRefused},
		{"another identifier's key, host", i3.Trigger{ID: private, Target: toHost(local(2), alice).Target}, i3.StatusRefused},
		{"left, host, public", i3.Trigger{ID: public, Target: i3.ToHost(alice, preimage)}, i3.StatusInserted},
		{"right, host, public", toHost(public, alice), i3.StatusRefused},
		{"right, identifier", link, i3.StatusInserted},
		{"neither, identifier", broken, i3.StatusRefused},
		{"left, identifier, public", i3.Trigger{ID: name, Target: i3.ToID(to)}, i3.StatusInserted},
		{"left, other end, public", i3.Trigger{ID: name, Target: i3.ToID(private)}, i3.StatusRefused},
		{"cycle", i3.Trigger{ID: to, Target: i3.ToID(private)}, i3.StatusRefused},
	} {
		r := newRig(t, config())
		for _, probe := range []bool{true, false} {
			a := r.ask(bob, i3.KindInsert, i3.Insert{Trigger: c.trigger, Probe: probe})[0]
			want := c.want
			if probe && want == i3.StatusInserted {
				want = i3.StatusProbed
			}
			if a.Status != want {
				t.Errorf("%s, probe %v: %v, want %v", c.what, probe, a.Status, want)
			}
		}
		if c.want == i3.StatusRefused {
			if r.node.Triggers() != 0 || r.node.Counters().Refused != 2 || r.matches(c.trigger.ID) != 0 {
				t.Errorf("%s: %d triggers, %d refused", c.what, r.node.Triggers(), r.node.Counters().Refused)
			}
		}
		if err := r.node.Check(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestNotOwner(t *testing.T) {
	r := newRig(t, config())
	link, _ := chain(remote(1), 6, 0)
	for _, in := range []i3.Insert{
		{Trigger: toHost(remote(1), alice)}, {Trigger: link}, {Trigger: toHost(remote(1), alice), Probe: true},
	} {
		a := r.ask(bob, i3.KindInsert, in)[0]
		if a.Status != i3.StatusNotOwner || a.Lo != config().Range.Lo || a.Hi != config().Range.Hi {
			t.Errorf("%v, range %x to %x; want not owner, with the node's range", a.Status, a.Lo, a.Hi)
		}
	}
	if r.node.Counters().NotOwner != 3 || r.node.Triggers() != 0 || r.node.Targets() != 0 {
		t.Errorf("counters %+v, %d triggers", r.node.Counters(), r.node.Triggers())
	}
}

// The bound of the whole table (against floods), and that expired triggers make room again.
func TestNoRoom(t *testing.T) {
	cfg := config()
	cfg.MaxTriggers = 3
	r := newRig(t, cfg)
	r.insert(toHost(local(1), alice), toHost(local(2), alice), toHost(local(3), alice))
	last := i3.Insert{Trigger: toHost(local(4), alice)}
	if s := r.status(last); s != i3.StatusNoRoom || r.node.Counters().NoRoom != 1 {
		t.Fatalf("one more than the table holds: %v", s)
	}
	if err := r.node.Check(); err != nil {
		t.Fatal(err)
	}
	if s := r.status(i3.Insert{Trigger: toHost(local(1), alice)}); s != i3.StatusRefreshed {
		t.Fatalf("refresh in a full table: %v", s)
	}
	r.sleep(lifetime + 2*machine.Second)
	if s := r.status(last); s != i3.StatusInserted {
		t.Fatalf("after the others expired: %v", s)
	}
}

func TestConfig(t *testing.T) {
	for name, change := range map[string]func(*node.Config){
		"no address":              func(c *node.Config) { c.Self = netip.AddrPort{} },
		"no ring":                 func(c *node.Config) { c.Ring = nil },
		"negative cap":            func(c *node.Config) { c.MaxPerID = -1 },
		"cap above the field":     func(c *node.Config) { c.MaxPerID = 1 << 16 },
		"negative table":          func(c *node.Config) { c.MaxTriggers = -1 },
		"lifetime below a tick":   func(c *node.Config) { c.Lifetime = machine.Millisecond - 1 },
		"negative lifetime":       func(c *node.Config) { c.Lifetime = -machine.Second },
		"requests above a tick":   func(c *node.Config) { c.Limits.Requests.PerSecond = 2e9 },
		"negative burst":          func(c *node.Config) { c.Limits.Packets = node.Rate{PerSecond: 1, Burst: -1} },
		"burst above its word":    func(c *node.Config) { c.Limits.Packets = node.Rate{PerSecond: 1, Burst: 1 << 31} },
		"lifetime above its word": func(c *node.Config) { c.Lifetime = 4_294_968 * machine.Second },
	} {
		cfg := config()
		change(&cfg)
		if n, err := node.New(cfg); err == nil || n != nil {
			t.Errorf("%s: node %v, error %v; want an error and no node", name, n, err)
		} else {
			t.Log(err)
		}
	}
}
