package tablebench

import (
	"testing"
	"time"
)

// TestFor calls for as long as it is told to, and not once after it is stopped.
func TestFor(t *testing.T) {
	const n = 10
	calls := 0
	got := For(2*time.Millisecond, n, func() bool { return false }, func() {
		calls++
		time.Sleep(100 * time.Microsecond)
	})
	if got.Lookups != calls*n || got.Wall < 2*time.Millisecond || calls%look != 0 {
		t.Errorf("tablebench: %+v after %d calls, want all of them and 2 ms", got, calls)
	}
	if got := For(time.Hour, n, func() bool { return true }, func() { calls = -1 }); got.Lookups != 0 || calls < 0 {
		t.Errorf("tablebench: %+v, want nothing if it is stopped", got)
	}
}

func TestTiming(t *testing.T) {
	got := Timing{Lookups: 1e8, Wall: time.Second, Processor: 900 * time.Millisecond}
	if got.NS() != 10 || got.Share() != 90 {
		t.Errorf("tablebench: %+v: %v ns, %v %%, want 10 and 90", got, got.NS(), got.Share())
	}
	if got := (Timing{Lookups: 1, Wall: 1}).Share(); got != 0 {
		t.Errorf("tablebench: %v %% where the system does not say, want 0", got)
	}
}
