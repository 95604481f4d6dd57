package experiments

import (
	"time"

	"i3bench/i3/host"
	"i3bench/loadgen/live"
	"i3bench/testbed"
)

// watchLive shows the scenario to the meter, if there is one: on sockets beside it, in virtual time whenever it calls
// look, since only who lets time pass may look at machines there.
func (r *scenarioRun) watchLive(sink Sink, begin time.Time) (_ Sink, over func(), err error) {
	r.look = func() {}
	if r.Live == nil {
		return sink, func() {}, nil
	}
	o := &offered{sums: make(map[string]uint64)}
	for _, span := range r.Spans {
		for _, p := range span.Streams {
			plan, err := p.Open()
			if err != nil {
				return nil, nil, err
			}
			o.parts = append(o.parts, &dueCounter{schedule: plan, plan: plan, begin: span.Begin})
		}
	}
	state := func() live.State { return r.state(o, r.now().Sub(begin)) }
	if r.udp != nil {
		sink, over = keepShowing(r.Live, sink, state)
		return sink, over, nil
	}
	r.Live.Begin(state())
	r.look = func() {
		if r.Live.Due() {
			r.Live.See(state())
		}
	}
	return watched{sink, r.Live}, func() { r.Live.See(ended(state())) }, nil
}

// state is what the meter is shown of a scenario.
func (r *scenarioRun) state(o *offered, at time.Duration) live.State {
	s := live.State{
		At: at, For: r.length(), Phase: r.phaseAt(at), Offered: o.by(at), Limits: limits(0),
		Lifetime: time.Duration(host.DefaultLifetime),
	}
	if at > s.For {
		s.Phase = waiting
	}
	by := reach(inVirtualTime)
	if r.udp != nil {
		by = onSockets
		s.Sockets = socketState(r.udp.Counters())
	}
	r.bedMu.Lock()
	s.Nodes = nodeStates(r.bed.Nodes(), by)
	r.bedMu.Unlock()
	s.Receivers = receiverStates(r.receivers(), by)
	return s
}

// receivers returns all receivers but those that have crashed.
func (r *scenarioRun) receivers() (all []*testbed.Receiver) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.stays {
		all = append(all, x.Receiver)
	}
	for _, x := range r.all {
		if !x.crashed {
			all = append(all, x.Receiver)
		}
	}
	return all
}
