//go:build !linux

package loadgen

import (
	"runtime"
	"time"
)

// systemClock is the monotonic clock of the machine.
type systemClock struct{}

// Now implements [Clock].
func (systemClock) Now() time.Time { return time.Now() }

// Sleep implements [Clock].
func (systemClock) Sleep(d time.Duration) { time.Sleep(d) }

// dedicateThread ties the goroutine to a thread. The returned function undoes it.
func dedicateThread() (release func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
