package loadgen

import (
	"context"
	"testing"
	"time"
)

// Every operation whose time has come is started or left, once, whatever the reason: late under None, too many in
// flight, or the end of the run.
func TestEveryOperationStartsOrIsLeft(t *testing.T) {
	for _, policy := range []CatchUp{Smooth, Burst, None} {
		c, seen := newClock(), make(map[uint64]int)
		ctx, cancel := context.WithCancel(t.Context())
		left := 0
		p := newPacer(t, PacerConfig{CatchUp: policy, InFlight: 20, Spin: NoSpin, Clock: c, Left: func(op Op) {
			left++
			seen[op.Index]++
		}})
		s, err := Constant{Rate: 100, For: time.Second}.Open()
		if err != nil {
			t.Fatal(err)
		}
		stall := stallOnce(c, 10, 300*time.Millisecond)
		stats, _ := p.Run(ctx, c.now, s, func(op Op, _ time.Time) {
			seen[op.Index]++
			stall(op)
			if op.Index < 20 {
				p.Done()
			}
			if op.Index == 45 {
				cancel()
			}
		})
		cancel()
		if uint64(left) != stats.Missed+stats.Dropped || uint64(len(seen)) != stats.Offered || left == 0 {
			t.Errorf("%v: %d left, %d seen of %+v", policy, left, len(seen), stats)
		}
		for index, n := range seen {
			if n != 1 {
				t.Errorf("%v: operation %d came %d times", policy, index, n)
			}
		}
	}
}

// A policy is read by its name, as a flag has it.
func TestCatchUpNames(t *testing.T) {
	for _, want := range []CatchUp{Smooth, Burst, None} {
		var got CatchUp
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("%v became %v (%v)", want, got, err)
		}
	}
	if err := new(CatchUp).UnmarshalText([]byte("later")); err == nil {
		t.Error("no error for a policy that there is not")
	}
}
