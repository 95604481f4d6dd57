//go:build !linux

package experiments

import "runtime"

// peakBytes returns the memory that the runtime has taken from the system.
func peakBytes() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys
}
