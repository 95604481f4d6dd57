package lookups

import (
	"testing"

	"i3bench/asm"
	"i3bench/internal/tablebench"
	"i3bench/matcher"
)

// Every table finds what it must, with each variant of the kernels and at sizes at which its shape is odd.
func TestTablesFindWhatTheyMust(t *testing.T) {
	defer asm.Use(asm.Kernel())
	for _, n := range []int{1, 2, 100, 1000} {
		table, done, err := Table(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range []int{100, 50} {
			job := tablebench.Job{N: n, Hit: hit}
			queries := tablebench.Draw(job, ID)
			for _, kernel := range asm.Variants() {
				if err := asm.Use(kernel); err != nil {
					t.Fatal(err)
				}
				if err := queries.Check(table); err != nil {
					t.Errorf("lookups: table of %d, %d %% hits, %s: %v", n, hit, kernel, err)
				}
			}
			if err := tablebench.Draw(job, tablebench.Same).Check(Map(n)); err != nil {
				t.Errorf("lookups: map of %d, %d %% hits: %v", n, hit, err)
			}
		}
		if err := done(); err != nil {
			t.Error(err)
		}
	}
}

// The limit reads fresh memory at every size, and has as many homes as a table of that size.
func TestLimit(t *testing.T) {
	for _, n := range []int{1, 4, 1000, 1025} {
		limit, done, err := Limit(n)
		if err != nil {
			t.Fatal(err)
		}
		queries := tablebench.Draw(tablebench.Job{N: n, Hit: 50}, ID)
		queries.Walk(limit)()
		if err := done(); err != nil {
			t.Error(err)
		}
		if got, want := shape(n).Homes(), matcher.HomesFor(n); got != want {
			t.Errorf("lookups: %d homes for %d identifiers, want %d", got, n, want)
		}
	}
}
