package node_test

import (
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// mirrorPacket returns a mirror message as anybody could write it.
func mirrorPacket(flow uint32, m i3.Mirror) []byte {
	b := m.AppendTo(nil)
	return append(i3.Packet{Kind: i3.KindHandover, HopLimit: 1, Length: uint16(len(b)), Flow: flow}.AppendTo(nil), b...)
}

// asMirror decodes a mirror message, if a datagram is one.
func asMirror(b []byte) (m i3.Mirror, flow uint32, ok bool) {
	p, wire, _, err := i3.Next(b)
	if err != nil || p.Kind != i3.KindHandover || i3.ParseMirror(i3.Payload(wire), &m) != nil {
		return m, 0, false
	}
	return m, p.Flow, true
}

// A mirrorAttack is two neighbours of a ring, the second of which has asked the first what has changed, with a flow
// that only the first has seen.
type mirrorAttack struct {
	*flood
	owner, keeper *rig
	at, next      chord.Place
	own           chord.Range
	flow          uint32
}

func newMirrorAttack(t *testing.T, change func(cfg *node.Config)) *mirrorAttack {
	f := newFloodOn(newRingBedOf(t, 6, change), 60, 58)
	f.idle = true
	f.run(3 * machine.Second)
	a := &mirrorAttack{
		flood: f, owner: f.rigs[f.all[2].Addr], keeper: f.rigs[f.all[3].Addr], at: f.all[2], next: f.all[3],
		own: chord.Range{Lo: f.all[1].Prefix, Hi: f.all[2].Prefix},
	}
	a.asked()
	return a
}

// asked waits for the next question, which the owner does not get.
func (a *mirrorAttack) asked() {
	a.flow = 0
	a.lose = func(from, to netip.AddrPort, b []byte) bool {
		m, flow, ok := asMirror(b)
		if ok && from == a.next.Addr && to == a.at.Addr && !m.Bring {
			a.flow = flow
			return true
		}
		return false
	}
	for a.flow == 0 {
		a.run(machine.Millisecond)
	}
	a.keeper.now, a.owner.now = a.now, a.now
}

// bring is an answer with triggers.
func bring(triggers ...i3.Trigger) (m i3.Mirror) {
	m.Bring = true
	for _, t := range triggers {
		m.Handed = append(m.Handed, i3.Handed{Trigger: t, LifetimeMS: 30_000})
	}
	return m
}

// in returns a trigger of mallory's at a fraction of a range.
func in(r chord.Range, at uint64) i3.Trigger {
	return toHost(i3.NewID(r.At(at)&^1, i3.Key{byte(at >> 32), byte(at >> 40), byte(at >> 48), 7}, 0), mallory)
}

// TestForgedMirror: nobody puts mirrors into a node but the one whose triggers they are, in answer to a question.
func TestForgedMirror(t *testing.T) {
	a := newMirrorAttack(t, mirrorsOn)
	forged := bring(in(a.own, 1<<63))
	for name, c := range map[string]struct {
		from netip.AddrPort
		flow uint32
	}{
		"a stranger, who knows the flow": {mallory, a.flow},
		"another member, who knows it":   {a.all[0].Addr, a.flow},
		"the owner's address alone":      {a.at.Addr, a.flow + 1},
		"the owner's address, no flow":   {a.at.Addr, 0},
	} {
		count := a.keeper.delta(func() { a.keeper.receive(c.from, mirrorPacket(c.flow, forged)) })
		if want := (node.Counters{Packets: 1, DropStranger: 1}); count != want || !a.keeper.out.Empty() {
			t.Errorf("%s: counters %+v, want %+v, and nothing sent", name, count, want)
		}
	}
	count := a.keeper.delta(func() { a.keeper.receive(a.at.Addr, mirrorPacket(a.flow, forged)) })
	if want := (node.Counters{Packets: 1, Mirrored: 1}); count != want {
		t.Errorf("the owner itself: counters %+v, want %+v", count, want)
	}
	count = a.keeper.delta(func() { a.keeper.receive(a.at.Addr, mirrorPacket(a.flow, forged)) })
	if want := (node.Counters{Packets: 1, DropStranger: 1}); count != want {
		t.Errorf("the same again: counters %+v, want %+v", count, want)
	}
}

// TestMirrorOfForeignRange: a member gives no mirrors of what it does not own, nor removes any: not what another
// owns, and not what the node owns itself, nor what no host could insert.
func TestMirrorOfForeignRange(t *testing.T) {
	a := newMirrorAttack(t, mirrorsOn)
	others := chord.Range{Lo: a.all[4].Prefix, Hi: a.all[5].Prefix}
	mine := chord.Range{Lo: a.at.Prefix, Hi: a.next.Prefix}
	victim := toHost(in(mine, 1<<62).ID, bob)
	a.keeper.insert(victim)
	wrong := in(a.own, 1<<62)
	wrong.Target = i3.ToHost(mallory, i3.Key{1})
	m := bring(in(others, 1<<63), in(mine, 1<<63), wrong)
	m.Handed = append(m.Handed, i3.Handed{Trigger: victim})
	before := a.keeper.node.Mirrors()
	count := a.keeper.delta(func() { a.keeper.receive(a.at.Addr, mirrorPacket(a.flow, m)) })
	if want := (node.Counters{Packets: 1, MirrorsRefused: 4}); count != want || a.keeper.node.Mirrors() != before {
		t.Errorf("counters %+v, want %+v", count, want)
	}
	if got := a.keeper.matches(victim.ID); got != 1 {
		t.Errorf("%d copies for the victim, want one", got)
	}
}

// TestMirrorFlood: a member that claims any number of triggers fills no more than the place for mirrors, at no more
// than the rate at which it is asked, and hosts insert as before.
func TestMirrorFlood(t *testing.T) {
	const most, room = 300, 200
	a := newMirrorAttack(t, func(cfg *node.Config) { cfg.Mirrors, cfg.MaxMirrors, cfg.MaxTriggers = true, most, room })
	delete(a.rigs, a.at.Addr)
	a.delay = 0
	n, questions := uint64(0), 0
	a.lose = func(from, to netip.AddrPort, b []byte) bool {
		m, flow, ok := asMirror(b)
		if ok && from == a.next.Addr && to == a.at.Addr && !m.Bring {
			a.flow = flow
			questions++
		}
		return false
	}
	const steps = 200 // of 2 ms, before the ring notices that the owner does not answer
	for range steps {
		m := bring()
		m.More = true
		for range i3.MaxHanded {
			n++
			m.Handed = append(m.Handed, bring(in(a.own, n<<44)).Handed...)
		}
		a.keeper.now = a.now
		a.keeper.receive(a.at.Addr, mirrorPacket(a.flow, m))
		a.post(a.next.Addr)
		a.run(2 * machine.Millisecond)
	}
	c := a.keeper.node.Counters()
	if got := a.keeper.node.Mirrors(); got != most || c.MirrorsRefused == 0 || questions > steps+1 {
		t.Errorf("%d mirrors after %d questions, want %d after %d; %d refused", got, questions, most, steps, c.MirrorsRefused)
	}
	mine := chord.Range{Lo: a.at.Prefix, Hi: a.next.Prefix}
	a.keeper.now = a.now
	for i := a.keeper.node.Triggers(); i < room; i++ {
		a.keeper.insert(in(mine, uint64(i)<<48))
	}
	if s := a.keeper.status(i3.Insert{Trigger: in(mine, 1<<63)}); s != i3.StatusNoRoom {
		t.Errorf("one more than there is room for: %v", s)
	}
}

// TestForgedMirrorQuestion: triggers, whose identifiers are secrets, are given to the two that follow and nobody else;
// who writes the address of one of them has no more bytes sent to that than it sends itself.
func TestForgedMirrorQuestion(t *testing.T) {
	a := newMirrorAttack(t, mirrorsOn)
	for room := range i3.MaxHanded + 1 {
		q := mirrorPacket(1, i3.Mirror{Pass: true, Room: room})
		for _, from := range []netip.AddrPort{mallory, a.all[0].Addr, a.all[5].Addr} {
			count := a.owner.delta(func() { a.owner.receive(from, q) })
			if want := (node.Counters{Packets: 1, DropStranger: 1}); count != want || !a.owner.out.Empty() {
				t.Errorf("%v: counters %+v, want %+v, and no answer", from, count, want)
			}
		}
		a.owner.receive(a.next.Addr, q)
		sends := a.owner.out.Sends()
		if len(sends) != 1 || sends[0].To != a.next.Addr || len(sends[0].Bytes) > len(q) {
			t.Errorf("room for %d: %d answers, want one of %d bytes at most", room, len(sends), len(q))
		}
	}
}

// TestStaleMirror: a mirror of what its owner does not have, because the owner has lied or forgotten to say that it is
// gone, lives no longer than until the next pass, and a lifetime and a half.
func TestStaleMirror(t *testing.T) {
	a := newMirrorAttack(t, mirrorsOn)
	stale := in(a.own, 1<<63)
	a.keeper.receive(a.at.Addr, mirrorPacket(a.flow, bring(stale)))
	a.lose = nil
	const pass = 4 * lifetime
	a.run(lifetime)
	if got := a.keeper.node.Mirrors(); got != 1 {
		t.Fatalf("%d mirrors, want the stale one alone", got)
	}
	a.run(pass + lifetime*3/2 + 5*machine.Second)
	if got := a.keeper.node.Mirrors(); got != 0 {
		t.Errorf("%d mirrors, want none", got)
	}
}

// TestForgedBorrower: who writes the address of the one before a node on a question for triggers does not make the node
// match what that passes on for others, though it has mirrors that would.
func TestForgedBorrower(t *testing.T) {
	a := newMirrorAttack(t, mirrorsOn)
	a.lose = nil
	others := chord.Range{Lo: a.all[0].Prefix, Hi: a.all[1].Prefix}
	id := i3.NewID(others.At(1<<63)&^1, i3.Key{8}, 0)
	owner := a.rigs[a.all[1].Addr]
	owner.now = a.now
	owner.insert(toHost(id, alice))
	owner.out.Reset()
	a.run(machine.Second)
	a.keeper.now = a.now
	for _, lo := range []uint64{a.next.Prefix, others.Lo, a.own.Lo} {
		a.keeper.receive(a.at.Addr, handoverPacket(1, i3.Handover{Lo: lo, Hi: a.at.Prefix}))
	}
	a.keeper.receive(a.at.Addr, data(id, "x"))
	for _, f := range a.keeper.out.Forwards() {
		if f.To == alice {
			t.Error("a mirror matches a packet for what another owns")
		}
	}
	if a.keeper.node.Counters().Lent != 0 {
		t.Error("it has matched a packet for another")
	}
}
