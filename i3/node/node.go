package node

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/matcher"
)

// A Node is the state machine of one i3 node.
type Node struct {
	table    *matcher.Table
	targets  targets
	*scratch // during a call of Receive

	sweepAt machine.Time // machine.Never while the table is empty
	ringAt  machine.Time // when the member of a ring has something to do
	alone   bool         // it has not joined its ring yet
	given   bool         // its successor has its triggers, and matches packets for them: it leaves, or has just joined
	paced   bool         // the packets of its triggers are limited
	owned   chord.Range  // the prefixes that it owns
	ring    chord.Ring
	member  *chord.Member
	count   Counters // to Refreshed, what is above is needed for the usual packets: see Hot

	cfg     Config
	cookies *i3.Cookies
	flows   chord.Flows
	hand    handover
	fetch   fetch
	heir    heir
	lends   lends
	mirrors mirrors
	journal journal
	leave   departure

	quota    quota
	requests buckets
	packets  packets
	push     *pushback // nil unless Config.Pushback
}

// A scratch is what a node needs while it handles a batch. The nodes that are
// handed one outbox share it.
type scratch struct {
	wave     []arrival
	next     []arrival
	ids      []i3.ID
	matches  matcher.Matches
	siblings []handle
	reply    []byte
	entries  []i3.Insert
	batch    []machine.Datagram
	handed   []i3.Handed // of what comes
	page     []i3.Handed // of what leaves
}

// scratchIn returns the scratch space in an outbox.
func scratchIn(out *machine.Outbox) *scratch {
	s, ok := out.Room.(*scratch)
	if !ok {
		s = &scratch{}
		out.Room = s
	}
	return s
}

// New returns a node with an empty table.
func New(cfg Config) (*Node, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	n := &Node{
		cfg:     cfg,
		owned:   cfg.Range,
		ring:    cfg.Ring,
		member:  cfg.Member,
		paced:   cfg.Limits.Packets.PerSecond > 0,
		cookies: i3.NewCookies(cfg.Secret),
		sweepAt: machine.Never,
		ringAt:  machine.Never,
		flows:   chord.NewFlows([16]byte(cfg.Secret[:16])),
		hand:    handover{next: machine.Never},
		fetch:   fetch{next: machine.Never},
		leave:   departure{next: machine.Never},
		quota:   newQuota(cfg.Limits, [16]byte(cfg.Secret[:16])),

		requests: buckets{pace: paceOf(cfg.Limits.Requests)},
		packets:  packets{pace: paceOf(cfg.Limits.Packets)},
	}
	if cfg.Member != nil {
		_, joined := cfg.Member.Range()
		n.alone = !joined
		n.owned, _ = cfg.Member.Range()
		n.ringAt = cfg.Member.Deadline()
	}
	if cfg.Pushback {
		n.push = &pushback{links: make(map[uint32]pushed)}
	}
	most := cfg.MaxTriggers
	if cfg.Mirrors {
		cfg.Member.LookBehind()
		n.mirrors.on, n.journal.on, n.mirrors.next = true, true, machine.Never
		most += cfg.MaxMirrors
	}
	var err error
	n.table, err = matcher.New(matcher.Config{
		MaxTriggers: most,
		MaxPerID:    cfg.MaxPerID,
		Seed:        [16]byte(cfg.Secret[16:]),
		Reclaimed:   n.expired,
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// expired is told of every trigger that the table drops because its time is
// over.
func (n *Node) expired(id i3.ID, tg matcher.Target) {
	if e := n.targets.at(tg); e.pass == 0 || n.owns(id.Prefix()) {
		n.count.Expired++
		n.journal.note(id, e, true)
	}
	n.release(id, tg)
}

// Counters returns what the node has done so far.
func (n *Node) Counters() Counters { return n.count }

// Triggers returns the number of triggers in the table, expired ones that were
// not reclaimed yet included, and mirrors not.
func (n *Node) Triggers() int { return n.table.Len() - n.mirrors.count }

// Mirrors returns the number of mirrors in the table.
func (n *Node) Mirrors() int { return n.mirrors.count }

// Receive handles a batch of datagrams: control packets one by one, data
// packets of the whole batch together.
func (n *Node) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	dropped := out.Dropped()
	n.scratch = scratchIn(out)
	n.wave = n.wave[:0]
	for _, d := range batch {
		n.datagram(now, d, out)
	}
	if len(n.wave) > 0 {
		n.batch = batch
		n.forward(now, out)
		n.batch = nil
	}
	if n.member != nil {
		n.ringAt = min(n.ringAt, n.member.Deadline()) // it may have been asked for an owner that it does not know
	}
	if d := out.Dropped() - dropped; d > 0 { // the counter is in a cache line of its own
		n.count.DropOutbox += d
	}
}

// datagram handles the packets of one datagram up to the first that does not
// decode.
func (n *Node) datagram(now machine.Time, d machine.Datagram, out *machine.Outbox) {
	for rest := d.Bytes; len(rest) > 0; {
		p, wire, tail, err := i3.Next(rest)
		if err != nil {
			n.count.DropMalformed++
			return
		}
		if wire == nil {
			return // padding
		}
		rest = tail
		n.packet(now, d.From, p, wire, out)
	}
}

func (n *Node) packet(now machine.Time, from netip.AddrPort, p i3.Packet, wire []byte, out *machine.Outbox) {
	n.count.Packets++
	switch {
	case p.Kind == i3.KindRing && n.member != nil:
		n.member.Packet(now, from, p, i3.Payload(wire), out)
		n.followRing(now, out)
		return
	case p.Kind == i3.KindHandover && n.member != nil:
		n.handover(now, from, p, i3.Payload(wire), out)
		n.followRing(now, out)
		return
	case n.alone:
		n.count.DropNoRing++
		return
	}
	switch p.Kind {
	case i3.KindData:
		n.count.Data++
		n.data(now, from, p, wire, out)
	case i3.KindInsert, i3.KindRemove:
		if n.borrows() {
			n.count.DropUnready++
			return
		}
		n.request(now, from, p, i3.Payload(wire), out)
	case i3.KindPushback:
		n.pushedBack(now, from, p)
	default:
		n.count.DropKind++
	}
}

// tick returns now in the table's coarse time of milliseconds.
func tick(now machine.Time) matcher.Tick {
	return matcher.Tick(now / machine.Time(machine.Millisecond))
}

// followRing takes over what the member of a ring owns by now.
func (n *Node) followRing(now machine.Time, out *machine.Outbox) {
	owned, joined := n.member.Range()
	if n.owned != owned {
		n.ownsOther(now, owned)
	}
	if n.alone && joined {
		n.beginFetch(now, out)
	}
	if n.leave.step < passing {
		n.alone = !joined
	}
	n.followHeir(now)
	n.ringAt = min(n.member.Deadline(), n.hand.next, n.fetch.next, n.leave.next)
	if n.mirrors.on {
		n.followMirrors(now)
		n.ringAt = min(n.ringAt, n.mirrors.next)
	}
}

// Deadline returns when expired triggers are next reclaimed, or the ring is looked after.
func (n *Node) Deadline() machine.Time { return min(n.sweepAt, n.ringAt) }

// nextSweep returns when triggers can have expired again: not before the soonest
// that the pass has left, and what came since lives longer.
func (n *Node) nextSweep(now machine.Time) machine.Time {
	soonest := machine.Time(n.table.Soonest()) * machine.Time(machine.Millisecond)
	return max(now.Add(sweepEvery), min(soonest, now.Add(n.cfg.Lifetime/2)))
}

// Expire reclaims expired triggers, a bounded number a call, and looks after the ring.
func (n *Node) Expire(now machine.Time, out *machine.Outbox) {
	if now >= n.ringAt {
		n.scratch = scratchIn(out)
		n.member.Expire(now, out)
		if now >= n.hand.next {
			n.askHandover(now, out)
		}
		if now >= n.fetch.next {
			n.askFetch(now, out)
		}
		if now >= n.leave.next {
			n.depart(now, out)
		}
		if n.mirrors.on {
			n.mirror(now, out)
		}
		n.followRing(now, out)
	}
	switch {
	case now < n.sweepAt:
		return
	case n.leave.step == handing: // nothing may move in the table
		n.sweepAt = now.Add(sweepEvery)
		return
	}
	done := n.table.Sweep(sweepMax, tick(now), n.expired)
	switch {
	case !done:
		n.sweepAt = now.Add(machine.Millisecond)
	case n.table.Len() == 0:
		n.sweepAt = machine.Never
	default:
		n.sweepAt = n.nextSweep(now)
	}
}
