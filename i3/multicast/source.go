package multicast

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// A Source is the root of a group's tree: it sends data and heartbeats, answers
// the first query of every search, and is the last to be asked for a repair.
type Source struct {
	core
	root   i3.ID // above the group's identifier
	relays []relay
	stands standing
	door   *door // nil without a public name
	beat   machine.Timer
	beatIn machine.Duration
	seen   machine.Time // when its own packets last came back through the tree

	last      predecessor
	heir      netip.AddrPort // to whom it hands over, if it does
	heirBeats int            // since it asked it first
	yielded   bool           // another is the source
	retired   bool           // and it repairs no more
}

// The keys of the source's timers.
const (
	keyBeat = 1
	keyEnd  = 2
)

// NewSource returns a source that does nothing before Start.
func NewSource(cfg Config) (*Source, error) {
	p, err := NewProfile(cfg)
	if err != nil {
		return nil, err
	}
	return newSource(p, cfg.member(), func(s *Source) host.Handler { return s })
}

// newSource makes a source of which hears what the handler made for it hands on.
func newSource(p *Profile, m Member, handler func(*Source) host.Handler) (*Source, error) {
	s := &Source{root: p.cfg.sourceRoot(p.cfg.Number)}
	if err := s.init(p, m, handler(s)); err != nil {
		return nil, err
	}
	if g := s.guard(); g != nil {
		g.source = true
	}
	cfg := *s.cfg
	cfg.gauged = true
	s.cfg = &cfg                                  // a stand-by's receiver has the profile's
	s.more().gauge = &gauge{bandwidth: Unlimited} // and nothing is lost yet
	s.epoch |= uint32(p.cfg.Number) << numberShift
	s.above = above(s.root)
	s.makeRelays(m.Near.At)
	if p.cfg.Door != nil {
		s.door = newDoor(p.cfg.Door)
	}
	return s, nil
}

// Start inserts the source's triggers: its own at the group's identifier, which
// shows it what the tree receives and how many children it has; membership of
// the root's joinable set, and the last repair group. One that is not at the root has
// only a repair group.
func (s *Source) Start(now machine.Time, out *machine.Outbox) {
	s.maintain(now, out)
	s.beatIn = s.cfg.HeartbeatMin
	s.timers.Set(&s.beat, keyBeat, now.Add(s.beatIn))
}

func (s *Source) maintain(now machine.Time, out *machine.Outbox) {
	s.seen = now
	if s.cfg.Number == 0 {
		s.host.Maintain(now, s.host.Own(s.cfg.Group), out)
		s.host.Maintain(now, s.host.Own(s.above.set(s.full)), out)
		if s.cfg.Agents {
			s.host.Maintain(now, s.host.Own(RootAgents(s.cfg.Group, 0)), out)
		}
	}
	s.host.Maintain(now, s.host.Own(RepairGroup(s.root, 0)), out)
	s.openDoor(now, out)
	s.maintainRelays(now, out)
}

// watch inserts the source's triggers again when none of its packets have come
// back to it for some heartbeats: their node has lost its memory.
func (s *Source) watch(now machine.Time, out *machine.Outbox) {
	if s.cfg.Number == 0 && now.Sub(s.seen) > silentBeats*s.cfg.HeartbeatMax {
		s.maintain(now, out)
	}
}

// MaxPayload is the most bytes that a packet of the group can carry. What fits a
// path's MTU is the sender's business. With a group key it is [TagSize] less.
const MaxPayload = i3.MaxPayload - HeaderSize

// maxPayload returns the most bytes that a packet of this group can carry.
func (s *Source) maxPayload() int { return MaxPayload - s.tagSize() }

// Send sends a packet to the group and returns its sequence number. The payload
// is copied. One that is too long, see [MaxPayload], is not sent, and the number is 0; nor
// is any while another source may have taken its role, see HandOver.
func (s *Source) Send(now machine.Time, payload []byte, out *machine.Outbox) uint64 {
	if len(payload) > s.maxPayload() || s.yielded || s.heir.IsValid() {
		return 0
	}
	s.stream.high++
	seq := s.stream.high
	s.stream.cache.put(seq, payload, s.cfg.Cache)
	s.count.Sent++
	b := s.message(now, TypeData, 0, 0, seq, out)
	s.toID(s.cfg.Group, append(b, payload...), out)
	s.beatIn = s.cfg.HeartbeatMin
	s.timers.Set(&s.beat, keyBeat, now.Add(s.beatIn))
	s.watch(now, out)
	return seq
}

// Receive handles a batch of datagrams.
func (s *Source) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	s.host.Receive(now, batch, out)
}

// Expire sends what is due: heartbeats, and the host's requests.
func (s *Source) Expire(now machine.Time, out *machine.Outbox) {
	s.host.Expire(now, out)
	for {
		key, at, ok := s.timers.Pop(now)
		if !ok {
			return
		}
		switch {
		case key == keyEnd:
			if s.timers.Fired(&s.last.timer, key, at, now) {
				s.sendEnd(now, out)
			}
		case !s.timers.Fired(&s.beat, key, at, now):
		case s.yielded:
			s.retire(now, out)
		default:
			s.heartbeat(now, out)
			s.askHeir(now, out)
		}
	}
}

// heartbeat tells the tree the highest sequence number, so that a loss at the
// end is noticed, and the time, so that distances stay fresh. The interval
// doubles while there is nothing new (variable heartbeat, as in LBRM).
func (s *Source) heartbeat(now machine.Time, out *machine.Outbox) {
	s.count.Heartbeats++
	s.toID(s.cfg.Group, s.message(now, TypeHeartbeat, 0, 0, s.stream.high, out), out)
	s.beatIn = min(2*s.beatIn, s.cfg.HeartbeatMax)
	s.timers.Set(&s.beat, keyBeat, now.Add(s.beatIn))
	s.watch(now, out)
}

// Deliver handles a message that arrived.
func (s *Source) Deliver(now machine.Time, _ netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox) {
	m, body, err := ParseMessage(payload)
	if err != nil {
		s.count.DropMalformed++
		return
	}
	if !s.genuine(p, m, payload) {
		return
	}
	if s.yielded && m.Type != TypeRequest {
		return // it is the other's
	}
	switch m.Type {
	case TypeQuery:
		s.query(now, p.ID, m, body, out)
	case TypeRequest:
		s.request(now, m, body, out)
	case TypeAsk:
		s.asked(now, p, m, body, out)
	case TypeHint:
		s.hinted(now, body, out)
	case TypeData, TypeHeartbeat, TypeRepair, TypeGone, TypeRefreshAck, TypeAdopt, TypeLeaving:
		if s.returns(now, m) {
			s.seen = now // its own tree's traffic, seen through the monitor trigger
		}
		s.rival(now, m, out)
	case TypeEnd:
		s.toldEnd(now, m, out)
	default:
		s.count.DropUnexpected++
	}
}

// request answers a repair request, the last that may be asked.
func (s *Source) request(now machine.Time, m Message, body []byte, out *machine.Outbox) {
	q, err := ParseRequest(body)
	if err != nil {
		s.count.DropMalformed++
		return
	}
	s.count.RequestsReceived++
	if m.Epoch != s.epoch {
		s.requestLast(now, m, q, out)
		return
	}
	if payload := s.stream.cache.get(m.Seq); payload != nil {
		s.repair(now, m, q, payload, 0, out)
		return
	}
	s.gone(now, m, q, out)
}

// gone says that nobody has a packet any more.
func (s *Source) gone(now machine.Time, m Message, q Request, out *machine.Outbox) {
	s.count.Gone++
	b := s.message(now, TypeGone, 0, 0, m.Seq, out)
	if q.Target.IsZero() {
		s.toHost(q.Requester, q.Group, b, out)
	} else {
		s.toID(q.Target, b, out)
	}
}

// Acked learns from the answers for its own trigger whether it is joinable.
func (s *Source) Acked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	switch {
	case s.yielded:
	case s.relayAcked(now, a, out):
	case a.Trigger.ID == s.cfg.Group && (a.Status.Alive() || a.Status == i3.StatusFull):
		s.setFull(now, a, out) // receivers may have taken the source's own slot
		s.linkRelays(now, out)
	case a.Status.Alive():
		s.entered(now, a.Trigger.ID, out)
	}
}

// Failed does nothing: maintained triggers are asked for again.
func (s *Source) Failed(machine.Time, i3.Trigger, *machine.Outbox) {}
