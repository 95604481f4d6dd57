package node_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// A couple is two nodes that talk to each other: near owns the first half of the circle, far the second.
type couple struct {
	near, far *rig
	last      []byte // pushback that far sent
}

func pushing(self netip.AddrPort, epoch uint32) node.Config {
	owned, _ := ring.RangeOf(self)
	cfg := config()
	cfg.Self, cfg.Range, cfg.Epoch, cfg.Pushback = self, owned, epoch, true
	return cfg
}

func newCouple(f failer) *couple {
	return &couple{near: newRig(f, pushing(home, 1)), far: newRig(f, pushing(away, 1))}
}

// send gives near a packet for an identifier, far what near makes of it, and near what far says to that. It reports
// whether a copy reached a host.
func (p *couple) send(id i3.ID) (delivered bool) {
	p.near.receive(bob, data(id, "x"))
	var over [][]byte
	for _, c := range p.near.copies() {
		if c.to == away {
			over = append(over, []byte(c.bytes))
		}
	}
	p.far.receive(home, over...)
	delivered = len(p.far.copies()) > 0
	for _, s := range p.far.out.Sends() {
		p.last = append(p.last[:0], s.Bytes...)
		p.near.receive(away, s.Bytes)
	}
	return delivered
}

func (p *couple) sleep(d machine.Duration) {
	p.near.sleep(d)
	p.far.sleep(d)
}

// settle lets far own its range for so long that it knows what is not there, with a packet that begins that time.
func (p *couple) settle() {
	link, _ := chain(local(77), 1<<63+2, 0)
	p.near.insert(link)
	p.send(link.ID)
	p.sleep(lifetime + machine.Second)
}

// A link that leads to nothing is removed with the second packet that finds that out, not before its time, and the
// first node of a branch learns it from the second. A refresh in between begins anew; what leads somewhere stays.
func TestPushbackPrunes(t *testing.T) {
	p := newCouple(t)
	p.settle()
	dead, _ := chain(local(1), 1<<63+10, 0)
	live, there := chain(local(2), 1<<63+20, 0)
	p.near.insert(dead, live)
	p.far.insert(toHost(there, alice))
	step := func(what string, d machine.Duration, matches int) {
		t.Helper()
		p.sleep(d)
		p.send(dead.ID)
		if !p.send(live.ID) {
			t.Fatalf("%s: the live branch is gone", what)
		}
		if n := p.near.matches(dead.ID); n != matches {
			t.Fatalf("%s: %d links of the dead branch, want %d", what, n, matches)
		}
	}
	step("young", machine.Second, 1)
	step("young still", machine.Second, 1)
	step("first", 3*machine.Second, 1)
	step("too soon", 200*machine.Millisecond, 1)
	p.near.insert(dead) // a refresh
	step("refreshed", 400*machine.Millisecond, 1)
	step("first again", 3*machine.Second, 1)
	step("second", 300*machine.Millisecond, 0)
	if len(p.last) != i3.HeaderSize || len(p.last) > len(data(dead.ID, "")) {
		t.Errorf("a pushback has %d bytes", len(p.last))
	}
	if c := p.near.node.Counters(); c.Pruned != 1 {
		t.Errorf("counters %+v, want one link pruned", c)
	}
}

// Upward: the node of a link that has nothing left itself tells the one before it.
func TestPushbackGoesUp(t *testing.T) {
	p := newCouple(t)
	p.near.receive(bob, data(local(66), "nothing is there"))
	p.settle()
	up, middle := chain(local(1), 1<<63+10, 0) // from near to far
	down, _ := chain(middle, 100, 0)           // and back, to nothing
	p.near.insert(up)
	p.far.insert(down)
	for range 40 {
		p.sleep(400 * machine.Millisecond)
		p.near.receive(bob, data(up.ID, "x"))
		for _, c := range p.near.copies() {
			p.far.receive(home, []byte(c.bytes))
			sends, copies := p.far.out.Sends(), p.far.copies()
			for _, s := range sends {
				p.near.receive(away, s.Bytes)
			}
			for _, c := range copies {
				p.near.receive(away, []byte(c.bytes))
				for _, s := range p.near.out.Sends() {
					p.far.receive(home, s.Bytes)
				}
			}
		}
	}
	if p.far.node.Counters().Pruned != 1 || p.near.node.Counters().Pruned != 1 {
		t.Errorf("pruned %d at the end and %d above, want both links",
			p.far.node.Counters().Pruned, p.near.node.Counters().Pruned)
	}
}

// A node that has lost its memory tells nobody for a lifetime; a node that is told to keep still never does.
func TestPushbackGrace(t *testing.T) {
	p := newCouple(t)
	dead, _ := chain(local(1), 1<<63+10, 0)
	p.near.insert(dead)
	for i := range 80 {
		p.sleep(lifetime / 40)
		if i%10 == 0 {
			p.near.insert(dead)
		}
		p.send(dead.ID)
		told := p.far.node.Counters().Pushbacks > 0
		if grace := i < 40; grace && told || !grace && i > 42 && !told {
			t.Fatalf("after %v of a lifetime: told %v", float64(i)/40, told)
		}
	}
	p.far = newRig(t, pushing(away, 2))
	p.far.now = p.near.now
	p.near.insert(dead)
	for range 30 {
		p.sleep(lifetime / 40)
		p.send(dead.ID)
	}
	if n := p.far.node.Counters().Pushbacks; n > 0 {
		t.Errorf("%d pushbacks of a node that has just begun", n)
	}
	still := newCouple(t)
	cfg := pushing(away, 1)
	cfg.Pushback = false
	still.far = newRig(t, cfg)
	still.near.insert(dead)
	for range 200 {
		still.sleep(lifetime / 40)
		still.send(dead.ID)
	}
	if n := still.far.node.Counters().Pushbacks; n > 0 {
		t.Errorf("%d pushbacks of a node that is to send none", n)
	}
}

// Whatever comes and goes, and though the far node loses its memory now and then, no branch is cut whose host looks
// after it; one whose host has gone is, if packets come.
func TestPushbackCutsNothingAlive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newCouple(t)
		const branches = 6
		var links, ends [branches]i3.Trigger
		var wanted [branches]bool
		for i := range links {
			link, there := chain(local(uint64(i)), 1<<63+uint64(20*i)+10, 0)
			links[i], ends[i] = link, toHost(there, alice)
		}
		epoch := uint32(1)
		ticks := rapid.IntRange(60, 240).Draw(t, "ticks")
		for tick := range ticks {
			p.sleep(lifetime / 20)
			if i := rapid.IntRange(0, 4*branches).Draw(t, "change"); i < branches {
				wanted[i] = !wanted[i]
			} else if i == branches && epoch < 4 {
				epoch++
				now := p.far.now
				p.far = newRig(t, pushing(away, epoch))
				p.far.now = now
			}
			for i := range links {
				if wanted[i] && (tick+i)%8 == 0 || wanted[i] && p.near.matches(links[i].ID) == 0 {
					p.far.insert(ends[i]) // a host refreshes what is its own, then its link
					p.near.insert(links[i])
				}
			}
			before := p.near.node.Counters().Pruned
			for i := range links {
				p.send(links[i].ID)
				after := p.near.node.Counters().Pruned
				if after != before && wanted[i] {
					t.Fatalf("tick %d: the link of branch %d was removed though its host is there", tick, i)
				}
				before = after
			}
		}
	})
}

// TestAttackForgedPushback: who does not see a link's packets cannot remove it, from any address; who does see them
// cannot from a wrong one, nor with the cookie of another link.
func TestAttackForgedPushback(t *testing.T) {
	p, rng := newCouple(t), rand.New(rand.NewPCG(3, 3))
	var cookies []uint32
	var links []i3.Trigger
	for i := range uint64(8) {
		link, _ := chain(local(i), 1<<63+20*i+10, 0)
		p.near.insert(link)
		links = append(links, link)
		p.near.receive(bob, data(link.ID, "x"))
		cookies = append(cookies, i3.Cookie([]byte(p.near.copies()[0].bytes)))
	}
	p.sleep(5 * machine.Second)
	pruned := func() uint64 { return p.near.node.Counters().Pruned }
	forge := func(from netip.AddrPort, i int, cookie uint32) {
		to, _ := links[i].Target.ID()
		p.near.receiveInPlace(from, i3.Packet{Kind: i3.KindPushback, HopLimit: 1, Flow: cookie, ID: to}.AppendTo(nil))
	}
	n := volume(50_000, 1_000_000)
	for i := range n {
		if i%1000 == 0 {
			p.near.insert(links...) // their hosts are there
		}
		if i%1000 == 500 {
			p.near.now = p.near.now.Add(4 * machine.Second)
		}
		if i%1000 == 750 {
			p.near.now = p.near.now.Add(machine.Second / 2) // a second time
		}
		k := i % len(links)
		switch i % 3 {
		case 0: // a guess, as if from the owner
			cookie := rng.Uint32()
			if cookie == cookies[k] {
				cookie++
			}
			forge(away, k, cookie)
		case 1: // the right one, seen on the way, from elsewhere
			forge(mallory, k, cookies[k])
		case 2: // another link's
			forge(away, k, cookies[(k+1)%len(links)])
		}
	}
	if pruned() > 0 {
		t.Errorf("%d links removed by %d forged pushbacks", pruned(), n)
	}
	t.Logf("%d of %d forged pushbacks accepted", pruned(), n)
	p.near.sleep(5 * machine.Second)
	forge(away, 0, cookies[0])
	p.near.sleep(machine.Second)
	forge(away, 0, cookies[0])
	if pruned() != 1 {
		t.Error("the true one removes nothing: the attack tries nothing")
	}
}

// A flood of packets that nothing matches makes a node send no more pushbacks than its rate.
func TestPushbackRate(t *testing.T) {
	p := newCouple(t)
	p.settle()
	flood := i3.Packet{Kind: i3.KindData, HopLimit: 9, Cookie: 7, ID: remote(9)}.AppendTo(nil)
	for range 2000 {
		p.far.receive(mallory, flood, flood, flood)
		p.far.now = p.far.now.Add(machine.Millisecond)
	}
	if n := p.far.node.Counters().Pushbacks; n < 200 || n > 310 {
		t.Errorf("%d pushbacks in two seconds, want 100 a second and 100 at once", n)
	}
}
