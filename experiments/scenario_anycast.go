package experiments

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/internal/prng"
	"i3bench/reports"
	"i3bench/testbed"
)

// anycast is a group of hosts of whom one answers each question, like a repair group,
// and the host that asks.
type anycast struct {
	run     *scenarioRun
	group   i3.ID
	members []*anycastHost
	asker   *anycastHost

	mu    sync.Mutex
	asked map[uint64]*operation // by number of the question
	last  uint64
}

// An anycastHost is a member of the group, or who asks.
type anycastHost struct {
	testbed.Endpoint
	host    *host.Host
	trigger i3.Trigger   // of a member
	answer  func(uint64) // of who asks, nil for a member
}

// questionSize is the size of the number of a question, in bytes.
const questionSize = 8

// Deliver implements [host.Handler]: a member sends the number of a question back to
// the address that follows it.
func (h *anycastHost) Deliver(_ machine.Time, _ netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox) {
	if len(payload) < questionSize {
		return
	}
	if h.answer != nil {
		h.answer(binary.BigEndian.Uint64(payload))
	} else if to, err := i3.ParseAddr(payload[questionSize:]); err == nil {
		h.host.Direct(to, p.ID, payload[:questionSize], out)
	}
}

// Acked implements [host.Handler].
func (h *anycastHost) Acked(machine.Time, i3.Ack, *machine.Outbox) {}

// Failed implements [host.Handler].
func (h *anycastHost) Failed(machine.Time, i3.Trigger, *machine.Outbox) {}

// The stream of random numbers of the anycast group.
const streamAnycast = 301

// newAnycast returns the group without its hosts, and the random numbers that these are made with.
func (r *scenarioRun) newAnycast() (*anycast, prng.Source) {
	rng := prng.New(r.Seed, streamAnycast)
	var key i3.Key
	for i := range key {
		key[i] = byte(rng.Uint64())
	}
	a := &anycast{run: r, group: i3.NewID(rng.Uint64(), key, 0).Private(), asked: make(map[uint64]*operation)}
	r.anycast = a
	return a, rng
}

// addAnycast deploys the group and who asks.
func (r *scenarioRun) addAnycast(ctx context.Context) error {
	a, rng := r.newAnycast()
	if err := a.addMembers(ctx, &rng); err != nil {
		return err
	}
	return a.addAsker(rng.Uint64())
}

// addMembers deploys the members, with their suffixes at equal distances, and waits until the nodes know them.
func (a *anycast) addMembers(ctx context.Context, rng *prng.Source) error {
	n := uint64(a.run.Cluster.Anycast)
	for i := range n {
		h, err := a.open(rng.Uint64())
		if err != nil {
			return err
		}
		a.members = append(a.members, h)
		h.trigger = h.host.Own(a.group.WithSuffix(i * (1 << 63 / n) * 2))
		h.Do(func(now machine.Time, out *machine.Outbox) { h.host.Maintain(now, h.trigger, out) })
	}
	for i, h := range a.members {
		if !a.run.waitUntil(ctx, 20*time.Second, h.known) {
			return fmt.Errorf("scenario: anycast member %d: its trigger was not there within 20 s", i)
		}
	}
	return nil
}

// addAsker deploys the host that asks.
func (a *anycast) addAsker(seed uint64) (err error) {
	if a.asker, err = a.open(seed); err == nil {
		a.asker.answer = a.answered
	}
	return err
}

// open deploys a host.
func (a *anycast) open(seed uint64) (*anycastHost, error) {
	var open func() (testbed.Endpoint, error) = a.run.world.Open
	end, err := open()
	if err != nil {
		return nil, err
	}
	h := &anycastHost{Endpoint: end}
	if h.host, err = host.New(host.Config{Self: end.Addr(), Ring: a.run.bed.Ring(), Seed: seed}, h); err != nil {
		return nil, err
	}
	end.Start(h.host)
	return h, nil
}

// known reports whether the node has the member's trigger.
func (h *anycastHost) known() (ok bool) {
	h.Do(func(machine.Time, *machine.Outbox) { ok = h.host.Maintains(h.trigger) })
	return ok
}

// ask sends a question to the group, near a suffix that is drawn from the number of
// the operation. It is over when a member has answered.
func (a *anycast) ask(stream int, index uint64, d *operation) {
	a.mu.Lock()
	a.last++
	number := a.last
	a.asked[number] = d
	a.mu.Unlock()
	a.run.tally.onTimeout(d, func() { a.take(number) })
	suffix := prng.Hash3(a.run.Seed, streamAnycast, uint64(stream), index)
	question := i3.AppendAddr(binary.BigEndian.AppendUint64(nil, number), a.asker.Addr())
	a.asker.Do(func(_ machine.Time, out *machine.Outbox) {
		a.asker.host.Send(a.group.WithSuffix(suffix), question, out)
	})
}

// take returns the operation of a question, once.
func (a *anycast) take(number uint64) *operation {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.asked[number]
	delete(a.asked, number)
	return d
}

// answered is told of an answer.
func (a *anycast) answered(number uint64) {
	if d := a.take(number); d != nil {
		a.run.tally.end(d, reports.StatusOK)
	}
}

func (a *anycast) close() {
	for _, h := range a.members {
		h.Close()
	}
	if a.asker != nil {
		a.asker.Close()
	}
}
