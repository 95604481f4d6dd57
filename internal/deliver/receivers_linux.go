package deliver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// receivers are sockets on loopback that count what they get.
type receivers []*receiver

// A receiver is one socket and the goroutine that reads it.
type receiver struct {
	conn  *net.UDPConn
	raw   syscall.RawConn
	tally *Tally
	count Counter
	batch *batch
	done  chan struct{}
}

// openReceivers opens the receivers of a setup.
func openReceivers(s Setup, on *board) (opened receivers, err error) {
	for i := range s.Fan {
		r, err := openReceiver(s, &on.tallies[i])
		if err != nil {
			opened.close()
			return nil, fmt.Errorf("open receiver %d: %w", i, err)
		}
		opened = append(opened, r)
	}
	return opened, nil
}

// anyPort is where receivers open: a port of loopback that the system chooses.
var anyPort = net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}

func openReceiver(s Setup, t *Tally) (*receiver, error) {
	conn, err := net.ListenUDP("udp4", &anyPort)
	if err != nil {
		return nil, err
	}
	r := &receiver{conn: conn, tally: t, count: s.Count, batch: newBatch(s.Trains, s.Size), done: make(chan struct{})}
	if r.raw, err = conn.SyscallConn(); err == nil {
		err = prepare(r.raw, s)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	go r.run()
	return r, nil
}

// perPacket is what the kernel counts for a datagram of a buffer besides its bytes, generously: a datagram of 1 byte
// counts 768, one of 1,200 bytes 2,304.
const perPacket = 1500

// prepare gives a socket room for twice the window.
func prepare(raw syscall.RawConn, s Setup) (err error) {
	room := 2 * s.Window * (2*s.Size + perPacket)
	control := raw.Control(func(fd uintptr) {
		// The kernel doubles the number, which makes up for nothing that is counted here.
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) != nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, room) // cut to the system's limit
		}
		if err == nil && s.Trains {
			err = os.NewSyscallError("UDP_GRO", unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_GRO, 1))
		}
	})
	return errors.Join(err, control)
}

func (rs receivers) addresses() (all []netip.AddrPort) {
	for _, r := range rs {
		all = append(all, r.conn.LocalAddr().(*net.UDPAddr).AddrPort())
	}
	return all
}

// close closes the sockets and waits for their goroutines.
func (rs receivers) close() {
	for _, r := range rs {
		r.conn.Close()
	}
	for _, r := range rs {
		<-r.done
	}
}

// run counts until the socket is closed.
func (r *receiver) run() {
	defer close(r.done)
	for {
		n := 0
		var errno syscall.Errno
		err := r.raw.Read(func(fd uintptr) bool {
			n, errno = r.batch.receive(fd)
			return errno != unix.EAGAIN
		})
		if err != nil {
			return // closed
		}
		if errno != 0 {
			r.tally.Odd() // nothing of ours makes a receiver's socket fail
			return
		}
		r.take(n)
	}
}

// take counts n messages of the batch.
func (r *receiver) take(n int) {
	packets, datagrams, sum := 0, 0, uint64(0)
	for i := range n {
		bytes, segment, whole := r.batch.message(i)
		if !whole {
			r.tally.Odd()
		}
		for len(bytes) > 0 {
			datagram := bytes[:min(segment, len(bytes))]
			p, s := r.count(datagram)
			if p == 0 {
				r.tally.Odd()
			}
			bytes = bytes[len(datagram):]
			packets, datagrams, sum = packets+p, datagrams+1, sum+s
		}
	}
	r.tally.Add(packets, datagrams, 1, sum)
}
