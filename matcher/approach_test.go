package matcher_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
	"i3bench/matcher"
)

// The steps of Approach lead to the very targets that a look-up finds, for every identifier with a prefix of its own,
// and to none where none is stored.
func TestApproach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := [16]byte{rapid.Byte().Draw(t, "seed")}
		table, err := matcher.New(matcher.Config{MaxTriggers: 1000, MaxPerID: 20, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(0, 40).Draw(t, "identifiers")
		id := func(i int) i3.ID { return i3.NewID(uint64(i), i3.Key{byte(i)}, uint64(i)) }
		for i := range n {
			for k := range rapid.IntRange(1, 12).Draw(t, "targets") {
				if _, err := table.Insert(id(i), matcher.Target(100*i+k), 1, 10); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := range n + 5 {
			var hint uint64
			for step := 0; step < matcher.Steps; step++ {
				if hint, _ = table.Approach(id(i), step, hint); hint == 0 {
					break
				}
			}
			var got []matcher.Target
			if hint != 0 {
				got = table.Approached(hint, nil)
			}
			if want := table.Stored(id(i), nil); !slices.Equal(got, want) {
				t.Fatalf("identifier %d of %d: %v, want %v", i, n, got, want)
			}
		}
	})
}

// Of an anycast group, where the way to a member is long, nothing is read beyond its first node.
func TestApproachGroup(t *testing.T) {
	table, err := matcher.New(matcher.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for s := range uint64(5) {
		if _, err := table.Insert(i3.NewID(1, i3.Key{1}, s), matcher.Target(s), 1, 10); err != nil {
			t.Fatal(err)
		}
	}
	id := i3.NewID(1, i3.Key{1}, 3)
	hint, _ := table.Approach(id, 0, 0)
	if hint, _ = table.Approach(id, 1, hint); hint == 0 {
		t.Fatal("the group's slot was not found")
	}
	if hint, _ = table.Approach(id, 2, hint); hint != 0 {
		t.Errorf("hint %d after the group's first node", hint)
	}
}
