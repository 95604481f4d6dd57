package matcher_test

import (
	"fmt"
	"sync"

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

// Triggers with one identifier are multicast: a packet goes to all of them, in the
// order of their insertion.
func ExampleTable_Match_multicast() {
	table, err := matcher.New(matcher.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	id := i3.NewID(1, i3.Key{}, 0)
	for _, target := range []matcher.Target{30, 10, 20} {
		table.Insert(id, target, 0, 10)
	}
	_, targets := table.Match(id, 5, nil)
	fmt.Println(targets)
	// Output:
	// [30 10 20]
}

// Triggers that differ in the suffix are anycast: a packet goes to the one whose
// suffix has most bits, from the first on, in common with its own, and to the next
// best when that has expired.
func ExampleTable_Match_anycast() {
	table, err := matcher.New(matcher.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	group := i3.NewID(1, i3.Key{}, 0)
	table.Insert(group.WithSuffix(0xa000), 1, 0, 20)
	table.Insert(group.WithSuffix(0xb000), 2, 0, 10)
	for _, now := range []matcher.Tick{5, 15} {
		winner, targets := table.Match(group.WithSuffix(0xb001), now, nil)
		fmt.Printf("%x %v\n", winner.Suffix(), targets)
	}
	// Output:
	// b000 [2]
	// a000 [1]
}

// Any number of goroutines may match while others write. Each needs Matches of its
// own.
func ExampleTable_concurrent() {
	table, err := matcher.New(matcher.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer table.Close()
	id := i3.NewID(1, i3.Key{}, 0)
	table.Insert(id, 1, 0, 1000)
	var wg sync.WaitGroup
	wg.Go(func() {
		for now := range matcher.Tick(100) {
			table.Insert(id, 1, now, now+1000) // a refresh
		}
	})
	wg.Go(func() {
		var m matcher.Matches
		for range 100 {
			if table.MatchBatch([]i3.ID{id}, 100, &m); len(m.At(0)) != 1 {
				fmt.Println("lost")
			}
		}
	})
	wg.Wait()
	fmt.Println(table.Len())
	// Output:
	// 1
}
