package cluster_test

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"i3bench/i3"
	"i3bench/internal/deliver"
	"i3bench/internal/hist"
	"i3bench/replicate/udp"
)

// A packet of these runs bears, at its end, the slice of the run in which it was due and when that was. Two do not fit
// into a datagram, so that packets can be counted by who counts datagrams, as the kernel does.
const (
	stampSize  = 16
	packetSize = i3.HeaderSize + 1000
)

// stampPacket writes when a packet was due, and in which slice.
func stampPacket(packet []byte, slice int, due time.Duration) {
	binary.LittleEndian.PutUint64(packet[len(packet)-stampSize:], uint64(slice))
	deliver.Stamp(packet, uint64(due))
}

// maxSlices bounds the slices of a run. The first is for packets that are not looked at.
const maxSlices = 512

// A slice is what became of the packets that were due in some time.
type slice struct {
	offered atomic.Uint64 // by the source, for each receiver
	got     uint64        // by all receivers in the crowd
	latency hist.Histogram
}

// receiverBuffer is what receivers ask for: some hundred milliseconds of what they get.
const receiverBuffer = 1 << 20

// A plug is a receiver's socket, of which the descriptor is known.
type plug struct {
	udp.Conn
	fd int
}

// openPlug opens a socket at an address, with whole trains or with datagrams as they would be counted.
func openPlug(at netip.AddrPort, trains bool) (*plug, error) {
	p := &plug{}
	conn, err := udp.Open(udp.Config{
		Local: at, Buffer: receiverBuffer, Batch: 8, GRO: trains,
		Control: func(fd uintptr) error { p.fd = int(fd); return nil },
	})
	p.Conn = conn
	return p, err
}

// dropped returns how many messages the kernel dropped because the socket's buffer was full (SO_MEMINFO).
func (p *plug) dropped() uint64 {
	const soMeminfo, drops = 55, 8
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(p.fd), unix.SOL_SOCKET, soMeminfo,
		uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return uint64(info[drops])
}

// A crowd is receivers that do what they should, all read by one goroutine as whoever has few cores would.
type crowd struct {
	plugs  []*plug
	poll   int
	clock  func() time.Duration
	slices []slice
	got    atomic.Uint64 // packets so far
	odd    atomic.Uint64 // datagrams that hold something else
	over   atomic.Bool
	done   sync.WaitGroup
	buffer []udp.Received
}

// openCrowd opens n receivers, whose goroutine is still to be started.
func openCrowd(n int, clock func() time.Duration) (*crowd, error) {
	c := &crowd{clock: clock, slices: make([]slice, maxSlices), buffer: make([]udp.Received, 8)}
	for i := range c.buffer {
		c.buffer[i].Buf = make([]byte, udp.MaxDatagram)
	}
	var err error
	if c.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	for i := range n {
		p, err := openPlug(netip.MustParseAddrPort("127.0.0.1:0"), true)
		if err == nil {
			c.plugs = append(c.plugs, p)
			err = unix.EpollCtl(c.poll, unix.EPOLL_CTL_ADD, p.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)})
		}
		if err != nil {
			c.close()
			return nil, err
		}
	}
	c.done.Add(1)
	go c.run()
	return c, nil
}

// close ends the goroutine and closes the sockets.
func (c *crowd) close() {
	c.over.Store(true)
	c.done.Wait()
	for _, p := range c.plugs {
		_ = p.Close()
	}
	_ = unix.Close(c.poll)
}

// run reads who has something until the crowd is closed.
func (c *crowd) run() {
	defer c.done.Done()
	var events [64]unix.EpollEvent
	for !c.over.Load() {
		const pause = 20 // ms until it looks whether it is over
		n, err := unix.EpollWait(c.poll, events[:], pause)
		if err != nil {
			continue
		}
		for _, e := range events[:n] {
			k, _ := c.plugs[e.Fd].Recv(c.buffer)
			for i := range c.buffer[:k] {
				c.take(&c.buffer[i])
			}
		}
	}
}

// take counts what one receiver got. Its time is that of the first of them.
func (c *crowd) take(r *udp.Received) {
	now := c.clock()
	for i := range r.Datagrams() {
		at, due, ok := readStamp(r.Datagram(i))
		if !ok {
			c.odd.Add(1)
			continue
		}
		s := &c.slices[at]
		s.got++
		s.latency.Record(int64(now - due))
	}
	c.got.Add(uint64(r.Datagrams()))
}

// readStamp returns what stampPacket wrote into the packet of a datagram.
func readStamp(datagram []byte) (slice uint64, due time.Duration, ok bool) {
	_, wire, _, err := i3.Next(datagram)
	if err != nil || len(wire) != packetSize {
		return 0, 0, false
	}
	slice = binary.LittleEndian.Uint64(wire[len(wire)-stampSize:])
	return slice, time.Duration(deliver.Number(wire)), slice < maxSlices
}

// dropped returns how many messages the kernel dropped for all of them.
func (c *crowd) dropped() (n uint64) {
	for _, p := range c.plugs {
		n += p.dropped()
	}
	return n
}
