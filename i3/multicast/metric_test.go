package multicast

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
	"i3bench/i3/machine"
)

func TestReportRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Report{ID: drawWireID.Draw(t, "id"), SourceDistance: rapid.Int64().Draw(t, "distance"),
			Metric: rapid.SampledFrom([]Metric{Bandwidth, Loss}).Draw(t, "metric")}
		r.Value = rapid.OneOf(rapid.Just[uint32](Unknown), rapid.Uint32Range(0, AllLost)).Draw(t, "value")
		b := r.AppendTo(nil)
		if got, err := ParseReport(b); err != nil || got != r {
			t.Fatalf("ParseReport = %+v, %v, want %+v", got, err, r)
		}
		if len(b) != replySize {
			t.Fatalf("a report has %d bytes, a reply %d", len(b), replySize)
		}
	})
}

func TestReportErrors(t *testing.T) {
	good := Report{ID: wireID, Metric: Loss, Value: AllLost}.AppendTo(nil)
	put := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"empty", nil, ErrLength},
		{"short", good[:len(good)-1], ErrLength},
		{"long", append(bytes.Clone(good), 0), ErrLength},
		{"of the delay", put(40, byte(Delay)), ErrMetric},
		{"of metric 3", put(40, byte(metricEnd)), ErrMetric},
		{"first reserved byte", put(41, 1), ErrReserved},
		{"last reserved byte", put(43, 1), ErrReserved},
		{"more lost than sent", put(47, byte(AllLost&0xff)+1), ErrMetric},
	} {
		if r, err := ParseReport(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: ParseReport = %+v, %v, want %v", c.name, r, err, c.want)
		}
	}
}

func FuzzReport(f *testing.F) {
	f.Add(Report{ID: wireID, SourceDistance: -1, Metric: Bandwidth, Value: Unlimited}.AppendTo(nil))
	f.Add(Report{Metric: Loss, Value: Unknown}.AppendTo(nil))
	f.Add(Report{Metric: Loss, Value: AllLost + 1}.AppendTo(nil)) // refused
	f.Add(make([]byte, replySize+1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseReport(b); err == nil && !bytes.Equal(r.AppendTo(nil), b) {
			t.Errorf("read  %x\nwrote %x", b, r.AppendTo(nil))
		}
	})
}

// The better value costs less, a tenth more bandwidth or a packet in a hundred is next to no difference, and who knows
// nothing comes last.
func TestCost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint32Max(Unlimited).Draw(t, "a"), rapid.Uint32Max(Unlimited).Draw(t, "b")
		a, b = min(a, b), max(a, b)
		if Bandwidth.cost(a) < Bandwidth.cost(b) {
			t.Fatalf("%d kbit/s cost less than %d", a, b)
		}
		if a >= 8 && float64(b) > 1.14*float64(a) && Bandwidth.cost(a) == Bandwidth.cost(b) {
			t.Fatalf("%d and %d kbit/s cost the same", a, b)
		}
		if Bandwidth.cost(b)-Bandwidth.cost(a) < -1 && float64(b) < 1.05*float64(a) {
			t.Fatalf("%d and %d kbit/s are two classes apart", a, b)
		}
		x, y := a%(AllLost+1), b%(AllLost+1)
		if x, y = min(x, y), max(x, y); Loss.cost(x) > Loss.cost(y) {
			t.Fatalf("losses of %d cost more than %d", x, y)
		}
		if y-x > AllLost/50 && Loss.cost(x) == Loss.cost(y) {
			t.Fatalf("losses of %d and %d of a million cost the same", x, y)
		}
		if max(Bandwidth.cost(a), Loss.cost(y)) >= Bandwidth.cost(Unknown) || Delay.cost(a) != 0 {
			t.Fatalf("unknown costs %d, %d and %d known ones", Bandwidth.cost(Unknown), Bandwidth.cost(a), Loss.cost(y))
		}
	})
}

// What is chosen of few places.
func TestMetricChoice(t *testing.T) {
	place := func(n uint64, m Metric, value uint32, ms int64, full bool) candidate {
		return candidate{id: (&paperTree{}).id(int(n)), value: value, cost: m.cost(value), distance: ms * 1e6, full: full}
	}
	for _, c := range []struct {
		name   string
		metric Metric
		places []candidate
		want   int  // the place joined at
		deeper bool // a full one may lead to a better
	}{
		{"the near one, whatever it reports", Delay,
			[]candidate{place(1, Delay, 1, 5, false), place(2, Delay, 9999, 9, false)}, 1, false},
		{"the wide one", Bandwidth,
			[]candidate{place(1, Bandwidth, 1000, 5, false), place(2, Bandwidth, 2000, 90, false)}, 2, false},
		{"the nearer of two about as wide", Bandwidth,
			[]candidate{place(1, Bandwidth, 1030, 50, false), place(2, Bandwidth, 1080, 90, false)}, 1, false},
		{"the one that knows", Bandwidth,
			[]candidate{place(1, Bandwidth, Unknown, 5, false), place(2, Bandwidth, 10, 90, false)}, 2, false},
		{"below the wide full one", Bandwidth,
			[]candidate{place(1, Bandwidth, 1000, 5, false), place(2, Bandwidth, 2000, 90, true)}, 1, true},
		{"not below the narrow full one", Bandwidth,
			[]candidate{place(1, Bandwidth, 1000, 50, false), place(2, Bandwidth, 500, 5, true)}, 1, false},
		{"the one that loses little", Loss,
			[]candidate{place(1, Loss, 90_000, 5, false), place(2, Loss, 10_000, 90, false)}, 2, false},
		{"the nearer of two that lose as much", Loss,
			[]candidate{place(1, Loss, 20_000, 5, false), place(2, Loss, 12_000, 90, false)}, 1, false},
		{"not below the far full one", Loss,
			[]candidate{place(1, Loss, 20_000, 5, false), place(2, Loss, 20_000, 90, true)}, 1, false},
	} {
		s := newSearch(SearchPolicy{Width: 1, Metric: c.metric}, newRoot)
		for _, p := range c.places {
			s.add(0, p)
		}
		deeper := s.next()
		best := s.best()
		if n := (&paperTree{}).number(s.seen[best].id); n != c.want || deeper != c.deeper {
			t.Errorf("%s: joins at %d, want %d; goes deeper: %v, want %v", c.name, n, c.want, deeper, c.deeper)
		}
	}
}

// A search that descends into every full child that may lead to something better misses nothing, if no report is
// better than the parent's.
func TestMetricSearchMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawTree(t)
		metric := rapid.SampledFrom([]Metric{Bandwidth, Loss}).Draw(t, "metric")
		values := make([]uint32, len(p.members))
		values[0] = map[Metric]uint32{Bandwidth: Unlimited, Loss: 0}[metric]
		for i, m := range p.members {
			for _, c := range m.children {
				if v := rapid.Uint32Max(AllLost).Draw(t, "value"); metric == Bandwidth {
					values[c] = min(values[i], v)
				} else { // what arrives is a product
					values[c] = AllLost - uint32(uint64(AllLost-values[i])*uint64(AllLost-v)/AllLost)
				}
			}
		}
		s := newSearch(SearchPolicy{Width: len(p.members), Metric: metric}, newRoot)
		for more := true; more; more = s.next() {
			for f, c := range slices.Clone(s.frontier) {
				for _, r := range p.replies(s.seen[c].id, newRoot) {
					v := values[p.number(r.id)]
					r.value, r.cost = v, metric.cost(v)
					s.add(f, r)
				}
			}
		}
		got := p.number(s.seen[s.best()].id)
		for i := range p.members {
			better := metric.cost(values[i]) < metric.cost(values[got]) ||
				metric.cost(values[i]) == metric.cost(values[got]) && p.members[i].distance < p.members[got].distance
			if !p.full(i) && reachable(p, i) && better {
				t.Fatalf("joins at member %d (%d), %d (%d) is better", got, values[got], i, values[i])
			}
		}
	})
}

// Pairs of packets that were sent together show the bandwidth; others, and those that are not neighbours, show nothing.
func TestGauge(t *testing.T) {
	const size, ms = 1000 - packetHead, int64(machine.Millisecond)
	for _, c := range []struct {
		name            string
		step            uint64 // of the sequence number
		sent, apart     int64
		want            uint32 // kbit/s
		packets, needed int
	}{
		{"sent at once", 1, 0, ms, 8000, 9, 9},
		{"sent at once, too few", 1, 0, ms, Unknown, 8, 9},
		{"sent a little apart", 1, ms / 8, ms, 8000, 9, 9},
		{"sent as far apart as they come", 1, ms, ms, Unknown, 20, 0},
		{"with one missing between", 2, 0, ms, Unknown, 20, 0},
		{"at one time", 1, 0, 0, Unknown, 20, 0},
		{"too far apart to be a pair", 1, 0, 2000 * ms, Unknown, 20, 0},
		{"sent after they came", 1, -ms, ms, Unknown, 20, 0},
	} {
		var g gauge
		g.attached(Bandwidth, Unknown)
		for i := range c.packets {
			n := int64(i)
			g.data(machine.Time(1e9+n*c.apart), Message{Seq: 1 + c.step*uint64(i), Time: n * c.sent}, size)
		}
		if got := g.value(Bandwidth); got != c.want {
			t.Errorf("%s: %d kbit/s, want %d", c.name, got, c.want)
		}
	}
	var none *gauge
	if none.value(Loss) != Unknown || none.value(Bandwidth) != Unknown {
		t.Error("who has no gauge knows something")
	}
}

// What falls short of a promise, and what does not.
func TestFallsShort(t *testing.T) {
	for _, c := range []struct {
		name          string
		metric        Metric
		promise       int64 // ms
		distance      int64
		value         uint32
		packets, last uint64
		bandwidth     uint32
		want          bool
	}{
		{"as near as promised", Delay, 40, 40, Unknown, 65, 65, 0, false},
		{"a little farther", Delay, 40, 89, Unknown, 65, 65, 0, false},
		{"twice as far and more", Delay, 60, 125, Unknown, 65, 65, 0, true},
		{"far, but of a long way", Delay, 400, 700, Unknown, 65, 65, 0, false},
		{"nearer than the source can be", Delay, -9_000_000_000_000, 60, Unknown, 65, 65, 0, true},
		{"near, and half is lost", Delay, 40, 40, Unknown, 32, 65, 0, true},
		{"near, and a third is lost", Delay, 40, 40, Unknown, 43, 65, 0, false},
		{"no loss promised, one in ten lost", Loss, 0, 0, 0, 59, 65, 0, false},
		{"no loss promised, one in six lost", Loss, 0, 0, 0, 54, 65, 0, true},
		{"as much loss as promised", Loss, 0, 0, 200_000, 52, 65, 0, false},
		{"nothing promised", Loss, 0, 0, Unknown, 40, 65, 0, false},
		{"too early to say", Loss, 0, 0, 0, 10, 20, 0, false},
		{"half as wide", Bandwidth, 0, 0, 8000, 65, 65, 4000, false},
		{"not a tenth as wide", Bandwidth, 0, 0, 8000, 65, 65, 700, true},
		{"as wide as nobody promised", Bandwidth, 0, 0, Unknown, 65, 65, 800, false},
	} {
		cfg := &Config{Search: SearchPolicy{Metric: c.metric, Trial: 64}, gauged: true}
		r := &Receiver{core: core{cfg: cfg, rare: &rare{gauge: new(gauge)}}}
		r.distance, r.distances.next = c.distance*1e6, windowSize
		r.gauge().trial.begin(1, &candidate{distance: c.promise * 1e6, value: c.value}, r.clock)
		tr := &r.gauge().trial
		tr.first, tr.last, tr.packets = 1, c.last, uint32(c.packets)
		r.gauge().bandwidth, r.gauge().pairs = c.bandwidth, enoughPairs
		if got := r.fallsShort(); got != c.want {
			t.Errorf("%s: falls short: %v, want %v", c.name, got, c.want)
		}
	}
}

// In a new place a receiver reports what it joined by, not what it has seen in the old one.
func TestNewPlaceNewGauge(t *testing.T) {
	for m, other := range map[Metric]Metric{Bandwidth: Loss, Loss: Bandwidth} {
		cfg := &Config{Search: SearchPolicy{Metric: m, Trial: 64, Moves: 1}, gauged: true}
		r := &Receiver{core: core{cfg: cfg, rare: &rare{gauge: &gauge{loss: 1, bandwidth: 1, pairs: 99}}}}
		r.lossRate = lossRate{packets: 100, losses: 50, known: true}
		r.onTrial(&candidate{value: 77})
		r.judge(0, nil)
		if g := r.gauge(); g.value(m) != 77 || g.value(other) != Unknown || g.pairs != 0 {
			t.Errorf("metric %d: reports %d and %d, want 77 and nothing", m, g.value(m), g.value(other))
		}
	}
}

// A place that fell short is excluded with whoever offers it, the source's alone.
func TestExclude(t *testing.T) {
	tr := trial{source: wireHost}
	tr.exclude(wireID, wireHost6)
	tr.exclude(wireTarget, wireHost)
	other := (&paperTree{}).id(3)
	for _, c := range []struct {
		what      string
		got, want bool
	}{
		{"the place", tr.excludes(wireID, wireHost), true},
		{"another of the same host", tr.excludes(other, wireHost6), true},
		{"the source's place", tr.excludes(wireTarget, wireHost), true},
		{"another of the source", tr.excludes(other, wireHost), false},
	} {
		if c.got != c.want {
			t.Errorf("%s is excluded: %v, want %v", c.what, c.got, c.want)
		}
	}
	if tr.moves != 2 {
		t.Errorf("%d moves, want 2", tr.moves)
	}
}

// A packet of a train counts once, however often it comes back, and no packet that there is not.
func TestEchoCountsOnce(t *testing.T) {
	r := &Receiver{core: core{cfg: &Config{}}, state: measuring, step: 7, join: &joining{}}
	r.join.search.trains = []train{{id: wireID}}
	for range 20 {
		for _, i := range []uint64{3, trainLength} {
			r.trainBack(0, i3.Packet{Kind: i3.KindData, ID: wireID}, Message{Type: TypeEcho, Seq: 7<<numberBits | i}, nil)
		}
	}
	if back := r.join.search.trains[0].back; back != 1<<3 || r.count.DropUnexpected != 39 {
		t.Errorf("back %b, %d dropped, want one back and 39 dropped", back, r.count.DropUnexpected)
	}
}
