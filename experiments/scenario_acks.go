package experiments

import (
	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
)

// seeAcks strikes out what the nodes acknowledge in a datagram. It runs on the
// endpoint, before the machine sees the datagram.
func (s *stayer) seeAcks(b []byte) {
	for len(b) > 0 {
		p, wire, rest, err := i3.Next(b)
		if err != nil || wire == nil {
			return
		}
		b = rest
		if p.Kind != i3.KindAck {
			continue
		}
		for entries := i3.Payload(wire); len(entries) >= i3.EntrySize; entries = entries[i3.EntrySize:] {
			if a, err := i3.ParseAck(entries); err == nil && a.Status.Alive() {
				delete(s.wanted, a.Trigger)
			}
		}
	}
	if f := s.acked; f != nil && len(s.wanted) == 0 {
		s.acked = nil
		f()
	}
}

// refresh refreshes every link of the receiver's chain. It is over when the nodes have
// acknowledged them all.
func (s *stayer) refresh(d *operation) {
	r := s.run
	ok := false
	s.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
		if s.Machine.Level() == 0 {
			return
		}
		ok = true
		chain := s.Machine.Chain()
		s.wanted = make(map[i3.Trigger]bool, len(chain))
		for i := 1; i < len(chain); i++ {
			s.wanted[i3.Trigger{ID: chain[i-1], Target: i3.ToID(chain[i])}] = true
		}
		s.acked = func() { r.finish(s, d, reports.StatusOK) }
		s.Machine.Refresh(now, out)
	})
	s.begun(d, ok)
}

// flip moves the receiver to the other set, that of the full children or that of the
// joinable ones, and back. It is over when the nodes have acknowledged both.
func (s *stayer) flip(d *operation) {
	r := s.run
	var was, ok bool
	s.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
		was = s.Machine.Full()
		ok = s.moveSet(now, !was, out, func() {
			r.work.later(func() { s.flipBack(d, was) })
		})
	})
	s.begun(d, ok)
}

// flipBack is the second half of flip.
func (s *stayer) flipBack(d *operation, was bool) {
	ok := false
	s.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
		ok = s.moveSet(now, was, out, func() { s.run.finish(s, d, reports.StatusOK) })
	})
	if !ok { // it has moved back by itself
		s.run.finish(s, d, reports.StatusOK)
	}
}

// moveSet moves the receiver to a set and has a call when it is there.
func (s *stayer) moveSet(now machine.Time, full bool, out *machine.Outbox, then func()) bool {
	chain := s.Machine.Chain()
	if !s.Machine.MoveSet(now, full, out) {
		return false
	}
	set := multicast.JoinSet(chain[len(chain)-2])
	if full {
		set = multicast.FullSet(chain[len(chain)-2])
	}
	s.wanted = map[i3.Trigger]bool{s.Machine.Host().Own(set): true}
	s.acked = then
	return true
}

// begun ends an operation that could not begin, or takes care that one which does not
// end holds up nothing.
func (s *stayer) begun(d *operation, ok bool) {
	r := s.run
	if !ok {
		r.finish(s, d, reports.StatusError)
		return
	}
	r.tally.onTimeout(d, func() {
		r.work.later(func() {
			s.Endpoint.Do(func(machine.Time, *machine.Outbox) { s.wanted, s.acked = nil, nil })
			r.next(s, d)
		})
	})
}
