package node_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"pgregory.net/rapid"
)

// A chooser returns an integer below n: what both rapid and a generator can do.
type chooser func(n int) int

// A twin is a node and its model, and the triggers that its operations are about.
type twin struct {
	*rig
	model  *model
	choose chooser
	all    []i3.Trigger
	ids    []i3.ID
	hosts  []netip.AddrPort // that ask: of two addresses and of two networks, one of these twice
}

// tight are limits that a few triggers reach.
var tight = node.Limits{MaxPerSource: 6, MaxPerTarget: 5, MaxPerKey: 4, MaxShare: 1, Requests: node.Rate{PerSecond: -1}}

func newTwin(f failer, choose chooser, limits node.Limits) *twin {
	cfg := config()
	cfg.MaxPerID, cfg.MaxTriggers, cfg.Lifetime, cfg.Limits = 3, 40, 10*machine.Second, limits
	w := &twin{
		rig:    newRig(f, cfg),
		model:  &model{cfg: cfg, cookies: i3.NewCookies(secret)},
		choose: choose,
		hosts: []netip.AddrPort{
			alice, bob, mallory, netip.MustParseAddrPort("[2001:db8::67]:1"), netip.MustParseAddrPort("[2001:db8:0:1::66]:666"),
		},
	}
	w.populate()
	return w
}

// populate makes a small world in which operations meet each other often: two groups of three identifiers and one of
// another node, chains of up to two more levels, public names, and a few triggers that no constraint admits.
func (w *twin) populate() {
	level := []i3.ID{
		local(1), local(1).WithSuffix(1), local(1).WithSuffix(1 << 63), local(2), local(2).WithSuffix(6), remote(1),
	}
	for depth := range 3 {
		var next []i3.ID
		for i, id := range level {
			w.ids = append(w.ids, id, id.WithSuffix(id.Suffix()^4))
			for h := range 4 {
				w.all = append(w.all, toHost(id, host(h)))
			}
			if depth == 2 {
				continue
			}
			near, child := chain(id, uint64(2*i+8), 0)
			sibling, brother := chain(id, uint64(2*i+8), 5)
			far, _ := chain(id, remote(uint64(i)).Prefix(), 0)
			name := i3.Trigger{ID: i3.NewID(uint64(2*i+9), i3.LeftKey(id), 0), Target: i3.ToID(id)}
			broken := i3.Trigger{ID: id, Target: i3.ToHost(host(i), i3.Key{})}
			w.all = append(w.all, near, sibling, far, name, broken)
			w.ids = append(w.ids, name.ID)
			if i%2 == 0 {
				next = append(next, child, brother)
			}
		}
		level = next
	}
	for n := range uint64(3) { // public names of one host, whose target is one and the same
		id := i3.NewID(2*n+1, i3.LeftKeyOf(i3.Key{1}), n)
		w.ids = append(w.ids, id)
		for range 4 { // drawn often enough to be there together
			w.all = append(w.all, i3.Trigger{ID: id, Target: i3.ToHost(host(0), i3.Key{1})})
		}
	}
}

// step does one random operation on both and compares.
func (w *twin) step() {
	w.Helper()
	switch n := w.choose(20); {
	case n < 10:
		w.stepRequest(i3.KindInsert)
	case n < 13:
		w.stepRequest(i3.KindRemove)
	case n < 18:
		w.stepData()
	default:
		steps := []machine.Duration{0, 1, 10, 1000, 2500, 9999, 10_000, 30_000}
		w.pass(steps[w.choose(len(steps))] * machine.Millisecond)
	}
	if w.node.Triggers() != len(w.model.stored) {
		w.Fatalf("node has %d triggers, model %d", w.node.Triggers(), len(w.model.stored))
	}
	if got, want := w.node.Counters(), w.model.count; got != want {
		w.Fatalf("node counted\n%+v, model\n%+v", got, want)
	}
}

// pass lets time pass. The node reclaims when it asked to, and must ask as long as it has triggers, so that none stays
// for half a lifetime after its own, nor a second if nothing was there before it.
func (w *twin) pass(d machine.Duration) {
	w.Helper()
	for until := w.now.Add(d); w.now < until; {
		at := w.node.Deadline()
		if w.node.Triggers() > 0 && at > w.now.Add(max(machine.Second, w.node.Lifetime()/2)) {
			w.Fatalf("deadline %v s from now with %d triggers", at.Sub(w.now).Seconds(), w.node.Triggers())
		}
		if at > until {
			w.now = until
			return
		}
		w.now = max(w.now, at)
		w.node.Expire(w.now, w.out)
		w.model.drop(func(s stored) bool { return s.expire <= w.now })
	}
}

// entries draws one to three entries; their host targets are mostly one address, as a request's must be.
func (w *twin) entries(kind i3.Kind) (ins []i3.Insert) {
	var addr netip.AddrPort
	for range 1 + w.choose(3) {
		in := i3.Insert{Trigger: w.all[w.choose(len(w.all))]}
		if a, ok := in.Trigger.Target.Host(); ok {
			if addr.IsValid() && a != addr {
				continue
			}
			addr = a
		}
		secrets := []i3.Nonce{{}, {1}, {2}}
		show := secrets[w.choose(3)]
		if kind == i3.KindInsert {
			in.Probe = w.choose(6) == 0
			if show != (i3.Nonce{}) {
				in.Owner = i3.OwnerOf(show)
			}
		}
		ages := []machine.Duration{0, 0, 0, 0, 0, 60, 120}
		in.Nonce = nonceAt(w.now.Add(-min(ages[w.choose(7)]*machine.Second, machine.Duration(w.now))), in.Trigger)
		if _, ok := in.Trigger.Target.ID(); ok || w.choose(12) == 0 {
			in.Nonce = show
		}
		ins = append(ins, in)
	}
	return ins
}

func (w *twin) stepRequest(kind i3.Kind) {
	w.Helper()
	ins := w.entries(kind)
	from := w.hosts[w.choose(len(w.hosts))]
	want := w.model.request(w.now, from, kind, ins)
	w.receive(from, request(kind, 1, ins...))
	got := w.one()
	if got.to != want.to || !slices.Equal(got.acks, want.acks) || !slices.Equal(got.challenges, want.challenges) {
		w.Fatalf("%v %v\nanswered by %v to %v\n%+v\nmodel: to %v\n%+v %+v", kind, ins, got.packet.Kind, got.to, got.acks,
			want.to, want.acks, want.challenges)
	}
}

// stepData sends one packet, so that the order of the copies is defined.
func (w *twin) stepData() {
	w.Helper()
	id, hops := w.ids[w.choose(len(w.ids))], uint8(w.choose(10))
	want := w.model.data(w.now, id, hops, "payload")
	w.receive(bob, dataWithin(id, hops, "payload"))
	if got := w.copies(); !slices.Equal(got, want) {
		w.Fatalf("packet to %v: copies\n%v\nmodel:\n%v", id, got, want)
	}
}

// TestAgainstModel does random operations on the node and on a model of it.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.IntRange(0, 1<<20)
		limits := rapid.SampledFrom([]node.Limits{node.Unlimited(), tight}).Draw(t, "limits")
		w := newTwin(t, func(n int) int { return number.Draw(t, "choice") % n }, limits)
		for range rapid.IntRange(1, 60).Draw(t, "operations") {
			w.step()
		}
		if err := w.node.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestNoLeak does a hundred thousand operations, which leaves no target behind that no trigger names, and shows that
// the operations reach every outcome.
func TestNoLeak(t *testing.T) {
	reached := noLeak(t, node.Unlimited(), 100_000)
	atLeast(t, 100, map[string]uint64{
		"inserted": reached.Inserted, "refreshed": reached.Refreshed, "probed": reached.Probed,
		"removed": reached.Removed, "expired": reached.Expired, "challenged": reached.Challenged, "full": reached.Full,
		"no room": reached.NoRoom, "refused": reached.Refused, "not owner": reached.NotOwner,
		"copies": reached.Copies, "misdirected": reached.Misdirected, "no match": reached.DropNoMatch,
	})
}

// TestNoLeakOfQuotas is the same with quotas, which end as they began: nobody has anything.
func TestNoLeakOfQuotas(t *testing.T) {
	reached := noLeak(t, tight, 50_000)
	atLeast(t, 100, map[string]uint64{
		"source": reached.OverSource, "target": reached.OverTarget, "key": reached.OverKey, "share": reached.OverShare,
	})
}

func atLeast(t *testing.T, least uint64, counts map[string]uint64) {
	t.Helper()
	for name, n := range counts {
		if n < least {
			t.Errorf("%s: %d times, want at least %d", name, n, least)
		}
	}
}

func noLeak(t *testing.T, limits node.Limits, operations int) node.Counters {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	w := newTwin(t, rng.IntN, limits)
	for i := range operations {
		w.step()
		if i%1000 == 0 {
			if err := w.node.Check(); err != nil {
				t.Fatalf("after %d operations: %v", i, err)
			}
		}
	}
	reached := w.node.Counters()
	t.Logf("%+v", reached)
	checkBalance(t, reached, w.node.Triggers())
	w.sleep(2 * w.model.cfg.Lifetime)
	if w.node.Triggers() != 0 || w.node.Targets() != 0 {
		t.Errorf("%d triggers and %d targets left when all have expired", w.node.Triggers(), w.node.Targets())
	}
	if sources, targets, keys := w.node.Counts(); sources+targets+keys != 0 {
		t.Errorf("%d sources, %d targets and %d keys have a count when all have expired", sources, targets, keys)
	}
	if err := w.node.Check(); err != nil {
		t.Error(err)
	}
	return reached
}

// checkBalance compares what came in with what became of it, as far as the counters tell.
func checkBalance(t *testing.T, c node.Counters, triggers int) {
	t.Helper()
	if c.Inserted != c.Removed+c.Expired+uint64(triggers) {
		t.Errorf("%d inserted, %d removed + %d expired + %d present", c.Inserted, c.Removed, c.Expired, triggers)
	}
	if c.DropMalformed+c.DropKind+c.DropTargets+c.DropBudget+c.DropOutbox+c.DropNoOwner != 0 {
		t.Errorf("dropped what should not be: %+v", c)
	}
	if c.HostCopies > c.Copies || c.Data > c.Packets {
		t.Errorf("counters contradict each other: %+v", c)
	}
}

// TestCountersBalance holds the node to its promise that every packet leaves or is counted: without chains inside the
// node, each data packet is matched, passed on, or dropped for one reason.
func TestCountersBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := config()
		cfg.Ring = rapid.SampledFrom([]chord.Ring{ring, empty{}}).Draw(t, "ring")
		r := newRig(t, cfg)
		targets := 0
		for i := range rapid.IntRange(0, 5).Draw(t, "triggers") {
			r.insert(toHost(local(1), host(i)))
			targets++
		}
		r.out = machine.NewOutbox(0, 0, rapid.IntRange(1, 40).Draw(t, "room"))
		var batch [][]byte
		for range rapid.IntRange(0, 20).Draw(t, "packets") {
			id := rapid.SampledFrom([]i3.ID{local(1), local(2), remote(1)}).Draw(t, "id")
			batch = append(batch, dataWithin(id, uint8(rapid.IntRange(0, 2).Draw(t, "hops")), "x"))
		}
		c := r.delta(func() { r.receive(bob, batch...) })
		if int(c.Data) != len(batch) || c.Data != c.Matched+c.DropNoMatch+c.DropHopLimit+c.Misdirected+c.DropNoOwner {
			t.Fatalf("%d packets: %+v", len(batch), c)
		}
		if c.Copies != c.Matched*uint64(targets) || c.Copies+c.Misdirected != uint64(len(r.out.Forwards()))+c.DropOutbox {
			t.Fatalf("%d targets, %d forwards: %+v", targets, len(r.out.Forwards()), c)
		}
	})
}
