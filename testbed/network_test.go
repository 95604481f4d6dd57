package testbed_test

import (
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/sim/topology"
	"i3bench/testbed"
)

// line puts sites on a line, ten milliseconds apart.
type line int

func (l line) Len() int { return int(l) }

func (l line) OneWay(i, j int) time.Duration {
	if i < 0 || j < 0 || i >= int(l) || j >= int(l) {
		panic(fmt.Sprintf("no such site: %d, %d of %d", i, j, l))
	}
	return time.Duration(max(i-j, j-i)) * 10 * time.Millisecond
}

func addr(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)
}

// The delay of a path is that between its sites and the base; addresses of which
// nothing is known are near.
func TestDelays(t *testing.T) {
	const base = machine.Millisecond
	n := testbed.NewNetwork(line(5), base, testbed.Loss{})
	n.PlaceNode(addr(1), 0)
	n.PlaceNode(addr(2), 4)
	n.PlaceHost(addr(3), 4, false)
	n.PlaceNode(addr(4), 7) // of five sites: the third
	for _, c := range []struct {
		from, to int
		want     machine.Duration
	}{
		{1, 2, 41 * machine.Millisecond},
		{2, 1, 41 * machine.Millisecond},
		{2, 3, base},
		{3, 1, 41 * machine.Millisecond},
		{4, 1, 21 * machine.Millisecond},
		{1, 9, base},
		{9, 1, base},
	} {
		if p := n.Path(addr(c.from), addr(c.to)); p.Delay != c.want || p.Loss != 0 {
			t.Errorf("path from %d to %d: %+v, want %v ns without loss", c.from, c.to, p, c.want)
		}
	}
	flat := testbed.NewNetwork(nil, base, testbed.Loss{})
	flat.PlaceNode(addr(1), 0)
	flat.PlaceNode(addr(2), 4)
	if p := flat.Path(addr(1), addr(2)); p.Delay != base {
		t.Errorf("without delays a path takes %v ns, want the base", p.Delay)
	}
}

// Loss rates are those of section 6.3: uniform up to a bound of their kind, drawn
// once, equal in both directions, and the source's last hop has none.
func TestLossRates(t *testing.T) {
	const nodes, hosts = 60, 1000
	n := testbed.NewNetwork(line(nodes), 0, testbed.PaperLoss(3))
	for i := range nodes {
		n.PlaceNode(addr(i), i)
	}
	source := nodes
	n.PlaceHost(addr(source), 0, true)
	for i := range hosts {
		n.PlaceHost(addr(source+1+i), i%nodes, false)
	}
	loss := func(a, b int) float64 {
		p := n.Path(addr(a), addr(b)).Loss
		if back := n.Path(addr(b), addr(a)).Loss; back != p {
			t.Errorf("loss from %d to %d is %v, back %v", a, b, p, back)
		}
		return p
	}
	mean := func(name string, bound float64, rates []float64) {
		t.Helper()
		sum, most := 0.0, 0.0
		for _, r := range rates {
			sum += r
			most = max(most, r)
		}
		got, k := sum/float64(len(rates)), float64(len(rates))
		if sigma := bound / math.Sqrt(12*k); math.Abs(got-bound/2) > 4*sigma || most >= bound || most < 0.95*bound {
			t.Errorf("%s: %v rates of mean %v up to %v, want %v up to %v", name, k, got, most, bound/2, bound)
		}
	}
	var between, last []float64
	for a := range nodes {
		if p := loss(a, source); p != 0 {
			t.Errorf("the source loses %v on its way to node %d", p, a)
		}
		for b := range a {
			between = append(between, loss(a, b))
		}
	}
	mean("between nodes", 0.04, between)
	for h := source + 1; h <= source+hosts; h++ {
		p := loss(h, h%nodes)
		last = append(last, p)
		if q := loss(h, (h+1)%nodes); q != p {
			t.Errorf("host %d loses %v to one node and %v to another: a last hop has one rate", h, p, q)
		}
		if q := loss(h, source); q != p {
			t.Errorf("host %d loses %v to its node and %v to the source, want the same", h, p, q)
		}
	}
	mean("last hops", 0.08, last)
	for i := range 100 {
		a, b := last[i], last[i+1]
		if got, want := loss(source+1+i, source+2+i), 1-(1-a)*(1-b); math.Abs(got-want) > 1e-12 {
			t.Errorf("between hosts of rates %v and %v: %v, want %v", a, b, got, want)
		}
	}
}

// Nodes of one site lose nothing between them: they are one place.
func TestNoLossWithinSite(t *testing.T) {
	n := testbed.NewNetwork(line(2), 0, testbed.PaperLoss(1))
	for i := range 4 {
		n.PlaceNode(addr(i), i) // sites 0, 1, 0, 1
	}
	if p := n.Path(addr(0), addr(2)); p.Loss != 0 || p.Delay != 0 {
		t.Errorf("within a site: %+v", p)
	}
	if p := n.Path(addr(0), addr(1)); p.Loss == 0 || p.Delay == 0 {
		t.Errorf("between sites: %+v", p)
	}
}

// Mute switches losses off and on, and leaves delays.
func TestMute(t *testing.T) {
	n := testbed.NewNetwork(line(2), 0, testbed.PaperLoss(1))
	n.PlaceNode(addr(0), 0)
	n.PlaceHost(addr(1), 1, false)
	before := n.Path(addr(0), addr(1))
	n.Mute(true)
	if p := n.Path(addr(0), addr(1)); p.Loss != 0 || p.Delay != before.Delay {
		t.Errorf("muted: %+v, before %+v", p, before)
	}
	n.Mute(false)
	if p := n.Path(addr(0), addr(1)); p != before || p.Loss == 0 {
		t.Errorf("loud again: %+v, before %+v", p, before)
	}
}

// Rates depend on the seed and on nothing that changes from run to run, as
// addresses do.
func TestRatesDependOnSeed(t *testing.T) {
	rate := func(seed uint64, shift int) float64 {
		n := testbed.NewNetwork(nil, 0, testbed.PaperLoss(seed))
		n.PlaceNode(addr(shift), 0)
		n.PlaceHost(addr(shift+1), 1, false)
		return n.Path(addr(shift), addr(shift+1)).Loss
	}
	if rate(1, 0) != rate(1, 500) {
		t.Error("other addresses have another rate")
	}
	if rate(1, 0) == rate(2, 0) {
		t.Error("another seed has the same rate")
	}
}

// What a network tells a simulator of its places agrees with what it tells of their
// addresses, and no path between two processes is shorter than the look-ahead.
func TestDivided(t *testing.T) {
	sites, err := topology.TransitStub(1, topology.Shape{
		TransitDomains: 2, TransitNodes: 2, Stubs: 2, StubNodes: 3, TopEdge: 1, TransitEdge: 1, StubEdge: 0.5,
	}, topology.Amended)
	if err != nil {
		t.Fatal(err)
	}
	const base = machine.Millisecond
	n := testbed.NewNetwork(sites, base, testbed.PaperLoss(1))
	hosts := 2 * sites.Len()
	for i := range hosts {
		if i < sites.Len() {
			n.PlaceNode(addr(i), i)
		} else {
			n.PlaceHost(addr(i), i, false)
		}
	}
	if n.Processes() != sites.Domains() || n.LookAhead() != base+machine.Duration(sites.LookAhead()) {
		t.Errorf("%d processes, look-ahead %v", n.Processes(), n.LookAhead())
	}
	for i := range hosts {
		a, ok := n.Place(addr(i))
		if !ok || n.ProcessOf(a) != sites.Domain(i%sites.Len()) {
			t.Fatalf("address %d has place %d, %t, process %d", i, a, ok, n.ProcessOf(a))
		}
		for k := range hosts {
			b, _ := n.Place(addr(k))
			p := n.Between(a, b)
			if p != n.Path(addr(i), addr(k)) || p != n.Between(b, a) {
				t.Fatalf("from %d to %d: %+v, by address %+v", i, k, p, n.Path(addr(i), addr(k)))
			}
			if n.ProcessOf(a) != n.ProcessOf(b) && p.Delay < n.LookAhead() {
				t.Fatalf("from %d to %d in %v, below the look-ahead %v", i, k, p.Delay, n.LookAhead())
			}
		}
	}
	if _, ok := n.Place(addr(hosts)); ok {
		t.Error("an address that was not placed has a place")
	}
	flat := testbed.NewNetwork(line(3), base, testbed.Loss{})
	flat.PlaceNode(addr(1), 0)
	if flat.Processes() != 1 || flat.ProcessOf(0) != 0 || flat.LookAhead() != 0 {
		t.Error("delays that tell of no domains are more than one process")
	}
}
