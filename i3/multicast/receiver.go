package multicast

import (
	"net/netip"
	"slices"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// A Receiver is a host that takes part in a group's tree.
//
// The fields that every packet needs come first, to the first counters of core: see
// Hot.
type Receiver struct {
	state     state
	joined    bool
	unheard   bool         // nothing came down the tree since the attachment
	doubts    bool         // so the receiver has asked for its parent's link
	silences  uint8        // in a row
	step      uint32       // counts the frontiers asked; part of every query's number
	heard     machine.Time // when the last packet came down the tree
	place                  // in the tree
	lossRate  lossRate
	scheme    RefreshScheme
	rounds    uint8  // searches begun since Join
	current   uint8  // which stream is, see swap: 0 the first, else one more than the aside's index
	distances window // from the source, as the last packets had them

	chain        []i3.ID // from the group's identifier to the receiver's own
	links        []link  // links[i] refreshes (chain[i-1], chain[i]); links[0] is unused
	refreshTimer machine.Timer
	house        machine.Timer // housekeeping
	join         *joining      // nil unless there is a search or an attachment
	core

	secret     i3.Nonce
	suffix     uint64 // of the repair group's trigger
	near       chord.Range
	parentHost netip.AddrPort // who replied for the parent

	care *care // nil before there is an orphan
}

// A place is what follows from a receiver's own identifier and its parent's, and
// is needed again and again while it stays there.
type place struct {
	id  i3.ID  // the receiver's own
	key i3.Key // of the host target of its own trigger
}

// setChain gives the receiver a place.
func (r *Receiver) setChain(chain []i3.ID) {
	r.chain = chain
	id, parent := chain[len(chain)-1], r.parent()
	r.place = place{id: id, key: i3.RightKey(id)}
	r.above = above(parent)
}

// ownTrigger returns the trigger that brings the receiver what its parent gets.
func (r *Receiver) ownTrigger() i3.Trigger {
	return i3.Trigger{ID: r.id, Target: i3.ToHost(r.host.Self(), r.key)}
}

// isOwn reports whether a trigger is the receiver's own.
func (r *Receiver) isOwn(t i3.Trigger) bool { return t.ID == r.id && t == r.ownTrigger() }

// A state is where a receiver stands.
type state uint8

const (
	idle      state = iota
	searching       // asks sets
	measuring       // sends trains by the best places
	attaching       // inserts its triggers
	attached        // its link is in the tree
	leaving         // takes its triggers back
	knocking        // wants to know the group behind a public name
)

// The keys of timers: a kind in the top byte, an index below.
const (
	keyKind   = 56
	keySearch = 1 << keyKind
	keyHouse  = 2 << keyKind
	keyLink   = 3 << keyKind
	keyLoss   = 4 << keyKind // + sequence number
	keyUpward = 5 << keyKind // + sequence number
	keyAdopt  = 6 << keyKind
	keyLeave  = 7 << keyKind
	keyAsk    = 8 << keyKind
	keyProbe  = 9 << keyKind
	keySeat   = 10 << keyKind
	keyTell   = 11 << keyKind
	// keyStream is where the number of the stream stands above the kind, see aside.
	keyStream = 60
)

// NewReceiver returns a receiver that does nothing before Join.
func NewReceiver(cfg Config) (*Receiver, error) {
	p, err := NewProfile(cfg)
	if err != nil {
		return nil, err
	}
	return p.NewReceiver(cfg.member())
}

// Level returns the receiver's level in the tree, 1 for a child of the source,
// and 0 if it is not attached.
func (r *Receiver) Level() int {
	if r.state != attached {
		return 0
	}
	return len(r.chain) - 1
}

// Chain returns the identifiers from the group's to the receiver's own. The
// caller must not change it.
func (r *Receiver) Chain() []i3.ID { return r.chain }

// Idle reports whether the receiver takes no part in the group and does not
// look for one either.
func (r *Receiver) Idle() bool { return r.state == idle && r.rounds == 0 }

// Settled reports whether the receiver is attached and other searches find it.
func (r *Receiver) Settled() bool {
	return r.state == attached && r.host.Maintains(r.host.Own(r.above.set(r.full))) && !r.moving
}

// MoveSet moves the receiver to the set of the full children or of the joinable ones,
// and reports whether it was in the other one and not on its way between them. The
// node's next answer for the receiver's own trigger puts right what is not true:
// whoever measures what a move costs moves it back.
func (r *Receiver) MoveSet(now machine.Time, full bool, out *machine.Outbox) bool {
	if r.state != attached || r.moving || r.full == full {
		return false
	}
	r.moveSet(now, full, out)
	return true
}

// Children returns how many links there are under the receiver's identifier, as
// the node last told it.
func (r *Receiver) Children() int { return int(r.children) }

// Missing returns how many packets are lost and not yet repaired, of all streams.
func (r *Receiver) Missing() int {
	n := len(r.stream.losses)
	if r.rare != nil {
		for i := range r.rare.asides {
			n += len(r.rare.asides[i].stream.losses)
		}
	}
	return n
}

// own returns the receiver's own identifier.
func (r *Receiver) own() i3.ID { return r.id }

// parent returns the identifier above the receiver's own.
func (r *Receiver) parent() i3.ID { return r.chain[len(r.chain)-2] }

// link returns the i-th link of the chain.
func (r *Receiver) link(i int) i3.Trigger { return linkOf(r.chain, i) }

// Receive handles a batch of datagrams.
func (r *Receiver) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	r.host.Receive(now, batch, out)
}

// Expire runs what is due.
func (r *Receiver) Expire(now machine.Time, out *machine.Outbox) {
	r.host.Expire(now, out)
	for {
		key, at, ok := r.timers.Pop(now)
		if !ok {
			return
		}
		r.inAside(int(key>>keyStream)-1, func() { r.expire(now, key, at, out) })
	}
}

func (r *Receiver) expire(now machine.Time, key uint64, at machine.Time, out *machine.Outbox) {
	index := key & (1<<keyKind - 1)
	switch key & (1<<keyStream - 1) &^ (1<<keyKind - 1) {
	case keySearch:
		if r.join != nil && r.timers.Fired(&r.join.timer, key, at, now) {
			r.searchTimeout(now, out)
		}
	case keyHouse:
		if r.timers.Fired(&r.house, key, at, now) {
			r.housekeeping(now, out)
		}
	case keyLink:
		if r.timers.Fired(&r.refreshTimer, key, at, now) {
			r.refreshDue(now, at, out)
		}
	case keyLoss:
		if i, ok := r.stream.find(index); ok && r.timers.Fired(&r.stream.losses[i].timer, key, at, now) {
			r.request(now, i, out)
		}
	case keyUpward:
		r.pendingDue(now, index, key, at, out)
	case keyAdopt:
		if r.care != nil && r.timers.Fired(&r.care.timer, key, at, now) {
			r.adopt(now, out)
		}
	case keyAsk:
		if r.timers.Fired(&r.rare.knock.timer, key, at, now) && r.state == knocking {
			r.askAgain(now, out)
		}
	case keyProbe:
		if r.timers.Fired(&r.moves().probe, key, at, now) {
			r.probeDue(now, out)
		}
	case keySeat:
		if r.timers.Fired(&r.moves().timer, key, at, now) {
			r.seatsDue(now, out)
		}
	case keyTell:
		if r.rare != nil && r.timers.Fired(&r.rare.tell, key, at, now) && r.joined {
			r.tellEnd(now, out)
		}
	}
}

// Deliver handles a message that arrived.
func (r *Receiver) Deliver(now machine.Time, from netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox) {
	m, body, err := ParseMessage(payload)
	if err != nil || m.Seq == 0 && isPacket(m.Type) || m.Seq > maxSeq && m.Type != TypeAdopt {
		r.count.DropMalformed++
		return
	}
	if !r.genuine(p, m, payload) || r.repeats(m) {
		return
	}
	if m.Type == TypeAdmit {
		r.admitted(now, m, payload[:HeaderSize], body, out)
		return
	}
	if m.Type == TypeReply || m.Type == TypeReport {
		r.replied(now, from, m, body, out)
		return
	}
	if m.Type == TypeEcho {
		r.trainBack(now, p, m, out)
		return
	}
	if m.Type == TypeHint && r.formerHinted(i3.IDFrom([i3.IDSize]byte(body)), out) {
		return
	}
	if m.Type == TypeLeaving && r.state == attaching {
		r.join.orphan = append(r.join.orphan[:0], body...)
		return
	}
	down := isTree(m.Type) || m.Type == TypeEnd
	if r.state != attached || down && p.ID != r.own() && !r.comes(now, p.ID, m, body, out) {
		r.count.DropUnexpected++ // too early, or from a place it has left
		return
	}
	r.within(now, m, func() { r.handle(now, p, m, body, out) })
}

// handle handles a message that the current stream's packets come with, or that is
// about no stream.
func (r *Receiver) handle(now machine.Time, p i3.Packet, m Message, body []byte, out *machine.Outbox) {
	switch m.Type {
	case TypeData:
		r.data(now, m, body, out)
	case TypeHeartbeat:
		if !r.old(now, m, nil, out) && r.down(now, m, m.Seq) {
			r.arrived(now, m.Seq, out)
		}
	case TypeRepair:
		r.repaired(now, m, body, p.Kind == i3.KindDirect, out)
	case TypeQuery:
		r.query(now, p.ID, m, body, out)
	case TypeRequest:
		r.requested(now, m, body, out)
	case TypeRefreshAck:
		r.refreshAck(now, m, body, out)
	case TypeGone:
		r.gone(now, m)
	case TypeEnd:
		r.ended(now, m, out)
	case TypeLeaving:
		r.ownerLeaves(now, body)
	case TypeAdopt:
		r.ownerFound(now, i3.IDFrom([i3.IDSize]byte(body)), m.Seq, out)
	case TypeAsk:
		r.count.DropUnexpected++ // receivers have no door
	case TypeHint:
		r.hinted(now, i3.IDFrom([i3.IDSize]byte(body)), out)
	case TypeRekey:
		r.rekeyed(now, body, out)
	}
}

// isTree reports whether a message comes down the tree, to the receiver's own
// identifier, and is not merely passed on there.
func isTree(t Type) bool { return t == TypeData || t == TypeHeartbeat }

// isPacket reports whether a message's sequence number is that of a packet; those
// start at 1.
func isPacket(t Type) bool {
	return t == TypeData || t == TypeRepair || t == TypeRequest || t == TypeGone
}

// hinted asks how many children an identifier has now.
func (r *Receiver) hinted(now machine.Time, id i3.ID, out *machine.Outbox) {
	if id == r.own() {
		r.host.Maintain(now, r.ownTrigger(), out)
	} else if r.adoptionAt(slices.Index(r.chain, id)) != nil {
		r.host.Probe([]i3.ID{id}, out)
	}
}

// Acked handles a node's answer for one of the receiver's triggers.
func (r *Receiver) Acked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	r.formerAcked(now, a, out)
	if r.state == attached && r.moves() != nil && r.seatAcked(now, a, out) {
		return
	}
	if a.Status == i3.StatusProbed {
		r.probed(now, a, out)
		if r.state == attached {
			r.rootCount(a)
			r.adoptedCount(now, a, out)
		}
		return
	}
	switch r.state {
	case measuring:
		r.trainAcked(now, a, out)
	case attaching:
		r.attachAcked(now, a, out)
	case leaving:
		r.leaveAcked(now, a, out)
	case attached:
		r.treeAcked(now, a, out)
	}
}

// treeAcked handles the answers of normal operation.
func (r *Receiver) treeAcked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	switch {
	case a.Trigger.ID == r.own() && a.Status.Alive():
		if !a.Trigger.Target.IsID() && !r.overlaps() {
			r.setFull(now, a, out)
		}
	case a.Status == i3.StatusRemoved || a.Status == i3.StatusMissing:
	case !a.Status.Alive() && r.isOwn(a.Trigger):
		r.rejoin(now, out) // others have taken its place: no packet reaches it any more
	default:
		r.linkAcked(now, a, out)
		if r.state == attached && a.Status.Alive() {
			r.entered(now, a.Trigger.ID, out)
			r.adoptedCount(now, a, out)
		}
	}
}

// Failed is told that nobody answered for a trigger.
func (r *Receiver) Failed(now machine.Time, t i3.Trigger, out *machine.Outbox) {
	switch {
	case r.isTrain(t):
		r.trainEnds(now, out)
	case r.state == attached && r.moves() != nil:
		r.seatFailed(now, t, out)
	case r.state != attaching && r.state != leaving:
	case !r.isOwn(t) && r.linkIndex(t) < r.unlinking():
	case r.state == leaving:
		r.left(now)
	default:
		if link := r.link(len(r.chain) - 1); t == link { // only the answers may have been lost
			r.host.Remove(now, link, r.secret, out)
		}
		r.refused(now, out)
	}
}

// query answers a distance query, for the receiver's own identifier or for one
// it has adopted. A query to a set that it belongs to no more, but whose
// trigger still lives, gets no answer: it would be one about another place.
func (r *Receiver) query(now machine.Time, set i3.ID, m Message, body []byte, out *machine.Outbox) {
	if r.above.isSet(set) || r.above.isGroup(set) {
		r.reply(now, m, body, r.own(), r.Level(), flagFull(r.full), out)
		return
	}
	if r.represents(now, set, m, body, out) {
		return
	}
	for k, adopted := 0, r.adopted(); k < len(adopted); k++ {
		a := &adopted[k]
		if f := above(r.chain[a.level-1]); f.isSet(set) || f.isGroup(set) {
			r.reply(now, m, body, r.chain[a.level], a.level, flagFull(a.full), out)
			return
		}
	}
	r.count.DropUnexpected++
}
