package multicast_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/script"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios say to their files instead of comparing")

// TestScenarios runs the scripts in testdata/scenarios: one for each worked
// example of the paper, and some more. Their commands are the methods of stage.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d scenarios, %v; want at least 5", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { runScenario(t, file) })
	}
}

func runScenario(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := script.Parse(file, string(text))
	if err != nil {
		t.Fatal(err)
	}
	g := &stage{tb: t}
	for i := range steps {
		s := &steps[i]
		if len(s.Fields) == 0 {
			continue
		}
		g.where = fmt.Sprintf("%s:%d: %s", file, s.Line, s.Name())
		g.lines = nil
		g.do(*s)
		got := strings.Join(g.lines, "\n")
		if *rewrite {
			s.Want = got
		} else if got != s.Want {
			t.Errorf("%s says\n%s\nwant\n%s", g.where, got, s.Want)
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(script.Format(steps)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A stage is where a scenario plays: a source S, receivers R1, R2, ... each at a
// site of its own with a node, and what the current command says.
type stage struct {
	*bed
	tb    testing.TB
	where string
	lines []string
	unit  machine.Duration // of the latencies in the script
	probe *prober
	back  backing
	trace struct {
		repair  bool
		refresh i3.ID // of the link to it
	}
}

func (g *stage) say(format string, args ...any) {
	g.lines = append(g.lines, fmt.Sprintf(format, args...))
}

func (g *stage) fatalf(format string, args ...any) {
	g.tb.Helper()
	g.tb.Fatalf(g.where+": "+format, args...)
}

// do carries out one command.
func (g *stage) do(s script.Step) {
	args, options := s.Options()
	commands := map[string]func(){
		"net":      func() { g.net(s.Input, options) },
		"join":     func() { g.joins(args) },
		"search":   func() { g.search(args[0]) },
		"run":      func() { g.world.Sleep(g.duration(args[0])) },
		"tree":     func() { g.draw(g.Group(), "") },
		"triggers": func() { g.triggers() },
		"reach":    func() { g.reach(args[0]) },
		"send":     func() { g.sends(args) },
		"lose":     func() { g.lose(args) },
		"lossy":    func() { g.lossy(args) },
		"trace":    func() { g.traces(args, options) },
		"refresh":  func() { g.refresh(args[0], args[1:]) },
		"timers":   func() { g.timers(args[0]) },
		"leave":    func() { g.leave(g.named(args)...) },
		"crash":    func() { g.crash(g.named(args)[0]) },
		"standby":  func() { g.standbys(args) },
		"handover": func() { g.handover(args[0]) },
		"leads":    func() { g.leads() },
		"lead":     func() { g.lead(args) },
		"fall":     func() { g.fall(args[0]) },
		"counters": func() { g.counters(args) },
		"got":      func() { g.gots(args) },
	}
	f, ok := commands[s.Name()]
	if !ok {
		g.fatalf("no such command")
	}
	if g.bed == nil && s.Name() != "net" {
		g.fatalf("want net first")
	}
	f()
}

// latencies are the delays between sites in the order S, R1, R2, ...
type latencies struct {
	sites int
	far   time.Duration // between sites of which the script says nothing
	known map[[2]int]time.Duration
}

func (l *latencies) Len() int { return l.sites }

func (l *latencies) OneWay(i, j int) time.Duration {
	if d, ok := l.known[[2]int{min(i, j), max(i, j)}]; ok {
		return d
	}
	return l.far
}

// net deploys: net receivers=6 degree=3 unit=10ms far=20, then lines of edges.
func (g *stage) net(edges []string, options map[string]string) {
	g.unit = g.duration(options["unit"])
	n := g.number(options["receivers"])
	l := &latencies{n + 1, time.Duration(g.number(options["far"])) * time.Duration(g.unit), map[[2]int]time.Duration{}}
	site := func(name string) int {
		if name == "S" {
			return 0
		}
		return g.number(strings.TrimPrefix(name, "R"))
	}
	for _, e := range edges {
		f := strings.Fields(e)
		if len(f) != 3 {
			g.fatalf("edge %q: want two names and a latency", e)
		}
		a, b := site(f[0]), site(f[1])
		l.known[[2]int{min(a, b), max(a, b)}] = time.Duration(g.number(f[2])) * time.Duration(g.unit)
	}
	cfg := multicast.Config{Host: host.Config{Lifetime: lifetime}}
	if r, ok := options["relays"]; ok {
		cfg.Relays = g.number(r)
	}
	if options["repair"] == "paper" {
		cfg.Repair = multicast.RepairPolicy{Literal: true, Retry: 800 * millisecond}
	}
	if options["refresh"] == "uniform" {
		cfg.Refresh = multicast.Uniform
	}
	g.bed = newBed(g.tb, setup{
		seed: 1, nodes: n + 1, degree: g.number(options["degree"]), delays: l, base: machine.Microsecond, group: cfg,
	})
	for i := range n {
		g.add(i + 1)
	}
	g.probe = newProber(g.bed)
	g.spies = append(g.spies, g.watchRepairs, g.watchAcks)
}

func (g *stage) duration(s string) machine.Duration {
	g.tb.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		g.fatalf("%v", err)
	}
	return machine.Duration(d)
}

func (g *stage) number(s string) int {
	g.tb.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		g.fatalf("%v", err)
	}
	return n
}

// named returns receivers by their names.
func (g *stage) named(names []string) (rs []*receiver) {
	g.tb.Helper()
	for _, n := range names {
		i := g.number(strings.TrimPrefix(n, "R"))
		if i < 1 || i > len(g.rs) {
			g.fatalf("no receiver %s", n)
		}
		rs = append(rs, g.rs[i-1])
	}
	return rs
}

// ident returns a tree identifier by its name.
func (g *stage) ident(name string) i3.ID {
	g.tb.Helper()
	if name == "idg" {
		return g.Group()
	}
	if n, ok := strings.CutPrefix(name, "rel"); ok {
		relays, _ := multicast.Relays(g.Source().Machine)
		return relays[g.number(n)-1]
	}
	return g.named([]string{"R" + strings.TrimPrefix(name, "id")})[0].own()
}

// hostAt returns the name of the host whose address it is.
func (g *stage) hostAt(addr string) string {
	for _, r := range g.rs {
		if r.Endpoint.Addr().String() == addr {
			return r.name
		}
	}
	return "S"
}

func (g *stage) joins(names []string) {
	for _, r := range g.named(names) {
		g.join(r)
		c := r.Machine.Chain()
		g.say("%s at level %d, under %s", r.name, r.Machine.Level(), g.name(c[len(c)-2]))
	}
	g.world.Sleep(second) // distances of heartbeats, sets
}

// search shows the replies that a joining receiver gets and what it makes of
// them. Distances are those of Equation 3 in units.
func (g *stage) search(name string) {
	r := g.named([]string{name})[0]
	asked := map[string][]string{}
	var order []string
	g.spies = append(g.spies, func(at string, _ i3.Packet, m multicast.Message, body []byte) {
		rep, err := multicast.ParseReply(body)
		if at != name || m.Type != multicast.TypeReply || err != nil {
			return
		}
		parent := g.parentOf(rep.ID)
		if len(asked[parent]) == 0 {
			order = append(order, parent)
		}
		kind := "joinable"
		if m.Flags&multicast.FlagFull != 0 {
			kind = "full"
		}
		d := float64(int64(g.world.Now())-m.Time+rep.SourceDistance) / float64(g.unit)
		asked[parent] = append(asked[parent], fmt.Sprintf("  %s is %s, distance %.1f", g.name(rep.ID), kind, d))
	})
	g.join(r)
	g.spies = g.spies[:len(g.spies)-1]
	for _, parent := range order {
		g.say("children of %s:", parent)
		slices.Sort(asked[parent])
		g.lines = append(g.lines, asked[parent]...)
	}
	c := r.Machine.Chain()
	g.say("%s joins at %s", name, g.name(c[len(c)-2]))
	g.world.Sleep(second)
}

// parentOf returns the name of the identifier above a member's.
func (g *stage) parentOf(id i3.ID) string {
	if relays, _ := multicast.Relays(g.Source().Machine); slices.Contains(relays, id) {
		return "idg"
	}
	for _, r := range g.live() {
		if i := slices.Index(r.Machine.Chain(), id); i > 0 && r.Machine.Level() > 0 {
			return g.name(r.Machine.Chain()[i-1])
		}
	}
	return "root"
}

// below returns the identifiers under one, by the chains of those in the tree.
func (g *stage) below(id i3.ID) (ids []i3.ID) {
	if id == g.Group() {
		relays, linked := multicast.Relays(g.Source().Machine)
		ids = append(ids, relays[:linked]...)
	}
	for _, r := range g.live() {
		c := r.Machine.Chain()
		if i := slices.Index(c, id); i >= 0 && i+1 < len(c) && r.Machine.Level() > 0 && !slices.Contains(ids, c[i+1]) {
			ids = append(ids, c[i+1])
		}
	}
	slices.SortFunc(ids, func(a, b i3.ID) int { return strings.Compare(g.name(a), g.name(b)) })
	return ids
}

func (g *stage) draw(id i3.ID, indent string) {
	g.say("%s%s", indent, g.name(id))
	for _, c := range g.below(id) {
		g.draw(c, indent+"  ")
	}
}

// triggers shows the tree of triggers as the nodes have it.
func (g *stage) triggers() {
	var visit func(id i3.ID)
	visit = func(id i3.ID) {
		n, limit := g.probe.count(id)
		var held []string
		for _, c := range g.below(id) {
			if g.probe.has(id, c) {
				held = append(held, fmt.Sprintf("(%s, %s)", g.name(id), g.name(c)))
			}
		}
		if owner := g.ownerOf(id); slices.Contains(g.heard(id), owner) {
			held = append(held, fmt.Sprintf("(%s, %s)", g.name(id), owner))
		}
		g.say("%s holds %d of %d: %s", g.name(id), n, limit, strings.Join(held, " "))
		for _, c := range g.below(id) {
			visit(c)
		}
	}
	visit(g.Group())
}

// ownerOf returns the name of the host whose identifier it is, if it is still
// there.
func (g *stage) ownerOf(id i3.ID) string {
	relays, _ := multicast.Relays(g.Source().Machine)
	if id == g.Group() || slices.Contains(relays, id) {
		return "S"
	}
	for _, r := range g.live() {
		if r.Machine.Level() > 0 && r.own() == id {
			return r.name
		}
	}
	return "nobody"
}

// heard returns who gets what is sent to an identifier, in the order of arrival.
func (g *stage) heard(id i3.ID) (names []string) {
	g.spies = append(g.spies, func(at string, _ i3.Packet, m multicast.Message, _ []byte) {
		if m.Type == multicast.TypeRefreshAck && m.Level == 999 {
			names = append(names, at)
		}
	})
	m := multicast.Message{Type: multicast.TypeRefreshAck, Level: 999}
	g.probe.sendTo(id, i3.ID{}.AppendTo(m.AppendTo(nil)))
	g.world.Sleep(second)
	g.spies = g.spies[:len(g.spies)-1]
	return names
}

func (g *stage) reach(name string) {
	names := g.heard(g.ident(name))
	slices.Sort(names)
	g.say("%s", strings.Join(names, " "))
}
