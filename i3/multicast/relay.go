package multicast

import (
	"i3bench/i3"
	"i3bench/i3/machine"
)

// A relay is an identifier that the source keeps below the group's, on the same
// node, without a receiver: places to join at that are as near to the source as
// its own. To others it is a child of the group like any, whose owner happens to
// be the source.
type relay struct {
	id   i3.ID
	full bool
}

// makeRelays draws the relays' identifiers. Each has a prefix of its own: all
// children of an identifier have the same key, and two with the same prefix too
// would be one place for packets.
func (s *Source) makeRelays(near func(uint64) uint64) {
	for range s.cfg.Relays {
		id := i3.NewID(near(s.rng.Uint64()), i3.RightKey(s.cfg.Group), s.rng.Uint64()).Private()
		s.relays = append(s.relays, relay{id: id})
	}
}

// link returns the trigger that leads to a relay.
func (s *Source) link(r *relay) i3.Trigger {
	return i3.Trigger{ID: s.cfg.Group, Target: i3.ToID(r.id)}
}

// maintainRelays inserts the relays' triggers: the link to each, the source's own
// at each, which tells how many children it has, and membership of the sets of
// the group's children and of their repair group.
func (s *Source) maintainRelays(now machine.Time, out *machine.Outbox) {
	for i := range s.relays {
		s.host.Maintain(now, s.host.Own(s.relays[i].id), out)
		s.host.Maintain(now, s.link(&s.relays[i]), out)
	}
	for _, full := range []bool{false, true} {
		s.keepSet(now, full, out)
	}
	if len(s.relays) > 0 {
		s.host.Maintain(now, s.host.Own(RepairGroup(s.cfg.Group, classUnknown<<classShift)), out)
	}
}

// keepSet makes the source a member of the set of joinable or of full children of
// the group as long as one of its relays is.
func (s *Source) keepSet(now machine.Time, full bool, out *machine.Outbox) {
	set := JoinSet(s.cfg.Group)
	if full {
		set = FullSet(s.cfg.Group)
	}
	own := s.host.Own(set)
	member := false
	for i := range s.relays {
		member = member || s.relays[i].full == full
	}
	switch kept := s.host.Maintains(own); {
	case member && !kept:
		s.host.Maintain(now, own, out)
	case !member && kept:
		s.host.Remove(now, own, i3.Nonce{}, out)
	}
}

// relayAcked learns from the answers for a relay's triggers whether it is full,
// and tells those below that the owner of its link is alive. It returns false if
// the answer is about something else.
func (s *Source) relayAcked(now machine.Time, a i3.Ack, out *machine.Outbox) bool {
	target, chain := a.Trigger.Target.ID()
	for i := range s.relays {
		r := &s.relays[i]
		switch {
		case chain && target == r.id:
			if a.Status.Alive() {
				b := s.message(now, TypeRefreshAck, FlagOwner, 1, s.stream.high, out)
				s.toID(r.id, r.id.AppendTo(b), out)
			}
			return true
		case a.Trigger.ID == r.id:
			if full := a.Count >= a.Limit; full != r.full {
				r.full = full
				s.keepSet(now, full, out) // enter the new set before leaving the old one
				s.keepSet(now, !full, out)
			}
			return true
		}
	}
	return false
}

// query answers a distance query for the group's identifier, or for one of the
// relays: the first that is in the set that was asked, after as many as the query
// says were answered for already.
func (s *Source) query(now machine.Time, set i3.ID, m Message, body []byte, out *machine.Outbox) {
	if s.above.isSet(set) {
		s.reply(now, m, body, s.cfg.Group, 0, flagFull(s.full), out)
		return
	}
	full := set == FullSet(s.cfg.Group)
	skip := int(m.Level)
	for i := range s.relays {
		if s.relays[i].full != full {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		flags := flagFull(full)
		if s.anyRelay(i+1, full) {
			flags |= FlagMore
		}
		s.reply(now, m, body, s.relays[i].id, 1, flags, out)
		return
	}
	s.count.DropUnexpected++
}

// anyRelay reports whether one of the relays from the i-th on is full, or is not.
func (s *Source) anyRelay(i int, full bool) bool {
	for ; i < len(s.relays); i++ {
		if s.relays[i].full == full {
			return true
		}
	}
	return false
}

// hinted asks how many children the group's identifier or a relay has now.
func (s *Source) hinted(now machine.Time, body []byte, out *machine.Outbox) {
	id := i3.IDFrom([i3.IDSize]byte(body))
	for i := range s.relays {
		if s.relays[i].id == id {
			s.host.Maintain(now, s.host.Own(id), out)
			return
		}
	}
	s.host.Maintain(now, s.host.Own(s.cfg.Group), out)
}

// flagFull returns the flag of a reply for an identifier that is full.
func flagFull(full bool) uint8 {
	if full {
		return FlagFull
	}
	return 0
}
