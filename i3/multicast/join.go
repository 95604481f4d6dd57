package multicast

import (
	"encoding/binary"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// joining is a receiver's search for a parent and its attachment. It is there
// from the beginning of a search to its end: it may be larger than all the rest of
// a receiver.
type joining struct {
	search search
	asked  []asking // one for each identifier of the frontier
	first  machine.Duration
	began  machine.Time // when this frontier was asked
	again  bool         // it was asked a second time
	second machine.Time // when, if it was
	choice int          // the candidate being joined at
	orphan []byte       // the parent's farewell, if it came before the link's acknowledgement
	timer  machine.Timer
}

// An asking is what is known of one frontier identifier's children.
type asking struct {
	sets    [2]i3.ID // joinable and full children
	sizes   [2]int   // how many there are, -1 if not known yet
	got     int      // replies so far
	drawn   bool     // of the full children one is asked, drawn by chance: see draws
	lot     int      // replies of such
	further [2]uint8 // how often a host was asked about its next identifier, by set
}

// Times of a search.
const (
	// replyWait is the longest wait for the children of one identifier, and the
	// wait before the first of them has replied.
	replyWait = machine.Second
	// replyGrace is added to twice the time of the first reply: who has not
	// replied by then is too far to be a good parent.
	replyGrace = 50 * machine.Millisecond
	// maxRounds is how often a search is begun anew before it fails.
	maxRounds = 6
	// maxHop is the longest hop from a candidate to the host: nobody waits longer
	// for an answer. What seems to be longer, or negative, is a clock's error.
	maxHop = 2 * replyWait
)

// A query's number has the search's step in front, and in its last byte which
// identifier of the frontier it is about, whether it is asked a second time, and
// whether it is to one child that was drawn.
const (
	numberBits  = 8
	secondQuery = 1 << (numberBits - 1)
	drawnQuery  = secondQuery >> 1
)

// Join starts looking for a parent. It does nothing unless the receiver is idle.
func (r *Receiver) Join(now machine.Time, out *machine.Outbox) {
	if r.state != idle {
		return
	}
	r.rounds = 0
	if r.cfg.Group.IsZero() {
		r.knock(now, out)
		return
	}
	if g := r.gauge(); g != nil {
		g.trial = trial{}
	}
	r.beginSearch(now, out)
}

func (r *Receiver) beginSearch(now machine.Time, out *machine.Outbox) {
	r.state = searching
	r.count.Searches++
	r.rounds++
	if r.join == nil {
		r.join = new(joining)
	}
	r.join.search = newSearch(r.cfg.Search, r.cfg.root)
	r.passRoot()
	r.ask(now, out)
}

// ask sends, for every identifier of the frontier, one datagram to its node: how
// many children there are of either kind, and a query to them all. Knowing
// their number, the search goes on as soon as the last has replied.
func (r *Receiver) ask(now machine.Time, out *machine.Outbox) {
	j := r.join
	r.step++
	j.again, j.first, j.began = false, 0, now
	j.asked = j.asked[:0]
	for _, c := range j.search.frontier {
		id := j.search.seen[c].id
		j.asked = append(j.asked, asking{sets: [2]i3.ID{JoinSet(id), FullSet(id)}, sizes: [2]int{-1, -1}})
	}
	r.sendQueries(now, out)
	r.awaitReplies(now)
}

// awaitReplies gives those who were asked at a time as long as they may need.
func (r *Receiver) awaitReplies(asked machine.Time) {
	wait := replyWait
	if r.join.first > 0 {
		wait = min(replyWait, 2*r.join.first+replyGrace)
	}
	r.timers.Set(&r.join.timer, keySearch, asked.Add(wait))
}

// firstAnswer learns from the first answer to what was asked at a time how long others may need.
func (r *Receiver) firstAnswer(now, asked machine.Time) {
	if r.join.first == 0 {
		r.join.first = now.Sub(asked)
		r.awaitReplies(r.join.sent())
	}
}

// sendQueries asks those frontier identifiers whose answers are incomplete.
func (r *Receiver) sendQueries(now machine.Time, out *machine.Outbox) {
	j := r.join
	number := uint64(r.step) << numberBits
	if j.again {
		number |= secondQuery
	}
	for f := range j.asked {
		a := &j.asked[f]
		if a.complete() {
			continue
		}
		a.got, a.lot, a.further = 0, 0, [2]uint8{}
		if r.cfg.Agents && r.atRoot(f) {
			r.askRoot(now, a, number|uint64(f), out)
			continue
		}
		if r.draws(f) {
			r.askOne(now, f, number, out)
			continue
		}
		r.host.Probe(a.sets[:], out)
		for _, set := range a.sets {
			b := r.message(now, TypeQuery, 0, 0, number|uint64(f), out)
			r.toID(set, appendQuery(b, r.host.Self(), r.cfg.Search.Metric), out)
			r.count.QueriesSent++
		}
	}
}

// askedAt returns when the query was sent that a reply is for.
func (j *joining) askedAt(reply Message) machine.Time {
	if reply.Seq&secondQuery != 0 {
		return j.second
	}
	return j.began
}

// sent returns when the frontier was asked last.
func (j *joining) sent() machine.Time {
	if j.again {
		return j.second
	}
	return j.began
}

// atRoot reports whether the frontier's f-th identifier is the one above the group's,
// whose only child is the source. A search from a level has none that is.
func (r *Receiver) atRoot(f int) bool { return r.join.search.asks(f) == r.cfg.root }

// setClock estimates the source's clock from its answer, which takes half the time
// since it was asked: the query was multicast from its own node.
func (r *Receiver) setClock(now machine.Time, m Message, rep Reply) {
	oneWay := int64(now.Sub(r.join.askedAt(m)) / 2)
	r.clock = m.Time + rep.SourceClock + oneWay - r.local(now)
}

// askFurther asks a host that answers for several identifiers about its next one,
// and waits for that as for the first: it is another round trip. A query gets one
// answer, so that nobody can make a host send more than it was sent.
func (r *Receiver) askFurther(now machine.Time, a *asking, m Message, from netip.AddrPort, out *machine.Outbox) {
	which := 0
	if m.Flags&FlagFull != 0 {
		which = 1
	}
	if a.further[which] == MaxRelays-1 {
		a.got++ // no source has so many
		return
	}
	a.further[which]++
	r.awaitReplies(now)
	b := r.message(now, TypeQuery, 0, int(a.further[which]), m.Seq, out)
	r.toHost(from, a.sets[which], appendQuery(b, r.host.Self(), r.cfg.Search.Metric), out)
	r.count.QueriesSent++
}

// complete reports whether all children of an identifier have replied.
func (a *asking) complete() bool {
	if a.drawn { // those with room are enough
		return a.sizes[0] >= 0 && a.sizes[1] >= 0 && a.got >= a.sizes[0] && (a.sizes[0] > 0 || a.lot >= a.sizes[1])
	}
	return a.sizes[0] >= 0 && a.sizes[1] >= 0 && a.got >= a.sizes[0]+a.sizes[1]
}

// probed notes the size of a set.
func (r *Receiver) probed(now machine.Time, a i3.Ack, out *machine.Outbox) {
	if !r.seeking() {
		return
	}
	for f := range r.join.asked {
		if r.draws(f) && a.Trigger.ID == r.join.search.asks(f) {
			r.roomCounted(now, f, a, out)
			return
		}
		for s, set := range r.join.asked[f].sets {
			if set == a.Trigger.ID {
				r.join.asked[f].sizes[s] = int(a.Count) - r.itself(set)
			}
		}
	}
	r.advance(now, out)
}

// replied notes a child's distance: Equation 3 without the skew between the
// source and this host, which is the same for all candidates.
func (r *Receiver) replied(now machine.Time, from netip.AddrPort, m Message, body []byte, out *machine.Outbox) {
	rep, metric, value, err := readReply(m.Type, body)
	if err != nil {
		r.count.DropMalformed++
		return
	}
	f := int(m.Seq & (drawnQuery - 1))
	if !r.seeking() || metric != r.cfg.Search.Metric || m.Seq>>numberBits != uint64(r.step) ||
		f >= len(r.join.asked) {
		r.count.DropUnexpected++ // an answer to an earlier question
		return
	}
	if r.atRoot(f) {
		r.setClock(now, m, rep)
		if g := r.guard(); g != nil && rep.ID == r.cfg.Group && rep.SourceDistance == 0 && rep.SourceClock == 0 {
			g.last.hear(m) // it is no agent, and answers a number that nobody could know before
		}
	}
	r.firstAnswer(now, r.join.askedAt(m))
	a := &r.join.asked[f]
	if m.Flags&FlagMore != 0 {
		r.askFurther(now, a, m, from, out)
	} else if m.Seq&drawnQuery != 0 {
		a.lot++
	} else {
		a.got++
	}
	c := candidate{
		id:       rep.ID,
		host:     from,
		distance: r.local(now) - m.Time + rep.SourceDistance,
		hop:      hopTime(r.local(now) + r.clock - m.Time - rep.SourceClock),
		blur:     int64(r.uniform(0, r.cfg.Search.Blur)),
		full:     m.Flags&FlagFull != 0,
		value:    value,
		cost:     metric.cost(value),
	}
	if r.found(f, &c) {
		r.join.search.add(f, c)
	}
	r.soonEnough(now)
	r.advance(now, out)
}

// hopTime is a hop between two clocks, as measured, within what is possible.
func hopTime(measured int64) int64 { return min(max(0, measured), int64(maxHop)) }

// advance goes on once every child of the frontier has replied.
func (r *Receiver) advance(now machine.Time, out *machine.Outbox) {
	for f := range r.join.asked {
		if !r.join.asked[f].complete() {
			return
		}
	}
	r.decide(now, out)
}

// searchTimeout asks once more whoever did not reply, then goes on without.
// While attaching it means that a round of the search has to begin anew.
func (r *Receiver) searchTimeout(now machine.Time, out *machine.Outbox) {
	switch {
	case r.state == idle && r.rounds > 0:
		r.beginSearch(now, out)
	case r.state == measuring:
		r.trainEnds(now, out)
	case !r.seeking():
	case r.foundRoom():
		r.decide(now, out)
	case !r.join.again:
		r.join.again, r.join.second = true, now
		r.sendQueries(now, out)
		r.awaitReplies(now)
	default:
		r.decide(now, out)
	}
}

// decide descends or attaches.
func (r *Receiver) decide(now machine.Time, out *machine.Outbox) {
	r.timers.Stop(&r.join.timer)
	if r.state == attached {
		r.looked(now, out)
		return
	}
	if r.join.search.next() {
		r.ask(now, out)
		return
	}
	if !r.startTrains(now, out) {
		r.attach(now, out)
	}
}

// attach joins at the best candidate that has not refused: it draws an
// identifier near itself whose key the parent's constrains, and inserts its own
// trigger first, so that the link never leads nowhere.
func (r *Receiver) attach(now machine.Time, out *machine.Outbox) {
	best := r.join.search.best()
	if best < 0 {
		if r.join.search.resume() {
			r.state = searching
			r.ask(now, out)
			return
		}
		r.searchFailed(now, out)
		return
	}
	r.state = attaching
	r.join.choice = best
	chain := r.join.search.chain(best)
	prefix := r.near.At(r.rng.Uint64())
	own := i3.NewID(prefix, i3.RightKey(chain[len(chain)-1]), r.rng.Uint64()).Private()
	r.setChain(append(chain, own))
	r.join.orphan = r.join.orphan[:0]
	binary.BigEndian.PutUint64(r.secret[0:], r.rng.Uint64())
	binary.BigEndian.PutUint64(r.secret[8:], r.rng.Uint64())
	r.host.Maintain(now, r.ownTrigger(), out)
}

// searchFailed waits and begins anew, or gives up.
func (r *Receiver) searchFailed(now machine.Time, out *machine.Outbox) {
	r.state = idle
	r.forgive()
	if r.cfg.Search.Draw && r.rounds == 1 {
		r.beginSearch(now, out) // it was by chance that the one who was asked could not answer
		return
	}
	if r.rounds < maxRounds {
		d := machine.Duration(r.rounds) * 200 * machine.Millisecond
		r.timers.Set(&r.join.timer, keySearch, now.Add(r.uniform(d, 2*d)))
		return
	}
	r.rounds, r.join = 0, nil
	r.leaveGroup()
	r.endStream(now)
	r.closeAsides(now, true)
	if f := r.events.Failed; f != nil {
		f(now)
	}
}

// attachAcked handles the answers for the triggers of an attachment.
func (r *Receiver) attachAcked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	last := len(r.chain) - 1
	own, link := r.isOwn(a.Trigger), a.Trigger == r.link(last)
	switch {
	case own && a.Status.Alive():
		r.insertLink(now, out)
	case link && a.Status.Alive() && a.Count == 1:
		// The link is all there is at the parent's identifier: its owner left while
		// this receiver was on its way, and its own link goes or has gone.
		r.host.Remove(now, r.link(last), r.secret, out)
		r.refused(now, out)
	case link && a.Status.Alive():
		r.attachDone(now, a, out)
	case own, link:
		r.refused(now, out)
	}
}

// insertLink asks the parent's node for the link and, in the same datagram, for
// membership of the set of joinable children and of the repair group. Membership
// takes a challenge, so the answer for the link comes first.
func (r *Receiver) insertLink(now machine.Time, out *machine.Outbox) {
	r.full = false
	r.suffix = r.firstSuffix()
	r.host.Insert(now, r.link(len(r.chain)-1), r.secret, out)
	r.host.Maintain(now, r.host.Own(r.above.set(false)), out)
	r.host.Maintain(now, r.host.Own(r.above.group(r.suffix)), out)
}

// refused tries the next best candidate after one that had no room or did not
// answer.
func (r *Receiver) refused(now machine.Time, out *machine.Outbox) {
	r.count.Refused++
	r.host.Remove(now, r.ownTrigger(), i3.Nonce{}, out)
	for _, id := range []i3.ID{r.above.set(false), r.above.group(r.suffix)} {
		if t := r.host.Own(id); r.host.Maintains(t) {
			r.host.Remove(now, t, i3.Nonce{}, out)
		} else {
			r.host.Forget(t) // the challenge is not answered yet
		}
	}
	r.join.search.refuse(r.join.choice)
	r.attach(now, out)
}

// attachDone makes the receiver part of the tree and starts to refresh its chain.
// Its distance is, until packets tell better, the one it chose its parent by.
func (r *Receiver) attachDone(now machine.Time, a i3.Ack, out *machine.Outbox) {
	c := r.join.search.seen[r.join.choice]
	r.state, r.heard, r.full = attached, now, false
	r.distance, r.parentHost = c.distance, c.host
	r.distances.reset()
	r.count.Attaches++
	r.onTrial(&c)
	r.startRefresh(now)
	r.unheard, r.doubts = true, false
	r.timers.Set(&r.house, keyHouse, now.Add(min(firstWord, r.cfg.HeartbeatMax)))
	if a.Count >= a.Limit {
		r.hint(now, out)
	}
	r.represent(now, out)
	if len(r.join.orphan) > 0 {
		r.ownerLeaves(now, r.join.orphan)
	}
	r.join = nil // its timer was stopped when the search was decided
	r.startProbes(now, a, c)
	if f := r.events.Attached; f != nil {
		f(now, r.Level())
	}
}

// hint tells the host that replied for the parent that its identifier has
// become full, or free again, so that it moves to the other set at once instead
// of with its next refresh.
func (r *Receiver) hint(now machine.Time, out *machine.Outbox) {
	r.hintTo(now, r.parentHost, r.parent(), out)
}

// hintTo tells a host that the number of triggers of an identifier it looks after has changed.
func (r *Receiver) hintTo(now machine.Time, to netip.AddrPort, id i3.ID, out *machine.Outbox) {
	b := r.message(now, TypeHint, 0, r.Level(), 0, out)
	r.toHost(to, id, id.AppendTo(b), out)
}
