package multicast_test

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/i3/node"
	"i3bench/internal/prng"
	"i3bench/sim"
	"i3bench/testbed"
)

const (
	millisecond = machine.Millisecond
	second      = machine.Second
)

// A plane places sites uniformly in a square and makes delays of distances, so
// that they obey the triangle inequality.
type plane [][2]float64

// newPlane returns n sites in a square that takes width to cross.
func newPlane(seed uint64, n int, width time.Duration) plane {
	rng := prng.New(seed, 77)
	p := make(plane, n)
	for i := range p {
		p[i] = [2]float64{rng.Float64() * float64(width), rng.Float64() * float64(width)}
	}
	return p
}

func (p plane) Len() int { return len(p) }

func (p plane) OneWay(i, j int) time.Duration {
	return time.Duration(math.Hypot(p[i][0]-p[j][0], p[i][1]-p[j][1]))
}

// A setup says what to deploy; zero means small and plain.
type setup struct {
	seed          uint64
	nodes, degree int
	delays        testbed.Delays
	base          machine.Duration
	loss          testbed.Loss
	group         multicast.Config
	skew          machine.Duration
	source        int // site
	pushback      bool
	// behind, if there is one, makes the endpoint of what is opened, from nodes over the source to the receivers.
	behind func(number int, e testbed.Endpoint) testbed.Endpoint
	// paths, if there is one, makes the network that the world has.
	paths func(*testbed.Network) machine.Network
}

// A bed is a deployment in virtual time and a judge of what its receivers get.
type bed struct {
	*testbed.Bed
	tb    testing.TB
	world *sim.World
	net   *testbed.Network
	rs    []*receiver
	spies []spy
	apart bool // receivers tell streams apart
}

// A spy sees every message that reaches a host, before it is handled.
type spy func(at string, p i3.Packet, m multicast.Message, body []byte)

// newBed deploys nodes and source, and lets the source's triggers settle.
func newBed(tb testing.TB, s setup) *bed {
	tb.Helper()
	if s.nodes == 0 {
		s.nodes = 8
	}
	if s.base == 0 {
		s.base = millisecond
	}
	b := &bed{tb: tb, net: testbed.NewNetwork(s.delays, s.base, s.loss)}
	b.world = sim.New(sim.Config{Seed: s.seed, Network: s.network(b.net)})
	under, err := testbed.New(testbed.Config{
		Open:       s.opener(b.world),
		Network:    b.net,
		Seed:       s.seed,
		Nodes:      s.nodes,
		SourceSite: s.source,
		Degree:     s.degree,
		Group:      s.group,
		MaxSkew:    s.skew,
		Pushback:   s.pushback,
	})
	if err != nil {
		tb.Fatal(err)
	}
	b.Bed = under
	b.Source().Endpoint.SetFilter(func(d machine.Datagram) bool {
		b.look("S", d)
		return true
	})
	b.world.Sleep(2 * second)
	return b
}

// network returns what the world knows of paths.
func (s *setup) network(net *testbed.Network) machine.Network {
	if s.paths == nil {
		return net
	}
	return s.paths(net)
}

// opener returns what opens an endpoint.
func (s *setup) opener(w *sim.World) func() (testbed.Endpoint, error) {
	opened := 0
	return func() (testbed.Endpoint, error) {
		e, err := w.Open()
		if err != nil || s.behind == nil {
			return e, err
		}
		opened++
		return s.behind(opened-1, e), nil
	}
}

// A receiver is a deployed one with what its application has seen.
type receiver struct {
	*testbed.Receiver
	bed      *bed
	name     string
	drop     func(p i3.Packet, payload []byte) bool // loses what arrives
	attached int
	level    int
	joined   int
	from     uint64 // packets above it are owed
	got      map[uint64]int
	lost     map[uint64]int
	repaired []machine.Duration
	left     int
	moved    int
	failed   int
	gone     bool // crashed or told to leave
}

// add deploys receivers, one at each of the given sites.
func (b *bed) add(sites ...int) []*receiver {
	b.tb.Helper()
	for _, site := range sites {
		r := &receiver{bed: b, name: fmt.Sprint("R", len(b.rs)+1), got: map[uint64]int{}, lost: map[uint64]int{}}
		under, err := b.AddReceiver(site, r.events())
		if err != nil {
			b.tb.Fatal(err)
		}
		r.Receiver = under
		under.Endpoint.SetFilter(r.filter)
		b.rs = append(b.rs, r)
	}
	return b.rs[len(b.rs)-len(sites):]
}

func (r *receiver) events() multicast.Events {
	events := multicast.Events{
		Attached: func(_ machine.Time, level int) { r.attached++; r.level = level },
		Joined: func(_ machine.Time, seq uint64) {
			r.joined++
			r.from = seq
			clear(r.got)
			clear(r.lost)
		},
		Deliver: func(_ machine.Time, seq uint64, _ int64, payload []byte) {
			r.got[seq]++
			if want := fmt.Sprint("packet ", seq); string(payload) != want {
				r.bed.tb.Errorf("%s: packet %d is %q, want %q", r.name, seq, payload, want)
			}
		},
		Repaired: func(_ machine.Time, _ uint64, took machine.Duration) { r.repaired = append(r.repaired, took) },
		Lost:     func(_ machine.Time, seq uint64) { r.lost[seq]++ },
		Moved:    func(machine.Time, int) { r.moved++ },
		Left:     func(machine.Time) { r.left++ },
		Failed:   func(machine.Time) { r.failed++ },
	}
	if r.bed.apart {
		events.Follow = func(machine.Time, uint32) *multicast.Events { return nil }
	}
	return events
}

// filter drops what the test wants lost and shows the rest to the spies.
func (r *receiver) filter(d machine.Datagram) bool {
	if r.drop != nil {
		for p, payload := range packets(d.Bytes) {
			if r.drop(p, payload) {
				return false
			}
		}
	}
	r.bed.look(r.name, d)
	return true
}

func (b *bed) look(at string, d machine.Datagram) {
	if len(b.spies) == 0 {
		return
	}
	for p, payload := range packets(d.Bytes) {
		if p.Kind != i3.KindData && p.Kind != i3.KindDirect {
			continue
		}
		if m, body, err := multicast.ParseMessage(payload); err == nil {
			for _, s := range b.spies {
				s(at, p, m, body)
			}
		}
	}
}

// packets returns the packets of a datagram.
func packets(b []byte) iter.Seq2[i3.Packet, []byte] {
	return func(yield func(i3.Packet, []byte) bool) {
		for len(b) > 0 {
			p, wire, tail, err := i3.Next(b)
			if err != nil || wire == nil || !yield(p, i3.Payload(wire)) {
				return
			}
			b = tail
		}
	}
}

// messageIs returns a drop function for messages of one type and number.
func messageIs(t multicast.Type, seq uint64) func(i3.Packet, []byte) bool {
	return func(p i3.Packet, payload []byte) bool {
		m, _, err := multicast.ParseMessage(payload)
		return (p.Kind == i3.KindData || p.Kind == i3.KindDirect) && err == nil && m.Type == t && m.Seq == seq
	}
}

// until runs until cond holds and fails the test if it does not in time.
func (b *bed) until(what string, limit machine.Duration, cond func() bool) {
	b.tb.Helper()
	if !b.world.RunWhile(func() bool { return !cond() }, b.world.Now().Add(limit)) {
		b.tb.Fatalf("%s: not within %v s\n%s", what, limit.Seconds(), b.tree())
	}
}

// join makes receivers join one after the other, each settled before the next.
func (b *bed) join(rs ...*receiver) {
	b.tb.Helper()
	for _, r := range rs {
		r.Join()
		b.until(r.name+" joins", 60*second, func() bool { return r.Machine.Settled() && r.joined > 0 })
	}
}

// spread returns n sites, one after the other.
func spread(n, sites int) []int {
	at := make([]int, n)
	for i := range at {
		at[i] = i % sites
	}
	return at
}

// grow adds n receivers at sites 0, 1, ... and joins them.
func (b *bed) grow(n int) []*receiver {
	b.tb.Helper()
	rs := b.add(spread(n, len(b.Nodes()))...)
	b.join(rs...)
	return rs
}

// send makes the source send n packets, one every gap.
func (b *bed) send(n int, gap machine.Duration) {
	for range n {
		seq := b.Source().Machine.Highest() + 1
		b.Source().Send(fmt.Append(nil, "packet ", seq))
		b.world.Sleep(gap)
	}
}

// crash stops a receiver without a word.
func (b *bed) crash(r *receiver) {
	r.gone = true
	r.Endpoint.Close()
}

// leave makes receivers leave, one after the other.
func (b *bed) leave(rs ...*receiver) {
	b.tb.Helper()
	for _, r := range rs {
		r.gone = true
		n := r.left
		r.Leave()
		b.until(r.name+" leaves", 60*second, func() bool { return r.left == n+1 })
	}
}

// live returns the receivers that have neither left nor crashed.
func (b *bed) live() (rs []*receiver) {
	for _, r := range b.rs {
		if !r.gone {
			rs = append(rs, r)
		}
	}
	return rs
}

// quiesce runs until nothing is missing anywhere, but no longer than limit.
func (b *bed) quiesce(limit machine.Duration) {
	high := b.Source().Machine.Highest()
	done := func() bool {
		return !slices.ContainsFunc(b.live(), func(r *receiver) bool {
			return r.Machine.Missing() > 0 || r.Machine.Highest() < high
		})
	}
	b.world.RunWhile(func() bool { return !done() }, b.world.Now().Add(limit))
	b.world.Sleep(2 * second) // whatever comes twice comes now
}

// judge fails the test unless every live receiver has every packet that it is
// owed exactly once, and none that it is not.
func (b *bed) judge() {
	b.tb.Helper()
	for _, r := range b.rs {
		for seq, n := range r.got {
			if n != 1 {
				b.tb.Errorf("%s: packet %d delivered %d times", r.name, seq, n)
			}
		}
	}
	for _, r := range b.live() {
		r.judge(b.Source().Machine.Highest())
	}
}

func (r *receiver) judge(high uint64) {
	r.bed.tb.Helper()
	if r.joined == 0 || r.Machine.Level() == 0 {
		r.bed.tb.Errorf("%s: not in the tree: %d times joined, %d failed, counters %+v",
			r.name, r.joined, r.failed, r.Machine.Counters())
		return
	}
	var wrong []string
	owed := 0
	for seq := r.from + 1; seq <= high; seq++ {
		owed++
		if n := r.got[seq]; n != 1 {
			wrong = append(wrong, fmt.Sprintf("%d came %d times, lost %d", seq, n, r.lost[seq]))
		}
	}
	total := 0
	for _, n := range r.got {
		total += n
	}
	if len(wrong) > 0 || total != owed {
		r.bed.tb.Errorf("%s: %d packets delivered, %d owed above %d; %d wrong: %.300s",
			r.name, total, owed, r.from, len(wrong), strings.Join(wrong, "; "))
	}
}

// sum adds up a counter of all receivers.
func (b *bed) sum(f func(multicast.Counters) uint64) (total uint64) {
	for _, r := range b.rs {
		total += f(r.Machine.Counters())
	}
	return total
}

// name returns the name of a tree identifier: idg, or id3 for the one of R3.
func (b *bed) name(id i3.ID) string {
	if id == b.Group() {
		return "idg"
	}
	if id == multicast.RootOf(b.Group()) {
		return "root"
	}
	relays, _ := multicast.Relays(b.Source().Machine)
	if i := slices.Index(relays, id); i >= 0 {
		return fmt.Sprint("rel", i+1)
	}
	for _, r := range b.rs {
		if c := r.Machine.Chain(); len(c) > 0 && c[len(c)-1] == id {
			return "id" + strings.TrimPrefix(r.name, "R")
		}
	}
	return "?"
}

// tree draws the tree as the receivers' chains have it, one line for each.
func (b *bed) tree() string {
	var lines []string
	for _, r := range b.live() {
		var path []string
		if r.Machine.Level() > 0 {
			for _, id := range r.Machine.Chain() {
				path = append(path, b.name(id))
			}
		}
		lines = append(lines, strings.Join(path, " "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// ring rebuilds the ring of the bed's nodes.
func (b *bed) ring() *chord.Fixed {
	b.tb.Helper()
	var places []chord.Place
	for _, n := range b.Nodes() {
		places = append(places, chord.Place{Prefix: n.Range.Hi, Addr: n.Endpoint.Addr()})
	}
	ring, err := chord.NewFixed(places)
	if err != nil {
		b.tb.Fatal(err)
	}
	return ring
}

// restart replaces the i-th node by one with an empty memory.
func (b *bed) restart(i, degree int, lifetime machine.Duration) {
	b.tb.Helper()
	n := &b.Nodes()[i]
	fresh, err := node.New(node.Config{
		Self: n.Endpoint.Addr(), Range: n.Range, Ring: b.ring(), Epoch: 2, MaxPerID: degree + 1, Lifetime: lifetime,
		Secret: [32]byte{byte(i), 'n', 'e', 'w'}, Limits: node.Unlimited(),
	})
	if err != nil {
		b.tb.Fatal(err)
	}
	n.Machine = fresh
	n.Endpoint.Start(fresh)
}

// nodeOf returns the index of the node that owns an identifier.
func (b *bed) nodeOf(id i3.ID) int {
	b.tb.Helper()
	i := slices.IndexFunc(b.Nodes(), func(n testbed.Node) bool { return n.Range.Contains(id.Prefix()) })
	if i < 0 {
		b.tb.Fatalf("no node owns %v", id)
	}
	return i
}
