package matcher_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
	"i3bench/matcher"
)

// members returns n distinct suffixes: in sequence, at random, or such that
// the trie becomes as deep as it can (n <= 64 bits, then at random below them).
func members(shape string, n int) []uint64 {
	rng := rand.New(rand.NewPCG(uint64(n), 64))
	seen := map[uint64]bool{}
	out := make([]uint64, 0, n)
	for i := 0; len(out) < n; i++ {
		s := rng.Uint64()
		switch {
		case shape == "sequence":
			s = uint64(i)
		case shape == "deep" && i < 64:
			s = 1 << (63 - i)
		case shape == "deep":
			s >>= rng.Uint64N(64)
		}
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// brute returns the member that is nearest to q among those that expire after
// now.
func brute(ms []uint64, expire func(i int) matcher.Tick, q uint64, now matcher.Tick) (best int) {
	best = -1
	for i, s := range ms {
		if expire(i) > now && (best < 0 || s^q < ms[best]^q) {
			best = i
		}
	}
	return best
}

// TestLargeGroups has 1e5 identifiers under one prefix and counts the steps of
// matches before and after all members but a few expired.
func TestLargeGroups(t *testing.T) {
	const n = 100_000
	for shape, limit := range map[string]float64{"sequence": 5, "random": 6, "deep": 16} {
		t.Run(shape, func(t *testing.T) {
			table := newTable(t, matcher.Config{})
			ms := members(shape, n)
			expire := func(i int) matcher.Tick {
				if i%33_333 == 0 {
					return 20
				}
				return 10
			}
			for i, s := range ms {
				mustInsert(t, table, group.WithSuffix(s), matcher.Target(i), 0, expire(i))
			}
			rng := rand.New(rand.NewPCG(1, 1))
			total := 0
			const queries = 200
			for q := range queries {
				id := group.WithSuffix(rng.Uint64() >> rng.Uint64N(64))
				now := matcher.Tick(5 + q%2*10)
				best := brute(ms, expire, id.Suffix(), now)
				wantMatch(t, table, id, now, group.WithSuffix(ms[best]), matcher.Target(best))
				total += table.WinnerSteps(id, now)
				if table.WinnerSteps(id, now) > 16 {
					t.Fatalf("match of %v in %d steps", id, table.WinnerSteps(id, now))
				}
			}
			if mean := float64(total) / queries; mean > limit {
				t.Errorf("mean of %.1f steps for %d members, want at most %.0f", mean, n, limit)
			}
			if err := table.Check(); err != nil {
				t.Error(err)
			}
			table.Sweep(0, 15, nil)
			if got := table.Stats(); got.Entries != 4 || got.Prefixes != 1 {
				t.Errorf("after the sweep: %+v, want 4 triggers", got)
			}
			if err := table.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGroupStepsGrowSlowly holds the number of steps against the logarithm of
// the group.
func TestGroupStepsGrowSlowly(t *testing.T) {
	mean := func(n int) float64 {
		table := newTable(t, matcher.Config{})
		ms := members("random", n)
		for _, s := range ms {
			mustInsert(t, table, group.WithSuffix(s), 1, 0, 10)
		}
		total := 0
		for _, s := range ms {
			total += table.WinnerSteps(group.WithSuffix(s^1<<20), 0)
		}
		return float64(total) / float64(n)
	}
	small, large := mean(100), mean(10_000) // log16: 1.7 and 3.3
	t.Logf("mean steps: %.1f for 100 members, %.1f for 10,000", small, large)
	if small < 1.6 || large < 3.3 {
		t.Errorf("%.1f and %.1f steps: fewer than a decision among 16 per member needs", small, large)
	}
	if large > 2.3*small {
		t.Errorf("%.1f steps for 100 members, %.1f for 10,000: not logarithmic", small, large)
	}
}

// TestWinnerProperty states what matching means without saying how: nobody
// alive has a longer common prefix with the packet, nor the same suffix.
func TestWinnerProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		suffix := rapid.OneOf(rapid.Uint64(), rapid.Uint64Max(15))
		table, err := matcher.New(matcher.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ms := rapid.SliceOfDistinct(suffix, rapid.ID[uint64]).Draw(t, "members")
		expire := make([]matcher.Tick, len(ms))
		for i, s := range ms {
			expire[i] = matcher.Tick(rapid.IntRange(1, 3).Draw(t, "expire"))
			if _, err := table.Insert(group.WithSuffix(s), matcher.Target(i), 0, expire[i]); err != nil {
				t.Fatal(err)
			}
		}
		now := matcher.Tick(rapid.IntRange(0, 3).Draw(t, "now"))
		packet := group.WithSuffix(suffix.Draw(t, "packet"))
		winner, targets := table.Match(packet, now, nil)
		alive := 0
		for i, s := range ms {
			if expire[i] <= now {
				continue
			}
			alive++
			if l := packet.CommonPrefixLen(group.WithSuffix(s)); l > packet.CommonPrefixLen(winner) {
				t.Fatalf("%x shares %d bits with the packet, the winner %v fewer", s, l, winner)
			}
		}
		if (alive > 0) != (len(targets) == 1) || len(targets) > 1 {
			t.Fatalf("%d alive, matched %v", alive, targets)
		}
		if alive > 0 && (expire[targets[0]] <= now || winner != group.WithSuffix(ms[targets[0]])) {
			t.Fatalf("winner %v with target %d, expired at %d", winner, targets[0], expire[targets[0]])
		}
	})
}

// TestOrder: the order of All depends on what was done and on the seed, and on nothing else.
func TestOrder(t *testing.T) {
	fill := func(seed byte) (order []i3.ID) {
		table := newTable(t, matcher.Config{Seed: [16]byte{seed}})
		rng := rand.New(rand.NewPCG(5, 5))
		for range 5000 {
			id := i3.NewID(rng.Uint64N(800), i3.Key{}, rng.Uint64N(4))
			if rng.Uint64N(3) == 0 {
				table.Remove(id, 1)
			} else if _, err := table.Insert(id, 1, 0, 10); err != nil {
				t.Fatal(err)
			}
		}
		for id := range table.All(0) {
			order = append(order, id)
		}
		return order
	}
	a, again, b := fill(1), fill(1), fill(2)
	if !slices.Equal(a, again) {
		t.Error("two tables with one seed differ in their order")
	}
	if slices.Equal(a, b) {
		t.Error("two seeds give one order: the seed does nothing")
	}
	slices.SortFunc(a, i3.ID.Compare)
	slices.SortFunc(b, i3.ID.Compare)
	if !slices.Equal(a, b) {
		t.Error("two seeds give two contents")
	}
}
