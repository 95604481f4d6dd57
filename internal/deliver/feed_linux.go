package deliver

import (
	"fmt"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxTrain is how many packets are fed at once, which is what a socket's usual buffer takes of small ones.
const maxTrain = 16

func feed(t *Task, fill func(packet []byte, number uint64)) error {
	to, err := netip.ParseAddrPort(t.Peer)
	if err != nil {
		return fmt.Errorf("feed the sender: %w", err)
	}
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return fmt.Errorf("feed the sender: %w", err)
	}
	defer conn.Close()
	t.Ready("")
	segment := segmentControl(t.Size)
	train := make([]byte, min(maxTrain, maxDatagram/t.Size)*t.Size)
	for {
		first, n := t.Take(len(train) / t.Size)
		if n == 0 {
			t.Wait()
			return nil
		}
		for i := range n {
			fill(train[i*t.Size:][:t.Size], first+uint64(i))
		}
		if _, _, err := conn.WriteMsgUDPAddrPort(train[:n*t.Size], segment, netip.AddrPort{}); err != nil {
			return fmt.Errorf("feed the sender: %w", err)
		}
	}
}

// segmentControl returns the control message that makes the kernel cut a message into datagrams of a size.
func segmentControl(size int) []byte {
	b := make([]byte, unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	*(*uint16)(unsafe.Pointer(&b[unix.CmsgLen(0)])) = uint16(size)
	return b
}
