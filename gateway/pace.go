package gateway

import "time"

// A pace lets a burst of datagrams go at once and a steady number a second after that: the generic cell rate algorithm,
// which needs no timer to fill a bucket.
type pace struct {
	gap   time.Duration // between two at the steady rate
	burst time.Duration // by how much they may be early
	next  time.Time     // when the next is due at the steady rate
}

func newPace(rate, burst int) pace {
	gap := time.Second / time.Duration(rate)
	return pace{gap: gap, burst: time.Duration(burst-1) * gap}
}

// take asks to send one datagram now. If it may not, it returns how long to wait.
func (p *pace) take(now time.Time) (wait time.Duration) {
	if earliest := now.Add(-p.burst); p.next.Before(earliest) {
		p.next = earliest
	}
	if d := p.next.Sub(now); d > 0 {
		return d
	}
	p.next = p.next.Add(p.gap)
	return 0
}
