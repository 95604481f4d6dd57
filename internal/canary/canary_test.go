//go:build canary

package canary

import "testing"

func TestCanaryFails(t *testing.T) {
	t.Error("canary: this test fails on purpose")
}

func TestCanarySkips(t *testing.T) {
	t.Skip("canary: this test is skipped on purpose")
}

// TestCanaryRaces fails under the race detector, and only there.
func TestCanaryRaces(t *testing.T) {
	shared := 0
	done := make(chan struct{})
	go func() {
		shared++
		close(done)
	}()
	shared++
	<-done
	if shared == 0 {
		t.Error("canary: the counter did not move")
	}
}
