package machine_test

import (
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3/machine"
)

// A bucket lets pass what a count of tokens lets pass that grows with time up to the burst.
func TestPaceIsTokenBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate, burst := rapid.IntRange(1, 1000).Draw(t, "rate"), rapid.IntRange(1, 50).Draw(t, "burst")
		p := machine.PaceOf(rate, burst)
		each := int64(machine.Second) / int64(rate)
		full, now := machine.Time(0), machine.Time(machine.Second)
		have := int64(burst) * each // in time
		for range 50 {
			gone := rapid.Int64Range(0, 3*each).Draw(t, "time")
			now, have = now.Add(machine.Duration(gone)), min(have+gone, int64(burst)*each)
			tokens := rapid.IntRange(1, 5).Draw(t, "tokens")
			want := have >= int64(tokens)*each
			if got := p.Take(&full, now, tokens); got != want {
				t.Fatalf("%d of %d ns: %v", tokens, have, got)
			}
			if want {
				have -= int64(tokens) * each
			}
		}
	})
}

// Where no rate is given there is none.
func TestNoPace(t *testing.T) {
	var full machine.Time
	if p := machine.PaceOf(0, 5); p != (machine.Pace{}) {
		t.Errorf("%+v", p)
	}
	if (machine.Pace{}).Take(&full, 1, 0) != true || (machine.Pace{Each: 1}).Take(&full, 1, 1) {
		t.Error("a bucket without room gave a token")
	}
}
