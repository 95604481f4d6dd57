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
	id     i3.ID
	linked bool // the group's identifier has room for its link, so packets reach it
	full   bool
}

// standing is what the source needs to stand for its relays: what is derived from
// the group's identifier, and whether it is, or is about to be, a member of the set
// of the joinable children, and of the full ones.
type standing struct {
	below  family
	member [2]bool
	// unlinked says that the links are to be inserted, after the source's own trigger.
	unlinked bool
}

// makeRelays draws the relays' identifiers. Each has a prefix of its own: all
// children of an identifier have the same key, and two with the same prefix too
// would be one place for packets.
func (s *Source) makeRelays(near func(uint64) uint64) {
	s.stands.below = above(s.cfg.Group)
	for range s.cfg.Relays {
		id := i3.NewID(near(s.rng.Uint64()), i3.RightKey(s.cfg.Group), s.rng.Uint64()).Private()
		s.relays = append(s.relays, relay{id: id})
	}
}

// link returns the trigger that leads to a relay.
func (s *Source) link(r *relay) i3.Trigger {
	return i3.Trigger{ID: s.cfg.Group, Target: i3.ToID(r.id)}
}

// maintainRelays inserts the source's triggers at the relays, each of which tells
// how many children there are, and its membership of the group's repair group and
// of those sets of its children in which a relay stands. The links follow.
func (s *Source) maintainRelays(now machine.Time, out *machine.Outbox) {
	s.stands.unlinked = true
	for i := range s.relays {
		s.host.Maintain(now, s.host.Own(s.relays[i].id), out)
	}
	if len(s.relays) > 0 {
		s.host.Maintain(now, s.host.Own(s.stands.below.group(classUnknown<<classShift)), out)
	}
	for i, member := range s.stands.member {
		if member {
			s.host.Maintain(now, s.standing(i), out)
		}
	}
}

// linkRelays inserts the links to the relays when there is an answer for the
// source's own trigger: that takes a challenge, and they would take its place.
func (s *Source) linkRelays(now machine.Time, out *machine.Outbox) {
	if !s.stands.unlinked {
		return
	}
	s.stands.unlinked = false
	for i := range s.relays {
		s.host.Maintain(now, s.link(&s.relays[i]), out)
	}
}

// standing returns the source's trigger in the set of joinable relays, or with 1 in
// that of the full ones.
func (s *Source) standing(i int) i3.Trigger { return s.host.Own(s.stands.below.set(i == 1)) }

// keepSets makes the source a member of the sets in which one of its relays
// stands. It leaves the others once it has been let into all of these, so that no
// search misses a relay that moves.
func (s *Source) keepSets(now machine.Time, out *machine.Outbox) {
	entered := true
	for i := range s.stands.member {
		if !s.anyRelay(0, i == 1) {
			continue
		}
		if !s.stands.member[i] {
			s.stands.member[i] = true
			s.host.Maintain(now, s.standing(i), out)
		}
		entered = entered && s.host.Maintains(s.standing(i))
	}
	for i := range s.stands.member {
		if entered && s.stands.member[i] && !s.anyRelay(0, i == 1) {
			s.stands.member[i] = false
			s.host.Remove(now, s.standing(i), i3.Nonce{}, out)
		}
	}
}

// relayAcked learns from the answers for a relay's triggers whether it is in the
// tree and whether it is full, and tells those below that the owner of its link is
// alive. It returns false if the answer is about something else.
func (s *Source) relayAcked(now machine.Time, a i3.Ack, out *machine.Outbox) bool {
	known := a.Status.Alive() || a.Status == i3.StatusFull // else the count says nothing
	target, chain := a.Trigger.Target.ID()
	for i := range s.relays {
		r := &s.relays[i]
		was := *r
		switch {
		case chain && target == r.id:
			if r.linked = a.Status.Alive(); r.linked {
				b := s.message(now, TypeRefreshAck, FlagOwner, 1, s.stream.high, out)
				s.toID(r.id, r.id.AppendTo(b), out)
			}
			if known {
				s.setFull(now, a, out) // the count is that of the group's identifier
			}
		case a.Trigger.ID == r.id:
			r.full = known && a.Count >= a.Limit
		default:
			continue
		}
		if *r != was {
			s.keepSets(now, out)
		}
		return true
	}
	if !s.stands.below.isSet(a.Trigger.ID) {
		return false
	}
	s.keepSets(now, out)
	return true
}

// query answers a distance query for the group's identifier, or for one of the
// relays: one answer to a query, however many there are, for nobody may be made to
// send more than was sent to it. Who wants the next asks again.
func (s *Source) query(now machine.Time, set i3.ID, m Message, body []byte, out *machine.Outbox) {
	switch {
	case s.above.isSet(set) || s.cfg.Agents && set.Key() == RootAgents(s.cfg.Group, 0).Key():
		s.reply(now, m, body, s.cfg.Group, 0, flagFull(s.full), out)
		return
	case s.stands.below.isSet(set):
		r, more := s.nextRelay(set == s.stands.below.set(true), int(m.Level))
		if r == nil {
			break
		}
		flags := flagFull(r.full)
		if more {
			flags |= FlagMore
		}
		s.reply(now, m, body, r.id, 1, flags, out)
		return
	}
	s.count.DropUnexpected++
}

// nextRelay returns the relay of a set that is next after so many, and whether
// another one follows. If there is none, for relays have moved meanwhile, it
// returns one from the other set: whoever asks counts on an answer.
func (s *Source) nextRelay(full bool, after int) (next *relay, more bool) {
	for i := range s.relays {
		r := &s.relays[i]
		if !r.linked {
			continue
		}
		next = r
		if r.full != full {
			continue
		}
		if after == 0 {
			return r, s.anyRelay(i+1, full)
		}
		after--
	}
	return next, false
}

// anyRelay reports whether one of the relays from the i-th on is in the tree and is
// full, or is not.
func (s *Source) anyRelay(i int, full bool) bool {
	for ; i < len(s.relays); i++ {
		if s.relays[i].linked && s.relays[i].full == full {
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
