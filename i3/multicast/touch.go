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
func (r *Receiver) Touch(b []byte, step int, _ uint64) (next uint64, sum byte) {
	if step > 0 {
		return 0, r.join.touchReplies()
	}
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
	case m.Type == TypeReply && r.join != nil:
		return 1, r.join.touch()
	case m.Type == TypeRefreshAck:
		sum = r.touchLinks()
		for i := range r.chain {
			sum += byte(r.chain[i].Suffix())
		}
	}
	return 0, sum
}

// touch reads the state of a search, but not what it points to.
func (j *joining) touch() byte {
	return byte(j.search.fresh) + byte(len(j.asked)) + byte(j.first) + byte(j.timer.Due())
}

// touchReplies reads whom a search has asked, and who has replied.
func (j *joining) touchReplies() (sum byte) {
	for i := range j.asked {
		sum += byte(j.asked[i].got)
	}
	for i := j.search.fresh; i < len(j.search.seen); i++ {
		sum += byte(j.search.seen[i].id.Suffix())
	}
	return sum
}

// touchLinks reads when the links are due.
func (r *Receiver) touchLinks() (sum byte) {
	for i := range r.links {
		sum += byte(r.links[i].due)
	}
	return sum
}
