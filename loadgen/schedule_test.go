package loadgen

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A fataler is any of the kinds of test.
type fataler interface{ Fatal(args ...any) }

// open returns the schedule of a profile that must be right.
func open(t fataler, p Profile) Schedule {
	s, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// all returns the operations of a schedule in order.
func all(s Schedule) []Op {
	var ops []Op
	for i := uint64(0); ; i++ {
		op, ok := s.At(i)
		if !ok {
			return ops
		}
		ops = append(ops, op)
	}
}

func TestConstant(t *testing.T) {
	for _, c := range []struct {
		profile Constant
		want    []time.Duration
	}{
		{Constant{Rate: 4, For: time.Second}, []time.Duration{0, 250e6, 500e6, 750e6}},
		{Constant{Rate: 3, For: time.Second}, []time.Duration{0, 333333333, 666666667}},
		{Constant{Rate: 4, For: 501 * time.Millisecond}, []time.Duration{0, 250e6, 500e6}},
		{Constant{Rate: 4, For: 500 * time.Millisecond}, []time.Duration{0, 250e6}},
		{Constant{Rate: 0.5, For: 5 * time.Second}, []time.Duration{0, 2e9, 4e9}},
		{Constant{Rate: 1e-12, For: time.Second}, []time.Duration{0}},
		{Constant{Rate: 1e9, For: 3}, []time.Duration{0, 1, 2}},
	} {
		ops := all(open(t, c.profile))
		if len(ops) != len(c.want) {
			t.Errorf("%+v has %d operations, want %d", c.profile, len(ops), len(c.want))
			continue
		}
		for i, want := range c.want {
			if ops[i] != (Op{uint64(i), want}) {
				t.Errorf("%+v: operation %d is %+v, want it at %v", c.profile, i, ops[i], want)
			}
		}
	}
}

// Products such as 1000 times 0.3 are not whole in binary; their number of
// operations is.
func TestConstantCountsExactly(t *testing.T) {
	for ms := 1; ms <= 3000; ms++ {
		p := Constant{Rate: 1000, For: time.Duration(ms) * time.Millisecond}
		if got := open(t, p).Len(); got != uint64(ms) {
			t.Errorf("%+v has %d operations, want %d", p, got, ms)
		}
	}
}

// Up to any time, as many operations are due as the area under the rate says.
func TestRamp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.1, 5000))
		p := Ramp{
			From: rate.Draw(t, "from"),
			To:   rapid.Float64Range(0.1, 5000).Draw(t, "to"),
			For:  time.Duration(rapid.Int64Range(1e6, 2e9).Draw(t, "for")),
		}
		if rapid.Bool().Draw(t, "falling") {
			p.From, p.To = p.To, p.From
		}
		ops := all(open(t, p))
		for i, op := range ops {
			x := op.At.Seconds()
			area := p.From*x + (p.To-p.From)*x*x/2/p.For.Seconds()
			// Times are whole nanoseconds, during which rate/1e9 operations pass.
			if math.Abs(area-float64(i)) > 1e-5+1e-9*area {
				t.Fatalf("%+v: operation %d at %v, when the area is %v", p, i, op.At, area)
			}
		}
		if area := (p.From + p.To) / 2 * p.For.Seconds(); math.Abs(area-float64(len(ops))) > 1.001 {
			t.Fatalf("%+v has %d operations, area %v", p, len(ops), area)
		}
	})
}

// profiles draws a profile of up to some thousand operations.
func profiles(t *rapid.T) Profile {
	rate := rapid.Float64Range(0.5, 10_000)
	length := time.Duration(rapid.Int64Range(1, 5e8).Draw(t, "for"))
	if rapid.Bool().Draw(t, "pieces") {
		return pieceProfiles(t)
	}
	switch rapid.SampledFrom([]string{"constant", "ramp", "poisson"}).Draw(t, "kind") {
	case "constant":
		return Constant{Rate: rate.Draw(t, "rate"), For: length}
	case "ramp":
		return Ramp{From: rate.Draw(t, "from"), To: rate.Draw(t, "to"), For: length}
	default:
		return Poisson{Rate: rate.Draw(t, "rate"), For: length, Seed: rapid.Uint64().Draw(t, "seed")}
	}
}

// The contract of Schedule, for every profile: numbered from 0, never back in
// time, all before the end, as many as Len says, the same in any order.
func TestScheduleContract(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := profiles(t)
		s := open(t, p)
		ops := all(s)
		if s.Len() != uint64(len(ops)) {
			t.Fatalf("Len() = %d, but %d operations", s.Len(), len(ops))
		}
		var end time.Duration
		switch p := p.(type) {
		case Constant:
			end = p.For
		case Ramp:
			end = p.For
		case Poisson:
			end = p.For
		case Steps:
			end = p.For
		case Bursts:
			end = p.For
		case Diurnal:
			end = p.For
		}
		last := time.Duration(0)
		for i, op := range ops {
			if op.Index != uint64(i) || op.At < last || op.At >= end {
				t.Fatalf("operation %d of %+v is %+v, after one at %v", i, p, op, last)
			}
			last = op.At
		}
		for range 20 {
			i := rapid.Uint64Range(0, uint64(len(ops))+200).Draw(t, "i")
			op, ok := s.At(i)
			if ok != (i < uint64(len(ops))) || ok && op != ops[i] {
				t.Fatalf("asked again, operation %d is %+v, %v", i, op, ok)
			}
		}
		if _, ok := s.At(math.MaxUint64); ok {
			t.Fatal("there is an operation 2^64-1")
		}
	})
}

// However many agents share a schedule, together they offer it operation by
// operation.
func TestShardsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := profiles(t)
		whole := all(open(t, p))
		for _, agents := range []int{1, 7, rapid.IntRange(1, 100).Draw(t, "agents")} {
			seen := make([]bool, len(whole))
			for agent := range agents {
				s, err := Shard(open(t, p), agent, agents)
				if err != nil {
					t.Fatal(err)
				}
				ops := all(s)
				if s.Len() != uint64(len(ops)) {
					t.Fatalf("shard %d of %d: Len() = %d, but %d operations", agent, agents, s.Len(), len(ops))
				}
				for _, op := range ops {
					if seen[op.Index] || op != whole[op.Index] {
						t.Fatalf("shard %d of %d offers %+v, the whole %+v, offered before: %v",
							agent, agents, op, whole[op.Index], seen[op.Index])
					}
					seen[op.Index] = true
				}
			}
			for i, ok := range seen {
				if !ok {
					t.Fatalf("none of %d agents offers operation %d", agents, i)
				}
			}
		}
	})
}

// A shard of a shard keeps the numbers of the whole.
func TestShardOfShard(t *testing.T) {
	s := open(t, Constant{Rate: 100, For: time.Second})
	outer, err := Shard(s, 1, 3) // 1 4 7 10 ...
	if err != nil {
		t.Fatal(err)
	}
	inner, err := Shard(outer, 2, 4) // 7 19 31 ...
	if err != nil {
		t.Fatal(err)
	}
	if op, ok := inner.At(1); !ok || op != (Op{19, 190 * time.Millisecond}) {
		t.Errorf("second operation is %+v, %v, want number 19 at 190 ms", op, ok)
	}
	// Far beyond the end the number must not come round to one that exists.
	if op, ok := outer.At(math.MaxUint64/3 + 1); ok {
		t.Errorf("there is an operation beyond the end: %+v", op)
	}
}

func TestProfileErrors(t *testing.T) {
	const second = time.Second
	for _, c := range []struct {
		profile Profile
		want    string
	}{
		{Constant{Rate: 0, For: second}, "loadgen: constant profile: rate 0 per second: want more than 0"},
		{Constant{Rate: -1, For: second}, "loadgen: constant profile: rate -1 per second: want 0 to 1e+09"},
		{Constant{Rate: math.NaN(), For: second}, "loadgen: constant profile: rate NaN per second: want 0 to 1e+09"},
		{Constant{Rate: math.Inf(1), For: second}, "loadgen: constant profile: rate +Inf per second: want 0 to 1e+09"},
		{Constant{Rate: 1}, "loadgen: constant profile: duration 0s: want more than 0"},
		{Constant{Rate: 1e9, For: 1e3 * time.Hour},
			"loadgen: constant profile: 3.6e+15 operations in 1000h0m0s: want at most 1099511627776"},
		{Ramp{From: 0, To: 0, For: second}, "loadgen: ramp profile: rate 0 per second: want more than 0"},
		{Ramp{From: 5, To: -5, For: second}, "loadgen: ramp profile: rate -5 per second: want 0 to 1e+09"},
		{Ramp{From: 5, To: 6, For: -second}, "loadgen: ramp profile: duration -1s: want more than 0"},
		{Poisson{Rate: 2e9, For: second}, "loadgen: poisson profile: rate 2e+09 per second: want 0 to 1e+09"},
		{Steps{From: 1, To: -1, Steps: 2, For: second}, "loadgen: steps profile: rate -1 per second: want 0 to 1e+09"},
		{Steps{From: 1, To: 2, Steps: 1, For: second}, "loadgen: steps profile: 1 steps: want 2 to 10000"},
		{Bursts{Burst: 1, Every: second, Length: second, For: second}, "loadgen: bursts profile: bursts of 1s every 1s"},
		{Bursts{Every: second, Length: 1, For: second}, "loadgen: bursts profile: rate 0 per second: want more than 0"},
		{Diurnal{Low: 1, High: 2, For: second}, "loadgen: diurnal profile: period 0s: want more than 0"},
	} {
		if _, err := c.profile.Open(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.profile, err, c.want)
		}
	}
	s := open(t, Constant{Rate: 1, For: second})
	for _, c := range [][2]int{{0, 0}, {-1, 2}, {2, 2}, {0, maxAgents + 1}} {
		if _, err := Shard(s, c[0], c[1]); err == nil || !strings.HasPrefix(err.Error(), "loadgen: shard ") {
			t.Errorf("Shard(%d, %d): error %v", c[0], c[1], err)
		}
	}
}

func BenchmarkAt(b *testing.B) {
	for name, p := range map[string]Profile{
		"constant": Constant{Rate: 1e6, For: time.Hour},
		"ramp":     Ramp{From: 1, To: 1e6, For: time.Hour},
		"poisson":  Poisson{Rate: 1e6, For: time.Hour, Seed: 1},
		"diurnal":  Diurnal{Low: 1e5, High: 1e6, Period: time.Minute, For: time.Hour},
	} {
		for _, agents := range []int{1, 7} {
			b.Run("profile="+name+"/agents="+string(rune('0'+agents)), func(b *testing.B) {
				s, err := Shard(open(b, p), 0, agents)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for i := uint64(0); b.Loop(); i++ {
					if _, ok := s.At(i); !ok {
						b.Fatal("schedule is too short for the benchmark")
					}
				}
			})
		}
	}
}
