package sim

// chunkLen is the number of events in a chunk: 2 KiB. Larger chunks waste
// memory on the many windows in which a shard has a timer or two.
const chunkLen = 64

// A chunk is a run of events, the unit in which memory for them is reused.
type chunk [chunkLen]Event

// A list is a sequence of events in chunks. Its head is small, because heads of
// all shards and of the next windows are written to in no order.
type list struct {
	tail *chunk // being filled
	n    int    // events in it
	full []*chunk
}

// len returns the number of events.
func (l *list) len() int { return len(l.full)*chunkLen + l.n }

// add appends an event; p provides the memory.
func (l *list) add(p *pool, e *Event) {
	if l.tail == nil || l.n == chunkLen {
		l.grow(p)
	}
	l.tail[l.n] = *e
	l.n++
}

func (l *list) grow(p *pool) {
	if l.tail != nil {
		l.full = append(l.full, l.tail)
	}
	l.tail, l.n = p.get(), 0
}

// runs calls f with the events, in order, a chunk at a time.
func (l *list) runs(f func([]Event)) {
	for _, c := range l.full {
		f(c[:])
	}
	if l.tail != nil {
		f(l.tail[:l.n])
	}
}

// recycle empties the list and gives its memory to p.
func (l *list) recycle(p *pool) {
	p.free = append(p.free, l.full...)
	l.full = l.full[:0]
	if l.tail != nil {
		p.free = append(p.free, l.tail)
		l.tail, l.n = nil, 0
	}
}

// A pool holds chunks that are not in use.
type pool struct {
	free []*chunk
}

// batch is how many chunks are made at a time.
const batch = 32

func (p *pool) get() *chunk {
	if len(p.free) == 0 {
		fresh := new([batch]chunk)
		for i := range fresh {
			p.free = append(p.free, &fresh[i])
		}
	}
	k := len(p.free) - 1
	c := p.free[k]
	p.free = p.free[:k]
	return c
}
