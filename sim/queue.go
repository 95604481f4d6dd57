package sim

import (
	"net/netip"

	"i3bench/i3/machine"
)

// An event is a datagram that arrives, or, without bytes, a machine's deadline.
type event struct {
	at     machine.Time
	serial uint64 // orders events of the same time as they were made
	to     *Endpoint
	from   netip.AddrPort
	bytes  []byte
}

func (e *event) before(f *event) bool {
	if e.at != f.at {
		return e.at < f.at
	}
	return e.serial < f.serial
}

// A queue is a binary heap of events.
type queue struct {
	heap []event
}

func (q *queue) len() int    { return len(q.heap) }
func (q *queue) min() *event { return &q.heap[0] }

func (q *queue) push(e event) {
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		p := (i - 1) / 2
		if !q.heap[i].before(&q.heap[p]) {
			break
		}
		q.heap[i], q.heap[p] = q.heap[p], q.heap[i]
		i = p
	}
}

func (q *queue) pop() event {
	top := q.heap[0]
	last := len(q.heap) - 1
	q.heap[0] = q.heap[last]
	q.heap[last] = event{}
	q.heap = q.heap[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			return top
		}
		if c+1 < last && q.heap[c+1].before(&q.heap[c]) {
			c++
		}
		if !q.heap[c].before(&q.heap[i]) {
			return top
		}
		q.heap[i], q.heap[c] = q.heap[c], q.heap[i]
		i = c
	}
}
