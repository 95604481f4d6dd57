package gateway

// A fifo is a queue of datagrams with a bound. Buffers that were sent are used again.
type fifo struct {
	ring  [][]byte
	first int
	count int
	free  [][]byte
}

func newFifo(bound int) fifo { return fifo{ring: make([][]byte, bound)} }

// buffer returns a copy of a datagram, in a buffer that was released where there is one.
func (q *fifo) buffer(datagram []byte) []byte {
	var b []byte
	if last := len(q.free) - 1; last >= 0 {
		b, q.free = q.free[last], q.free[:last]
	} else {
		b = make([]byte, 0, MaxPayload)
	}
	return append(b[:0], datagram...)
}

// release takes a buffer back. There are never more than the queue and its user can hold.
func (q *fifo) release(b []byte) { q.free = append(q.free, b) }

// push puts a buffer at the end, and reports whether there was room.
func (q *fifo) push(b []byte) bool {
	if q.count == len(q.ring) {
		return false
	}
	q.ring[(q.first+q.count)%len(q.ring)] = b
	q.count++
	return true
}

// pop takes the first buffer out of a queue that is not empty. It is to be released.
func (q *fifo) pop() []byte {
	b := q.ring[q.first]
	q.ring[q.first] = nil
	q.first = (q.first + 1) % len(q.ring)
	q.count--
	return b
}
