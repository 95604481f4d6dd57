package cluster_test

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"i3bench/replicate/udp"
)

// A mood is how a receiver behaves.
type mood int32

const (
	willing mood = iota // it reads all
	deaf                // its socket is open and never read
	gone                // its socket is closed
	slow                // it reads a hundredth of what comes
	fickle              // its socket is opened and closed in turn, for flapTime
)

const flapTime = 100 * time.Millisecond

// A culprit is a receiver that may misbehave. Its socket gets datagrams, not trains, so that the kernel counts what it
// drops one by one. The counts are of its sockets so far.
type culprit struct {
	addr    netip.AddrPort
	mood    atomic.Int32
	offered func() uint64 // packets that were sent to it so far
	over    atomic.Bool
	done    sync.WaitGroup

	mu      sync.Mutex // guards what follows
	socket  *plug      // nil while closed
	read    uint64     // packets
	dropped uint64     // by the sockets that are closed
	left    uint64     // in the buffers of those, when they were
	opened  int
	rs      []udp.Received
}

// openCulprit opens a receiver that is willing at first.
func openCulprit(offered func() uint64) (*culprit, error) {
	c := &culprit{offered: offered, rs: make([]udp.Received, 8)}
	for i := range c.rs {
		c.rs[i].Buf = make([]byte, 2048)
	}
	var err error
	if c.socket, err = openPlug(netip.MustParseAddrPort("127.0.0.1:0"), false); err != nil {
		return nil, err
	}
	c.addr, c.opened = c.socket.Local(), 1
	c.done.Add(1)
	go c.run()
	return c, nil
}

// close ends its goroutine and closes its socket.
func (c *culprit) close() {
	c.over.Store(true)
	c.done.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut()
}

// run lives up to the mood, a millisecond at a time.
func (c *culprit) run() {
	defer c.done.Done()
	var since time.Time // the mood was other before
	var before mood
	var debt, offered uint64 // slow: hundredths of packets that may be read
	for !c.over.Load() {
		now := mood(c.mood.Load())
		if now != before {
			before, since, debt, offered = now, time.Now(), 0, c.offered()
		}
		total := c.offered()
		debt += total - offered
		offered = total
		c.mu.Lock()
		switch now {
		case willing:
			c.want(true)
			c.take(1 << 30)
		case deaf:
			c.want(true)
		case gone:
			c.want(false)
		case slow:
			c.want(true)
			debt -= 100 * c.take(debt/100)
		case fickle:
			c.want(time.Since(since)/flapTime%2 == 1)
			c.take(1 << 30)
		}
		c.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

// want opens or closes the socket. The address stays; if it is taken meanwhile, it is tried again.
func (c *culprit) want(open bool) {
	switch {
	case open && c.socket == nil:
		if s, err := openPlug(c.addr, false); err == nil {
			c.socket = s
			c.opened++
		}
	case !open:
		c.shut()
	}
}

// shut closes the socket, after it has counted what nobody will read.
func (c *culprit) shut() {
	if c.socket == nil {
		return
	}
	c.dropped += c.socket.dropped()
	read := c.read
	c.take(1 << 30)
	c.left, c.read = c.left+c.read-read, read
	_ = c.socket.Close()
	c.socket = nil
}

// take reads at most so many packets of those that are there.
func (c *culprit) take(most uint64) (n uint64) {
	for n < most && c.socket != nil {
		k, _ := c.socket.Recv(c.rs[:min(uint64(len(c.rs)), most-n)])
		if k == 0 {
			break
		}
		n += uint64(k)
	}
	c.read += n
	return n
}

// counts returns how many packets it has read, the kernel has dropped at its sockets, and were left in those it closed.
func (c *culprit) counts() (read, dropped, left uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	dropped = c.dropped
	if c.socket != nil {
		dropped += c.socket.dropped()
	}
	return c.read, dropped, c.left
}
