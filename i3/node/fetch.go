package node

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

const (
	// fetchLanes is how many questions for triggers are under way at a time, each for a part of the prefixes.
	fetchLanes = 8
	// fetchPatience is how often the same one is asked though another is the successor by now, which may have just joined,
	// and have nothing; half as often if it has never answered.
	fetchPatience = 4
	// fetchWait is how long to wait for one that has yet to get all itself.
	fetchWait = 50 * machine.Millisecond
)

// A fetch is what a node that has joined gets from its successor: the triggers of what it owns by then.
type fetch struct {
	from  netip.AddrPort
	owned chord.Range
	heard bool // there was an answer
	lanes [fetchLanes]lane
	next  machine.Time // when to ask again, machine.Never if there is nothing to fetch
	until machine.Time // then hosts have refreshed all
}

// A lane is a part of the prefixes, and how far that is.
type lane struct {
	chord.Range
	at    uint64 // cursor
	flow  uint32 // of the question from there, however often it is asked
	tries int
	next  machine.Time // machine.Never when it is done
}

// beginFetch begins to fetch the triggers of the prefixes that the node owns since it has joined a ring.
func (n *Node) beginFetch(now machine.Time, out *machine.Outbox) {
	if from := n.member.Successors()[0].Addr; from != n.cfg.Self {
		n.fetch = fetch{owned: n.owned, until: now.Add(n.cfg.Lifetime)}
		n.given = true
		n.fetchFrom(now, from)
		n.askFetch(now, out)
	}
}

// fetchFrom begins anew, with all triggers from somebody.
func (n *Node) fetchFrom(now machine.Time, from netip.AddrPort) {
	f := &n.fetch
	f.from, f.heard = from, false
	width := (f.owned.Hi - f.owned.Lo) / fetchLanes
	for i := range f.lanes {
		f.lanes[i] = lane{next: machine.Never}
		if width > 0 || i == 0 {
			lo := f.owned.Lo + uint64(i)*width
			f.lanes[i] = lane{Range: chord.Range{Lo: lo, Hi: lo + width}, flow: n.flows.Next(), next: now}
			if i == fetchLanes-1 || width == 0 {
				f.lanes[i].Hi = f.owned.Hi
			}
		}
	}
}

// askFetch asks what is due. If the successor is another by now and the one before has not answered for a while, it has
// died, or left and handed all to this one.
func (n *Node) askFetch(now machine.Time, out *machine.Outbox) {
	f := &n.fetch
	for i := range f.lanes {
		l := &f.lanes[i]
		if now < l.next {
			continue
		}
		next := n.member.Successors()[0].Addr
		switch l.tries++; {
		case l.tries > handTries, now >= f.until, next == n.cfg.Self:
			n.count.HandoverFailed++
			n.endFetch()
			return
		case next != f.from && (l.tries > fetchPatience || !f.heard && l.tries > fetchPatience/2):
			n.fetchFrom(now, next)
			n.askFetch(now, out)
			return
		}
		l.next = now.Add(handRetry)
		n.sendHandover(f.from, l.flow, &i3.Handover{Cursor: l.at, Lo: l.Lo, Hi: l.Hi}, out)
	}
	n.followLanes()
}

// fetched inserts triggers that answer a question of a lane, and asks for more. It reports whether there is such a
// question.
func (n *Node) fetched(now machine.Time, from netip.AddrPort, flow uint32, a i3.Handover, out *machine.Outbox) bool {
	f := &n.fetch
	for i := range f.lanes {
		l := &f.lanes[i]
		if l.next == machine.Never || l.flow != flow || f.from != from {
			continue
		}
		for _, t := range a.Handed {
			n.takeTrigger(now, l.Range, t)
		}
		f.heard = true
		switch {
		case !a.More:
			l.next = machine.Never
		case a.Cursor == l.at:
			l.next = now.Add(fetchWait)
		default:
			l.next = now
		}
		l.tries, l.at, l.flow = 0, a.Cursor, n.flows.Next()
		n.askFetch(now, out)
		return true
	}
	return false
}

// followLanes sees when the next lane is due, and ends if all are done.
func (n *Node) followLanes() {
	f := &n.fetch
	f.next = machine.Never
	for i := range f.lanes {
		f.next = min(f.next, f.lanes[i].next)
	}
	if f.next == machine.Never {
		n.endFetch()
	}
}

// endFetch ends it: the node matches packets from now on.
func (n *Node) endFetch() {
	n.fetch.next = machine.Never
	for i := range n.fetch.lanes {
		n.fetch.lanes[i].next = machine.Never
	}
	if n.leave.step < passing {
		n.given = false
	}
}
