package multicast

import (
	"i3bench/i3"
	"i3bench/i3/machine"
)

// An epoch tells a group's streams apart: its first byte is the number of the
// source, 0 for that at the root, and the rest is the incarnation.
const numberShift = 24

// numberOf returns which source's an epoch is.
func numberOf(epoch uint32) uint8 { return uint8(epoch >> numberShift) }

// MaxSources bounds [Config.MaxSources]: a timer's key has four bits for a stream.
const MaxSources = 8

// streams is what a receiver knows of streams beside the first.
type streams struct {
	asides []aside
	events *Events // of the stream that is current, if the application has given it its own
	turn   uint8   // whose highest number the next refresh-ack tells
	tell   machine.Timer
	told   uint64 // the highest number of the last stream that its successor knows
}

// An aside is a stream beside the first: another source's, or the last one's of a
// source at the root whose successor has been heard, for as long as packets of it
// may be repaired.
type aside struct {
	stream stream
	events *Events
	heard  machine.Time // when a packet of it came down the tree, or it ended
	epoch  uint32
	used   bool
	joined bool
	ended  bool
	clock  clock // of its source, in a group with a key
}

// of returns the key of a timer of a packet of the current stream.
func (r *Receiver) of(kind, seq uint64) uint64 { return uint64(r.current)<<keyStream | kind | seq }

// told returns whom to tell of the current stream's packets.
func (r *Receiver) told() *Events {
	if r.events.Follow != nil && r.rare != nil && r.rare.events != nil {
		return r.rare.events
	}
	return r.events
}

// swap makes an aside's stream the current one, or the first one again. All that
// is done with a stream is done with the current one, so it has to know of no other.
func (r *Receiver) swap(i int) {
	a := &r.rare.asides[i]
	r.stream, a.stream = a.stream, r.stream
	r.epoch, a.epoch = a.epoch, r.epoch
	r.joined, a.joined = a.joined, r.joined
	r.rare.events, a.events = a.events, r.rare.events
	r.current ^= uint8(i + 1)
}

// inAside calls f with an aside's stream as the current one, with the first if the
// index is -1, and not at all if the aside is no more.
func (r *Receiver) inAside(i int, f func()) {
	switch {
	case i < 0:
		f()
	case r.rare != nil && i < len(r.rare.asides):
		r.swap(i)
		f()
		r.swap(i)
	}
}

// within calls f with the stream that a message belongs to as the current one, unless
// the message is to be dropped.
func (r *Receiver) within(now machine.Time, m Message, f func()) {
	if m.Epoch == r.epoch {
		f()
	} else if i, ok := r.whose(now, m); ok {
		r.inAside(i, f)
	}
}

// whose returns the index of the aside to whose stream a message belongs, or -1
// for the first stream and what belongs to none. It is not ok if the message is to be
// dropped: it is another source's, and there are as many as the receiver follows.
func (r *Receiver) whose(now machine.Time, m Message) (i int, ok bool) {
	number := numberOf(m.Epoch)
	if r.rare != nil {
		for i := range r.rare.asides {
			a := &r.rare.asides[i]
			switch {
			case !a.used:
			case a.epoch == m.Epoch, isTree(m.Type) && !a.ended && numberOf(a.epoch) == number:
				if !a.ended && isTree(m.Type) {
					a.heard = now
				}
				return i, true
			}
		}
	}
	if number == 0 || !isTree(m.Type) {
		return -1, true
	}
	if i = r.room(now); i < 0 {
		r.count.DropSource++
		return 0, false
	}
	r.rare.asides[i] = aside{epoch: m.Epoch, used: true, heard: now}
	return i, true
}

// room returns a place for another source's stream, or -1. At the bound that goes
// which nobody has sent on for a trigger's lifetime, if nothing of it is missing.
func (r *Receiver) room(now machine.Time) int {
	others, silent := 0, -1
	for i, asides := 0, r.more().asides; i < len(asides); i++ {
		a := &asides[i]
		if !a.used || a.ended {
			continue
		}
		others++
		if len(a.stream.losses) == 0 && now.Sub(a.heard) > r.cfg.Host.Lifetime {
			silent = i
		}
	}
	if others >= r.cfg.MaxSources-1 {
		return silent
	}
	return r.free()
}

// free returns the index of an aside that is not used.
func (r *Receiver) free() int {
	x := r.more()
	for i := range x.asides {
		if !x.asides[i].used {
			return i
		}
	}
	x.asides = append(x.asides, aside{})
	return len(x.asides) - 1
}

// begin begins the current stream: packets above seq are owed. The application may
// give it events of its own.
func (r *Receiver) begin(now machine.Time, epoch uint32, seq uint64) {
	if epoch != r.epoch {
		r.stream.cache.clear()
	}
	r.joined, r.epoch, r.stream.high = true, epoch, seq
	if f := r.events.Follow; f != nil {
		r.more().events = f(now, epoch)
	}
	if f := r.told().Joined; f != nil {
		f(now, seq)
	}
}

// succeed ends the stream of an incarnation whose successor is heard. If the
// application tells streams apart, that of the root is put aside, so that members can
// still repair it for each other; else what is missing is given up. The successor at
// the root has another clock: it is taken to be as far as the last one, an error that
// all receivers make alike.
func (r *Receiver) succeed(now machine.Time, m Message) {
	if r.events.Follow == nil || r.current > 0 {
		r.endStream(now)
	} else {
		r.putAside(now)
	}
	if r.current == 0 {
		r.clock -= r.local(now) - m.Time - r.distance
		r.distances.reset()
		r.restart()
	}
}

// putAside makes the first stream an aside that has ended, in place of one that was
// there already, of which what is missing is given up.
func (r *Receiver) putAside(now machine.Time) {
	for i, asides := 0, r.more().asides; i < len(asides); i++ {
		if asides[i].used && asides[i].ended {
			r.closeAside(now, i)
		}
	}
	i := r.free()
	x := r.rare
	x.asides[i] = aside{
		stream: r.stream, events: x.events, heard: now, epoch: r.epoch, joined: true, used: true, ended: true,
	}
	a := &x.asides[i]
	if g := r.guard(); g != nil {
		a.clock = g.last // the successor's: of this stream nothing is new any more
	}
	for k := range a.stream.losses { // their timers have the other stream's keys
		l := &a.stream.losses[k]
		at := l.timer.Due()
		l.timer = machine.Timer{}
		r.timers.Set(&l.timer, uint64(i+1)<<keyStream|keyLoss|l.seq, at)
	}
	r.timers.Stop(&x.tell)
	x.pending, x.told = nil, 0
	r.stream, r.joined, x.events = stream{}, false, nil
}

// closeAside gives up what is missing of an aside and makes room for another.
func (r *Receiver) closeAside(now machine.Time, i int) {
	r.inAside(i, func() { r.endStream(now) })
	r.rare.asides[i] = aside{}
}

// closeAsides closes those that have ended some time ago, or all.
func (r *Receiver) closeAsides(now machine.Time, all bool) {
	if r.rare == nil {
		return
	}
	for i := range r.rare.asides {
		a := &r.rare.asides[i]
		old := a.ended && len(a.stream.losses) == 0 && now.Sub(a.heard) > r.cfg.Host.Lifetime
		if a.used && (old || all) {
			r.closeAside(now, i)
		}
	}
}

// forget forgets what belongs to a membership that has ended.
func (r *Receiver) forget() {
	if x := r.rare; x != nil {
		r.timers.Stop(&x.tell)
		x.pending, x.streams, x.rootFull = nil, streams{}, false
	}
}

// nextAside returns the aside whose highest number the next refresh-ack tells, or
// -1 for the first stream: they take turns. In a group with a key it is always the
// first: the message says by that stream's epoch and time how old it is.
func (r *Receiver) nextAside() int {
	if r.rare == nil || r.guard() != nil {
		return -1
	}
	x := r.rare
	for range x.asides {
		if x.turn = (x.turn + 1) % uint8(len(x.asides)+1); x.turn == 0 || x.asides[x.turn-1].used {
			break
		}
	}
	return int(x.turn) - 1
}

// sourceRoot returns the identifier above the group's in whose repair group a
// source is the only member: each source has its own.
func (c *Config) sourceRoot(number uint8) i3.ID {
	if number == 0 {
		return c.root
	}
	return derive(&keyRoot, c.Group, uint64(number))
}

// tellAfter spreads what receivers tell a successor: those at level 1 come first,
// and mostly what one of them tells is what the others would.
const tellAfter = machine.Second / 10

// ended is told by the successor of a source what it knows of the last one's
// stream. Who knows of more packets tells it, unless another does first.
func (r *Receiver) ended(now machine.Time, m Message, out *machine.Outbox) {
	if !r.inStream(m) {
		r.count.DropUnexpected++
		return
	}
	r.arrived(now, m.Seq, out)
	x := r.more()
	if x.told = max(x.told, m.Seq); x.told >= r.stream.high {
		r.timers.Stop(&x.tell)
		return
	}
	if x.tell.Due() == machine.Never {
		after := machine.Duration(r.Level()-1)*tellAfter + r.uniform(0, tellAfter)
		r.timers.Set(&x.tell, r.of(keyTell, 0), now.Add(after))
	}
}

// tellEnd tells the successor what the receiver knows of the last stream.
func (r *Receiver) tellEnd(now machine.Time, out *machine.Outbox) {
	b := r.message(now, TypeEnd, 0, r.Level(), r.stream.high, out)
	r.toID(RepairGroup(r.cfg.root, 0), b, out)
}
