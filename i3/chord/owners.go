package chord

import (
	"net/netip"
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// An owners is a cache of who owns what, as lookups have told. Its ranges do not overlap and are in order of where they
// end, so that a prefix is found in a few steps, however many there are.
type owners struct {
	known   []known
	ends    []uint64 // where their ranges end, so that a search touches few cache lines
	wanted  []uint64 // prefixes to look for
	lookups []lookup
	next    machine.Time // when a member looks for what is wanted, at the earliest
	hints   int          // that a member may send until its next look
}

// A known is an owner that was found.
type known struct {
	Range
	place Place
	last  uint64 // prefix that was asked for
	used  bool
	check machine.Time // when it is asked again, if it is used
	until machine.Time // when it is forgotten
}

// Bounds of a cache.
const (
	maxKnown   = 1024 // the one that is to be asked first makes room
	maxWanted  = 32   // beyond these, a prefix has to be asked for again
	maxChecks  = 32   // owners that are asked again in a look, so that the cache costs little however large it is
	maxLookups = MaxFinds / 2
	maxHints   = 32 // told that they are wrong, in a look: who knows better sends more packets, and hears of it then
	// lookEvery is the least time between two looks for what packets want: whoever sends a node packets for prefixes
	// of his choice makes it look for no more than maxWanted owners in that time.
	lookEvery  = 100 * machine.Millisecond
	checkEvery = 2 * machine.Second
	forgetAt   = 60 * machine.Second
)

// find returns who owns a prefix, or nil.
func (o *owners) find(prefix uint64) *known {
	i, _ := slices.BinarySearch(o.ends, prefix)
	if i == len(o.known) {
		i = 0 // the one that goes over the top, if there is one
	}
	if i < len(o.known) && o.known[i].Contains(prefix) {
		return &o.known[i]
	}
	return nil
}

// use returns the address of who owns a prefix, which is to be asked again some time.
func (o *owners) use(prefix uint64) (netip.AddrPort, bool) {
	k := o.find(prefix)
	if k == nil {
		return netip.AddrPort{}, false
	}
	k.used, k.last = true, prefix
	return k.place.Addr, true
}

// want notes a prefix to look for, and reports whether that is new.
func (o *owners) want(prefix uint64) bool {
	if len(o.wanted) == maxWanted || slices.Contains(o.wanted, prefix) {
		return false
	}
	o.wanted = append(o.wanted, prefix)
	return true
}

// put remembers who was found to own a prefix, by what it says itself, and forgets what does not fit that.
func (o *owners) put(now machine.Time, prefix uint64, owner *message) {
	k := known{
		Range: Range{prefix - 1, owner.self.Prefix}, place: owner.self, last: prefix,
		check: now.Add(checkEvery), until: now.Add(forgetAt),
	}
	if owner.pred.known() && (Range{owner.pred.Prefix, owner.self.Prefix}).Contains(prefix) {
		k.Lo = owner.pred.Prefix
	}
	o.drop(func(p *known) bool { return p.place.Addr == k.place.Addr || p.Contains(k.Hi) || k.Contains(p.Hi) })
	if len(o.known) == maxKnown {
		oldest := 0
		for i := range o.known {
			if o.known[i].check < o.known[oldest].check {
				oldest = i
			}
		}
		o.known, o.ends = slices.Delete(o.known, oldest, oldest+1), slices.Delete(o.ends, oldest, oldest+1)
	}
	i, _ := slices.BinarySearch(o.ends, k.Hi)
	o.known, o.ends = slices.Insert(o.known, i, k), slices.Insert(o.ends, i, k.Hi)
}

// drop forgets some.
func (o *owners) drop(which func(k *known) bool) {
	o.known = slices.DeleteFunc(o.known, func(k known) bool { return which(&k) })
	o.ends = o.ends[:0]
	for i := range o.known {
		o.ends = append(o.ends, o.known[i].Hi)
	}
}

// remove forgets who owns a prefix.
func (o *owners) remove(prefix uint64) {
	o.drop(func(k *known) bool { return k.Contains(prefix) })
}

// forget forgets what somebody owns.
func (o *owners) forget(who netip.AddrPort) {
	o.drop(func(k *known) bool { return k.place.Addr == who })
}

// doubt has the owner of a prefix asked with the next look, if one is known.
func (o *owners) doubt(now machine.Time, prefix uint64) bool {
	k := o.find(prefix)
	if k != nil {
		k.check, k.used, k.last = now, true, prefix
	}
	return k != nil
}

// A lookup is one to begin: who owns a prefix, and who did, if that is known.
type lookup struct {
	prefix uint64
	was    Place
}

// due forgets what is too old, and returns what is to be looked for: wanted prefixes, and owners in use. The result is
// good until the next call.
func (o *owners) due(now machine.Time) []lookup {
	o.drop(func(k *known) bool { return now >= k.until })
	o.lookups = o.lookups[:0]
	for i := range o.known {
		if k := &o.known[i]; k.used && now >= k.check && len(o.lookups) < maxChecks {
			k.used, k.check = false, now.Add(checkEvery)
			o.lookups = append(o.lookups, lookup{k.last, k.place})
		}
	}
	for _, prefix := range o.wanted {
		if o.find(prefix) == nil {
			o.lookups = append(o.lookups, lookup{prefix: prefix})
		}
	}
	o.wanted = o.wanted[:0]
	return o.lookups
}

// lookForOwners looks for the owners that are due, as far as there is room for lookups: what is in use is wanted again.
func (m *Member) lookForOwners(now machine.Time, out *machine.Outbox) {
	m.owners.next = now.Add(lookEvery)
	for _, l := range m.owners.due(now) {
		f := find{prefix: l.prefix, purpose: toOwner}
		if !m.mayLookFor(l.prefix) {
			continue
		}
		if l.was.known() {
			f.owners = []Place{l.was}
		}
		if m.guest != nil {
			f.seeds = m.guest.seeds()
		}
		m.begin(now, f, out)
	}
}

// mayLookFor reports whether nobody looks for the owner of a prefix yet, and there is room for that.
func (m *Member) mayLookFor(prefix uint64) bool {
	room := maxLookups
	for i := range m.finds {
		if f := &m.finds[i]; f.open && f.purpose == toOwner {
			if room--; room == 0 || f.prefix == prefix {
				return false
			}
		}
	}
	return true
}

// Misdirected tells who has sent a packet, of so many bytes in all, that its prefix is not the member's, who passes it
// on: the sender may remember an owner that is none any more. That is told in fewer bytes than came, or not at all.
func (m *Member) Misdirected(from netip.AddrPort, prefix uint64, size int, out *machine.Outbox) {
	if !m.joined || m.owners.hints == 0 || size < i3.HeaderSize+messageHead {
		return
	}
	m.owners.hints--
	m.send(from, 0, &message{kind: kindMoved, self: m.cfg.Self, prefix: prefix}, messageHead, out)
}

// moved hears from a member that it does not own a prefix. If it was thought to, it is asked, which costs one question
// to who has answered before, whoever has really sent this.
func (m *Member) moved(now machine.Time, from netip.AddrPort, prefix uint64) {
	k := m.owners.find(prefix)
	if k == nil || k.place.Addr != from || k.check <= now {
		return
	}
	m.count.Told++
	m.owners.doubt(now, prefix)
	if m.guest != nil {
		m.guest.wake()
		return
	}
	m.timers.Set(&m.wanted, keyOwners, max(now, m.owners.next))
}

// ownerFound takes over what a lookup has found: with the state of the owner, or without one.
func (m *Member) ownerFound(now machine.Time, f *find, owner *message) {
	if owner != nil && owner.self != m.cfg.Self {
		m.owners.put(now, f.prefix, owner)
	}
	if m.guest != nil {
		m.guest.heard(owner)
	}
}
