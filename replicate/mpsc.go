package replicate

import "sync/atomic"

// An MPSC is a bounded ring from any number of goroutines, its producers, to one, its consumer.
// What a producer puts in stays in order, and a batch stays together. No call waits, but the
// consumer does not get past a place that a producer has reserved and not yet filled: what
// was put behind it comes when that producer runs on.
//
// Elements are not wiped when they are taken. The zero value has no room for anything.
type MPSC[T any] struct {
	_     [cacheLine]byte
	tail  atomic.Uint64 // how many places were ever reserved; all producers write it
	limit atomic.Uint64 // up to where producers know places to be free: to look at head costs a miss
	_     [cacheLine - 16]byte
	head  atomic.Uint64 // how many were ever taken; the consumer's
	_     [cacheLine - 8]byte
	cells []cell[T]
	mask  uint64
	_     [cacheLine - 32]byte
}

// A cell is a place of an [MPSC]. The element of number n is there when seq is n+1; what seq
// was before need not be reset, so the consumer writes nothing but head.
type cell[T any] struct {
	seq atomic.Uint64
	v   T
}

// NewMPSC returns a ring of at least size elements: the next power of two, from 2 to 2^30.
func NewMPSC[T any](size int) *MPSC[T] {
	n := ringSize(size)
	return &MPSC[T]{cells: make([]cell[T], n), mask: uint64(n - 1)}
}

// Cap returns how many elements the ring holds. Anybody may call it.
func (r *MPSC[T]) Cap() int { return len(r.cells) }

// Len returns how many places are reserved or full, as it was a moment ago. Anybody may call it.
func (r *MPSC[T]) Len() int {
	head := r.head.Load() // before tail, so that the difference is not negative
	return min(int(r.tail.Load()-head), len(r.cells))
}

// reserve reserves up to n places, the first of which has the number it returns.
func (r *MPSC[T]) reserve(n int) (first uint64, got int) {
	for {
		tail := r.tail.Load()
		// Another producer may have stored an older limit over a newer one, so this may be negative.
		free := int(r.limit.Load() - tail)
		if free < n {
			limit := r.head.Load() + uint64(len(r.cells))
			r.limit.Store(limit)
			free = int(limit - tail)
		}
		got = min(n, free)
		if got == 0 || r.tail.CompareAndSwap(tail, tail+uint64(got)) {
			return tail, got
		}
	}
}

// Put puts an element in, and reports whether there was room. Anybody may call it.
func (r *MPSC[T]) Put(v T) bool {
	at, n := r.reserve(1)
	if n == 0 {
		return false
	}
	c := &r.cells[at&r.mask]
	c.v = v
	c.seq.Store(at + 1)
	return true
}

// PutBatch puts in as many of the first elements of vs as there is room for, side by side, and returns
// how many. Anybody may call it.
func (r *MPSC[T]) PutBatch(vs []T) int {
	at, n := r.reserve(len(vs))
	for i := range vs[:n] {
		c := &r.cells[(at+uint64(i))&r.mask]
		c.v = vs[i]
		c.seq.Store(at + uint64(i) + 1)
	}
	return n
}

// Get takes the oldest element; false means that there is none, or not yet. Only the consumer may
// call it.
func (r *MPSC[T]) Get() (v T, ok bool) {
	if len(r.cells) == 0 {
		return v, false
	}
	head := r.head.Load()
	c := &r.cells[head&r.mask]
	if c.seq.Load() != head+1 {
		return v, false
	}
	v = c.v
	r.head.Store(head + 1)
	return v, true
}

// GetBatch takes the oldest elements, as many as are there and dst has room for, and returns how many.
// Only the consumer may call it.
func (r *MPSC[T]) GetBatch(dst []T) int {
	head := r.head.Load()
	n := 0
	for most := min(len(dst), len(r.cells)); n < most; n++ {
		at := head + uint64(n)
		c := &r.cells[at&r.mask]
		if c.seq.Load() != at+1 {
			break
		}
		dst[n] = c.v
	}
	if n > 0 {
		r.head.Store(head + uint64(n))
	}
	return n
}
