package experiments

import (
	"sync"
	"testing"
	"time"

	"i3bench/loadgen"
	"i3bench/reports"
)

// newBook returns operations whose schedule began a while ago.
func newBook(t *testing.T, sink Sink) *operations {
	t.Helper()
	o := newOperations(sink, reports.KindJoin)
	p, err := loadgen.NewPacer(loadgen.PacerConfig{Spin: loadgen.NoSpin})
	if err != nil {
		t.Fatal(err)
	}
	o.pacer, o.begin = p, time.Now().Add(-10*time.Second)
	return o
}

// An operation ends once: as succeeded, refused or timed out, whichever is first.
func TestOperationEndsOnce(t *testing.T) {
	end := func(_ *operations, op *operation) { op.succeeded() }
	finish := func(o *operations, _ *operation) { o.finish() }
	refuse := func(_ *operations, op *operation) { op.refuse() }
	for name, c := range map[string]struct {
		steps []func(*operations, *operation)
		want  string
		done  int
	}{
		"ended":             {[]func(*operations, *operation){end}, reports.StatusOK, 1},
		"ended twice":       {[]func(*operations, *operation){end, end}, reports.StatusOK, 1},
		"timed out":         {[]func(*operations, *operation){finish}, reports.StatusTimeout, 0},
		"late":              {[]func(*operations, *operation){finish, end}, reports.StatusTimeout, 0},
		"in time":           {[]func(*operations, *operation){end, finish}, reports.StatusOK, 1},
		"refused":           {[]func(*operations, *operation){refuse}, reports.StatusError, 0},
		"refused, then end": {[]func(*operations, *operation){refuse, end, finish}, reports.StatusError, 0},
	} {
		var r recorder
		o := newBook(t, &r)
		op := o.start(o.begin.Add(3 * time.Second))
		if o.open() != 1 {
			t.Errorf("%s: %d under way, expected 1", name, o.open())
		}
		for _, step := range c.steps {
			step(o, op)
		}
		got := r.of(reports.KindJoin)
		if len(got) != 1 || got[0].Status != c.want || o.done() != c.done || o.open() != 0 {
			t.Errorf("%s: %+v, %d done, %d under way, expected %s", name, got, o.done(), o.open(), c.want)
		}
		if o.pacer.InFlight() != -1 { // the pacer counted no start here
			t.Errorf("%s: the pacer was told %d times", name, -o.pacer.InFlight())
		}
	}
}

// Latency counts from the intended time, service from the start; lateness is the difference.
func TestOperationTimes(t *testing.T) {
	var r recorder
	o := newBook(t, &r)
	before := time.Now()
	op := o.start(o.begin.Add(3 * time.Second))
	op.succeeded()
	took := time.Since(o.begin.Add(3 * time.Second))
	late, join := r.of(reports.KindLate)[0], r.of(reports.KindJoin)[0]
	if late.StartNS != int64(3*time.Second) || join.StartNS != late.StartNS {
		t.Errorf("intended at %d and %d ns, expected 3 s", late.StartNS, join.StartNS)
	}
	if low := before.Sub(o.begin.Add(3 * time.Second)); late.Value < float64(low) || late.Value > float64(took) {
		t.Errorf("late by %v ns, expected between %d and %d", late.Value, low, took)
	}
	if join.Value < late.Value || join.Value > float64(took) || join.Value-float64(join.ServiceNS) != late.Value {
		t.Errorf("latency %v, service %d, late %v: expected the sum", join.Value, join.ServiceNS, late.Value)
	}
}

// Each second's sum holds what was intended in it and what ended in it, also for seconds in which nothing was intended.
func TestOperationsBySecond(t *testing.T) {
	var r recorder
	o := newBook(t, &r) // ten seconds ago
	var ops []*operation
	for _, ms := range []int{0, 999, 1000, 1500, 2999, -50} {
		ops = append(ops, o.start(o.begin.Add(time.Duration(ms)*time.Millisecond)))
	}
	for _, op := range ops[:4] {
		op.succeeded()
	}
	now := o.second(time.Now())
	o.finish()
	offered, ended := make(map[int64]int64), 0.0
	for _, s := range r.of(reports.KindOffered) {
		offered[s.StartNS/int64(time.Second)] += s.N
		ended += s.Value
		if s.Group != reports.KindJoin || s.N == 0 && s.Value == 0 || s.Value > 0 && s.StartNS < 10*int64(time.Second) {
			t.Errorf("%+v", s)
		}
	}
	if offered[0] != 3 || offered[1] != 2 || offered[2] != 1 || ended != 4 || now < 10 {
		t.Errorf("offered by second %v, ended %v, now is second %d", offered, ended, now)
	}
}

// Operations may be begun and ended by many goroutines, while the run is being finished.
func TestOperationsTogether(t *testing.T) {
	const goroutines, each = 8, 200
	var r recorder
	o := newBook(t, &r)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range each {
				op := o.start(o.begin)
				if i%5 > 0 {
					wg.Go(func() { op.succeeded() })
				}
				op.succeeded()
			}
		})
	}
	wg.Wait()
	o.finish()
	if ok := r.statuses(reports.KindJoin)[reports.StatusOK]; ok != goroutines*each || o.done() != ok {
		t.Errorf("%d ended well, %d counted, expected %d", ok, o.done(), goroutines*each)
	}
	if n := -o.pacer.InFlight(); n != goroutines*each {
		t.Errorf("the pacer was told %d times of %d", n, goroutines*each)
	}
}
