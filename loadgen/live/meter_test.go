package live

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"i3bench/internal/hist"
)

// A shelf keeps what a meter shows.
type shelf struct {
	mu  sync.Mutex
	all []Snapshot
}

func (s *shelf) show(x Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, x)
}

func (s *shelf) last(t *testing.T) Snapshot {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		t.Fatal("nothing was shown")
	}
	return s.all[len(s.all)-1]
}

const second = time.Second

// limits are those of the tests.
var limits = Limits{Late: 25 * time.Millisecond, Unsent: 0.001}

// at is a state of nothing but operations.
func at(d time.Duration, offered uint64) State {
	return State{At: d, For: 10 * second, Phase: "load", Limits: limits, Offered: map[string]uint64{"join": offered}}
}

// Operations are counted, rates are over the time between two states, and at the end over all of the load.
func TestOperations(t *testing.T) {
	var s shelf
	m := NewMeter(Config{Show: s.show})
	m.Stage("load", "10 joins/s")
	m.Started("join", 0) // before the load: forgotten
	m.Begin(at(0, 0))
	for i := range 10 {
		m.Started("join", time.Millisecond)
		if i < 8 {
			m.Ended("join", i != 0, time.Duration(i)*time.Millisecond)
		}
	}
	m.See(at(2*second, 12))
	o := s.last(t).Load.Operations[0]
	if o.Offered != 12 || o.Sent != 10 || o.Done != 7 || o.Failed != 1 || o.InFlight != 2 ||
		o.OfferedRate != 6 || o.SentRate != 5 || o.DoneRate != 3.5 || o.FailedRate != 0.5 ||
		o.Recent.Count != 8 || o.Recent.Max != Beyond || o.Recent.P50 > 4.1e6 {
		t.Errorf("%+v", o)
	}
	m.Ended("join", true, second)
	m.Ended("join", true, second)
	m.See(at(3*second, 12))
	o = s.last(t).Load.Operations[0]
	if o.Done != 9 || o.InFlight != 0 || o.DoneRate != 2 || o.OfferedRate != 0 || o.Recent.Count != 2 ||
		o.Recent.Max != 1e9 || o.Overall.Count != 10 || o.Overall.Max != Beyond {
		t.Errorf("%+v", o)
	}
	over := at(4*second, 12)
	over.Over = true
	m.See(over)
	l := s.last(t).Load
	o = l.Operations[0]
	if !l.Over || l.Span != 4 || o.OfferedRate != 3 || o.DoneRate != 2.25 ||
		o.Recent != o.Overall || o.Recent.Count != 10 {
		t.Errorf("in the end %+v of %+v", o, l)
	}
	m.See(at(5*second, 99))
	if s.last(t).Load != l {
		t.Error("the load went on after its end")
	}
}

// Joins and repairs come first.
func TestOrder(t *testing.T) {
	var s shelf
	m := NewMeter(Config{Show: s.show})
	state := at(0, 0)
	for _, name := range []string{"repair", "anycast", "leave", "crash"} {
		state.Offered[name] = 0
	}
	m.Begin(state)
	m.See(state)
	var names []string
	for _, o := range s.last(t).Load.Operations {
		names = append(names, o.Kind)
	}
	if want := []string{"join", "repair", "anycast", "crash", "leave"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

// Percentiles are of the nearest rank over those that succeeded, with those that failed behind them.
func TestPercentiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		took := rapid.SliceOfN(rapid.Int64Range(0, 100), 0, 40).Draw(t, "took") // below 128 the histogram is exact
		failed := rapid.IntRange(0, 20).Draw(t, "failed")
		var h hist.Histogram
		for _, v := range took {
			h.Record(v)
		}
		all := slices.Sorted(slices.Values(took))
		for range failed {
			all = append(all, Beyond)
		}
		l := latency(&h, uint64(failed))
		for share, got := range map[float64]int64{0.5: l.P50, 0.99: l.P99, 0.999: l.P999, 1: l.Max} {
			want := int64(0)
			if len(all) > 0 {
				want = all[int(math.Ceil(share*float64(len(all))))-1]
			}
			if got != want {
				t.Fatalf("p%v of %v is %d, want %d", 100*share, all, got, want)
			}
		}
	})
}

// A run is invalid where operations are not sent, or are sent too late.
func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		sent    int
		offered uint64
		late    time.Duration
		want    string
	}{
		{0, 0, 0, ""},
		{1000, 1000, 25 * time.Millisecond, "VALID"},
		{1000, 1001, 0, "VALID"},
		{1000, 1002, 0, "BEHIND: 0.2 % due and not sent yet"},
		{0, 5, 0, "BEHIND: 100.0 % due and not sent yet"},
		{1000, 1000, 30 * time.Millisecond, "INVALID: p99 lateness 30.0 ms, allowed 25.0 ms"},
		{1000, 1002, 30 * time.Millisecond, "INVALID: p99 lateness 30.0 ms, allowed 25.0 ms"},
	} {
		var s shelf
		m := NewMeter(Config{Show: s.show})
		m.Begin(at(0, 0))
		for range c.sent {
			m.Started("join", c.late)
		}
		m.See(at(second, c.offered))
		if g := s.last(t).Load.Generator; g.Verdict != c.want || g.Unsent != c.offered-uint64(c.sent) {
			t.Errorf("%+v: %+v", c, g)
		}
		over := at(second, c.offered)
		over.Over = true
		m.See(over)
		want := c.want
		if c.offered > 1001 || c.sent == 0 && c.offered > 0 {
			want = "INVALID: "
		}
		if g := s.last(t).Load.Generator; !strings.HasPrefix(g.Verdict, want) || (g.Verdict == "") != (want == "") {
			t.Errorf("in the end of %+v: %+v", c, g)
		}
	}
}

// While nothing is offered, steps are shown now and then; a load that was is not forgotten until the next begins.
func TestSteps(t *testing.T) {
	var s shelf
	m := NewMeter(Config{Show: s.show, Every: time.Nanosecond})
	m.Stage("load", "what")
	m.Step(1, 4, "1 of 4 receivers")
	x := s.last(t)
	if x.Title != "load" || x.What != "what" || x.Done != 1 || x.Total != 4 || x.Load != nil ||
		x.Doing != "1 of 4 receivers" {
		t.Errorf("%+v", x)
	}
	m.Begin(at(0, 0))
	before := len(s.all)
	m.Step(2, 4, "load")
	if len(s.all) != before {
		t.Error("a step was shown beside the load, whose states are")
	}
	over := at(second, 0)
	over.Over = true
	m.See(over)
	m.Step(3, 4, "rest")
	if x := s.last(t); x.Doing != "rest" || x.Load == nil || !x.Load.Over {
		t.Errorf("%+v", x)
	}
	m.End("complete", "report.html")
	if x := s.last(t); x.Ended != "complete" || x.Report != "report.html" || x.Number != uint64(len(s.all)) {
		t.Errorf("%+v", x)
	}
	slow := NewMeter(Config{Show: s.show, Every: time.Hour})
	before = len(s.all)
	slow.Step(1, 2, "")
	if len(s.all) != before || slow.Due() {
		t.Error("a step was shown too soon")
	}
}

// A meter may be told by many at once, and what shows its snapshots gets them in order. Who shows one may take long:
// operations do not wait for it.
func TestTogether(t *testing.T) {
	var s shelf
	block := make(chan struct{})
	m := NewMeter(Config{Show: func(x Snapshot) {
		<-block
		s.show(x)
	}})
	m.Begin(at(0, 0))
	var lookers, all sync.WaitGroup
	lookers.Go(func() { m.See(at(second, 0)) })
	for range 4 {
		all.Go(func() {
			for range 1000 {
				m.Started("join", 0)
				m.Ended("join", true, 1)
			}
		})
	}
	all.Wait() // would never return if they waited
	close(block)
	lookers.Wait()
	for i := range 3 {
		lookers.Go(func() { m.See(at(time.Duration(i+2)*second, 4000)) })
	}
	lookers.Wait()
	for i, x := range s.all {
		if x.Number != uint64(i+1) {
			t.Errorf("snapshot %d has number %d", i+1, x.Number)
		}
	}
	if o := s.last(t).Load.Operations[0]; o.Sent != 4000 || o.Done != 4000 {
		t.Errorf("%+v", o)
	}
}

// What every operation pays for.
func BenchmarkOperation(b *testing.B) {
	m := NewMeter(Config{})
	m.Begin(at(0, 0))
	m.Started("join", 0)
	b.ReportAllocs()
	for b.Loop() {
		m.Started("join", time.Millisecond)
		m.Ended("join", true, time.Millisecond)
	}
}
