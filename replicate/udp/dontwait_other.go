//go:build !unix

package udp

// There are no such flags here: a send may wait for the system, and a receive returns when its deadline passes.
const (
	dontWait  = 0
	truncated = 0
)
