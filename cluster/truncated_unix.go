//go:build unix

package cluster

import "golang.org/x/sys/unix"

// truncated is the flag of a datagram that was longer than its buffer.
const truncated = unix.MSG_TRUNC
