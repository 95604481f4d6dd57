package plan

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// straight is a group of which all is known: 1,000 datagrams a second at rest and 50 for a join with its repair, and a
// receiver that joins is busy for 5 ms and ten datagrams.
func straight(pool int) Self {
	s := Self{
		Pool: pool, Limit: 0.25,
		Costs: Costs{Machine: []float64{1000}, Carry: []float64{4000}, Generate: []float64{25_000}, Cores: []float64{2}},
	}
	for _, rate := range []float64{1, 1000, 2000, 4000} {
		for _, delay := range []float64{0.0002, 0.001, 0.004} {
			s.Work = append(s.Work, Work{
				Rate: rate, Delay: delay, Datagrams: 1000 + 50*rate, Busy: rate * (0.005 + 10*delay),
			})
		}
	}
	return s
}

// By hand: r joins a second need (1000 + 50 r) 5 µs + 2 r 25 µs = 0.005 + 0.0003 r processors, of which there are 2
// less ln(100)/(0.25 r) of them.
func TestPredictByHand(t *testing.T) {
	got, err := straight(160).Predict()
	if err != nil {
		t.Fatal(err)
	}
	r := got.Mid
	if have := 2 * (1 - math.Log(100)/(0.25*r)); math.Abs(0.005+0.0003*r-have) > 1e-6 {
		t.Errorf("%v joins/s need %v processors, there are %v", r, 0.005+0.0003*r, have)
	}
	if r < 6600 || r > 6650 || !got.Beyond {
		t.Errorf("%v joins/s, beyond %v; want 6,650 less the share that is left, and to be told that it is beyond 4,000",
			r, got.Beyond)
	}
	if math.Abs(got.Processor-(got.Datagrams*5e-6+50e-6)) > 1e-9 || math.Abs(got.Machine-got.Datagrams*1e-6) > 1e-9 {
		t.Errorf("of %v datagrams: %v s in all, %v s in machines", got.Datagrams, got.Processor, got.Machine)
	}
}

func delayAt(s Self, rate float64) float64 {
	c := s.curve()
	return c.at(c.delays, rate)
}

// Where the processors do not suffice for what the group does at rest there is no rate.
func TestPredictNone(t *testing.T) {
	s := straight(160)
	s.Costs.Cores = []float64{0.004}
	if got, err := s.Predict(); err != nil || got.Mid != 0 || got.High != 0 {
		t.Errorf("%+v, %v; want no rate", got, err)
	}
}

// The delay is that at which the pool is busy: at 4,000/s 160 of them are if each takes 40 ms, so 3.5 ms a datagram.
func TestPredictDelay(t *testing.T) {
	if d := delayAt(straight(160), 4000); math.Abs(d-0.0035) > 1e-9 {
		t.Errorf("%v s a datagram, want 3.5 ms", d)
	}
	if d := delayAt(straight(1), 4000); d != 0.0002 {
		t.Errorf("%v s a datagram with a pool of one, want the least that was counted", d)
	}
	if d := delayAt(straight(1e6), 4000); d != 0.004 {
		t.Errorf("%v s a datagram with a pool of a million, want the largest that was counted", d)
	}
}

// What more is to be had never lowers the rate, and what costs more never raises it.
func TestPredictIsMonotone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := straight(rapid.IntRange(10, 1000).Draw(rt, "pool"))
		s.Costs.Carry[0] = rapid.Float64Range(100, 50_000).Draw(rt, "carry")
		s.Costs.Cores[0] = rapid.Float64Range(0.5, 64).Draw(rt, "cores")
		before, err := s.Predict()
		if err != nil {
			rt.Fatal(err)
		}
		more := s
		more.Costs.Cores = []float64{s.Costs.Cores[0] * rapid.Float64Range(1, 4).Draw(rt, "more")}
		if after, _ := more.Predict(); after.Mid < before.Mid {
			rt.Errorf("%v joins/s with %v processors, %v with more", before.Mid, s.Costs.Cores, after.Mid)
		}
		dear := s
		dear.Costs.Machine = []float64{s.Costs.Machine[0] * 2}
		if after, _ := dear.Predict(); after.Mid > before.Mid {
			rt.Errorf("%v joins/s, %v where machines cost twice as much", before.Mid, after.Mid)
		}
	})
}

// The interval is that of the rounds.
func TestPredictSpread(t *testing.T) {
	s := straight(160)
	s.Costs.Cores = []float64{1, 2}
	got, err := s.Predict()
	if err != nil || !(got.Low < got.Mid && got.Mid < got.High) {
		t.Errorf("%v to %v to %v, %v", got.Low, got.Mid, got.High, err)
	}
}

func TestPredictFromNothing(t *testing.T) {
	one := straight(160)
	one.Work = one.Work[:3]
	free := straight(160)
	free.Costs.Generate = nil
	for _, s := range []Self{{}, one, free} {
		if _, err := s.Predict(); !errors.Is(err, ErrNoWork) {
			t.Errorf("%v, want %v", err, ErrNoWork)
		}
	}
}
