package multicast

import (
	"math"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// A ProbePolicy says how a receiver that is in the tree looks for a nearer parent:
// the probe of the parent level of paper section 3.2.2. A probe is a search from one
// of the identifiers above the parent's, drawn at random, that goes no farther than
// it can find something better by Equation 3.
type ProbePolicy struct {
	// Period is the mean time between two probes by the children of one identifier,
	// however many they are. Default: none are made. They compare delays: a group with
	// another metric has none.
	Period machine.Duration
	// MinGain is how much nearer to the source another place must be to be moved to;
	// and it must be by a tenth. Default [DefaultMinGain].
	MinGain machine.Duration
	// MaxHeads bounds the receivers that move together: one and those below it, all
	// of whom get other identifiers. Default [DefaultMaxHeads], at most 64.
	MaxHeads int
}

// Defaults of a [ProbePolicy].
const (
	// DefaultMinGain is how much nearer another place must be.
	DefaultMinGain = 5 * machine.Millisecond
	// DefaultMaxHeads is how many receivers move together.
	DefaultMaxHeads = 8
)

// Limits that no configuration changes.
const (
	// maxHeads bounds ProbePolicy.MaxHeads.
	maxHeads = 64
	// minGainPart is the least part of its delay, one in so many, that a receiver must
	// gain by a move.
	minGainPart = 10
	// maxDamping bounds how often a receiver's probes get rarer by half, as they do with
	// each of its moves: whatever measurements say, it does not move to and fro for ever.
	maxDamping = 6
)

// A mover is what a receiver needs to look for another place and to move there, or
// to follow one that has moved.
type mover struct {
	probe    machine.Timer // of the next look for a nearer parent
	timer    machine.Timer // of the seats
	next     *seat         // where it goes, nil if nowhere
	past     []seat        // where it was a moment ago
	goal     candidate     // the one to move to
	chain    []i3.ID       // of the goal
	start    int           // level of the identifier from which it looks, -1 the root
	counting bool          // it counts who hangs below it
	siblings uint16        // links at the parent's identifier, as last heard
	damping  uint8
	hop      int64 // from the parent, as it was when it moved there
	count    MoveCounters
}

// mover returns what the receiver needs for moves, which it gives it if it has none.
func (r *Receiver) mover() *mover {
	e := r.more()
	if e.mover == nil {
		e.mover = new(mover)
	}
	return e.mover
}

// moves returns what the receiver needs for moves, nil if it has none.
func (r *Receiver) moves() *mover {
	if r.rare == nil {
		return nil
	}
	return r.rare.mover
}

// MoveCounters is what a receiver has done to change its place, and those with it
// that hang below.
type MoveCounters struct {
	Probes  uint64 // looks for a nearer parent that were begun, see ProbePolicy
	Moves   uint64 // times it moved to another parent
	Refused uint64 // moves not begun, for too many, or nobody knows how many, would have moved
	Failed  uint64 // moves given up, its own or with one above, for the next place could not be had
	Rekeys  uint64 // times those below were told of other identifiers
}

// MoveCounters returns what the receiver has done so far.
func (r *Receiver) MoveCounters() MoveCounters {
	if r.moves() == nil {
		return MoveCounters{}
	}
	return r.moves().count
}

// Move makes a receiver that is in the tree look for the best place other than its
// own, from the root, and move there with all below it, though it may be farther
// from the source. With another metric the reports alone say which is best. It returns
// whether it looks: not during another move, or when it is not in the tree. It may find
// no place, or have more below it than [ProbePolicy] lets move; [Receiver.Moving] tells
// when it is over, Events.Moved if it has moved.
func (r *Receiver) Move(now machine.Time, out *machine.Outbox) bool {
	if r.state != attached || !r.joined || r.Moving() {
		return false
	}
	r.look(now, -1, math.MaxInt64/4, out)
	return true
}

// Moving reports whether the receiver looks for another place, goes there, or gives
// the old one back.
func (r *Receiver) Moving() bool {
	return r.state == attached && r.moves() != nil &&
		(r.join != nil || r.moves().next != nil || len(r.moves().past) > 0)
}

// seeking reports whether the receiver asks sets.
func (r *Receiver) seeking() bool {
	return r.state == searching || r.state == attached && r.join != nil
}

// startProbes sets the timer of the first probe at a new parent, who was chosen
// as c.
func (r *Receiver) startProbes(now machine.Time, a i3.Ack, c candidate) {
	if r.cfg.Probe.Period == 0 {
		return
	}
	v := r.mover()
	v.siblings, v.hop = a.Count-1, c.hop
	r.armProbe(now)
}

// armProbe sets the timer of the next probe: so that all children of the parent
// together make one in a period.
func (r *Receiver) armProbe(now machine.Time) {
	v := r.moves()
	d := r.cfg.Probe.Period * machine.Duration(max(1, v.siblings)) << v.damping
	r.timers.Set(&v.probe, keyProbe, now.Add(r.uniform(d/2, d+d/2)))
}

// probeDue looks for a nearer parent, above which there is at least one more level
// than the root's.
func (r *Receiver) probeDue(now machine.Time, out *machine.Outbox) {
	if r.state != attached {
		return // it begins again when the receiver is attached
	}
	r.armProbe(now)
	if r.Level() < 2 || !r.joined || r.Moving() || int(r.children) >= r.cfg.Probe.MaxHeads {
		return
	}
	r.moves().count.Probes++
	gain := max(int64(r.cfg.Probe.MinGain), (r.distance+r.clock)/minGainPart)
	r.look(now, int(r.rng.IntN(r.Level()))-1, r.distance-gain, out)
}

// look begins a search from the identifier at a level of the chain, -1 for the root,
// for a place that ranks before a distance.
func (r *Receiver) look(now machine.Time, start int, distance int64, out *machine.Outbox) {
	v := r.mover()
	v.start, v.counting = start, false
	r.join = new(joining)
	s := &r.join.search
	*s = newSearch(r.cfg.Search, r.groupAt(start))
	s.seen[0].level = start
	// The place that the receiver has is the one to beat. It looks for a better one only
	// if nothing but the delay counts, see Config; for another metric any will do.
	s.seen = append(s.seen, candidate{
		parent: 0, level: start + 1, distance: distance, hop: v.hop, cost: r.cfg.Search.Metric.cost(Unknown),
	})
	s.fresh = len(s.seen)
	r.ask(now, out)
}

// here is the index of the receiver's own place in its search for a better one.
const here = 1

// found reports whether a reply from a child of the frontier's f-th identifier counts
// in the search. A place that fell short does not. For a receiver that is in the tree
// no place is below itself, and the one that it has is none to move to.
func (r *Receiver) found(f int, c *candidate) bool {
	moves := r.state == attached
	switch {
	case moves && r.moves().counting:
		return true
	case r.excludes(f, c.id, c.host):
		return false
	case !moves:
		return true
	case c.id == r.parent():
		c.full, c.refused = true, true
	}
	return !same(c.id, r.id)
}

// looked goes on when those who were asked have replied: descends, or counts who is
// below, or moves.
func (r *Receiver) looked(now machine.Time, out *machine.Outbox) {
	v, j := r.moves(), r.join
	switch {
	case v.counting:
		r.countHeads(now, out)
	case j.search.next():
		r.ask(now, out)
	default:
		best := j.search.best()
		if best == here || best < 0 {
			r.endLook()
			return
		}
		v.goal, v.chain = j.search.seen[best], j.search.chain(best)
		for i := 0; i <= v.start; i++ {
			v.chain[i] = r.chain[i]
		}
		v.counting = true
		j.search = newSearch(r.cfg.Search, r.own())
		r.ask(now, out)
	}
}

// countHeads goes one level further down below the receiver, to the last, and moves
// if there are few. Who does not reply may have any number below it.
func (r *Receiver) countHeads(now machine.Time, out *machine.Outbox) {
	v, j := r.moves(), r.join
	last := len(j.search.seen) - 1
	depth, known := j.search.seen[last].level+1, true
	for f := range j.asked {
		known = known && j.asked[f].complete()
	}
	switch {
	case !known || last >= r.cfg.Probe.MaxHeads || len(v.chain)+1+depth > maxChain:
		v.count.Refused++
		r.endLook()
	case j.search.everyone():
		r.ask(now, out)
	default:
		r.endLook()
		chain := append(v.chain, below(v.chain[len(v.chain)-1], r.id))
		r.reseat(now, &seat{chain: chain, first: len(chain) - 1, mine: true, host: v.goal.host}, out)
	}
}

// endLook ends a search of a receiver that is in the tree.
func (r *Receiver) endLook() {
	r.timers.Stop(&r.join.timer)
	r.join = nil
}

// moved is what a receiver does at a place to which it has moved itself.
func (r *Receiver) moved(now machine.Time, old i3.ID, out *machine.Outbox) {
	v := r.moves()
	v.count.Moves++
	r.parentHost = v.goal.host
	v.hop, v.damping = v.goal.hop, min(v.damping+1, maxDamping)
	r.onTrial(&v.goal)
	r.rekey(now, old, out)
	if f := r.events.Moved; f != nil {
		f(now, r.Level())
	}
}

// parentHas is told how many triggers there are at the parent's identifier.
func (r *Receiver) parentHas(triggers uint16) {
	if r.moves() != nil {
		r.moves().siblings = max(triggers, 1) - 1
	}
}

// itself returns 1 if the receiver, while it looks for another place, is one of the
// set, for it does not reply to itself, else 0.
func (r *Receiver) itself(set i3.ID) int {
	if r.state == attached && set == r.above.set(r.full) {
		return 1
	}
	return 0
}

// overlaps reports whether the receiver has just changed its seat, so that those
// below it may not have followed: how many they are would be told too small.
func (r *Receiver) overlaps() bool { return r.moves() != nil && len(r.moves().past) > 0 }
