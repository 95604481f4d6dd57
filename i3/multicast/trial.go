package multicast

import (
	"net/netip"
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// A trial is a receiver's judgement of the place it has joined at: what comes there
// against what the parent promised. A reply costs nothing and proves nothing; who
// claims to be next to the source, and loses what it is to pass on, keeps nobody for
// longer than this.
type trial struct {
	on       bool
	moves    uint8
	promise  int64  // distance
	value    uint32 // of the metric
	first    uint64 // number of the first packet that came in this place
	last     uint64 // and the highest
	packets  uint32 // that came
	source   netip.AddrPort
	excluded []exclusion
}

// An exclusion is a place that did not keep its promise, and who gave it.
type exclusion struct {
	id   i3.ID
	host netip.AddrPort
}

// Bounds of a trial.
const (
	// DefaultTrial is after how many packets a place is judged, if it is.
	DefaultTrial = 64
	// DefaultMoves is how many places a receiver leaves at most.
	DefaultMoves = 3
	// maxMoves bounds SearchPolicy.Moves.
	maxMoves = 16
	// lateness is what is no shortfall of a delay in any case.
	lateness = 50 * machine.Millisecond
	// ownLoss is what a receiver's own last hop may lose of a million packets: no
	// parent's promise is about that.
	ownLoss = AllLost / 8
	// narrower is how many times narrower a place must be than was promised: others
	// that have joined since share the parent's node, which sends to each in turn.
	narrower = 10
)

// begin begins the trial of a place.
func (t *trial) begin(moves int, c *candidate, clock int64) {
	t.on = int(t.moves) < moves
	t.promise, t.value = max(c.distance, -clock), c.value // nothing is nearer than the source
	t.first, t.last, t.packets = 0, 0, 0
}

// received counts a packet that came down the tree.
func (t *trial) received(seq uint64) {
	if t.first == 0 {
		t.first = seq
	}
	t.last = max(t.last, seq)
	t.packets++
}

// lost returns how many packets of a million did not come.
func (t *trial) lost() uint32 {
	sent := t.last - t.first + 1
	if t.packets == 0 || uint64(t.packets) >= sent {
		return 0
	}
	return uint32((sent - uint64(t.packets)) * AllLost / sent)
}

// excludes reports whether a place, or who offers it, has fallen short before.
func (t *trial) excludes(id i3.ID, host netip.AddrPort) bool {
	return slices.ContainsFunc(t.excluded, func(e exclusion) bool { return e.id == id || e.host == host })
}

// exclude makes later searches leave out a place and whoever offers it, but not the
// source: all that it offers lies on the same node.
func (t *trial) exclude(id i3.ID, host netip.AddrPort) {
	if host == t.source {
		host = netip.AddrPort{}
	}
	t.moves++
	t.excluded = append(t.excluded, exclusion{id, host})
}

// onTrial begins to measure a new place. At one of the group's own identifier there
// is nothing to judge: everything comes that way.
func (r *Receiver) onTrial(c *candidate) {
	g := r.gauge()
	if g == nil {
		return
	}
	r.lossRate = lossRate{}
	g.attached(r.cfg.Search.Metric, c.value)
	moves := r.cfg.Search.Moves
	if r.cfg.Search.Trial <= 0 || r.Level() <= 1 {
		moves = 0
	}
	g.trial.begin(moves, c, r.clock)
}

// followed ends the trial of a place whose promise is of no account any more: one
// above it has moved.
func (r *Receiver) followed() {
	if g := r.gauge(); g != nil {
		g.trial.on = false
	}
}

// judge ends the trial once enough has come, or nothing. It returns true if the
// receiver has left its place.
func (r *Receiver) judge(now machine.Time, out *machine.Outbox) bool {
	g := r.gauge()
	if loss, ok := r.lossRate.perMillion(); ok {
		g.loss = loss
	}
	t := &g.trial
	if !t.on {
		return false
	}
	silent := now.Sub(r.heard) > silentBeats*r.cfg.HeartbeatMax
	switch {
	case silent || r.fallsShort():
	case uint64(t.last-t.first) < uint64(r.cfg.Search.Trial):
		return false
	default:
		t.on = false
		return false
	}
	t.exclude(r.parent(), r.parentHost)
	g.count.Shortfalls++
	r.rejoin(now, out)
	return true
}

// fallsShort reports whether what has come is clearly worse than what was promised.
// The delay shows with the first packets, the others when the trial ends.
func (r *Receiver) fallsShort() bool {
	g := r.gauge()
	t := &g.trial
	if r.cfg.Search.Metric == Delay && r.distances.next >= windowSize {
		whole := t.promise + r.clock // on the source's clock, as well as that is known
		if r.distance-t.promise > max(int64(lateness), whole) {
			return true
		}
	}
	if t.last-t.first < uint64(r.cfg.Search.Trial) {
		return false
	}
	lost := t.lost()
	switch {
	case lost > AllLost/2: // whatever was promised
		return true
	case t.value == Unknown:
		return false
	case r.cfg.Search.Metric == Loss:
		return uint64(lost) > 2*uint64(t.value)+ownLoss
	case r.cfg.Search.Metric == Bandwidth:
		return g.pairs >= enoughPairs && g.bandwidth < t.value/narrower
	}
	return false
}

// excludes reports whether a reply from a child of the frontier's f-th identifier is
// for a place that fell short before. The source is always asked.
func (r *Receiver) excludes(f int, id i3.ID, host netip.AddrPort) bool {
	g := r.gauge()
	if g == nil {
		return false
	}
	if r.atRoot(f) {
		g.trial.source = host
		return false
	}
	return g.trial.excludes(id, host)
}

// forgive lets the next search see all places again: without those that fell short
// this one found none.
func (r *Receiver) forgive() {
	if g := r.gauge(); g != nil {
		g.trial.excluded = nil
	}
}
