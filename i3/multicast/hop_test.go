package multicast_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// Hops are measured between two clocks, and yet these do not matter.
func TestSkewChangesNoParentWithHops(t *testing.T) {
	testSkewChangesNoParent(t, multicast.Config{Relays: 3, Search: multicast.WideSearch()})
}

// twoPlaces is a network in which the third receiver has two places to choose
// from, R1 far from it and R2 near it, at distances of 50 and 54 ms.
func twoPlaces(percent int, skew machine.Duration) setup {
	l := &latencies{sites: 4, far: 90 * time.Millisecond, known: map[[2]int]time.Duration{
		{0, 1}: 10 * time.Millisecond, {1, 3}: 40 * time.Millisecond,
		{0, 2}: 50 * time.Millisecond, {2, 3}: 4 * time.Millisecond,
		{0, 3}: 45 * time.Millisecond, {1, 2}: 60 * time.Millisecond,
	}}
	return setup{
		seed: 94, nodes: 4, degree: 2, delays: l, skew: skew,
		group: multicast.Config{Search: multicast.SearchPolicy{HopPercent: percent}},
	}
}

// A hop that counts more makes a receiver join at the near place; hosts' clocks
// may be off by more than any latency.
func TestHopsAreCounted(t *testing.T) {
	for _, c := range []struct{ percent, parent int }{{0, 1}, {5, 1}, {20, 2}, {300, 2}} {
		for _, skew := range []machine.Duration{0, 5 * second, hour} {
			t.Run(fmt.Sprintf("%d percent, skew of %v s", c.percent, skew.Seconds()), func(t *testing.T) {
				b := newBed(t, twoPlaces(c.percent, skew))
				rs := b.add(1, 2, 3)
				b.join(rs...)
				if got := rs[2].Machine.Chain()[1]; got != rs[c.parent-1].own() {
					t.Errorf("joins at %s, want id%d", b.name(got), c.parent)
				}
			})
		}
	}
}

// Who is so far from the source that the answer to its first query comes when it has
// asked again does not take its clock for another: nobody would join at it then.
func TestLateAnswerSpoilsNoClock(t *testing.T) {
	s := twoPlaces(300, 5*second)
	for pair, ms := range map[[2]int]time.Duration{{0, 1}: 400, {0, 2}: 550, {0, 3}: 490, {1, 2}: 560, {1, 3}: 146} {
		s.delays.(*latencies).known[pair] = ms * time.Millisecond
	}
	b := newBed(t, s)
	rs := b.add(1, 2, 3)
	b.join(rs...)
	if got := rs[2].Machine.Chain()[1]; got != rs[1].own() {
		t.Errorf("joins at %s, want id2, which is near", b.name(got))
	}
}

// Nor does who heard only the answer to its second query: all others would seem to
// be near it.
func TestLostAnswerSpoilsNoClock(t *testing.T) {
	b := newBed(t, twoPlaces(300, 5*second))
	rs := b.add(1, 2, 3)
	rs[0].drop = once(func(p i3.Packet, payload []byte) bool {
		m, _, err := multicast.ParseMessage(payload)
		return p.Kind == i3.KindDirect && err == nil && m.Type == multicast.TypeReply
	})
	b.join(rs...)
	if got := rs[2].Machine.Chain()[1]; got != rs[1].own() {
		t.Errorf("joins at %s, want id2, which is near", b.name(got))
	}
}

// With relays, and a search that counts hops, packets arrive sooner on average.
func TestWideSearchIsShorter(t *testing.T) {
	longest := func(group multicast.Config) (worst, mean machine.Duration) {
		b := newBed(t, setup{seed: 95, nodes: 40, degree: 4, delays: newPlane(95, 40, 100*time.Millisecond), group: group})
		rs := slices.Clone(b.grow(80))
		b.world.Sleep(second)
		sent := b.world.Now()
		b.send(1, 0)
		for len(rs) > 0 && b.world.Now() < sent.Add(2*second) {
			b.world.Sleep(millisecond)
			rs = slices.DeleteFunc(rs, func(r *receiver) bool {
				if r.got[1] == 0 {
					return false
				}
				worst = max(worst, b.world.Now().Sub(sent))
				mean += b.world.Now().Sub(sent) / 80
				return true
			})
		}
		b.quiesce(second)
		b.judge()
		return worst, mean
	}
	plain, plainMean := longest(multicast.Config{})
	wide, wideMean := longest(multicast.Config{Relays: 4, Search: multicast.WideSearch()})
	t.Logf("longest %.0f and %.0f ms, mean %.0f and %.0f ms", 1e3*plain.Seconds(), 1e3*wide.Seconds(),
		1e3*plainMean.Seconds(), 1e3*wideMean.Seconds())
	if wideMean >= plainMean {
		t.Errorf("with relays a packet takes %v s on average, without %v s", wideMean.Seconds(), plainMean.Seconds())
	}
}
