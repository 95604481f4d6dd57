package multicast_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/testbed"
)

// An echoed identifier is one to which echoes came, at a node or a host.
type echoed struct {
	id    i3.ID
	at    string
	count int
}

// echoes returns a list that grows with the identifiers to which echoes come.
func (b *bed) echoes() *[]echoed {
	var list []echoed
	note := func(at string, p i3.Packet, m multicast.Message, _ []byte) {
		if m.Type != multicast.TypeEcho {
			return
		}
		i := slices.IndexFunc(list, func(e echoed) bool { return e.id == p.ID && e.at == at })
		if i < 0 {
			i, list = len(list), append(list, echoed{id: p.ID, at: at})
		}
		list[i].count++
	}
	b.spies = append(b.spies, note)
	for i, n := range b.Nodes() {
		n.Endpoint.SetFilter(func(d machine.Datagram) bool {
			b.look(fmt.Sprint("node ", i), d)
			return true
		})
	}
	return &list
}

// A search measures the ways to three places at most, with sixteen packets each, that come back to the joiner alone;
// and no trigger for it stays.
func TestTrainsAreBounded(t *testing.T) {
	b := newBed(t, setup{
		seed: 81, nodes: 8, degree: 8, group: multicast.Config{Search: multicast.SearchPolicy{Metric: multicast.Bandwidth}},
	})
	b.grow(8)
	seen := b.echoes()
	r := b.add(3)[0]
	b.join(r)
	b.world.Sleep(second)
	hosts := 0
	for _, e := range *seen {
		if !strings.HasPrefix(e.at, "node") {
			hosts++
			if e.at != r.name {
				t.Errorf("echoes at %s, want them at %s alone", e.at, r.name)
			}
		}
		if e.count != 16 {
			t.Errorf("%d echoes of a train at %s, want 16", e.count, e.at)
		}
		if n, _ := newProber(b).count(e.id); n != 0 {
			t.Errorf("%d triggers are left at the identifier of a train", n)
		}
	}
	if hosts != 3 || r.Machine.Measures().Trains != 3 {
		t.Errorf("%d trains came, %d left, want 3", hosts, r.Machine.Measures().Trains)
	}
}

// Who leaves in the middle of a train takes its trigger back, too.
func TestLeaveInTrain(t *testing.T) {
	b := newBed(t, setup{seed: 82, group: multicast.Config{Search: multicast.SearchPolicy{Metric: multicast.Bandwidth}}})
	b.grow(2)
	seen := b.echoes()
	r := b.add(3)[0]
	r.Join()
	b.until("the first echo", 10*second, func() bool { return len(*seen) > 2 })
	b.leave(r)
	b.world.Sleep(second)
	for _, e := range *seen {
		if n, _ := newProber(b).count(e.id); n != 0 {
			t.Errorf("%d triggers are left at %s", n, e.at)
		}
	}
	if r.attached > 0 {
		t.Errorf("%d times attached, after it left", r.attached)
	}
}

// A search goes on when no echo comes back, and what brings none is no way: of the three places that it measures a
// receiver joins at the last, though all seem to be the same.
func TestLostTrains(t *testing.T) {
	b := newBed(t, setup{
		seed: 83, nodes: 8, degree: 4, group: multicast.Config{Search: multicast.SearchPolicy{Metric: multicast.Bandwidth}},
	})
	b.grow(4)
	seen := b.echoes()
	r := b.add(6)[0]
	var trains []i3.ID
	r.drop = func(p i3.Packet, payload []byte) bool {
		m, _, err := multicast.ParseMessage(payload)
		if err != nil || p.Kind != i3.KindData || m.Type != multicast.TypeEcho {
			return false
		}
		if !slices.Contains(trains, p.ID) {
			trains = append(trains, p.ID)
		}
		return len(trains) < 3
	}
	b.join(r)
	if len(trains) != 3 {
		t.Fatalf("%d trains, want 3", len(trains))
	}
	var far []string // the nodes by which they went
	for _, e := range *seen {
		if !slices.Contains(trains, e.id) {
			far = append(far, e.at)
		}
	}
	parent := r.Machine.Chain()[1]
	if want := fmt.Sprint("node ", b.nodeOf(parent)); len(far) != 3 || far[2] != want {
		t.Errorf("joins at %s, at %s; trains went by %v, and of the last one echoes came back", b.name(parent), want, far)
	}
}

// narrowFirst is a network in which the first receiver's node is behind 1 Mbit/s, and near the third.
func narrowFirst(m multicast.Metric) setup {
	return setup{
		seed: 84, nodes: 4, degree: 2, group: multicast.Config{Search: multicast.SearchPolicy{Metric: m}},
		delays: &latencies{sites: 4, far: 40 * time.Millisecond, known: map[[2]int]time.Duration{
			{0, 1}: time.Millisecond, {1, 3}: time.Millisecond,
		}},
		behind: func(number int, e testbed.Endpoint) testbed.Endpoint {
			if number == 1 {
				return testbed.Behind(e, testbed.Access{Up: 1e6, Down: 1e6})
			}
			return testbed.Behind(e, testbed.Access{Up: 100e6, Down: 100e6})
		},
	}
}

// A receiver joins where the way is wider, as it or others have measured, and not at the near place.
func TestTrainsTellWaysApart(t *testing.T) {
	for metric, parent := range map[multicast.Metric]int{multicast.Delay: 0, multicast.Bandwidth: 1} {
		b := newBed(t, narrowFirst(metric))
		rs := b.add(1, 2, 3)
		b.join(rs...)
		if got := rs[2].Machine.Chain()[1]; got != rs[parent].own() {
			t.Errorf("metric %d: joins at %s, want id%d", metric, b.name(got), parent+1)
		}
	}
}

// reports returns a list that grows with the values that hosts report to a receiver.
func (b *bed) reports(to *receiver) map[i3.ID]uint32 {
	values := map[i3.ID]uint32{}
	b.spies = append(b.spies, func(at string, _ i3.Packet, m multicast.Message, body []byte) {
		if r, err := multicast.ParseReport(body); at == to.name && m.Type == multicast.TypeReport && err == nil {
			values[r.ID] = r.Value
		}
	})
	return values
}

// Before data has come a receiver reports the bandwidth that it has measured when it joined, afterwards that of the
// data. The head of a packet without its data counts for neither.
func TestReportOfBandwidth(t *testing.T) {
	b := newBed(t, narrowFirst(multicast.Bandwidth))
	rs := b.add(1, 2)
	b.join(rs...)
	first := rs[0]
	for _, sent := range []int{0, 20} {
		for range sent {
			for range 4 {
				b.Source().Send(fmt.Append(nil, "packet ", b.Source().Machine.Highest()+1))
			}
			b.world.Sleep(100 * millisecond)
		}
		asker := b.add(3)[0]
		values := b.reports(asker)
		b.join(asker)
		b.leave(asker)
		if v := values[first.own()]; v < 300 || v > 1000 {
			t.Errorf("after %d bursts %d kbit/s are reported behind 1 Mbit/s", sent, v)
		}
		if v := values[b.Group()]; v != multicast.Unlimited {
			t.Errorf("the source reports %d kbit/s, want no limit", v)
		}
	}
}

// A receiver reports the loss that it sees, and before it has seen enough what its parent promised.
func TestReportOfLoss(t *testing.T) {
	b := newBed(t, setup{
		seed: 85, degree: 2, group: multicast.Config{Search: multicast.SearchPolicy{Metric: multicast.Loss, Trial: -1}},
	})
	rs := b.grow(2)
	for _, r := range rs {
		r.drop = func(p i3.Packet, payload []byte) bool {
			m, _, err := multicast.ParseMessage(payload)
			return p.Kind == i3.KindData && err == nil && m.Type == multicast.TypeData && m.Seq%4 == 0
		}
	}
	b.send(200, 20*millisecond)
	third := b.add(2)[0]
	b.join(third)
	asker := b.add(3)[0]
	values := b.reports(asker)
	asker.Join()
	b.until("it asks", 5*second, func() bool { return asker.attached > 0 })
	for _, r := range rs {
		if v := values[r.own()]; v < 200_000 || v > 300_000 {
			t.Errorf("%s, which loses a quarter, reports %d of a million", r.name, v)
		}
	}
	if v := values[b.Group()]; v != 0 {
		t.Errorf("the source reports %d of a million lost", v)
	}
	parent := third.Machine.Chain()[1]
	late := b.add(4)[0]
	values = b.reports(late)
	late.Join()
	b.until("it asks", 5*second, func() bool { return late.attached > 0 })
	if v := values[third.own()]; v == multicast.Unknown || v != 0 && v != values[parent] {
		t.Errorf("who has just joined at a place of %d reports %d", values[parent], v)
	}
}
