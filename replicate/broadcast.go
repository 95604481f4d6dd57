package replicate

import "sync/atomic"

// Words is an element of a [Broadcast]: 16 bytes that mean what writer and readers agree on. They
// must not hide a Go pointer, which the garbage collector would not find. A [Frame] fits in.
type Words [2]uint64

// A Broadcast is a ring that one goroutine, its writer, writes, and any number of [Reader]s read, each all of
// it: one write whatever their number. The writer knows nothing of the readers and never waits. It
// laps a reader that is too slow; the reader then learns how many elements it lost, and goes on with the oldest
// that is left. No reader ever sees an element that is half written. [NewBroadcast] makes one.
type Broadcast struct {
	_     [cacheLine]byte
	claim atomic.Uint64 // elements with smaller numbers are written or being written
	tail  atomic.Uint64 // elements with smaller numbers are written; at most a step behind claim
	_     [cacheLine - 16]byte
	cells []atomicWords
	mask  uint64
	_     [cacheLine - 32]byte
}

// step is the most elements that are written at once: the others can be read meanwhile.
func (b *Broadcast) step() int { return max(len(b.cells)/4, 1) }

// atomicWords are atomic because a reader may read them while they are written, and finds out afterwards.
type atomicWords [2]atomic.Uint64

// NewBroadcast returns a ring of at least size elements: the next power of two, from 2 to 2^30. A reader
// can be behind by so many before it loses any.
func NewBroadcast(size int) *Broadcast {
	n := ringSize(size)
	return &Broadcast{cells: make([]atomicWords, n), mask: uint64(n - 1)}
}

// Cap returns how many elements the ring holds. Anybody may call it.
func (b *Broadcast) Cap() int { return len(b.cells) }

// Put writes an element over the oldest. Only the writer may call it.
func (b *Broadcast) Put(w Words) {
	at := b.tail.Load()
	b.claim.Store(at + 1)
	c := &b.cells[at&b.mask]
	c[0].Store(w[0])
	c[1].Store(w[1])
	b.tail.Store(at + 1)
}

// PutBatch writes elements over the oldest. Readers see a quarter of the ring at once, and so all of
// a batch that is no longer. Only the writer may call it.
func (b *Broadcast) PutBatch(ws []Words) {
	for len(ws) > 0 {
		n := min(len(ws), b.step())
		at := b.tail.Load()
		b.claim.Store(at + uint64(n))
		for i, w := range ws[:n] {
			c := &b.cells[(at+uint64(i))&b.mask]
			c[0].Store(w[0])
			c[1].Store(w[1])
		}
		b.tail.Store(at + uint64(n))
		ws = ws[n:]
	}
}

// A Reader is a place in a [Broadcast], from which one goroutine reads on at its own pace. [Broadcast.NewReader]
// makes one.
type Reader struct {
	b    *Broadcast
	pos  uint64 // the number of the next element to read
	lost atomic.Uint64
	_    [cacheLine - 24]byte
}

// NewReader returns a reader of what is put in from now on. Anybody may call it, at any time; a reader
// that is no longer wanted is forgotten.
func (b *Broadcast) NewReader() *Reader { return &Reader{b: b, pos: b.tail.Load()} }

// Lost returns how many elements were written over before this reader got to them. It grows in Get and
// GetBatch only. Anybody may call it.
func (r *Reader) Lost() uint64 { return r.lost.Load() }

// overtaken returns how many elements from the next on may be written over by now.
func (r *Reader) overtaken() uint64 {
	behind := r.b.claim.Load() - r.pos
	return max(behind, uint64(len(r.b.cells))) - uint64(len(r.b.cells))
}

// lose passes over n elements.
func (r *Reader) lose(n uint64) {
	if n > 0 {
		r.pos += n
		r.lost.Add(n)
	}
}

// Get reads the next element; false means that there is none. Only the goroutine that owns the reader may
// call it.
func (r *Reader) Get() (w Words, ok bool) {
	var one [1]Words
	n := r.GetBatch(one[:])
	return one[0], n == 1
}

// GetBatch reads the next elements, as many as there are and dst has room for, and returns how many; 0
// means that there are none. Only the goroutine that owns the reader may call it.
func (r *Reader) GetBatch(dst []Words) int {
	for {
		n := r.load(dst)
		if n == 0 {
			return 0
		}
		if n = r.settle(dst[:n]); n > 0 {
			return n
		}
	}
}

// load copies the next elements and returns how many. Any of them may be of two elements, half each.
func (r *Reader) load(dst []Words) int {
	r.lose(r.overtaken())
	n := min(uint64(len(dst)), r.b.tail.Load()-r.pos)
	for i := range dst[:n] {
		c := &r.b.cells[(r.pos+uint64(i))&r.b.mask]
		dst[i] = Words{c[0].Load(), c[1].Load()}
	}
	return int(n)
}

// settle passes over the elements that were loaded. Those that may have been written over meanwhile, which are the
// first, are lost; it moves the others to the front and returns how many these are.
func (r *Reader) settle(loaded []Words) int {
	gone := min(r.overtaken(), uint64(len(loaded)))
	if gone > 0 {
		r.lose(gone)
		copy(loaded, loaded[gone:])
	}
	good := len(loaded) - int(gone)
	r.pos += uint64(good)
	return good
}
