package multicast

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// A member is one receiver of a tree that exists only on paper, for searches
// that need no network.
type member struct {
	children []int
	distance int64 // dist(S, R, new)
	hop      int64 // of that, from R to new
}

// A paperTree is a tree of members. Member 0 is the source; an identifier's
// prefix is its member's number plus one.
type paperTree struct {
	degree  int
	members []member
}

func (p *paperTree) id(i int) i3.ID { return i3.NewID(uint64(i)<<1+2, i3.Key{}, 0) }

func (p *paperTree) number(id i3.ID) int { return int(id.Prefix()-2) >> 1 }

func (p *paperTree) full(i int) bool { return len(p.members[i].children) == p.degree }

// replies returns what the children of an identifier would reply.
func (p *paperTree) replies(id i3.ID, root i3.ID) []candidate {
	of := []int{0}
	if id != root {
		of = p.members[p.number(id)].children
	}
	var all []candidate
	for _, c := range of {
		all = append(all, candidate{
			id: p.id(c), distance: p.members[c].distance, hop: p.members[c].hop, full: p.full(c),
		})
	}
	return all
}

// newRoot is the identifier that searches of paper trees start at.
var newRoot = i3.NewID(1<<40, i3.Key{}, 0)

// find runs a whole search in which every reply arrives.
func (p *paperTree) find(policy SearchPolicy) *search {
	s := newSearch(policy, newRoot)
	for {
		for f, c := range slices.Clone(s.frontier) {
			for _, r := range p.replies(s.seen[c].id, newRoot) {
				s.add(f, r)
			}
		}
		if !s.next() {
			return &s
		}
	}
}

// figure4 is the joining algorithm as Figure 4 of the paper has it, word for
// word, after the step that the paper leaves out: a source that is not full is
// joined directly.
func (p *paperTree) figure4() (njoin int) {
	const source = 0
	if !p.full(source) {
		return source
	}
	selectNode := func(set []int) int {
		best := -1
		for _, n := range set {
			if best < 0 || p.members[n].distance < p.members[best].distance {
				best = n
			}
		}
		return best
	}
	split := func(n int) (jset, fset []int) {
		for _, c := range p.members[n].children {
			if p.full(c) {
				fset = append(fset, c)
			} else {
				jset = append(jset, c)
			}
		}
		return jset, fset
	}
	bestDist := int64(math.MaxInt64)
	ncurr := source
	for {
		jset, fset := split(ncurr)
		if n := selectNode(jset); n >= 0 && bestDist > p.members[n].distance {
			bestDist = p.members[n].distance
			njoin = n
		}
		if len(fset) == 0 {
			break
		}
		ncurr = selectNode(fset)
		if p.members[ncurr].distance >= bestDist {
			break
		}
	}
	return njoin
}

// drawTree draws a tree in the plane. Every member's distance is that of its
// path plus that from it to the new host, in steps so coarse that the number
// added to tell members apart changes no comparison.
func drawTree(t *rapid.T) *paperTree {
	p := &paperTree{degree: rapid.IntRange(2, 5).Draw(t, "degree")}
	n := rapid.IntRange(1, 120).Draw(t, "members")
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	point := func() complex128 { return complex(rng.Float64(), rng.Float64()) }
	apart := func(a, b complex128) float64 { return math.Hypot(real(a-b), imag(a-b)) }
	host := point()
	places, paths := []complex128{point()}, []float64{0}
	p.members = []member{{}}
	for i := 1; i < n; i++ {
		parent := rng.IntN(i)
		for p.full(parent) {
			parent = (parent + 1) % i
		}
		p.members[parent].children = append(p.members[parent].children, i)
		p.members = append(p.members, member{})
		places = append(places, point())
		paths = append(paths, paths[parent]+apart(places[parent], places[i]))
	}
	for i := range p.members {
		p.members[i].hop = int64(1e9*apart(places[i], host)) << 8
		p.members[i].distance = int64(1e9*(paths[i]+apart(places[i], host)))<<8 + int64(i)
	}
	return p
}

// With every reply there, a search of width one is Figure 4.
func TestSearchIsFigure4(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawTree(t)
		s := p.find(SearchPolicy{Width: 1})
		best := s.best()
		if best < 0 {
			t.Fatalf("the search found nobody among %d members", len(p.members))
		}
		got, want := p.number(s.seen[best].id), p.figure4()
		if got != want {
			t.Fatalf("joins at member %d (distance %d), Figure 4 at %d (%d)",
				got, p.members[got].distance, want, p.members[want].distance)
		}
	})
}

// A search that may look everywhere finds the best of all.
func TestSearchWideIsExhaustive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawTree(t)
		s := p.find(SearchPolicy{Width: len(p.members), Slack: math.MaxInt64 / 4})
		want := -1
		for i := range p.members {
			if !p.full(i) && (want < 0 || p.members[i].distance < p.members[want].distance) && reachable(p, i) {
				want = i
			}
		}
		if got := p.number(s.seen[s.best()].id); got != want {
			t.Fatalf("joins at member %d, the best is %d", got, want)
		}
	})
}

// Counting hops, a search that descends into every full child whose
// bound is below the best finds // the place of the least rank.
func TestSearchWithHopsMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawTree(t)
		policy := SearchPolicy{Width: len(p.members), HopPercent: rapid.IntRange(0, maxHopPercent).Draw(t, "percent")}
		rank := func(i int) int64 { return p.members[i].distance + p.members[i].hop*int64(policy.HopPercent)/100 }
		s := p.find(policy)
		want := -1
		for i := range p.members {
			if !p.full(i) && (want < 0 || rank(i) < rank(want)) && reachable(p, i) {
				want = i
			}
		}
		if got := p.number(s.seen[s.best()].id); got != want {
			t.Fatalf("joins at member %d of rank %d, the best is %d of %d", got, rank(got), want, rank(want))
		}
	})
}

// reachable reports whether every member above the i-th is full: joinable
// members' children are not asked, as in Figure 4.
func reachable(p *paperTree, i int) bool {
	if i == 0 {
		return true
	}
	for parent, m := range p.members {
		if slices.Contains(m.children, i) {
			return p.full(parent) && reachable(p, parent)
		}
	}
	return false
}

// wide is a two-level tree: the source with four children, three of them full,
// at the given distances, and their own children below.
func wide(joinable int64, full [3]int64, below [3]int64) *paperTree {
	p := &paperTree{degree: 4, members: make([]member, 17)}
	p.members[0].children = []int{1, 2, 3, 4}
	p.members[1].distance = joinable
	for i := range 3 {
		p.members[2+i].distance = full[i]
		for k := range 4 {
			c := 5 + 4*i + k
			p.members[2+i].children = append(p.members[2+i].children, c)
			p.members[c].distance = below[i] + int64(k)
		}
	}
	return p
}

func TestSearchPolicies(t *testing.T) {
	for _, c := range []struct {
		name            string
		policy          SearchPolicy
		tree            *paperTree
		member, visited int // where it joins, how many replied
	}{
		{"stops at a full child as far as the best", SearchPolicy{Width: 1},
			wide(50, [3]int64{50, 60, 70}, [3]int64{10, 10, 10}), 1, 5},
		{"descends into a closer full child", SearchPolicy{Width: 1},
			wide(50, [3]int64{49, 60, 70}, [3]int64{40, 10, 10}), 5, 9},
		{"keeps the best when what is below is farther", SearchPolicy{Width: 1},
			wide(50, [3]int64{49, 60, 70}, [3]int64{51, 10, 10}), 1, 9},
		{"slack descends a little farther", SearchPolicy{Width: 1, Slack: 11},
			wide(50, [3]int64{70, 60, 80}, [3]int64{10, 45, 10}), 9, 9},
		{"slack has an end", SearchPolicy{Width: 1, Slack: 10},
			wide(50, [3]int64{70, 60, 80}, [3]int64{10, 45, 10}), 1, 5},
		{"width one sees one branch", SearchPolicy{Width: 1},
			wide(50, [3]int64{30, 31, 32}, [3]int64{45, 40, 35}), 5, 9},
		{"width two sees two", SearchPolicy{Width: 2},
			wide(50, [3]int64{30, 31, 32}, [3]int64{45, 40, 35}), 9, 13},
		{"width eight sees them all", SearchPolicy{Width: 8},
			wide(50, [3]int64{30, 31, 32}, [3]int64{45, 40, 35}), 13, 17},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.tree.find(c.policy)
			if got := c.tree.number(s.seen[s.best()].id); got != c.member {
				t.Errorf("joins at member %d, want %d", got, c.member)
			}
			if got := len(s.seen) - 1; got != c.visited {
				t.Errorf("%d members replied, want %d", got, c.visited)
			}
		})
	}
}

// Places are compared with their hops counted more, branches without.
func TestSearchCountsHops(t *testing.T) {
	for _, c := range []struct {
		name    string
		percent int
		hops    map[int]int64 // of members
		tree    *paperTree
		member  int
	}{
		{"not counted", 0, map[int]int64{1: 40, 5: 0}, wide(50, [3]int64{50, 60, 70}, [3]int64{51, 90, 90}), 1},
		{"the near place", 50, map[int]int64{1: 40, 5: 2}, wide(50, [3]int64{50, 60, 70}, [3]int64{51, 90, 90}), 5},
		{"the far place is still better", 50, map[int]int64{1: 40, 5: 2},
			wide(50, [3]int64{50, 60, 70}, [3]int64{70, 90, 90}), 1},
		{"a far branch with a near place", 100, map[int]int64{1: 30, 2: 900, 5: 1},
			wide(50, [3]int64{70, 90, 90}, [3]int64{75, 90, 90}), 5},
		{"a branch at the bound is left", 100, map[int]int64{1: 20}, wide(50, [3]int64{70, 90, 90}, [3]int64{0, 0, 0}), 1},
		{"rounded down", 1, map[int]int64{1: 99, 5: 0}, wide(50, [3]int64{49, 90, 90}, [3]int64{50, 90, 90}), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, hop := range c.hops {
				c.tree.members[i].hop = hop
			}
			s := c.tree.find(SearchPolicy{Width: 1, HopPercent: c.percent})
			if got := c.tree.number(s.seen[s.best()].id); got != c.member {
				t.Errorf("joins at member %d, want %d", got, c.member)
			}
		})
	}
}

// The longest hop at the highest price is a number like any, and clocks that are
// wrong, or forged, make none that is longer or negative.
func TestSearchHopsDoNotOverflow(t *testing.T) {
	s := newSearch(SearchPolicy{Width: 1, HopPercent: maxHopPercent}, newRoot)
	far := candidate{distance: int64(maxHop), hop: int64(maxHop)}
	if got, want := s.rank(&far), 11*int64(maxHop); got != want {
		t.Errorf("rank %d, want %d", got, want)
	}
	for measured, want := range map[int64]int64{
		-1: 0, 0: 0, 1: 1, int64(maxHop): int64(maxHop), int64(maxHop) + 1: int64(maxHop),
		math.MaxInt64: int64(maxHop), math.MinInt64: 0,
	} {
		if got := hopTime(measured); got != want {
			t.Errorf("a hop measured as %d counts as %d, want %d", measured, got, want)
		}
	}
}

// A branch in which nobody replies is left for the next best.
func TestSearchBacktracks(t *testing.T) {
	tree := wide(0, [3]int64{30, 31, 32}, [3]int64{45, 40, 35})
	s := newSearch(SearchPolicy{Width: 1}, newRoot)
	s.add(0, candidate{id: tree.id(0), full: true})
	if !s.next() {
		t.Fatal("the search ends at a full source")
	}
	for _, c := range tree.replies(tree.id(0), newRoot)[1:] { // the joinable one's reply is lost
		s.add(0, c)
	}
	for branch, want := range []int{2, 3, 4} {
		if !s.next() || len(s.frontier) != 1 || tree.number(s.seen[s.frontier[0]].id) != want {
			t.Fatalf("branch %d: frontier %v, want member %d", branch, s.frontier, want)
		}
		if branch == 2 {
			s.add(0, tree.replies(tree.id(want), newRoot)[3])
		}
	}
	if s.next() {
		t.Error("the search goes on with a candidate found and nothing closer")
	}
	best := s.best()
	if best < 0 || tree.number(s.seen[best].id) != 16 {
		t.Fatalf("best is %d, want member 16, the only one that replied", best)
	}
	if got, want := s.chain(best), []i3.ID{tree.id(0), tree.id(4), tree.id(16)}; !slices.Equal(got, want) {
		t.Errorf("chain %v, want %v", got, want)
	}
}

// A search whose every branch is silent ends, and begins none again.
func TestSearchEnds(t *testing.T) {
	s := newSearch(SearchPolicy{Width: 2}, newRoot)
	s.add(0, candidate{id: i3.NewID(2, i3.Key{}, 0), full: true})
	if !s.next() {
		t.Fatal("the search ends at a full source")
	}
	if s.next() || s.resume() || s.best() >= 0 {
		t.Errorf("a search without replies goes on: frontier %v, best %d", s.frontier, s.best())
	}
}

// After a refusal the next best candidate is taken, and when none is left the
// refusing ones, now known to be full, are descended into.
func TestSearchRefusals(t *testing.T) {
	tree := wide(50, [3]int64{60, 70, 80}, [3]int64{90, 90, 90})
	tree.degree = 5 // so that none is full
	s := newSearch(SearchPolicy{Width: 1}, newRoot)
	s.add(0, candidate{id: tree.id(0), full: true, distance: 1})
	s.next()
	for _, c := range tree.replies(tree.id(0), newRoot) {
		s.add(0, c)
	}
	if s.next() {
		t.Fatal("descends although no child is full")
	}
	for _, want := range []int{1, 2, 3, 4} {
		best := s.best()
		if best < 0 || tree.number(s.seen[best].id) != want {
			t.Fatalf("best is %d, want member %d", best, want)
		}
		s.refuse(best)
	}
	if s.best() >= 0 {
		t.Fatal("a candidate that refused is the best")
	}
	for more, want := s.resume(), 1; want <= 4; more, want = s.next(), want+1 {
		if !more || len(s.frontier) != 1 || tree.number(s.seen[s.frontier[0]].id) != want {
			t.Fatalf("resumes at %v, want member %d", s.frontier, want)
		}
	}
	if s.next() || s.resume() {
		t.Error("goes on with nothing left")
	}
}

// A search goes no deeper than the deepest tree.
func TestSearchDepth(t *testing.T) {
	s := newSearch(SearchPolicy{Width: 1}, newRoot)
	depth := 0
	for ; depth < 1000; depth++ {
		s.add(0, candidate{id: i3.NewID(uint64(depth)*2+2, i3.Key{}, 0), full: true})
		if !s.next() {
			break
		}
	}
	if depth != maxLevel {
		t.Errorf("the search descends to level %d, want %d", depth, maxLevel)
	}
}

// What a search remembers is bounded, and an identifier that replies twice
// counts once, with its shorter distance.
func TestSearchAdd(t *testing.T) {
	s := newSearch(SearchPolicy{Width: 1}, newRoot)
	id := i3.NewID(2, i3.Key{}, 0)
	for _, d := range []int64{30, 20, 40} {
		s.add(0, candidate{id: id, distance: d, hop: d / 10})
	}
	if c := s.seen[1]; len(s.seen) != 2 || c.distance != 20 || c.hop != 2 || c.level != 0 || c.parent != 0 {
		t.Errorf("three replies of one identifier: %+v", s.seen[1:])
	}
	for i := range 2 * maxSeen {
		s.add(0, candidate{id: i3.NewID(uint64(i)*2+4, i3.Key{}, 0), distance: 50})
	}
	if len(s.seen) != maxSeen {
		t.Errorf("%d replies remembered, want %d", len(s.seen), maxSeen)
	}
	if s.best() != 1 {
		t.Errorf("best is %d, want the first", s.best())
	}
}
