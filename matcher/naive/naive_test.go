package naive_test

import (
	"fmt"
	"testing"

	"i3bench/i3"
	"i3bench/matcher"
	"i3bench/matcher/naive"
)

// The oracle is used like the table that it is compared with.
func Example() {
	table, err := naive.New(matcher.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	id := i3.NewID(1, i3.Key{}, 0x40)
	table.Insert(id, 7, 0, 30)
	table.Insert(id, 8, 0, 30)
	winner, targets := table.Match(id.WithSuffix(0x99), 0, nil)
	fmt.Println(winner == id, targets, table.Kernel())
	// Output: true [7 8] naive
}

// TestSweepPass changes the table between the calls of one pass.
func TestSweepPass(t *testing.T) {
	table, err := naive.New(matcher.Config{})
	if err != nil {
		t.Fatal(err)
	}
	id := func(i int) i3.ID { return i3.NewID(uint64(i), i3.Key{}, 0) }
	for i := range 6 {
		if _, err := table.Insert(id(i), 1, 0, 10); err != nil {
			t.Fatal(err)
		}
	}
	var got []uint64
	note := func(id i3.ID, _ matcher.Target) { got = append(got, id.Prefix()) }
	if table.Sweep(2, 10, note) {
		t.Error("done after two of six")
	}
	table.Remove(id(2), 1)
	table.RefreshBatch([]matcher.Refresh{{ID: id(4), Target: 1, Expire: 20}}, 10, nil)
	if !table.Sweep(4, 10, note) {
		t.Error("not done after six of six")
	}
	if want := []uint64{0, 1, 3, 5}; fmt.Sprint(got) != fmt.Sprint(want) || table.Len() != 1 {
		t.Errorf("swept %v and left %d, want %v and 1", got, table.Len(), want)
	}
}
