package cluster

import (
	"container/heap"

	"i3bench/i3/machine"
)

// deadlines is a queue of endpoints by when they next need a call. An endpoint
// stands in it at most once, at the earliest time that it was set to; a time that
// is put off is looked at when it comes.
type deadlines struct {
	heap deadlineHeap
}

// set makes an endpoint due at a time, and reports whether that is earlier than
// what was queued for it.
func (d *deadlines) set(e *Endpoint, at machine.Time) bool {
	switch {
	case at == machine.Never || e.place > 0 && e.queued <= at:
		return false
	case e.place > 0:
		e.queued = at
		heap.Fix(&d.heap, e.place-1)
	default:
		e.queued = at
		heap.Push(&d.heap, e)
	}
	return true
}

// due takes the first endpoint from the queue whose time has come, or returns
// nil.
func (d *deadlines) due(now machine.Time) *Endpoint {
	if d.next() > now || len(d.heap) == 0 {
		return nil
	}
	return heap.Pop(&d.heap).(*Endpoint)
}

// next returns when the first endpoint is due, or Never.
func (d *deadlines) next() machine.Time {
	if len(d.heap) == 0 {
		return machine.Never
	}
	return d.heap[0].queued
}

// deadlineHeap is a heap of endpoints that know their places in it.
type deadlineHeap []*Endpoint

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].queued < h[j].queued }

func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

// Push adds an endpoint, for package heap.
func (h *deadlineHeap) Push(x any) {
	e := x.(*Endpoint)
	*h = append(*h, e)
	e.place = len(*h)
}

// Pop removes the last endpoint, for package heap.
func (h *deadlineHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.place = 0
	return e
}
