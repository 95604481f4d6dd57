package experiments

import (
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
	"i3bench/testbed"
)

// A visitKey names a visit: a stream of operations, and the member that it says.
type visitKey struct {
	stream int
	member uint64
}

// A visit is a receiver's stay in the group, from the order to join. Its fields belong
// to scenarioRun.mu.
type visit struct {
	key   visitKey
	op    *operation // the join
	stays bool       // until an operation makes it leave
	by    *visitor
	in    bool       // has its first packet
	out   *operation // the leave, if there is one
}

// A visitor is a receiver that joins, leaves, and may be used again.
type visitor struct {
	*testbed.Receiver
	run   *scenarioRun
	site  int
	visit *visit // belongs to scenarioRun.mu, as what follows
	// crashed says that another one has taken its place.
	crashed bool
}

// addVisitor deploys a visitor.
func (r *scenarioRun) addVisitor(site int) (*visitor, error) {
	v := &visitor{run: r, site: site}
	r.bedMu.Lock()
	rec, err := r.bed.AddReceiver(site, multicast.Events{
		Joined: func(machine.Time, uint64) { r.arrived(v) },
		Left:   func(machine.Time) { r.released(v) },
		Failed: func(machine.Time) { r.released(v) },
	})
	r.bedMu.Unlock()
	if err != nil {
		return nil, err
	}
	v.Receiver = rec
	r.mu.Lock()
	r.all = append(r.all, v)
	r.idle = append(r.idle, v)
	r.mu.Unlock()
	return v, nil
}

// fail ends an operation that cannot be carried out.
func (r *scenarioRun) fail(d *operation) { r.tally.end(d, reports.StatusError) }

// order has the next idle visitor join.
func (r *scenarioRun) order(v *visit) {
	r.mu.Lock()
	refused := len(r.orders) == maxOrders || v.stays && r.visits[v.key] != nil
	if !refused {
		r.orders = append(r.orders, v)
		if v.stays {
			r.visits[v.key] = v
		}
	}
	r.mu.Unlock()
	if refused {
		r.fail(v.op)
		return
	}
	r.tally.onTimeout(v.op, func() { r.giveUp(v) })
	r.match()
}

// match gives orders to idle visitors.
func (r *scenarioRun) match() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.idle) > 0 && len(r.orders) > 0 {
		v, order := r.idle[0], r.orders[0]
		r.idle, r.orders = r.idle[1:], r.orders[1:]
		v.visit, order.by = order, v
		r.work.later(func() { r.joins(v, order) })
	}
}

// joins lets a visitor join, unless the time for it is over already.
func (r *scenarioRun) joins(v *visitor, order *visit) {
	if !r.tally.begun(order.op) {
		r.released(v)
		return
	}
	v.Join()
}

// arrived is told that a visitor has its first packet.
func (r *scenarioRun) arrived(v *visitor) {
	r.mu.Lock()
	order := v.visit
	first := order != nil && !order.in
	if first {
		order.in = true
	}
	r.mu.Unlock()
	if !first {
		return // the stream began anew
	}
	r.tally.end(order.op, reports.StatusOK)
	if !order.stays {
		r.work.later(v.Leave)
	}
}

// released is told that a visitor is out of the group. If it had no packet yet, its
// join has failed: the search found nothing, or it was told to leave too soon.
func (r *scenarioRun) released(v *visitor) {
	r.mu.Lock()
	order := v.visit
	v.visit = nil
	r.forget(order)
	r.idle = append(r.idle, v)
	r.mu.Unlock()
	if order != nil {
		r.fail(order.op) // unless it has joined before
		if order.out != nil {
			r.tally.end(order.out, reports.StatusOK)
		}
	}
	r.match()
}

// forget drops the name of a visit. The caller holds the lock.
func (r *scenarioRun) forget(v *visit) {
	if v != nil && r.visits[v.key] == v {
		delete(r.visits, v.key)
	}
}

// giveUp takes a visitor whose join has not ended in time out of the group.
func (r *scenarioRun) giveUp(v *visit) {
	r.mu.Lock()
	by := v.by
	if by != nil && by.visit != v {
		by = nil
	}
	r.mu.Unlock()
	if by != nil {
		r.work.later(by.Leave)
	}
}

// leaveVisit ends a visit that lasts. If nobody is there, that is an error.
func (r *scenarioRun) leaveVisit(key visitKey, d *operation) {
	r.mu.Lock()
	v := r.visits[key]
	ok := v != nil && v.by != nil && v.out == nil
	if ok {
		v.out = d
	}
	r.mu.Unlock()
	switch {
	case !ok:
		r.fail(d)
	case d.kind == reports.KindCrash:
		r.work.later(func() { r.crashVisitor(v) })
	default:
		r.work.later(v.by.Leave)
	}
}

// crashVisitor stops a visitor at once. Another one takes its place outside.
func (r *scenarioRun) crashVisitor(v *visit) {
	v.by.Endpoint.Close()
	r.mu.Lock()
	r.forget(v)
	v.by.visit, v.by.crashed = nil, true
	r.mu.Unlock()
	if _, err := r.addVisitor(v.by.site); err != nil {
		r.fail(v.out)
		return
	}
	r.tally.end(v.out, reports.StatusOK)
	r.match()
}
