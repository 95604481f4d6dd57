package live

import (
	"maps"
	"slices"
	"time"
)

// An account turns the counters of receivers, nodes and sockets into sums and rates. Of what one had counted between
// the last look at it and a crash nothing is known.
type account struct {
	before  State
	members map[any]Receiver // as they were seen last, each with the last level that it had
	nodes   map[any]Node
	drops   map[string]uint64
	first   usage
	used    usage

	sum, was totals // now, and when the span began
	// held are the triggers of the nodes, times the seconds for which they had them.
	held float64
}

// Totals are sums since the load began.
type totals struct {
	levels                                                        [maxLevel + 1]levelTotals
	acks, refreshes, packets, copies, refreshed, dropped, in, out uint64
	hot                                                           []uint64 // packets by node
}

// levelTotals are the messages on a level.
type levelTotals struct{ queries, requests, repairs uint64 }

func (l levelTotals) all() uint64 { return l.queries + l.requests + l.repairs }

// maxLevel bounds the levels that are told apart: searches end at 30.
const maxLevel = 31

// newAccount returns one that counts from a state on.
func newAccount(s State) *account {
	a := &account{first: used(), drops: make(map[string]uint64)}
	a.used = a.first
	a.remember(s)
	return a
}

// remember keeps the counters of those that are there, and forgets the others.
func (a *account) remember(s State) {
	members, nodes := make(map[any]Receiver, len(s.Receivers)), make(map[any]Node, len(s.Nodes))
	for _, r := range s.Receivers {
		if r.Level == 0 {
			r.Level = a.members[r.Key].Level
		}
		members[r.Key] = r
	}
	for _, n := range s.Nodes {
		nodes[n.Key] = n
	}
	a.members, a.nodes, a.before = members, nodes, s
}

// span is the time over which rates are, in seconds: since the last state, or in the end all.
func (a *account) span(s State) float64 {
	if s.Over {
		return max(0, s.At.Seconds())
	}
	return max(0, (s.At - a.before.At).Seconds())
}

// see fills in what receivers, nodes and sockets have done.
func (a *account) see(s State, l *Load) {
	now := used()
	if s.Over {
		a.was, a.used = totals{}, a.first
	}
	a.addReceivers(s.Receivers)
	a.addNodes(s.Nodes)
	a.addSockets(s.Sockets)
	a.held += l.held(s, a.before.At)
	a.fillLevels(s, l)
	a.fillNodes(s, l)
	now.since(a.used, a.first, l)
	a.used, a.was = now, a.sum
	a.was.hot = slices.Clone(a.sum.hot)
	a.remember(s)
}

// held is the triggers times the time since a moment before.
func (l *Load) held(s State, before time.Duration) float64 {
	for _, n := range s.Nodes {
		l.Nodes.Triggers += n.Triggers
	}
	return float64(l.Nodes.Triggers) * max(0, (s.At-before).Seconds())
}

// addReceivers adds what receivers have done to the level on which they are, or were when they had one.
func (a *account) addReceivers(list []Receiver) {
	for _, r := range list {
		b := a.members[r.Key]
		level := r.Level
		if level == 0 {
			level = b.Level
		}
		v := &a.sum.levels[min(level, maxLevel)]
		v.queries += r.Queries - b.Queries
		v.requests += r.Requests - b.Requests
		v.repairs += r.Repairs - b.Repairs
		a.sum.acks += r.Acks - b.Acks
		a.sum.refreshes += r.Sent - b.Sent
	}
}

// addNodes adds what nodes have done.
func (a *account) addNodes(list []Node) {
	for i, n := range list {
		b := a.nodes[n.Key]
		if i == len(a.sum.hot) {
			a.sum.hot = append(a.sum.hot, 0)
		}
		a.sum.hot[i] += n.Packets - b.Packets
		a.sum.packets += n.Packets - b.Packets
		a.sum.copies += n.Copies - b.Copies
		a.sum.refreshed += n.Refreshed - b.Refreshed
		a.addDrops(n.Drops, b.Drops)
	}
}

// addSockets adds what the sockets have done, if there are any.
func (a *account) addSockets(s *Sockets) {
	if b := a.before.Sockets; s != nil && b != nil {
		a.sum.in += s.In - b.In
		a.sum.out += s.Out - b.Out
		a.addDrops(s.Drops, b.Drops)
	}
}

// addDrops adds what was dropped since before, by cause.
func (a *account) addDrops(now, before map[string]uint64) {
	for cause, n := range now {
		if more := n - min(n, before[cause]); more > 0 {
			a.drops[cause] += more
			a.sum.dropped += more
		}
	}
}

// Kinds of operations that are more than a name here: queries are counted for joins, and both are shown first.
const (
	joinKind   = "join"
	repairKind = "repair"
)

// fillLevels fills in the levels of the tree, up to the deepest on which anything happened, and refreshes.
func (a *account) fillLevels(s State, l *Load) {
	var there [maxLevel + 1]int
	for _, r := range s.Receivers {
		there[min(r.Level, maxLevel)]++
	}
	joins := uint64(0)
	if i := slices.IndexFunc(l.Operations, func(o Operation) bool { return o.Kind == joinKind }); i >= 0 {
		joins = l.Operations[i].Done
	}
	last := 0
	for i, sum := range a.sum.levels {
		v := Level{Level: i, Receivers: there[i], Queries: sum.queries, Requests: sum.requests, Repairs: sum.repairs}
		v.Rate = rate(sum.all(), a.was.levels[i].all(), l.Span)
		if joins > 0 {
			v.PerJoin = float64(v.Queries) / float64(joins)
		}
		if there[i] > 0 || sum.all() > 0 {
			last = i
		}
		l.Levels = append(l.Levels, v)
	}
	l.Levels = l.Levels[:last+1]
	l.Refresh.Lifetime = s.Lifetime.Seconds()
	if n := len(s.Receivers); n > 0 {
		l.Refresh.Acks = rate(a.sum.acks, a.was.acks, l.Span) / float64(n)
	}
	if a.held > 0 {
		l.Refresh.PerTrigger = float64(a.sum.refreshes) / a.held * l.Refresh.Lifetime
		l.Refresh.AtNodes = float64(a.sum.refreshed) / a.held * l.Refresh.Lifetime
	}
}

// fillNodes fills in the health of the nodes.
func (a *account) fillNodes(s State, l *Load) {
	v := &l.Nodes
	v.Nodes = len(s.Nodes)
	v.Packets = rate(a.sum.packets, a.was.packets, l.Span)
	v.Copies = rate(a.sum.copies, a.was.copies, l.Span)
	v.DropRate = rate(a.sum.dropped, a.was.dropped, l.Span)
	most := uint64(0)
	for i, n := range a.sum.hot {
		if i < len(a.was.hot) {
			n -= a.was.hot[i]
		}
		if n > most {
			most, v.Hottest = n, i
		}
	}
	if all := a.sum.packets - a.was.packets; all > 0 {
		v.HottestOver = float64(most) * float64(v.Nodes) / float64(all)
	}
	if s.Sockets != nil {
		in, out := rate(a.sum.in, a.was.in, l.Span), rate(a.sum.out, a.was.out, l.Span)
		v.In, v.Out = &in, &out
	}
	if len(a.drops) > 0 {
		v.Drops = maps.Clone(a.drops)
	}
}
