package experiments

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"i3bench/i3/machine"
	"i3bench/reports"
	"i3bench/sim/topology"
	"i3bench/testbed"
	"i3bench/verify"
)

func isCancelled(err error) bool {
	return errors.Is(err, context.Canceled) && !errors.Is(err, ErrMissing)
}

// smallCluster is an experiment of section 7.1 for tests.
func smallCluster(world Kind, seeds ...uint64) Cluster {
	return Cluster{World: world, Nodes: 5, Degree: 2, Receivers: []int{2, 5, 9}, Seeds: seeds}
}

func TestClusterSamples(t *testing.T) {
	var r recorder
	m := meter{t: t}
	if err := smallCluster(Sim, 1, 2).Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	m.finished()
	r.known(t)
	r.expectCounts(t, map[string]int{reports.KindJoin: 18, reports.KindDepth: 6, reports.KindQueries: 18})
	depths := r.of(reports.KindDepth)
	slices.SortFunc(depths, bySeed)
	for i, d := range depths {
		if d.Seed != uint64(1+i/3) || d.N != []int64{2, 5, 9}[i%3] || d.Stage != reports.StageCluster {
			t.Errorf("sample %d: %+v", i, d)
		}
		// A tree with two children at each receiver holds no more than that, and a chain is the deepest.
		if lowest := map[int64]float64{2: 1, 5: 2, 9: 3}[d.N]; d.Value < lowest || d.Value > float64(d.N) {
			t.Errorf("%d receivers have depth %v", d.N, d.Value)
		}
		if i%3 > 0 && d.Value < depths[i-1].Value {
			t.Errorf("the tree of seed %d became lower", d.Seed)
		}
	}
	for seed := uint64(1); seed <= 2; seed++ {
		queries, sent := 0.0, int64(0)
		for _, q := range r.of(reports.KindQueries) {
			if q.Seed == seed {
				queries += q.Value
			}
		}
		for _, j := range r.of(reports.KindJoin) {
			if j.Seed == seed {
				sent += j.N
			}
			if j.Value <= 0 || j.Level < 1 {
				t.Errorf("join %+v: expected a latency and a level", j)
			}
		}
		if queries == 0 || queries > float64(sent) {
			t.Errorf("seed %d: receivers processed %v queries of %d sent", seed, queries, sent)
		}
	}
}

func TestClusterRepeats(t *testing.T) { sameTwice(t, smallCluster(Sim, 1, 2), smallCluster(Sim, 1, 3)) }

func TestClusterCancelled(t *testing.T) { cancelEverywhere(t, smallCluster(Sim, 1, 2)) }

// The cluster experiment runs on real sockets as it does in virtual time.
func TestClusterOnSockets(t *testing.T) {
	var r recorder
	m := meter{t: t}
	if err := smallCluster(UDP, 1).Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	m.finished()
	r.known(t)
	r.expectCounts(t, map[string]int{reports.KindJoin: 9, reports.KindDepth: 3, reports.KindQueries: 9})
}

// smallWAN is an experiment of section 7.2 for tests.
func smallWAN(t *testing.T, world Kind, seeds ...uint64) WAN {
	t.Helper()
	m, err := topology.Generate(1, 20)
	if err != nil {
		t.Fatal(err)
	}
	return WAN{
		World: world, Matrix: m, Nodes: 6, PerNode: 2, Degree: 3, Seeds: seeds,
		Variants: []Variant{PaperVariant(), WideVariant()}, Packets: 60, PerSecond: 100,
	}
}

func TestWANSamples(t *testing.T) {
	var r recorder
	m := meter{t: t}
	if err := smallWAN(t, Sim, 1, 2).Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	m.finished()
	r.known(t)
	const runs, receivers = 4, 12
	colocated := runs * 2 // the receivers at the source's site
	got := r.counts()
	repairs := got[reports.KindRepair]
	r.expectCounts(t, map[string]int{
		reports.KindColocated: colocated, reports.KindStretch: runs*receivers - colocated,
		reports.KindLatency: runs*receivers - colocated, reports.KindDuplicates: runs * receivers,
		reports.KindDelivered: runs * receivers, reports.KindRepair: repairs,
	})
	lost := int64(0)
	for _, d := range r.of(reports.KindDuplicates) {
		lost += d.N
	}
	if repairs == 0 || int64(repairs) != lost {
		t.Errorf("%d repairs, %d packets were lost before repair", repairs, lost)
	}
	for i, s := range r.of(reports.KindStretch) {
		l := r.of(reports.KindLatency)[i] // both come from the same receiver, next to each other for each run
		if s.Value <= 0 || l.ServiceNS <= 0 || s.Group != "paper" && s.Group != "wide" {
			t.Errorf("stretch %+v, latency %+v", s, l)
		}
	}
	for _, s := range r.of(reports.KindDelivered) {
		if s.N != 60 || s.Value != 60 || s.Status != reports.StatusOK {
			t.Errorf("%+v: expected 60 packets, each once", s)
		}
	}
}

func TestWANRepeats(t *testing.T) { sameTwice(t, smallWAN(t, Sim, 1, 2), smallWAN(t, Sim, 1, 3)) }

func TestWANCancelled(t *testing.T) {
	e := smallWAN(t, Sim, 1)
	e.Variants = e.Variants[:1] // one run, so that the questions come one after the other
	cancelEverywhere(t, e)
}

// More sites than the matrix has are an error that says so.
func TestWANTooManySites(t *testing.T) {
	e := smallWAN(t, Sim, 1)
	e.Nodes = 30
	err := e.Run(t.Context(), &recorder{}, func(int, int, string) {})
	if err == nil || !strings.Contains(err.Error(), "30") || !strings.Contains(err.Error(), "seed 1") {
		t.Errorf("%v: expected an error that names the seed and the number", err)
	}
}

// smallDeliver is a judging of delivery for tests.
func smallDeliver(world Kind, seeds ...uint64) Deliver {
	return Deliver{
		World: world, Nodes: 4, Degree: 3, Receivers: 8, Packets: 60, PerSecond: 300, Size: 64, Seeds: seeds,
	}
}

func TestDeliverSamples(t *testing.T) {
	var r recorder
	m := meter{t: t}
	if err := smallDeliver(Sim, 1, 2).Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	m.finished()
	r.known(t)
	r.expectCounts(t, map[string]int{reports.KindDelivered: 16})
}

func TestDeliverRepeats(t *testing.T) { sameTwice(t, smallDeliver(Sim, 1, 2), smallDeliver(Sim, 1, 3)) }

func TestDeliverCancelled(t *testing.T) { cancelEverywhere(t, smallDeliver(Sim, 1)) }

// With the losses of section 6.3, 64 receivers get each of 2,000 packets exactly once.
func TestDeliverUnderLoss(t *testing.T) {
	packets := 2000
	if testing.Short() {
		packets = 300
	}
	var r recorder
	d := Deliver{
		World: Sim, Nodes: 32, Degree: 8, Receivers: 64, Packets: packets, PerSecond: 500, Size: 256, Seeds: []uint64{5},
	}
	if err := d.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
		t.Error(err)
	}
	delivered := r.of(reports.KindDelivered)
	for _, s := range delivered {
		if s.N < int64(packets) || s.Value != float64(s.N) || s.Status != reports.StatusOK {
			t.Errorf("%+v: expected %d packets, each once", s, packets)
		}
	}
	repaired := 0.0
	for _, s := range r.of(reports.KindCount) {
		if s.Group == "packets lost and repaired" {
			repaired += s.Value
		}
	}
	if len(delivered) != 64 || repaired < float64(packets)*64/100 {
		t.Errorf("%d receivers, %v packets repaired: expected 64, and losses", len(delivered), repaired)
	}
}

// Packets that come faster than they can be kept for repair are lost for good, and the run says so.
func TestDeliverFails(t *testing.T) {
	d := smallDeliver(Sim, 1)
	d.Packets, d.PerSecond = 5000, 1e8
	var r recorder
	err := d.Run(t.Context(), &r, func(int, int, string) {})
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "of 8 receivers") {
		t.Errorf("%v, expected %v and the number of receivers", err, ErrMissing)
	}
	missing := 0
	for _, s := range r.of(reports.KindDelivered) {
		if s.Status == reports.StatusMissing && s.Value < float64(s.N) {
			missing++
		}
	}
	if missing == 0 {
		t.Error("no sample says that something is missing")
	}
}

// A receiver that is cut off for longer than anything is kept takes up the stream again. The packets of that time are
// still owed: the judge must not forget them.
func TestGapTooLongIsMissing(t *testing.T) {
	w, err := NewWorld(Sim, 1, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	bed, err := testbed.New(testbed.Config{Open: w.Open, Seed: 1, Nodes: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer bed.Close()
	m, err := addMember(bed, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll([]*member{m})
	m.start()
	if !waitUntil(t.Context(), w, wanJoinMax, m.settled) {
		t.Fatal("did not join")
	}
	s := newStream(w, bed.Source(), 64, 1e5)
	send := func(n int) {
		for range n {
			s.send()
		}
		w.Sleep(wanQuietMax / 10)
	}
	send(10)
	if v := m.delivery.Judge(s.last); !v.OK() || v.Owed < 9 {
		t.Fatalf("before the gap: %+v", v)
	}
	m.Endpoint.SetFilter(func(machine.Datagram) bool { return false })
	send(70_000)
	m.Endpoint.SetFilter(nil)
	send(10)
	v := m.delivery.Judge(s.last)
	if v.Owed < 70_019 || v.Missing == 0 || v.OK() {
		t.Errorf("after the gap: %+v, expected packets that are owed and missing", v)
	}
}

// An altered, a doubled and a missing packet are each a delivery that is not right.
func TestDeliveredSample(t *testing.T) {
	for name, deliver := range map[string]func(*verify.Delivery){
		"missing": func(d *verify.Delivery) {},
		"twice": func(d *verify.Delivery) {
			d.Delivered(1, verify.AppendPayload(nil, 1, 8))
			d.Delivered(1, verify.AppendPayload(nil, 1, 8))
		},
		"altered": func(d *verify.Delivery) { d.Delivered(1, []byte("something")) },
		"ok":      func(d *verify.Delivery) { d.Delivered(1, verify.AppendPayload(nil, 1, 8)) },
	} {
		m := &member{Receiver: &testbed.Receiver{Number: 3}}
		m.delivery.Joined(0)
		deliver(&m.delivery)
		s := delivered(reports.StageDeliver, 9, "g", m, 1)
		if ok := s.Status == reports.StatusOK; ok != (name == "ok") || s.N != 1 || s.Host != 3 || s.Seed != 9 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// The judging of delivery runs on real sockets as it does in virtual time, and finds nothing missing there either.
func TestDeliverOnSockets(t *testing.T) {
	t.Parallel() // it mostly waits
	var r recorder
	d := smallDeliver(UDP, 1)
	d.Nodes, d.Degree = 16, 8
	if err := d.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
		t.Error(err)
	}
	r.expectCounts(t, map[string]int{reports.KindDelivered: 8})
}

// The wide-area experiment runs on real sockets with imposed delays as it does in virtual time.
func TestWANOnSockets(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: without the wide-area network in real time")
	}
	t.Parallel() // it mostly waits
	e := smallWAN(t, UDP, 1)
	e.Variants = e.Variants[:1]
	var r recorder
	if err := e.Run(t.Context(), &r, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	if d := r.of(reports.KindDelivered); len(d) != 12 || len(r.of(reports.KindStretch)) != 10 {
		t.Errorf("samples %v", r.counts())
	}
	for _, s := range r.of(reports.KindStretch) {
		if s.Value <= 0.5 {
			t.Errorf("%+v: faster than the imposed delays allow", s)
		}
	}
}

func TestUnknownWorld(t *testing.T) {
	for _, e := range []experiment{smallCluster("moon", 1), smallWAN(t, "moon", 1), smallDeliver("moon", 1)} {
		err := e.Run(t.Context(), &recorder{}, func(int, int, string) {})
		if err == nil || !strings.Contains(err.Error(), `world "moon": want "udp" or "sim"`) {
			t.Errorf("%v: expected an error that names the worlds", err)
		}
	}
}
