package multicast

import (
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// A link is one trigger of a receiver's chain and the time to refresh it.
type link struct {
	due  machine.Time // of the refresh
	seen machine.Time // when the owner of the identifier it leads to was last heard of
}

// startRefresh draws the first refresh time of every link of the chain.
func (r *Receiver) startRefresh(now machine.Time) {
	if cap(r.links) < len(r.chain) {
		r.links = make([]link, len(r.chain))
	}
	r.links = r.links[:len(r.chain)]
	clear(r.links)
	for i := 1; i < len(r.links); i++ {
		r.links[i].seen = now
		lo, hi := r.interval(i)
		r.links[i].due = now.Add(r.uniform(lo, hi))
	}
	r.armRefresh()
}

// SetRefresh changes the refresh scheme, from [Config] until now. Refreshes that
// are due stay so: each link follows the new scheme from its next refresh on, its
// own or that of somebody else.
func (r *Receiver) SetRefresh(s RefreshScheme) { r.scheme = s }

// Refresh refreshes every link of the chain now, as if all were due. Whoever measures
// what a round of refreshes costs calls it; an idle receiver does nothing.
func (r *Receiver) Refresh(now machine.Time, out *machine.Outbox) {
	if r.state != attached {
		return
	}
	for i := 1; i < len(r.links); i++ {
		r.refresh(now, i, out)
	}
}

// putOff draws the time of the i-th link's next refresh.
func (r *Receiver) putOff(now machine.Time, i int) {
	lo, hi := r.interval(i)
	r.setDue(i, now.Add(r.uniform(lo, hi)))
}

// setDue sets the time of the i-th link's refresh. All links share one timer,
// which is due with the first of them or before: putting off, by far the most
// frequent thing to happen to a link, is one store.
func (r *Receiver) setDue(i int, at machine.Time) {
	r.links[i].due = at
	if at < r.refreshTimer.Due() {
		r.timers.Set(&r.refreshTimer, keyLink, at)
	}
}

// refreshDue refreshes the links that are due at the given time, and sets the timer
// for the next.
func (r *Receiver) refreshDue(now, at machine.Time, out *machine.Outbox) {
	if r.state != attached {
		return
	}
	for i := 1; i < len(r.links); i++ {
		if r.links[i].due <= at {
			r.refresh(now, i, out)
		}
	}
	r.armRefresh()
}

// armRefresh sets the timer for the first link that is due.
func (r *Receiver) armRefresh() {
	next := machine.Never
	for i := 1; i < len(r.links); i++ {
		next = min(next, r.links[i].due)
	}
	if next < r.refreshTimer.Due() {
		r.timers.Set(&r.refreshTimer, keyLink, next)
	}
}

// interval returns the bounds of the i-th link's refresh timer (paper sections 4
// and 6.2; see [RefreshScheme]).
func (r *Receiver) interval(i int) (lo, hi machine.Duration) {
	t := r.cfg.Host.Lifetime / machine.Duration(r.cfg.Host.Hurry)
	above := len(r.chain) - 1 - i // levels between the link's owner and this receiver
	switch {
	case r.scheme == Uniform:
		return t / 2, t
	case r.scheme == OwnerFirst && r.owns(i):
		return t * 4 / 10, t / 2
	case above <= 2:
		return t / 2, t * 3 / 4
	}
	return t * 3 / 4, t
}

// owns reports whether the i-th link leads to an identifier that this receiver
// owns or has adopted.
func (r *Receiver) owns(i int) bool {
	return i > r.watched()
}

// refresh refreshes the i-th link. The subtree is told when the node has
// acknowledged it, not before: else a lost refresh would be suppressed
// everywhere.
func (r *Receiver) refresh(now machine.Time, i int, out *machine.Outbox) {
	r.count.Refreshes++
	if f := r.events.Refreshed; f != nil {
		f(now, i)
	}
	secret := i3.Nonce{}
	if i == len(r.chain)-1 {
		secret = r.secret
	} else if a := r.adoptionAt(i); a != nil {
		secret = a.secret
	} else if r.doubts && i == len(r.chain)-2 {
		secret = r.reviver() // for the case that the link is no more
	}
	r.host.Insert(now, r.link(i), secret, out)
	lo, hi := r.interval(i)
	r.links[i].due = now.Add(r.uniform(lo, hi))
}

// linkAcked announces a refreshed link to the subtree below it. A link that is
// refused for good means that this branch is lost: the receiver searches anew.
func (r *Receiver) linkAcked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	i := r.linkIndex(a.Trigger)
	if i == 0 {
		return
	}
	if !a.Status.Alive() {
		r.rejoin(now, out)
		return
	}
	var flags uint8
	if i == len(r.chain)-1 {
		flags = FlagOwner
		r.parentHas(a.Count)
	} else if adopted := r.adoptionAt(i); adopted != nil {
		r.claim(now, adopted, out)
	} else if a.Status == i3.StatusInserted && r.revived(now, i, out) {
		return
	}
	r.announce(now, i, flags, out)
}

// announce tells the subtree below the i-th link that it was refreshed, and the
// highest number of a stream.
func (r *Receiver) announce(now machine.Time, i int, flags uint8, out *machine.Outbox) {
	r.inAside(r.nextAside(), func() {
		b := r.message(now, TypeRefreshAck, flags, r.Level(), r.stream.high, out)
		r.toID(r.chain[i], r.chain[i].AppendTo(b), out)
	})
}

// linkIndex returns which link of the chain a trigger is, or 0.
func (r *Receiver) linkIndex(t i3.Trigger) int {
	id, ok := t.Target.ID()
	if !ok {
		return 0
	}
	i := max(0, slices.Index(r.chain, id))
	if i > 0 && r.chain[i-1] == t.ID {
		return i
	}
	return 0
}

// refreshAck puts off the own refresh of a link that somebody refreshed. It
// also carries the highest sequence number, so that a loss at the end is noticed.
func (r *Receiver) refreshAck(now machine.Time, m Message, body []byte, out *machine.Outbox) {
	r.count.RefreshAcks++
	id := i3.IDFrom([i3.IDSize]byte(body))
	i := slices.Index(r.chain, id)
	if i <= 0 {
		r.count.DropUnexpected++
		return
	}
	if m.Flags&FlagOwner != 0 {
		r.ownerFound(now, id, 0, out)
	}
	if r.scheme != OwnerFirst || !r.owns(i) {
		r.putOff(r.said(now, m), i)
	}
	if r.inStream(m) {
		r.arrived(now, m.Seq, out)
	}
}

// housekeeping runs about once per heartbeat: it notices a silent tree, moves
// the repair group's trigger when the loss rate has changed, and notices an
// owner that is gone.
func (r *Receiver) housekeeping(now machine.Time, out *machine.Outbox) {
	if r.state != attached {
		return
	}
	if r.gauge() != nil && r.judge(now, out) {
		return
	}
	r.timers.Set(&r.house, keyHouse, now.Add(r.cfg.HeartbeatMax))
	if r.unheard {
		r.unheard, r.doubts = false, true
		r.reinsert(now, max(1, len(r.links)-2), firstWord)
	}
	if now.Sub(r.heard) > silentBeats*r.cfg.HeartbeatMax {
		r.silent(now, out)
		if r.state != attached {
			return
		}
	}
	if s := r.groupSuffix(); s != r.suffix {
		r.moveGroup(now, s, out)
	}
	r.watchOwner(now)
	r.closeAsides(now, false)
	r.lookAtRoot(out)
}

// Silence in heartbeats: how many may be missing before the chain is
// re-inserted, and how many such times there may be before the receiver
// searches for another parent.
const (
	silentBeats = 3
	maxSilences = 6
)

// firstWord is how long after its attachment a receiver waits for a first packet
// before it re-inserts its own link and its parent's, which may have gone while it
// came. Those above have many others to look after them, all of whom would hear
// of a refresh, at every join: in a group of 4,096 that were three events of four.
const firstWord = machine.Second / 4

// reinsert brings the refresh of every link from the first-th on forward to within
// d.
func (r *Receiver) reinsert(now machine.Time, first int, d machine.Duration) {
	for i := first; i < len(r.links); i++ {
		at := now.Add(r.uniform(1, d))
		r.links[i].due = min(r.links[i].due, at)
	}
	r.armRefresh()
}

// silent re-inserts the chain, each link after a random delay, so that the
// acknowledgement of the first suppresses the others', and the receiver's own
// triggers, which nobody else can. A node that lost its memory is served within a
// few heartbeats instead of after T.
func (r *Receiver) silent(now machine.Time, out *machine.Outbox) {
	r.count.Silences++
	r.silences++
	r.heard = now
	if r.silences > maxSilences {
		r.rejoin(now, out)
		return
	}
	r.reinsert(now, 1, machine.Second/2)
	for _, id := range append(r.memberships(), r.own()) {
		if !r.moving || id != r.above.set(!r.full) {
			r.host.Maintain(now, r.host.Own(id), out)
		}
	}
}
