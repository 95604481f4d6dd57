package loadgen

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A deed is an operation with what it does.
type deed struct {
	Op
	Action
}

// deeds returns the operations of a plan in order.
func deeds(p Plan) (all []deed) {
	for i := uint64(0); ; i++ {
		op, ok := p.At(i)
		if !ok {
			return all
		}
		all = append(all, deed{op, p.Action(op.Index)})
	}
}

// openPlan returns a plan that must be right.
func openPlan(t fataler, p interface{ Open() (Plan, error) }) Plan {
	plan, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// plans draws a way to open a plan of up to some thousand operations.
func plans(t *rapid.T) func() Plan {
	p := profiles(t)
	seed := rapid.Uint64().Draw(t, "seed of the plan")
	switch rapid.SampledFrom([]string{"mix", "sessions", "trace"}).Draw(t, "plan") {
	case "mix":
		weights := []Weight{{"join", 1}, {"none", 0}, {"repair", rapid.Float64Range(0, 9).Draw(t, "weight")}}
		m := Mix{Profile: p, Weights: weights, Members: rapid.Uint64Range(1, 100).Draw(t, "members"), Seed: seed}
		return func() Plan { return openPlan(t, m) }
	case "sessions":
		s := Sessions{Arrivals: p, Length: lengths(t), Join: "join", Leave: "leave", For: 400 * time.Millisecond, Seed: seed}
		return func() Plan { return openPlan(t, s) }
	default:
		var text strings.Builder
		text.WriteString("time,operation,member\n")
		for _, ms := range slices.Sorted(slices.Values(rapid.SliceOfN(rapid.IntRange(0, 999), 0, 99).Draw(t, "times"))) {
			text.WriteString((time.Duration(ms) * time.Millisecond).String() + ",join," + string(rune('0'+ms%10)) + "\n")
		}
		return func() Plan {
			trace, err := ReadTrace("t", strings.NewReader(text.String()), []string{"join"})
			if err != nil {
				t.Fatal(err)
			}
			return trace
		}
	}
}

func lengths(t *rapid.T) Lengths {
	return Lengths{
		Distribution: rapid.SampledFrom([]Distribution{LogNormal, Weibull, Exponential, Fixed}).Draw(t, "distribution"),
		Typical:      time.Duration(rapid.Int64Range(1, 1e9).Draw(t, "typical")),
		Spread:       rapid.Float64Range(0.3, 3).Draw(t, "spread"),
	}
}

// The contract of Plan: numbered from 0, never back in time, as many as Len says, the same in any order.
func TestPlanContract(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		open := plans(t)
		p := open()
		all := deeds(p)
		if p.Len() != uint64(len(all)) {
			t.Fatalf("Len() = %d, but %d operations", p.Len(), len(all))
		}
		for i, d := range all {
			if d.Index != uint64(i) || i > 0 && d.At < all[i-1].At || d.Kind == "" || d.Kind == "none" {
				t.Fatalf("operation %d is %+v", i, d)
			}
		}
		for range 20 {
			i := rapid.Uint64Range(0, uint64(len(all))+20).Draw(t, "i")
			op, ok := p.At(i)
			if ok != (i < uint64(len(all))) || ok && (deed{op, p.Action(i)}) != all[i] || !ok && p.Len() > i {
				t.Fatalf("asked again, operation %d is %+v, %v", i, op, ok)
			}
		}
	})
}

// However many agents share a plan, together they carry out the same operations, at the same times, and each
// member's at one agent.
func TestPlanShardsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		open := plans(t)
		whole := deeds(open())
		for _, agents := range []int{1, 2, 7, rapid.IntRange(1, 12).Draw(t, "agents")} {
			var union []deed
			for agent := range agents {
				s, err := ShardPlan(open(), agent, agents)
				if err != nil {
					t.Fatal(err)
				}
				mine := deeds(s)
				if s.Len() != uint64(len(mine)) {
					t.Fatalf("shard %d of %d: Len() = %d, but %d operations", agent, agents, s.Len(), len(mine))
				}
				for range min(3, len(mine)) { // back and forth
					i := rapid.IntRange(0, len(mine)-1).Draw(t, "i")
					if op, ok := s.At(uint64(i)); !ok || op != mine[i].Op {
						t.Fatalf("shard %d of %d: asked again, operation %d is %+v, %v", agent, agents, i, op, ok)
					}
				}
				for _, d := range mine {
					if d.Member%uint64(agents) != uint64(agent) {
						t.Fatalf("shard %d of %d has %+v", agent, agents, d)
					}
				}
				union = append(union, mine...)
			}
			slices.SortFunc(union, func(a, b deed) int { return int(a.Index) - int(b.Index) })
			if !slices.Equal(union, whole) {
				t.Fatalf("%d agents carry out %d operations, others than the %d of the whole", agents, len(union), len(whole))
			}
		}
	})
}

// Operations of a mix come up as often as their weights say, and members equally often.
func TestMixWeights(t *testing.T) {
	const n = 40_000
	m := Mix{
		Profile: Constant{Rate: n, For: time.Second}, Members: 4, Seed: 7,
		Weights: []Weight{{"a", 1}, {"b", 3}, {"c", 0}, {"d", 4}},
	}
	kinds, _ := Counts(openPlan(t, m))
	for kind, share := range map[string]float64{"a": 1. / 8, "b": 3. / 8, "c": 0, "d": 4. / 8} {
		if got := float64(kinds[kind]) / n; math.Abs(got-share) > 0.01 {
			t.Errorf("%s: share %v, want %v", kind, got, share)
		}
	}
	var members [4]int
	for _, d := range deeds(openPlan(t, m)) {
		members[d.Member]++
	}
	for i, k := range members {
		if math.Abs(float64(k)/n-0.25) > 0.01 {
			t.Errorf("member %d: %d of %d operations", i, k, n)
		}
	}
	m.Seed++
	other, _ := Counts(openPlan(t, m))
	if other["a"] == kinds["a"] && other["b"] == kinds["b"] {
		t.Error("another seed gave the same draws")
	}
}

// Every member joins once, at its time, and leaves after the length of its session unless that lasts too long.
func TestSessionsAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Sessions{
			Arrivals: profiles(t), Length: lengths(t), Join: "join", Leave: "leave", For: 300 * time.Millisecond, Seed: 5,
		}
		joined := map[uint64]time.Duration{}
		left := 0
		for _, d := range deeds(openPlan(t, s)) {
			if !d.Lasting {
				t.Fatalf("%+v does not last", d)
			}
			if d.Kind == "join" {
				joined[d.Member] = d.At
				continue
			}
			left++
			if at, ok := joined[d.Member]; !ok || d.At != at+s.Length.Of(s.Seed, d.Member) || d.At >= s.For {
				t.Fatalf("%+v: joined at %v, %v", d, at, ok)
			}
		}
		want := 0
		for i, op := range all(open(t, s.Arrivals)) {
			if joined[uint64(i)] != op.At {
				t.Fatalf("session %d begins at %v, want %v", i, joined[uint64(i)], op.At)
			}
			if op.At+s.Length.Of(s.Seed, uint64(i)) < s.For {
				want++
			}
		}
		if left != want {
			t.Fatalf("%d sessions end, want %d", left, want)
		}
	})
}

func TestPlanErrors(t *testing.T) {
	one := Constant{Rate: 1, For: time.Second}
	long := Lengths{Distribution: Fixed, Typical: 1}
	for _, c := range []struct {
		plan interface{ Open() (Plan, error) }
		want string
	}{
		{Mix{Profile: Constant{}, Members: 1}, "loadgen: constant profile: rate 0"},
		{Mix{Profile: one, Members: 1}, "loadgen: mix: weights []: want one above 0"},
		{Mix{Profile: one, Weights: []Weight{{"a", -1}}, Members: 1}, `loadgen: mix: weight -1 of "a": want 0 to`},
		{Mix{Profile: one, Weights: []Weight{{"a", 1}}}, "loadgen: mix: 0 members: want at least 1"},
		{Sessions{Arrivals: Ramp{}, Length: long, For: 1}, "loadgen: ramp profile: rate 0"},
		{Sessions{Arrivals: one, Length: long}, "loadgen: sessions: duration 0s: want more than 0"},
		{Sessions{Arrivals: one, Length: Lengths{Fixed, 0, 0}, For: 1}, "loadgen: sessions: typical length 0s"},
		{Sessions{Arrivals: one, Length: Lengths{Weibull, 1, 0}, For: 1}, "loadgen: sessions: weibull with spread 0"},
		{Sessions{Arrivals: one, Length: Lengths{"x", 1, 1}, For: 1}, `loadgen: sessions: distribution "x": want lognormal,`},
	} {
		if _, err := c.plan.Open(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.plan, err, c.want)
		}
	}
	m := openPlan(t, Mix{Profile: one, Weights: []Weight{{"a", 1}}, Members: 1})
	if _, err := ShardPlan(m, 1, 1); err == nil || !strings.HasPrefix(err.Error(), "loadgen: shard 1 of 1") {
		t.Errorf("shard 1 of 1: %v", err)
	}
}
