package multicast

import (
	"fmt"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// DrawSearch is the search policy for groups that many join at a time, where all
// distances are about equal: of the full children of an identifier a search asks one,
// drawn by anycast in their repair group, and not all, since one is as good as another to
// descend into. It also asks the identifier's node whether there is room at the identifier
// itself, so that it does not depend on what the owner last heard.
func DrawSearch() SearchPolicy {
	return SearchPolicy{Draw: true, Slack: -machine.Second, Blur: 100 * machine.Millisecond}
}

// checkDraw wants nothing for which all children would have to be asked.
func (c *Config) checkDraw() error {
	switch {
	case !c.Search.Draw:
	case c.Search.Metric != Delay || c.Search.HopPercent != 0 || c.Search.Width != 1:
		return fmt.Errorf("multicast: config: draw with metric %d, hop percent %d, width %d: want Delay, 0 and 1",
			c.Search.Metric, c.Search.HopPercent, c.Search.Width)
	case c.Relays != 0:
		return fmt.Errorf("multicast: config: draw with %d relays: want none", c.Relays)
	}
	return nil
}

// draws reports whether one child of the frontier's f-th identifier is asked instead of
// all. The source is the only child of the one above the group's, and who has a place
// and looks for a nearer one compares.
func (r *Receiver) draws(f int) bool {
	return r.cfg.Search.Draw && r.state == searching && !r.atRoot(f)
}

// passRoot lets the first search that draws begin below the source, whose identifier is full as a rule: its node
// says so. That spares the source a query for each join. With a key the source is asked, for its answer
// shows which stream is not an old one.
func (r *Receiver) passRoot() {
	if s := &r.join.search; r.cfg.Search.Draw && r.rounds == 1 && r.guard() == nil {
		s.seen = append(s.seen, candidate{id: r.cfg.Group, full: true})
		s.frontier[0], s.fresh = 1, 2
	}
}

// foundRoom reports whether a search that draws knows of somebody who has room: it does not ask again for others.
func (r *Receiver) foundRoom() bool {
	return r.cfg.Search.Draw && r.state == searching && r.join.search.best() >= 0
}

// soonEnough bounds the wait for others once somebody who has room has replied: to twice the time that took.
func (r *Receiver) soonEnough(now machine.Time) {
	if r.foundRoom() {
		sent := r.join.sent()
		r.timers.Set(&r.join.timer, keySearch, min(r.join.timer.Due(), now.Add(now.Sub(sent))))
	}
}

// askOne asks the joinable children of the frontier's f-th identifier and one of all, and its
// node how many links and joinable children there are.
func (r *Receiver) askOne(now machine.Time, f int, number uint64, out *machine.Outbox) {
	id := r.join.search.asks(f)
	a := &r.join.asked[f]
	a.sizes, a.drawn = [2]int{-1, -1}, true
	r.host.Probe([]i3.ID{id, a.sets[0]}, out)
	suffix := r.rng.Uint64()
	if r.cfg.Repair.Scheme == LowestLoss {
		suffix &= classUnknown&^1<<classShift - 1 // of any class but that of newcomers, if there are others
	}
	for k, to := range []i3.ID{a.sets[0], RepairGroup(id, suffix)} {
		b := r.message(now, TypeQuery, 0, 0, number|uint64(k)*drawnQuery|uint64(f), out)
		r.toID(to, appendQuery(b, r.host.Self(), r.cfg.Search.Metric), out)
		r.count.QueriesSent++
	}
}

// roomCounted learns from its node how many triggers the frontier's f-th identifier has. If
// there is room the search ends: the node knows better than the owner.
func (r *Receiver) roomCounted(now machine.Time, f int, a i3.Ack, out *machine.Outbox) {
	r.firstAnswer(now, r.join.sent())
	s, asked := &r.join.search, &r.join.asked[f]
	c := &s.seen[s.frontier[f]]
	asked.sizes[1] = min(1, max(0, int(a.Count)-1)) // one of those below it will answer
	if !c.host.IsValid() && a.Count < a.Limit {
		r.join.search = newSearch(r.cfg.Search, r.cfg.root) // who joins there has to know the source
		r.ask(now, out)
		return
	}
	if a.Count < a.Limit && !c.refused {
		c.full, s.frontier = false, s.frontier[:0]
		r.decide(now, out)
		return
	}
	r.advance(now, out)
}
