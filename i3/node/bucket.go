package node

import (
	"net/netip"

	"i3bench/i3/machine"
)

// paceOf returns the pace of a rate; zero if there is none.
func paceOf(r Rate) machine.Pace { return machine.PaceOf(r.PerSecond, r.Burst) }

// Buckets has those of the sources that asked for something of late. It does not grow: a bucket that is full is as good
// as none, and when all of a set's are not, the fullest gives way. Whoever it was begins with a full one, so when
// there are more sources than buckets the limit is less strict, and never stricter.
type buckets struct {
	pace machine.Pace
	sets *[bucketSets][4]bucket // one cache line each; nil before the first request
}

// bucketSets is a power of two: 4,096 buckets in 64 KiB. With 13 tokens taken every 15 s each is full again after some
// milliseconds, so few are ever needed at once.
const bucketSets = 1 << 10

type bucket struct {
	who  uint64 // a keyed hash
	full machine.Time
}

// take takes tokens of somebody.
func (b *buckets) take(who uint64, now machine.Time, tokens int) bool {
	if b.sets == nil {
		b.sets = new([bucketSets][4]bucket)
	}
	set := &b.sets[who%bucketSets]
	fullest := &set[0]
	for i := range set {
		if set[i].who == who {
			return b.pace.Take(&set[i].full, now, tokens)
		}
		if set[i].full < fullest.full {
			fullest = &set[i]
		}
	}
	*fullest = bucket{who: who}
	return b.pace.Take(&fullest.full, now, tokens)
}

// admit reports whether the source of a request may have its entries handled now. Anybody can write the address of
// another on a request, and so use up what is for him. Hence, who has nothing left may still refresh or remove what is
// in the table, for which he must know it: that goes on the account that the first such trigger counts for.
func (n *Node) admit(now machine.Time, from netip.AddrPort) bool {
	if n.requests.pace.Each == 0 || n.requests.take(n.quota.claimed(from), now, len(n.entries)) {
		return true
	}
	if e := n.allKnown(); e != nil {
		const known = 1 << 32 // what a source asks for itself has another bucket
		if n.requests.take(known|uint64(n.quota.source(e)), now, len(n.entries)) {
			return true
		}
	}
	n.count.DropRate++
	return false
}

// allKnown returns the target of the first entry if all entries are in the table, else nil.
func (n *Node) allKnown() (first *target) {
	for _, in := range n.entries {
		h, ok := n.find(in.Trigger)
		if !ok || in.Probe {
			return nil
		}
		if first == nil {
			first = n.targets.at(h)
		}
	}
	return first
}

// Packets has a bucket for each trigger, if packets are limited.
type packets struct {
	pace machine.Pace
	full []machine.Time // by handle
}

// forget gives whoever has a handle next a full bucket.
func (p *packets) forget(h handle) {
	if int(h) < len(p.full) {
		p.full[h] = 0
	}
}

// limitPackets takes from the matches of a wave the triggers that have forwarded their share, and from the wave the
// packets that have none left.
func (n *Node) limitPackets(now machine.Time) {
	if more := len(n.targets.entries) - len(n.packets.full); more > 0 {
		n.packets.full = append(n.packets.full, make([]machine.Time, more)...)
	}
	m, wave, kept, begin := &n.matches, n.wave[:0], 0, uint32(0)
	for i, a := range n.wave {
		end, before := m.Off[i+1], kept
		for _, h := range m.Targets[begin:end] {
			if n.packets.pace.Take(&n.packets.full[h], now, 1) {
				m.Targets[kept] = h
				kept++
			}
		}
		n.count.DropPace += uint64(end-begin) - uint64(kept-before)
		if kept == before && begin < end {
			n.count.Matched++
		} else {
			wave = append(wave, a)
			m.Off[len(wave)] = uint32(kept)
		}
		begin = end
	}
	n.wave = wave
}
