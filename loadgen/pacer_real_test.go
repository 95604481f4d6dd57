package loadgen

import (
	"context"
	"errors"
	"testing"
	"time"
)

// On the machine's own clock nothing starts early, everything starts, and the
// whole takes about as long as the schedule. The bounds are generous: the machine
// that runs this may be busy.
func TestPacerRealClock(t *testing.T) {
	for _, spin := range []time.Duration{0, NoSpin} {
		s := open(t, Poisson{Rate: 400, For: 250 * time.Millisecond, Seed: 1})
		p := newPacer(t, PacerConfig{Spin: spin})
		stats, err := p.Run(context.Background(), time.Time{}, s, func(op Op, intended time.Time) {
			if early := time.Until(intended); early > 0 {
				t.Errorf("operation %d started %v too early", op.Index, early)
			}
			p.Done()
		})
		if err != nil || stats.Sent != s.Len() || stats.Offered != s.Len() {
			t.Errorf("error %v, sent %d, offered %d of %d", err, stats.Sent, stats.Offered, s.Len())
		}
		if stats.Elapsed < 200*time.Millisecond || stats.Elapsed > 10*time.Second {
			t.Errorf("took %v, want about 250 ms", stats.Elapsed)
		}
		t.Logf("spin %v: late p50 %v, max %v", spin,
			time.Duration(stats.Lateness.Quantile(0.5)), time.Duration(stats.Lateness.Max()))
	}
}

func TestCancelRealClock(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	s := open(t, Constant{Rate: 1, For: time.Hour})
	p := newPacer(t, PacerConfig{})
	stats, err := p.Run(ctx, time.Time{}, s, func(Op, time.Time) { p.Done() })
	if !errors.Is(err, context.DeadlineExceeded) || stats.Sent == 0 || stats.Elapsed > 10*time.Second {
		t.Errorf("error %v, sent %d, after %v, want to stop after 30 ms", err, stats.Sent, stats.Elapsed)
	}
}

// BenchmarkPacer reports how late operations start on this machine, and what
// share of a core the pacer is awake for.
func BenchmarkPacer(b *testing.B) {
	for _, c := range []struct {
		name string
		spin time.Duration
		rate float64
	}{
		{"spin=50us/rate=1000", 0, 1000}, {"spin=none/rate=1000", NoSpin, 1000},
		{"spin=50us/rate=100000", 0, 100_000}, {"spin=none/rate=100000", NoSpin, 100_000},
	} {
		b.Run(c.name, func(b *testing.B) {
			clock := &awake{}
			p := newPacer(b, PacerConfig{Spin: c.spin, Clock: clock})
			s := open(b, Constant{Rate: c.rate, For: 100 * time.Millisecond})
			defer dedicateThread()()
			for b.Loop() {
				clock.slept = 0
				stats, err := p.Run(context.Background(), time.Time{}, s, func(Op, time.Time) { p.Done() })
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(stats.Lateness.Quantile(0.5)), "late-p50-ns")
				b.ReportMetric(float64(stats.Lateness.Quantile(0.99)), "late-p99-ns")
				b.ReportMetric(100*(1-clock.slept.Seconds()/stats.Elapsed.Seconds()), "%awake")
			}
		})
	}
}

// awake is the system clock, and adds up the time slept.
type awake struct {
	systemClock
	slept time.Duration
}

func (a *awake) Sleep(d time.Duration) {
	before := time.Now()
	a.systemClock.Sleep(d)
	a.slept += time.Since(before)
}
