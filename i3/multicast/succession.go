package multicast

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// A predecessor is the stream of the source before, as its successor knows it.
type predecessor struct {
	epoch  uint32
	high   uint64    // the highest number that anybody has told
	member *Receiver // that has its packets; nil if there is none
	timer  machine.Timer
	ends   int // how often the tree is still told
}

// Times of a succession.
const (
	// endEvery and ends are how often, and how many times, a successor tells the tree
	// how the last stream ends.
	endEvery = machine.Second / 2
	ends     = 10
	// heirBeats is for how many heartbeats a source waits for its heir.
	heirBeats = 8
	// linger is how long a source that has yielded still repairs its stream.
	linger = 10 * machine.Second
)

// ranks is how many hosts may take a source's role: so many epochs in a row are
// theirs, of which each has one, so that no two are ever of the same epoch.
const ranks = 16

// epochAfter returns the epoch of a successor, and false if there is none left.
func epochAfter(epoch uint32, rank uint8) (uint32, bool) {
	next := (epoch | (ranks - 1) + 1) + uint32(rank)
	return next, next < 1<<numberShift
}

// HandOver passes the source's role to a [Standby] of the group at that
// address which is in the tree. The source sends no more data; it goes on in
// everything else until it hears the successor, and then takes itself out of the group
// (see [Source.Yielded]). If it hears none within some heartbeats it stays the source, as
// when the heir itself has yielded the role in the last ten seconds.
func (s *Source) HandOver(now machine.Time, to netip.AddrPort, out *machine.Outbox) {
	if s.yielded || s.cfg.Number > 0 || !to.IsValid() {
		return
	}
	s.heir, s.heirBeats = to, 0
	s.askHeir(now, out)
	s.beatIn = s.cfg.HeartbeatMin
	s.timers.Set(&s.beat, keyBeat, now.Add(s.beatIn))
}

// Yielded reports whether the source's role is another's, by its own hand or by a
// stand-by's: it sends no more.
func (s *Source) Yielded() bool { return s.yielded }

// askHeir tells the heir how the stream ends.
func (s *Source) askHeir(now machine.Time, out *machine.Outbox) {
	if !s.heir.IsValid() {
		return
	}
	if s.heirBeats == heirBeats {
		s.heir = netip.AddrPort{}
		return
	}
	s.heirBeats++
	s.toHost(s.heir, s.cfg.Group, s.message(now, TypeEnd, 0, 0, s.stream.high, out), out)
}

// rival yields to a source at the root of a higher epoch.
func (s *Source) rival(now machine.Time, m Message, out *machine.Outbox) {
	if !isTree(m.Type) || s.cfg.Number > 0 || numberOf(m.Epoch) > 0 || m.Epoch <= s.epoch {
		return
	}
	if g := s.guard(); g != nil { // its last notices are for those who have heard the other
		g.source = false
		g.last.hear(m)
	}
	s.yield(now, out)
}

// yield takes the source out of the group. For a while it still repairs what it has
// sent, and then removes its last trigger.
func (s *Source) yield(now machine.Time, out *machine.Outbox) {
	s.yielded, s.heir = true, netip.AddrPort{}
	ids := []i3.ID{s.cfg.Group, s.above.set(s.full)}
	if s.cfg.Agents {
		ids = append(ids, RootAgents(s.cfg.Group, 0))
	}
	if s.moving {
		ids = append(ids, s.above.set(!s.full))
	}
	if len(s.relays) > 0 {
		ids = append(ids, s.stands.below.group(classUnknown<<classShift))
	}
	for i, member := range s.stands.member {
		if member {
			ids = append(ids, s.stands.below.set(i == 1))
		}
	}
	for i := range s.relays {
		r := &s.relays[i] // those below adopt it; if there are none its link expires
		ids = append(ids, r.id)
		s.host.Forget(s.link(r))
		b := s.message(now, TypeLeaving, 0, 1, 0, out)
		s.toID(r.id, append(r.id.AppendTo(b), make([]byte, len(i3.Nonce{}))...), out)
	}
	for _, id := range ids {
		s.host.Remove(now, s.host.Own(id), i3.Nonce{}, out)
	}
	s.closeDoor(now, out)
	s.timers.Stop(&s.last.timer)
	s.timers.Set(&s.beat, keyBeat, now.Add(linger))
}

// retire removes the last trigger of a source that has yielded.
func (s *Source) retire(now machine.Time, out *machine.Outbox) {
	s.retired = true
	s.host.Remove(now, s.host.Own(RepairGroup(s.root, 0)), i3.Nonce{}, out)
}

// sendEnd tells the tree how the last stream ends, so that who has lost its last
// packets learns of them.
func (s *Source) sendEnd(now machine.Time, out *machine.Outbox) {
	b := Message{Type: TypeEnd, Epoch: s.last.epoch, Seq: s.last.high, Time: s.local(now)}.AppendTo(out.Scratch())
	s.toID(s.cfg.Group, b, out)
	if s.last.ends--; s.last.ends > 0 {
		s.timers.Set(&s.last.timer, keyEnd, now.Add(endEvery))
	}
}

// toldEnd hears from a receiver that there are more packets of the last stream.
func (s *Source) toldEnd(now machine.Time, m Message, out *machine.Outbox) {
	if s.returns(now, m) {
		s.seen = now
	}
	p := &s.last
	if p.member == nil || m.Epoch != p.epoch || m.Seq <= p.high || m.Seq > p.high+maxJump {
		return // nothing new: its own words, too
	}
	p.high, p.ends = m.Seq, ends
	s.sendEnd(now, out)
}

// requestLast answers a request for a packet of the last stream with what the member
// has. What that lacks itself some other receiver may have: one of the group's
// children is asked, another one each time. What it has given up is gone.
func (s *Source) requestLast(now machine.Time, m Message, q Request, out *machine.Outbox) {
	p := &s.last
	if p.member == nil || m.Epoch != p.epoch {
		s.count.DropUnexpected++ // for another incarnation's packet
		return
	}
	payload, may := p.member.keeps(m.Epoch, m.Seq)
	own := s.epoch
	s.epoch = m.Epoch // the answer's
	defer func() { s.epoch = own }()
	switch {
	case payload != nil:
		s.repair(now, m, q, payload, 0, out)
	case may && q.Group != s.root:
		s.count.DropUnexpected++ // asked as a relay, which it would ask again: the requester goes on to the root
	case may:
		s.count.Passed++
		m.Flags &^= FlagProbed
		q.Group = s.cfg.Group
		s.toID(RepairGroup(q.Group, s.rng.Uint64()), q.AppendTo(m.AppendTo(out.Scratch())), out)
	default:
		s.gone(now, m, q, out)
	}
}

// keeps returns a packet of one of the receiver's streams, and if it has not got it
// whether it may still come.
func (r *Receiver) keeps(epoch uint32, seq uint64) (payload []byte, may bool) {
	s := &r.stream
	if r.epoch != epoch {
		s = nil
		for i, asides := 0, r.more().asides; i < len(asides); i++ {
			if asides[i].used && asides[i].epoch == epoch {
				s = &asides[i].stream
			}
		}
	}
	if s == nil {
		return nil, false
	}
	_, missing := s.find(seq)
	return s.cache.get(seq), missing || seq > s.high
}

// concerns reports whether an identifier is one of the source's.
func (s *Source) concerns(id i3.ID) bool {
	if s.rules(id) || s.door != nil && id == s.door.name {
		return true
	}
	for i := range s.relays {
		if s.relays[i].id == id {
			return true
		}
	}
	b := &s.stands.below
	return len(s.relays) > 0 && id.Prefix() == b.prefix && (b.isSet(id) || id.Key() == b.repair)
}

// rules reports whether an identifier is one of those that only the source has.
func (s *Source) rules(id i3.ID) bool {
	a := &s.above
	if s.cfg.Agents && id.Key() == RootAgents(s.cfg.Group, 0).Key() {
		return true
	}
	return id == s.cfg.Group || id.Prefix() == a.prefix && (a.isSet(id) || id.Key() == a.repair)
}

// A front is a source that shares its address with a receiver: it hears only what
// is for its identifiers.
type front struct{ *Source }

// Deliver hands on what is for the source.
func (f front) Deliver(now machine.Time, from netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox) {
	if f.concerns(p.ID) {
		f.Source.Deliver(now, from, p, payload, out)
	}
}

var _ host.Handler = front{}
