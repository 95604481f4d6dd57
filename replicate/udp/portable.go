package udp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"

	"i3bench/replicate"
)

// A portable is the Conn of any system, on the net package: no trains, and an allocation for each datagram received.
type portable struct {
	conn  *net.UDPConn
	batch *ipv4.PacketConn
	local netip.AddrPort
	in    portableIn
	out   portableOut
	count counters
	size  int // of the buffers that was asked for, which is all that is known of them

	mu      sync.Mutex // guards what follows
	woken   bool       // Wake was called and no Wait has ended for it
	waiting bool
	closed  bool
}

// openPortable opens a socket of the portable form.
func openPortable(cfg Config) (Conn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if cfg.Control == nil {
			return nil
		}
		if e := c.Control(func(fd uintptr) { err = cfg.Control(fd) }); e != nil {
			return e
		}
		return err
	}}
	pc, err := lc.ListenPacket(context.Background(), "udp4", cfg.Local.String())
	if err != nil {
		return nil, fmt.Errorf("udp: open %v: %w", cfg.Local, err)
	}
	conn := pc.(*net.UDPConn)
	_ = conn.SetReadBuffer(cfg.Buffer) // cut to what the system allows
	_ = conn.SetWriteBuffer(cfg.Buffer)
	p := &portable{conn: conn, batch: ipv4.NewPacketConn(conn), local: unmapped(conn.LocalAddr()), size: cfg.Buffer}
	if cfg.Destinations {
		if err := p.batch.SetControlMessage(ipv4.FlagDst, true); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("udp: ask for destinations: %w", err)
		}
	}
	p.in.init(cfg)
	p.out.init(cfg)
	return p, nil
}

// unmapped returns a socket address in the form of IPv4.
func unmapped(a net.Addr) netip.AddrPort {
	u := a.(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(u.Addr().Unmap(), u.Port())
}

// reason returns the system's number of an error of the net package, and false where it has none.
func reason(err error) (syscall.Errno, bool) {
	var errno syscall.Errno
	ok := errors.As(err, &errno)
	return errno, ok
}

// Local returns the address that the socket is bound to.
func (p *portable) Local() netip.AddrPort { return p.local }

// Granted returns what was asked for: the net package does not tell what was granted.
func (p *portable) Granted() (send, receive int) { return p.size, p.size }

// Stats returns what the socket has done.
func (p *portable) Stats() Stats { return p.count.stats() }

// Caps returns what can be sent.
func (p *portable) Caps() replicate.Caps {
	return replicate.Caps{
		MaxMessages: len(p.out.msgs), MaxVectors: maxVectors, MaxSegments: 1, MaxBytes: MaxDatagram,
	}
}

// Wait sleeps until something can be received. There is no way to ask only that, so it receives one datagram, which the
// next Recv copies out.
func (p *portable) Wait(timeout time.Duration) (bool, error) {
	if p.in.held {
		return true, nil
	}
	var until time.Time
	if timeout >= 0 {
		until = time.Now().Add(timeout)
	}
	if !p.sleep(until) {
		return false, nil
	}
	n, err := p.batch.ReadBatch(p.in.hold[:], 0)
	p.rise()
	switch {
	case err == nil && n == 1:
		p.in.held = true
		return true, nil
	case err == nil || errors.Is(err, os.ErrDeadlineExceeded):
		return false, nil
	case errors.Is(err, net.ErrClosed):
		return false, errClosed
	}
	if errno, ok := reason(err); ok {
		return false, Refusal(errno)
	}
	return false, fmt.Errorf("udp: wait: %w", err)
}

// sleep notes that a Wait begins and sets its deadline; false if it has been woken already.
func (p *portable) sleep(until time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.woken {
		p.woken = false
		return false
	}
	p.waiting = true
	_ = p.conn.SetReadDeadline(until)
	return true
}

// rise notes that a Wait has ended. A deadline that has passed would make every read fail.
func (p *portable) rise() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting, p.woken = false, false
	_ = p.conn.SetReadDeadline(time.Time{})
}

// Wake ends a Wait.
func (p *portable) Wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.woken = true
	if p.waiting {
		_ = p.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// Close closes the socket.
func (p *portable) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return p.conn.Close()
}
