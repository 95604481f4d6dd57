package node

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// journalMost is how many changes a node remembers, for those who keep mirrors: as many as come between two of their
// questions, and else they need a pass.
const journalMost = 4096

// A journal is the last changes among a node's own triggers, by serial numbers. Refreshes are none. It has room for as
// many as there were, up to its bound, in which the oldest make room.
type journal struct {
	on      bool
	end     uint64 // serial of the next change
	changes []change
}

// A change is a trigger that came, or is gone.
type change struct {
	id   i3.ID
	to   target
	gone bool
}

// note remembers a change.
func (j *journal) note(id i3.ID, to *target, gone bool) {
	if !j.on {
		return
	}
	if len(j.changes) < journalMost {
		j.changes = append(j.changes, change{})
	}
	j.changes[j.end%journalMost] = change{id, *to, gone}
	j.end++
}

// has reports whether all changes from a serial on are remembered.
func (j *journal) has(serial uint64) bool {
	return serial <= j.end && j.end-serial <= uint64(len(j.changes))
}

// at returns a change that is remembered.
func (j *journal) at(serial uint64) *change { return &j.changes[serial%journalMost] }

// keepsMirrors reports whether a node is one of those that own next what this one owns.
func (n *Node) keepsMirrors(who netip.AddrPort) bool {
	for i, s := range n.member.Successors() {
		if i < maxSources && s.Addr == who && who != n.cfg.Self {
			return true
		}
	}
	return false
}

// bringMirror answers a question for what has changed: with changes, and in a pass, if there is room left, with what
// the table has from the cursor on.
func (n *Node) bringMirror(now machine.Time, to netip.AddrPort, flow uint32, q *i3.Mirror, out *machine.Outbox) {
	switch {
	case !n.journal.on || !n.keepsMirrors(to):
		n.count.DropStranger++
		return
	case n.given || n.alone: // it has not all yet, or nothing any more
		n.count.DropUnready++
		return
	}
	j := &n.journal
	a := i3.Mirror{
		Bring: true, Pass: q.Pass, Serial: q.Serial, Cursor: q.Cursor, Epoch: n.cfg.Epoch, Handed: n.scratch.page[:0],
	}
	if q.Epoch != a.Epoch || !j.has(q.Serial) {
		a.Lost, a.Serial = true, j.end
	}
	for ; a.Serial < j.end && len(a.Handed) < q.Room; a.Serial++ {
		if c := j.at(a.Serial); n.owned.Contains(c.id.Prefix()) {
			a.Handed = append(a.Handed, c.handed())
		}
	}
	a.More = a.Serial < j.end
	if q.Pass && len(a.Handed) < q.Room {
		page := n.page(now, i3.Handover{Cursor: q.Cursor, Lo: n.owned.Lo, Hi: n.owned.Hi}, q.Room, a.Handed)
		a.Handed, a.Cursor, a.Pass = page.Handed, page.Cursor, page.More
	}
	n.scratch.page = a.Handed
	n.count.MirrorsGiven += uint64(len(a.Handed))
	n.sendMirror(to, flow, &a, len(a.Handed), out)
}

// handed returns a change as it is handed over.
func (c *change) handed() i3.Handed {
	h := c.to.handed(c.id)
	if !c.gone {
		h.LifetimeMS = 1 // a mirror lives as long as its owner has it
	}
	return h
}
