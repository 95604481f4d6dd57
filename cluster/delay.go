package cluster

import (
	"container/heap"
	"net/netip"

	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// maxDelayed bounds the datagrams that wait at one endpoint; more are dropped
// and counted.
const maxDelayed = 1 << 14

// A delayLine holds datagrams until their time has come. It owns their buffers:
// nothing is copied, the reader gets fresh ones.
type delayLine struct {
	waiting delayed
	serial  uint64
	offered map[netip.AddrPort]uint64 // datagrams from each address so far
	free    [][]byte
	spent   [][]byte // buffers of datagrams handed out, see recycle
}

// maxPeers bounds the addresses whose datagrams are counted one by one for the
// drawing of losses.
const maxPeers = 1 << 14

// lost draws whether the next datagram of a path is lost: a function of the
// seed, the path and how many went before.
func (l *delayLine) lost(seed uint64, from, to netip.AddrPort, rate float64) bool {
	if rate <= 0 {
		return false
	}
	if l.offered == nil || len(l.offered) > maxPeers {
		l.offered = make(map[netip.AddrPort]uint64)
	}
	n := l.offered[from]
	l.offered[from] = n + 1
	return prng.Unit(prng.Hash3(seed, addrWord(from), addrWord(to), n)) < rate
}

// put makes a datagram wait and reports whether there was room.
func (l *delayLine) put(at machine.Time, d machine.Datagram) bool {
	if len(l.waiting) == maxDelayed {
		return false
	}
	l.serial++
	heap.Push(&l.waiting, waiting{at, l.serial, d})
	return true
}

// buffer returns a fresh buffer for the reader.
func (l *delayLine) buffer() []byte {
	if n := len(l.free); n > 0 {
		b := l.free[n-1]
		l.free = l.free[:n-1]
		return b[:bufferSize]
	}
	return make([]byte, bufferSize)
}

// due appends the datagrams whose time has come. Their buffers stay theirs
// until recycle.
func (l *delayLine) due(now machine.Time, ready []machine.Datagram) []machine.Datagram {
	for len(l.waiting) > 0 && l.waiting[0].at <= now {
		w := heap.Pop(&l.waiting).(waiting)
		ready = append(ready, w.datagram)
		l.spent = append(l.spent, w.datagram.Bytes[:0])
	}
	return ready
}

// recycle takes the buffers of the datagrams handed out back.
func (l *delayLine) recycle() {
	l.free = append(l.free, l.spent...)
	l.spent = l.spent[:0]
}

// next returns when the first datagram is due, or Never.
func (l *delayLine) next() machine.Time {
	if len(l.waiting) == 0 {
		return machine.Never
	}
	return l.waiting[0].at
}

type waiting struct {
	at       machine.Time
	serial   uint64
	datagram machine.Datagram
}

// delayed is a heap by time, and in order of arrival for equal times.
type delayed []waiting

func (d delayed) Len() int { return len(d) }

func (d delayed) Less(i, j int) bool {
	if d[i].at != d[j].at {
		return d[i].at < d[j].at
	}
	return d[i].serial < d[j].serial
}

func (d delayed) Swap(i, j int) { d[i], d[j] = d[j], d[i] }

// Push adds an element, for package heap.
func (d *delayed) Push(x any) { *d = append(*d, x.(waiting)) }

// Pop removes the last element, for package heap.
func (d *delayed) Pop() any {
	old := *d
	x := old[len(old)-1]
	old[len(old)-1] = waiting{}
	*d = old[:len(old)-1]
	return x
}
