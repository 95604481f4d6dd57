package replicate

import (
	"math/bits"
	"sync/atomic"
)

// cacheLine is what processors hand to each other at once. Words that different
// goroutines write to lie at least so many bytes apart.
const cacheLine = 64

// maxRing is the most elements of a ring.
const maxRing = 1 << 30

// ringSize returns the size of a ring that was asked for with n.
func ringSize(n int) int {
	return 1 << bits.Len(uint(min(max(n, 2), maxRing)-1))
}

// An SPSC is a bounded ring from one goroutine, its producer, to one other, its consumer.
// Neither waits for the other: where there is no room, or nothing to get, a call says so.
// It does not count what had no room: the producer knows.
//
// Elements are not wiped when they are taken. If they have pointers, what these lead to
// lives on until their place is written again. The zero value has no room for anything.
type SPSC[T any] struct {
	_        [cacheLine]byte
	tail     atomic.Uint64 // how many were ever put; the producer's
	seenHead uint64        // what the producer last knew of head: to look costs a miss
	_        [cacheLine - 16]byte
	head     atomic.Uint64 // how many were ever taken; the consumer's
	seenTail uint64        // what the consumer last knew of tail
	_        [cacheLine - 16]byte
	buf      []T
	mask     uint64
	_        [cacheLine - 32]byte
}

// NewSPSC returns a ring of at least size elements: the next power of two, from 2 to 2^30.
func NewSPSC[T any](size int) *SPSC[T] {
	n := ringSize(size)
	return &SPSC[T]{buf: make([]T, n), mask: uint64(n - 1)}
}

// Cap returns how many elements the ring holds. Anybody may call it.
func (r *SPSC[T]) Cap() int { return len(r.buf) }

// Len returns how many elements are in the ring. Anybody may call it; for anybody but the producer
// and the consumer it is how it was a moment ago.
func (r *SPSC[T]) Len() int {
	head := r.head.Load() // before tail, so that the difference is not negative
	return min(int(r.tail.Load()-head), len(r.buf))
}

// Room returns how many elements the producer can put now; there may be room for more by the
// time it does. Only the producer may call it.
func (r *SPSC[T]) Room() int { return r.room(r.tail.Load(), len(r.buf)) }

// room returns how many fit after the first tail. It looks at what the consumer has taken only if
// fewer than wanted fit for all that it knows.
func (r *SPSC[T]) room(tail uint64, wanted int) int {
	free := len(r.buf) - int(tail-r.seenHead)
	if free < wanted {
		r.seenHead = r.head.Load()
		free = len(r.buf) - int(tail-r.seenHead)
	}
	return free
}

// Put puts an element in, and reports whether there was room. Only the producer may call it.
func (r *SPSC[T]) Put(v T) bool {
	tail := r.tail.Load()
	if r.room(tail, 1) == 0 {
		return false
	}
	r.buf[tail&r.mask] = v
	r.tail.Store(tail + 1)
	return true
}

// PutBatch puts in as many of the first elements of vs as there is room for, and returns how many. The
// consumer sees them all at once. Only the producer may call it.
func (r *SPSC[T]) PutBatch(vs []T) int {
	tail := r.tail.Load()
	n := min(len(vs), r.room(tail, len(vs)))
	if n == 0 {
		return 0
	}
	if done := copy(r.buf[tail&r.mask:], vs[:n]); done < n {
		copy(r.buf, vs[done:n])
	}
	r.tail.Store(tail + uint64(n))
	return n
}

// ready returns how many elements are there after the first head. It looks at what the producer has
// put only if fewer than wanted are there for all that it knows.
func (r *SPSC[T]) ready(head uint64, wanted int) int {
	n := int(r.seenTail - head)
	if n < wanted {
		r.seenTail = r.tail.Load()
		n = int(r.seenTail - head)
	}
	return n
}

// Get takes the oldest element; false means that there is none. Only the consumer may call it.
func (r *SPSC[T]) Get() (v T, ok bool) {
	head := r.head.Load()
	if r.ready(head, 1) == 0 {
		return v, false
	}
	v = r.buf[head&r.mask]
	r.head.Store(head + 1)
	return v, true
}

// GetBatch takes the oldest elements, as many as there are and dst has room for, and returns how many.
// Only the consumer may call it.
func (r *SPSC[T]) GetBatch(dst []T) int {
	head := r.head.Load()
	n := min(len(dst), r.ready(head, len(dst)))
	if n == 0 {
		return 0
	}
	if done := copy(dst[:n], r.buf[head&r.mask:]); done < n {
		copy(dst[done:n], r.buf)
	}
	r.head.Store(head + uint64(n))
	return n
}
