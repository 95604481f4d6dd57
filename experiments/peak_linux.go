package experiments

import "golang.org/x/sys/unix"

// peakBytes returns the most memory that the process has had at a time.
func peakBytes() uint64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return uint64(u.Maxrss) << 10
}
