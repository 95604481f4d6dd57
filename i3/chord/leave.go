package chord

import (
	"net/netip"

	"i3bench/i3/machine"
)

// A departure is what a member remembers that has left: who is to know of it.
type departure struct {
	left  bool
	tell  [2]Place // those next to it, until they have asked
	tries int
	timer machine.Timer
}

// Leave makes the member leave its ring. Those next to it are told, and ask; its answers say that it is no member any
// more. It goes on answering, and [Member.Owner] knows who owns what was its own, as long as a driver runs it.
func (m *Member) Leave(now machine.Time, out *machine.Outbox) {
	d := &m.departure
	if d.left {
		return
	}
	d.left = true
	if !m.joined {
		return
	}
	m.joined = false
	for i, p := range []Place{m.pointers.pred, m.pointers.succ[0]} {
		if p != m.cfg.Self && p != d.tell[0] {
			d.tell[i] = p
		}
	}
	m.notify(now, out)
}

// Left reports whether the member has left, and those next to it know, or have been told as often as they are.
func (m *Member) Left() bool { return m.departure.left && m.departure.timer.Due() == machine.Never }

// notify tells those next to it who have not asked yet that the member has left.
func (m *Member) notify(now machine.Time, out *machine.Outbox) {
	d := &m.departure
	some := false
	for _, p := range d.tell {
		if p.known() && d.tries < maxTries {
			m.say(kindLeave, p, out)
			some = true
		}
	}
	if some {
		m.timers.Set(&d.timer, keyLeave, now.Add(min(m.patience.wait()<<d.tries, maxWait)))
		d.tries++
	}
}

// knows notes that somebody has asked, and so will know that the member has left.
func (d *departure) knows(who netip.AddrPort, q *machine.Timers) {
	if !d.left {
		return
	}
	for i := range d.tell {
		if d.tell[i].Addr == who {
			d.tell[i] = Place{}
		}
	}
	if d.tell == [2]Place{} {
		q.Stop(&d.timer)
	}
}

// leaves hears that somebody has left. It is not believed, but asked: the answer says it.
func (m *Member) leaves(now machine.Time, who Place, out *machine.Outbox) {
	if !m.joined {
		return
	}
	if t := m.pointers.leaves(who); t != (todo{}) {
		m.dropQuestion()
		m.do(now, t, out)
	}
}
