package node_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/internal/prng"
)

// A flood is data that runs through a ring all the time, each packet for one of some identifiers and by way of any
// node.
type flood struct {
	*ringBed
	rng      prng.Source
	ids      []i3.ID
	triggers map[i3.ID]int // of each
	hosts    map[i3.ID][]netip.AddrPort
	sent     map[uint32]i3.ID
	got      map[string]int                  // copies, by packet and host
	leaving  map[netip.AddrPort]machine.Time // when hosts send no more to them
	linger   machine.Duration                // how long hosts send on to one that has left the ring
	idle     bool                            // none is sent
	most     uint8                           // how many times a packet may be passed on
}

// mostHops is how many times a packet of a flood may be passed on: by a node that does not know of a newcomer, and by
// one that has left.
const mostHops = 3

// newFlood returns a ring with triggers: of each identifier for two hosts and a link, of some for many hosts.
func newFlood(t *testing.T, nodes, ids int, seed uint64) *flood {
	return newFloodOn(newRingBed(t, nodes), ids, seed)
}

// newFloodOn is newFlood on a ring that is about to form.
func newFloodOn(b *ringBed, ids int, seed uint64) *flood {
	b.run(30 * machine.Second)
	b.delay = 5 * machine.Millisecond
	slices.SortFunc(b.all, func(p, q chord.Place) int { return cmp.Compare(p.Prefix, q.Prefix) })
	f := &flood{
		ringBed: b, rng: prng.New(seed, 9), triggers: map[i3.ID]int{}, hosts: map[i3.ID][]netip.AddrPort{},
		sent: map[uint32]i3.ID{}, got: map[string]int{}, leaving: map[netip.AddrPort]machine.Time{},
		linger: 2 * machine.Second, // so often hosts look after owners
		most:   mostHops,
	}
	for i := range ids {
		id := i3.NewID(f.rng.Uint64()&^1, i3.Key{5}, f.rng.Uint64())
		f.ids = append(f.ids, id)
		hosts := 2
		if i%50 == 0 {
			hosts = 40
		}
		for k := range hosts {
			f.hosts[id] = append(f.hosts[id], host(k))
		}
		f.insert(id)
	}
	return f
}

// insert inserts the triggers of an identifier, or refreshes them.
func (f *flood) insert(id i3.ID) {
	r := f.owner(id.Prefix())
	r.now = f.now
	link, _ := chain(id, 4, 9)
	ts := []i3.Trigger{link}
	for _, h := range f.hosts[id] {
		ts = append(ts, toHost(id, h))
	}
	f.triggers[id] = len(ts)
	r.insert(ts...)
	r.out.Reset()
}

// run lets time pass while data is sent, and closes nodes that have left.
func (f *flood) run(d machine.Duration) {
	for end := f.now.Add(d); f.now < end; {
		if !f.idle {
			f.send()
		}
		f.ringBed.run(2 * machine.Millisecond)
		for addr, until := range f.leaving {
			switch r := f.rigs[addr]; {
			case r == nil:
			case r.node.Left():
				delete(f.rigs, addr)
			case until == machine.Never && !r.member.Joined():
				f.leaving[addr] = f.now.Add(f.linger)
			}
		}
		f.take()
	}
}

// send sends one packet by way of any node that hosts may think is there.
func (f *flood) send() {
	id, number := f.ids[f.rng.IntN(len(f.ids))], uint32(len(f.sent))
	f.sent[number] = id
	by := f.all[f.rng.IntN(len(f.all))].Addr
	for !f.serves(by) {
		by = f.all[f.rng.IntN(len(f.all))].Addr
	}
	f.mail = append(f.mail, letter{})
	copy(f.mail[1:], f.mail)
	packet := dataWithin(id, f.most, string(binary.BigEndian.AppendUint32(nil, number)))
	f.mail[0] = letter{f.now, bob, by, packet}
}

// serves reports whether hosts may think that a node is there.
func (f *flood) serves(by netip.AddrPort) bool {
	r, until := f.rigs[by], f.leaving[by]
	return r != nil && (until > f.now || until == 0 && r.member.Joined())
}

// take notes what hosts have received.
func (f *flood) take() {
	for _, c := range f.left {
		p, wire, _, err := i3.Next([]byte(c.bytes))
		if payload := i3.Payload(wire); err == nil && p.Kind == i3.KindData && len(payload) == 4 {
			f.got[fmt.Sprint(binary.BigEndian.Uint32(payload), c.to)]++
		}
	}
	f.left = nil
}

// judge returns how many copies are missing, and how many came more than once.
func (f *flood) judge(of func(id i3.ID) bool) (missing, twice int) {
	f.idle = true
	f.run(200 * machine.Millisecond)
	for number, id := range f.sent {
		if of != nil && !of(id) {
			continue
		}
		for _, h := range f.hosts[id] {
			switch f.got[fmt.Sprint(number, h)] {
			case 0:
				missing++
			case 1:
			default:
				twice++
			}
		}
	}
	return missing, twice
}

// lost returns how many triggers their owners do not have.
func (f *flood) lost() (lost int) {
	for _, id := range f.ids {
		r := f.owner(id.Prefix())
		r.now = f.now
		if a := r.ack(id); a.Status == i3.StatusProbed {
			lost += f.triggers[id] - int(a.Count)
		} else {
			lost += f.triggers[id]
		}
		r.out.Reset()
	}
	return lost
}

// leave makes the node with this number, in the order of the ring, leave.
func (f *flood) leave(i int) (r *rig, self chord.Place) {
	self = f.all[i]
	r = f.rigs[self.Addr]
	f.leaving[self.Addr] = machine.Never
	r.node.Leave(f.now, r.out)
	f.post(self.Addr)
	return r, self
}

// total adds up a counter of all nodes that live.
func (f *flood) total(of func(c node.Counters) uint64) (n uint64) {
	for _, r := range f.rigs {
		n += of(r.node.Counters())
	}
	return n
}

// check fails if packets or triggers are lost.
func (f *flood) check() {
	f.Helper()
	missing, twice := f.judge(nil)
	if lost := f.lost(); missing != 0 || twice != 0 || lost != 0 {
		f.Errorf("of %d packets %d copies are missing and %d came twice; %d triggers are lost", len(f.sent), missing, twice,
			lost)
	}
}

// TestLeave: while a node leaves no packet and no trigger is lost, though no host refreshes any.
func TestLeave(t *testing.T) {
	for seed := range uint64(6) {
		f := newFlood(t, 12, 400, seed)
		f.linger += machine.Duration(seed%3) * machine.Second
		f.run(500 * machine.Millisecond)
		r, self := f.leave(int(seed) * 2)
		began := f.now
		for f.rigs[self.Addr] != nil && f.now < began.Add(20*machine.Second) {
			f.run(100 * machine.Millisecond)
		}
		took := f.now.Sub(began)
		f.run(left(began, f.now, 12*machine.Second))
		f.check()
		c := r.node.Counters()
		taken := f.total(func(c node.Counters) uint64 { return c.TakenOver })
		t.Logf("%d triggers taken over, left after %.2f s, %d packets passed on, of %d", taken, took.Seconds(), c.Misdirected,
			len(f.sent))
		if c.LeaveFailed != 0 || c.HandedOver == 0 || taken == 0 {
			t.Errorf("seed %d: counters of the one that left %+v", seed, c)
		}
		if took < f.linger || took > 8*machine.Second {
			t.Errorf("seed %d: left after %.2f s, want 8 at most, and not before hosts have stopped", seed, took.Seconds())
		}
	}
}

// left returns how much of a duration since began is left.
func left(began, now machine.Time, d machine.Duration) machine.Duration {
	return max(0, began.Add(d).Sub(now))
}

// handoverLoss loses a fifth of the handover packets.
func (f *flood) handoverLoss() {
	rng := prng.New(77, 7)
	f.lose = func(_, _ netip.AddrPort, b []byte) bool {
		p, _, _, err := i3.Next(b)
		return err == nil && p.Kind == i3.KindHandover && rng.IntN(5) == 0
	}
}

// TestLeaveUnderLoss: nor if a fifth of the packets of the handover is lost.
func TestLeaveUnderLoss(t *testing.T) {
	f := newFlood(t, 12, 400, 3)
	f.handoverLoss()
	f.run(100 * machine.Millisecond)
	r, _ := f.leave(5)
	f.run(12 * machine.Second)
	f.check()
	if c := r.node.Counters(); c.LeaveFailed != 0 || !r.node.Left() {
		t.Errorf("left %v, counters %+v", r.node.Left(), c)
	}
}

// TestJoinUnderLoss: a node that joins gets all triggers though a fifth of the packets of the handover is lost.
func TestJoinUnderLoss(t *testing.T) {
	f := newFlood(t, 12, 400, 4)
	f.handoverLoss()
	f.idle = true
	r := f.join(f.ids[0].Prefix() + 1)
	f.run(15 * machine.Second)
	if lost := f.lost(); lost != 0 || r.node.Counters().TakenOver < 41 {
		t.Errorf("%d triggers are lost, counters %+v", lost, r.node.Counters())
	}
}

// TestSuccessorDies: the one that takes over dies in the middle of it, and the next one takes over; of what the leaver
// owned nothing is lost.
func TestSuccessorDies(t *testing.T) {
	f := newFlood(t, 6, 1500, 5)
	r, self := f.leave(2)
	next := f.all[3]
	f.run(200 * machine.Millisecond)
	if c := f.rigs[next.Addr].node.Counters(); c.TakenOver == 0 || r.node.Left() || !r.member.Joined() {
		t.Fatalf("after 200 ms the successor has taken over %d triggers, want it to be in the middle", c.TakenOver)
	}
	own := chord.Range{Lo: f.all[1].Prefix, Hi: self.Prefix}
	delete(f.rigs, next.Addr)
	f.run(12 * machine.Second)
	if c := r.node.Counters(); c.LeaveFailed != 0 || r.member.Joined() {
		t.Errorf("a member still: %v, counters %+v", r.member.Joined(), c)
	}
	f.ids = slices.DeleteFunc(f.ids, func(id i3.ID) bool { return !own.Contains(id.Prefix()) })
	lost := f.lost()
	missing, twice := f.judge(func(id i3.ID) bool { return own.Contains(id.Prefix()) })
	if lost != 0 || missing != 0 || twice != 0 {
		t.Errorf("%d triggers are lost, %d copies are missing, %d came twice", lost, missing, twice)
	}
}

// TestNobodyTakesOver: if its successors do not answer, a node leaves all the same after a while, and says so.
func TestNobodyTakesOver(t *testing.T) {
	f := newFlood(t, 6, 100, 6)
	f.idle = true
	f.lose = func(_, _ netip.AddrPort, b []byte) bool {
		p, _, _, err := i3.Next(b)
		return err == nil && p.Kind == i3.KindHandover
	}
	r, _ := f.leave(2)
	f.run(12 * machine.Second)
	if c := r.node.Counters(); c.LeaveFailed != 1 || !r.node.Left() || r.member.Joined() {
		t.Errorf("left %v, a member %v, counters %+v", r.node.Left(), r.member.Joined(), c)
	}
}

// TestNeighboursLeaveAtOnce: nodes next to each other that leave at once hand over one after the other.
func TestNeighboursLeaveAtOnce(t *testing.T) {
	for _, many := range []int{2, 3} {
		f := newFlood(t, 12, 400, 7)
		f.run(100 * machine.Millisecond)
		var rigs []*rig
		for i := range many {
			r, _ := f.leave(4 + i)
			rigs = append(rigs, r)
		}
		f.run(15 * machine.Second)
		f.check()
		for i, r := range rigs {
			if c := r.node.Counters(); c.LeaveFailed != 0 || !r.node.Left() {
				t.Errorf("number %d of %d: left %v, counters %+v", i, many, r.node.Left(), c)
			}
		}
	}
}

// TestRequestsWhileLeaving: while its triggers are taken over a node refreshes those that it has and adds and removes
// none, afterwards it does neither; it answers that another owns them.
func TestRequestsWhileLeaving(t *testing.T) {
	f := newFlood(t, 6, 300, 9)
	f.idle = true
	own := chord.Range{Lo: f.all[1].Prefix, Hi: f.all[2].Prefix}
	id := f.ids[slices.IndexFunc(f.ids, func(id i3.ID) bool { return own.Contains(id.Prefix()) })]
	r, _ := f.leave(2)
	known, other := i3.Insert{Trigger: toHost(id, host(0))}, i3.Insert{Trigger: toHost(id, bob)}
	want := func(when string, refresh, insert, remove i3.Status) {
		t.Helper()
		r.now = f.now
		got := [3]i3.Status{r.status(known), r.status(other), r.ask(bob, i3.KindRemove, known)[0].Status}
		if got != [3]i3.Status{refresh, insert, remove} {
			t.Errorf("%s: refresh, insertion and removal: %v", when, got)
		}
		r.out.Reset()
	}
	f.run(50 * machine.Millisecond)
	want("while its triggers are taken over", i3.StatusRefreshed, i3.StatusNotOwner, i3.StatusNotOwner)
	f.run(2 * machine.Second)
	r.receive(bob, data(id, "x"))
	if fs := r.out.Forwards(); len(fs) != 1 || fs[0].To != f.all[3].Addr {
		t.Errorf("afterwards it makes %d copies of a packet, want one for the successor", len(fs))
	}
	want("afterwards", i3.StatusNotOwner, i3.StatusNotOwner, i3.StatusNotOwner)
	r = f.owner(id.Prefix())
	want("the successor", i3.StatusRefreshed, i3.StatusInserted, i3.StatusRemoved)
}

// TestLeaveFixedRing: a node of a fixed ring has nobody to tell, and one that has not joined has nothing to leave.
func TestLeaveFixedRing(t *testing.T) {
	r := newRig(t, config())
	if r.node.Left() {
		t.Error("it has left before")
	}
	r.node.Leave(start, r.out)
	if !r.node.Left() || !r.out.Empty() {
		t.Error("it has not left at once")
	}
	b := newRingBed(t, 1)
	r = b.join(7)
	r.node.Leave(b.now, r.out)
	b.run(10 * machine.Second)
	if c := r.node.Counters(); !r.node.Left() || r.member.Joined() || c.LeaveFailed != 0 {
		t.Errorf("left %v, a member %v, counters %+v", r.node.Left(), r.member.Joined(), c)
	}
}
