package gateway

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"i3bench/replicate/udp"
)

// A Sender gives packets to a group and returns their sequence numbers, 0 for one that was not taken. A testbed.Source
// is one.
type Sender interface {
	Send(payload []byte) (seq uint64)
}

// An Ingress makes packets of a group of the datagrams that come to a port.
type Ingress struct {
	cfg  IngressConfig
	to   Sender
	conn udp.Conn
	fd   int

	mu      sync.Mutex // guards count
	count   IngressCounters
	closing atomic.Bool
	done    chan struct{}

	// The rest is the goroutine's own.
	queue fifo
	pace  pace
	read  []udp.Received
}

const (
	// readBatch is how many datagrams are read at a time.
	readBatch = 64
	// socketBuffer is asked for, so that little is lost where the process does not run for a moment.
	socketBuffer = 4 << 20
)

// NewIngress listens at a port and gives to a group what comes to it.
func NewIngress(cfg IngressConfig, to Sender) (*Ingress, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	in := &Ingress{
		cfg: cfg, to: to, done: make(chan struct{}),
		queue: newFifo(cfg.Queue), pace: newPace(cfg.Rate, cfg.Burst), read: make([]udp.Received, readBatch),
	}
	for i := range in.read {
		in.read[i].Buf = make([]byte, cfg.longest())
	}
	conn, err := udp.Open(udp.Config{
		Local: cfg.Listen, Buffer: socketBuffer, Batch: readBatch,
		Control: func(fd uintptr) error { in.fd = int(fd); return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("gateway: ingress at %v: %w", cfg.Listen, err)
	}
	in.conn = conn
	go in.run()
	return in, nil
}

// Addr returns the address that the ingress listens at.
func (in *Ingress) Addr() netip.AddrPort { return in.conn.Local() }

// Counters returns what the ingress has done so far.
func (in *Ingress) Counters() IngressCounters {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.count
}

// Close gives to the group what had arrived, at its pace and for Grace at most, and stops. Closing twice does nothing.
func (in *Ingress) Close() error {
	in.closing.Store(true)
	in.conn.Wake()
	<-in.done
	return in.conn.Close()
}

// run reads and sends until the ingress is closed.
func (in *Ingress) run() {
	defer close(in.done)
	for !in.closing.Load() {
		more := in.receive()
		wait := in.send(time.Now())
		if !more {
			_, _ = in.conn.Wait(wait) // an error is about the past, and there is nobody to tell
		}
	}
	in.drain()
}

// drain sends what has arrived, for Grace at most.
func (in *Ingress) drain() {
	now := time.Now()
	end := now.Add(in.cfg.Grace)
	for more := true; (more || in.queue.count > 0) && now.Before(end); now = time.Now() {
		more = more && in.receive() // until the socket is empty once: others may send for ever
		if wait := in.send(now); wait > 0 && !more {
			time.Sleep(min(wait, end.Sub(now)))
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.count.DropClosed += uint64(in.queue.count)
}

// receive queues what has arrived, a batch at most, and reports whether there was any.
func (in *Ingress) receive() bool {
	n, _ := in.conn.Recv(in.read)
	if n == 0 {
		return false
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.count.DropSocket = socketDrops(in.fd)
	for i := range in.read[:n] {
		in.count.Received++
		r := &in.read[i]
		if r.Lost > 0 { // cut off
			in.count.DropSize++
			continue
		}
		if in.cfg.Tee != nil {
			in.cfg.Tee(r.Buf[:r.N])
		}
		b := in.queue.buffer(r.Buf[:r.N])
		if !in.queue.push(b) {
			in.queue.release(b)
			in.count.DropQueue++
		}
	}
	in.count.MostQueued = max(in.count.MostQueued, uint64(in.queue.count))
	return true
}

// send gives to the group what may go now, and returns how long to wait for the next turn, less than zero if nothing
// is queued.
func (in *Ingress) send(now time.Time) (wait time.Duration) {
	for in.queue.count > 0 {
		if wait = in.pace.take(now); wait > 0 {
			return wait
		}
		b := in.queue.pop()
		seq := in.to.Send(b)
		in.mu.Lock()
		if seq == 0 {
			in.count.DropRefused++
		} else {
			in.count.Sent++
			in.count.Bytes += uint64(len(b))
		}
		in.mu.Unlock()
		in.queue.release(b)
	}
	return -1
}
