package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"i3bench/replicate"
)

// Bounds of Classes.
const (
	// MaxClasses is the most ways out that are told apart; further ones share the last.
	MaxClasses = 16
	// maxWays bounds the addresses whose class is remembered. At the bound all are forgotten.
	maxWays = 1 << 16
	// hold is how long a class that was full is left alone: to be refused costs half as much as to send. What a
	// device takes in that time is little beside what the socket's buffer holds for it.
	hold = 100 * time.Microsecond
)

// Classes is a Conn with a socket for each way out of this host, so that a device whose queue is full stops only the
// addresses behind it: what waits in a queue is charged to the socket that sent it, and a socket whose allowance is
// used up sends nothing, wherever to. All sockets have one port, and the first receives.
//
// The way out to an address, its class, is the local address that the kernel would send from. It is asked for once for
// an address and again after an error about it; a route that changes without an error makes nothing worse than that
// addresses share a buffer. Elsewhere than on Linux, and in the portable form, there is one class.
//
// Send keeps the order within its slice over all classes, as every port does, and hands neighbours of one class to the
// kernel together. [replicate.ErrFull] then is about the class of the next message only. A planner that goes on with
// the message after it loses nothing of the other classes; those of the full class fail at once, without a system call,
// for a tenth of a millisecond. One that sorts its messages by Class makes fewer calls, and may drop all that are left
// of a full class together.
//
// Where one socket has to give up trains, Caps offers none for all.
type Classes struct {
	first Conn // of the array; the receiving goroutine must not see the array grow
	cfg   Config
	ways  *ways // nil: one class

	class  map[netip.Addr]uint8
	conns  [MaxClasses]Conn
	locals [MaxClasses]netip.Addr // which the classes are of
	until  [MaxClasses]time.Duration
	open   atomic.Int32 // sockets
	used   int          // classes that have been given out: the first socket is there before
	most   int          // classes that there can be

	start time.Time
	held  atomic.Uint64 // messages refused without asking the kernel
	last  netip.Addr    // the address asked for last, and its class
	lastC uint8
}

var _ Conn = (*Classes)(nil)

// OpenClasses opens a socket that gets siblings as ways out come up. They are opened by Send, in the network namespace
// of its thread.
func OpenClasses(cfg Config) (*Classes, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Classes{cfg: cfg, class: make(map[netip.Addr]uint8), most: MaxClasses, start: time.Now()}
	if c.first, err = openClass(cfg, true); err != nil {
		return nil, err
	}
	if c.ways, err = openWays(cfg); err != nil {
		_ = c.first.Close()
		return nil, err
	}
	c.conns[0] = c.first
	c.open.Store(1)
	c.cfg.Local = c.first.Local()
	return c, nil
}

// Class returns the class of an address, from 0 on. It is for the goroutine that sends.
func (c *Classes) Class(to netip.Addr) int {
	if c.ways == nil {
		return 0
	}
	if to == c.last {
		return int(c.lastC)
	}
	k, ok := c.class[to]
	if !ok {
		k = c.find(to)
	}
	c.last, c.lastC = to, k
	return int(k)
}

// find asks the kernel for the way to an address. What it knows no way to is of the first class, where sending says so.
func (c *Classes) find(to netip.Addr) uint8 {
	local, err := c.ways.local(to.Unmap())
	if err != nil {
		return 0
	}
	k := 0
	for k < c.used && c.locals[k] != local {
		k++
	}
	if k == c.used {
		k = c.grow(local)
	}
	if len(c.class) >= maxWays {
		clear(c.class)
	}
	c.class[to] = uint8(k)
	return uint8(k)
}

// grow makes a class of a local address, or returns the last where there can be no more.
func (c *Classes) grow(local netip.Addr) int {
	if c.used >= c.most {
		return c.used - 1
	}
	k := c.used
	if k > 0 {
		conn, err := openClass(c.cfg, false)
		if err != nil {
			c.most = c.used
			c.cfg.Log(fmt.Sprintf("udp: no socket for the way out of %v, it shares that of another: %v", local, err))
			return k - 1
		}
		c.conns[k] = conn
		c.open.Add(1)
	}
	c.locals[k] = local
	c.used++
	return k
}

// Caps returns what all sockets can do.
func (c *Classes) Caps() replicate.Caps {
	caps := c.first.Caps()
	caps.MaxSegments = min(caps.MaxSegments, c.cfg.Segments)
	return caps
}

// Send sends messages from addresses that the kernel chooses.
func (c *Classes) Send(ms []replicate.Message) (int, error) { return c.SendFrom(netip.Addr{}, ms) }

// SendFrom sends messages from an address of this host, which does not change their classes.
func (c *Classes) SendFrom(source netip.Addr, ms []replicate.Message) (done int, err error) {
	for done < len(ms) {
		k := c.Class(ms[done].To.Addr())
		if c.until[k] != 0 {
			if time.Since(c.start) < c.until[k] {
				c.held.Add(1)
				return done, replicate.ErrFull
			}
			c.until[k] = 0
		}
		end := done + 1
		for end < len(ms) && c.Class(ms[end].To.Addr()) == k {
			end++
		}
		n, err := c.conns[k].SendFrom(source, ms[done:end])
		if done += n; err != nil {
			c.failed(k, ms[done].To.Addr(), err)
			return done, err
		}
	}
	return done, nil
}

// failed draws the conclusions from an error about a message of a class.
func (c *Classes) failed(k int, to netip.Addr, err error) {
	switch {
	case err == replicate.ErrFull:
		c.until[k] = time.Since(c.start) + hold
	case err == replicate.ErrNoTrains:
		c.cfg.Segments = 1 // of the sockets to come, too
	case err != replicate.ErrTooLong:
		delete(c.class, to)
		c.last = netip.Addr{}
	}
}

// Recv receives what is there.
func (c *Classes) Recv(rs []Received) (int, error) { return c.first.Recv(rs) }

// Wait sleeps until there is something to do.
func (c *Classes) Wait(timeout time.Duration) (bool, error) { return c.first.Wait(timeout) }

// Wake ends a Wait.
func (c *Classes) Wake() { c.first.Wake() }

// Local returns the address that all sockets are bound to.
func (c *Classes) Local() netip.AddrPort { return c.first.Local() }

// Granted returns the sizes of the buffers of each class, of which only the first receives.
func (c *Classes) Granted() (send, receive int) { return c.first.Granted() }

// Stats returns what all sockets have done.
func (c *Classes) Stats() Stats {
	var sum Stats
	for _, conn := range c.conns[:c.open.Load()] {
		sum.add(conn.Stats())
	}
	sum.Refused += c.held.Load()
	return sum
}

// Close closes all sockets, the one that receives last: another would be in its place.
func (c *Classes) Close() error {
	var err error
	for i := int(c.open.Load()) - 1; i >= 0; i-- {
		err = errors.Join(err, c.conns[i].Close())
	}
	if c.ways != nil {
		c.ways.close()
	}
	return err
}
