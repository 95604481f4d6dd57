package node

import (
	"encoding/binary"
	"net/netip"

	"i3bench/asm"
	"i3bench/i3"
)

// A quota counts the triggers in the table by source, by target and by prefix and key. Each of these goes by 32 bits
// of a keyed hash: nobody can choose whose count is added to his, and for two of a million it changes little.
type quota struct {
	key     asm.Key
	limits  Limits
	on      bool // something is counted
	sources tally
	targets tally
	keys    tally
}

// A tally has a count for everybody who has one, so it is no larger than the table. A nil tally counts nothing.
type tally map[uint32]uint32

// newTally returns a tally for a cap, nil if there is none.
func newTally(limit int) tally {
	if limit < 0 {
		return nil
	}
	return make(tally)
}

func (t tally) add(who uint32) {
	if t != nil {
		t[who]++
	}
}

func (t tally) sub(who uint32) {
	switch {
	case t == nil:
	case t[who] > 1:
		t[who]--
	default:
		delete(t, who)
	}
}

// reached reports whether somebody has as many as the cap, if there is one.
func (t tally) reached(who uint32, limit int) bool { return t != nil && int(t[who]) >= limit }

func newQuota(l Limits, secret [16]byte) quota {
	return quota{
		key:     asm.NewKey(binary.LittleEndian.Uint64(secret[:8]), binary.LittleEndian.Uint64(secret[8:])),
		limits:  l,
		on:      l.MaxPerSource >= 0 || l.MaxPerTarget >= 0 || l.MaxPerKey >= 0 || l.MaxShare >= 0,
		sources: newTally(l.MaxPerSource),
		targets: newTally(l.MaxPerTarget),
		keys:    newTally(l.MaxPerKey),
	}
}

// What is hashed for a quota begins with a word that says what it is. None is as small as the number of a question,
// which is hashed under the same key.
const (
	hashProven  = (1<<16 - 1 - iota) << 48 // a host's address
	hashClaimed                            // the address that a request came from
	hashHost                               // a host's address and port
	hashID                                 // an identifier
)

func (q *quota) hash(what uint64, b [16]byte) uint64 {
	id := i3.NewID(what, i3.Key(b), 0)
	return asm.HashOne(&id, &q.key)
}

// sourceOf returns the hash of the source at an address: of all of an IPv4 address, of the network of another.
func (q *quota) sourceOf(what uint64, addr [16]byte) uint64 {
	if !netip.AddrFrom16(addr).Is4In6() {
		clear(addr[8:])
	}
	return q.hash(what, addr)
}

// claimed returns the hash of the source that a request says it comes from.
func (q *quota) claimed(from netip.AddrPort) uint64 {
	return q.sourceOf(hashClaimed, from.Addr().As16())
}

// A bill says whom a trigger counts for.
type bill struct{ source, target, key uint32 }

func (q *quota) bill(id i3.ID, e *target) bill {
	b := bill{source: q.source(e), key: uint32(asm.HashOne(&id, &q.key))}
	if to, ok := e.id(); ok {
		var rest [16]byte
		binary.BigEndian.PutUint64(rest[:], asm.HashOne(&to, &q.key))
		binary.BigEndian.PutUint64(rest[8:], to.Suffix())
		b.target = uint32(q.hash(hashID, rest))
		return b
	}
	port := uint64(e.wire[16])<<8 | uint64(e.wire[17])
	b.target = uint32(q.hash(hashHost|port, [16]byte(e.wire[:16])))
	return b
}

// source returns the account that a target counts for.
func (q *quota) source(e *target) uint32 {
	if e.kind == toID {
		return e.epoch
	}
	return uint32(q.sourceOf(hashProven, [16]byte(e.wire[:16])))
}

// over returns the status that refuses a new trigger, if one more would be too many, and counts it.
func (n *Node) over(id i3.ID, e *target) (i3.Status, bool) {
	q := &n.quota
	if !q.on {
		return 0, false
	}
	switch b := q.bill(id, e); {
	case q.sources.reached(b.source, q.limits.MaxPerSource):
		n.count.OverSource++
	case q.targets.reached(b.target, q.limits.MaxPerTarget):
		n.count.OverTarget++
	case q.keys.reached(b.key, q.limits.MaxPerKey):
		n.count.OverKey++
	case n.sharesOut(id, e, b.source):
		n.count.OverShare++
		return i3.StatusFull, true
	default:
		return 0, false
	}
	return i3.StatusNoRoom, true
}

// sharesOut reports whether a source has its share of an identifier's triggers.
func (n *Node) sharesOut(id i3.ID, e *target, source uint32) bool {
	most := n.quota.limits.MaxShare
	if most < 0 {
		return false
	}
	n.siblings = n.table.Stored(id, n.siblings[:0])
	if len(n.siblings) < most {
		return false
	}
	has := 0
	for _, h := range n.siblings {
		if s := n.targets.at(h); s.kind == e.kind && s.counted && n.quota.source(s) == source {
			has++
		}
	}
	return has >= most
}

// charge counts a trigger that is in the table, if it is not yet.
func (n *Node) charge(from netip.AddrPort, id i3.ID, e *target) {
	if e.counted || !n.quota.on {
		return
	}
	if e.kind == toID {
		e.epoch = uint32(n.quota.claimed(from))
	}
	b := n.quota.bill(id, e)
	n.quota.sources.add(b.source)
	n.quota.targets.add(b.target)
	n.quota.keys.add(b.key)
	e.counted = true
}

// release takes back the handle of a trigger that has left the table, and what it counted for.
func (n *Node) release(id i3.ID, h handle) {
	n.unbake(h)
	if e := n.targets.at(h); e.counted {
		b := n.quota.bill(id, e)
		n.quota.sources.sub(b.source)
		n.quota.targets.sub(b.target)
		n.quota.keys.sub(b.key)
	}
	if n.targets.at(h).pass != 0 {
		n.mirrors.count--
	}
	n.targets.release(h)
	n.packets.forget(h)
}
