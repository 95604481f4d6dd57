package hist

import (
	"math"
	"math/bits"
)

const (
	// halfBits sets the resolution: every power of two above the first linear
	// stretch is cut into 2^halfBits buckets.
	halfBits = 6

	half = 1 << halfBits

	// Values of int64 have at most 63 bits. The first halfBits+1 of them share
	// the linear stretch of 2*half buckets.
	buckets = 2*half + (63-(halfBits+1))*half
)

// A Histogram counts non-negative integers, for example durations in
// nanoseconds. The zero Histogram is empty and ready; it takes 30 KB, so pass
// it by pointer. It must not be used by two goroutines at once.
type Histogram struct {
	counts [buckets]uint64
	n      uint64
	sum    float64
	max    int64
	min    int64
}

// bucket returns the index of the bucket of v, which is not negative.
func bucket(v int64) int {
	u := uint64(v)
	shift := max(bits.Len64(u)-(halfBits+1), 0)
	return shift<<halfBits + int(u>>shift)
}

// bounds returns the smallest and the largest value of a bucket.
func bounds(index int) (lo, hi int64) {
	shift := max(index>>halfBits-1, 0)
	lo = int64(index-shift<<halfBits) << shift
	return lo, lo + 1<<shift - 1
}

// Record counts one value. A negative value counts as 0: a clock that steps
// back must not hide an operation.
func (h *Histogram) Record(v int64) {
	v = max(v, 0)
	h.counts[bucket(v)]++
	if h.n == 0 || v < h.min {
		h.min = v
	}
	h.max = max(h.max, v)
	h.sum += float64(v)
	h.n++
}

// Merge adds all values of o to h.
func (h *Histogram) Merge(o *Histogram) {
	if o.n == 0 {
		return
	}
	for i, c := range o.counts {
		h.counts[i] += c
	}
	if h.n == 0 || o.min < h.min {
		h.min = o.min
	}
	h.max = max(h.max, o.max)
	h.sum += o.sum
	h.n += o.n
}

// Count returns the number of values.
func (h *Histogram) Count() uint64 { return h.n }

// Min returns the smallest value, exactly; 0 when there is none.
func (h *Histogram) Min() int64 { return h.min }

// Max returns the largest value, exactly; 0 when there is none.
func (h *Histogram) Max() int64 { return h.max }

// Mean returns the arithmetic mean of the values; 0 when there is none.
func (h *Histogram) Mean() float64 {
	if h.n == 0 {
		return 0
	}
	return h.sum / float64(h.n)
}

// Quantile returns the smallest value v such that at least the share q of all
// values is at most v (nearest rank), within 1/128 of it; 0 when there is none.
// A q outside [0, 1] counts as the nearer end, and both ends are exact: Min and
// Max.
func (h *Histogram) Quantile(q float64) int64 {
	if h.n == 0 || q <= 0 || math.IsNaN(q) {
		return h.min
	}
	rank := h.n
	if q < 1 {
		rank = uint64(math.Ceil(q * float64(h.n)))
	}
	if rank >= h.n {
		return h.max
	}
	seen := uint64(0)
	for i, c := range h.counts {
		if seen += c; seen >= rank {
			lo, hi := bounds(i)
			return min(max(lo+(hi-lo)/2, h.min), h.max)
		}
	}
	return h.max
}
