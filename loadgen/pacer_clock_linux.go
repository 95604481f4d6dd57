package loadgen

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// systemClock is the monotonic clock of the machine.
type systemClock struct{}

// Now implements [Clock].
func (systemClock) Now() time.Time { return time.Now() }

// Sleep implements [Clock]. It sleeps in the kernel, because the timers of the Go
// runtime end half a millisecond late. A signal may end it early, which Clock
// allows.
func (systemClock) Sleep(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&ts, nil) // the only error is the early end
}

// dedicateThread ties the goroutine to a thread whose sleeps end as exactly as
// the kernel can. The returned function undoes it.
func dedicateThread() (release func()) {
	runtime.LockOSThread()
	// By default the kernel may end a sleep 50 us late, to wake up for several
	// threads at once. A kernel that refuses leaves the pacer a little late,
	// which PacerStats.Lateness shows.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	return func() {
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // back to the default
		runtime.UnlockOSThread()
	}
}
