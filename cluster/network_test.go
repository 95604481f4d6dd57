package cluster_test

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"i3bench/cluster"
	"i3bench/i3/machine"
)

// A uniform network is the same for all paths.
type uniform struct {
	delay machine.Duration
	loss  float64
	muted atomic.Bool
}

func (u *uniform) Path(_, _ netip.AddrPort) machine.Path {
	if u.muted.Load() {
		return machine.Path{Delay: u.delay}
	}
	return machine.Path{Delay: u.delay, Loss: u.loss}
}

// A datagram on a path with a delay arrives no earlier than that, and those of one path arrive in order.
func TestImposedDelay(t *testing.T) {
	const delay = 20 * machine.Millisecond
	onAll(t, &uniform{delay: delay}, func(t *testing.T, r rig) {
		a, b := r.start(t), r.start(t)
		var sent []machine.Time
		for n := range 10 {
			a.ep.Do(func(now machine.Time, out *machine.Outbox) {
				sent = append(sent, now)
				out.Forward(b.ep.Addr(), []byte(fmt.Sprint(n)), nil)
			})
		}
		for n, d := range b.await(t, len(sent)) {
			if d.now < sent[n].Add(delay) {
				t.Errorf("datagram %d took %d ns, the path takes %d", n, d.now.Sub(sent[n]), delay)
			}
			if d.text != fmt.Sprint(n) || d.from != a.ep.Addr() {
				t.Errorf("datagram %d is %q from %v", n, d.text, d.from)
			}
		}
	})
}

// A delayBySender is a network in which only the sender matters.
type delayBySender struct{ delays sync.Map }

func (d *delayBySender) Path(from, _ netip.AddrPort) machine.Path {
	delay, _ := d.delays.LoadOrStore(from, machine.Duration(0))
	return machine.Path{Delay: delay.(machine.Duration)}
}

// A datagram of a long path does not hold up one of a short path, and its bytes are still its own when it arrives,
// whatever was read in between.
func TestPathsDoNotWaitForEachOther(t *testing.T) {
	network := &delayBySender{}
	onAll(t, network, func(t *testing.T, r rig) {
		far, near, b := r.start(t), r.start(t), r.start(t)
		network.delays.Store(far.ep.Addr(), 300*machine.Millisecond)
		want := strings.Repeat("far", 100)
		far.send(b.ep.Addr(), want)
		for n := range 50 {
			near.send(b.ep.Addr(), strings.Repeat("NEAR", 100))
			b.await(t, n+1)
		}
		b.await(t, 51)
		if got := b.stream(far.ep.Addr()); got != want {
			t.Errorf("the far datagram arrived as %.40q", got)
		}
		// It is the last unless the machine stood still for as long as its path takes.
		if got := b.await(t, 51); got[50].from != far.ep.Addr() && got[50].now.Sub(got[0].now) < 300*machine.Millisecond {
			t.Error("the far datagram did not come last")
		}
	})
}

// The share of datagrams lost is the path's probability within five standard deviations; none is lost while the
// network is muted. What was read is what arrived and what was lost.
func TestImposedLoss(t *testing.T) {
	const count, batch, rate = 1500, 50, 0.3
	network := &uniform{loss: rate}
	onAll(t, network, func(t *testing.T, r rig) {
		network.muted.Store(false)
		a, b := r.start(t), r.start(t)
		offer := func() (lost, arrived uint64) {
			_, readBefore, lostBefore, _ := r.count()
			before := b.received()
			for n := range count {
				a.send(b.ep.Addr(), "x")
				if n%batch != batch-1 {
					continue
				}
				all := func() bool { _, read, _, _ := r.count(); return read-readBefore == uint64(n+1) }
				if !r.until(all) { // small bursts, for which sockets have room
					_, read, _, _ := r.count()
					t.Fatalf("%d of %d datagrams were read", read-readBefore, n+1)
				}
			}
			complete := func() bool {
				_, _, l, _ := r.count()
				lost, arrived = l-lostBefore, uint64(b.received()-before)
				return lost+arrived == count
			}
			if !r.until(complete) {
				t.Fatalf("%d lost and %d arrived of %d", lost, arrived, count)
			}
			return lost, arrived
		}
		lost, _ := offer()
		if deviation := math.Abs(float64(lost) - count*rate); deviation > 5*math.Sqrt(count*rate*(1-rate)) {
			t.Errorf("%d of %d lost, the probability is %v", lost, count, rate)
		}
		network.muted.Store(true)
		if lost, _ := offer(); lost != 0 {
			t.Errorf("%d lost in a muted network", lost)
		}
	})
}

// Which datagrams of a path are lost depends on the seed.
func TestSeedDecidesLosses(t *testing.T) {
	pattern := func(seed uint64) (lost []bool) {
		w := cluster.New(cluster.Config{Seed: seed, Shards: 1, Network: &uniform{loss: 0.5}})
		r := udpRig(w)
		a, b := r.start(t), r.start(t)
		for n := range 64 {
			a.send(b.ep.Addr(), fmt.Sprint(n))
		}
		if !r.until(func() bool { return b.received()+int(w.Counters().Lost) == 64 }) {
			t.Fatalf("%d received, %+v", b.received(), w.Counters())
		}
		lost = make([]bool, 64)
		for i := range lost {
			lost[i] = true
		}
		b.look(func() {
			for _, d := range b.got {
				var n int
				fmt.Sscan(d.text, &n)
				lost[n] = false
			}
		})
		return lost
	}
	if one, two := pattern(1), pattern(2); fmt.Sprint(one) == fmt.Sprint(two) {
		t.Errorf("seeds 1 and 2 lose the same of 64 datagrams: %v", one)
	}
}

// Every datagram is accounted for: sent = read, and read = handed to machines + lost + filtered + dropped for want of
// one, too long or without room.
func TestCountersAddUp(t *testing.T) {
	onUDP(t, cluster.Config{Seed: 3, Network: &uniform{loss: 0.2, delay: machine.Millisecond}},
		func(t *testing.T, w *cluster.World) {
			r := udpRig(w)
			a, b := r.start(t), r.start(t)
			b.ep.SetFilter(func(d machine.Datagram) bool { return len(d.Bytes)%3 != 0 })
			var arrived atomic.Uint64
			b.look(func() {
				b.receive = func(machine.Time, machine.Datagram, *machine.Outbox) { arrived.Add(1) }
			})
			for n := range 200 {
				a.send(b.ep.Addr(), strings.Repeat("x", 1+n%7))
			}
			a.send(b.ep.Addr(), strings.Repeat("x", 5000)) // longer than a buffer
			var c cluster.Counters
			balanced := func() bool {
				c = w.Counters()
				return c.Received == c.Sent && c.Received == arrived.Load()+c.Lost+c.Filtered+c.Truncated+c.Overflow
			}
			if !r.until(balanced) || c.Sent != 201 || c.SendErrors != 0 {
				t.Errorf("201 sent, %d arrived, %+v", arrived.Load(), c)
			}
			if c.Lost == 0 || c.Filtered == 0 || c.Truncated != 1 {
				t.Errorf("%+v: expected losses, filtered ones and one too long", c)
			}
		})
}

// On shared sockets datagrams for addresses where no machine runs are read, and counted as that.
func TestNoHostIsCounted(t *testing.T) {
	w := cluster.New(cluster.Config{Shards: 1})
	r := udpRig(w)
	a, closed := r.start(t), r.start(t)
	idle, err := r.open() // never started
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if closed.ep.Addr().Addr().Is4In6() || closed.ep.Addr().Addr().As4()[1] != 1 {
		t.Skip("this system has no shared sockets: the kernel drops such datagrams")
	}
	closed.ep.Close()
	nobody := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, 200, 200}), a.ep.Addr().Port())
	for _, to := range []netip.AddrPort{idle.Addr(), closed.ep.Addr(), nobody} {
		a.send(to, "x")
	}
	if !r.until(func() bool { return w.Counters().NoHost == 3 }) {
		t.Errorf("%+v, expected 3 datagrams for nobody", w.Counters())
	}
}

// A datagram that is longer than a buffer is dropped and counted, not cut; the longest that fits arrives.
func TestTruncated(t *testing.T) {
	const longest = 2048
	onUDP(t, cluster.Config{}, func(t *testing.T, w *cluster.World) {
		b := udpRig(w).start(t)
		conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(b.ep.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, size := range []int{longest + 1, 60000, longest, 0, 1} {
			if _, err := conn.Write(bytes.Repeat([]byte("."), size)); err != nil {
				t.Fatal(err)
			}
		}
		got := b.await(t, 3)
		sizes := fmt.Sprint(len(got[0].text), len(got[1].text), len(got[2].text))
		if c := w.Counters(); len(got) != 3 || sizes != fmt.Sprint(longest, 0, 1) || c.Truncated != 2 || c.Received != 5 {
			t.Errorf("received %d datagrams of %s bytes, %+v", len(got), sizes, c)
		}
	})
}

// What the kernel refuses is counted, and the rest of the outbox leaves.
func TestSendErrors(t *testing.T) {
	onUDP(t, cluster.Config{}, func(t *testing.T, w *cluster.World) {
		r := udpRig(w)
		a, b := r.start(t), r.start(t)
		a.ep.Do(func(_ machine.Time, out *machine.Outbox) {
			for range 2 {
				out.Send(b.ep.Addr(), []byte("good"))
				out.Send(b.ep.Addr(), make([]byte, 70000)) // no UDP datagram is so long
			}
		})
		if !r.until(func() bool { return b.stream(a.ep.Addr()) == "goodgood" }) {
			t.Errorf("received %.20q", b.stream(a.ep.Addr()))
		}
		if c := w.Counters(); c.SendErrors != 2 || c.Sent != 2 {
			t.Errorf("%+v, expected 2 sent and 2 refused", c)
		}
	})
}

// An address that this machine does not have is an error of Open.
func TestOpenOnForeignAddress(t *testing.T) {
	w := cluster.New(cluster.Config{Host: netip.MustParseAddr("192.0.2.1"), Shards: -1})
	ep, err := w.Open()
	if err == nil {
		ep.Close()
		t.Fatal("no error")
	}
	if !strings.Contains(err.Error(), "cluster: open endpoint on 192.0.2.1") {
		t.Errorf("%v does not name the address", err)
	}
}

// Now is the time that machines are told.
func TestNow(t *testing.T) {
	onUDP(t, cluster.Config{}, func(t *testing.T, w *cluster.World) {
		p := udpRig(w).start(t)
		before := w.Now()
		time.Sleep(time.Millisecond)
		p.ep.Do(func(now machine.Time, _ *machine.Outbox) {
			if after := w.Now(); now.Sub(before) < machine.Millisecond || now > after || before <= 0 {
				t.Errorf("a machine was told %d between %d and %d", now, before, after)
			}
		})
	})
}
