package testbed_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
	"i3bench/testbed"
)

// open returns a function that opens endpoints of a world.
func open(w *sim.World) func() (testbed.Endpoint, error) {
	return func() (testbed.Endpoint, error) { return w.Open() }
}

// run deploys a group with losses, lets it work for a while and returns the trace
// and the packets that were delivered.
func run(t *testing.T, seed uint64) (trace string, delivered uint64) {
	t.Helper()
	net := testbed.NewNetwork(line(8), machine.Millisecond, testbed.PaperLoss(seed))
	w := sim.New(sim.Config{Seed: seed, Network: net})
	bed, err := testbed.New(testbed.Config{
		Open: open(w), Network: net, Seed: seed, Nodes: 8, Degree: 3, MaxSkew: machine.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer bed.Close()
	w.Sleep(machine.Second)
	var rs []*testbed.Receiver
	for i := range 20 {
		r, err := bed.AddReceiver(i, multicast.Events{})
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
		r.Join()
		w.Sleep(200 * machine.Millisecond)
	}
	for range 100 {
		bed.Source().Send([]byte("data"))
		w.Sleep(20 * machine.Millisecond)
	}
	rs[0].Leave()
	w.Sleep(10 * machine.Second)
	for _, r := range rs {
		delivered += r.Machine.Counters().Delivered
	}
	return w.TraceHash(), delivered
}

var update = flag.Bool("update", false, "rewrite testdata/trace.txt")

// The same seed gives the same run, to the byte; another seed gives another. The
// trace is the one on file, so that it is the same in every build: with and
// without the race detector, with any number of processors.
func TestSameSeedSameTrace(t *testing.T) {
	trace, delivered := run(t, 1)
	if delivered < 1000 {
		t.Fatalf("%d packets delivered: nothing much was run", delivered)
	}
	t.Logf("trace %s", trace)
	const file = "testdata/trace.txt"
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, []byte(trace+"\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if trace != strings.TrimSpace(string(want)) {
		t.Errorf("trace %s, on file %s: the protocol changed (go test ./testbed -update), or this build differs", trace, want)
	}
	if again, n := run(t, 1); again != trace || n != delivered {
		t.Errorf("two runs of one seed: traces %.8s and %.8s, %d and %d packets", trace, again, delivered, n)
	}
	if other, _ := run(t, 2); other == trace {
		t.Error("another seed gives the same run")
	}
}

// Everything stands where the configuration says.
func TestPlaces(t *testing.T) {
	w := sim.New(sim.Config{})
	bed, err := testbed.New(testbed.Config{Open: open(w), Seed: 4, Nodes: 5, SourceSite: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer bed.Close()
	if len(bed.Nodes()) != 5 || bed.Source().Site != 3 {
		t.Errorf("%d nodes, source at site %d", len(bed.Nodes()), bed.Source().Site)
	}
	if !bed.Nodes()[3].Range.Contains(bed.Group().Prefix()) || bed.Group().IsPublic() {
		t.Error("the group's identifier is not a private one on the source's node")
	}
	owners := 0
	for _, n := range bed.Nodes() {
		if n.Range.Contains(bed.Group().Prefix()) {
			owners++
		}
	}
	if owners != 1 {
		t.Errorf("%d nodes own the group's identifier", owners)
	}
	w.Sleep(machine.Second)
	for i := range 12 {
		r, err := bed.AddReceiver(i, multicast.Events{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Number != i || r.Site != i || !r.Machine.Idle() {
			t.Errorf("receiver %d has number %d, is at site %d, idle %v", i, r.Number, r.Site, r.Machine.Idle())
		}
		r.Join()
		w.Sleep(machine.Second)
		c := r.Machine.Chain()
		if len(c) < 2 || !bed.Nodes()[i%5].Range.Contains(c[len(c)-1].Prefix()) {
			t.Errorf("receiver %d has chain %v, want one that ends on the node of its site", i, c)
		}
	}
	if seq := bed.Source().Send([]byte("x")); seq != 1 {
		t.Errorf("the first packet has number %d", seq)
	}
}

// Nodes hold D+1 triggers for an identifier, with D from the configuration or 8.
func TestDegree(t *testing.T) {
	for _, c := range []struct{ degree, want int }{{0, 8}, {3, 3}} {
		w := sim.New(sim.Config{})
		bed, err := testbed.New(testbed.Config{Open: open(w), Nodes: 2, Degree: c.degree})
		if err != nil {
			t.Fatal(err)
		}
		w.Sleep(machine.Second)
		first := 0
		for i := range 12 {
			r, err := bed.AddReceiver(i, multicast.Events{})
			if err != nil {
				t.Fatal(err)
			}
			r.Join()
			w.Sleep(machine.Second)
			if r.Machine.Level() == 1 {
				first++
			}
		}
		if first != c.want {
			t.Errorf("degree %d: %d receivers at level 1, want %d", c.degree, first, c.want)
		}
	}
}

// A closed endpoint counts who closed it.
type counted struct {
	testbed.Endpoint
	closed *int
}

func (c counted) Close() error {
	*c.closed++
	return c.Endpoint.Close()
}

// What cannot be deployed is refused with a reason, and leaves nothing open.
func TestNewErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*testbed.Config)
		fail   int // the endpoint that does not open, from 1
		want   string
	}{
		{"no driver", func(c *testbed.Config) { c.Open = nil }, 0, "want a driver"},
		{"no nodes", func(c *testbed.Config) { c.Nodes = 0 }, 0, "at least one node"},
		{"no second endpoint", func(*testbed.Config) {}, 2, "no more"},
		{"no endpoint for the source", func(*testbed.Config) {}, 4, "no more"},
		{"impossible degree", func(c *testbed.Config) { c.Degree = -5 }, 0, "triggers per identifier"},
		{"impossible cache", func(c *testbed.Config) { c.Group.Cache = 3 }, 0, "power of two"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := sim.New(sim.Config{})
			opened, closed := 0, 0
			cfg := testbed.Config{Nodes: 3, Open: func() (testbed.Endpoint, error) {
				if opened+1 == c.fail {
					return nil, errors.New("no more")
				}
				opened++
				e, err := w.Open()
				return counted{e, &closed}, err
			}}
			c.change(&cfg)
			_, err := testbed.New(cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
			if opened != closed {
				t.Errorf("%d endpoints opened, %d closed", opened, closed)
			}
		})
	}
}

// A receiver for which no endpoint opens is refused.
func TestAddReceiverError(t *testing.T) {
	w := sim.New(sim.Config{})
	left := 4
	bed, err := testbed.New(testbed.Config{Nodes: 3, Open: func() (testbed.Endpoint, error) {
		if left--; left < 0 {
			return nil, errors.New("no more")
		}
		return w.Open()
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bed.AddReceiver(0, multicast.Events{}); err == nil || err.Error() != "no more" {
		t.Errorf("error %v, want the driver's", err)
	}
}

// A source and two receivers in virtual time.
func ExampleNew() {
	world := sim.New(sim.Config{})
	bed, err := testbed.New(testbed.Config{
		Open:  func() (testbed.Endpoint, error) { return world.Open() },
		Nodes: 4, Degree: 1, Seed: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bed.Close()
	world.Sleep(machine.Second)
	for i := range 2 {
		name := fmt.Sprint("receiver ", i)
		r, err := bed.AddReceiver(i, multicast.Events{
			Attached: func(_ machine.Time, level int) { fmt.Println(name, "is at level", level) },
			Deliver: func(_ machine.Time, seq uint64, _ int64, payload []byte) {
				fmt.Printf("%s gets packet %d: %s\n", name, seq, payload)
			},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		r.Join()
		world.Sleep(machine.Second)
	}
	bed.Source().Send([]byte("hello"))
	world.Sleep(machine.Second)
	// Output:
	// receiver 0 is at level 1
	// receiver 1 is at level 2
	// receiver 0 gets packet 1: hello
	// receiver 1 gets packet 1: hello
}

// An identifier is at the site of its node, also where several nodes share a site.
func TestSiteOf(t *testing.T) {
	net := testbed.NewNetwork(line(3), machine.Millisecond, testbed.Loss{})
	w := sim.New(sim.Config{Network: net})
	bed, err := testbed.New(testbed.Config{Open: open(w), Network: net, Seed: 1, Nodes: 7, SourceSite: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer bed.Close()
	for i, n := range bed.Nodes() {
		if got := bed.SiteOf(i3.NewID(n.Range.At(0), i3.Key{}, 0)); got != i%3 {
			t.Errorf("an identifier of node %d is at site %d, expected %d", i, got, i%3)
		}
	}
	if got := bed.SiteOf(bed.Group()); got != 1 {
		t.Errorf("the group is at site %d, expected that of its source, 1", got)
	}
}

// A node that restarts forgets its triggers and comes back under the same address:
// the receivers' refreshes restore the tree.
func TestRestartNode(t *testing.T) {
	net := testbed.NewNetwork(line(2), machine.Millisecond, testbed.Loss{})
	w := sim.New(sim.Config{Network: net})
	bed, err := testbed.New(testbed.Config{Open: open(w), Network: net, Seed: 1, Nodes: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer bed.Close()
	w.Sleep(machine.Second)
	delivered := 0
	r, err := bed.AddReceiver(1, multicast.Events{
		Deliver: func(machine.Time, uint64, int64, []byte) { delivered++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Endpoint.Close()
	r.Join()
	w.Sleep(3 * machine.Second)
	before := bed.Nodes()[0]
	if err := bed.RestartNode(0); err != nil {
		t.Fatal(err)
	}
	after := bed.Nodes()[0]
	if after.Machine == before.Machine || after.Endpoint.Addr() != before.Endpoint.Addr() || after.Range != before.Range {
		t.Errorf("node %v of %v became %v of %v", before.Endpoint.Addr(), before.Range, after.Endpoint.Addr(), after.Range)
	}
	if got := after.Machine.Counters().Inserted; got != 0 || before.Machine.Counters().Inserted == 0 {
		t.Errorf("the new node has %d triggers from before", got)
	}
	bed.Source().Send([]byte("lost"))
	w.Sleep(100 * machine.Millisecond)
	if delivered != 0 {
		t.Error("a packet went through a node without triggers")
	}
	w.Sleep(60 * machine.Second)
	bed.Source().Send([]byte("data"))
	w.Sleep(5 * machine.Second)
	if delivered != 2 {
		t.Errorf("%d packets delivered, expected the lost one, repaired, and the one after", delivered)
	}
}
