package matcher_test

import (
	"fmt"

	"i3bench/i3"
	"i3bench/matcher"
)

// Three receivers share a prefix and a key. A packet goes to the one whose
// suffix is nearest to its own, as long as that one refreshes its trigger.
func Example() {
	table, err := matcher.New(matcher.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	group := i3.NewID(0xfeed, i3.Key{}, 0)
	table.Insert(group.WithSuffix(0x10), 1, 0, 30)
	table.Insert(group.WithSuffix(0x17), 2, 0, 20)
	table.Insert(group.WithSuffix(0x80), 3, 0, 30)

	for _, now := range []matcher.Tick{0, 20, 30} {
		winner, targets := table.Match(group.WithSuffix(0x15), now, nil)
		fmt.Printf("tick %d: suffix %#x, targets %v\n", now, winner.Suffix(), targets)
	}
	// Output:
	// tick 0: suffix 0x17, targets [2]
	// tick 20: suffix 0x10, targets [1]
	// tick 30: suffix 0x0, targets []
}

// A node matches the packets that it received together.
func ExampleTable_MatchBatch() {
	table, err := matcher.New(matcher.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	a, b := i3.NewID(1, i3.Key{}, 0), i3.NewID(2, i3.Key{}, 0)
	table.Insert(a, 10, 0, 30)
	table.Insert(a, 11, 0, 30)
	table.Insert(b, 20, 0, 30)

	var m matcher.Matches // kept, so that the next batch allocates nothing
	table.MatchBatch([]i3.ID{b, i3.NewID(3, i3.Key{}, 0), a}, 1, &m)
	for i := range m.Len() {
		fmt.Println(i, m.At(i))
	}
	// Output:
	// 0 [20]
	// 1 []
	// 2 [10 11]
}

// Expired triggers match nothing at once; a sweep gives them back a few at a
// time.
func ExampleTable_Sweep() {
	table, err := matcher.New(matcher.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range uint64(5) {
		table.Insert(i3.NewID(i, i3.Key{}, 0), matcher.Target(i), 0, 10+matcher.Tick(i))
	}
	for done := false; !done; {
		done = table.Sweep(1, 12, func(_ i3.ID, tg matcher.Target) { fmt.Println("expired", tg) })
	}
	fmt.Println(table.Len(), "left")
	// Unordered output:
	// expired 0
	// expired 1
	// expired 2
	// 2 left
}
