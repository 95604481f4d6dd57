package experiments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"i3bench/cluster"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/loadgen"
	"i3bench/loadgen/live"
	"i3bench/loadgen/scenario"
	"i3bench/testbed"
)

// A Scenario carries out the phases of a scenario on a group that is deployed for it,
// on sockets or in virtual time. What each kind of operation does, and when it is
// over, is said in docs/scenarios.md; latency counts from the intended time.
type Scenario struct {
	World   Kind
	Cluster scenario.Cluster
	Spans   []scenario.Span
	Seed    uint64
	// Move makes a standing receiver look for another place while it keeps the one it
	// has; it has moved when it is attached the next time. Nil: it leaves and joins.
	Move func(m *multicast.Receiver, now machine.Time, out *machine.Outbox)
	// Live is shown the scenario while it goes on; nil if nobody looks.
	Live *live.Meter
	// Observe is told of every operation when it begins; nil if nobody wants to know.
	// It may be called from several goroutines.
	Observe func(stream int, op loadgen.Op, a loadgen.Action)
}

// A scenarioRun is a scenario while it goes on.
type scenarioRun struct {
	Scenario
	sink  Sink
	world World
	udp   *cluster.World // nil in virtual time
	zero  time.Time      // when virtual time began
	tally *tally

	bedMu sync.Mutex // testbed is for one goroutine
	bed   *testbed.Bed

	sendMu sync.Mutex
	stream *stream

	work work

	mu       sync.Mutex // a leaf: nothing is called under it
	stays    []*stayer
	idle     []*visitor
	all      []*visitor
	orders   []*visit // joins that wait for a visitor
	visits   map[visitKey]*visit
	sent     map[uint64]*sentPacket
	watching atomic.Int64 // how many are in sent

	anycast *anycast
	missed  []uint64 // by stream: operations that the generator did not start
	streams []*scenario.Planned
	ends    []func() // what closing does, the last first
	look    func()   // shows Live how it stands, in virtual time
}

// Run deploys the group, offers what the phases say, and waits for the last
// operations.
func (s Scenario) Run(ctx context.Context, sink Sink, progress Progress) error {
	r := &scenarioRun{
		Scenario: s, sink: sink, zero: time.Unix(0, 0), visits: make(map[visitKey]*visit),
		sent: make(map[uint64]*sentPacket),
	}
	r.work.ready = make(chan struct{}, 1)
	for _, span := range s.Spans {
		r.streams = append(r.streams, span.Streams...)
	}
	r.missed = make([]uint64, len(r.streams))
	defer r.close()
	if err := r.deploy(ctx, progress); err != nil {
		return err
	}
	begin := r.now().Add(loadLead)
	sink, over, err := r.watchLive(sink, begin)
	if err != nil {
		return err
	}
	defer over()
	r.tally = newTally(sink, r.now, s.Cluster.Timeout)
	r.tally.begin = begin
	err = r.play(ctx, progress)
	r.await(ctx)
	r.tally.finish()
	r.counters()
	return errors.Join(err, ctx.Err())
}

// policies are those of [scenario.Cluster]'s Search.
var policies = map[string]multicast.SearchPolicy{
	"lan": multicast.LANSearch(), "literal": {}, "wide": multicast.WideSearch(),
}

// deploy deploys nodes, source, standing receivers and visitors.
func (r *scenarioRun) deploy(ctx context.Context, progress Progress) (err error) {
	var open func() (testbed.Endpoint, error)
	if r.World == Sim {
		if r.world, err = NewWorld(Sim, r.Seed, nil, QueryTime); err != nil {
			return err
		}
		open = r.world.Open
	} else {
		r.udp = cluster.New(cluster.Config{Seed: r.Seed, SocketBuffer: manyHosts})
		r.world, open = udpWorld{r.udp}, udpWorld{r.udp}.Open
	}
	c := r.Cluster
	r.bed, err = testbed.New(testbed.Config{
		Open: open, Seed: r.Seed, Nodes: c.Nodes, Degree: c.Degree, Pushback: true,
		Group: multicast.Config{Search: policies[c.Search], HeartbeatMax: machine.Duration(c.Heartbeat)},
	})
	if err != nil {
		return err
	}
	r.onClose(func() { r.bed.Close() })
	r.stream = newStream(r.world, r.bed.Source(), c.Size, c.Rate)
	r.startHands()
	r.onClose(r.closeReceivers)
	r.sleep(50 * time.Millisecond) // the source's triggers
	if err := r.addStanding(ctx, progress); err != nil {
		return err
	}
	for n := range c.Visitors {
		if _, err := r.addVisitor(n % c.Nodes); err != nil {
			return err
		}
	}
	if r.has(scenario.Anycast) {
		return r.addAnycast(ctx)
	}
	return nil
}

// has reports whether there may be operations of a kind.
func (r *scenarioRun) has(kind string) bool {
	return slices.ContainsFunc(r.streams, func(p *scenario.Planned) bool { return slices.Contains(p.Kinds, kind) })
}

// joinTogether is the part of the standing receivers that join at a time, one in so
// many: of a small group one after the other.
const joinTogether = 40

// addStanding lets the standing receivers join, a few at a time.
func (r *scenarioRun) addStanding(ctx context.Context, progress Progress) error {
	n := r.Cluster.Standing
	for len(r.stays) < n {
		first := len(r.stays)
		for range min(1+first/joinTogether, n-first) {
			s, err := r.newStayer(len(r.stays))
			if err != nil {
				return err
			}
			r.stays = append(r.stays, s)
			s.Join()
		}
		for _, s := range r.stays[first:] {
			if !r.waitUntil(ctx, 20*time.Second, s.settled) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return fmt.Errorf("scenario: standing receiver %d did not join within 20 s", s.number)
			}
		}
		progress(len(r.stays), n, fmt.Sprintf("%d of %d standing receivers", len(r.stays), n))
	}
	return nil
}

// waitUntil waits until cond holds, and reports whether it did within the limit.
func (r *scenarioRun) waitUntil(ctx context.Context, limit time.Duration, cond func() bool) bool {
	const step = 250 * time.Microsecond
	for end := r.now().Add(limit); r.now().Before(end) && ctx.Err() == nil; r.sleep(step) {
		if cond() {
			return true
		}
	}
	return cond()
}

// begin begins an operation. It never waits.
func (r *scenarioRun) begin(stream int, op loadgen.Op, intended time.Time, a loadgen.Action, done func()) {
	if r.Observe != nil {
		r.Observe(stream, op, a)
	}
	d := r.tally.start(a.Kind, intended, done)
	key := visitKey{stream, a.Member}
	switch {
	case a.Kind == scenario.Join:
		r.order(&visit{key: key, op: d, stays: a.Lasting})
	case a.Lasting && (a.Kind == scenario.Leave || a.Kind == scenario.Crash):
		r.leaveVisit(key, d)
	case a.Kind == scenario.Packet:
		r.work.later(func() { r.sendTo(d) })
	case a.Kind == scenario.Restart:
		r.work.later(func() { r.restart(a.Member, d) })
	case a.Kind == scenario.Anycast:
		r.work.later(func() { r.anycast.ask(stream, op.Index, d) })
	default:
		r.stayDoes(a.Member, d)
	}
}

// restart makes a node lose its memory. It is over when all have a packet that was
// sent after it.
func (r *scenarioRun) restart(member uint64, d *operation) {
	r.bedMu.Lock()
	err := r.bed.RestartNode(int(member % uint64(r.Cluster.Nodes)))
	r.bedMu.Unlock()
	if err != nil {
		r.fail(d)
		return
	}
	r.sendTo(d)
}

// await waits for the operations under way.
func (r *scenarioRun) await(ctx context.Context) {
	end := r.now().Add(r.tally.timeout + time.Second)
	for r.now().Before(end) && ctx.Err() == nil && r.tally.open() > 0 {
		r.sleep(10 * time.Millisecond)
		r.tally.expire(false)
		r.look()
	}
}

// status says how far the phases are.
func (r *scenarioRun) status(at time.Duration) string {
	return fmt.Sprintf("phase %s, %d operations done, %d under way", r.phaseAt(at), r.tally.done(), r.tally.open())
}

// phaseAt returns the name of the phase at a moment.
func (r *scenarioRun) phaseAt(at time.Duration) (name string) {
	for _, span := range r.Spans {
		if at >= span.Begin {
			name = span.Name
		}
	}
	return name
}

// length returns how long all phases are together.
func (r *scenarioRun) length() (sum time.Duration) {
	for _, span := range r.Spans {
		sum += span.For
	}
	return sum
}

// onClose notes what is to be done at the end, the last first.
func (r *scenarioRun) onClose(f func()) { r.ends = append(r.ends, f) }

func (r *scenarioRun) close() {
	for _, f := range slices.Backward(r.ends) {
		f()
	}
}

func (r *scenarioRun) closeReceivers() {
	for _, v := range r.all {
		v.Endpoint.Close()
	}
	for _, s := range r.stays {
		s.Endpoint.Close()
	}
	if r.anycast != nil {
		r.anycast.close()
	}
}
