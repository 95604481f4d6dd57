package multicast

import (
	"net/netip"
	"slices"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// core is what source and receiver have in common: a host, a clock offset, the
// packets kept for repairs, and the answers to queries and requests.
//
// The fields that every packet needs come first.
type core struct {
	cfg      *Config // its Host, Near, Skew and Events are not used
	events   *Events
	skew     machine.Duration
	distance int64 // source distance on the host's clock, see Reply
	clock    int64 // to add to the host's clock to have the source's
	rare     *rare // nil until there is something in it
	stream   stream
	timers   machine.Timers
	epoch    uint32
	full     bool   // the host's own identifier holds D+1 triggers
	moving   bool   // from one set to the other
	children uint16 // links under its identifier, as last heard
	rng      prng.Source
	above    family
	host     host.Host
	count    Counters
}

// A rare is what few hosts need: when something was lost, if they move or answer for
// the root, or if the group has a key, another metric than the delay, or several
// sources. The others have no room for it.
type rare struct {
	guard  *guard // nil if the group has no key
	former former
	knock  *knock // nil unless the receiver has asked for its group
	gauge  *gauge // nil if nothing but the delay counts
	mover  *mover // nil unless the receiver looks for nearer parents, or has moved
	held   holdDown
	rtt    machine.Duration // from request to repair, smoothed; 0 before the first
	rttVar machine.Duration
	// Of a receiver:
	pending  []pending // requests passed upward
	streams            // beside the first
	agent    uint8     // 0: it is none, see Member
	rootFull bool      // to an agent: the group's identifier has no place
}

// more returns what few hosts have, which it gives the host if it has none.
func (c *core) more() *rare {
	if c.rare == nil {
		c.rare = new(rare)
	}
	return c.rare
}

// guard returns the host's guard, nil if the group has no key: then all receivers
// look at the one configuration that they share, and none at what is rare.
func (c *core) guard() *guard {
	if !c.cfg.keyed {
		return nil
	}
	return c.rare.guard
}

// gauge returns what the host knows of the way to it, nil if it measures only delays.
func (c *core) gauge() *gauge {
	if !c.cfg.gauged {
		return nil
	}
	return c.rare.gauge
}

// A family is what is derived from the identifier above a host's own, whose
// children the host and its siblings are. A host needs it again and again, so the
// keys are kept; the identifiers follow from them (see derive).
type family struct {
	prefix             uint64
	join, full, repair i3.Key
}

// above returns the family of the children of an identifier.
func above(id i3.ID) family {
	join := JoinSet(id)
	return family{join.Prefix(), join.Key(), FullSet(id).Key(), RepairGroup(id, 0).Key()}
}

// set returns the set of the full children, or of the joinable ones.
func (f *family) set(full bool) i3.ID {
	if full {
		return i3.NewID(f.prefix, f.full, 0)
	}
	return i3.NewID(f.prefix, f.join, 0)
}

// isSet reports whether an identifier is one of the two sets.
func (f *family) isSet(id i3.ID) bool {
	return id.Prefix() == f.prefix && (id == f.set(false) || id == f.set(true))
}

// isGroup reports whether an identifier is the repair group's, with any suffix.
func (f *family) isGroup(id i3.ID) bool { return id.Prefix() == f.prefix && id.Key() == f.repair }

// group returns the repair group with a suffix.
func (f *family) group(suffix uint64) i3.ID { return i3.NewID(f.prefix, f.repair, suffix) }

// streamCore separates a group member's random numbers from its host's.
const streamCore = 2

// init makes a core that hands what arrives at its host to handler.
func (c *core) init(p *Profile, m Member, handler host.Handler) (err error) {
	if c.host, err = p.host.Host(m.Self, m.Seed, handler); err != nil {
		return err
	}
	c.cfg, c.events, c.skew, c.epoch = &p.cfg, m.Events, m.Skew, p.cfg.Epoch
	if c.events == nil {
		c.events = &p.cfg.Events
	}
	c.rng = prng.New(m.Seed, streamCore)
	c.useKey()
	return nil
}

// Counters returns what it has done so far.
func (c *core) Counters() Counters { return c.count }

// Host returns the end host it runs on, for its counters and round trip.
func (c *core) Host() *host.Host { return &c.host }

// Highest returns the highest sequence number it knows of.
func (c *core) Highest() uint64 { return c.stream.high }

// Deadline returns when Expire must next be called.
func (c *core) Deadline() machine.Time { return min(c.timers.Next(), c.host.Deadline()) }

// local returns now on the host's own clock.
func (c *core) local(now machine.Time) int64 { return int64(now.Add(c.skew)) }

// uniform draws a duration from [lo, hi).
func (c *core) uniform(lo, hi machine.Duration) machine.Duration {
	if hi <= lo {
		return lo
	}
	return machine.Duration(c.rng.Between(int64(lo), int64(hi)))
}

// message starts a message in the outbox's scratch buffer.
func (c *core) message(now machine.Time, t Type, flags uint8, level int, seq uint64, out *machine.Outbox) []byte {
	m := Message{Type: t, Flags: flags, Level: uint16(level), Epoch: c.epoch, Seq: seq, Time: c.local(now)}
	if g := c.guard(); g != nil {
		g.stamp(&m)
	}
	return m.AppendTo(out.Scratch())
}

// toID sends the message in b, which began in the scratch buffer, to an identifier.
func (c *core) toID(id i3.ID, b []byte, out *machine.Outbox) {
	if g := c.guard(); g != nil {
		b = g.seal(b, id, false)
	}
	out.Keep(b)
	c.host.Send(id, b, out)
}

// toHost sends the message in b, which began in the scratch buffer, to a host.
func (c *core) toHost(to netip.AddrPort, id i3.ID, b []byte, out *machine.Outbox) {
	if g := c.guard(); g != nil {
		b = g.seal(b, id, true)
	}
	out.Keep(b)
	c.host.Direct(to, id, b, out)
}

// reply answers a distance query for the identifier id, which is the host's own
// or one it has adopted, with the flags of the reply.
func (c *core) reply(now machine.Time, m Message, body []byte, id i3.ID, level int, flags uint8, out *machine.Outbox) {
	to, err := i3.ParseAddr(body)
	if err != nil {
		c.count.DropMalformed++
		return
	}
	if to == c.host.Self() && level > 0 {
		return // one's own search asks one's own set; a stand-by asks the source that it is
	}
	c.count.Queries++
	metric := Metric(body[queryMetric])
	b := c.message(now, metric.answers(), flags, level, m.Seq, out)
	c.toHost(to, id, c.appendReply(b, id, metric), out)
}

// repair sends a packet that the host has to one requester, or to the subtree
// that lost it.
func (c *core) repair(now machine.Time, m Message, q Request, payload []byte, level int, out *machine.Outbox) {
	if c.more().held.active(now, m.Seq, q) {
		c.count.DropHeldDown++
		return
	}
	b := c.message(now, TypeRepair, 0, level, m.Seq, out)
	if q.Target.IsZero() {
		b = Message{Type: TypeRepair, Level: uint16(level), Epoch: c.epoch, Seq: m.Seq, Time: m.Time}.AppendTo(b[:0])
		c.count.Repairs++
		c.toHost(q.Requester, q.Group, append(b, payload...), out)
		return
	}
	c.count.SubtreeRepairs++
	c.toID(q.Target, append(b, payload...), out)
}

// holdDown remembers the last repairs, so that a request that was under way
// when the repair left does not cause another.
type holdDown struct {
	recent []heldRepair // in the order in which they were sent, maxHeld at most
}

type heldRepair struct {
	seq   uint64
	to    Request
	until machine.Time
}

// Hold-down times: a requester's retry must not fall into its own, and the
// members of a subtree may ask for longer than one of them does.
const (
	holdHost    = 20 * machine.Millisecond
	holdSubtree = 100 * machine.Millisecond
	// maxHeld bounds the repairs that are remembered.
	maxHeld = 64
)

// active reports whether the same repair was sent a moment ago, and remembers
// this one if not.
func (h *holdDown) active(now machine.Time, seq uint64, q Request) bool {
	d := holdHost
	if !q.Target.IsZero() {
		d = holdSubtree
		q.Requester = netip.AddrPort{} // whoever asks for the subtree asks for all of it
	}
	for i := range h.recent {
		if r := &h.recent[i]; r.seq == seq && r.until > now && r.to == q {
			return true
		}
	}
	h.forget(now)
	h.recent = append(h.recent, heldRepair{seq, q, now.Add(d)})
	return false
}

// forget makes room for one more: it drops the first repairs that are over, and
// at the bound the first of all.
func (h *holdDown) forget(now machine.Time) {
	n := 0
	for n < len(h.recent) && (h.recent[n].until <= now || len(h.recent)-n == maxHeld) {
		n++
	}
	h.recent = slices.Delete(h.recent, 0, n)
}

// setFull moves the host from the set of joinable children to that of the full
// ones, or back, when an acknowledgement for its own trigger says that
// its identifier filled up or has a free slot.
func (c *core) setFull(now machine.Time, a i3.Ack, out *machine.Outbox) {
	c.children = max(a.Count, 1) - 1
	full := a.Count >= a.Limit
	if full == c.full {
		return
	}
	c.moveSet(now, full, out)
}

// Full reports in which set the host is: that of the full children or that of the
// joinable ones.
func (c *core) Full() bool { return c.full }

// moveSet moves the host to a set; see setFull, which knows why.
func (c *core) moveSet(now machine.Time, full bool, out *machine.Outbox) {
	c.full, c.moving = full, true
	c.host.Maintain(now, c.host.Own(c.above.set(full)), out)
}

// entered is told that a set has the host. Only now does it leave the other
// one, so that no search misses it.
func (c *core) entered(now machine.Time, set i3.ID, out *machine.Outbox) {
	if !c.moving || set != c.above.set(c.full) {
		return
	}
	c.host.Remove(now, c.host.Own(c.above.set(!c.full)), i3.Nonce{}, out)
	c.moving = false
}
