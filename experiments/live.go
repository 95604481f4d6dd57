package experiments

import (
	"cmp"
	"reflect"
	"strings"
	"time"

	"i3bench/cluster"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/loadgen"
	"i3bench/loadgen/live"
	"i3bench/reports"
	"i3bench/testbed"
)

// A watched sink tells a meter of each operation.
type watched struct {
	Sink
	meter *live.Meter
}

// Sample implements [Sink].
func (w watched) Sample(s reports.Sample) {
	w.Sink.Sample(s)
	switch {
	case s.Kind == reports.KindLate:
		w.meter.Started(s.Group, time.Duration(s.Value))
	case s.Stage == reports.StageLoad && s.Status != "":
		w.meter.Ended(s.Kind, s.Status == reports.StatusOK, time.Duration(s.Value))
	}
}

// lookEvery is how often it is seen whether a meter wants another state.
const lookEvery = 50 * time.Millisecond

// keepShowing shows a load on sockets to a meter until the returned function is called, which shows its end. What it
// returns besides takes the samples.
func keepShowing(m *live.Meter, sink Sink, state func() live.State) (_ Sink, end func()) {
	m.Begin(state())
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		every := time.NewTicker(lookEvery)
		defer every.Stop()
		for {
			select {
			case <-stop:
				return
			case <-every.C:
			}
			if m.Due() {
				m.See(state())
			}
		}
	}()
	return watched{sink, m}, func() {
		close(stop)
		<-stopped
		m.See(ended(state()))
	}
}

// Phases of a load besides its own.
const (
	waiting = "waiting for the last"
	over    = "over"
)

// ended makes a state the last one of a load.
func ended(s live.State) live.State {
	s.Over, s.Phase = true, over
	return s
}

// A dueCounter counts the operations of a schedule whose time has come, by kind. It goes through a schedule of its own.
type dueCounter struct {
	schedule loadgen.Schedule
	kind     string        // of all operations, if they have only one
	plan     loadgen.Plan  // says it otherwise
	begin    time.Duration // of the schedule
	next     uint64
}

// count adds what is due by a moment.
func (d *dueCounter) count(at time.Duration, sums map[string]uint64) {
	for {
		op, ok := d.schedule.At(d.next)
		if !ok || d.begin+op.At > at {
			return
		}
		d.next++
		kind := d.kind
		if d.plan != nil {
			kind = d.plan.Action(op.Index).Kind
		}
		sums[kind]++
	}
}

// offered counts what is due of several schedules. It is for one goroutine at a time.
type offered struct {
	parts []*dueCounter
	sums  map[string]uint64
}

// by returns how many operations of each kind are due by a moment.
func (o *offered) by(at time.Duration) map[string]uint64 {
	sums := make(map[string]uint64, len(o.sums))
	for _, d := range o.parts {
		d.count(at, o.sums)
	}
	for kind, n := range o.sums {
		sums[kind] = n
	}
	return sums
}

// watchLive shows the load to the meter, if there is one.
func (r *loadRun) watchLive(sink Sink) (_ Sink, end func(), err error) {
	if r.Live == nil {
		return sink, func() {}, nil
	}
	o := &offered{sums: make(map[string]uint64)}
	for kind, rate := range map[string]float64{reports.KindJoin: r.Joins, reports.KindRepair: r.Repairs} {
		s, err := r.profile(kind, rate).Open()
		if err != nil {
			return nil, nil, err
		}
		o.parts = append(o.parts, &dueCounter{schedule: s, kind: kind})
		o.sums[kind] = 0
	}
	sink, end = keepShowing(r.Live, sink, func() live.State { return r.state(o) })
	return sink, end, nil
}

// state is what the meter is shown of a load.
func (r *loadRun) state(o *offered) live.State {
	at := time.Since(r.begin)
	s := live.State{
		At: at, For: r.For, Phase: cmp.Or(r.phase, "load"), Offered: o.by(at), Limits: limits(r.late),
		Lifetime: time.Duration(host.DefaultLifetime), Nodes: nodeStates(r.bed.Nodes(), onSockets),
		Sockets: socketState(r.world.Counters()),
	}
	if at > r.For {
		s.Phase = waiting
	}
	var all []*testbed.Receiver
	for _, x := range r.stays {
		all = append(all, x.Receiver)
	}
	for _, x := range r.pool {
		all = append(all, x.Receiver)
	}
	s.Receivers = receiverStates(all, onSockets)
	return s
}

// limits are those of the report, but for how late a generator may be if that is said.
func limits(late time.Duration) live.Limits {
	return live.Limits{Late: cmp.Or(late, time.Duration(reports.LateLimit(nil))), Unsent: reports.UnsentLimit}
}

// onSockets has a function called between two calls of an endpoint's machine.
func onSockets(e testbed.Endpoint, f func()) {
	e.Do(func(machine.Time, *machine.Outbox) { f() })
}

// inVirtualTime calls a function: no machine runs meanwhile, and nothing of the call is in the trace.
func inVirtualTime(_ testbed.Endpoint, f func()) { f() }

// A reach is one of these two.
type reach func(e testbed.Endpoint, f func())

// receiverStates is what receivers have counted. Those that are closed are left out.
func receiverStates(all []*testbed.Receiver, by reach) []live.Receiver {
	list := make([]live.Receiver, 0, len(all))
	for _, r := range all {
		by(r.Endpoint, func() {
			c := r.Machine.Counters()
			list = append(list, live.Receiver{
				Key: r, Level: r.Machine.Level(), Queries: c.Queries, Requests: c.RequestsReceived,
				Repairs: c.Repairs + c.SubtreeRepairs, Acks: c.RefreshAcks, Sent: c.Refreshes,
			})
		})
	}
	return list
}

// nodeStates is what the nodes have counted.
func nodeStates(nodes []testbed.Node, by reach) []live.Node {
	list := make([]live.Node, len(nodes))
	for i, n := range nodes {
		s := &list[i]
		s.Key = n.Machine
		by(n.Endpoint, func() {
			c := n.Machine.Counters()
			s.Triggers, s.Packets, s.Copies, s.Refreshed = n.Machine.Triggers(), c.Packets, c.Copies, c.Refreshed
			s.Drops = dropsOf(c)
		})
	}
	return list
}

// dropsOf returns the counters of a node that begin with Drop, by what follows, in words.
func dropsOf(c node.Counters) map[string]uint64 {
	drops, v := make(map[string]uint64), reflect.ValueOf(c)
	for i := range v.NumField() {
		if name, ok := strings.CutPrefix(v.Type().Field(i).Name, "Drop"); ok && v.Field(i).Uint() > 0 {
			drops[words(name)] = v.Field(i).Uint()
		}
	}
	return drops
}

// words writes a name such as HopLimit as hop limit.
func words(name string) string {
	var b strings.Builder
	for i, c := range name {
		if i > 0 && 'A' <= c && c <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return strings.ToLower(b.String())
}

// socketState is what the sockets have counted.
func socketState(c cluster.Counters) *live.Sockets {
	return &live.Sockets{In: c.Received, Out: c.Sent, Drops: map[string]uint64{
		"refused by the kernel": c.SendErrors, "truncated": c.Truncated, "delay line full": c.Overflow,
		"nobody there": c.NoHost,
	}}
}
