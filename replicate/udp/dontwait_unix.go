//go:build unix

package udp

import "golang.org/x/sys/unix"

// What the portable form asks of recvmsg and sendmsg.
const (
	dontWait  = unix.MSG_DONTWAIT
	truncated = unix.MSG_TRUNC
)
