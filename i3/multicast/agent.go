package multicast

import (
	"math/bits"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// keyAgents is the public key of the hash that makes the agents' group.
var keyAgents = hashKey("i3bench agents")

// RootAgents returns the identifier, with a suffix, of those who answer for the
// root: the source and its agents, of whom an anycast query reaches one (section 3.2.1 of
// the paper: "spread the load across multiple root servers").
func RootAgents(idg i3.ID, suffix uint64) i3.ID { return derive(&keyAgents, idg, suffix) }

// agentSuffix returns the suffix of the n-th agent's trigger. The first 2^k halve
// all suffixes k times, so that queries with random ones reach each as often.
func agentSuffix(n uint8) uint64 { return bits.Reverse64(uint64(n)) }

// isAgent reports whether the receiver is one. No other looks at what is rare.
func (r *Receiver) isAgent() bool { return r.cfg.Agents && r.rare != nil && r.rare.agent > 0 }

// agentID returns the receiver's identifier among those who answer for the root,
// and whether it is an agent.
func (r *Receiver) agentID() (i3.ID, bool) {
	if !r.isAgent() {
		return i3.ID{}, false
	}
	return RootAgents(r.cfg.Group, agentSuffix(r.rare.agent)), true
}

// represent makes an agent that has come to its place answer for the root.
func (r *Receiver) represent(now machine.Time, out *machine.Outbox) {
	if id, ok := r.agentID(); ok {
		r.host.Maintain(now, r.host.Own(id), out)
		r.lookAtRoot(out)
	}
}

// lookAtRoot asks how many links there are at the group's identifier. An agent does
// so with every heartbeat: it is its only work.
func (r *Receiver) lookAtRoot(out *machine.Outbox) {
	if r.isAgent() {
		r.host.Probe([]i3.ID{r.cfg.Group}, out)
	}
}

// rootCount learns whether the group's identifier is full.
func (r *Receiver) rootCount(a i3.Ack) {
	if r.isAgent() && a.Trigger.ID == r.cfg.Group {
		r.rare.rootFull = a.Count >= a.Limit
	}
}

// represents answers a query to those who answer for the root, and reports whether
// it was one. While the group's identifier is full its distance decides nothing: a
// search goes on from it, whoever answers. Else it is compared, and only the source's
// own answer says how far the source is: the query is passed on to it. It has not
// answered whoever asks a second time.
func (r *Receiver) represents(now machine.Time, set i3.ID, m Message, body []byte, out *machine.Outbox) bool {
	id, ok := r.agentID()
	if !ok || id.Prefix() != set.Prefix() || id.Key() != set.Key() {
		return false
	}
	if full := r.rare.rootFull; full || m.Seq&secondQuery != 0 {
		r.reply(now, m, body, r.cfg.Group, 0, flagFull(full), out)
		return true
	}
	r.count.Passed++
	r.toID(JoinSet(r.cfg.root), append(m.AppendTo(out.Scratch()), body...), out)
	return true
}

// askRoot asks one of those who answer for the root. If that one does not answer
// the source is asked, too, where all find it.
func (r *Receiver) askRoot(now machine.Time, a *asking, number uint64, out *machine.Outbox) {
	a.sizes = [2]int{1, 0} // one answer will do
	to := []i3.ID{RootAgents(r.cfg.Group, r.rng.Uint64())}
	if r.join.again {
		to = append(to, a.sets[:]...)
	}
	for _, id := range to {
		b := r.message(now, TypeQuery, 0, 0, number, out)
		r.toID(id, appendQuery(b, r.host.Self(), r.cfg.Search.Metric), out)
		r.count.QueriesSent++
	}
}
