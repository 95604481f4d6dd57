package gateway

import (
	"fmt"
	"net"
	"sync"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// An Egress makes datagrams of the packets that a receiver gets, in order. See [Egress.Events].
type Egress struct {
	cfg  EgressConfig
	conn *net.UDPConn
	wake chan struct{} // has room for one: there is something to look at
	done chan struct{}
	have chan struct{} // closed when the first stream has begun

	mu     sync.Mutex // guards all below
	count  EgressCounters
	order  order
	queue  fifo
	pace   pace
	closed bool
	end    time.Time // when it stops though packets are queued, once it is closed
}

// NewEgress opens a socket from which packets will go out.
func NewEgress(cfg EgressConfig) (*Egress, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		return nil, fmt.Errorf("gateway: egress to %v: %w", cfg.To, err)
	}
	e := &Egress{
		cfg: cfg, conn: conn, wake: make(chan struct{}, 1), done: make(chan struct{}), have: make(chan struct{}),
		queue: newFifo(cfg.Queue), pace: newPace(cfg.Rate, cfg.Burst),
	}
	e.order = newOrder(cfg, &e.count, e.emit)
	go e.run()
	return e, nil
}

// Events returns what a receiver is to be made with, so that the egress gets its packets. The events of then, which may
// be empty, are called after it. An egress is for one receiver.
func (e *Egress) Events(then multicast.Events) multicast.Events {
	all := then
	all.Joined = func(now machine.Time, after uint64) {
		e.joined(after)
		if then.Joined != nil {
			then.Joined(now, after)
		}
	}
	all.Deliver = func(now machine.Time, seq uint64, sent int64, payload []byte) {
		e.deliver(seq, payload)
		if then.Deliver != nil {
			then.Deliver(now, seq, sent, payload)
		}
	}
	all.Lost = func(now machine.Time, seq uint64) {
		e.lost(seq)
		if then.Lost != nil {
			then.Lost(now, seq)
		}
	}
	return all
}

// Joined is closed when the receiver has joined: it is owed all that is sent from then on.
func (e *Egress) Joined() <-chan struct{} { return e.have }

// Counters returns what the egress has done so far.
func (e *Egress) Counters() EgressCounters {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count
}

// Waiting returns how many packets wait for one that is missing, and how many are queued.
func (e *Egress) Waiting() (held, queued int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.order.held, e.queue.count
}

// Close sends what is there, over what is missing in between, at its pace and for Grace at most, and stops. What the
// receiver gets from then on is dropped. Closing twice does nothing.
func (e *Egress) Close() error {
	e.mu.Lock()
	if !e.closed {
		e.closed, e.end = true, time.Now().Add(e.cfg.Grace)
		e.order.flush(time.Now())
		_ = e.conn.SetWriteDeadline(e.end)
	}
	e.mu.Unlock()
	e.ring()
	<-e.done
	return e.conn.Close()
}

// ring tells the goroutine to look.
func (e *Egress) ring() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *Egress) joined(after uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.order.begin(time.Now(), after)
		select {
		case <-e.have:
		default:
			close(e.have)
		}
		e.ring()
	}
}

func (e *Egress) deliver(seq uint64, payload []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count.Got++
	switch {
	case e.closed:
		e.count.DropClosed++
		return
	case len(payload) > MaxPayload:
		e.count.DropSize++
		e.order.giveUp(time.Now(), seq)
		return
	}
	if b := e.queue.buffer(payload); !e.order.put(time.Now(), seq, b) {
		e.queue.release(b)
	}
	e.ring()
}

func (e *Egress) lost(seq uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.order.giveUp(time.Now(), seq)
		e.ring()
	}
}

// emit queues a packet that is in order.
func (e *Egress) emit(packet []byte) {
	if !e.queue.push(packet) {
		e.queue.release(packet)
		e.count.DropQueue++
		return
	}
	e.count.MostQueued = max(e.count.MostQueued, uint64(e.queue.count))
}

// run sends what is in order until the egress is closed.
func (e *Egress) run() {
	defer close(e.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		packet, wait, over := e.due(time.Now())
		switch {
		case over:
			return
		case packet != nil:
			e.send(packet)
			continue
		case wait < 0:
			wait = time.Hour // somebody will ring
		}
		timer.Reset(wait)
		select {
		case <-e.wake:
		case <-timer.C:
		}
	}
}

// due returns the packet whose turn it is, or how long to wait, which is for ever if less than zero, or that there
// is nothing more to do.
func (e *Egress) due(now time.Time) (packet []byte, wait time.Duration, over bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	wait = e.order.expire(now)
	if e.closed && (e.queue.count == 0 || !now.Before(e.end)) {
		for ; e.queue.count > 0; e.count.DropClosed++ {
			e.queue.release(e.queue.pop())
		}
		return nil, 0, true
	}
	if e.queue.count == 0 {
		return nil, wait, false
	}
	if turn := e.pace.take(now); turn > 0 {
		if e.closed {
			turn = min(turn, e.end.Sub(now))
		}
		return nil, turn, false // what is missing, too, can wait so long: nothing behind it could go
	}
	return e.queue.pop(), 0, false
}

// send sends a packet to all addresses. It waits while the socket is full.
func (e *Egress) send(packet []byte) {
	var failed uint64
	for _, to := range e.cfg.To {
		if _, err := e.conn.WriteToUDPAddrPort(packet, to); err != nil {
			failed++
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count.Sent++
	e.count.Bytes += uint64(len(packet))
	e.count.SendErrors += failed
	e.queue.release(packet)
}
