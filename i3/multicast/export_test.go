package multicast

import (
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// BetweenRounds reports whether a receiver waits for the next round of a search
// that found nobody.
func BetweenRounds(r *Receiver) bool { return r.state == idle && r.rounds > 0 }

// LossClass returns the class of the loss rate under which a receiver stands in
// its repair group.
func LossClass(r *Receiver) uint8 { return uint8(r.suffix >> 56) }

// Relays returns the identifiers of a source's relays, those first that have a
// place in the tree, and the number of these.
func Relays(s *Source) (ids []i3.ID, linked int) {
	for i := range s.relays {
		if s.relays[i].linked {
			ids = slices.Insert(ids, linked, s.relays[i].id)
			linked++
		} else {
			ids = append(ids, s.relays[i].id)
		}
	}
	return ids, linked
}

// Size returns the length of everything in a receiver that grows, and the bound
// that it has.
func Size(r *Receiver) map[string][2]int {
	join := r.join
	if join == nil {
		join = &joining{}
	}
	return map[string][2]int{
		"losses":   {len(r.stream.losses), maxLosses},
		"pending":  {len(r.more().pending), maxPending},
		"asides":   {len(r.more().asides), MaxSources},
		"replies":  {len(join.search.seen), maxSeen},
		"chain":    {len(r.chain), maxLevel + 3},
		"links":    {len(r.links), maxLevel + 3},
		"adopted":  {len(r.adopted()), maxLevel + 1},
		"frontier": {len(join.asked), maxWidth},
		"cache":    {len(r.stream.cache.slots), r.cfg.Cache},
	}
}

// LinkDue returns when a receiver will refresh the i-th link of its chain.
func LinkDue(r *Receiver, i int) machine.Time { return r.links[i].due }

// SetLinkDue makes a receiver refresh the i-th link of its chain at a given time.
func SetLinkDue(r *Receiver, i int, at machine.Time) {
	r.setDue(i, at)
}
