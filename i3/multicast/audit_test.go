package multicast_test

import (
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// An audit is what ought to be in the nodes' tables, by the chains of all live
// receivers.
type audit struct {
	parent map[i3.ID]i3.ID // of every identifier but the group's
	links  map[i3.ID]int   // under every identifier
	owned  map[i3.ID]int   // 1 if the owner is alive
	relays []i3.ID         // with a place in the tree
	spare  int             // relays without
}

func (b *bed) audit() audit {
	a := audit{parent: map[i3.ID]i3.ID{}, links: map[i3.ID]int{}, owned: map[i3.ID]int{b.Group(): 1}}
	relays, linked := multicast.Relays(b.Source().Machine)
	a.relays, a.spare = relays[:linked], len(relays)-linked
	for _, id := range a.relays {
		a.parent[id] = b.Group()
		a.links[b.Group()]++
		a.owned[id] = 1
	}
	for _, r := range b.live() {
		c := r.Machine.Chain()
		for i := 1; i < len(c); i++ {
			if _, known := a.parent[c[i]]; !known {
				a.parent[c[i]] = c[i-1]
				a.links[c[i-1]]++
			}
		}
		a.owned[c[len(c)-1]] = 1
	}
	return a
}

// checkTables compares the nodes' tables with what the receivers think the tree
// is: every identifier has its links and its owner's trigger and no others,
// stands once in the set it belongs to, and nothing else is anywhere.
func (b *bed) checkTables() {
	b.tb.Helper()
	p, a := newProber(b), b.audit()
	sets := map[i3.ID]int{multicast.JoinSet(b.Group()): 0, multicast.FullSet(b.Group()): 0}
	// The source's own trigger is one of three. It may have lost its slot to a
	// receiver that came first after the node lost its memory.
	n, limit := p.count(b.Group())
	total := 2 + min(1, limit-a.links[b.Group()])
	if want := total - 2 + a.links[b.Group()]; n != want {
		b.tb.Errorf("idg has %d triggers, want %d", n, want)
	}
	total += a.spare // each has the source's trigger
	if a.spare+len(a.relays) > 0 {
		total++ // the source's in the repair group of the group's children
	}
	stands := map[i3.ID]int{} // for some relay the source does, once
	for id, parent := range a.parent {
		n, limit := p.count(id)
		if want := a.links[id] + a.owned[id]; n != want {
			b.tb.Errorf("%s has %d triggers, want %d links and %d owner", b.name(id), n, a.links[id], a.owned[id])
		}
		set := multicast.JoinSet(parent)
		if n >= limit {
			set = multicast.FullSet(parent)
		}
		if slices.Contains(a.relays, id) {
			stands[set] = 1
			total += 2 // link, own
		} else {
			sets[set]++
			total += 3 + a.owned[id] // link, set, repair group
		}
		if !p.has(parent, id) {
			b.tb.Errorf("the link from %s to %s is missing", b.name(parent), b.name(id))
		}
		sets[multicast.JoinSet(id)] += 0
		sets[multicast.FullSet(id)] += 0
	}
	for set, n := range stands {
		sets[set] += n
		total += n
	}
	for set, want := range sets {
		if n, _ := p.count(set); n != want {
			b.tb.Errorf("the set of children of %s has %d members, want %d", b.setOf(set, a), n, want)
		}
	}
	if n := b.triggers(); n != total {
		b.tb.Errorf("the nodes hold %d triggers, want %d\n%s", n, total, b.tree())
	}
}

// setOf names the identifier to which a set belongs.
func (b *bed) setOf(set i3.ID, a audit) string {
	for id := range a.links {
		switch set {
		case multicast.JoinSet(id):
			return b.name(id) + ", joinable,"
		case multicast.FullSet(id):
			return b.name(id) + ", full,"
		}
	}
	return "a leaf"
}

// triggers returns how many triggers all nodes hold.
func (b *bed) triggers() (n int) {
	for _, node := range b.Nodes() {
		n += node.Machine.Triggers()
	}
	return n
}

// Breaking a table by hand shows that the audit sees it.
func TestAuditSees(t *testing.T) {
	for name, harm := range map[string]func(b *bed, p *prober){
		"a missing link": func(b *bed, p *prober) {
			b.restart(b.nodeOf(b.rs[0].own()), 2, lifetime)
		},
		"a link too many": func(b *bed, p *prober) {
			own := b.rs[3].own()
			p.ask(i3.KindInsert, i3.Insert{Trigger: i3.Trigger{
				ID: own, Target: i3.ToID(i3.NewID(2, i3.RightKey(own), 0)),
			}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, setup{seed: 3, degree: 2})
			b.grow(4)
			b.checkTables()
			harm(b, newProber(b))
			said := &quiet{TB: t}
			b.tb = said
			b.checkTables()
			if said.errors == 0 {
				t.Error("the audit sees nothing wrong")
			}
		})
	}
}

// A quiet test counts errors and does not fail.
type quiet struct {
	testing.TB
	errors int
}

// Errorf counts.
func (q *quiet) Errorf(string, ...any) { q.errors++ }

// longest is how long after the last change everything that can be adopted is.
const longest = 4*lifetime + 2*machine.Second
