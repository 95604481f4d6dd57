package hist

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The buckets cover every value once, in order, and none is wider than 1/64 of
// its values.
func TestBucketsTile(t *testing.T) {
	next := int64(0)
	for i := range buckets {
		lo, hi := bounds(i)
		if lo != next || hi < lo {
			t.Fatalf("bucket %d holds [%d, %d], want it to begin at %d", i, lo, hi, next)
		}
		if bucket(lo) != i || bucket(hi) != i {
			t.Fatalf("bucket %d holds [%d, %d], but they count in %d and %d", i, lo, hi, bucket(lo), bucket(hi))
		}
		if width := hi - lo + 1; width > 1 && width > lo/half {
			t.Fatalf("bucket %d [%d, %d] is wider than 1/%d of its values", i, lo, hi, half)
		}
		next = hi + 1
	}
	if next != math.MinInt64 {
		t.Fatalf("the last bucket ends before %d, want the largest int64", next)
	}
}

// values draws durations over the whole range, short and long alike.
func values(t *rapid.T, name string) []int64 {
	one := rapid.OneOf(rapid.Int64Range(0, 300), rapid.Int64Range(0, 1e10), rapid.Int64())
	return rapid.SliceOfN(one, 0, 200).Draw(t, name)
}

// A sorted slice says what the histogram approximates.
func TestAgainstSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h, other Histogram
		kept := values(t, "values")
		merged := values(t, "merged")
		for _, v := range kept {
			h.Record(v)
		}
		for _, v := range merged {
			other.Record(v)
		}
		h.Merge(&other)

		all := append(slices.Clone(kept), merged...)
		sum := 0.0
		for i := range all {
			all[i] = max(all[i], 0)
			sum += float64(all[i])
		}
		slices.Sort(all)
		if h.Count() != uint64(len(all)) {
			t.Fatalf("Count() = %d, want %d", h.Count(), len(all))
		}
		if len(all) == 0 {
			return
		}
		if h.Min() != all[0] || h.Max() != all[len(all)-1] {
			t.Fatalf("Min() = %d, Max() = %d, want %d, %d", h.Min(), h.Max(), all[0], all[len(all)-1])
		}
		if mean := sum / float64(len(all)); math.Abs(h.Mean()-mean) > 1e-9*mean {
			t.Fatalf("Mean() = %v, want %v", h.Mean(), mean)
		}
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		want := all[max(int(math.Ceil(q*float64(len(all)))), 1)-1]
		got := h.Quantile(q)
		if off := math.Abs(float64(got) - float64(want)); off > float64(want)/128 {
			t.Fatalf("Quantile(%v) = %d, want %d within 1/128", q, got, want)
		}
	})
}

func TestQuantileEdges(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 || h.Max() != 0 || h.Min() != 0 {
		t.Error("an empty histogram reports something")
	}
	h.Merge(&Histogram{})
	if h.Count() != 0 {
		t.Error("two empty histograms make a value")
	}
	for _, v := range []int64{1_000_003, 5_000_001, 9_000_009} {
		h.Record(v)
	}
	for _, c := range []struct {
		q    float64
		want int64
	}{{-1, 1_000_003}, {0, 1_000_003}, {1, 9_000_009}, {2, 9_000_009}, {math.NaN(), 1_000_003}} {
		if got := h.Quantile(c.q); got != c.want {
			t.Errorf("Quantile(%v) = %d, want exactly %d", c.q, got, c.want)
		}
	}
	h.Record(-5)
	if h.Min() != 0 || h.Count() != 4 {
		t.Errorf("a negative value: Min() = %d, Count() = %d, want 0 and 4", h.Min(), h.Count())
	}
}

func TestRecordAllocatesNothing(t *testing.T) {
	var h Histogram
	v := int64(1)
	if allocs := testing.AllocsPerRun(100, func() { h.Record(v); v *= 3 }); allocs != 0 {
		t.Errorf("Record: %v allocations, want 0", allocs)
	}
}

func BenchmarkRecord(b *testing.B) {
	var h Histogram
	v := int64(1)
	for b.Loop() {
		h.Record(v)
		v = (v*5 + 1) & (1<<40 - 1)
	}
}
