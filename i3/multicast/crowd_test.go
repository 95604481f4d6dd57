package multicast_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
)

// A crowd joins and leaves at once, again and again, where delays are as long as a stay: who was seen by a search
// has often gone when its link is asked for.
func crowd(t *testing.T, policy multicast.SearchPolicy, standing, visitors int) *bed {
	b := newBed(t, setup{
		seed: 71, nodes: 16, degree: 4, pushback: true, group: multicast.Config{Search: policy},
		delays: newPlane(5, 16, 20*time.Millisecond),
	})
	b.grow(standing)
	all, rng := b.add(make([]int, visitors)...), prng.New(3, 0)
	for step := range 4_000 {
		for _, r := range all {
			switch {
			case r.Machine.Idle() && rng.IntN(4) == 0:
				r.joined = 0
				r.Join()
			case r.joined > 0 && r.Machine.Level() > 0:
				r.Leave()
			}
		}
		if step%10 == 0 {
			b.Source().Send(fmt.Append(nil, "packet ", b.Source().Machine.Highest()+1))
		}
		b.world.Sleep(millisecond)
	}
	for _, r := range all {
		r.gone = true
		r.Leave()
	}
	b.world.Sleep(3 * second)
	return b
}

// What a crowd of 160 leaves behind: links that lead nowhere, each of which takes a place until it expires. With
// one child drawn more join below others of the crowd, who go at that moment; of 2,900 joins four and fewer left
// a link, before newcomers took back what they revived it was 5 to 30.
func TestCrowdLeavesLittle(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy multicast.SearchPolicy
		most   int
	}{{"lan", multicast.LANSearch(), 0}, {"draw", multicast.DrawSearch(), 4}} {
		t.Run(c.name, func(t *testing.T) {
			const standing = 128
			b := crowd(t, c.policy, standing, 160)
			joins := b.sum(func(c multicast.Counters) uint64 { return c.Attaches })
			if left := b.triggers() - 4*standing - 3; left < 0 || left > c.most {
				t.Errorf("%d triggers that belong to nobody after %d joins, want at most %d", left, joins, c.most)
			}
			t.Logf("%d joins, %d queries, %d refusals", joins,
				b.sum(func(c multicast.Counters) uint64 { return c.QueriesSent }),
				b.sum(func(c multicast.Counters) uint64 { return c.Refused }))
			if joins < 2_500 {
				t.Errorf("%d joins, want 2,500", joins)
			}
		})
	}
}

// A search that draws asks one full child where another asks all, and finds places as high in the tree or nearly. The
// source is asked by those alone who join at it.
func TestDrawAsksFewer(t *testing.T) {
	depth, answers, source := map[bool]float64{}, map[bool]float64{}, map[bool]uint64{}
	for _, policy := range []multicast.SearchPolicy{multicast.LANSearch(), multicast.DrawSearch()} {
		b := newBed(t, setup{seed: 5, nodes: 16, degree: 4, group: multicast.Config{Search: policy}})
		b.grow(200)
		for _, r := range b.rs {
			depth[policy.Draw] += float64(r.Machine.Level()) / 200
		}
		b.checkTables()
		answers[policy.Draw] = float64(b.sum(func(c multicast.Counters) uint64 { return c.Queries })) / 200
		source[policy.Draw] = b.Source().Machine.Counters().Queries
		b.send(5, 10*millisecond)
		b.quiesce(5 * second)
		b.judge()
	}
	if source[false] < 200 || source[true] > 10 {
		t.Errorf("the source answered %d and %d queries, want one for each join, and for four joins",
			source[false], source[true])
	}
	t.Logf("mean level %.2f and %.2f, answers of members for a join %.1f and %.1f",
		depth[false], depth[true], answers[false], answers[true])
	if answers[true] > 0.6*answers[false] || depth[true] > 1.25*depth[false] {
		t.Error("want at most 0.6 of the answers, and 1.25 times the depth")
	}
}

// The node's count, not the full owner's word, decides whether there is room: the search ends at the place of one
// who left without anybody hearing of it.
func TestDrawSeesRoomThatOwnerDoesNot(t *testing.T) {
	b := newBed(t, setup{seed: 6, degree: 1, group: multicast.Config{Search: multicast.DrawSearch()}})
	rs := b.grow(3) // a chain
	parent, child := rs[1], rs[2]
	parent.drop = func(_ i3.Packet, body []byte) bool { // the hint that there is room
		m, _, err := multicast.ParseMessage(body)
		return err == nil && m.Type == multicast.TypeHint
	}
	b.leave(child)
	b.world.Sleep(200 * millisecond)
	if n := parent.Machine.Children(); n != 1 {
		t.Fatalf("the parent knows of %d children, want that it still believes in one", n)
	}
	late := b.add(0)[0]
	late.Join()
	b.until("the late one is in", second, func() bool { return late.attached > 0 })
	if late.Machine.Level() != 3 {
		t.Errorf("joined at level %d, want 3, where there is room\n%s", late.Machine.Level(), b.tree())
	}
}

// Who draws cannot compare: what needs that is refused.
func TestDrawComparesNothing(t *testing.T) {
	for _, c := range []struct {
		search multicast.SearchPolicy
		relays int
		want   string // empty: it is in order
	}{
		{multicast.DrawSearch(), 0, ""},
		{multicast.SearchPolicy{Draw: true, Metric: multicast.Loss}, 0, "want Delay, 0 and 1"},
		{multicast.SearchPolicy{Draw: true, HopPercent: 50}, 0, "want Delay, 0 and 1"},
		{multicast.SearchPolicy{Draw: true, Width: 3}, 0, "want Delay, 0 and 1"},
		{multicast.DrawSearch(), 2, "want none"},
	} {
		cfg := plain(t)
		cfg.Search, cfg.Relays = c.search, c.relays
		_, err := multicast.NewReceiver(cfg)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v with %d relays: error %v, want one that says %q", c.search, c.relays, err, c.want)
		}
	}
}
