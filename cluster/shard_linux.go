package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"i3bench/i3/machine"
	"i3bench/replicate"
	"i3bench/replicate/udp"
)

// A shard is the carrier of many endpoints: one UDP socket for all loopback
// addresses of a port, and one goroutine that reads it, runs the machines and
// sends. The kernel tells each datagram's destination, by which the
// shard finds the endpoint; in return each datagram leaves with its endpoint's
// address as source. A system call so reads the datagrams of many endpoints, and
// no goroutine has to be woken for each.
type shard struct {
	world     *World
	conn      udp.Conn
	endpoints atomic.Pointer[[]*Endpoint] // by number; it only grows
	closing   atomic.Bool
	done      chan struct{}

	mu     sync.Mutex // guards all to asleep, and that closing follows open
	open   int        // endpoints not closed
	timers deadlines
	asleep machine.Time // when the goroutine will wake by itself, 0 while it is awake

	senders sync.Pool // of *sender, one for each goroutine that sends at a time

	received []udp.Received
	slots    []slot // of the datagrams in received
	touched  []*Endpoint
	inboxes  map[*Endpoint][]*slot
}

// A sender plans what machines leave, and hands it to the kernel with a source address.
type sender struct {
	udp.Sender
	planner *replicate.Planner
	source  netip.Addr
}

// Send sends messages from the source address.
func (s *sender) Send(ms []replicate.Message) (int, error) {
	sending.enter()
	n, err := s.SendFrom(s.source, ms)
	replicating.enter()
	return n, err
}

func (s *shard) newSender() (*sender, error) {
	out, err := udp.NewSender(s.conn)
	if err != nil {
		return nil, err
	}
	p, err := s.world.newPlanner()
	return &sender{Sender: out, planner: p}, err
}

// firstHost is the loopback address of a shard's endpoint number 0.
var firstHost = binary.BigEndian.Uint32([]byte{127, 1, 0, 1})

// maxEndpoints bounds the endpoints of a shard.
const maxEndpoints = 1 << 16

// trainBatch is how many trains one system call reads, where trains arrive whole.
const trainBatch = 32

func newShard(w *World) (*shard, error) {
	s := &shard{world: w, done: make(chan struct{}), inboxes: make(map[*Endpoint][]*slot)}
	if err := s.setup(); err != nil {
		return nil, err
	}
	s.endpoints.Store(&[]*Endpoint{})
	go s.run()
	return s, nil
}

// setup binds the socket to a port of all loopback addresses, and makes room for what it receives. Trains
// arrive whole unless the delay line keeps datagrams, each in a buffer of its own.
func (s *shard) setup() (err error) {
	trains := s.world.cfg.Network == nil
	s.conn, err = udp.Open(udp.Config{
		Buffer: s.world.cfg.SocketBuffer, Batch: readBatch, GRO: trains, Destinations: true, Control: ofLoopback,
		Segments: s.world.cfg.Form.segments(),
	})
	if err != nil {
		return fmt.Errorf("cluster: open shard: %w", err)
	}
	first, err := s.newSender()
	if err != nil {
		return errors.Join(fmt.Errorf("cluster: open shard: %w", err), s.conn.Close())
	}
	s.senders.Put(first)
	batch, size, each := readBatch, bufferSize, 1
	if trains {
		batch, size, each = trainBatch, udp.MaxDatagram, udp.MaxSegments
	}
	s.received, s.slots = make([]udp.Received, batch), make([]slot, 0, batch*each)
	for i := range s.received {
		s.received[i].Buf = make([]byte, size)
	}
	return nil
}

// ofLoopback ties a socket to the loopback device, so that datagrams from elsewhere cannot arrive; where
// the system does not allow that, their destination is no loopback address.
func ofLoopback(fd uintptr) error {
	_ = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "lo")
	// Loopback never fragments what the protocol sends; saying so spares the
	// kernel drawing an identification for every datagram.
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	return nil
}

// add returns a new endpoint of the shard.
func (s *shard) add() (*Endpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return nil, errEnded
	}
	old := *s.endpoints.Load()
	if len(old) == maxEndpoints {
		return nil, fmt.Errorf("cluster: open endpoint: a shard has %d already: want more shards", maxEndpoints)
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], firstHost+uint32(len(old)))
	e := newEndpoint(s.world, netip.AddrPortFrom(netip.AddrFrom4(b), s.conn.Local().Port()), s)
	all := append(old, e) // whoever reads the old list does not look at what is behind its end
	s.endpoints.Store(&all)
	s.open++
	return e, nil
}

// find returns the endpoint of a destination address, or nil.
func (s *shard) find(dst netip.Addr) *Endpoint {
	if !dst.Is4() {
		return nil
	}
	b := dst.As4()
	all := *s.endpoints.Load()
	if i := binary.BigEndian.Uint32(b[:]) - firstHost; i < uint32(len(all)) {
		return all[i]
	}
	return nil
}

func (s *shard) start(*Endpoint) {}

// stop ends the shard with its last endpoint. The endpoint is marked closed:
// round does nothing any more, and a round under way holds its lock.
func (s *shard) stop(e *Endpoint) error {
	e.release()
	s.mu.Lock()
	s.open--
	last := s.open == 0
	if last {
		s.closing.Store(true) // no endpoint can be added now
	}
	s.mu.Unlock()
	if !last {
		return nil
	}
	s.world.forget(s)
	s.conn.Wake()
	<-s.done
	return s.conn.Close()
}

// wake queues an endpoint's next call.
func (s *shard) wake(e *Endpoint, at machine.Time) {
	s.mu.Lock()
	earlier := s.timers.set(e, at) && s.asleep != 0 && at < s.asleep
	if earlier {
		s.asleep = at // one call is enough
	}
	s.mu.Unlock()
	if earlier {
		s.conn.Wake()
	}
}

// run reads, runs machines and keeps time until the shard is closed.
func (s *shard) run() {
	defer close(s.done)
	for !s.closing.Load() {
		receiving.enter()
		n, _ := s.conn.Recv(s.received) // an error is about the past, and there is nobody to tell
		if n > 0 {
			s.dispatch(s.received[:n])
		}
		s.expire()
		if n < len(s.received) {
			s.sleep()
		} else {
			runtime.Gosched() // under load, leave room for whoever offers it
		}
	}
}

// dispatch sorts the datagrams read by endpoint and runs each endpoint once.
func (s *shard) dispatch(rs []udp.Received) {
	s.slots = s.slots[:0]
	for i := range rs {
		r := &rs[i]
		s.world.count.received.Add(uint64(r.Datagrams() + r.Lost))
		s.world.count.truncated.Add(uint64(r.Lost))
		e := s.find(r.To)
		if e == nil {
			s.world.count.noHost.Add(uint64(r.Datagrams()))
			continue
		}
		s.deliver(e, i)
	}
	for _, e := range s.touched {
		e.round(s.inboxes[e])
		s.inboxes[e] = s.inboxes[e][:0]
	}
	s.touched = s.touched[:0]
	if s.world.cfg.Network == nil {
		return
	}
	for i := range s.slots { // a delay line may have kept a buffer and left another
		s.received[s.slots[i].place].Buf = s.slots[i].buf
	}
}

// deliver puts the datagrams of what was received at some place into an endpoint's inbox.
func (s *shard) deliver(e *Endpoint, place int) {
	r := &s.received[place]
	in := s.inboxes[e]
	if len(in) == 0 && r.Datagrams() > 0 {
		s.touched = append(s.touched, e)
	}
	for k := range r.Datagrams() {
		b := r.Datagram(k)
		if len(b) > bufferSize || len(s.slots) == cap(s.slots) { // no kernel puts more into trains
			s.world.count.truncated.Add(1)
			continue
		}
		s.slots = append(s.slots, slot{buf: b, n: len(b), from: r.From, place: place})
		if s.world.cfg.Network != nil {
			s.slots[len(s.slots)-1].buf = r.Buf // all of it, for the delay line
		}
		in = append(in, &s.slots[len(s.slots)-1])
	}
	s.inboxes[e] = in
}

// expire runs the endpoints whose time has come.
func (s *shard) expire() {
	now := s.world.Now()
	for {
		s.mu.Lock()
		e := s.timers.due(now)
		s.mu.Unlock()
		if e == nil {
			return
		}
		e.round(nil)
	}
}

// sleep waits for a datagram, the next timer or a call.
func (s *shard) sleep() {
	s.mu.Lock()
	at := s.timers.next()
	s.asleep = at
	s.mu.Unlock()
	timeout := time.Duration(-1)
	if at != machine.Never {
		timeout = time.Duration(max(0, at.Sub(s.world.Now())))
	}
	_, _ = s.conn.Wait(timeout)
	s.mu.Lock()
	s.asleep = 0
	s.mu.Unlock()
}

// send plans what an outbox holds, and hands it to the kernel from where it lies.
func (s *shard) send(e *Endpoint, out *machine.Outbox) (sent, failed uint64) {
	g, _ := s.senders.Get().(*sender)
	if g == nil {
		g, _ = s.newSender() // which succeeded before
	}
	g.source = e.addr.Addr()
	sent, failed = transmit(out, g.planner, g)
	s.senders.Put(g)
	return sent, failed
}
