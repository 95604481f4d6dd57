package tablebench

import (
	"math"
	"testing"
)

// digest folds the first thousand look-ups of each kind in a table of a thousand into a word.
func digest() (h uint64) {
	for _, j := range jobs(1000) {
		n := 0
		j.All(func(_ int, _ bool, id ID) {
			if n++; n <= 1000 {
				for _, w := range id {
					h = mix(h ^ w)
				}
			}
		})
	}
	return h
}

// TestPinned pins what tables.cc below matcher/peer computes, too, when it starts: both draw the same.
func TestPinned(t *testing.T) {
	if got := digest(); got != 0x9a36833396a8654b {
		t.Errorf("tablebench: digest %#x, want what is in tables.cc", got)
	}
}

func TestJobs(t *testing.T) {
	for _, j := range jobs(1e5) {
		hits, total, found := 0, 0, make(map[int]int)
		j.All(func(number int, present bool, id ID) {
			total++
			want := Absent(number)
			if present {
				hits++
				want = Present(number)
			}
			if number < 0 || number >= j.N || id != want {
				t.Fatalf("tablebench: %v: number %d, identifier %x, want %x", j, number, id, want)
			}
			found[number]++
		})
		if total != j.Queries() || math.Abs(float64(hits*100)/float64(total)-float64(j.Hit)) > 1 {
			t.Errorf("tablebench: %v: %d hits of %d look-ups, want %d %% of %d", j, hits, total, j.Hit, j.Queries())
		}
		// A number does not come up in 65,536 draws of 100,000 with a probability of exp(-0.65536).
		if uniform := 1e5 * (1 - math.Exp(-0.65536)); j.Hit == 100 && !j.Zipf && math.Abs(float64(len(found))-uniform) > 500 {
			t.Errorf("tablebench: %v: %d different numbers, want %.0f", j, len(found), uniform)
		}
	}
}

// TestZipf compares how often ranks come up with Zipf's law.
func TestZipf(t *testing.T) {
	const n, draws = 1000, 1_000_000
	var counts [n + 1]int
	s := stream(7)
	for range draws {
		counts[s.rank(n)]++
	}
	harmonic := 0.0
	for k := 1; k <= n; k++ {
		harmonic += 1 / float64(k)
	}
	chi2 := 0.0
	for k := 1; k <= n; k++ {
		want := draws / harmonic / float64(k)
		chi2 += (float64(counts[k]) - want) * (float64(counts[k]) - want) / want
	}
	// 999 degrees of freedom: 1223 is five standard deviations above.
	if chi2 > 1223 {
		t.Errorf("tablebench: chi-squared of %d draws is %.0f", draws, chi2)
	}
}

// TestSums sees that a table is found out whose values are wrong, and no other.
func TestSums(t *testing.T) {
	const n = 1000
	for _, wrong := range []uint64{0, 1} {
		m := make(map[ID]uint64)
		for i := range n {
			m[Present(i)] = uint64(i) + wrong
		}
		for _, j := range jobs(n) {
			err := Draw(j, Same).Check(func(ids []ID) (sum uint64) {
				for _, id := range ids {
					sum += m[id]
				}
				return sum
			})
			if (err == nil) != (wrong == 0) {
				t.Errorf("tablebench: %v: %v; each value is wrong by %d", j, err, wrong)
			}
		}
	}
}
