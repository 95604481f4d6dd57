package multicast

import "i3bench/i3/machine"

// BetweenRounds reports whether a receiver waits for the next round of a search
// that found nobody.
func BetweenRounds(r *Receiver) bool { return r.state == idle && r.join.rounds > 0 }

// LossClass returns the class of the loss rate under which a receiver stands in
// its repair group.
func LossClass(r *Receiver) uint8 { return uint8(r.suffix >> 56) }

// Size returns the length of everything in a receiver that grows, and the bound
// that it has.
func Size(r *Receiver) map[string][2]int {
	return map[string][2]int{
		"losses":   {len(r.stream.losses), maxLosses},
		"pending":  {len(r.pending), maxPending},
		"replies":  {len(r.join.search.seen), maxSeen},
		"chain":    {len(r.chain), maxLevel + 3},
		"links":    {len(r.links), maxLevel + 3},
		"adopted":  {len(r.adopted), maxLevel + 1},
		"frontier": {len(r.join.asked), maxWidth},
		"cache":    {len(r.stream.slots), r.cfg.Cache},
	}
}

// LinkDue returns when a receiver will refresh the i-th link of its chain.
func LinkDue(r *Receiver, i int) machine.Time { return r.links[i].timer.Due() }

// SetLinkDue makes a receiver refresh the i-th link of its chain at a given time.
func SetLinkDue(r *Receiver, i int, at machine.Time) {
	r.timers.Set(&r.links[i].timer, keyLink|uint64(i), at)
}
