package chord_test

import (
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// leave makes a member leave.
func (n *network) leave(p *peer) {
	p.Leave(n.now, n.out)
	n.after(p)
}

// close ends those that have left.
func (n *network) close() {
	for _, p := range n.members {
		p.dead = p.dead || p.Left()
	}
}

// around returns the members before and after the one with number i, and that itself.
func around(live []*peer, i int) (pred, p, next *peer) {
	return live[(i+len(live)-1)%len(live)], live[i], live[(i+1)%len(live)]
}

// TestLeave: when a member leaves, those next to it know as soon as they have asked it, and nobody waits for answers
// that do not come.
func TestLeave(t *testing.T) {
	worst := machine.Duration(0)
	for seed := range uint64(chord.Share(20)) {
		n := formed(t, seed, 24)
		n.run(3 * machine.Second)
		pred, p, next := around(n.live(), int(seed))
		silent := pred.Counters().Silent + next.Counters().Silent
		began := n.now
		n.leave(p)
		knows := func() bool {
			r, ok := next.Range()
			return pred.Successors()[0] == next.place && ok && r.Lo == pred.place.Prefix
		}
		for !knows() && n.now < began.Add(5*machine.Second) {
			n.run(5 * machine.Millisecond)
		}
		worst = max(worst, n.now.Sub(began))
		if got := pred.Counters().Silent + next.Counters().Silent; got != silent {
			t.Errorf("seed %d: %d members are taken for dead, want none", seed, got-silent)
		}
		if !p.Left() || p.Joined() {
			t.Errorf("seed %d: left %v, joined %v, want true and false", seed, p.Left(), p.Joined())
		}
		owner, ok := p.Owner(p.place.Prefix)
		if !ok || owner != next.place.Addr {
			t.Errorf("seed %d: the one that has left thinks that its prefixes are owned by %v, want %v", seed, owner, next.place)
		}
		n.settle(23, 10)
	}
	// Six times the way between two that are far apart: notice, question, answer; and then the tell, question, answer.
	if t.Logf("known after %.0f ms at most", worst.Seconds()*1000); worst > 6*81*machine.Millisecond {
		t.Errorf("known after %.0f ms, want 486 at most", worst.Seconds()*1000)
	}
}

// TestLeaveForwards: a member that has left knows who owns what was its own, though its successor leaves or dies, and
// though another joins there.
func TestLeaveForwards(t *testing.T) {
	n := formed(t, 7, 24)
	live := n.live()
	_, p, next := around(live, 5)
	n.leave(p)
	n.run(2 * machine.Second)
	told := next.Counters().Told
	n.run(10 * machine.Second)
	if told = next.Counters().Told - told; told > 15 { // by the one before, once a second
		t.Errorf("%d times others say that they are before the next one, want 15 at most", told)
	}
	n.leave(next)
	n.run(4 * machine.Second)
	if a, ok := p.Owner(p.place.Prefix); !ok || a != live[7].place.Addr {
		t.Errorf("after the next one has left, the owner is %v, %v, want %v", a, ok, live[7].place)
	}
	live[7].dead = true
	n.run(8 * machine.Second)
	if a, ok := p.Owner(p.place.Prefix); !ok || a != live[8].place.Addr {
		t.Errorf("after the one behind that has died, the owner is %v, %v, want %v", a, ok, live[8].place)
	}
}

// TestLeaveWithoutAnswer: a member that nobody answers has left all the same, soon; the others find out.
func TestLeaveWithoutAnswer(t *testing.T) {
	n := formed(t, 8, 24)
	_, p, _ := around(n.live(), 5)
	n.cutOff = p
	n.leave(p)
	n.run(50 * machine.Millisecond)
	if p.Left() {
		t.Error("it has left before anybody can know")
	}
	n.run(3 * machine.Second)
	if !p.Left() {
		t.Error("it has not left after three seconds")
	}
	n.settle(23, 30)
}

// TestLeaveBeforeJoining: who has yet to join has nothing to leave, and does not join any more; the last of a ring has
// nobody to tell.
func TestLeaveBeforeJoining(t *testing.T) {
	n := formed(t, 9, 3)
	p := n.add(n.live()[0])
	n.run(machine.Millisecond) // it has asked
	n.leave(p)
	if !p.Left() {
		t.Error("it has not left at once")
	}
	finds := p.Counters().Finds
	n.run(5 * machine.Second)
	if c := p.Counters(); p.Joined() || c.Joined != 0 || c.Finds != finds {
		t.Errorf("it has joined %d times, and looked for its place %d times more", c.Joined, c.Finds-finds)
	}
	for _, p := range n.live() {
		n.leave(p)
		n.run(5 * machine.Second)
		if !p.Left() {
			t.Errorf("%v has not left", p.place)
		}
	}
}

// TestNeighboursLeave: some that are next to each other leave at once, and there is one ring at any time.
func TestNeighboursLeave(t *testing.T) {
	for seed := range uint64(chord.Share(20)) {
		n := formed(t, seed, 24)
		n.loss = float64(seed%3) / 10
		live := n.live()
		for i := range 2 + int(seed)%4 {
			n.leave(live[(int(seed)+i)%24])
		}
		for range 40 {
			n.run(50 * machine.Millisecond)
			if err := n.oneRing(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		n.loss = 0
		n.settle(22-int(seed)%4, 30)
	}
}

// TestForgedLeave: who says that others have left, in their names, has as many questions asked as it sends notices, and
// not more bytes; and changes nothing.
func TestForgedLeave(t *testing.T) {
	n := formed(t, 10, 24)
	pred, p, next := around(n.live(), 5)
	stranger := chord.Place{Prefix: p.place.Prefix + 1, Addr: netip.MustParseAddrPort("10.9.9.9:1")}
	n.byAddr[stranger.Addr] = &peer{place: stranger, dead: true}
	most, answers := 0, 0
	for i := range 2000 {
		of := []chord.Place{p.place, p.place, stranger, n.live()[15].place}[i%4]
		to := []*peer{pred, next}[i/4%2]
		b := ringPacket(leave, 0, tellSize, of, nil)
		before := to.Counters().Asked
		to.Receive(n.now, []machine.Datagram{{From: of.Addr, Bytes: b}}, n.out)
		sent := 0
		for _, s := range n.out.Sends() {
			sent += len(s.Bytes)
		}
		most = max(most, sent)
		if asked := to.Counters().Asked - before; asked > 1 || sent > len(b) || of != p.place && asked > 0 {
			t.Fatalf("a notice of %d bytes about %v has %d questions and %d bytes sent", len(b), of, asked, sent)
		}
		answers += sent
		n.after(to)
		n.run(5 * machine.Millisecond)
		if err := n.ringError(); err != nil {
			t.Fatal(err)
		}
	}
	if n.run(2 * machine.Second); n.ringError() != nil || most == 0 {
		t.Errorf("%v, and %d bytes sent for a notice at most", n.ringError(), most)
	}
	if short := ringPacket(leave, 0, tellSize-1, p.place, nil); true {
		dropped := pred.Counters().DropMalformed
		pred.Receive(n.now, []machine.Datagram{{From: p.place.Addr, Bytes: short}}, n.out)
		if pred.Counters().DropMalformed != dropped+1 || len(n.out.Sends()) > 0 {
			t.Error("a short notice is not dropped")
		}
	}
	t.Logf("%d bytes sent for 2000 notices of %d", answers, tellSize+48)
}

// TestLeftIsNoFinger: a member forgets one that has left as a finger when it hears from it.
func TestLeftIsNoFinger(t *testing.T) {
	n := formed(t, 11, 100)
	n.run(20 * machine.Second)
	q, p := n.farFinger()
	prefix := p.place.Prefix + 1
	n.leave(p)
	n.run(300 * machine.Millisecond)
	if _, ok := q.Find(n.now, prefix, n.out); !ok {
		t.Fatal("no lookup")
	}
	n.after(q)
	n.run(300 * machine.Millisecond)
	if a, _ := q.Owner(prefix); a == p.place.Addr {
		t.Errorf("%v sends to %v, which has told it that it has left", q.place, p.place)
	}
}

// farFinger returns a member and one that it knows though it does not follow it.
func (n *network) farFinger() (q, p *peer) {
	for _, q := range n.live() {
		for _, p := range n.live() {
			a, _ := q.Owner(p.place.Prefix + 1)
			if a == p.place.Addr && p != q && !slices.Contains(q.Successors(), p.place) {
				return q, p
			}
		}
	}
	n.t.Fatal("nobody has a finger")
	return nil, nil
}

// TestOwnerIsSelf: a member says that it is the owner of what it owns and of nothing else, also while others come and
// go and its list, which goes all the way round, does not have them yet, or still.
func TestOwnerIsSelf(t *testing.T) {
	n := formed(t, 12, 8)
	wrong := 0
	for i := range 12 {
		if i%3 == 2 {
			n.leave(n.live()[n.rng.IntN(len(n.live()))])
		} else {
			n.add(n.live()...)
		}
		for range 300 {
			n.run(2 * machine.Millisecond)
			for _, p := range n.live() {
				prefix := n.rng.Uint64()
				owned, ok := p.Range()
				if a, _ := p.Owner(prefix); ok && (a == p.place.Addr) != owned.Contains(prefix) {
					wrong++
				}
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d times a member is wrong about what it owns itself", wrong)
	}
}
