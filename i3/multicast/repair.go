package multicast

import (
	"math/bits"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// Limits of repair.
const (
	// laterPackets end the wait for a packet that may only be late.
	laterPackets = 3
	// maxTries is how often one packet is asked for before it is given up.
	maxTries = 30
	// siblingTries and climbTries are how many requests of the default policy go
	// to the own repair group, and how many to it and the next one up, before the
	// source is asked.
	siblingTries, climbTries = 2, 4
	// retryFirst is the wait for a repair before any was measured; retryFloor
	// bounds it from below later.
	retryFirst, retryFloor = 300 * machine.Millisecond, 30 * machine.Millisecond
	retryCeil              = 3 * machine.Second
)

// down notes a packet that came down the tree: that the tree lives, and how far
// the source is. The smallest of the last distances has waited least in queues.
// It returns false for a packet of a source that is no more.
func (r *Receiver) down(now machine.Time, m Message, seq uint64) bool {
	switch {
	case !r.joined:
	case m.Epoch < r.epoch:
		r.count.DropUnexpected++
		return false
	case m.Epoch > r.epoch:
		r.succeed(now, m)
		if seq <= maxJump {
			seq = 0 // the receiver was there before the first
		}
	case seq > r.stream.high+maxJump:
		r.endStream(now)
	}
	r.heard, r.silences, r.unheard, r.doubts = now, 0, false, false
	if r.current == 0 {
		r.distance = r.distances.add(r.local(now) - m.Time)
	}
	if !r.joined {
		r.begin(now, m.Epoch, seq)
	}
	return true
}

// endStream gives up what is missing: nobody can be asked for it any more. The
// next packet that comes down the tree begins the stream anew.
func (r *Receiver) endStream(now machine.Time) {
	r.joined = false
	for len(r.stream.losses) > 0 {
		seq := r.stream.fill(0).seq
		r.abandon(now, seq, seq)
	}
}

// data takes a packet from the tree.
func (r *Receiver) data(now machine.Time, m Message, body []byte, out *machine.Outbox) {
	if r.old(now, m, body, out) || !r.down(now, m, m.Seq-1) {
		return
	}
	r.lossRate.received()
	if g := r.gauge(); g != nil && r.current == 0 {
		g.data(now, m, len(body)+r.tagSize())
	}
	if r.take(now, m.Seq, body, false, out) {
		r.deliver(now, m.Seq, m.Time, body)
	}
}

// inStream reports whether a message that did not come down the tree speaks of
// packets of the stream that the receiver follows.
func (r *Receiver) inStream(m Message) bool {
	return r.joined && m.Epoch == r.epoch && m.Seq <= r.stream.high+maxJump
}

// repaired takes a repair.
func (r *Receiver) repaired(now machine.Time, m Message, body []byte, direct bool, out *machine.Outbox) {
	if !r.inStream(m) {
		r.count.DropUnexpected++
		return
	}
	if direct && m.Time != 0 {
		r.measure(machine.Duration(r.local(now) - m.Time))
	}
	if r.take(now, m.Seq, body, true, out) {
		r.count.Repaired++
		r.deliver(now, m.Seq, 0, body)
	}
}

// take keeps a packet and reports whether it is new. It notices the packets
// missing before it.
func (r *Receiver) take(now machine.Time, seq uint64, body []byte, repair bool, out *machine.Outbox) bool {
	r.dropPending(seq)
	if seq > r.stream.high {
		r.arrived(now, seq-1, out)
		r.stream.high = seq
		r.stream.cache.put(seq, body, r.cfg.Cache)
		r.later(now)
		return true
	}
	i, missing := r.stream.find(seq)
	if !missing {
		if r.stream.cache.get(seq) != nil {
			r.count.Duplicates++
		}
		return false
	}
	l := r.stream.fill(i)
	r.stream.cache.put(seq, body, r.cfg.Cache)
	if !repair {
		r.count.Reordered++
		r.lossRate.late()
		return true
	}
	if f := r.told().Repaired; f != nil {
		f(now, seq, now.Sub(l.found))
	}
	return true
}

func (r *Receiver) deliver(now machine.Time, seq uint64, sent int64, body []byte) {
	r.count.Delivered++
	if f := r.told().Deliver; f != nil {
		f(now, seq, sent, body)
	}
}

// arrived notes that packets up to seq exist; those above the highest one known
// are missing.
func (r *Receiver) arrived(now machine.Time, seq uint64, _ *machine.Outbox) {
	if !r.joined {
		return
	}
	if seq > r.stream.high+maxLosses { // a jump nobody can fill
		r.abandon(now, r.stream.high+1, seq-maxLosses)
		r.stream.high = seq - maxLosses
	}
	for r.stream.high < seq {
		r.stream.high++
		r.lossRate.lost()
		if len(r.stream.losses) == maxLosses {
			old := r.stream.fill(0)
			r.abandon(now, old.seq, old.seq)
		}
		wait := r.cfg.Repair.Reorder + r.uniform(0, r.cfg.Repair.Wait)
		r.stream.losses = append(r.stream.losses, loss{seq: r.stream.high, found: now, wait: wait})
		l := &r.stream.losses[len(r.stream.losses)-1]
		r.timers.Set(&l.timer, r.of(keyLoss, l.seq), now.Add(wait))
	}
}

// abandon reports packets that will never come.
func (r *Receiver) abandon(now machine.Time, from, to uint64) {
	for seq := from; seq <= to; seq++ {
		r.count.Abandoned++
		if f := r.told().Lost; f != nil {
			f(now, seq)
		}
	}
}

// later counts a new packet against the gaps before it: after the third a gap is
// a loss, not reordering (as RFC 8985 has it for TCP).
func (r *Receiver) later(now machine.Time) {
	for i := range r.stream.losses {
		l := &r.stream.losses[i]
		if l.later++; l.later == laterPackets && l.tries == 0 {
			at := l.found.Add(l.wait - r.cfg.Repair.Reorder)
			r.timers.Set(&l.timer, r.of(keyLoss, l.seq), max(now, at))
		}
	}
}

// request asks for the i-th missing packet (Figure 10: on packet loss).
func (r *Receiver) request(now machine.Time, i int, out *machine.Outbox) {
	l := &r.stream.losses[i]
	if r.state != attached { // it asks again from its next place
		r.timers.Set(&l.timer, r.of(keyLoss, l.seq), now.Add(retryFirst))
		return
	}
	if l.tries == maxTries {
		seq := r.stream.fill(i).seq
		r.abandon(now, seq, seq)
		return
	}
	group, suffix := r.whomToAsk(l.seq, int(l.tries))
	l.tries++
	r.count.Requests++
	r.sendRequest(now, l.seq, 0, RepairGroup(group, suffix), Request{Group: group, Requester: r.host.Self()}, out)
	r.timers.Set(&l.timer, r.of(keyLoss, l.seq), now.Add(r.retryAfter(int(l.tries))))
}

// whomToAsk returns the group and the suffix of the n-th request for a packet.
// The literal policy asks the same again; the default asks another sibling, then
// the parent's siblings, then the source.
func (r *Receiver) whomToAsk(seq uint64, n int) (group i3.ID, suffix uint64) {
	suffix = r.memberFor(seq)
	level := len(r.chain) - 2
	switch {
	case r.cfg.Repair.Literal || n == 0:
	case n < siblingTries:
		suffix = ^suffix
	case n < climbTries:
		level--
		if n%2 == 1 {
			suffix = ^suffix
		}
	default:
		level = -1
	}
	return r.groupAt(level), suffix
}

// groupAt returns the identifier of the chain at a level, and the source's own above it.
func (r *Receiver) groupAt(level int) i3.ID {
	if level < 0 {
		return r.cfg.sourceRoot(numberOf(r.epoch))
	}
	return r.chain[level]
}

// memberFor returns the suffix that selects the member of a repair group to ask
// for a packet. The smallest suffix is closest to zero, so with LowestLoss that
// is exactly the member with the lowest loss class.
func (r *Receiver) memberFor(seq uint64) uint64 {
	if r.cfg.Repair.Scheme == LowestLoss {
		return 0
	}
	return spread(seq)
}

func (r *Receiver) sendRequest(now machine.Time, seq uint64, flags uint8, to i3.ID, q Request, out *machine.Outbox) {
	b := r.message(now, TypeRequest, flags, r.Level(), seq, out)
	r.toID(to, q.AppendTo(b), out)
}

// retryAfter returns how long to wait for the answer to the n-th request.
func (r *Receiver) retryAfter(n int) machine.Duration {
	if r.cfg.Repair.Retry > 0 {
		return r.cfg.Repair.Retry
	}
	d := retryFirst
	if e := r.rare; e != nil && e.rtt > 0 {
		d = max(e.rtt+4*e.rttVar, retryFloor)
	}
	for ; n > 1 && d < retryCeil; n-- {
		d += d / 2
	}
	return min(d, retryCeil)
}

// measure smooths the time from request to repair and its deviation (RFC 6298).
func (r *Receiver) measure(d machine.Duration) {
	e := r.more()
	if e.rtt == 0 {
		e.rtt, e.rttVar = d, d/2
		return
	}
	dev := e.rtt - d
	if dev < 0 {
		dev = -dev
	}
	e.rttVar += (dev - e.rttVar) / 4
	e.rtt += (d - e.rtt) / 8
}

// gone gives up a packet that even the source no longer has.
func (r *Receiver) gone(now machine.Time, m Message) {
	if !r.inStream(m) {
		r.count.DropUnexpected++
		return
	}
	r.dropPending(m.Seq)
	if i, ok := r.stream.find(m.Seq); ok {
		r.stream.fill(i)
		r.abandon(now, m.Seq, m.Seq)
	}
}

// A lossRate is a receiver's loss rate over about the last hundred packets.
type lossRate struct {
	packets, losses uint32
	class           uint8
	known           bool // a window has passed
}

func (l *lossRate) received() { l.packets++ }

func (l *lossRate) lost() {
	l.losses++
	l.packets++
}

// late takes back a loss that was none.
func (l *lossRate) late() {
	if l.losses > 0 {
		l.losses--
		l.packets--
	}
}

// lossWindow is the number of packets after which the counts are halved, and
// the class drawn anew.
const lossWindow = 64

// classUnknown is the class of a receiver that has not seen a window of packets:
// the worst, so that nobody asks a newcomer, who has little to give, before those
// whose losses are known.
const classUnknown = 9

// classShift is where the class stands in the suffix of a repair group's trigger.
const classShift = 56

// update returns the class of the loss rate: the number of binary digits of the
// rate in 1/256. Rates within a factor of two are one class, so that a receiver
// does not move with every packet.
func (l *lossRate) update() uint8 {
	if l.packets >= lossWindow {
		l.class, l.known = uint8(bits.Len32(l.losses*256/l.packets)), true
		l.packets /= 2
		l.losses /= 2
	}
	if !l.known {
		return classUnknown
	}
	return l.class
}

// groupSuffix returns the suffix of the receiver's trigger in its repair group:
// its loss class, or with Spread nothing but chance, and chance below.
func (r *Receiver) groupSuffix() uint64 {
	class := r.lossRate.update()
	if r.cfg.Repair.Scheme == Spread {
		return r.suffix
	}
	return uint64(class)<<classShift | r.suffix&(1<<classShift-1)
}

// firstSuffix returns the suffix of a receiver that is new in its place, whose
// random part it then keeps.
func (r *Receiver) firstSuffix() uint64 {
	r.suffix = spread(r.id.Prefix() ^ r.id.Suffix())
	if r.cfg.Repair.Scheme == LowestLoss {
		r.suffix >>= 64 - classShift
	}
	return r.groupSuffix()
}

// moveGroup re-inserts the trigger in the repair group under another suffix.
func (r *Receiver) moveGroup(now machine.Time, suffix uint64, out *machine.Outbox) {
	r.host.Maintain(now, r.host.Own(r.above.group(suffix)), out)
	r.host.Remove(now, r.host.Own(r.above.group(r.suffix)), i3.Nonce{}, out)
	for _, a := range r.adopted() {
		g := r.chain[a.level-1]
		r.host.Maintain(now, r.host.Own(RepairGroup(g, suffix)), out)
		r.host.Remove(now, r.host.Own(RepairGroup(g, r.suffix)), i3.Nonce{}, out)
	}
	r.suffix = suffix
}
