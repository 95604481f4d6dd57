package node

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// Times of mirrors.
const (
	// mirrorEvery is how often an owner is asked for changes, and so how much a crash may cost at most. mirrorGap is the
	// least time between two questions: 500 pages a second of twelve triggers each.
	mirrorEvery = 500 * machine.Millisecond
	mirrorGap   = 2 * machine.Millisecond
	// mirrorRest is how many lifetimes are between two passes through all triggers of an owner. A pass finds what a
	// scan of a table that changed has left out, and what a change that was lost has left behind.
	mirrorRest = 4
	// maxSources is how many members before it a node keeps mirrors of.
	maxSources = 2
)

// Mirrors are the triggers of the members before a node, which it owns next if those crash. They are in its table like
// its own, where packets do not find them as long as another owns their prefixes.
type mirrors struct {
	on      bool
	count   int    // triggers in the table that are mirrors
	pass    uint16 // the last one begun
	sources [maxSources]source
	keeper  keeper
	next    machine.Time // when to go on
}

// A source is a member before the node, whose triggers it keeps mirrors of.
type source struct {
	place chord.Place // the zero Place if there is none
	owned chord.Range // as the ring says
	flow  uint32      // of the question under way, however often it is asked
	next  machine.Time
	heard machine.Time // when it answered last

	epoch   uint32
	serial  uint64
	passing bool // a pass is under way, or about to begin
	cursor  uint64
	again   bool         // when it ends, another has to follow
	pass    uint16       // the number that what is heard of gets
	since   uint16       // of the last pass that has ended
	whole   bool         // there is one that has been through all that it owns
	passAt  machine.Time // when the next is due
	busy    bool         // there is more
}

// owns reports whether a prefix is one of the source's.
func (s *source) owns(prefix uint64) bool { return s.place.Addr.IsValid() && s.owned.Contains(prefix) }

// followMirrors takes over from the ring whose triggers to keep.
func (n *Node) followMirrors(now machine.Time) {
	m, old, places := &n.mirrors, n.mirrors.sources, n.member.Before()
	m.next = m.keeper.next
	for i := range m.sources {
		s := source{}
		p, lo := places[i], places[i+1]
		if p.Addr.IsValid() && p.Addr != n.cfg.Self && lo.Addr.IsValid() && n.leave.step == staying {
			s = n.sourceAt(now, p, chord.Range{Lo: lo.Prefix, Hi: p.Prefix}, &old)
			m.next = min(m.next, s.next)
		}
		m.sources[i] = s
	}
}

// sourceAt returns the source at a place, with what is known of it. If it owns anything else than before, a pass is
// due.
func (n *Node) sourceAt(now machine.Time, p chord.Place, owned chord.Range, old *[maxSources]source) source {
	for _, s := range old {
		if s.place == p && s.owned == owned {
			return s
		}
	}
	s := source{place: p, owned: owned, heard: now, next: now, flow: n.flows.Next()}
	n.wantPass(&s)
	return s
}

// wantPass begins a pass through all triggers of a source, at once or when the one under way has ended.
func (n *Node) wantPass(s *source) {
	if s.passing {
		s.again = s.again || s.cursor != 0
		return
	}
	m := &n.mirrors
	if m.pass++; m.pass == 0 {
		m.pass = 1
	}
	s.pass, s.passing, s.cursor, s.again = m.pass, true, 0, false
}

// endPass ends one.
func (n *Node) endPass(now machine.Time, s *source) {
	s.passing, s.passAt = false, now.Add(mirrorRest*n.cfg.Lifetime)
	n.count.MirrorPasses++
	if s.again {
		n.wantPass(s)
		return
	}
	s.whole, s.since = true, s.pass
}

// mirror does what is due about mirrors.
func (n *Node) mirror(now machine.Time, out *machine.Outbox) {
	for i := range n.mirrors.sources {
		if s := &n.mirrors.sources[i]; s.place.Addr.IsValid() && now >= s.next {
			n.askMirror(now, s, out)
		}
	}
	if now >= n.mirrors.keeper.next {
		n.keep(now)
	}
}

// askMirror asks a source what has changed. As long as nothing has there is room for one trigger only.
func (n *Node) askMirror(now machine.Time, s *source, out *machine.Outbox) {
	if !s.passing && now >= s.passAt {
		n.wantPass(s)
	}
	q := i3.Mirror{Pass: s.passing, Serial: s.serial, Cursor: s.cursor, Epoch: s.epoch, Room: 1}
	s.next = now.Add(mirrorEvery)
	if s.busy {
		q.Room, s.next, s.busy = i3.MaxHanded, now.Add(handRetry), false
	}
	n.sendMirror(s.place.Addr, s.flow, &q, q.Room, out)
}

func (n *Node) sendMirror(to netip.AddrPort, flow uint32, m *i3.Mirror, entries int, out *machine.Outbox) {
	p := i3.Packet{
		Kind: i3.KindHandover, HopLimit: 1, Length: uint16(i3.MirrorHead + entries*i3.EntrySize), Flow: flow,
	}
	n.reply = m.AppendTo(p.AppendTo(n.reply[:0]))
	out.Send(to, n.reply)
}

// mirrorMessage handles a question for what has changed, or an answer.
func (n *Node) mirrorMessage(now machine.Time, from netip.AddrPort, flow uint32, payload []byte, out *machine.Outbox) {
	m := i3.Mirror{Handed: n.scratch.handed}
	defer func() { n.scratch.handed = m.Handed }()
	switch {
	case i3.ParseMirror(payload, &m) != nil:
		n.count.DropMalformed++
	case !m.Bring:
		n.bringMirror(now, from, flow, &m, out)
	default:
		for i := range n.mirrors.sources {
			if s := &n.mirrors.sources[i]; s.place.Addr == from && s.flow == flow {
				n.mirrored(now, s, &m)
				return
			}
		}
		n.count.DropStranger++
	}
}

// mirrored takes over what a source has answered.
func (n *Node) mirrored(now machine.Time, s *source, a *i3.Mirror) {
	passed := s.passing
	if a.Epoch != s.epoch && s.cursor != 0 {
		s.passing, passed = false, false // it has lost its memory, and the cursor is one of that
	}
	s.heard, s.flow, s.epoch, s.serial = now, n.flows.Next(), a.Epoch, a.Serial
	for _, t := range a.Handed {
		n.takeMirror(now, s, t)
	}
	if a.Lost {
		n.wantPass(s)
	}
	if passed {
		s.cursor = a.Cursor
		if !a.Pass {
			n.endPass(now, s)
		}
	}
	s.busy, s.next = a.More || s.passing, now.Add(mirrorEvery)
	if s.busy {
		s.next = now.Add(mirrorGap)
	}
}

// takeMirror inserts or removes a mirror, if it is one of a trigger that the source may have.
func (n *Node) takeMirror(now machine.Time, s *source, t i3.Handed) {
	prefix := t.Trigger.ID.Prefix()
	h, known := n.find(t.Trigger)
	switch {
	case !s.owned.Contains(prefix):
		n.count.MirrorsRefused++
		return
	case t.LifetimeMS == 0:
		if known {
			n.table.Remove(t.Trigger.ID, h)
			n.release(t.Trigger.ID, h)
			n.count.MirrorsRemoved++
		}
		return
	case !known && n.mirrors.count >= n.cfg.MaxMirrors,
		!known && (i3.CheckConstraint(t.Trigger) != nil || n.folds(now, t.Trigger)):
		n.count.MirrorsRefused++
		return
	case !known:
		h = n.targets.add(n.handedTarget(t))
	}
	if _, err := n.table.Insert(t.Trigger.ID, h, tick(now), tick(now.Add(n.mirrorLife()))); err != nil {
		n.count.MirrorsRefused++
		if !known {
			n.targets.release(h)
		}
		return
	}
	n.refreshed(now, t.Trigger.ID, h)
	e := n.targets.at(h)
	if e.pass == 0 {
		n.mirrors.count++
		n.count.Mirrored++
	}
	e.pass = s.pass
	if n.sweepAt == machine.Never {
		n.sweepAt = now.Add(sweepEvery)
	}
}

// hurryMirror asks a source at once: it is about to leave, and nothing changes there any more.
func (n *Node) hurryMirror(now machine.Time, from netip.AddrPort) {
	for i := range n.mirrors.sources {
		if s := &n.mirrors.sources[i]; s.place.Addr == from {
			s.next = min(s.next, now)
		}
	}
}
