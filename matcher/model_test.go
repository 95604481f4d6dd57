package matcher_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/matcher"
	"i3bench/matcher/naive"
)

// table is what matcher.Table and naive.Table have in common.
type table interface {
	Insert(i3.ID, matcher.Target, matcher.Tick, matcher.Tick) (matcher.Outcome, error)
	Remove(i3.ID, matcher.Target) bool
	Count(i3.ID, matcher.Tick) int
	Match(i3.ID, matcher.Tick, []matcher.Target) (i3.ID, []matcher.Target)
	MatchBatch([]i3.ID, matcher.Tick, *matcher.Matches)
	RefreshBatch([]matcher.Refresh, matcher.Tick, []int) []int
	Sweep(int, matcher.Tick, func(i3.ID, matcher.Target)) bool
	Len() int
	Stats() matcher.Stats
	Kernel() string
}

var (
	_ table = (*matcher.Table)(nil)
	_ table = (*naive.Table)(nil)
)

// A pair is a trigger without its expiry.
type pair struct {
	id i3.ID
	tg matcher.Target
}

func comparePairs(a, b pair) int {
	return cmp.Or(a.id.Compare(b.id), cmp.Compare(a.tg, b.tg))
}

// A model runs operations on two tables with different seeds and on the
// oracle, and fails the test when they differ.
type model struct {
	t         testing.TB
	tables    [2]*matcher.Table
	oracle    *naive.Table
	reclaimed [3][]pair // by the tables and the oracle, in the current operation
	now       matcher.Tick
	ops       int
	mustGo    map[pair]bool // expired before the pass of Sweep began, and not touched since
	inPass    bool
	sweeper   int // which table a pass is made of: what it gives, the other removes
}

func newModel(t testing.TB, cfg matcher.Config) *model {
	m := &model{t: t, mustGo: map[pair]bool{}}
	note := func(i int) func(i3.ID, matcher.Target) {
		return func(id i3.ID, tg matcher.Target) { m.reclaimed[i] = append(m.reclaimed[i], pair{id, tg}) }
	}
	for i := range m.tables {
		c := cfg
		c.Seed[3] = byte(i) // table 0 has the zero seed
		c.Reclaimed = note(i)
		var err error
		if m.tables[i], err = matcher.New(c); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Reclaimed = note(2)
	var err error
	if m.oracle, err = naive.New(cfg); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *model) fatalf(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("operation %d at tick %d: %s", m.ops, m.now, fmt.Sprintf(format, args...))
}

// each calls f with both tables.
func (m *model) each(f func(name string, t *matcher.Table)) {
	for i, t := range m.tables {
		f(fmt.Sprintf("table %d", i), t)
	}
}

func (m *model) insert(id i3.ID, tg matcher.Target, expire matcher.Tick) {
	m.t.Helper()
	m.reclaimed = [3][]pair{}
	want, wantErr := m.oracle.Insert(id, tg, m.now, expire)
	m.each(func(name string, t *matcher.Table) {
		got, err := t.Insert(id, tg, m.now, expire)
		if got != want || !sameError(err, wantErr) {
			m.fatalf("%s: insert %v %d until %d: %v, %v, want %v, %v", name, id, tg, expire, got, err, want, wantErr)
		}
	})
	for i := range m.tables {
		if !slices.Equal(m.reclaimed[i], m.reclaimed[2]) {
			m.fatalf("table %d: insert %v %d reclaimed %v, want %v", i, id, tg, m.reclaimed[i], m.reclaimed[2])
		}
	}
	delete(m.mustGo, pair{id, tg})
	for _, p := range m.reclaimed[2] {
		delete(m.mustGo, p)
	}
}

func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Error() == b.Error() && errors.Is(a, errors.Unwrap(b))
}

func (m *model) remove(id i3.ID, tg matcher.Target) {
	m.t.Helper()
	want := m.oracle.Remove(id, tg)
	m.each(func(name string, t *matcher.Table) {
		if got := t.Remove(id, tg); got != want {
			m.fatalf("%s: remove %v %d: %v, want %v", name, id, tg, got, want)
		}
	})
	delete(m.mustGo, pair{id, tg})
}

func (m *model) count(id i3.ID) {
	m.t.Helper()
	want := m.oracle.Count(id, m.now)
	m.each(func(name string, t *matcher.Table) {
		if got := t.Count(id, m.now); got != want {
			m.fatalf("%s: count %v: %d, want %d", name, id, got, want)
		}
	})
}

func (m *model) match(id i3.ID) {
	m.t.Helper()
	before := []matcher.Target{77}
	winner, want := m.oracle.Match(id, m.now, before)
	m.each(func(name string, t *matcher.Table) {
		if w, got := t.Match(id, m.now, before); w != winner || !slices.Equal(got, want) {
			m.fatalf("%s: match %v: %v %v, want %v %v", name, id, w, got, winner, want)
		}
	})
}

func (m *model) matchBatch(ids []i3.ID) {
	m.t.Helper()
	var got, want matcher.Matches
	m.oracle.MatchBatch(ids, m.now, &want)
	m.each(func(name string, t *matcher.Table) {
		t.MatchBatch(ids, m.now, &got)
		if got.Len() != want.Len() || len(got.Off) != len(want.Off) || len(got.Targets) != len(want.Targets) {
			m.fatalf("%s: match batch of %d: %d results, %d targets, want %d targets",
				name, len(ids), got.Len(), len(got.Targets), len(want.Targets))
		}
		for i, id := range ids {
			if got.Matched[i] != want.Matched[i] || !slices.Equal(got.At(i), want.At(i)) {
				m.fatalf("%s: match batch, %d of %d: %v: %v %v, want %v %v",
					name, i, len(ids), id, got.Matched[i], got.At(i), want.Matched[i], want.At(i))
			}
		}
	})
}

func (m *model) refreshBatch(rs []matcher.Refresh) {
	m.t.Helper()
	want := m.oracle.RefreshBatch(rs, m.now, []int{-1})
	m.each(func(name string, t *matcher.Table) {
		if got := t.RefreshBatch(rs, m.now, []int{-1}); !slices.Equal(got, want) {
			m.fatalf("%s: refresh batch of %d: missing %v, want %v", name, len(rs), got, want)
		}
	})
	for _, r := range rs {
		delete(m.mustGo, pair{r.ID, r.Target})
	}
}

// dead returns the triggers of the oracle that have expired.
func (m *model) dead() map[pair]bool {
	d := map[pair]bool{}
	for id, tg := range m.oracle.All(0) { // every trigger expires after tick 0
		d[pair{id, tg}] = true
	}
	for id, tg := range m.oracle.All(m.now) {
		delete(d, pair{id, tg})
	}
	return d
}

// sweepStep lets the tables visit a few places, and the oracle follow.
func (m *model) sweepStep(max int) (done bool) {
	m.t.Helper()
	dead := m.dead()
	if !m.inPass {
		m.mustGo = maps.Clone(dead)
	}
	table, other := m.tables[m.sweeper], m.tables[1-m.sweeper]
	var got []pair
	done = table.Sweep(max, m.now, func(id i3.ID, tg matcher.Target) { got = append(got, pair{id, tg}) })
	if len(got) > max {
		m.fatalf("sweep %d gave %v", max, got)
	}
	for _, p := range got {
		if !dead[p] || !m.oracle.Remove(p.id, p.tg) || !other.Remove(p.id, p.tg) {
			m.fatalf("sweep %d gave %v, which has not expired or was given before", max, p)
		}
		delete(m.mustGo, p)
	}
	if done && len(m.mustGo) > 0 {
		m.fatalf("a pass of Sweep has left %v", m.mustGo)
	}
	if m.inPass = !done; done {
		m.sweeper = 1 - m.sweeper
	}
	return done
}

// sweepAll compares a whole pass.
func (m *model) sweepAll() {
	m.t.Helper()
	collect := func(t table) (ps []pair) {
		if !t.Sweep(0, m.now, func(id i3.ID, tg matcher.Target) { ps = append(ps, pair{id, tg}) }) {
			m.fatalf("%s: sweep of everything is not done", t.Kernel())
		}
		slices.SortFunc(ps, comparePairs)
		return ps
	}
	want := collect(m.oracle)
	m.each(func(name string, t *matcher.Table) {
		if got := collect(t); !slices.Equal(got, want) {
			m.fatalf("%s: sweep gave %v, want %v", name, got, want)
		}
	})
	m.mustGo, m.inPass = map[pair]bool{}, false
}

// check compares everything that can be seen from outside and looks inside.
func (m *model) check() {
	m.t.Helper()
	var all [3][]pair
	for i, t := range m.tables {
		for id, tg := range t.All(m.now) {
			all[i] = append(all[i], pair{id, tg})
		}
	}
	for id, tg := range m.oracle.All(m.now) {
		all[2] = append(all[2], pair{id, tg})
	}
	slices.SortFunc(all[2], comparePairs)
	for i := range all[:2] {
		slices.SortFunc(all[i], comparePairs)
		if !slices.Equal(all[i], all[2]) {
			m.fatalf("table %d: All: %v, want %v", i, all[i], all[2])
		}
	}
	want := m.oracle.Stats()
	m.each(func(name string, t *matcher.Table) {
		got := t.Stats()
		if t.Len() != m.oracle.Len() || got.Entries != want.Entries || got.Identifiers != want.Identifiers ||
			got.Prefixes != want.Prefixes {
			m.fatalf("%s: length %d and %+v, want %d and %+v", name, t.Len(), got, m.oracle.Len(), want)
		}
		if err := t.Check(); err != nil {
			m.fatalf("%s: %v", name, err)
		}
	})
}
