package node_test

import (
	"fmt"
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// mirrorsOn makes nodes keep mirrors.
func mirrorsOn(cfg *node.Config) { cfg.Mirrors = true }

// newMirrored returns a flood on a ring whose nodes keep mirrors, and have them by now.
func newMirrored(t testing.TB, nodes, ids int, seed uint64) *flood {
	f := newFloodOn(newRingBedOf(t, nodes, mirrorsOn), ids, seed)
	f.idle = true
	f.run(3 * machine.Second)
	return f
}

// crash ends the node with this number, in the order of the ring.
func (f *flood) crash(i int) chord.Place {
	delete(f.rigs, f.all[i].Addr)
	return f.all[i]
}

// untilWhole lets time pass until all triggers are where the ring says, and returns how long that took.
func (f *flood) untilWhole(most machine.Duration) machine.Duration {
	f.Helper()
	began := f.now
	for f.lost() > 0 {
		if f.now > began.Add(most) {
			f.Fatalf("%d triggers are lost after %.1f s", f.lost(), most.Seconds())
		}
		f.run(20 * machine.Millisecond)
	}
	return f.now.Sub(began)
}

// insertions counts those that hosts have made at nodes that live.
func (f *flood) insertions() uint64 {
	return f.total(func(c node.Counters) uint64 { return c.Inserted + c.Refreshed })
}

// detection is how long a ring of these tests takes at most to say who owns what a node owned that has crashed: a
// period until the one before it looks, and three questions each of that one and of the one behind.
const detection = 4 * machine.Second

// rerouting is how long other nodes think at most that one that has crashed owns anything.
const rerouting = 3 * machine.Second

// resumes lets time pass, and returns after how long the last packet was sent of which a copy is missing.
func (f *flood) resumes(d machine.Duration) (last machine.Duration) {
	f.Helper()
	began := f.now
	sent := map[uint32]machine.Time{}
	for f.now < began.Add(d) {
		sent[uint32(len(f.sent))] = f.now
		f.run(2 * machine.Millisecond)
	}
	if _, twice := f.judge(nil); twice > 0 {
		f.Errorf("%d copies came twice", twice)
	}
	for number, at := range sent {
		for _, h := range f.hosts[f.sent[number]] {
			if f.got[fmt.Sprint(number, h)] == 0 {
				last = max(last, at.Sub(began))
			}
		}
	}
	return last
}

// TestCrash: when a node has crashed the next one matches packets for its triggers as soon as the ring says that it
// owns them, and no host has inserted or refreshed anything.
func TestCrash(t *testing.T) {
	for seed := range uint64(4) {
		f := newMirrored(t, 10, 400, 40+seed)
		f.crash(int(seed) * 2)
		before := f.insertions()
		f.idle = false
		took := f.untilWhole(detection)
		resumed := f.resumes(5 * machine.Second)
		t.Logf("seed %d: triggers are there after %.2f s, the last packet that is lost was sent after %.2f", seed,
			took.Seconds(), (took + resumed).Seconds())
		if most := took + rerouting; resumed > rerouting {
			t.Errorf("seed %d: want none after %.2f s", seed, most.Seconds())
		}
		if f.insertions() != before {
			t.Errorf("seed %d: hosts made %d insertions", seed, f.insertions()-before)
		}
	}
}

// TestCrashOfNeighbours: two neighbours crash one after the other, or at once, or three in turn.
func TestCrashOfNeighbours(t *testing.T) {
	for _, pause := range []machine.Duration{0, 100 * machine.Millisecond, machine.Second, 4 * machine.Second} {
		f := newMirrored(t, 10, 400, 50)
		f.crash(3)
		f.run(pause)
		f.crash(4)
		f.untilWhole(2 * detection)
		f.run(4 * machine.Second)
		f.crash(5)
		took := f.untilWhole(detection)
		t.Logf("pause %.1f s: whole again after the third in %.2f s", pause.Seconds(), took.Seconds())
	}
}

// TestRestartWithEmptyMemory: a node that has crashed and is back at once gets its triggers from the mirrors, and those
// go on.
func TestRestartWithEmptyMemory(t *testing.T) {
	f := newMirrored(t, 10, 400, 51)
	for _, away := range []machine.Duration{0, 300 * machine.Millisecond, 6 * machine.Second} {
		self := f.crash(4)
		f.run(away)
		f.start(self, 4)
		f.run(machine.Second)
		f.untilWhole(15 * machine.Second)
		f.run(4 * machine.Second)
		f.crash(4)
		f.untilWhole(detection)
		f.start(self, 4)
		f.run(15 * machine.Second)
		f.insertAll()
	}
}

// insertAll has all hosts refresh what they have.
func (f *flood) insertAll() {
	for _, id := range f.ids {
		f.insert(id)
	}
}

// TestMirrorsLiveOn: mirrors live on as long as their owners have the triggers, for many lifetimes, and are gone soon
// after those.
func TestMirrorsLiveOn(t *testing.T) {
	f := newMirrored(t, 6, 200, 52)
	for range 5 { // and no second pass through all triggers
		f.insertAll()
		f.run(14 * machine.Second)
	}
	given := f.total(func(c node.Counters) uint64 { return c.MirrorsGiven })
	f.crash(2)
	f.untilWhole(detection)
	triggers := 0
	for _, n := range f.triggers {
		triggers += n
	}
	t.Logf("%d given, of %d triggers with two mirrors each, in %.1f lifetimes", given, triggers, 73.0/30)
	f.run(3 * lifetime)
	for _, r := range f.rigs {
		if r.node.Mirrors() != 0 || r.node.Triggers() != 0 {
			t.Errorf("%d mirrors and %d triggers are left", r.node.Mirrors(), r.node.Triggers())
		}
	}
}

// TestMirrorsFollow: what is removed, and what comes later, is in the mirrors within a second; and they match nothing
// as long as another owns them.
func TestMirrorsFollow(t *testing.T) {
	f := newMirrored(t, 6, 50, 53)
	own := chord.Range{Lo: f.all[1].Prefix, Hi: f.all[2].Prefix}
	id := i3.NewID(own.At(1<<63)&^1, i3.Key{9}, 0)
	owner, first, second := f.rigs[f.all[2].Addr], f.rigs[f.all[3].Addr], f.rigs[f.all[4].Addr]
	has := [2]int{first.node.Mirrors(), second.node.Mirrors()}
	step := func(what string, more int) {
		t.Helper()
		owner.out.Reset()
		f.run(machine.Second)
		got := [2]int{first.node.Mirrors(), second.node.Mirrors()}
		if want := [2]int{has[0] + more, has[1] + more}; got != want {
			t.Errorf("%s: the successors have %d mirrors, want %d", what, got, want)
		}
	}
	owner.now = f.now
	owner.insert(toHost(id, alice), toHost(id, bob))
	step("two inserted", 2)
	first.now = f.now
	first.receive(mallory, data(id, "x"))
	if fs := first.out.Forwards(); len(fs) != 1 || fs[0].To != f.all[2].Addr {
		t.Errorf("the successor makes %d copies, want one for the owner", len(fs))
	}
	if a := first.ask(bob, i3.KindRemove, i3.Insert{Trigger: toHost(id, bob)})[0]; a.Status != i3.StatusNotOwner {
		t.Errorf("a removal at the successor: %v", a.Status)
	}
	first.out.Reset()
	owner.now = f.now
	owner.ask(bob, i3.KindRemove, i3.Insert{Trigger: toHost(id, bob)})
	step("one removed", 1)
	f.crash(2)
	f.untilWhole(detection)
	first.now = f.now
	if got := first.matches(id); got != 1 {
		t.Errorf("%d copies by the successor, want one", got)
	}
}

// TestMirrorsUnderLoss: a fifth of what is about mirrors is lost, and they are right all the same.
func TestMirrorsUnderLoss(t *testing.T) {
	f := newFloodOn(newRingBedOf(t, 8, mirrorsOn), 400, 54)
	f.idle = true
	f.handoverLoss()
	f.run(12 * machine.Second)
	f.crash(3)
	f.untilWhole(detection)
}

// TestMirrorsOfManyChanges: more changes at once than a node remembers cost a pass, and no mirror.
func TestMirrorsOfManyChanges(t *testing.T) {
	f := newMirrored(t, 4, 10, 55)
	own := chord.Range{Lo: f.all[1].Prefix, Hi: f.all[2].Prefix}
	owner := f.rigs[f.all[2].Addr]
	owner.now = f.now
	const many = 6000
	for i := range uint64(many) {
		id := i3.NewID(own.At((i+1)<<50)&^1, i3.Key{1, byte(i), byte(i >> 8)}, 0)
		link, _ := chain(id, 4, 9)
		owner.insert(link)
	}
	owner.out.Reset()
	has := f.rigs[f.all[3].Addr].node.Counters().Mirrored
	f.run(8 * machine.Second)
	if got := f.rigs[f.all[3].Addr].node.Counters().Mirrored - has; got < many {
		t.Errorf("%d of %d have mirrors", got, many)
	}
}

// TestMirrorsOfFixedRing: there are none.
func TestMirrorsOfFixedRing(t *testing.T) {
	cfg := config()
	cfg.Mirrors = true
	if _, err := node.New(cfg); err == nil {
		t.Error("no error")
	}
}

// TestNewSecondSuccessor: a node that joins keeps mirrors as those do that were there before.
func TestNewSecondSuccessor(t *testing.T) {
	f := newMirrored(t, 8, 400, 56)
	r := f.join(chord.Range{Lo: f.all[3].Prefix, Hi: f.all[4].Prefix}.At(1 << 63))
	f.run(12 * machine.Second)
	if f.lost() != 0 || r.node.Mirrors() == 0 {
		t.Fatalf("%d triggers are lost, %d mirrors", f.lost(), r.node.Mirrors())
	}
	f.crash(3)
	f.crash(2)
	f.untilWhole(2 * detection)
}

// TestCostOfMirrors: a trigger that hosts keep alive costs few bytes to mirror.
func TestCostOfMirrors(t *testing.T) {
	f := newMirrored(t, 4, 1000, 57)
	triggers, bytes, questions := 0, 0, 0
	for _, n := range f.triggers {
		triggers += n
	}
	f.lose = func(_, _ netip.AddrPort, b []byte) bool {
		if p, wire, _, err := i3.Next(b); err == nil && p.Kind == i3.KindHandover && i3.IsMirror(i3.Payload(wire)) {
			bytes += len(b)
			questions++
		}
		return false
	}
	const lifetimes = 8
	for range 2 * lifetimes {
		f.insertAll()
		f.run(lifetime / 2)
	}
	idle := 4 * 2 * 2 * int(lifetime/(500*machine.Millisecond)) * (48 + 32 + 52) // questions and answers about nothing
	each := float64(bytes) / lifetimes / float64(triggers)
	t.Logf("%d triggers: %.0f bytes for each and lifetime, in %d datagrams; %d bytes a lifetime for nothing",
		triggers, each, questions, idle)
	if each > 300 {
		t.Errorf("%.0f bytes for each trigger and lifetime", each)
	}
}

// TestOtherMemory: who has asked a node before that lost its memory hears that changes are lost, whatever the serial,
// and so does who asks for changes that are to come.
func TestOtherMemory(t *testing.T) {
	a := newMirrorAttack(t, mirrorsOn)
	epoch := a.owner.ack(i3.NewID(a.at.Prefix, i3.Key{}, 0)).Epoch
	for _, c := range []struct {
		epoch  uint32
		serial uint64
		lost   bool
	}{{epoch, 0, false}, {epoch + 1, 0, true}, {epoch, 1 << 20, true}} {
		a.owner.receive(a.next.Addr, mirrorPacket(1, i3.Mirror{Epoch: c.epoch, Serial: c.serial, Room: 1}))
		m, _, ok := asMirror(a.owner.out.Sends()[0].Bytes)
		if !ok || m.Lost != c.lost || m.Epoch != epoch || m.Lost == (len(m.Handed) > 0) {
			t.Errorf("epoch %d, serial %d: the answer %+v, want lost to be %v", c.epoch, c.serial, m, c.lost)
		}
	}
}
