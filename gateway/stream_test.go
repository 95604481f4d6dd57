package gateway_test

import (
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"i3bench/cluster"
	"i3bench/gateway"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/testbed"
)

// A tree is a group on real UDP sockets under the losses of section 6.3, with an ingress and an egress for each
// receiver.
type tree struct {
	world     *cluster.World
	ingress   *gateway.Ingress
	sent      *digest // what came to the ingress
	receivers []*testbed.Receiver
	egresses  []*gateway.Egress
	sinks     []*sink

	mu      sync.Mutex
	repairs []machine.Duration // from the loss noticed to the repair
}

// The deployment of the delivery judge: 32 nodes, D = 4.
const nodes, degree = 32, 4

// grow deploys a tree whose receivers have joined. Each egress sends to a sink, the first one also to those of also.
func grow(t *testing.T, receivers int, also ...netip.AddrPort) *tree {
	t.Helper()
	const seed = 1
	network := testbed.NewNetwork(nil, 100*machine.Microsecond, testbed.PaperLoss(seed))
	tr := &tree{sent: newDigest(), world: cluster.New(cluster.Config{
		Network: network, Seed: seed,
		SocketBuffer: 64 << 20, // which 97 hosts share: what the test wants lost is the network's to lose
	})}
	bed, err := testbed.New(testbed.Config{
		Open:    func() (testbed.Endpoint, error) { return tr.world.Open() },
		Network: network, Seed: seed, Nodes: nodes, Degree: degree,
		Group: multicast.Config{Host: host.Config{Hurry: 3}}, // requests are lost, too
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bed.Close() })
	time.Sleep(100 * time.Millisecond)
	for i := range receivers {
		to := also
		if i > 0 {
			to = nil
		}
		tr.add(t, bed, to)
	}
	for i, e := range tr.egresses {
		select {
		case <-e.Joined():
		case <-time.After(patience):
			t.Fatalf("receiver %d of %d did not join", i, receivers)
		}
	}
	tr.ingress, err = gateway.NewIngress(gateway.IngressConfig{Listen: loopback, Tee: tr.sent.add}, bed.Source())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.ingress.Close() })
	return tr
}

// add deploys a receiver with an egress and a sink, and lets it join.
func (tr *tree) add(t *testing.T, bed *testbed.Bed, also []netip.AddrPort) {
	t.Helper()
	s := newSink(t)
	e, err := gateway.NewEgress(gateway.EgressConfig{
		To:   append([]netip.AddrPort{s.addr}, also...),
		Wait: patience, // the machine may be busy, and the test is about bytes
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	repaired := func(_ machine.Time, _ uint64, took machine.Duration) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.repairs = append(tr.repairs, took)
	}
	r, err := bed.AddReceiver(len(tr.receivers), e.Events(multicast.Events{Repaired: repaired}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Endpoint.Close() })
	tr.receivers, tr.egresses, tr.sinks = append(tr.receivers, r), append(tr.egresses, e), append(tr.sinks, s)
	r.Join()
	time.Sleep(10 * time.Millisecond)
}

// check waits until every sink has what came to the ingress, and compares it byte for byte.
func (tr *tree) check(t *testing.T) {
	t.Helper()
	until(func() bool {
		sent := tr.ingress.Counters().Sent
		return !slices.ContainsFunc(tr.sinks, func(s *sink) bool { return s.count() < sent })
	})
	for i, s := range tr.sinks {
		if got := s.digest(); got != tr.sent.String() {
			t.Errorf("egress %d: %s came out, %v came in; %+v; the kernel dropped %d at the sink's socket",
				i, got, tr.sent, tr.egresses[i].Counters(), s.dropped())
		}
	}
	in := tr.ingress.Counters()
	if in.Sent != in.Received || in.DropSocket > 0 || in.Sent == 0 {
		t.Errorf("%+v: want all that came in sent", in)
	}
	if !t.Failed() {
		t.Logf("what came in came out of each of %d egresses: %v", len(tr.sinks), tr.sent)
	}
	tr.report(t)
}

// report says what the network did to the stream and what it took to repair it, and that it did something.
func (tr *tree) report(t *testing.T) {
	t.Helper()
	var sum multicast.Counters
	var out gateway.EgressCounters
	deepest := 0
	for i, r := range tr.receivers {
		r.Endpoint.Do(func(machine.Time, *machine.Outbox) {
			c := r.Machine.Counters()
			sum.Repaired += c.Repaired
			sum.Duplicates += c.Duplicates
			sum.Abandoned += c.Abandoned
			deepest = max(deepest, r.Machine.Level())
		})
		c := tr.egresses[i].Counters()
		out.Waited += c.Waited
		out.MostWaiting = max(out.MostWaiting, c.MostWaiting)
		out.LongestWait = max(out.LongestWait, c.LongestWait)
		if bad := c.Lost + c.SkippedTime + c.SkippedRoom + c.SkippedEnd + c.DropLate + c.DropSize + c.DropQueue +
			c.DropClosed + c.SendErrors; bad > 0 || c.Streams != 1 {
			t.Errorf("egress %d: %+v: want nothing skipped or dropped", i, c)
		}
	}
	w := tr.world.Counters()
	t.Logf("the network lost %d of %d datagrams, the kernel %d; the tree is %d levels deep",
		w.Lost, w.Received, w.Sent-w.Received, deepest)
	t.Logf("%d packets lost and repaired, %d duplicates, %d given up", sum.Repaired, sum.Duplicates, sum.Abandoned)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	slices.Sort(tr.repairs)
	if last := len(tr.repairs) - 1; last >= 0 {
		took := func(percent int) time.Duration {
			return time.Duration(tr.repairs[last*percent/100]).Round(time.Millisecond)
		}
		t.Logf("repairs took %v (median), %v (99 of 100), %v (longest)", took(50), took(99), took(100))
	}
	t.Logf("%d packets waited for one before them, %d at a time and %v at most",
		out.Waited, out.MostWaiting, out.LongestWait.Round(time.Millisecond))
	if w.Lost == 0 || sum.Repaired == 0 || out.Waited == 0 {
		t.Error("nothing was lost, repaired or put in order: the test shows nothing")
	}
}

// Datagrams of every size go through a tree of 64 receivers that loses them as in section 6.3, and the bytes that come
// out of each egress are the bytes that went in, cut as they were.
func TestStream(t *testing.T) {
	receivers, datagrams := 64, 500
	if testing.Short() {
		receivers, datagrams = 12, 200
	}
	tr := grow(t, receivers)
	app := dial(t, tr.ingress.Addr())
	rng := prng.New(1, 1)
	next := time.Now()
	for n := range datagrams {
		d := make([]byte, rng.Between(0, gateway.MaxPayload+1))
		for i := range d {
			d[i] = byte(rng.Uint64()) & byte(n) // some are zeros only, some end with zeros
		}
		say(t, app, string(d))
		if n%10 == 9 { // ten at once, then a pause: as an encoder does
			next = next.Add(80 * time.Millisecond)
			time.Sleep(time.Until(next))
		}
	}
	if !until(func() bool { return tr.ingress.Counters().Received == uint64(datagrams) }) {
		t.Fatalf("%+v: %d datagrams were sent", tr.ingress.Counters(), datagrams)
	}
	tr.check(t)
}
