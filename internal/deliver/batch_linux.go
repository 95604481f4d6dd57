package deliver

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The sizes of batches: how many messages are read in one call, and how long one may be.
const (
	plainMessages = 32
	plainBytes    = 2 << 10
	trainMessages = 4
	trainBytes    = 64 << 10
)

// A batch is the memory for the messages that one call reads.
type batch struct {
	messages []message
	size     int // room for each
	bytes    []byte
	vectors  []unix.Iovec
	controls []control
}

// A message is a struct mmsghdr.
type message struct {
	header unix.Msghdr
	n      uint32
}

// A control is what the kernel says with a message: of a train, how long its datagrams are.
type control struct {
	header  unix.Cmsghdr
	segment int32
	_       [4]byte
}

// newBatch returns the memory for datagrams or for trains of them.
func newBatch(trains bool, longest int) *batch {
	n, size := plainMessages, max(plainBytes, longest)
	if trains {
		n, size = trainMessages, trainBytes
	}
	b := &batch{
		messages: make([]message, n), size: size, bytes: make([]byte, n*size),
		vectors: make([]unix.Iovec, n), controls: make([]control, n),
	}
	for i := range b.messages {
		v, h := &b.vectors[i], &b.messages[i].header
		v.Base = &b.bytes[i*size]
		v.SetLen(size)
		h.Iov = v
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&b.controls[i]))
	}
	return b
}

// receive reads what is there, without waiting.
func (b *batch) receive(fd uintptr) (n int, errno syscall.Errno) {
	for i := range b.messages {
		b.messages[i].header.SetControllen(int(unsafe.Sizeof(control{}))) // the kernel changed it
		b.controls[i].header.Type = 0
	}
	got, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b.messages))),
		uintptr(len(b.messages)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(got), 0
}

// message returns the bytes of a message, how long a datagram is of which it consists, and whether there were no more
// bytes than there was room for.
func (b *batch) message(i int) (bytes []byte, segment int, whole bool) {
	m, c := &b.messages[i], &b.controls[i]
	bytes = b.bytes[i*b.size:][:m.n]
	segment = len(bytes)
	if c.header.Level == unix.SOL_UDP && c.header.Type == unix.UDP_GRO && c.segment > 0 {
		segment = int(c.segment)
	}
	return bytes, segment, m.header.Flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) == 0
}
