package multicast

import (
	"cmp"
	"net/netip"
	"slices"

	"i3bench/i3"
)

// A search is the state of Figures 4 and 6 of the paper: which identifiers were
// visited, what their children replied, and where to go next. It decides; it
// sends nothing and knows no time.
type search struct {
	policy SearchPolicy
	// seen holds the root of the search and every identifier that replied.
	seen []candidate
	// frontier are the candidates whose children are being asked, by index.
	frontier []int
	expanded []int // those asked before
	fresh    int   // the first of seen that may be a child of the frontier
	// trains are those yet to come back, and measured says that there were any.
	trains   []train
	measured bool
}

// A candidate is an identifier at which the host might join, or below which it
// might look.
type candidate struct {
	id     i3.ID
	host   netip.AddrPort // who replied
	parent int            // index of the identifier it is a child of, -1 for the root
	level  int
	// distance is what Equation 3 leaves of dist(S, R, new): nanoseconds, up to a
	// constant that is the same for all candidates.
	distance int64
	blur     int64  // added when candidates are compared, see SearchPolicy
	value    uint32 // of the metric, as reported or measured
	cost     int32  // class of value, compared before distances
	hop      int64  // from the candidate to the host, on the source's clock; not negative
	full     bool
	refused  bool // it was full after all when the host tried to join
}

// rank is what places to join at are compared by.
func (s *search) rank(c *candidate) int64 {
	return c.bound() + c.hop*int64(s.policy.HopPercent)/100
}

// bound is what no place below a candidate ranks before, as long as distances obey
// the triangle inequality, for there may be no hop from it at all.
func (c *candidate) bound() int64 { return c.distance + c.blur }

// compare compares places to join at by the metric, and by rank where it finds no
// difference.
func (s *search) compare(a, b *candidate) int {
	return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(s.rank(a), s.rank(b)))
}

// mayLead reports whether there may be a place below a candidate that is better
// than the best. No metric grows better on the way down the tree.
func (s *search) mayLead(c, best *candidate) bool {
	if c.cost != best.cost {
		return c.cost < best.cost
	}
	return c.bound() < s.rank(best)+int64(s.policy.Slack)
}

func newSearch(policy SearchPolicy, root i3.ID) search {
	return search{policy: policy, seen: []candidate{{id: root, parent: -1, level: -1, full: true}}, frontier: []int{0}}
}

// asks returns the f-th identifier of the frontier.
func (s *search) asks(f int) i3.ID { return s.seen[s.frontier[f]].id }

// add notes a reply from a child of the frontier's f-th identifier. A reply for
// an identifier that replied already counts if it is closer.
func (s *search) add(f int, c candidate) {
	c.parent = s.frontier[f]
	c.level = s.seen[c.parent].level + 1
	for i := s.fresh; i < len(s.seen); i++ {
		if s.seen[i].id == c.id {
			if c.distance < s.seen[i].distance {
				s.seen[i].distance, s.seen[i].hop, s.seen[i].host = c.distance, c.hop, c.host
			}
			return
		}
	}
	if len(s.seen) < maxSeen {
		s.seen = append(s.seen, c)
	}
}

// next is called when the frontier's children have replied. It returns whether
// there is a new frontier to ask; if not, best says where to join.
func (s *search) next() bool {
	s.expanded = append(s.expanded, s.frontier...)
	asked := s.frontier
	s.frontier = nil
	best := s.best()
	var full []int
	for i := range s.seen {
		c := &s.seen[i]
		if !c.full || c.level >= maxLevel || !slices.Contains(asked, c.parent) {
			continue
		}
		// The loop condition of Figure 4: go on while the path to the full child is
		// itself shorter than the best path found.
		if best < 0 || s.mayLead(c, &s.seen[best]) {
			full = append(full, i)
		}
	}
	s.descend(full)
	if len(s.frontier) == 0 && best < 0 {
		s.descend(s.unexplored()) // this branch has nobody to join at
	}
	return len(s.frontier) > 0
}

// descend makes the closest of the given candidates the new frontier.
func (s *search) descend(full []int) {
	slices.SortStableFunc(full, func(a, b int) int {
		return s.compare(&s.seen[a], &s.seen[b])
	})
	s.frontier = append(s.frontier, full[:min(len(full), s.policy.Width)]...)
	s.fresh = len(s.seen)
}

// everyone makes all who replied last the new frontier. It returns false if nobody
// did.
func (s *search) everyone() bool {
	s.frontier = s.frontier[:0]
	for i := max(1, s.fresh); i < len(s.seen); i++ {
		s.frontier = append(s.frontier, i)
	}
	s.fresh = len(s.seen)
	return len(s.frontier) > 0
}

// unexplored returns the full candidates that were never descended into.
func (s *search) unexplored() []int {
	var rest []int
	for i := range s.seen {
		if s.seen[i].full && s.seen[i].level < maxLevel && !slices.Contains(s.expanded, i) {
			rest = append(rest, i)
		}
	}
	return rest
}

// best returns the index of the closest joinable candidate, or -1.
func (s *search) best() int {
	best := -1
	for i := range s.seen {
		c := &s.seen[i]
		if !c.full && !c.refused && (best < 0 || s.compare(c, &s.seen[best]) < 0) {
			best = i
		}
	}
	return best
}

// refuse notes that the i-th candidate turned out to be full: from now on it
// can only be descended into.
func (s *search) refuse(i int) {
	s.seen[i].refused, s.seen[i].full = true, true
}

// resume makes a frontier of what is left after refusals left nobody to join
// at. It returns false if nothing is.
func (s *search) resume() bool {
	s.frontier = nil
	s.descend(s.unexplored())
	return len(s.frontier) > 0
}

// chain returns the identifiers from the group's to the i-th candidate's.
func (s *search) chain(i int) []i3.ID {
	n := s.seen[i].level + 1
	ids := make([]i3.ID, n, n+1) // and room for whoever joins there, no more: chains stay
	for ; s.seen[i].parent >= 0; i = s.seen[i].parent {
		n--
		ids[n] = s.seen[i].id
	}
	return ids
}
