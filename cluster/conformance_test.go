package cluster_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// A datagram arrives once, whole, with the address of its sender as source.
func TestSourceAddress(t *testing.T) {
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b, c := r.start(t), r.start(t), r.start(t)
		a.send(c.ep.Addr(), "from a")
		b.send(c.ep.Addr(), "from b")
		got := c.await(t, 2)
		for _, d := range got {
			want := map[netip.AddrPort]string{a.ep.Addr(): "from a", b.ep.Addr(): "from b"}[d.from]
			if d.text != want {
				t.Errorf("%q came from %v, expected %q", d.text, d.from, want)
			}
		}
		if len(got) != 2 || a.received()+b.received() != 0 {
			t.Errorf("c received %d datagrams, a %d, b %d", len(got), a.received(), b.received())
		}
		a.send(a.ep.Addr(), "to myself")
		if d := a.await(t, 1)[0]; d.text != "to myself" || d.from != a.ep.Addr() {
			t.Errorf("a sent to itself and received %q from %v", d.text, d.from)
		}
	})
}

// A forwarded copy arrives as its template followed by its body, and either may be empty.
func TestForwardConcatenates(t *testing.T) {
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b := r.start(t), r.start(t)
		body := strings.Repeat("body", 200)
		a.ep.Do(func(_ machine.Time, out *machine.Outbox) {
			out.Forward(b.ep.Addr(), []byte("template|"), []byte(body))
			out.Forward(b.ep.Addr(), nil, []byte("|only a body|"))
			out.Forward(b.ep.Addr(), []byte("only a template"), nil)
		})
		want := "template|" + body + "|only a body|only a template"
		if !r.until(func() bool { return b.stream(a.ep.Addr()) == want }) {
			t.Errorf("received %.60q... of %d bytes, expected %.60q... of %d",
				b.stream(a.ep.Addr()), len(b.stream(a.ep.Addr())), want, len(want))
		}
	})
}

// Any mix of packets in one outbox: every packet arrives, no datagram is longer than the limit, and the packets of each
// list to one address arrive in the order in which they were queued, however they were bundled.
func TestScript(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 5
	}
	onAll(t, nil, func(t *testing.T, r rig) {
		a := r.start(t)
		var to []*probe
		for range 3 {
			to = append(to, r.start(t))
		}
		want := make([]string, len(to))
		for round := range rounds {
			queueScript(a, to, want, prng.New(uint64(round), 1))
			for i, p := range to {
				if !r.until(func() bool { return len(p.stream(a.ep.Addr())) >= len(want[i]) }) {
					t.Fatalf("round %d, receiver %d: %d bytes of %d", round, i, len(p.stream(a.ep.Addr())), len(want[i]))
				}
				if got := p.stream(a.ep.Addr()); got != want[i] {
					t.Fatalf("round %d, receiver %d: %s", round, i, difference(got, want[i]))
				}
			}
		}
		for _, p := range to {
			p.look(func() {
				for _, d := range p.got {
					if len(d.text) > i3.MaxDatagram {
						t.Errorf("a datagram of %d bytes, at most %d", len(d.text), i3.MaxDatagram)
					}
				}
			})
		}
	})
}

// queueScript makes a send random packets in one call, and appends to want what each receiver must get.
func queueScript(a *probe, to []*probe, want []string, rng prng.Source) {
	a.ep.Do(func(_ machine.Time, out *machine.Outbox) {
		for n := range rng.Between(1, 100) {
			i := int(rng.Between(0, int64(len(to))))
			pkt := packet(n, int(rng.Between(1, 700)))
			out.Send(to[i].ep.Addr(), []byte(pkt))
			want[i] += pkt
		}
		for n := range rng.Between(1, 200) {
			i := int(rng.Between(0, int64(len(to))))
			pkt := packet(n, int(rng.Between(1, 1300)))
			cut := int(rng.Between(0, int64(len(pkt)+1)))
			out.Forward(to[i].ep.Addr(), []byte(pkt[:cut]), []byte(pkt[cut:]))
			want[i] += pkt
		}
	})
}

// packet returns a text that shows where it begins and how long it is.
func packet(n int64, size int) string {
	head := fmt.Sprintf("<%d:%d>", n, size)
	return head + strings.Repeat(".", size)
}

// difference says where two texts part.
func difference(got, want string) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	return fmt.Sprintf("at byte %d of %d: %.40q, expected %.40q", i, len(want), got[i:], want[i:])
}

// A reply from within Receive leaves before the received buffer is used again: every forwarded body is intact.
func TestForwardReceivedBuffer(t *testing.T) {
	const count = 200
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b := r.start(t), r.start(t)
		b.look(func() {
			b.receive = func(_ machine.Time, d machine.Datagram, out *machine.Outbox) {
				out.Forward(d.From, []byte("re "), d.Bytes)
			}
		})
		want := ""
		for n := range count {
			pkt := packet(int64(n), 1+n*5)
			a.send(b.ep.Addr(), pkt)
			want += "re " + pkt
			if n%20 == 19 { // sockets have room for so many
				b.await(t, n+1)
			}
		}
		if !r.until(func() bool { return len(a.stream(b.ep.Addr())) >= len(want) }) {
			t.Fatalf("%d bytes of %d came back", len(a.stream(b.ep.Addr())), len(want))
		}
		if got := a.stream(b.ep.Addr()); got != want {
			t.Error(difference(got, want))
		}
	})
}

// A timer fires once, not before its time; the endpoint goes on receiving afterwards; a timer set anew, earlier or
// later than the one before, fires at the new time.
func TestTimers(t *testing.T) {
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b := r.start(t), r.start(t)
		set := func(in machine.Duration) {
			a.ep.Do(func(now machine.Time, _ *machine.Outbox) { a.at = now.Add(in) })
		}
		fired := func(n int) {
			t.Helper()
			count := 0
			if !r.until(func() bool { a.look(func() { count = len(a.fired) }); return count >= n }) {
				t.Fatalf("%d timers fired within %v, expected %d", count, patience, n)
			}
		}
		set(3 * machine.Millisecond)
		fired(1)
		b.send(a.ep.Addr(), "after the only timer") // nothing is pending now
		a.await(t, 1)
		set(3600 * machine.Second)
		set(2 * machine.Millisecond) // earlier
		fired(2)
		set(2 * machine.Millisecond)
		set(20 * machine.Millisecond) // later
		fired(3)
		set(-machine.Second) // overdue when it is set
		fired(4)
		b.send(a.ep.Addr(), "last")
		a.await(t, 2)
		a.look(func() {
			if len(a.fired) != 4 {
				t.Errorf("%d timers fired, expected 4", len(a.fired))
			}
			for i, f := range a.fired {
				if f.now < f.due {
					t.Errorf("timer %d fired %d ns before its time", i, f.due-f.now)
				}
			}
		})
	})
}

// A machine that sets its next timer whenever one fires, and on every datagram, runs on.
func TestPeriodicTimer(t *testing.T) {
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b := r.start(t), r.start(t)
		next := func(now machine.Time) { a.at = now.Add(machine.Millisecond) }
		a.look(func() {
			a.expire = func(now machine.Time, out *machine.Outbox) {
				out.Send(b.ep.Addr(), []byte("tick"))
				next(now)
			}
			next(r.now())
		})
		for i, d := range b.await(t, 20) {
			if strings.ReplaceAll(d.text, "tick", "") != "" || d.from != a.ep.Addr() {
				t.Errorf("datagram %d is %q from %v", i, d.text, d.from)
			}
		}
	})
}

// Datagrams that arrive just before a timer's time do not make it fire early.
func TestTimersAmongDatagrams(t *testing.T) {
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b := r.start(t), r.start(t)
		back := func(_ machine.Time, d machine.Datagram, out *machine.Outbox) { out.Forward(d.From, nil, d.Bytes) }
		b.look(func() { b.receive = back })
		a.look(func() {
			a.receive = back
			a.expire = func(now machine.Time, _ *machine.Outbox) { a.at = now.Add(3 * machine.Millisecond) }
			a.at = r.now().Add(machine.Millisecond)
		})
		a.send(b.ep.Addr(), "ball") // goes to and fro all the time
		count := 0
		if !r.until(func() bool { a.look(func() { count = len(a.fired) }); return count >= 10 }) {
			t.Fatalf("%d timers fired, expected 10", count)
		}
		a.ep.Close()
		for i, f := range a.fired {
			if f.now < f.due {
				t.Errorf("timer %d fired %d ns before its time", i, f.due-f.now)
			}
		}
		if len(a.got) == 0 {
			t.Error("no datagram came in between")
		}
	})
}

// Time never runs backwards for a machine, and is never zero, which machines use for timers that are not set.
func TestTimeIsMonotonic(t *testing.T) {
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b := r.start(t), r.start(t)
		var last machine.Time
		see := func(now machine.Time) {
			if now < last || now <= 0 {
				t.Errorf("now is %d after %d", now, last)
			}
			last = now
		}
		a.look(func() {
			a.receive = func(now machine.Time, _ machine.Datagram, _ *machine.Outbox) { see(now) }
		})
		for n := range 50 {
			b.send(a.ep.Addr(), "x")
			a.ep.Do(func(now machine.Time, _ *machine.Outbox) { see(now) })
			a.await(t, n+1)
		}
	})
}

// A filter decides about every datagram before the machine sees it, and can be taken away.
func TestFilter(t *testing.T) {
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b := r.start(t), r.start(t)
		b.ep.SetFilter(func(d machine.Datagram) bool { return string(d.Bytes) != "drop" && d.From == a.ep.Addr() })
		a.send(b.ep.Addr(), "drop")
		a.send(b.ep.Addr(), "keep")
		b.await(t, 1)
		if _, _, _, filtered := r.count(); filtered != 1 {
			t.Errorf("%d datagrams filtered, expected 1", filtered)
		}
		b.ep.SetFilter(nil)
		a.send(b.ep.Addr(), "drop")
		if got := b.await(t, 2); got[0].text != "keep" || got[1].text != "drop" {
			t.Errorf("received %v, expected keep and, without the filter, drop", got)
		}
	})
}

// Datagrams for addresses where nothing runs are dropped; the others of the same outbox arrive.
func TestUnknownDestination(t *testing.T) {
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b, c := r.start(t), r.start(t), r.start(t)
		if err := c.ep.Close(); err != nil {
			t.Fatal(err)
		}
		idle, err := r.open() // never started
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
		far := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, 200, 200}), a.ep.Addr().Port())
		a.ep.Do(func(_ machine.Time, out *machine.Outbox) {
			for _, to := range []netip.AddrPort{far, c.ep.Addr(), idle.Addr()} {
				out.Send(to, []byte("nobody"))
				out.Send(b.ep.Addr(), []byte("sent "))
				out.Forward(to, []byte("no"), []byte("body"))
			}
		})
		if !r.until(func() bool { return b.stream(a.ep.Addr()) == "sent sent sent " }) {
			t.Errorf("received %q", b.stream(a.ep.Addr()))
		}
	})
}

// A closed endpoint's machine is not called any more; the others live on. Closing again does nothing.
func TestClose(t *testing.T) {
	onAll(t, nil, func(t *testing.T, r rig) {
		a, b, c := r.start(t), r.start(t), r.start(t)
		a.look(func() { a.at = r.now().Add(machine.Millisecond) })
		a.send(b.ep.Addr(), "before")
		b.await(t, 1)
		for range 2 {
			if err := b.ep.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		a.send(b.ep.Addr(), "after")
		a.send(c.ep.Addr(), "to another")
		c.await(t, 1)
		if len(b.got) != 1 { // no lock is needed: nothing runs there
			t.Errorf("a closed endpoint received %v", b.got)
		}
	})
}

// Every endpoint of a world has another address, also if others were closed before it was opened.
func TestAddressesAreNotReused(t *testing.T) {
	for _, d := range drivers {
		if strings.HasSuffix(d.name, "sockets") {
			continue // ports are the system's to give, and to give again
		}
		t.Run(d.name, func(t *testing.T) {
			r := d.rig(nil)
			stays := []*probe{r.start(t), r.start(t)} // so that no shard ends
			seen := map[netip.AddrPort]bool{stays[0].ep.Addr(): true, stays[1].ep.Addr(): true}
			for range 600 {
				ep, err := r.open()
				if err != nil {
					t.Fatal(err)
				}
				if seen[ep.Addr()] {
					t.Fatalf("%v was given twice", ep.Addr())
				}
				seen[ep.Addr()] = true
				ep.Close()
			}
		})
	}
}
