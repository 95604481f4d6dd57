package experiments

import (
	"sync"
	"time"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/loadgen"
	"i3bench/testbed"
)

// A comer is a receiver of the pool: it joins, gets its first packet, leaves,
// and may be used again.
type comer struct {
	*testbed.Receiver
	run *loadRun
	op  *operation // the join under way; belongs to the endpoint
}

func (c *comer) events() multicast.Events {
	return multicast.Events{
		Joined: func(machine.Time, uint64) {
			c.op.succeeded()
			c.run.leave <- c
		},
		Left:   func(machine.Time) { c.run.idle <- c },
		Failed: func(machine.Time) { c.run.idle <- c }, // the operation times out
	}
}

// startJoin notes a join and leaves it to the next idle receiver. It never waits.
func (r *loadRun) startJoin(op loadgen.Op, intended time.Time) {
	o := r.joins.start(intended)
	select {
	case r.orders <- o:
	default:
		o.refuse()
	}
}

// begin lets the receiver carry out a join.
func (c *comer) begin(op *operation) {
	c.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
		c.op = op
		op.of.begun(op)
		c.Machine.Join(now, out)
	})
}

// A loser is a standing receiver that is made to lose packets.
type loser struct {
	*testbed.Receiver
	run  *loadRun
	here bool

	mu  sync.Mutex
	due []*operation // losses to come, one for each of the next packets

	lost map[uint64]*operation // by sequence number of the packet that was dropped
}

// streamLosers separates the numbers that say who loses a packet.
const streamLosers = 300

// startLoss makes a standing receiver lose the next packet. Which one is drawn by the operation's index: in
// turn, those who joined one after the other would lose the same packet, and they are siblings, who could not repair
// it for each other. It does not wait for the receiver: while that stands still, the generator would be late, and it is
// not.
func (r *loadRun) startLoss(op loadgen.Op, intended time.Time) {
	s := r.stays[prng.Hash3(r.Seed, streamLosers, op.Index, 0)%uint64(len(r.stays))]
	o := r.losses.start(intended)
	s.mu.Lock()
	s.due = append(s.due, o)
	s.mu.Unlock()
}

// forget drops the losses to come.
func (s *loser) forget() {
	s.mu.Lock()
	s.due = nil
	s.mu.Unlock()
}

// keep drops a data packet if a loss is due. It runs on the endpoint.
func (s *loser) keep(d machine.Datagram) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.due) == 0 {
		return true
	}
	seq, ok := dataIn(d)
	if !ok || s.lost[seq] != nil {
		return true
	}
	if s.lost == nil {
		s.lost = make(map[uint64]*operation)
	}
	s.lost[seq] = s.due[0]
	s.due = s.due[1:]
	return false
}

// dataIn returns the number of the data packet that a datagram begins with, if it begins with one.
func dataIn(d machine.Datagram) (seq uint64, ok bool) {
	p, wire, _, err := i3.Next(d.Bytes)
	if err != nil || p.Kind != i3.KindData {
		return 0, false
	}
	m, _, err := multicast.ParseMessage(i3.Payload(wire))
	return m.Seq, err == nil && m.Type == multicast.TypeData
}

func (s *loser) events() multicast.Events {
	return multicast.Events{
		Joined: func(machine.Time, uint64) { s.here = true },
		Deliver: func(_ machine.Time, seq uint64, _ int64, _ []byte) {
			if op := s.lost[seq]; op != nil {
				delete(s.lost, seq)
				op.succeeded()
			}
		},
	}
}

// joined reports whether the receiver is in the tree and others find it.
func (s *loser) joined() (ok bool) {
	s.Endpoint.Do(func(machine.Time, *machine.Outbox) { ok = s.here && s.Machine.Settled() })
	return ok
}
