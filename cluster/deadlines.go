package cluster

import (
	"container/heap"

	"i3bench/i3/machine"
)

// deadlines is a queue of endpoints by when they next need a call. An endpoint
// stands in it at most once; a time that is put off is looked at when it comes.
type deadlines struct {
	heap deadlineHeap
}

type deadline struct {
	at machine.Time
	e  *Endpoint
}

// set makes an endpoint due at a time, and reports whether that is earlier than
// what was queued for it.
func (d *deadlines) set(e *Endpoint, at machine.Time) bool {
	if at == machine.Never || e.queued != 0 && e.queued <= at {
		return false
	}
	// An entry for a later time stays behind and is skipped, see due.
	e.queued = at
	heap.Push(&d.heap, deadline{at, e})
	return true
}

// due takes the first endpoint from the queue whose time has come, or returns
// nil.
func (d *deadlines) due(now machine.Time) *Endpoint {
	for len(d.heap) > 0 && d.heap[0].at <= now {
		x := heap.Pop(&d.heap).(deadline)
		if x.e.queued == x.at {
			x.e.queued = 0
			return x.e
		}
	}
	return nil
}

// next returns when the first endpoint is due, or Never.
func (d *deadlines) next() machine.Time {
	if len(d.heap) == 0 {
		return machine.Never
	}
	return d.heap[0].at
}

type deadlineHeap []deadline

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h deadlineHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push adds an element, for package heap.
func (h *deadlineHeap) Push(x any) { *h = append(*h, x.(deadline)) }

// Pop removes the last element, for package heap.
func (h *deadlineHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = deadline{}
	*h = old[:len(old)-1]
	return x
}
