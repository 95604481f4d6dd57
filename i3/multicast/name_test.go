package multicast_test

import (
	"bytes"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/testbed"
)

var (
	doorSecret = [32]byte{1, 2, 3}
	ticket     = []byte("a ticket that members have")
)

// newHouse returns a bed whose receivers know the group by its public name alone, and have the ticket or not.
func newHouse(t *testing.T, loss testbed.Loss, shown *multicast.Name) *bed {
	t.Helper()
	shown.ID, shown.Entropy = multicast.PublicName(doorSecret), [32]byte{9}
	return newBed(t, setup{seed: 31, degree: 2, loss: loss, group: multicast.Config{
		Key: groupKey, Name: shown,
		Door: &multicast.Door{Secret: doorSecret, Admit: func(a multicast.Asker) bool { return a.Proves(ticket) }},
	}})
}

// Receivers that know a group's public name, and prove that they have the ticket, join and are like any others: also
// when asks and answers are lost. Neither the group's identifier nor its key crosses the network in the clear on the
// way, and no ask comes to the tree.
func TestJoinByName(t *testing.T) {
	for _, loss := range []testbed.Loss{{}, testbed.PaperLoss(3)} {
		b := newHouse(t, loss, &multicast.Name{Secret: ticket})
		asked := 0
		b.spies = append(b.spies, func(at string, p i3.Packet, m multicast.Message, body []byte) {
			if m.Type == multicast.TypeAsk {
				if asked++; at != "S" || p.Kind != i3.KindData {
					t.Errorf("an ask comes to %s in a packet of kind %v", at, p.Kind)
				}
			}
			open := bytes.Contains(body, b.Group().AppendTo(nil)) || bytes.Contains(body, groupKey[:])
			if m.Type == multicast.TypeAdmit && open {
				t.Error("an answer can be read by all")
			}
		})
		b.grow(6)
		b.send(20, 50*millisecond)
		b.quiesce(60 * second)
		b.judge()
		if n := b.Source().Machine.AskCounters(); asked < 6 || n.Admitted < 6 || n.Refused > 0 || n.DropKey > 0 {
			t.Errorf("%d asks, counters %+v", asked, n)
		}
		for _, r := range b.rs { // and again
			b.leave(r)
			r.gone, r.joined = false, 0
			b.join(r)
		}
	}
}

// Who has no ticket, or another, is not let in, and is told so at once. Without a door nobody answers.
func TestNotAdmitted(t *testing.T) {
	for name, shown := range map[string]*multicast.Name{
		"nothing": {}, "the ticket itself": {Token: ticket}, "another ticket": {Secret: []byte("guess")},
	} {
		b := newHouse(t, testbed.Loss{}, shown)
		r := b.add(1)[0]
		r.Join()
		b.world.Sleep(second / 2)
		if r.failed != 1 || !r.Machine.Denied() || !r.Machine.Idle() || len(r.Machine.Chain()) > 0 {
			t.Errorf("%s: failed %d times, denied %v, chain %v", name, r.failed, r.Machine.Denied(), r.Machine.Chain())
		}
		if n := b.Source().Machine.AskCounters(); n.Refused != 1 || n.Admitted != 0 {
			t.Errorf("%s: counters %+v", name, n)
		}
	}
	doorless := multicast.Name{ID: multicast.PublicName(doorSecret)}
	b := newBed(t, setup{seed: 32, group: multicast.Config{Name: &doorless}})
	r := b.add(1)[0]
	r.Join()
	b.world.Sleep(10 * second)
	if r.failed != 1 || r.Machine.Denied() || !r.Machine.Idle() {
		t.Errorf("without a door: failed %d times, denied %v", r.failed, r.Machine.Denied())
	}
}

// A receiver that asks can be told to leave.
func TestLeaveWhileAsking(t *testing.T) {
	doorless := multicast.Name{ID: multicast.PublicName(doorSecret)}
	b := newBed(t, setup{seed: 33, group: multicast.Config{Name: &doorless}})
	r := b.add(1)[0]
	r.Join()
	b.world.Sleep(millisecond)
	r.Leave()
	b.world.Sleep(20 * second)
	if r.left != 1 || r.failed != 0 || !r.Machine.Idle() {
		t.Errorf("left %d times, failed %d, idle %v", r.left, r.failed, r.Machine.Idle())
	}
}

// TestAttackNameHijack: nobody but the source can have a trigger for the public name.
func TestAttackNameHijack(t *testing.T) {
	b := newHouse(t, testbed.Loss{}, &multicast.Name{Secret: ticket})
	p, name := newProber(b), multicast.PublicName(doorSecret)
	for i := range volume(200, 20_000) {
		target := i3.NewID(uint64(2*i), i3.RightKey(name), uint64(i))
		switch i % 4 {
		case 1:
			target = b.Group()
		case 2:
			target = i3.NewID(uint64(2*i), name.Key(), 0)
		case 3:
			target = i3.NewID(uint64(2*i), i3.LeftKeyOf(name.Key()), 0)
		}
		hijack := i3.Trigger{ID: name.WithSuffix(uint64(i)), Target: i3.ToID(target)}
		a := p.ask(i3.KindInsert, i3.Insert{Trigger: hijack})
		if a.Status.Alive() {
			t.Fatalf("a trigger of the name leads to %v", target)
		}
	}
	b.grow(1)
}

// TestAttackAskFlood: a source answers no more asks a second than it is told to, each with no more bytes than it has,
// and goes on answering afterwards.
func TestAttackAskFlood(t *testing.T) {
	b := newHouse(t, testbed.Loss{}, &multicast.Name{Secret: ticket})
	p, name := newProber(b), multicast.PublicName(doorSecret)
	n := volume(5_000, 100_000)
	ask := multicast.Ask{Key: [32]byte{9}, ReplyTo: p.ep.Addr()}
	message := ask.AppendTo(multicast.Message{Type: multicast.TypeAsk, Seq: 1}.AppendTo(nil))
	began := b.world.Now()
	for range n {
		p.sendTo(name, message)
		b.world.Sleep(millisecond)
	}
	most := int(b.world.Now().Sub(began)/second+2) * multicast.DefaultAsks
	count := b.Source().Machine.AskCounters()
	answered := int(count.Refused)
	if answered > most || answered < most/2 || count.DropRate == 0 || len(p.told) != answered {
		t.Errorf("%d asks, %d answers came, at most %d wanted; counters %+v", n, len(p.told), most, count)
	}
	for _, answer := range p.told {
		if len(answer) > len(message) {
			t.Fatalf("an answer has %d bytes, the ask %d", len(answer), len(message))
		}
	}
	b.world.Sleep(2 * second)
	b.grow(1)
}

// TestAttackForgedAdmit: whoever knows the name, and even sees the asks, cannot answer them.
func TestAttackForgedAdmit(t *testing.T) {
	b := newHouse(t, testbed.Loss{}, &multicast.Name{Secret: ticket})
	var ask i3.Packet
	var asker [32]byte
	var seq uint64
	b.spies = append(b.spies, func(_ string, p i3.Packet, m multicast.Message, body []byte) {
		if m.Type == multicast.TypeAsk {
			ask, seq, asker = p, m.Seq, [32]byte(body)
		}
	})
	r := b.add(1)[0]
	r.drop = func(p i3.Packet, _ []byte) bool { return p.Kind == i3.KindDirect } // it gets no true answer
	r.Join()
	b.world.Sleep(second / 2)
	v := &victim{receiver: r, out: machine.NewOutbox(0, 0, 0)}
	n, accepted := volume(2_000, 20_000), 0
	for i := range n {
		m := multicast.Message{Type: multicast.TypeAdmit, Seq: seq}
		forged := multicast.ForgeAdmit([32]byte{byte(i), byte(i >> 8), 7}, asker, ask.ID, m, b.Group(), i)
		if v.accepts(i3.Packet{Kind: i3.KindDirect, HopLimit: 1, ID: ask.ID}, forged) {
			accepted++
		}
	}
	if accepted > 0 || seq == 0 || r.Machine.Counters().DropTag != uint64(n) {
		t.Errorf("%d of %d answers accepted, counters %+v", accepted, n, r.Machine.Counters())
	}
	r.drop = nil
	b.until("the true answer", 10*second, func() bool { return r.joined > 0 })
}
