package matcher

import "unsafe"

// A pool is an array whose elements are handed out by index. Index 0 is never
// handed out: it means "none". Free elements are zero and are reused last in,
// first out, so that the layout depends on the sequence of operations alone.
//
// Pointers into items are good until the next get.
type pool[T any] struct {
	items []T
	free  []uint32
}

func newPool[T any]() pool[T] { return pool[T]{items: make([]T, 1)} }

// get returns the index of a zero element.
func (p *pool[T]) get() uint32 {
	if k := len(p.free); k > 0 {
		i := p.free[k-1]
		p.free = p.free[:k-1]
		return i
	}
	var zero T
	p.items = append(p.items, zero)
	return uint32(len(p.items) - 1)
}

// put takes an element back.
func (p *pool[T]) put(i uint32) {
	var zero T
	p.items[i] = zero
	p.free = append(p.free, i)
}

// used returns the number of elements handed out.
func (p *pool[T]) used() int { return len(p.items) - 1 - len(p.free) }

// bytes returns the memory of the pool.
func (p *pool[T]) bytes() int {
	var zero T
	return cap(p.items)*int(unsafe.Sizeof(zero)) + cap(p.free)*4
}
