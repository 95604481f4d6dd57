package multicast

import (
	"slices"
	"time"

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
	join, moves := r.join, r.moves()
	if join == nil {
		join = &joining{}
	}
	excluded := 0
	if g := r.gauge(); g != nil {
		excluded = len(g.trial.excluded)
	}
	if moves == nil {
		moves = &mover{}
	}
	return map[string][2]int{
		"trains":   {len(join.search.trains), maxTrains},
		"excluded": {excluded, maxMoves},
		"losses":   {len(r.stream.losses), maxLosses},
		"pending":  {len(r.more().pending), maxPending},
		"asides":   {len(r.more().asides), MaxSources},
		"replies":  {len(join.search.seen), maxSeen},
		"chain":    {len(r.chain), maxLevel + 3},
		"links":    {len(r.links), maxLevel + 3},
		"adopted":  {len(r.adopted()), maxLevel + 1},
		"frontier": {len(join.asked), max(maxWidth, maxHeads)},
		"seats":    {len(moves.past), maxPast},
		"cache":    {len(r.stream.cache.slots), r.cfg.Cache},
	}
}

// LinkDue returns when a receiver will refresh the i-th link of its chain.
func LinkDue(r *Receiver, i int) machine.Time { return r.links[i].due }

// SetLinkDue makes a receiver refresh the i-th link of its chain at a given time.
func SetLinkDue(r *Receiver, i int, at machine.Time) {
	r.setDue(i, at)
}

// Seal gives a message the tag of a group's member for the packet that it is to
// come in.
func Seal(key [32]byte, group i3.ID, p i3.Packet, message []byte) []byte {
	c := core{cfg: &Config{Key: key, Group: group}}
	c.cfg.derive()
	c.useKey()
	return c.guard().seal(message, p.ID, p.Kind == i3.KindDirect)
}

// ForgeAdmit makes an answer to an ask as one who is not the source can, who saw the
// ask: with a key of its own, or behind the source's.
func ForgeAdmit(secret, asker [32]byte, name i3.ID, m Message, group i3.ID, i int) []byte {
	var told [i3.IDSize + 32]byte
	group.AppendTo(told[:0])
	d, head := newDoor(&Door{Secret: secret}), m.AppendTo(nil)
	d.name = name
	a, err := d.seal(asker, head, &told)
	if err != nil {
		panic(err)
	}
	if i%2 == 0 {
		a.Key = newDoor(&Door{Secret: [32]byte{1, 2, 3}}).public
	}
	return a.AppendTo(head)
}

// StopProbes makes a receiver look for no nearer parent any more.
func StopProbes(r *Receiver) {
	if r.moves() != nil {
		r.timers.Stop(&r.moves().probe)
	}
}

// MoveBelow makes a receiver move below the last identifier of a chain, of whatever it has heard.
func MoveBelow(r *Receiver, now machine.Time, chain []i3.ID, out *machine.Outbox) {
	chain = append(slices.Clone(chain), below(chain[len(chain)-1], r.id))
	r.mover().goal.host = r.host.Self()
	r.reseat(now, &seat{chain: chain, first: len(chain) - 1, mine: true, host: r.host.Self()}, out)
}

// EpochOf returns the epoch of a source.
func EpochOf(s *Source) uint32 { return s.epoch }

// DistanceOf returns a receiver's distance from the source on its own clock.
func DistanceOf(r *Receiver) time.Duration { return time.Duration(r.distance) }

// Asides returns the epochs of the streams that a receiver has beside the first.
func Asides(r *Receiver) (epochs []uint32) {
	for i := range r.more().asides {
		if a := &r.rare.asides[i]; a.used {
			epochs = append(epochs, a.epoch)
		}
	}
	return epochs
}

// ForgeEnd tells the tree that a source's stream goes to a number, as its successor
// would that has the packets of a member.
func ForgeEnd(s *Source, now machine.Time, high uint64, member *Receiver, out *machine.Outbox) {
	b := Message{Type: TypeEnd, Epoch: s.epoch, Seq: high, Time: s.local(now)}.AppendTo(out.Scratch())
	member.toID(s.cfg.Group, b, out)
}
