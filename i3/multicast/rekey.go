package multicast

import (
	"net/netip"
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// The key of a receiver's identifier follows from its parent's, so a receiver that
// moves to another parent gets another identifier, and so does everybody below it.
// Prefixes and suffixes stay, and with them the nodes. All of them make before they
// break: they insert the triggers of their next seat, keep the one they have until a
// packet has come by the next, and give the old triggers back some time after that.

// A seat is a place in the tree with its chain: one that a receiver is about to
// take, or one that it has left.
type seat struct {
	place
	chain []i3.ID
	host  netip.AddrPort // who replied for the parent
	due   machine.Time   // when to look after it
	tries uint8
	// Of the next seat:
	first int  // the first identifier of the chain that others do not know yet
	mine  bool // the receiver moves itself, not one above it
	// Of one that was left:
	stage   leavingStage
	members []i3.ID // sets and groups
}

// A leavingStage is how far a receiver has got with giving an old seat back.
type leavingStage uint8

const (
	overlapping leavingStage = iota // packets on their way may still come by it
	vacating                        // the own trigger is being removed
	watching                        // others hang below it still
	unlinking                       // its link is being removed
)

// Bounds of moves.
const (
	// overlap is how long an old seat is kept beside the new one, and how often is
	// looked whether anybody hangs below it still.
	overlap = 2 * machine.Second
	// maxPast bounds the old seats that a receiver looks after at a time.
	maxPast = 4
	// maxWatches is how often is looked whether anybody hangs below an old seat.
	maxWatches = 8
	// maxWaits is how often the links of the next seat are inserted without a packet
	// coming by them before it is given up.
	maxWaits = 4
	// maxChain bounds the identifiers from the group's to a receiver's.
	maxChain = maxLevel + 2
)

// link returns the trigger that leads to the seat.
func (s *seat) link() i3.Trigger { return linkOf(s.chain, len(s.chain)-1) }

// linkOf returns the i-th link of a chain.
func linkOf(chain []i3.ID, i int) i3.Trigger {
	return i3.Trigger{ID: chain[i-1], Target: i3.ToID(chain[i])}
}

// ownAt returns the receiver's own trigger at a seat.
func (r *Receiver) ownAt(s *seat) i3.Trigger {
	return i3.Trigger{ID: s.id, Target: i3.ToHost(r.host.Self(), s.key)}
}

// below returns the identifier that takes the place of id under another parent.
func below(parent, id i3.ID) i3.ID {
	return i3.NewID(id.Prefix(), i3.RightKey(parent), id.Suffix()).Private()
}

// same reports whether two identifiers are one receiver's, under whatever parents.
func same(a, b i3.ID) bool { return a.Prefix() == b.Prefix() && a.Suffix() == b.Suffix() }

// appendRekey appends the body of a Rekey: the old identifier, and the chain of the
// new one from the group's down.
func appendRekey(b []byte, old i3.ID, chain []i3.ID) []byte {
	b = old.AppendTo(b)
	for _, id := range chain {
		b = id.AppendTo(b)
	}
	return b
}

// isRekeySize reports whether a Rekey's body may be so long.
func isRekeySize(n int) bool {
	return n%i3.IDSize == 0 && n >= 3*i3.IDSize && n <= (1+maxChain)*i3.IDSize
}

// parseRekey decodes the body of a Rekey, whose length [ParseMessage] has checked.
func parseRekey(body []byte) (old i3.ID, chain []i3.ID) {
	chain = make([]i3.ID, 0, len(body)/i3.IDSize+1) // and room for one below
	for rest := body[i3.IDSize:]; len(rest) > 0; rest = rest[i3.IDSize:] {
		chain = append(chain, i3.IDFrom([i3.IDSize]byte(rest)))
	}
	return i3.IDFrom([i3.IDSize]byte(body)), chain
}

// rekey tells all below an old seat where it is now.
func (r *Receiver) rekey(now machine.Time, old i3.ID, out *machine.Outbox) {
	r.moves().count.Rekeys++
	b := r.message(now, TypeRekey, 0, r.Level(), 0, out)
	r.toID(old, appendRekey(b, old, r.chain), out)
}

// rekeyed is told that an identifier of the chain is another now, and follows.
func (r *Receiver) rekeyed(now machine.Time, body []byte, out *machine.Outbox) {
	old, chain := parseRekey(body)
	i := slices.Index(r.chain, old)
	if i < 1 || i == len(r.chain)-1 || slices.Equal(chain, r.chain[:i+1]) || !r.follows(i, chain) {
		r.count.DropUnexpected++
		return
	}
	r.ownerFound(now, old, 0, out)
	first := len(chain) - 1
	for _, id := range r.chain[i+1:] {
		chain = append(chain, below(chain[len(chain)-1], id))
	}
	v := r.mover()
	switch {
	case v.next != nil && slices.Equal(v.next.chain, chain):
		return // told again
	case len(v.past) == maxPast:
		r.count.DropUnexpected++
		return // it is told again if it still hangs there
	}
	r.breakOff(now, out)
	r.reseat(now, &seat{chain: chain, first: first, host: r.parentHost}, out)
}

// follows reports whether the chain of a Rekey is one that the i-th identifier of
// the receiver's may have: the constraints hold, it is not too long with what hangs
// below, and it does not pass through that. The last can happen when two move below
// each other at a time; then each stays below the other's old identifier.
func (r *Receiver) follows(i int, chain []i3.ID) bool {
	last := len(chain) - 1
	if chain[0] != r.cfg.Group || !same(chain[last], r.chain[i]) || last+len(r.chain)-i > maxChain {
		return false
	}
	for k := 1; k <= last; k++ {
		if chain[k] != below(chain[k-1], chain[k]) {
			return false
		}
		mine := func(id i3.ID) bool { return same(id, chain[k]) }
		if k < last && slices.ContainsFunc(r.chain[i:], mine) {
			return false
		}
	}
	return true
}

// reseat inserts the receiver's own trigger at the next seat. The link follows.
func (r *Receiver) reseat(now machine.Time, s *seat, out *machine.Outbox) {
	v := r.mover()
	s.id = s.chain[len(s.chain)-1]
	s.key = i3.RightKey(s.id)
	s.due = now.Add(r.patience())
	v.past = slices.DeleteFunc(v.past, func(p seat) bool { return p.id == s.id }) // it is needed again
	v.next = s
	r.armSeats()
	r.host.Maintain(now, r.ownAt(s), out)
}

// patience is how long a packet may take to come by the next seat.
func (r *Receiver) patience() machine.Duration { return max(overlap, 2*r.cfg.HeartbeatMax) }

// armSeats sets the timer for the seat that is to be looked after first.
func (r *Receiver) armSeats() {
	v, due := r.moves(), machine.Never
	if v.next != nil {
		due = v.next.due
	}
	for i := range v.past {
		due = min(due, v.past[i].due)
	}
	if due != machine.Never {
		r.timers.Set(&v.timer, keySeat, due)
	}
}

// seatsDue looks after the seats whose time has come.
func (r *Receiver) seatsDue(now machine.Time, out *machine.Outbox) {
	v := r.moves()
	if v.next != nil && v.next.due <= now {
		r.awaitSeat(now, out)
	}
	for i := len(v.past) - 1; i >= 0; i-- {
		if v.past[i].due <= now {
			r.vacate(now, i, out)
		}
	}
	r.armSeats()
}

// awaitSeat inserts the links of the next seat again, those of the others below the
// one that moved, too: one of them may not know of the move, or be no more.
func (r *Receiver) awaitSeat(now machine.Time, out *machine.Outbox) {
	n := r.moves().next
	if n.tries++; n.tries > maxWaits {
		r.giveUpSeat(now, out)
		return
	}
	for i := n.first; i < len(n.chain); i++ {
		r.insertSeat(now, n, i, out)
	}
	n.due = now.Add(r.patience())
}

// insertSeat inserts the i-th link of the next seat.
func (r *Receiver) insertSeat(now machine.Time, n *seat, i int, out *machine.Outbox) {
	secret := i3.Nonce{}
	if i == len(n.chain)-1 {
		secret = r.secret
	} else if a := r.adoptionAt(i - len(n.chain) + len(r.chain)); a != nil {
		secret = a.secret
	}
	r.host.Insert(now, linkOf(n.chain, i), secret, out)
}

// giveUpSeat stays where the receiver is.
func (r *Receiver) giveUpSeat(now machine.Time, out *machine.Outbox) {
	v := r.moves()
	n := v.next
	v.next = nil
	v.count.Failed++
	r.host.Remove(now, r.ownAt(n), i3.Nonce{}, out)
	r.host.Remove(now, n.link(), r.secret, out)
}

// comes takes what came down the tree, but not to the receiver's own identifier. It
// returns whether it is one's own now: the first packet that comes by the next seat
// has the receiver take it, if nobody sends it again much later.
func (r *Receiver) comes(now machine.Time, id i3.ID, m Message, body []byte, out *machine.Outbox) bool {
	v := r.moves()
	if v == nil {
		return false
	}
	if v.next != nil && v.next.id == id && isTree(m.Type) && !r.stale(m) {
		r.takeSeat(now, out)
		return true
	}
	isID := func(p seat) bool { return p.id == id }
	if m.Type == TypeData && slices.ContainsFunc(v.past, isID) {
		r.within(now, m, func() {
			if r.inStream(m) && r.take(now, m.Seq, body, false, out) {
				r.deliver(now, m.Seq, m.Time, body)
			}
		})
	}
	return false
}

// takeSeat makes the next seat the receiver's own. Everything is entered there
// before it is left at the old one.
func (r *Receiver) takeSeat(now machine.Time, out *machine.Outbox) {
	v := r.moves()
	n := v.next
	last := len(r.chain) - 1
	old := seat{
		place: r.place, chain: r.chain, host: r.parentHost, members: r.memberships(), due: now.Add(overlap),
	}
	if n.mine {
		r.handOverAdopted(now, last, out)
		r.forsake()
	} else {
		r.shiftCare(n.first, len(n.chain)-len(r.chain))
		r.followed()
	}
	v.next = nil
	v.past = append(v.past, old)
	r.setChain(n.chain)
	r.dropAllPending()
	r.moving = false
	r.distances.reset()
	r.startRefresh(now)
	for _, id := range r.memberships() {
		r.host.Maintain(now, r.host.Own(id), out)
	}
	if n.mine {
		r.moved(now, old.id, out)
	}
	r.armSeats()
}

// shiftCare keeps what is known of orphans at the levels that they have now. Those
// above the one that moved, which is at level first, are others' now.
func (r *Receiver) shiftCare(first, by int) {
	if r.care == nil {
		return
	}
	for i := range r.care.adopted {
		r.care.adopted[i].level += by
	}
	r.care.orphans = slices.DeleteFunc(r.care.orphans, func(o orphan) bool { return o.level+by <= first })
	for i := range r.care.orphans {
		r.care.orphans[i].level += by
	}
}

// vacate goes on with giving the i-th old seat back.
func (r *Receiver) vacate(now machine.Time, i int, out *machine.Outbox) {
	p := &r.moves().past[i]
	switch p.stage {
	case overlapping:
		keep := r.memberships()
		for _, id := range p.members {
			if !slices.Contains(keep, id) { // as it is if who stood there for an adopted identifier has moved up
				r.host.Remove(now, r.host.Own(id), i3.Nonce{}, out)
			}
		}
		p.stage, p.due = vacating, machine.Never
		r.host.Remove(now, r.ownAt(p), i3.Nonce{}, out)
	case watching:
		if p.tries++; p.tries > maxWatches { // it is theirs, and lives as long as they refresh it
			r.dropSeat(now, i, out)
			return
		}
		p.due = now.Add(overlap)
		r.host.Probe([]i3.ID{p.id}, out)
	}
}

// counted is told how many triggers there are at an old seat. If there are any, some
// have not followed yet: they are told again.
func (r *Receiver) counted(now machine.Time, p *seat, count uint16, out *machine.Outbox) {
	if count == 0 {
		p.stage, p.due = unlinking, machine.Never
		r.host.Remove(now, p.link(), r.secret, out)
		return
	}
	p.stage, p.due = watching, now.Add(overlap)
	r.rekey(now, p.id, out)
	r.armSeats()
}

// dropSeat forgets the i-th old seat. When there are none any more, the receiver
// asks how many hang below it now.
func (r *Receiver) dropSeat(now machine.Time, i int, out *machine.Outbox) {
	v := r.moves()
	v.past = slices.Delete(v.past, i, i+1)
	if len(v.past) == 0 {
		r.host.Maintain(now, r.ownTrigger(), out)
	}
}

// seatAcked handles a node's answer for a trigger of the next seat or of an old one.
// It returns false if it is for another.
func (r *Receiver) seatAcked(now machine.Time, a i3.Ack, out *machine.Outbox) bool {
	v := r.moves()
	if v.next != nil && r.nextAcked(now, v.next, a, out) {
		return true
	}
	for i := range v.past {
		p := &v.past[i]
		switch {
		case p.stage == vacating && a.Trigger == r.ownAt(p),
			p.stage == watching && a.Trigger.ID == p.id && a.Status == i3.StatusProbed:
			r.counted(now, p, a.Count, out)
		case p.stage == unlinking && a.Trigger == p.link():
			if a.Status == i3.StatusRemoved && (a.Count == a.Limit-1 || a.Count == 0) {
				r.hintTo(now, p.host, p.chain[len(p.chain)-2], out)
			}
			r.dropSeat(now, i, out)
		default:
			continue
		}
		return true
	}
	return false
}

// nextAcked handles the answers for the triggers of the next seat: its link, and
// those of identifiers above it that the receiver has adopted, follow its own. A
// receiver that moves itself wants no parent's identifier at which its link is alone:
// that has been left meanwhile.
func (r *Receiver) nextAcked(now machine.Time, n *seat, a i3.Ack, out *machine.Outbox) bool {
	own, link := a.Trigger == r.ownAt(n), a.Trigger == n.link()
	switch {
	case own && a.Status.Alive():
		for i := len(n.chain) - 1; i >= n.first && r.owns(i-len(n.chain)+len(r.chain)); i-- {
			r.insertSeat(now, n, i, out)
		}
	case link && a.Status.Alive() && (a.Count > 1 || !n.mine):
		if a.Count >= a.Limit {
			r.hintTo(now, n.host, n.chain[len(n.chain)-2], out)
		}
	case own, link:
		r.giveUpSeat(now, out)
	}
	return own || link
}

// seatFailed is told that nobody answered for a trigger.
func (r *Receiver) seatFailed(now machine.Time, t i3.Trigger, out *machine.Outbox) {
	v := r.moves()
	if n := v.next; n != nil && (t == n.link() || t == r.ownAt(n)) {
		r.giveUpSeat(now, out)
	}
	for i := range v.past {
		p := &v.past[i]
		if p.stage == unlinking && t == p.link() || p.stage == vacating && t == r.ownAt(p) {
			r.dropSeat(now, i, out)
			return
		}
	}
}

// breakOff ends a move that is under way, but not the giving back of old seats.
func (r *Receiver) breakOff(now machine.Time, out *machine.Outbox) {
	if r.state == attached && r.join != nil {
		r.endLook()
	}
	if r.moves().next != nil {
		r.giveUpSeat(now, out)
	}
}

// dropSeats gives back all seats but the receiver's own, for it leaves that, too.
func (r *Receiver) dropSeats(now machine.Time, out *machine.Outbox) {
	v := r.moves()
	if v == nil {
		return
	}
	r.breakOff(now, out)
	for i := range v.past {
		if v.past[i].stage == overlapping {
			r.vacate(now, i, out)
		}
	}
	v.past = nil
	r.timers.Stop(&v.timer)
}
