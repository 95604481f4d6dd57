package naive

import (
	"iter"
	"slices"

	"i3bench/i3"
	"i3bench/matcher"
)

// A Table holds triggers. Create it with [New].
type Table struct {
	cfg  matcher.Config
	list []entry
	pass []entry // what the current pass of Sweep still has to visit
}

type entry struct {
	id     i3.ID
	target matcher.Target
	expire matcher.Tick
}

func (e entry) live(now matcher.Tick) bool { return e.expire > now }

// New returns an empty table, or an error if a field of cfg is out of range.
func New(cfg matcher.Config) (*Table, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	return &Table{cfg: cfg}, nil
}

// Kernel names the implementation that runs.
func (t *Table) Kernel() string { return "naive" }

// Len returns the number of triggers stored, expired ones included.
func (t *Table) Len() int { return len(t.list) }

// index returns the place of a trigger in the list, or -1.
func (t *Table) index(id i3.ID, tg matcher.Target) int {
	return slices.IndexFunc(t.list, func(e entry) bool { return e.id == id && e.target == tg })
}

// Insert is described at matcher.Table.Insert. It fails with a
// *matcher.InsertError.
func (t *Table) Insert(id i3.ID, tg matcher.Target, now, expire matcher.Tick) (matcher.Outcome, error) {
	if expire <= now {
		return 0, &matcher.InsertError{ID: id, Now: now, Expire: expire, Err: matcher.ErrExpired}
	}
	if i := t.index(id, tg); i >= 0 {
		t.list[i].expire = expire
		return matcher.Refreshed, nil
	}
	if t.Count(id, now) >= t.cfg.MaxPerID {
		return 0, &matcher.InsertError{ID: id, Now: now, Expire: expire, Err: matcher.ErrPerID}
	}
	if t.stored(id) >= t.cfg.MaxPerID {
		t.reclaim(id, now)
	}
	if len(t.list) >= t.cfg.MaxTriggers {
		return 0, &matcher.InsertError{ID: id, Now: now, Expire: expire, Err: matcher.ErrFull}
	}
	t.list = append(t.list, entry{id, tg, expire})
	return matcher.Added, nil
}

// stored returns the number of triggers of an identifier, live or expired.
func (t *Table) stored(id i3.ID) (n int) {
	for _, e := range t.list {
		if e.id == id {
			n++
		}
	}
	return n
}

// reclaim drops the expired triggers of an identifier.
func (t *Table) reclaim(id i3.ID, now matcher.Tick) {
	for _, e := range slices.Clone(t.list) {
		if e.id == id && !e.live(now) {
			t.Remove(e.id, e.target)
			if t.cfg.Reclaimed != nil {
				t.cfg.Reclaimed(e.id, e.target)
			}
		}
	}
}

// Remove removes a trigger and reports whether it was stored, live or expired.
func (t *Table) Remove(id i3.ID, tg matcher.Target) bool {
	i := t.index(id, tg)
	if i < 0 {
		return false
	}
	t.list = slices.Delete(t.list, i, i+1)
	return true
}

// Count returns the number of live triggers of exactly this identifier.
func (t *Table) Count(id i3.ID, now matcher.Tick) (n int) {
	for _, e := range t.list {
		if e.id == id && e.live(now) {
			n++
		}
	}
	return n
}

// Match is described at matcher.Table.Match.
func (t *Table) Match(id i3.ID, now matcher.Tick, dst []matcher.Target) (winner i3.ID, targets []matcher.Target) {
	found := false
	for _, e := range t.list {
		if id.Matches(e.id) && e.live(now) && (!found || id.Distance(e.id) < id.Distance(winner)) {
			winner, found = e.id, true
		}
	}
	for _, e := range t.list {
		if found && e.id == winner && e.live(now) {
			dst = append(dst, e.target)
		}
	}
	return winner, dst
}

// MatchBatch does Match for every identifier of a batch.
func (t *Table) MatchBatch(ids []i3.ID, now matcher.Tick, m *matcher.Matches) {
	m.Reset()
	for _, id := range ids {
		winner, targets := t.Match(id, now, m.Targets)
		m.Targets = targets
		m.Matched = append(m.Matched, winner)
		m.Off = append(m.Off, uint32(len(targets)))
	}
}

// RefreshBatch sets the expiry of the triggers of a batch that are stored and
// appends the positions of the others, and of those that would expire at once,
// to missing.
func (t *Table) RefreshBatch(rs []matcher.Refresh, now matcher.Tick, missing []int) []int {
	for pos, r := range rs {
		i := t.index(r.ID, r.Target)
		if i < 0 || r.Expire <= now {
			missing = append(missing, pos)
			continue
		}
		t.list[i].expire = r.Expire
	}
	return missing
}

// Sweep removes expired triggers. It visits at most max of the triggers that
// were stored when the pass began, or all that are stored with max <= 0, and
// returns true at the end of the pass.
func (t *Table) Sweep(max int, now matcher.Tick, expired func(i3.ID, matcher.Target)) (done bool) {
	if len(t.pass) == 0 || max <= 0 {
		t.pass = slices.Clone(t.list)
	}
	if max <= 0 {
		max = len(t.pass)
	}
	for ; max > 0 && len(t.pass) > 0; max-- {
		e := t.pass[0]
		t.pass = t.pass[1:]
		if i := t.index(e.id, e.target); i >= 0 && !t.list[i].live(now) {
			t.list = slices.Delete(t.list, i, i+1)
			if expired != nil {
				expired(e.id, e.target)
			}
		}
	}
	return len(t.pass) == 0
}

// All returns the live triggers in the order of their insertion.
func (t *Table) All(now matcher.Tick) iter.Seq2[i3.ID, matcher.Target] {
	return func(yield func(i3.ID, matcher.Target) bool) {
		for _, e := range t.list {
			if e.live(now) && !yield(e.id, e.target) {
				return
			}
		}
	}
}

// Stats returns the number of triggers, identifiers and prefixes. The fields
// about memory and probes are 0.
func (t *Table) Stats() matcher.Stats {
	ids, prefixes := map[i3.ID]bool{}, map[i3.Exact]bool{}
	for _, e := range t.list {
		ids[e.id] = true
		prefixes[e.id.Exact()] = true
	}
	return matcher.Stats{Entries: len(t.list), Identifiers: len(ids), Prefixes: len(prefixes)}
}
