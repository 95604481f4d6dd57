package multicast

import (
	"errors"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// A Standby is a receiver that takes the role of the source at the root when that
// hands it over or falls silent, and yields it to one of a higher epoch. Its packets
// then have a stream of their own, and as a receiver it has, repairs and asks for those
// of the last one. Whoever knows the group's identifier can be one; which of several
// takes the role first says [Config.Rank].
type Standby struct {
	profile *Profile
	self    Member
	member  *Receiver
	source  *Source // nil unless it has the role, or had it a moment ago
	timers  machine.Timers
	tick    machine.Timer
	heard   machine.Time // when there was a sign of a source
	asks    uint8        // how often it has asked for one since
	number  uint64       // of its last ask, 0 before the first
}

// keyTick is the key of the stand-by's only timer.
const keyTick = 1

// maxCalls is how often a stand-by asks for a source before it takes its role.
const maxCalls = 2

// NewStandby returns a stand-by that does nothing before Join.
func NewStandby(cfg Config) (*Standby, error) {
	p, err := NewProfile(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Name != nil {
		return nil, errors.New("multicast: config: a stand-by that knows a name: want its group")
	}
	s := &Standby{profile: p, self: cfg.member(), member: new(Receiver)}
	if err := s.member.init(p, s.self, s); err != nil {
		return nil, err
	}
	return s, nil
}

// Member returns the receiver that the stand-by is.
func (s *Standby) Member() *Receiver { return s.member }

// Source returns the source that the stand-by is, or nil.
func (s *Standby) Source() *Source {
	if !s.Leads() {
		return nil
	}
	return s.source
}

// Leads reports whether the stand-by has the source's role.
func (s *Standby) Leads() bool { return s.source != nil && !s.source.yielded }

// Join makes the stand-by join the group. Where there is no source it becomes it.
func (s *Standby) Join(now machine.Time, out *machine.Outbox) {
	s.heard, s.asks = now, 0
	s.member.Join(now, out)
	s.timers.Set(&s.tick, keyTick, now.Add(s.profile.cfg.HeartbeatMax))
}

// Leave takes the stand-by out of the group. If it has the source's role it falls to
// another stand-by; [Source.HandOver] loses no time.
func (s *Standby) Leave(now machine.Time, out *machine.Outbox) {
	s.timers.Stop(&s.tick)
	if s.Leads() {
		s.source.yield(now, out)
	}
	s.member.Leave(now, out)
}

// Send sends a packet as [Source.Send] does, or returns 0 if another is the source.
func (s *Standby) Send(now machine.Time, payload []byte, out *machine.Outbox) uint64 {
	if !s.Leads() {
		return 0
	}
	return s.source.Send(now, payload, out)
}

// Receive handles a batch of datagrams: the receiver and the source share an
// address.
func (s *Standby) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	s.member.Receive(now, batch, out)
	if s.source != nil {
		s.source.Receive(now, batch, out)
	}
}

// Deadline returns when Expire must next be called.
func (s *Standby) Deadline() machine.Time {
	d := min(s.timers.Next(), s.member.Deadline())
	if s.source != nil {
		d = min(d, s.source.Deadline())
	}
	return d
}

// Expire runs what is due.
func (s *Standby) Expire(now machine.Time, out *machine.Outbox) {
	s.member.Expire(now, out)
	if s.source != nil {
		s.source.Expire(now, out)
	}
	for {
		key, at, ok := s.timers.Pop(now)
		if !ok {
			return
		}
		if s.timers.Fired(&s.tick, key, at, now) {
			s.watch(now, out)
		}
	}
}

// watch runs once per heartbeat. After silence, which is longer the higher the rank,
// it asks for a source at the root: it may be the way to this host that is broken.
func (s *Standby) watch(now machine.Time, out *machine.Outbox) {
	cfg := &s.profile.cfg
	s.timers.Set(&s.tick, keyTick, now.Add(cfg.HeartbeatMax))
	if s.source != nil {
		if s.source.retired {
			s.source = nil
		}
		s.heard = now
	} else if now.Sub(s.heard) > machine.Duration(silentBeats+maxCalls*int(cfg.Rank))*cfg.HeartbeatMax {
		if s.asks == maxCalls {
			s.takeOver(now, 0, out)
		} else {
			s.ask(now, out)
		}
	}
	if s.member.Idle() {
		s.member.Join(now, out)
	}
}

// ask asks for the source at the root.
func (s *Standby) ask(now machine.Time, out *machine.Outbox) {
	s.asks++
	s.number = s.member.rng.Uint64()>>(64-keyKind) | 1
	root := above(s.profile.cfg.root)
	for _, full := range []bool{false, true} {
		b := s.member.message(now, TypeQuery, 0, 0, s.number, out)
		s.member.toID(root.set(full), appendQuery(b, s.self.Self, Delay), out)
	}
}

// takeOver makes the stand-by the source. It knows that the last one's stream goes
// to a number, at least.
func (s *Standby) takeOver(now machine.Time, high uint64, out *machine.Outbox) {
	epoch, ok := epochAfter(max(s.member.epoch, s.profile.cfg.Epoch), s.profile.cfg.Rank)
	if !ok {
		return
	}
	src, err := newSource(s.profile, s.self, func(src *Source) host.Handler { return front{src} })
	if err != nil {
		return // the same configuration made the receiver
	}
	src.epoch = epoch
	if s.member.joined {
		src.last = predecessor{epoch: s.member.epoch, high: max(high, s.member.stream.high), member: s.member, ends: ends}
	}
	s.source, s.asks = src, 0
	src.Start(now, out)
	src.heartbeat(now, out)
	if src.last.member != nil {
		src.sendEnd(now, out)
	}
	s.lead(now, true)
}

func (s *Standby) lead(now machine.Time, leads bool) {
	if f := s.member.events.Leads; f != nil {
		f(now, leads)
	}
}

// Deliver handles a message that arrived, but for those that are the source's.
func (s *Standby) Deliver(now machine.Time, from netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox) {
	m, body, err := ParseMessage(payload)
	switch {
	case err != nil: // is the receiver's to count
	case s.source != nil && p.Kind == i3.KindData && s.source.rules(p.ID):
		return // the source checks it itself
	case !s.member.genuine(p, m, payload):
		return
	case m.Type == TypeEnd && p.Kind == i3.KindDirect:
		s.offered(now, p.ID, m, out)
		return
	case m.Type == TypeReply && m.Seq == s.number && s.number > 0:
		if rep, err := ParseReply(body); err == nil && rep.ID == s.profile.cfg.Group {
			s.heard, s.asks = now, 0
		}
	case isTree(m.Type) && numberOf(m.Epoch) == 0:
		s.hear(now, m, out)
	}
	s.member.Deliver(now, from, p, payload, out)
}

// hear notes a sign of a source. One of a lower epoch than its own may not hear
// the tree, and is told where all sources hear it: in the root's repair group.
func (s *Standby) hear(now machine.Time, m Message, out *machine.Outbox) {
	switch {
	case s.Leads() && m.Epoch > s.source.epoch:
		s.source.rival(now, m, out)
		s.lead(now, false)
	case s.Leads() && m.Epoch < s.source.epoch:
		if m.Type == TypeHeartbeat {
			b := s.source.message(now, TypeHeartbeat, 0, 0, s.source.stream.high, out)
			s.source.toID(RepairGroup(s.profile.cfg.root, 0), b, out)
		}
		return
	case m.Epoch < s.member.epoch && s.member.joined:
		return
	}
	if g := s.member.guard(); g == nil || g.last.newer(m) { // else somebody may be sending it again
		s.heard, s.asks = now, 0
	}
}

// offered is told by the source that the role is the stand-by's, and where the stream
// ends.
func (s *Standby) offered(now machine.Time, id i3.ID, m Message, out *machine.Outbox) {
	r := s.member
	if id != r.cfg.Group || r.stale(m) { // of a handover that came to nothing
		r.count.DropReplay++
		return
	}
	if s.source != nil || !r.joined || m.Epoch != r.epoch || m.Seq > r.stream.high+maxJump {
		r.count.DropUnexpected++
		return
	}
	s.takeOver(now, m.Seq, out)
}

// Acked handles a node's answer for one of the receiver's triggers.
func (s *Standby) Acked(now machine.Time, a i3.Ack, out *machine.Outbox) { s.member.Acked(now, a, out) }

// Failed is told that nobody answered for one of the receiver's triggers.
func (s *Standby) Failed(now machine.Time, t i3.Trigger, out *machine.Outbox) {
	s.member.Failed(now, t, out)
}
