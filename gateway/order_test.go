package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A bench is an order under test and what it has let out. Packets are the decimal digits of their numbers.
type bench struct {
	order
	counts EgressCounters
	out    []string
}

func newBench(window int, wait time.Duration) *bench {
	b := &bench{}
	b.order = newOrder(EgressConfig{Window: window, Wait: wait}, &b.counts, func(p []byte) {
		b.out = append(b.out, string(p))
	})
	return b
}

// at returns a time so many milliseconds after some instant.
func at(ms int) time.Time { return time.Unix(1_000_000, 0).Add(time.Duration(ms) * time.Millisecond) }

// put hands over packets at a time.
func (b *bench) puts(ms int, numbers ...uint64) {
	for _, n := range numbers {
		b.put(at(ms), n, fmt.Append(nil, n))
	}
}

// want compares what came out since the last time.
func (b *bench) want(t *testing.T, when string, out ...string) {
	t.Helper()
	if !slices.Equal(b.out, out) {
		t.Errorf("%s: %s came out, want %s", when, strings.Join(b.out, " "), strings.Join(out, " "))
	}
	b.out = nil
}

// What follows a missing packet waits until that comes, and no longer.
func TestOrderWaitsForRepair(t *testing.T) {
	b := newBench(8, time.Second)
	b.begin(at(0), 10)
	b.puts(0, 11, 12, 14, 15, 17)
	b.want(t, "with 13 and 16 missing", "11", "12")
	b.puts(500, 13)
	b.want(t, "after the repair of 13", "13", "14", "15")
	b.puts(700, 16, 18)
	b.want(t, "after the repair of 16", "16", "17", "18")
	want := EgressCounters{Streams: 1, Waited: 3, MostWaiting: 3, LongestWait: 700 * time.Millisecond}
	if b.counts != want || b.expire(at(700)) >= 0 {
		t.Errorf("%+v, want %+v", b.counts, want)
	}
}

// A packet waits for the configured time and not a moment longer, however many are missing before it.
func TestOrderWaitIsBounded(t *testing.T) {
	b := newBench(16, time.Second)
	b.begin(at(0), 0)
	b.puts(0, 5)   // 1 to 4 are missing
	b.puts(300, 3) // one of them comes late and waits, too
	b.puts(600, 8)
	for _, ms := range []int{600, 999} {
		if left := b.expire(at(ms)); left != time.Duration(1000-ms)*time.Millisecond {
			t.Errorf("after %d ms: %v left", ms, left)
		}
	}
	b.want(t, "before the time is over")
	if left := b.expire(at(1000)); left != 600*time.Millisecond {
		t.Errorf("%v left for packet 8, want 600ms", left)
	}
	b.want(t, "when the time of 5 is over", "3", "5")
	b.puts(1100, 4, 2)
	b.want(t, "after the repairs that came too late")
	b.expire(at(1600))
	b.want(t, "when the time of 8 is over", "8")
	if c := b.counts; c.SkippedTime != 3+2 || c.DropLate != 2 || c.LongestWait != time.Second {
		t.Errorf("%+v: want 5 skipped, 2 late, a second at most", c)
	}
}

// No more packets wait than the window has room for; a jump far beyond it lets out all that wait.
func TestOrderWindowIsBounded(t *testing.T) {
	b := newBench(4, time.Hour)
	b.begin(at(0), 0)
	b.puts(0, 2, 4)
	b.want(t, "with 1 missing")
	b.puts(0, 5)
	b.want(t, "when 5 needs the place of 1", "2")
	b.puts(0, 100)
	b.want(t, "when 100 needs all places", "4", "5")
	b.puts(0, 97, 98, 99, 96)
	b.want(t, "after those before 100", "97", "98", "99", "100")
	if c := b.counts; c.SkippedRoom != 1+1+91 || c.DropLate != 1 || c.MostWaiting != 2 {
		t.Errorf("%+v: want 93 skipped for want of room, 1 late, 2 waiting at most", c)
	}
}

// What the group has given up is not waited for.
func TestOrderLost(t *testing.T) {
	b := newBench(8, time.Hour)
	b.giveUp(at(0), 7) // before anything has begun: of no stream
	b.begin(at(0), 0)
	b.puts(0, 1, 4, 6)
	b.giveUp(at(0), 3)
	b.want(t, "with 2 missing", "1")
	b.giveUp(at(0), 2)
	b.want(t, "with 2 and 3 lost", "4")
	b.giveUp(at(0), 5)
	b.giveUp(at(0), 5) // twice is once
	b.want(t, "with 5 lost", "6")
	for n := uint64(7); n < 100; n++ { // a jump that nobody can fill
		b.giveUp(at(0), n)
	}
	b.puts(0, 100)
	b.want(t, "after a jump", "100")
	if c := b.counts; c.Lost != 2+1+93 || c.SkippedRoom+c.SkippedTime+c.SkippedEnd != 0 {
		t.Errorf("%+v: want 96 lost, none skipped", c)
	}
}

// A stream that begins anew, with any numbers, follows what waited of the one before.
func TestOrderBeginsAnew(t *testing.T) {
	b := newBench(8, time.Hour)
	b.puts(0, 41, 43, 45) // nobody said that it began
	b.giveUp(at(0), 46)
	b.begin(at(10), 0)
	b.want(t, "at the beginning of another", "41", "43", "45")
	b.puts(10, 2, 1, 3, 4, 5)
	b.want(t, "of the other", "1", "2", "3", "4", "5")
	b.puts(10, 6) // in the place of 46, which was given up
	b.want(t, "of the other", "6")
	b.puts(20, 9)
	b.flush(at(20))
	b.want(t, "at the end", "9")
	if c := b.counts; c.Streams != 2 || c.SkippedEnd != 2+2 || c.Lost != 1 {
		t.Errorf("%+v: want 2 streams, 4 skipped at their ends, 1 lost", c)
	}
}

// Packets that come in any order, any of them never or twice or given up: what comes out ascends; each comes out once
// or is counted as late; each that does not is counted as skipped or lost; and none waits for longer than the bound.
func TestOrderProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(rapid.IntRange(1, 12).Draw(t, "window"), 50*time.Millisecond)
		b.begin(at(0), 0)
		var put, late, high uint64
		ms := 0
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			ms += rapid.IntRange(0, 20).Draw(t, "ms")
			b.expire(at(ms))
			near := max(b.next, 4)
			number := rapid.Uint64Range(near-3, near+15).Draw(t, "number")
			high = max(high, number)
			if rapid.IntRange(0, 5).Draw(t, "lost") == 0 {
				b.giveUp(at(ms), number)
				continue
			}
			put++
			if !b.put(at(ms), number, fmt.Append(nil, number)) {
				late++
			}
			if b.held >= len(b.slots) || len(b.arrivals) > 2*len(b.slots) {
				t.Fatalf("%d packets wait in a window of %d, with %d arrivals", b.held, len(b.slots), len(b.arrivals))
			}
		}
		b.flush(at(ms))
		last := uint64(0)
		for _, p := range b.out {
			var n uint64
			fmt.Sscan(p, &n)
			if n <= last {
				t.Fatalf("%d came out after %d", n, last)
			}
			last = n
		}
		c := b.counts
		if out := uint64(len(b.out)); out != put-late || c.DropLate != late {
			t.Fatalf("%d put, %d late, %d came out: %+v", put, late, out, c)
		}
		if c.LongestWait > 50*time.Millisecond+20*time.Millisecond {
			t.Fatalf("a packet waited for %v", c.LongestWait)
		}
		if passed := b.next - 1; c.SkippedTime+c.SkippedRoom+c.SkippedEnd > passed-uint64(len(b.out)) {
			t.Fatalf("%d passed, %d came out: %+v", passed, len(b.out), c)
		}
	})
}

// A pace lets a burst go at once, then one in each gap, and a pause earns no more than a burst.
func TestPace(t *testing.T) {
	p := newPace(100, 3) // one in 10 ms
	took := func(ms int) (n int) {
		for p.take(at(ms)) == 0 {
			n++
		}
		return n
	}
	for _, c := range []struct{ ms, want int }{{0, 3}, {9, 0}, {10, 1}, {25, 1}, {30, 1}, {10_000, 3}, {10_020, 2}} {
		if got := took(c.ms); got != c.want {
			t.Errorf("after %d ms: %d may go, want %d", c.ms, got, c.want)
		}
	}
	if wait := p.take(at(10_025)); wait != 5*time.Millisecond {
		t.Errorf("the next has to wait for %v, want 5ms", wait)
	}
}
