package node

import (
	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/matcher"
)

// Looking after mirrors that are in the table: their lifetimes are no matter of hosts.
const (
	// keepCells is how many cells one step looks at, and keepGap the time between two steps.
	keepCells = 4096
	keepGap   = 20 * machine.Millisecond
)

// A keeper goes through the table, again and again, a step at a time. It lets mirrors live on as long as their owners
// have them, and makes those its own that the node owns by now.
type keeper struct {
	at    matcher.Cursor
	began machine.Time // the pass under way
	next  machine.Time
	found []kept // in one step
}

// A kept is a mirror that is to live on.
type kept struct {
	id i3.ID
	h  handle
}

// mirrorLife is how long a mirror lives unless the keeper comes by. It comes by every third of a lifetime, so of a
// trigger that is taken over more than a lifetime is left.
func (n *Node) mirrorLife() machine.Duration { return n.cfg.Lifetime + n.cfg.Lifetime/2 }

// keep is one step.
func (n *Node) keep(now machine.Time) {
	k := &n.mirrors.keeper
	if k.at == 0 {
		k.began = now
	}
	k.found = k.found[:0]
	at, more := n.table.Scan(k.at, keepCells, tick(now), func(id i3.ID, h handle, _ matcher.Tick) {
		if n.livesOn(now, id.Prefix(), n.targets.at(h)) {
			k.found = append(k.found, kept{id, h})
		}
	})
	for _, m := range k.found {
		if _, err := n.table.Insert(m.id, m.h, tick(now), tick(now.Add(n.mirrorLife()))); err != nil {
			n.count.MirrorsRefused++ // it lives until its time is over
		}
	}
	if k.at, k.next = at, now.Add(keepGap); !more {
		k.at, k.next = 0, max(k.next, k.began.Add(n.cfg.Lifetime/3))
	}
}

// livesOn reports whether a trigger is a mirror that is to live on. One that the node owns by now is none any more.
func (n *Node) livesOn(now machine.Time, prefix uint64, e *target) bool {
	switch {
	case e.pass == 0:
		return false
	case n.owns(prefix):
		n.own(e)
		n.count.MirrorsTaken++
		return false
	}
	for i := range n.mirrors.sources {
		if s := &n.mirrors.sources[i]; s.owns(prefix) {
			return now < s.heard.Add(n.cfg.Lifetime) && (!s.whole || !before(e.pass, s.since))
		}
	}
	return false
}

// own makes a mirror a trigger of the node's own.
func (n *Node) own(e *target) {
	e.pass = 0
	n.mirrors.count--
}

// before reports whether a pass was begun before another, of the last 2^15.
func before(pass, other uint16) bool { return int16(pass-other) < 0 }
