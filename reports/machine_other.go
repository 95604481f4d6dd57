//go:build !linux

package reports

// kernelAndMemory knows nothing of systems other than Linux.
func kernelAndMemory() (kernel string, bytes uint64) { return "", 0 }
