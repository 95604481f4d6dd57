package multicast

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// Every identifier of a tree brings three others with it, all on its own node.
func ExampleJoinSet() {
	id := i3.NewID(0x0123_4567_89ab_cdee, i3.Key{}, 0)
	for _, derived := range []i3.ID{JoinSet(id), FullSet(id), RepairGroup(id, 7)} {
		fmt.Printf("%016x, private %v, suffix %d\n", derived.Prefix(), !derived.IsPublic(), derived.Suffix())
	}
	// Output:
	// 0123456789abcdee, private true, suffix 0
	// 0123456789abcdee, private true, suffix 0
	// 0123456789abcdee, private true, suffix 7
}

var drawWireID = rapid.Custom(func(t *rapid.T) i3.ID {
	b := rapid.SliceOfN(rapid.Byte(), i3.IDSize, i3.IDSize).Draw(t, "bytes")
	return i3.IDFrom([i3.IDSize]byte(b))
})

// derivedOf returns everything that is derived from an identifier, by name.
func derivedOf(id i3.ID) map[string]i3.ID {
	return map[string]i3.ID{
		"root": RootOf(id), "joinable": JoinSet(id), "full": FullSet(id), "repair": RepairGroup(id, 0),
	}
}

// TestDerivedIdentifiers: they live with the identifier they belong to, admit hosts, and do not meet each other.
func TestDerivedIdentifiers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := drawWireID.Draw(t, "id").Private()
		keys := map[i3.Key]string{id.Key(): "the identifier itself"}
		for name, d := range derivedOf(id) {
			if d.Prefix() != id.Prefix() {
				t.Fatalf("%s of %v lives at %016x", name, id, d.Prefix())
			}
			if d.IsPublic() || d.Suffix() != 0 {
				t.Fatalf("%s of %v is %v: public or with a suffix", name, id, d)
			}
			if other, taken := keys[d.Key()]; taken {
				t.Fatalf("%s of %v has the key of %s", name, id, other)
			}
			keys[d.Key()] = name
			own := i3.Trigger{ID: d, Target: i3.ToHost(wireHost, i3.RightKey(d))}
			if err := i3.CheckConstraint(own); err != nil {
				t.Fatalf("%s of %v admits no host: %v", name, id, err)
			}
		}
	})
}

// TestDerivedDependOnEveryBit: two identifiers that differ anywhere have nothing in common below them.
func TestDerivedDependOnEveryBit(t *testing.T) {
	for bit := range i3.IDBits {
		b := wireID.Bytes()
		b[bit/8] ^= 0x80 >> (bit % 8)
		for name, d := range derivedOf(i3.IDFrom(b)) {
			if d.Key() == derivedOf(wireID)[name].Key() {
				t.Errorf("%s does not depend on bit %d", name, bit)
			}
		}
	}
}

// TestDerivedOfAPublicIdentifier: a derived identifier is private even then, for a public one would admit no host by
// the right constraint; that moves it by one position of the ring.
func TestDerivedOfAPublicIdentifier(t *testing.T) {
	id := wireID.Public()
	for name, d := range derivedOf(id) {
		if d.IsPublic() || d.Prefix() != id.Private().Prefix() {
			t.Errorf("%s of the public %v is %v", name, id, d)
		}
	}
}

// TestRepairGroupIsAnycast: requests with any suffix may be given to any member of the group.
func TestRepairGroupIsAnycast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := drawWireID.Draw(t, "id")
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		x, y := RepairGroup(id, a), RepairGroup(id, b)
		if !x.Matches(y) || x.Suffix() != a || y.Suffix() != b {
			t.Fatalf("members %v and %v of one group", x, y)
		}
	})
}

// TestSpread: the suffixes of consecutive packets fall evenly on the members, wherever these are.
func TestSpread(t *testing.T) {
	const packets, members = 4096, 16
	var hits [members]int
	for seq := range uint64(packets) {
		hits[spread(seq)>>60]++
	}
	for m, n := range hits {
		// 256 expected with a standard deviation of 15.5: six of them.
		if n < 256-93 || n > 256+93 {
			t.Errorf("member %d is asked for %d of %d packets, want about %d", m, n, packets, packets/members)
		}
	}
}
