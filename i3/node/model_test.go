package node_test

import (
	"net/netip"
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// A model is the node written to be obviously right: a list of triggers in the order of their insertion. Times are
// whole milliseconds, so that a trigger is live before its expiry and not at it.
type model struct {
	cfg     node.Config
	cookies *i3.Cookies
	stored  []stored
	count   node.Counters
}

type stored struct {
	i3.Trigger
	owner  i3.Key
	source source
	expire machine.Time
}

// A source is whom a trigger counts for.
type source struct {
	proven bool
	addr   netip.Addr
}

// sourceOf returns whom a trigger counts for that is asked for from an address.
func sourceOf(from netip.AddrPort, t i3.Trigger) source {
	host, proven := t.Target.Host()
	if proven {
		from = host
	}
	addr := from.Addr()
	if addr.Is6() {
		network, _ := addr.Prefix(64)
		addr = network.Addr()
	}
	return source{proven, addr}
}

func (m *model) find(t i3.Trigger) int {
	return slices.IndexFunc(m.stored, func(s stored) bool { return s.Trigger == t })
}

// with returns the number of stored triggers of id that satisfy ok.
func (m *model) with(id i3.ID, ok func(stored) bool) int {
	return m.number(func(s stored) bool { return s.ID == id && ok(s) })
}

// number returns the number of stored triggers that satisfy ok.
func (m *model) number(ok func(stored) bool) (n int) {
	for _, s := range m.stored {
		if ok(s) {
			n++
		}
	}
	return n
}

// over returns what a new trigger is refused with if a quota is used up, and the counter that tells.
func (m *model) over(t i3.Trigger, from source) (i3.Status, *uint64) {
	reached := func(limit int, ok func(stored) bool) bool { return limit >= 0 && m.number(ok) >= limit }
	l := m.cfg.Limits
	switch {
	case reached(l.MaxPerSource, func(s stored) bool { return s.source == from }):
		return i3.StatusNoRoom, &m.count.OverSource
	case reached(l.MaxPerTarget, func(s stored) bool { return aimOf(s.Target) == aimOf(t.Target) }):
		return i3.StatusNoRoom, &m.count.OverTarget
	case reached(l.MaxPerKey, func(s stored) bool { return s.ID.Matches(t.ID) }):
		return i3.StatusNoRoom, &m.count.OverKey
	case reached(l.MaxShare, func(s stored) bool { return s.ID == t.ID && s.source == from }):
		return i3.StatusFull, &m.count.OverShare
	}
	return 0, nil
}

// aimOf returns what a target is to its quota: a host whatever the key.
func aimOf(t i3.Target) i3.Target {
	if addr, ok := t.Host(); ok {
		return i3.ToHost(addr, i3.Key{})
	}
	return t
}

// drop forgets the stored triggers that satisfy gone.
func (m *model) drop(gone func(stored) bool) {
	before := len(m.stored)
	m.stored = slices.DeleteFunc(m.stored, gone)
	m.count.Expired += uint64(before - len(m.stored))
}

// An answer is what the model expects for one request.
type answer struct {
	to         netip.AddrPort
	acks       []i3.Ack
	challenges []i3.Challenge
}

func (m *model) request(now machine.Time, from netip.AddrPort, kind i3.Kind, ins []i3.Insert) (a answer) {
	m.count.Packets++
	epoch := uint32(now / machine.Time(60*machine.Second))
	for _, in := range ins {
		addr, isHost := in.Trigger.Target.Host()
		right := m.cookies.Nonce(epoch, in.Trigger)
		if isHost && !in.Probe && in.Nonce != right && in.Nonce != m.cookies.Nonce(epoch-1, in.Trigger) {
			a.to = addr
			a.challenges = append(a.challenges, i3.Challenge{Trigger: in.Trigger, Nonce: right})
		}
	}
	if len(a.challenges) > 0 {
		m.count.Challenged++
		return a
	}
	a.to = from
	for _, in := range ins {
		status, counter := m.apply(now, from, kind, in)
		*counter++
		a.acks = append(a.acks, i3.Ack{
			Trigger: in.Trigger, Status: status, Epoch: m.cfg.Epoch, Lo: m.cfg.Range.Lo, Hi: m.cfg.Range.Hi,
			Count:      uint16(m.with(in.Trigger.ID, func(s stored) bool { return s.expire > now })),
			Limit:      uint16(m.cfg.MaxPerID),
			LifetimeMS: uint32(m.cfg.Lifetime / machine.Millisecond),
		})
	}
	return a
}

// apply carries out one entry and returns what became of it and the counter that tells.
func (m *model) apply(now machine.Time, from netip.AddrPort, kind i3.Kind, in i3.Insert) (i3.Status, *uint64) {
	var ignored uint64
	id, i := in.Trigger.ID, m.find(in.Trigger)
	_, chained := in.Trigger.Target.ID()
	owned := i >= 0 && m.stored[i].owner != i3.Key{} && m.stored[i].owner == i3.OwnerOf(in.Nonce)
	switch {
	case kind == i3.KindRemove && i < 0:
		return i3.StatusMissing, &ignored
	case kind == i3.KindRemove && chained && !owned:
		return i3.StatusRefused, &m.count.Refused
	case kind == i3.KindRemove:
		m.stored = slices.Delete(m.stored, i, i+1)
		return i3.StatusRemoved, &m.count.Removed
	case !m.cfg.Range.Contains(id.Prefix()):
		return i3.StatusNotOwner, &m.count.NotOwner
	case i3.CheckConstraint(in.Trigger) != nil:
		return i3.StatusRefused, &m.count.Refused
	case in.Probe:
		return i3.StatusProbed, &m.count.Probed
	case chained && m.folds(now, in.Trigger):
		return i3.StatusRefused, &m.count.Refused
	case i >= 0:
		m.stored[i].expire = now.Add(m.cfg.Lifetime)
		return i3.StatusRefreshed, &m.count.Refreshed
	}
	if status, counter := m.over(in.Trigger, sourceOf(from, in.Trigger)); counter != nil {
		return status, counter
	}
	all := func(stored) bool { return true }
	if m.with(id, all) == m.cfg.MaxPerID {
		m.drop(func(s stored) bool { return s.ID == id && s.expire <= now })
	}
	switch {
	case m.with(id, all) == m.cfg.MaxPerID:
		return i3.StatusFull, &m.count.Full
	case len(m.stored) == m.cfg.MaxTriggers:
		return i3.StatusNoRoom, &m.count.NoRoom
	}
	m.stored = append(m.stored, stored{in.Trigger, in.Owner, sourceOf(from, in.Trigger), now.Add(m.cfg.Lifetime)})
	return i3.StatusInserted, &m.count.Inserted
}

// folds reports whether another live link of the identifier leads to the same place as t.
func (m *model) folds(now machine.Time, t i3.Trigger) bool {
	id, _ := t.Target.ID()
	return m.with(t.ID, func(s stored) bool {
		other, chained := s.Target.ID()
		return s.expire > now && chained && other != id && other.Exact() == id.Exact()
	}) > 0
}

// winner returns the live triggers that a packet to id goes to.
func (m *model) winner(now machine.Time, id i3.ID) (best []stored) {
	for _, s := range m.stored {
		switch {
		case s.expire <= now || !id.Matches(s.ID):
		case len(best) == 0 || id.Distance(s.ID) < id.Distance(best[0].ID):
			best = []stored{s}
		case s.ID == best[0].ID:
			best = append(best, s)
		}
	}
	return best
}

// data returns the copies of one packet, in the order of the identifiers on its way.
func (m *model) data(now machine.Time, id i3.ID, hops uint8, payload string) (all []copied) {
	m.count.Packets++
	m.count.Data++
	if hops == 0 {
		m.count.DropHopLimit++
		return nil
	}
	leaves := func(id i3.ID) string { return string(dataWithin(id, hops-1, payload)) }
	if !m.cfg.Range.Contains(id.Prefix()) {
		m.count.Misdirected++
		return []copied{{away, leaves(id)}}
	}
	wave := []i3.ID{id}
	for range node.MaxLocal {
		var next []i3.ID
		for _, id := range wave {
			to := m.winner(now, id)
			if len(to) == 0 {
				m.count.DropNoMatch++
				continue
			}
			m.count.Matched++
			for _, s := range to {
				addr, isHost := s.Target.Host()
				target, _ := s.Target.ID()
				switch {
				case isHost:
					m.count.HostCopies++
					all = append(all, copied{addr, leaves(id)})
				case m.cfg.Range.Contains(target.Prefix()):
					next = append(next, target)
				default:
					all = append(all, copied{away, leaves(target)})
				}
			}
		}
		wave = next
	}
	m.count.Copies += uint64(len(all))
	m.count.DropHopLimit += uint64(len(wave))
	return all
}
