package i3_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// A chain of private identifiers: each takes its key from the one before it, and the host's key comes from the last.
func ExampleCheckConstraint() {
	group := i3.NewID(0xfeed0, i3.Key{}, 0)
	child := i3.NewID(0xbeef0, i3.RightKey(group), 0)
	stray := i3.NewID(0xbeef0, i3.Key{}, 0)
	for _, t := range []i3.Trigger{
		{ID: group, Target: i3.ToID(child)},
		{ID: child, Target: i3.ToHost(host4, i3.RightKey(child))},
		{ID: group, Target: i3.ToID(stray)},
		{ID: child, Target: i3.ToID(group)}, // would close a cycle
	} {
		fmt.Println(i3.CheckConstraint(t))
	}
	// Output:
	// <nil>
	// <nil>
	// i3: neither the left nor the right constraint holds
	// i3: neither the left nor the right constraint holds
}

// TestKeysAreTheDocumentedHashes computes every key from the bytes that the documentation names, and thereby that each
// use of the hash has a domain of its own.
func TestKeysAreTheDocumentedHashes(t *testing.T) {
	hash := func(domain string, b []byte) i3.Key {
		sum := sha256.Sum256(append([]byte(domain), b...))
		return i3.Key(sum[:i3.KeySize])
	}
	rapid.Check(t, func(t *rapid.T) {
		id, key, nonce := anyID.Draw(t, "id"), anyKey.Draw(t, "key"), anyNonce.Draw(t, "nonce")
		b := id.Bytes()
		for _, c := range []struct {
			name      string
			got, want i3.Key
		}{
			{"LeftKey", i3.LeftKey(id), hash("i3 h_l\x00", b[:])},
			{"RightKey", i3.RightKey(id), hash("i3 h_r\x00", b[:])},
			{"LeftKeyOf", i3.LeftKeyOf(key), hash("i3 h_l\x00", key[:])},
			{"OwnerOf", i3.OwnerOf(nonce), hash("i3 owner\x00", nonce[:])},
		} {
			if c.got != c.want {
				t.Fatalf("%s = %x, want %x", c.name, c.got, c.want)
			}
		}
		same := i3.Key(nonce)
		if i3.LeftKey(id) == i3.RightKey(id) || i3.OwnerOf(nonce) == i3.LeftKeyOf(same) {
			t.Fatal("two uses of the hash agree on one input")
		}
	})
}

func TestConstraintTable(t *testing.T) {
	private, public := idA.Private(), idA.Public()
	rightOf := func(x i3.ID) i3.ID { return i3.NewID(0x77, i3.RightKey(x), 0x88) }
	leftOf := func(y i3.ID, prefix uint64) i3.ID { return i3.NewID(prefix, i3.LeftKey(y), 0x99) }
	hostKey := i3.Key{7}
	for _, c := range []struct {
		name string
		tr   i3.Trigger
		ok   bool
	}{
		{"right, private", i3.Trigger{ID: private, Target: i3.ToID(rightOf(private))}, true},
		{"right, public", i3.Trigger{ID: public, Target: i3.ToID(rightOf(public))}, false},
		{"right, to a public identifier", i3.Trigger{ID: private, Target: i3.ToID(rightOf(private).Public())}, true},
		{"left, private", i3.Trigger{ID: leftOf(idB, 2), Target: i3.ToID(idB)}, true},
		{"left, public", i3.Trigger{ID: leftOf(idB, 3), Target: i3.ToID(idB)}, true},
		{"left of another suffix", i3.Trigger{ID: leftOf(idB, 3), Target: i3.ToID(idB.WithSuffix(1))}, false},
		{"right of another suffix", i3.Trigger{ID: private.WithSuffix(1), Target: i3.ToID(rightOf(private))}, false},
		{"right used as left", i3.Trigger{ID: rightOf(idB), Target: i3.ToID(idB)}, false},
		{"left used as right", i3.Trigger{ID: private, Target: i3.ToID(leftOf(private, 2))}, false},
		{"to itself", i3.Trigger{ID: private, Target: i3.ToID(private)}, false},
		{"host, right, private", i3.Trigger{ID: private, Target: i3.ToHost(host4, i3.RightKey(private))}, true},
		{"host, right, public", i3.Trigger{ID: public, Target: i3.ToHost(host4, i3.RightKey(public))}, false},
		{"host, left, public", i3.Trigger{
			ID: i3.NewID(3, i3.LeftKeyOf(hostKey), 0), Target: i3.ToHost(host4, hostKey)}, true},
		{"host, left, private", i3.Trigger{
			ID: i3.NewID(2, i3.LeftKeyOf(hostKey), 0), Target: i3.ToHost(host4, hostKey)}, true},
		{"host without key", i3.Trigger{ID: private, Target: i3.ToHost(host4, i3.Key{})}, false},
		{"host with the identifier's own key", i3.Trigger{ID: private, Target: i3.ToHost(host4, private.Key())}, false},
		{"nowhere", i3.Trigger{ID: private}, false},
	} {
		err := i3.CheckConstraint(c.tr)
		if c.ok && err != nil || !c.ok && !errors.Is(err, i3.ErrConstraint) {
			t.Errorf("%s: CheckConstraint = %v, want accepted %v", c.name, err, c.ok)
		}
	}
}

// TestChainsAndFlippedBits: a chain built by either rule is accepted link by link, and with any bit of a key flipped
// the link is refused.
func TestChainsAndFlippedBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := anyID.Draw(t, "first").Private()
		for range rapid.IntRange(1, 5).Draw(t, "links") {
			y := i3.NewID(rapid.Uint64().Draw(t, "prefix"), i3.RightKey(x), rapid.Uint64().Draw(t, "suffix")).Private()
			right := i3.Trigger{ID: x, Target: i3.ToID(y)}
			z := i3.NewID(y.Prefix(), i3.LeftKey(x), y.Suffix())
			left := i3.Trigger{ID: z, Target: i3.ToID(x)}
			host := i3.Trigger{ID: y, Target: i3.ToHost(anyAddr.Draw(t, "host"), i3.RightKey(y))}
			for _, tr := range []i3.Trigger{right, left, host} {
				if err := i3.CheckConstraint(tr); err != nil {
					t.Fatalf("%v: %v", tr, err)
				}
			}
			bit := rapid.IntRange(0, 8*i3.KeySize-1).Draw(t, "bit")
			for _, tr := range []i3.Trigger{
				{ID: x, Target: i3.ToID(flipKey(y, bit))},
				{ID: flipKey(x, bit), Target: i3.ToID(y)},
				{ID: flipKey(z, bit), Target: i3.ToID(x)},
				{ID: z, Target: i3.ToID(flipKey(x, bit))},
				{ID: flipKey(y, bit), Target: host.Target},
			} {
				if err := i3.CheckConstraint(tr); !errors.Is(err, i3.ErrConstraint) {
					t.Fatalf("%v with bit %d flipped: %v", tr, bit, err)
				}
			}
			x = y
		}
	})
}

func flipKey(id i3.ID, bit int) i3.ID {
	k := id.Key()
	k[bit/8] ^= 1 << (bit % 8)
	return i3.NewID(id.Prefix(), k, id.Suffix())
}

// drawPool plays the adversary: it makes identifiers whose keys follow from each other by either rule, in any order and
// from few prefixes and suffixes, so as to get as many accepted triggers among them as it can.
func drawPool(t *rapid.T) []i3.ID {
	pool := []i3.ID{idA, idB.Public(), i3.NewID(6, i3.Key{}, 6)}
	for range rapid.IntRange(4, 24).Draw(t, "moves") {
		x := rapid.SampledFrom(pool).Draw(t, "of")
		key := x.Key()
		switch rapid.SampledFrom([]string{"child", "parent", "variant"}).Draw(t, "move") {
		case "child":
			key = i3.RightKey(x)
		case "parent":
			key = i3.LeftKey(x)
		}
		id := i3.NewID(rapid.Uint64Range(0, 3).Draw(t, "prefix"), key, rapid.Uint64Range(0, 2).Draw(t, "suffix"))
		if !slices.Contains(pool, id) {
			pool = append(pool, id)
		}
	}
	return pool
}

// TestAcceptedTriggersAreTrees: whatever triggers are accepted among an adversary's identifiers, no packet comes back
// to where it was, and none gets anywhere by two ways. A place is an exact part, because a packet to any suffix of it
// may match a trigger of any other.
func TestAcceptedTriggersAreTrees(t *testing.T) {
	edges := 0
	rapid.Check(t, func(t *rapid.T) {
		pool := drawPool(t)
		next := make(map[i3.Exact]map[i3.Exact]bool)
		for _, x := range pool {
			for _, y := range pool {
				if i3.CheckConstraint(i3.Trigger{ID: x, Target: i3.ToID(y)}) != nil {
					continue
				}
				if next[x.Exact()] == nil {
					next[x.Exact()] = make(map[i3.Exact]bool)
				}
				next[x.Exact()][y.Exact()] = true
				edges++
			}
		}
		for from := range next {
			reached := map[i3.Exact]bool{from: true}
			if at, ok := walk(next, from, reached); !ok {
				t.Fatalf("from %x there are two ways to %x, or a cycle through it, among %v", from, at, pool)
			}
		}
	})
	if edges == 0 {
		t.Error("the adversary found no trigger that is accepted: the test looked at nothing")
	}
}

// walk visits everything that can be reached from a place and stops at what it reaches a second time.
func walk(next map[i3.Exact]map[i3.Exact]bool, from i3.Exact, reached map[i3.Exact]bool) (i3.Exact, bool) {
	for to := range maps.Keys(next[from]) {
		if reached[to] {
			return to, false
		}
		reached[to] = true
		if at, ok := walk(next, to, reached); !ok {
			return at, false
		}
	}
	return from, true
}

// TestSuffixesShareAPlace writes down what the constraints do not do. All children of x have the same key, so two that
// also share their prefix are one place for packets, and x may be chained to that place once for each suffix. Every
// copy then matches the same trigger. Nodes must bound copies by other means: the cap on triggers per identifier, the
// hop limit and the budget of a batch.
func TestSuffixesShareAPlace(t *testing.T) {
	x := idA.Private()
	one := i3.NewID(0x10, i3.RightKey(x), 1)
	two := one.WithSuffix(2)
	for _, y := range []i3.ID{one, two} {
		if err := i3.CheckConstraint(i3.Trigger{ID: x, Target: i3.ToID(y)}); err != nil {
			t.Errorf("(%v, %v): %v", x, y, err)
		}
	}
	if !two.Matches(one) {
		t.Errorf("a packet for %v does not match a trigger for %v", two, one)
	}
}
