package chord_test

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3/chord"
)

// Three nodes divide the circle of prefixes: each owns what lies behind it, up to its predecessor.
func ExampleFixed() {
	ring, err := chord.NewFixed([]chord.Place{
		{Prefix: 0x4000_0000_0000_0000, Addr: addr(1)},
		{Prefix: 0x8000_0000_0000_0000, Addr: addr(2)},
		{Prefix: 0xf000_0000_0000_0000, Addr: addr(3)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, prefix := range []uint64{0x4000_0000_0000_0000, 0x4000_0000_0000_0001, 0xffff_0000_0000_0000} {
		owner, _ := ring.Owner(prefix)
		r, _ := ring.RangeOf(owner)
		fmt.Printf("%016x: %v, whose range is (%016x, %016x]\n", prefix, owner, r.Lo, r.Hi)
	}
	// Output:
	// 4000000000000000: 10.0.0.1:3000, whose range is (f000000000000000, 4000000000000000]
	// 4000000000000001: 10.0.0.2:3000, whose range is (4000000000000000, 8000000000000000]
	// ffff000000000000: 10.0.0.1:3000, whose range is (f000000000000000, 4000000000000000]
}

func addr(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 3000)
}

const (
	first = uint64(0)
	last  = ^uint64(0)
)

func TestFixedTable(t *testing.T) {
	for _, c := range []struct {
		name   string
		nodes  []uint64 // node i is addr(i)
		prefix uint64
		owner  int
		lo, hi uint64
	}{
		{"one node owns itself", []uint64{5}, 5, 0, 5, 5},
		{"one node owns what is before it", []uint64{5}, 4, 0, 5, 5},
		{"one node owns what is after it", []uint64{5}, 6, 0, 5, 5},
		{"exactly at a node", []uint64{10, 20, 30}, 20, 1, 10, 20},
		{"just after a node", []uint64{10, 20, 30}, 11, 1, 10, 20},
		{"before the first", []uint64{10, 20, 30}, 3, 0, 30, 10},
		{"zero", []uint64{10, 20, 30}, first, 0, 30, 10},
		{"after the last wraps around", []uint64{10, 20, 30}, 31, 0, 30, 10},
		{"largest wraps around", []uint64{10, 20, 30}, last, 0, 30, 10},
		{"node at zero", []uint64{0, 20}, first, 0, 20, 0},
		{"node at zero owns the top", []uint64{0, 20}, last, 0, 20, 0},
		{"after the node at zero", []uint64{0, 20}, 1, 1, 0, 20},
		{"node at the top", []uint64{20, last}, last, 1, 20, last},
		{"zero with a node at the top", []uint64{20, last}, first, 0, last, 20},
		{"neighbours over the edge", []uint64{last, 0}, first, 1, last, 0},
		{"neighbours over the edge, long way", []uint64{last, 0}, 1, 0, 0, last},
		{"given in any order", []uint64{30, 10, 20}, 25, 0, 20, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			ring := newRing(t, c.nodes)
			if got, ok := ring.Owner(c.prefix); !ok || got != addr(c.owner) {
				t.Errorf("Owner(%x) = %v, %v, want %v", c.prefix, got, ok, addr(c.owner))
			}
			if r, ok := ring.RangeOf(addr(c.owner)); !ok || r != (chord.Range{Lo: c.lo, Hi: c.hi}) {
				t.Errorf("RangeOf = (%x, %x], %v, want (%x, %x]", r.Lo, r.Hi, ok, c.lo, c.hi)
			}
		})
	}
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func newRing(t fataler, prefixes []uint64) *chord.Fixed {
	t.Helper()
	places := make([]chord.Place, len(prefixes))
	for i, p := range prefixes {
		places[i] = chord.Place{Prefix: p, Addr: addr(i)}
	}
	ring, err := chord.NewFixed(places)
	if err != nil {
		t.Fatalf("NewFixed(%x): %v", prefixes, err)
	}
	return ring
}

func TestNewFixedErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		places []chord.Place
		want   []string
	}{
		{"no nodes", nil, []string{"chord: ", "want at least one"}},
		{"two at one position", []chord.Place{{Prefix: 7, Addr: addr(1)}, {Prefix: 9}, {Prefix: 7, Addr: addr(3)}},
			[]string{"chord: ", "10.0.0.1:3000", "10.0.0.3:3000", "0000000000000007", "want distinct"}},
	} {
		ring, err := chord.NewFixed(c.places)
		if err == nil || ring != nil {
			t.Errorf("%s: NewFixed = %v, %v, want an error", c.name, ring, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error %q does not say %q", c.name, err, w)
			}
		}
	}
}

// TestFixedIsImmutable: the ring keeps no hold of what it was made from, and does not reorder it.
func TestFixedIsImmutable(t *testing.T) {
	places := []chord.Place{{Prefix: 30, Addr: addr(0)}, {Prefix: 10, Addr: addr(1)}}
	before := slices.Clone(places)
	ring, err := chord.NewFixed(places)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(places, before) {
		t.Errorf("NewFixed reordered its argument to %v", places)
	}
	places[0], places[1] = chord.Place{Prefix: 1}, chord.Place{Prefix: 2}
	if got, _ := ring.Owner(20); got != addr(0) {
		t.Errorf("after a change of its argument the ring says %v, want %v", got, addr(0))
	}
	if r, ok := ring.RangeOf(addr(9)); ok || r != (chord.Range{}) {
		t.Errorf("RangeOf a stranger = %v, %v", r, ok)
	}
}

// drawPrefixes draws distinct positions, close together and around the edge of the circle as well as anywhere.
func drawPrefixes(t *rapid.T) []uint64 {
	return rapid.SliceOfNDistinct(drawPrefix, 1, 12, rapid.ID[uint64]).Draw(t, "nodes")
}

var drawPrefix = rapid.Custom(func(t *rapid.T) uint64 {
	base := rapid.SampledFrom([]uint64{first, last, 1 << 63, 0x0123456789abcdef}).Draw(t, "base")
	if rapid.Bool().Draw(t, "near") {
		return base + rapid.Uint64Range(0, 6).Draw(t, "offset") - 3
	}
	return rapid.Uint64().Draw(t, "prefix")
})

// TestOwnerIsWhoseRangeContains: the two ways to ask who owns a prefix agree, and exactly one node says yes.
func TestOwnerIsWhoseRangeContains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := drawPrefixes(t)
		ring := newRing(t, nodes)
		prefix := drawPrefix.Draw(t, "prefix")
		owner, ok := ring.Owner(prefix)
		if !ok {
			t.Fatalf("nobody owns %x", prefix)
		}
		for i, p := range nodes {
			r, ok := ring.RangeOf(addr(i))
			if !ok || r.Hi != p {
				t.Fatalf("node %d at %x has range (%x, %x], %v", i, p, r.Lo, r.Hi, ok)
			}
			if got, want := r.Contains(prefix), addr(i) == owner; got != want {
				t.Fatalf("(%x, %x] contains %x: %v, but the owner is %v", r.Lo, r.Hi, prefix, got, owner)
			}
			if got, want := r.Contains(prefix), between(r, prefix); got != want {
				t.Fatalf("(%x, %x] contains %x: %v, by its definition %v", r.Lo, r.Hi, prefix, got, want)
			}
		}
	})
}

// between is the definition of a range, case by case.
func between(r chord.Range, prefix uint64) bool {
	switch {
	case r.Lo == r.Hi:
		return true
	case r.Lo < r.Hi:
		return r.Lo < prefix && prefix <= r.Hi
	}
	return prefix > r.Lo || prefix <= r.Hi
}

// TestAtIsInRange: whatever is drawn lies in the range it was drawn from, and every prefix of it can be drawn.
func TestAtIsInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := chord.Range{Lo: drawPrefix.Draw(t, "lo"), Hi: drawPrefix.Draw(t, "hi")}
		x := drawPrefix.Draw(t, "x")
		if got := r.At(x); !r.Contains(got) {
			t.Fatalf("(%x, %x] has %x at %x", r.Lo, r.Hi, got, x)
		}
	})
	for _, lo := range []uint64{0, 100, last - 2, last} {
		r := chord.Range{Lo: lo, Hi: lo + 5}
		seen := make(map[uint64]bool)
		for i := range uint64(1000) {
			seen[r.At(i*0x9e3779b97f4a7c15)] = true
		}
		if len(seen) != 5 {
			t.Errorf("(%x, %x] has %d prefixes, drawn were %d", r.Lo, r.Hi, 5, len(seen))
		}
	}
}

// TestOwnerWherePlacesCrowd: the index finds the owner wherever places lie, however close, as a walk does.
func TestOwnerWherePlacesCrowd(t *testing.T) {
	for _, n := range []int{1, 2, 3, 63, 64, 65, 1000} {
		var prefixes []uint64
		for i := range uint64(n) {
			switch i % 3 {
			case 0:
				prefixes = append(prefixes, 1<<40+i) // all in one part of the circle
			case 1:
				prefixes = append(prefixes, i*0x9e3779b97f4a7c15)
			default:
				prefixes = append(prefixes, math.MaxUint64-i) // and in the last part
			}
		}
		ring := newRing(t, prefixes)
		for _, p := range prefixes {
			for _, prefix := range []uint64{p - 1, p, p + 1} {
				want, best := 0, uint64(math.MaxUint64)
				for i, q := range prefixes {
					if q-prefix <= best {
						want, best = i, q-prefix
					}
				}
				if got, _ := ring.Owner(prefix); got != addr(want) {
					t.Fatalf("%d places: Owner(%x) = %v, want %v", n, prefix, got, addr(want))
				}
			}
		}
	}
}
