package cluster_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"
)

// misbehaviours are the ways in which one receiver of many may fail: what it does, and what it does in the second half
// of a bad phase.
var misbehaviours = []struct {
	name         string
	first, later mood
}{
	{"stopped", deaf, gone},
	{"slow", slow, slow},
	{"flapping", fickle, fickle},
}

// A comparison is of what the other receivers get while one misbehaves with what they get while none does. Medians of
// phases in turn, so that what else the machine does strikes both.
type comparison struct {
	goodShare, badShare float64 // of what was offered
	goodTail, badTail   time.Duration
}

// goodput returns which part of their goodput they keep.
func (c comparison) goodput() float64 { return c.badShare / c.goodShare }

// tail returns how many times as long the slowest hundredth of packets takes.
func (c comparison) tail() float64 { return float64(c.badTail) / float64(c.goodTail) }

func (c comparison) String() string {
	return fmt.Sprintf("got %.4f instead of %.4f, p99 %v instead of %v", c.badShare, c.goodShare, c.badTail, c.goodTail)
}

// phases lets good and bad phases of a time take turns, and returns their slices.
func (s *stage) phases(pairs int, d time.Duration, first, later mood) (good, bad []int) {
	phase := func(a, b mood) int {
		s.culprit.mood.Store(int32(a))
		s.aside(d / 8)
		at := s.next()
		time.Sleep(d / 2)
		s.culprit.mood.Store(int32(b))
		time.Sleep(d / 2)
		return at
	}
	for i := range pairs {
		if i%2 == 1 {
			bad = append(bad, phase(first, later))
		}
		good = append(good, phase(willing, willing))
		if i%2 == 0 {
			bad = append(bad, phase(first, later))
		}
	}
	s.culprit.mood.Store(int32(willing))
	return good, bad
}

// compare returns what the slices say of good and bad phases. The crowd has that many members, and is closed.
func compare(all []slice, members int, good, bad []int) (c comparison) {
	share := func(i int) float64 { return float64(all[i].got) / float64(uint64(members)*all[i].offered.Load()) }
	tail := func(i int) time.Duration { return time.Duration(all[i].latency.Quantile(0.99)) }
	return comparison{
		goodShare: median(good, share), badShare: median(bad, share),
		goodTail: median(good, tail), badTail: median(bad, tail),
	}
}

// median returns the median of a property of slices.
func median[T cmp.Ordered](of []int, property func(int) T) T {
	all := make([]T, len(of))
	for i, s := range of {
		all[i] = property(s)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// fewer than this are not worth to be called a crowd, and more are not in the statement.
const isolationFan = 64

// account fails if a packet is missed that nobody dropped, or was dropped for somebody else than the culprit. The stage
// must be at rest. What is sent to a closed port nobody counts for that port; the kernel does for the host (NoPorts in
// /proc/net/snmp). So only if the culprit was open all the time must all packets be accounted for.
func (s *stage) account(tb testing.TB) {
	tb.Helper()
	r, err := ask(s.desk)
	if err != nil {
		tb.Fatal(err)
	}
	data, members := r.Node.Data, uint64(len(s.crowd.plugs))
	if r.World.SendErrors > 0 || r.World.Sent != data*(members+1) || r.Node.DropBudget+r.Node.DropOutbox > 0 {
		tb.Errorf("the node, of %d packets for %d: %+v", data, members+1, r)
	}
	if got, dropped := s.crowd.got.Load(), s.crowd.dropped(); dropped == 0 && got != data*members {
		tb.Errorf("the others got %d packets of %d, and dropped none", got, data*members)
	}
	read, dropped, left := s.culprit.counts()
	tb.Logf("culprit: %d packets, read %d, dropped %d, left %d in %d sockets; the others dropped %d messages",
		data, read, dropped, left, s.culprit.opened, s.crowd.dropped())
	if sum := read + dropped + left; sum > data || s.culprit.opened == 1 && sum != data {
		tb.Errorf("culprit: read %d, dropped %d, left %d: want %d in all", read, dropped, left, data)
	}
	if s.crowd.odd.Load() > 0 || s.source.failed.Load() > 0 {
		tb.Errorf("%d odd datagrams, %d not sent", s.crowd.odd.Load(), s.source.failed.Load())
	}
}

// atLeastOnce fails if none of three attempts was good. What a property forbids happens every time where it does not
// hold; other tests that share the machine disturb some.
func atLeastOnce(t *testing.T, attempt func() error) {
	t.Helper()
	var err error
	for range 3 {
		if err = attempt(); err == nil || t.Failed() {
			return
		}
		t.Log(err)
	}
	t.Error(err)
}

// One receiver of 64 stops, is slow, or comes and goes: the others hardly notice, and each packet it did not get is
// counted at its own socket. The judgement is generous, since tests share the machine; the benchmark has figures. On
// loopback the kernel never lets a sender wait for a receiver, so what may fail here is the account, and a sender that
// stalls by itself; replicate/udp has the case of a device that is full.
func TestIsolation(t *testing.T) {
	for _, m := range misbehaviours {
		t.Run(m.name, func(t *testing.T) {
			atLeastOnce(t, func() error { return isolated(t, m.name, m.first, m.later) })
		})
	}
}

// isolated returns an error if others notice that one receiver misbehaves.
func isolated(t *testing.T, name string, first, later mood) error {
	_, c := rehearse(t, 40*time.Millisecond, 4, 3, 250*time.Millisecond, first, later)
	t.Log(c)
	switch {
	case !(c.goodShare > 0.5):
		return fmt.Errorf("too little arrives to tell: %v", c)
	case c.goodput() < 0.9 || c.badTail > 4*c.goodTail+20*time.Millisecond:
		return fmt.Errorf("one receiver that is %s spoils it for others: %v", name, c)
	}
	return nil
}

// rehearse compares what 63 receivers get while one misbehaves with what they get otherwise, at so small a part of the
// peak that a ramp of such steps finds, in so many good and bad phases of a time. It fails if a packet is missed that
// nobody dropped.
func rehearse(
	tb testing.TB, step time.Duration, part float64, pairs int, phase time.Duration, first, later mood,
) (peak float64, c comparison) {
	s := setStage(tb, isolationFan, 0)
	peak = s.ramp(step)
	s.source.rate.Store(int64(peak / isolationFan / part))
	good, bad := s.phases(pairs, phase, first, later)
	s.rest()
	s.account(tb)
	all := s.crowd.slices
	s.strike(tb)
	return peak, compare(all, isolationFan-1, good, bad)
}

// BenchmarkIsolation judges what TestIsolation tests, at half the peak that a ramp finds. It takes half a minute: good
// and bad phases take turns, and medians are compared.
func BenchmarkIsolation(b *testing.B) {
	for _, m := range misbehaviours {
		b.Run("bad="+m.name+"/fan=64", func(b *testing.B) {
			for b.Loop() {
				judgeIsolation(b, m.first, m.later)
			}
		})
	}
}

// judgeIsolation reports which part of their goodput 63 receivers keep while one misbehaves, and how many times as long
// the p99 of their latencies is.
func judgeIsolation(b *testing.B, first, later mood) {
	peak, c := rehearse(b, 200*time.Millisecond, 2, 10, 400*time.Millisecond, first, later)
	b.Log(c)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(peak, "peak-copies/s")
	b.ReportMetric(100*c.goodput(), "%goodput-kept")
	b.ReportMetric(c.tail(), "p99-ratio")
	b.ReportMetric(float64(c.goodTail.Microseconds()), "p99-good-us")
	b.ReportMetric(float64(c.badTail.Microseconds()), "p99-bad-us")
}
