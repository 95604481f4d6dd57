package node_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// volume returns how often an attack is tried: as often as was promised with make attacks, else for some seconds.
func volume(short, full int) int {
	if os.Getenv("I3BENCH_ATTACKS") != "" {
		return full
	}
	return short
}

// A gate is what decides about links, and the keys that it wants: the node, or a small copy of it with short keys.
type gate interface {
	left(y i3.ID) i3.Key
	right(x i3.ID) i3.Key
	take(x, y i3.ID) bool
	begin() // a new graph, which has nothing to do with those before
}

// realGate is a node that is told all requests.
type realGate struct {
	*rig
	graphs int
}

func (g *realGate) left(y i3.ID) i3.Key  { return i3.LeftKey(y) }
func (g *realGate) right(x i3.ID) i3.Key { return i3.RightKey(x) }

func (g *realGate) take(x, y i3.ID) bool {
	g.receive(mallory, request(i3.KindInsert, 1, i3.Insert{Trigger: i3.Trigger{ID: x, Target: i3.ToID(y)}}))
	return g.one().acks[0].Status.Alive()
}

// begin takes a new node now and then: identifiers of graphs are drawn and do not meet.
func (g *realGate) begin() {
	if g.graphs++; g.graphs%1000 == 1 {
		cfg := config()
		cfg.Range.Lo, cfg.Range.Hi = 0, 0 // all identifiers
		g.rig = newRig(g.failer, cfg)
		g.out = machine.NewOutbox(4, 4096, 4)
	}
}

// cutGate has the node's rules for keys of which one byte is left, so that collisions can be found.
type cutGate struct{ links map[i3.ID][]i3.ID }

func cut(k i3.Key) i3.Key { return i3.Key{k[0]} }

func (g *cutGate) left(y i3.ID) i3.Key  { return cut(i3.LeftKey(y)) }
func (g *cutGate) right(x i3.ID) i3.Key { return cut(i3.RightKey(x)) }
func (g *cutGate) begin()               { clear(g.links) }

func (g *cutGate) take(x, y i3.ID) bool {
	if !(!x.IsPublic() && y.Key() == g.right(x)) && x.Key() != g.left(y) {
		return false
	}
	for _, other := range g.links[x] {
		if other.Exact() == y.Exact() {
			return false
		}
	}
	g.links[x] = append(g.links[x], y)
	return true
}

// A plot is an attempt to make a graph in which a packet comes back, or comes to one place twice.
type plot struct {
	gate
	rng   *rand.Rand
	ids   []i3.ID
	links map[i3.ID][]i3.ID // that were taken
	tried int
	taken int
}

func (p *plot) any() i3.ID { return p.ids[p.rng.IntN(len(p.ids))] }

// place draws a prefix, of few, so that places meet.
func (p *plot) place() uint64 { return uint64(p.rng.IntN(8)) }

func (p *plot) link(x, y i3.ID) {
	p.tried++
	if !slices.Contains(p.links[x], y) && p.take(x, y) {
		p.taken++
		p.links[x] = append(p.links[x], y)
		p.ids = append(p.ids, x, y)
	}
}

// step tries one link.
func (p *plot) step() {
	x, y := p.any(), p.any()
	switch p.rng.IntN(8) {
	case 0, 1: // grow down, as trees do
		p.link(x, i3.NewID(p.place(), p.right(x), p.rng.Uint64()))
	case 2: // and up
		p.link(i3.NewID(p.place(), p.left(y), p.rng.Uint64()), y)
	case 3: // from anything known to anything known
		p.link(x, y)
	case 4: // the same places under other suffixes
		p.link(x.WithSuffix(p.rng.Uint64()), y.WithSuffix(p.rng.Uint64()))
	case 5: // one more link to the place of a child, under another suffix
		if to := p.links[x]; len(to) > 0 {
			y = to[p.rng.IntN(len(to))]
			p.link(x, i3.NewID(y.Prefix(), p.right(x), p.rng.Uint64()))
		}
	case 6: // a suffix of x whose right key is one that is there
		p.grind(func(s uint64) (i3.ID, i3.ID) {
			z := x.WithSuffix(s)
			return z, i3.NewID(y.Prefix(), p.right(z), y.Suffix())
		})
	case 7: // a suffix of y whose left key is one that is there
		p.grind(func(s uint64) (i3.ID, i3.ID) {
			z := y.WithSuffix(s)
			return i3.NewID(x.Prefix(), p.left(z), x.Suffix()), z
		})
	}
}

// grind tries suffixes until both ends of a link are places that are known already.
func (p *plot) grind(try func(suffix uint64) (x, y i3.ID)) {
	for range 8 {
		x, y := try(p.rng.Uint64())
		if p.known(x) && p.known(y) {
			p.link(x, y)
			return
		}
	}
}

func (p *plot) known(id i3.ID) bool {
	for _, other := range p.ids {
		if other.Matches(id) {
			return true
		}
	}
	return false
}

// walk sends a packet to an identifier, as nodes do, and reports whether it comes back to a place where it was, and
// whether it comes to a place on two ways.
func (p *plot) walk(start i3.ID) (cycle, diamond bool) {
	seen, above := map[i3.Exact]bool{}, map[i3.Exact]bool{}
	var visit func(id i3.ID)
	visit = func(id i3.ID) {
		at := id.Exact()
		if seen[at] {
			cycle, diamond = cycle || above[at], diamond || !above[at]
			return
		}
		seen[at], above[at] = true, true
		for _, next := range p.links[p.winner(id)] {
			visit(next)
		}
		above[at] = false
	}
	visit(start)
	return cycle, diamond
}

// winner returns the identifier with links that a packet to id matches.
func (p *plot) winner(id i3.ID) (best i3.ID) {
	found := false
	for x := range p.links {
		if x.Matches(id) && (!found || id.Distance(x) < id.Distance(best)) {
			best, found = x, true
		}
	}
	return best
}

// A verdict is what became of many graphs.
type verdict struct{ graphs, cycles, diamonds, tried, taken int }

// plotting makes graphs, of which each begins with one identifier and the last of a thousand is a large one.
func plotting(g gate, graphs int, seed uint64) (v verdict) {
	rng := rand.New(rand.NewPCG(seed, 23))
	for i := range graphs {
		g.begin()
		p := &plot{gate: g, rng: rng, links: map[i3.ID][]i3.ID{}}
		var key i3.Key
		for i := range key {
			key[i] = byte(rng.Uint32())
		}
		if _, short := g.(*cutGate); short {
			key = cut(key)
		}
		p.ids = append(p.ids, i3.NewID(p.place(), key, rng.Uint64()))
		steps := 4 + rng.IntN(20)
		if i%1000 == 999 {
			steps = 400
		}
		for range steps {
			p.step()
		}
		v.judge(p)
	}
	return v
}

func (v *verdict) judge(p *plot) {
	cycles, diamonds := false, false
	for x := range p.links {
		c, d := p.walk(x)
		cycles, diamonds = cycles || c, diamonds || d
	}
	v.graphs++
	v.tried, v.taken = v.tried+p.tried, v.taken+p.taken
	if cycles {
		v.cycles++
	}
	if diamonds {
		v.diamonds++
	}
}

// plots are the graphs that the node and its copy with short keys let be, once for both tests.
var plots = sync.OnceValues(func() (real, short verdict) {
	n := volume(20_000, 1_000_000)
	real = plotting(&realGate{rig: &rig{failer: panics{}}}, n, 1)
	return real, plotting(&cutGate{links: map[i3.ID][]i3.ID{}}, min(n, 20_000), 2)
})

// Panics fails outside of any one test.
type panics struct{}

func (panics) Helper() {}

func (panics) Fatalf(format string, args ...any) { panic(format) }

// TestAttackA2Loop: whatever links are tried, no packet comes back to where it was. The same attempts find cycles where
// keys have 8 bits, so they would find them. TestPingPong and TestLocalChainBound are about the second wall.
func TestAttackA2Loop(t *testing.T) {
	real, short := plots()
	t.Logf("%+v; with keys of 8 bits %+v", real, short)
	if real.cycles > 0 || real.taken < real.graphs {
		t.Errorf("%d of %d graphs have cycles, with %d links", real.cycles, real.graphs, real.taken)
	}
	if short.cycles == 0 {
		t.Error("no cycles with keys of 8 bits: these attempts prove nothing")
	}
}

// TestAttackA3Diamond: nor does one packet come to one place on two ways. Onto a host, which is no identifier, any
// number of ways may lead, each of which it has agreed to, and no more than Limits.MaxPerTarget.
func TestAttackA3Diamond(t *testing.T) {
	real, short := plots()
	if real.diamonds > 0 {
		t.Errorf("%d of %d graphs have diamonds", real.diamonds, real.graphs)
	}
	if short.diamonds == 0 {
		t.Error("no diamonds with keys of 8 bits: these attempts prove nothing")
	}
	r := limited(t, func(l *node.Limits) { l.MaxPerTarget = 5 })
	for i := range uint64(6) {
		link, leaf := chain(local(1), 2*i+2, 0)
		r.insert(link)
		r.receive(mallory, request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(leaf, alice)}))
		if n := r.matches(local(1)); n != 0 {
			t.Fatalf("%d copies to a host that did not agree", n)
		}
	}
	for _, link := range links(local(2), 6) {
		r.insert(link)
		leaf, _ := link.Target.ID()
		r.ask(alice, i3.KindInsert, i3.Insert{Trigger: toHost(leaf, alice)})
	}
	if n := r.matches(local(2)); n != 5 {
		t.Errorf("%d copies to a host that agreed to all, want 5", n)
	}
}
