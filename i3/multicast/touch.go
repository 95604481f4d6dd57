package multicast

import (
	"unsafe"

	"i3bench/i3"
)

// Hot returns how many of a receiver's first bytes the usual packets need, see
// [machine.Toucher].
func (r *Receiver) Hot() uintptr {
	return unsafe.Offsetof(r.core) + unsafe.Offsetof(r.count) + unsafe.Offsetof(r.count.Sent)
}

// Touch reads what a call will need, see [machine.Toucher].
func (r *Receiver) Touch(b []byte, _ int, _ uint64) (next uint64, sum byte) {
	p, wire, _, err := i3.Next(b)
	if err != nil || wire == nil { // a timer
		return 0, r.timers.Touch() + r.touchLinks() + r.host.Touch()
	}
	if p.Kind == i3.KindAck {
		return 0, r.host.Touch() + r.touchLinks()
	}
	m, _, err := ParseMessage(i3.Payload(wire))
	switch {
	case err != nil:
	case isTree(m.Type):
		if len(r.distances.kept) > 0 {
			sum = byte(r.distances.kept[0].number)
		}
		if n := uint64(len(r.stream.cache.slots)); m.Type == TypeData && n > 0 {
			sum += byte(r.stream.cache.slots[m.Seq&(n-1)].seq)
		}
	case m.Type == TypeRefreshAck:
		sum = r.touchLinks()
		for i := range r.chain {
			sum += byte(r.chain[i].Suffix())
		}
	}
	return 0, sum
}

// touchLinks reads when the links are due.
func (r *Receiver) touchLinks() (sum byte) {
	for i := range r.links {
		sum += byte(r.links[i].due)
	}
	return sum
}
