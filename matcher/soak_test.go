package matcher_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"i3bench/asm"
	"i3bench/i3"
	"i3bench/matcher"
)

// A soak runs very many operations in batches against an oracle that is as quick as the table: it knows all identifiers
// that can ever come by their numbers, and finds a group's winner by looking at every member.
type soak struct {
	t       *testing.T
	table   *matcher.Table
	rng     *rand.Rand
	ids     []i3.ID
	group   []int   // of each identifier, -1 for one that is alone
	members [][]int // of each group
	lists   [][]soakTrigger
	stored  int
	now     matcher.Tick
	ops     int
	kinds   map[string]int
	numbers map[i3.ID]int
}

type soakTrigger struct {
	target matcher.Target
	expire matcher.Tick
}

const (
	soakPerID    = 4
	soakTargets  = 6
	soakLifetime = 40
	soakFull     = 30_000
)

func newSoak(t *testing.T, seed uint64) *soak {
	s := &soak{t: t, rng: rand.New(rand.NewPCG(seed, 1)), kinds: map[string]int{}, numbers: map[i3.ID]int{}}
	for i, id := range randomIDs(20_000, seed) {
		g := -1
		if i%4 == 0 { // groups of 2 to 40
			if size := 2 + len(s.members)%39; len(s.members) == 0 || len(s.members[len(s.members)-1]) >= size {
				s.members = append(s.members, nil)
			}
			g = len(s.members) - 1
			if len(s.members[g]) > 0 {
				id = s.ids[s.members[g][0]].WithSuffix(id.Suffix() >> s.rng.Uint64N(64))
			}
			if _, twice := s.numbers[id]; twice {
				continue
			}
			s.members[g] = append(s.members[g], len(s.ids))
		}
		s.numbers[id] = len(s.ids)
		s.ids, s.group = append(s.ids, id), append(s.group, g)
	}
	s.lists = make([][]soakTrigger, len(s.ids))
	var err error
	s.table, err = matcher.New(matcher.Config{
		MaxTriggers: soakFull, MaxPerID: soakPerID, Seed: [16]byte{byte(seed)}, Reclaimed: s.gone,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// gone is called for what the table has dropped because it has expired.
func (s *soak) gone(id i3.ID, tg matcher.Target) {
	list := &s.lists[s.numbers[id]]
	i := slices.IndexFunc(*list, func(tr soakTrigger) bool { return tr.target == tg })
	if i < 0 || (*list)[i].expire > s.now {
		s.t.Fatalf("after %d operations: %v %d is gone, and had %v at tick %d", s.ops, id, tg, *list, s.now)
	}
	*list = slices.Delete(*list, i, i+1)
	s.stored--
}

// draw returns some triggers to write.
func (s *soak) draw(n int) []matcher.Refresh {
	rs := make([]matcher.Refresh, n)
	for i := range rs {
		rs[i] = matcher.Refresh{
			ID: s.ids[s.rng.IntN(len(s.ids))], Target: matcher.Target(s.rng.IntN(soakTargets)),
			Expire: s.now + matcher.Tick(s.rng.IntN(soakLifetime)),
		}
	}
	return rs
}

// find returns where a trigger is in its identifier's list, or -1.
func (s *soak) find(r matcher.Refresh) (list *[]soakTrigger, i int) {
	list = &s.lists[s.numbers[r.ID]]
	return list, slices.IndexFunc(*list, func(tr soakTrigger) bool { return tr.target == r.Target })
}

func (s *soak) insertSome() int {
	rs := s.draw(256)
	for i := range rs { // one by one, so that the oracle sees what is reclaimed when it is
		was := s.stored
		list, at := s.find(rs[i])
		expired := func(tr soakTrigger) bool { return tr.expire <= s.now }
		full := len(*list) == soakPerID && !slices.ContainsFunc(*list, expired)
		_, err := s.table.Insert(rs[i].ID, rs[i].Target, s.now, rs[i].Expire)
		switch {
		case rs[i].Expire <= s.now, at < 0 && full, at < 0 && s.stored >= soakFull:
			if err == nil {
				s.t.Fatalf("after %d operations: %+v at tick %d was stored: %v", s.ops, rs[i], s.now, *list)
			}
		case err != nil:
			s.t.Fatalf("after %d operations: %+v at tick %d: %v: %v, %d stored", s.ops, rs[i], s.now, err, *list, was)
		case at >= 0:
			(*list)[at].expire = rs[i].Expire
		default:
			*list = append(*list, soakTrigger{rs[i].Target, rs[i].Expire})
			s.stored++
		}
	}
	return len(rs)
}

func (s *soak) refreshBatch() int {
	rs := s.draw(256)
	missing := s.table.RefreshBatch(rs, s.now, nil)
	for i, r := range rs {
		list, at := s.find(r)
		isMissing := len(missing) > 0 && missing[0] == i
		if isMissing {
			missing = missing[1:]
		}
		if isMissing != (at < 0 || r.Expire <= s.now) {
			s.t.Fatalf("after %d operations: refresh %+v at tick %d: missing %v: %v", s.ops, r, s.now, isMissing, *list)
		}
		if !isMissing {
			(*list)[at].expire = r.Expire
		}
	}
	return len(rs)
}

func (s *soak) removeSome() int {
	rs := s.draw(32)
	for _, r := range rs {
		list, at := s.find(r)
		if s.table.Remove(r.ID, r.Target) != (at >= 0) {
			s.t.Fatalf("after %d operations: remove %+v: %v", s.ops, r, *list)
		}
		if at >= 0 {
			*list = slices.Delete(*list, at, at+1)
			s.stored--
		}
	}
	return len(rs)
}

// want returns the winner for a packet and its targets.
func (s *soak) want(id i3.ID, number int, dst []matcher.Target) (winner i3.ID, targets []matcher.Target) {
	candidates := []int{number}
	if g := s.group[number]; g >= 0 {
		candidates = s.members[g]
	}
	best := -1
	for _, c := range candidates {
		live := slices.ContainsFunc(s.lists[c], func(tr soakTrigger) bool { return tr.expire > s.now })
		if live && (best < 0 || id.Distance(s.ids[c]) < id.Distance(s.ids[best])) {
			best = c
		}
	}
	if best < 0 {
		return winner, dst
	}
	for _, tr := range s.lists[best] {
		if tr.expire > s.now {
			dst = append(dst, tr.target)
		}
	}
	return s.ids[best], dst
}

func (s *soak) matchBatch(m *matcher.Matches) int {
	var queries [1024]i3.ID
	var numbers [1024]int
	for i := range queries {
		numbers[i] = s.rng.IntN(len(s.ids))
		queries[i] = s.ids[numbers[i]].WithSuffix(s.ids[numbers[i]].Suffix() ^ s.rng.Uint64()>>s.rng.Uint64N(64)>>1)
	}
	n := 1 + s.rng.IntN(len(queries))
	s.table.MatchBatch(queries[:n], s.now, m)
	var dst [soakPerID]matcher.Target
	for i, id := range queries[:n] {
		winner, targets := s.want(id, numbers[i], dst[:0])
		if m.Matched[i] != winner || !slices.Equal(m.At(i), targets) {
			s.t.Fatalf("after %d operations: match %v at tick %d: %v %v, want %v %v",
				s.ops, id, s.now, m.Matched[i], m.At(i), winner, targets)
		}
	}
	return n
}

// run runs operations until there are so many, and ends with a look at everything.
func (s *soak) run(ops int) {
	var m matcher.Matches
	for s.ops < ops {
		kind, n := "match", 0
		switch k := s.rng.IntN(32); {
		case k < 6:
			kind, n = "insert", s.insertSome()
		case k < 8:
			kind, n = "refresh", s.refreshBatch()
		case k < 10:
			kind, n = "remove", s.removeSome()
		case k == 10:
			s.now++
			kind, n = "sweep", 1
			s.table.Sweep(s.rng.IntN(2000), s.now, s.gone)
		default:
			n = s.matchBatch(&m)
		}
		s.ops += n
		s.kinds[kind] += n
	}
	if err := s.table.Check(); err != nil || s.table.Len() != s.stored {
		s.t.Fatalf("after %d operations: %d triggers, want %d: %v", s.ops, s.table.Len(), s.stored, err)
	}
}

// TestSoak runs two million operations, or as many as the environment variable I3BENCH_OPS says (make soak), shared
// by the variants of the kernels.
func TestSoak(t *testing.T) {
	ops := 2_000_000
	if testing.Short() {
		ops = 200_000
	}
	if v := os.Getenv("I3BENCH_OPS"); v != "" {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || f < 1 {
			t.Fatalf("I3BENCH_OPS=%q: want a number of operations", v)
		}
		ops = int(f)
	}
	for i, kernel := range asm.Variants() {
		t.Run("kernel="+kernel, func(t *testing.T) {
			if err := asm.Use(kernel); err != nil {
				t.Fatal(err)
			}
			defer asm.Use(asm.Variants()[0])
			begun, s := time.Now(), newSoak(t, uint64(i)+1)
			const part = 10_000_000
			for todo := ops / len(asm.Variants()); s.ops < todo; {
				s.run(min(todo, s.ops+part))
				t.Logf("%s: %d of %d operations, %.0f s: %v, %d stored at tick %d",
					kernel, s.ops, todo, time.Since(begun).Seconds(), s.kinds, s.stored, s.now)
			}
		})
	}
}
