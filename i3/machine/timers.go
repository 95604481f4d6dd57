package machine

// A Timer is when something of a machine is due. It is part of the thing
// itself; the zero Timer is not set.
type Timer struct {
	due   Time // when the owner wants to be called, 0 if not set
	armed Time // the heap entry that stands for this timer, 0 if none
}

// Due returns when the timer fires, or Never if it is not set.
func (t *Timer) Due() Time {
	if t.due == 0 {
		return Never
	}
	return t.due
}

// Timers is the queue of a machine's timers. Each timer has a key by which the
// machine finds what it belongs to. A timer that is put off, as suppression
// does all the time, costs nothing: its heap entry stays where it is and is
// renewed when it comes up.
//
// The zero Timers is ready for use.
type Timers struct {
	heap []timerEntry
	next Time // of the first entry, so that a driver's question costs no cache miss
}

type timerEntry struct {
	at  Time
	key uint64
}

// Set makes t, known as key, due at the given time, which must be positive.
func (q *Timers) Set(t *Timer, key uint64, at Time) {
	t.due = at
	if t.armed == 0 || at < t.armed {
		t.armed = at
		q.push(timerEntry{at, key})
	}
}

// Stop unsets t.
func (q *Timers) Stop(t *Timer) { t.due = 0 }

// Next returns when Pop may next return something, or Never. It may be early,
// never late.
func (q *Timers) Next() Time {
	if len(q.heap) == 0 {
		return Never
	}
	return q.next
}

// Touch reads the first entry, see [Toucher].
func (q *Timers) Touch() byte {
	if len(q.heap) == 0 {
		return 0
	}
	return byte(q.heap[0].at)
}

// Pop takes the earliest entry due at now from the queue. The caller finds the
// timer by its key and asks [Timers.Fired] whether it is really due.
func (q *Timers) Pop(now Time) (key uint64, at Time, ok bool) {
	if len(q.heap) == 0 || q.next > now {
		return 0, 0, false
	}
	e := q.pop()
	return e.key, e.at, true
}

// Fired reports whether t, whose entry Pop returned for the time now, is due,
// and unsets it if so. A timer that was put off meanwhile is queued again. Timers fire in
// the order of their times and, where these are equal, of their keys.
func (q *Timers) Fired(t *Timer, key uint64, at, _ Time) bool {
	if t.armed != at {
		return false // a stale entry: the timer was set anew for an earlier time
	}
	t.armed = 0
	switch {
	case t.due == 0:
		return false
	case t.due > at:
		// Queued again even if it is due at now: a driver that comes late finds
		// timers in the order of their times all the same.
		t.armed = t.due
		q.push(timerEntry{t.due, key})
		return false
	}
	t.due = 0
	return true
}

// less orders entries by time and then by key, so that a run does not depend
// on the order of insertion.
func (e timerEntry) less(f timerEntry) bool {
	if e.at != f.at {
		return e.at < f.at
	}
	return e.key < f.key
}

func (q *Timers) push(e timerEntry) {
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		p := (i - 1) / 2
		if !e.less(q.heap[p]) {
			break
		}
		q.heap[i] = q.heap[p]
		i = p
	}
	q.heap[i] = e
	q.next = q.heap[0].at
}

func (q *Timers) pop() timerEntry {
	top := q.heap[0]
	last := len(q.heap) - 1
	e := q.heap[last]
	q.heap = q.heap[:last]
	if last == 0 {
		return top
	}
	i := 0
	for {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && q.heap[c+1].less(q.heap[c]) {
			c++
		}
		if !q.heap[c].less(e) {
			break
		}
		q.heap[i] = q.heap[c]
		i = c
	}
	q.heap[i] = e
	q.next = q.heap[0].at
	return top
}
