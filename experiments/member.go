package experiments

import (
	"context"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/testbed"
	"i3bench/verify"
)

// A member is a receiver under observation. Its fields belong to the receiver's
// endpoint; look reads them safely.
type member struct {
	*testbed.Receiver
	delivery  verify.Delivery
	started   machine.Time // when it was told to join
	attached  machine.Time // when its link was in the tree, 0 before
	joinedAt  machine.Time // when the first packet came down the tree, 0 before
	latencies []int64      // source to here through the tree, ns, unrepaired packets only
	repairs   []int64      // loss noticed to repaired, ns
}

// addMember deploys a receiver at a site and observes it.
func addMember(bed *testbed.Bed, site int) (*member, error) {
	m := &member{}
	r, err := bed.AddReceiver(site, multicast.Events{
		Attached: func(now machine.Time, _ int) { m.attached = now },
		Joined: func(now machine.Time, seq uint64) {
			if m.joinedAt == 0 { // a stream that begins anew pays no debts
				m.delivery.Joined(seq)
			}
			m.joinedAt = now
		},
		Deliver: func(now machine.Time, seq uint64, sent int64, payload []byte) {
			m.delivery.Delivered(seq, payload)
			if sent != 0 {
				m.latencies = append(m.latencies, int64(now)-sent)
			}
		},
		Repaired: func(_ machine.Time, _ uint64, took machine.Duration) {
			m.repairs = append(m.repairs, int64(took))
		},
		Lost: func(_ machine.Time, seq uint64) { m.delivery.Lost(seq) },
	})
	m.Receiver = r
	return m, err
}

// start lets the member join.
func (m *member) start() {
	m.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
		m.started = now
		m.Machine.Join(now, out)
	})
}

// look calls f while the member's machine stands still.
func (m *member) look(f func()) {
	m.Endpoint.Do(func(machine.Time, *machine.Outbox) { f() })
}

// settled reports whether the member is attached and others' searches find it.
func (m *member) settled() (ok bool) {
	m.look(func() { ok = m.Machine.Settled() })
	return ok
}

// joined reports whether packets come down the tree to the member.
func (m *member) joined() (ok bool) {
	m.look(func() { ok = m.joinedAt != 0 && m.Machine.Settled() })
	return ok
}

// complete reports whether the member waits for no packet up to last: it has it,
// or has given it up.
func (m *member) complete(last uint64) (ok bool) {
	m.look(func() {
		v := m.delivery.Judge(last)
		ok = v.Missing <= v.Lost
	})
	return ok
}

// awaitAll waits until all members are complete, for limit at most.
func awaitAll(ctx context.Context, w World, limit time.Duration, members []*member, last uint64) {
	end := w.Now().Add(machine.Duration(limit))
	for _, m := range members {
		waitUntil(ctx, w, time.Duration(end.Sub(w.Now())), func() bool { return m.complete(last) })
	}
}

// closeAll stops the members.
func closeAll(ms []*member) {
	for _, m := range ms {
		m.Endpoint.Close()
	}
}

// stream sends packets at a steady rate. In real time it catches up with
// packets that are due; it never sends faster than that.
type stream struct {
	world  World
	source *testbed.Source
	size   int
	gap    time.Duration
	buf    []byte
	next   machine.Time
	last   uint64 // sequence number of the last packet
}

func newStream(w World, s *testbed.Source, size int, perSecond float64) *stream {
	return &stream{world: w, source: s, size: size, gap: time.Duration(float64(time.Second) / perSecond), next: w.Now()}
}

// send sends one packet at its time.
func (s *stream) send() {
	s.wait()
	s.emit()
}

// sendUntil sends packets on real sockets until the returned function is called.
func sendUntil(s *stream) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Duration(s.next.Sub(s.world.Now()))):
				s.next = s.next.Add(machine.Duration(s.gap))
				s.emit()
			}
		}
	}()
	return func() { close(done); <-ended }
}

// wait waits for the time of the next packet.
func (s *stream) wait() {
	if d := s.next.Sub(s.world.Now()); d > 0 {
		s.world.Sleep(time.Duration(d))
	}
	s.next = s.next.Add(machine.Duration(s.gap))
}

// emit sends one packet now.
func (s *stream) emit() { s.emitWith(func([]byte) {}) }

// emitWith sends one packet now, whose payload may be changed before.
func (s *stream) emitWith(change func(payload []byte)) {
	s.buf = verify.AppendPayload(s.buf[:0], s.last+1, s.size)
	change(s.buf)
	s.last = s.source.Send(s.buf)
}
