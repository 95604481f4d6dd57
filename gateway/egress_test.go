package gateway_test

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"i3bench/gateway"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// egress opens an egress to sinks and returns it and the events that a receiver would call.
func egress(t *testing.T, cfg gateway.EgressConfig, sinks ...*sink) (*gateway.Egress, multicast.Events) {
	t.Helper()
	for _, s := range sinks {
		cfg.To = append(cfg.To, s.addr)
	}
	e, err := gateway.NewEgress(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e, e.Events(multicast.Events{})
}

// hand hands over packets whose payloads are their numbers.
func hand(ev multicast.Events, numbers ...uint64) {
	for _, n := range numbers {
		ev.Deliver(0, n, 0, strconv.AppendUint(nil, n, 10))
	}
}

// want waits until datagrams have come to a sink, and compares all.
func (s *sink) want(t *testing.T, when, datagrams string) {
	t.Helper()
	want := strings.Fields(datagrams)
	until(func() bool { return len(s.texts()) >= len(want) })
	if got := s.texts(); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", when, got, want)
	}
}

// balanced checks that every packet is somewhere.
func balanced(t *testing.T, e *gateway.Egress) {
	t.Helper()
	held, queued := e.Waiting()
	c := e.Counters()
	if c.Got != c.Sent+c.DropLate+c.DropSize+c.DropQueue+c.DropClosed+uint64(held+queued) {
		t.Errorf("%+v, %d wait, %d queued: %d got, which are not all accounted for", c, held, queued, c.Got)
	}
}

// Packets go out in order, each to every address, once what was missing is repaired; what is given up is not awaited.
func TestEgressOrders(t *testing.T) {
	a, b := newSink(t), newSink(t)
	e, ev := egress(t, gateway.EgressConfig{}, a, b)
	ev.Joined(0, 2)
	hand(ev, 3, 5, 6)
	a.want(t, "with 4 missing", "3")
	hand(ev, 4, 8)
	ev.Lost(0, 7)
	for _, s := range []*sink{a, b} {
		s.want(t, "after repairs", "3 4 5 6 8")
	}
	hand(ev, 7, 8) // what the receiver would not do
	if c := e.Counters(); c.Streams != 1 || c.Lost != 1 || c.DropLate != 2 || c.Sent != 5 || c.Bytes != 5 {
		t.Errorf("%+v: want 5 sent, 1 lost, 2 late", c)
	}
	balanced(t, e)
}

// A packet that is missing for too long is skipped; nothing else has to happen for that.
func TestEgressWaitIsBounded(t *testing.T) {
	s := newSink(t)
	const wait = 100 * time.Millisecond
	e, ev := egress(t, gateway.EgressConfig{Wait: wait}, s)
	ev.Joined(0, 0)
	begun := time.Now()
	hand(ev, 2, 3)
	s.want(t, "after the wait", "2 3")
	if took := time.Since(begun); took < wait {
		t.Errorf("packets waited for %v, want %v", took, wait)
	}
	if c := e.Counters(); c.SkippedTime != 1 || c.LongestWait < wait {
		t.Errorf("%+v: want 1 skipped", c)
	}
	balanced(t, e)
}

// So is one for which too many wait.
func TestEgressWindowIsBounded(t *testing.T) {
	s := newSink(t)
	e, ev := egress(t, gateway.EgressConfig{Window: 4, Wait: time.Hour}, s)
	ev.Joined(0, 0)
	hand(ev, 2, 3, 4, 5)
	s.want(t, "when there is no room", "2 3 4 5")
	if c := e.Counters(); c.SkippedRoom != 1 {
		t.Errorf("%+v: want 1 skipped", c)
	}
	balanced(t, e)
}

// A source that starts anew counts from 1 again.
func TestEgressStreamBeginsAnew(t *testing.T) {
	s := newSink(t)
	e, ev := egress(t, gateway.EgressConfig{Wait: time.Hour}, s)
	ev.Joined(0, 40)
	hand(ev, 41, 43)
	ev.Joined(0, 0)
	hand(ev, 1, 2)
	s.want(t, "of both", "41 43 1 2")
	if c := e.Counters(); c.Streams != 2 || c.SkippedEnd != 1 {
		t.Errorf("%+v: want 2 streams, 1 skipped", c)
	}
	balanced(t, e)
}

// What a repair sets free leaves at the pace, and what has no room in the queue is counted.
func TestEgressPacesBurst(t *testing.T) {
	s := newSink(t)
	const rate, burst, queue = 200, 5, 40
	e, ev := egress(t, gateway.EgressConfig{Rate: rate, Burst: burst, Queue: queue, Window: 100, Wait: time.Hour}, s)
	ev.Joined(0, 0)
	for n := range uint64(60) {
		hand(ev, n+2)
	}
	begun := time.Now()
	hand(ev, 1)
	if !until(func() bool { c := e.Counters(); return c.Sent+c.DropQueue == 61 && s.count() == c.Sent }) {
		t.Fatalf("%+v", e.Counters())
	}
	if took, least := time.Since(begun), time.Second*(queue-burst-1)/rate; took < least {
		t.Errorf("it took %v, want at least %v", took, least)
	}
	if c := e.Counters(); c.DropQueue == 0 || c.MostQueued != queue {
		t.Errorf("%+v: want some dropped, %d queued at most", c, queue)
	}
	balanced(t, e)
}

// Close sends what waits over what is missing; what comes afterwards, or is too long, is dropped and counted.
func TestEgressClose(t *testing.T) {
	s := newSink(t)
	e, ev := egress(t, gateway.EgressConfig{Wait: time.Hour}, s)
	ev.Joined(0, 0)
	hand(ev, 1, 3)
	ev.Deliver(0, 4, 0, make([]byte, gateway.MaxPayload+1))
	hand(ev, 5, 7)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	e.Close() // does nothing
	hand(ev, 8)
	ev.Joined(0, 20)
	ev.Lost(0, 21)
	s.want(t, "at the end", "1 3 5 7")
	if c := e.Counters(); c.SkippedEnd != 2 || c.Lost != 1 || c.DropSize != 1 || c.DropClosed != 1 || c.Streams != 1 {
		t.Errorf("%+v: want 2 skipped, 1 too long, 1 after the end", c)
	}
	balanced(t, e)
}

// Close sends no longer than it may, though the pace would have it wait for a second. The machine may be busy, so one
// of some attempts has to show it.
func TestEgressCloseOutOfTime(t *testing.T) {
	shortest := patience
	for range 5 {
		s := newSink(t)
		e, ev := egress(t, gateway.EgressConfig{Rate: 1, Burst: 2, Grace: 50 * time.Millisecond}, s)
		ev.Joined(0, 0)
		hand(ev, 1, 2, 3, 4)
		s.want(t, "at once", "1 2")
		begun := time.Now()
		e.Close()
		if c := e.Counters(); c.Sent != 2 || c.DropClosed != 2 {
			t.Errorf("%+v: want 2 sent, 2 dropped", c)
		}
		balanced(t, e)
		if shortest = min(shortest, time.Since(begun)); shortest < 500*time.Millisecond {
			return
		}
	}
	t.Errorf("Close took %v, may take 50ms", shortest)
}

// The events of the receiver's owner are called, too.
func TestEgressPassesEventsOn(t *testing.T) {
	s := newSink(t)
	e, err := gateway.NewEgress(gateway.EgressConfig{To: []netip.AddrPort{s.addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var heard []string
	hear := func(what string) { heard = append(heard, what) }
	ev := e.Events(multicast.Events{
		Attached: func(machine.Time, int) { hear("attached") },
		Joined:   func(machine.Time, uint64) { hear("joined") },
		Deliver:  func(machine.Time, uint64, int64, []byte) { hear("packet") },
		Lost:     func(machine.Time, uint64) { hear("lost") },
	})
	ev.Attached(0, 1)
	ev.Joined(0, 0)
	ev.Lost(0, 1)
	hand(ev, 2)
	if got := strings.Join(heard, " "); got != "attached joined lost packet" {
		t.Errorf("heard %s", got)
	}
	s.want(t, "after all", "2")
}

// A configuration that makes no sense is refused with a reason, and leaves nothing open.
func TestConfigErrors(t *testing.T) {
	to := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}
	for _, c := range []struct {
		cfg  gateway.EgressConfig
		want string
	}{
		{gateway.EgressConfig{}, "want at least one"},
		{gateway.EgressConfig{To: make([]netip.AddrPort, 1)}, "want an address and a port"},
		{gateway.EgressConfig{To: to, Window: -1}, "window of -1"},
		{gateway.EgressConfig{To: to, Wait: -1}, "wait of -1ns"},
		{gateway.EgressConfig{To: to, Rate: 2e9}, "rate of 2000000000"},
	} {
		if _, err := gateway.NewEgress(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one about %q", err, c.want)
		}
	}
	for _, c := range []struct {
		cfg  gateway.IngressConfig
		want string
	}{
		{gateway.IngressConfig{Queue: -1}, "queue of -1"},
		{gateway.IngressConfig{Grace: -1}, "grace of -1ns"},
		{gateway.IngressConfig{Listen: netip.MustParseAddrPort("[::1]:5000")}, "IPv4"},
		{gateway.IngressConfig{Listen: netip.MustParseAddrPort("192.0.2.1:5000")}, "192.0.2.1:5000"},
	} {
		if _, err := gateway.NewIngress(c.cfg, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one about %q", err, c.want)
		}
	}
}
