package multicast

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/minio/highwayhash"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// TagSize is the size in bytes of the tag that ends every message of a group with
// a key.
const TagSize = highwayhash.Size128

// A guard makes and checks the tags of a group's messages, and knows how far the
// source's clock has come, by which it tells new messages from old ones that
// somebody sends again. Only members of a group with a key have one.
//
// A tag is the keyed HighwayHash-128 of the message and of the identifier in its
// packet: the one it was sent to where nodes leave that as it is, and zero where
// every node on the way writes another, down the tree. Messages down the tree say
// in their bodies which identifier they are about, or are about packets alone.
type guard struct {
	mac    *highwayhash.Digest
	place  [i3.IDSize]byte // scratch, so that nothing escapes
	sum    [TagSize]byte   // scratch
	source bool
	last   clock // of the source at the root
}

// A clock is how far a source's clock has come, as far as is known.
type clock struct {
	heard  bool   // epoch and newest are the source's
	epoch  uint32 // the newest known
	newest int64  // when what was last heard of it left
}

// tagKey returns the key of a group's tags. It depends on the group's identifier
// too, so that two groups with one key do not accept each other's messages.
func tagKey(key *[32]byte, group i3.ID) [32]byte {
	const domain = "i3bench tag\x00"
	id := group.Bytes()
	return sha256.Sum256(append(append([]byte(domain), key[:]...), id[:]...))
}

// useKey gives the host a guard if its configuration has a key.
func (c *core) useKey() {
	if !c.cfg.keyed {
		return
	}
	mac, err := highwayhash.NewDigest128(c.cfg.tagKey[:])
	if err != nil {
		panic(err) // the key has the length that is asked for
	}
	c.more().guard = &guard{mac: mac}
}

// tagSize returns how many bytes longer a message is in this group than without a key.
func (c *core) tagSize() int {
	if !c.cfg.keyed {
		return 0
	}
	return TagSize
}

// bound reports whether messages of a type keep the identifier of their packet on
// the way even when they are not sent straight from host to host.
func bound(t Type) bool { return t == TypeQuery || t == TypeRequest }

// tag returns the tag of a message, good until the next.
func (g *guard) tag(message []byte, id i3.ID, whole bool) *[TagSize]byte {
	if g.place = ([i3.IDSize]byte{}); whole {
		g.place = id.Bytes()
	}
	g.mac.Reset()
	g.mac.Write(message)
	g.mac.Write(g.place[:])
	g.mac.Sum(g.sum[:0])
	return &g.sum
}

// seal appends the tag to a message for an identifier, or straight to a host.
func (g *guard) seal(b []byte, id i3.ID, direct bool) []byte {
	b[1] |= FlagTagged
	tag := g.tag(b, id, direct || bound(Type(b[0])))
	return append(b, tag[:]...)
}

// genuine reports whether a message that came in a packet ends in the right tag.
func (g *guard) genuine(p i3.Packet, t Type, payload []byte) bool {
	n := len(payload) - TagSize
	tag := g.tag(payload[:n], p.ID, p.Kind == i3.KindDirect || bound(t))
	return subtle.ConstantTimeCompare(tag[:], payload[n:]) == 1
}

// genuine reports whether a message is as the group's members send them: with the
// right tag if the group has a key, else without any. It counts those that are not.
func (c *core) genuine(p i3.Packet, m Message, payload []byte) bool {
	if m.Type == TypeAsk || m.Type == TypeAdmit {
		return true // who asks has no key yet; the answer is sealed
	}
	tagged := m.Flags&FlagTagged != 0
	g := c.guard()
	if tagged != (g != nil) || tagged && !g.genuine(p, m.Type, payload) {
		c.count.DropTag++
		return false
	}
	return true
}

// isNotice reports whether a message tells a subtree about one of its identifiers.
// Such a message is true for a while only.
func isNotice(t Type) bool {
	return t == TypeRefreshAck || t == TypeLeaving || t == TypeAdopt || t == TypeRekey
}

// stamp writes into a notice when the source was last heard of, on its own clock
// and not on the sender's, which others could not compare with anything.
func (g *guard) stamp(m *Message) {
	if !g.source && isNotice(m.Type) {
		m.Epoch, m.Time = g.last.epoch, g.last.newest
	}
}

// staleness is by how much the time in a notice may be behind that of whoever
// hears it: no member of a tree that is not silent is further behind another.
func (c *core) staleness() machine.Duration { return silentBeats * c.cfg.HeartbeatMax }

// age returns how old a notice is on the clock of the source at the root, and whether
// it is from that source's present incarnation, or a later one than is known here.
// What another source says is not, for it has another clock.
func (g *guard) age(m Message) (old machine.Duration, current bool) {
	c := &g.last
	switch {
	case numberOf(m.Epoch) > 0:
		return 0, false
	case !c.heard || m.Epoch > c.epoch:
		return 0, true
	}
	return max(0, machine.Duration(c.newest-m.Time)), m.Epoch == c.epoch
}

// stale reports whether a notice, or a message of the source, is so old that somebody
// must be sending it again.
func (r *Receiver) stale(m Message) bool {
	g := r.guard()
	if g == nil {
		return false
	}
	old, current := g.age(m)
	return !current || old > r.staleness()
}

// repeats reports whether a message is a stale notice. It counts it.
func (r *Receiver) repeats(m Message) bool {
	if !isNotice(m.Type) || !r.stale(m) {
		return false
	}
	r.count.DropReplay++
	return true
}

// said returns when a notice was sent, as far as is known: what it puts off counts
// from then, however often and late it is sent again.
func (r *Receiver) said(now machine.Time, m Message) machine.Time {
	g := r.guard()
	if g == nil {
		return now
	}
	old, _ := g.age(m)
	return now.Add(-old)
}

// newer reports whether a message of the source left it after all that was heard
// of it so far.
func (c *clock) newer(m Message) bool {
	return !c.heard || m.Epoch > c.epoch || m.Epoch == c.epoch && m.Time > c.newest
}

// hear notes a message of the source.
func (c *clock) hear(m Message) {
	if c.newer(m) {
		*c = clock{true, m.Epoch, m.Time}
	}
}

// sourceClock returns the clock of the source of the current stream.
func (r *Receiver) sourceClock(g *guard) *clock {
	if r.current > 0 {
		return &r.rare.asides[r.current-1].clock
	}
	return &g.last
}

// old reports whether what came down the tree has been here before, or is late. Such a
// message says nothing about the tree or the source's distance now. A packet that is
// missing is taken all the same.
func (r *Receiver) old(now machine.Time, m Message, body []byte, out *machine.Outbox) bool {
	g := r.guard()
	if g == nil {
		return false
	}
	c, follows := r.sourceClock(g), m.Type == TypeData && r.inStream(m)
	if c.newer(m) || follows && m.Seq > r.stream.high {
		c.hear(m)
		return false
	}
	if !follows {
		r.count.DropReplay++
		return true
	}
	if _, missing := r.stream.find(m.Seq); missing {
		r.lossRate.received()
	}
	if r.take(now, m.Seq, body, false, out) {
		r.deliver(now, m.Seq, m.Time, body)
	}
	return true
}

// returns reports whether a message shows the source that its tree carries what it
// sends. With a key that is only what it sent itself a moment ago.
func (s *Source) returns(now machine.Time, m Message) bool {
	return s.guard() == nil || isTree(m.Type) && m.Epoch == s.epoch &&
		machine.Duration(s.local(now)-m.Time) <= s.staleness()
}
