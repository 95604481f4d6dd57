package experiments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"i3bench/cluster"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/loadgen"
	"i3bench/loadgen/live"
	"i3bench/reports"
	"i3bench/testbed"
)

// Load offers joins and repairs at fixed rates for a fixed time to a group on
// real sockets. A join is over when the first packet has come down the tree to
// the new receiver, which then leaves. A repair begins with a packet that a
// standing receiver is made to lose and is over when that receiver has it after
// all. Latency counts from the intended time of each operation.
type Load struct {
	Nodes     int
	Degree    int
	Standing  int // receivers that stay, and lose packets
	Pool      int // receivers that join and leave: the most joins at a time, others wait
	Joins     float64
	Repairs   float64 // operations per second
	For       time.Duration
	PerSecond float64 // packets the source sends per second
	Size      int     // bytes of a packet
	Seed      uint64
	Search    multicast.SearchPolicy
	Repair    multicast.RepairPolicy
	// Timeout is how long after the end of the schedule an operation may end.
	// Default: 10 s.
	Timeout time.Duration
	// CatchUp is what the generator does with operations that it could not start in
	// time. Default: smooth.
	CatchUp loadgen.CatchUp
	// Live is shown the load while it goes on; nil if nobody looks.
	Live *live.Meter
	// Poisson makes operations come at random times instead of equal distances.
	Poisson bool
}

// Times of the load experiment.
const (
	// loadTimeout is how long after the end of the schedule an operation may end.
	loadTimeout = 10 * time.Second
	// loadLead is the time from the order to begin to the first operation.
	loadLead = 50 * time.Millisecond
	// loadNap is how long the generator sleeps at least: it shares the cores with the nodes, and wakes up some
	// thousand times a second instead of once for each of ten thousand operations.
	loadNap = time.Millisecond
	// maxOrders bounds the joins that wait for a receiver; more are errors.
	maxOrders = 1 << 16
)

// A loadRun is the experiment while it goes on.
type loadRun struct {
	Load
	world  *cluster.World
	bed    *testbed.Bed
	stays  []*loser
	pool   []*comer
	begin  time.Time // of the schedule
	joins  *operations
	losses *operations
	orders chan *operation // joins whose time has come
	idle   chan *comer     // pool receivers that may join
	leave  chan *comer     // pool receivers that have joined
	ends   []func()        // what closing does, the last first
	phase  string          // what Live is told that this is; empty: load
	late   time.Duration   // and how late the generator may be; 0: as in the report
}

// Run runs the experiment.
func (l Load) Run(ctx context.Context, sink Sink, progress Progress) error {
	r, err := l.deploy(ctx, progress)
	if err != nil {
		return err
	}
	defer r.close()
	healthy := watchHealth(sink, reports.StageLoad)
	err = r.offer(ctx, sink, progress)
	healthy()
	r.counters(sink)
	return err
}

// deploy deploys the group, up to the receivers that wait to join. Closing it
// ends everything.
func (l Load) deploy(ctx context.Context, progress Progress) (r *loadRun, err error) {
	r = &loadRun{
		Load: l, world: cluster.New(cluster.Config{Seed: l.Seed, SocketBuffer: manyHosts}),
		orders: make(chan *operation, maxOrders), idle: make(chan *comer, l.Pool), leave: make(chan *comer, l.Pool),
	}
	r.bed, err = testbed.New(testbed.Config{
		Open: udpWorld{r.world}.Open, Seed: l.Seed, Nodes: l.Nodes, Degree: l.Degree, Pushback: true,
		Group: multicast.Config{Search: l.Search, Repair: l.Repair},
	})
	if err != nil {
		return nil, err
	}
	r.onClose(func() { r.bed.Close() })
	r.onClose(r.startSource())
	r.onClose(r.closeReceivers)
	if err := r.addStanding(ctx, progress); err != nil {
		r.close()
		return nil, err
	}
	if err := r.addPool(); err != nil {
		r.close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var hands sync.WaitGroup
	hands.Go(func() { r.leaveJoined(ctx) })
	hands.Go(func() { r.joinOrdered(ctx) })
	r.onClose(func() { cancel(); hands.Wait() })
	return r, nil
}

// onClose notes what is to be done at the end, the last first.
func (r *loadRun) onClose(f func()) { r.ends = append(r.ends, f) }

// close ends what was deployed.
func (r *loadRun) close() {
	for _, f := range slices.Backward(r.ends) {
		f()
	}
}

// startSource sends packets until the returned function is called.
func (r *loadRun) startSource() (stop func()) {
	return sendUntil(newStream(udpWorld{r.world}, r.bed.Source(), r.Size, r.PerSecond))
}

// addStanding lets the standing receivers join, one after the other.
func (r *loadRun) addStanding(ctx context.Context, progress Progress) error {
	time.Sleep(50 * time.Millisecond) // the source's triggers
	for n := range r.Standing {
		s := &loser{run: r}
		rec, err := r.bed.AddReceiver(n%r.Nodes, s.events())
		if err != nil {
			return err
		}
		s.Receiver = rec
		r.stays = append(r.stays, s)
		rec.Endpoint.SetFilter(s.keep)
		rec.Join()
		if !waitUntil(ctx, udpWorld{r.world}, 20*time.Second, s.joined) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("load: standing receiver %d did not join within 20 s", n)
		}
		progress(n+1, r.Standing, fmt.Sprintf("%d of %d standing receivers", n+1, r.Standing))
	}
	return nil
}

// closeReceivers closes the receivers, the coming ones first.
func (r *loadRun) closeReceivers() {
	for _, c := range r.pool {
		c.Endpoint.Close()
	}
	for _, s := range r.stays {
		s.Endpoint.Close()
	}
}

// addPool deploys the receivers that join and leave.
func (r *loadRun) addPool() error {
	for n := range r.Pool {
		c := &comer{run: r}
		rec, err := r.bed.AddReceiver(n%r.Nodes, c.events())
		if err != nil {
			return err
		}
		c.Receiver = rec
		r.pool = append(r.pool, c)
		r.idle <- c
	}
	return nil
}

// leaveJoined lets every receiver leave that has joined.
func (r *loadRun) leaveJoined(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-r.leave:
			c.Leave()
		}
	}
}

// joinOrdered gives every join whose time has come to an idle receiver.
func (r *loadRun) joinOrdered(ctx context.Context) {
	for {
		var o *operation
		select {
		case <-ctx.Done():
			return
		case o = <-r.orders:
		}
		select {
		case <-ctx.Done():
			return
		case c := <-r.idle:
			c.begin(o)
		}
	}
}

// offer runs both schedules side by side and waits for the last operations.
func (r *loadRun) offer(ctx context.Context, sink Sink, progress Progress) error {
	r.begin = time.Now().Add(loadLead)
	sink, over, err := r.watchLive(sink)
	if err != nil {
		return err
	}
	defer over()
	r.joins, r.losses = newOperations(sink, reports.KindJoin), newOperations(sink, reports.KindRepair)
	r.joins.begin, r.losses.begin = r.begin, r.begin
	var wg sync.WaitGroup
	errs := make([]error, 2)
	wg.Go(func() { errs[0] = r.pace(ctx, r.joins, r.Joins, r.startJoin) })
	wg.Go(func() { errs[1] = r.pace(ctx, r.losses, r.Repairs, r.startLoss) })
	paced := make(chan struct{})
	go func() { wg.Wait(); close(paced) }()
	r.watch(paced, progress)
	end := time.Now().Add(cmp.Or(r.Timeout, loadTimeout))
	for time.Now().Before(end) && ctx.Err() == nil && r.joins.open()+r.losses.open() > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	r.joins.finish()
	r.losses.finish()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	return ctx.Err()
}

// watch reports progress until the schedules are over.
func (r *loadRun) watch(paced <-chan struct{}, progress Progress) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-paced:
			return
		case <-tick.C:
			at := min(time.Since(r.begin), r.For)
			progress(int(at/time.Millisecond), int(r.For/time.Millisecond),
				fmt.Sprintf("%d joins, %d repairs done", r.joins.done(), r.losses.done()))
		}
	}
}

func (r *loadRun) pace(ctx context.Context, ops *operations, rate float64, start loadgen.Start) error {
	p, err := loadgen.NewPacer(loadgen.PacerConfig{
		Spin: loadgen.NoSpin, Nap: loadNap, CatchUp: r.CatchUp, Left: func(op loadgen.Op) { ops.left(ops.kind, op.At) },
	})
	if err != nil {
		return err
	}
	s, err := r.profile(ops.kind, rate).Open()
	if err != nil {
		return err
	}
	ops.pacer = p
	// A generator that fell behind does not go on for ever.
	bounded, cancel := context.WithDeadline(ctx, r.begin.Add(r.For+cmp.Or(r.Timeout, loadTimeout)))
	defer cancel()
	stats, err := p.Run(bounded, r.begin, s, start)
	if stats != nil {
		ops.stats = stats
	}
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil // what was not started is counted
	}
	return err
}

// profile is the load of an operation at a rate. The times of one do not tell
// those of another.
func (r *loadRun) profile(kind string, rate float64) loadgen.Profile {
	if r.Poisson {
		return loadgen.Poisson{Rate: rate, For: r.For, Seed: r.Seed ^ prng.Bytes([]byte(kind), nil)}
	}
	return loadgen.Constant{Rate: rate, For: r.For}
}

// counters samples what the nodes, the receivers and the sockets counted.
func (r *loadRun) counters(sink Sink) {
	c := r.world.Counters()
	socketDrops(sink, reports.StageLoad, c)
	count(sink, reports.StageLoad, r.Seed, "datagrams sent", c.Sent)
	count(sink, reports.StageLoad, r.Seed, "datagrams received", c.Received)
	count(sink, reports.StageLoad, r.Seed, "datagrams lost in socket buffers", c.Sent-min(c.Sent, c.Received))
	count(sink, reports.StageLoad, r.Seed, "datagrams the kernel refused", c.SendErrors)
	for _, ops := range []*operations{r.joins, r.losses} {
		if ops.stats != nil {
			count(sink, reports.StageLoad, r.Seed, ops.kind+"s missed by the generator", uint64(ops.stats.Missed))
			count(sink, reports.StageLoad, r.Seed, ops.kind+"s dropped by the generator", uint64(ops.stats.Dropped))
		}
	}
	r.receiverCounters(sink)
}

// receiverCounters samples the sums over the standing and the coming receivers.
func (r *loadRun) receiverCounters(sink Sink) {
	var stay, come multicast.Counters
	for _, s := range r.stays {
		s.Endpoint.Do(func(machine.Time, *machine.Outbox) { add(&stay, s.Machine.Counters()) })
	}
	for _, c := range r.pool {
		c.Endpoint.Do(func(machine.Time, *machine.Outbox) { add(&come, c.Machine.Counters()) })
	}
	for _, x := range []struct {
		name  string
		value uint64
	}{
		{"distance queries processed by standing receivers", stay.Queries},
		{"repair requests of standing receivers", stay.Requests},
		{"duplicates at standing receivers", stay.Duplicates},
		{"times a standing receiver heard nothing", stay.Silences},
		{"distance queries sent by coming receivers", come.QueriesSent},
		{"searches of coming receivers", come.Searches},
		{"links inserted by coming receivers", come.Attaches},
		{"links refused because the parent was full or gone", come.Refused},
		{"times a coming receiver heard nothing", come.Silences},
		{"identifiers adopted from receivers that left", stay.Adoptions + come.Adoptions},
	} {
		count(sink, reports.StageLoad, r.Seed, x.name, x.value)
	}
}

// add adds the counters that the load experiment reports.
func add(sum *multicast.Counters, c multicast.Counters) {
	sum.Queries += c.Queries
	sum.QueriesSent += c.QueriesSent
	sum.Searches += c.Searches
	sum.Attaches += c.Attaches
	sum.Refused += c.Refused
	sum.Requests += c.Requests
	sum.Duplicates += c.Duplicates
	sum.Silences += c.Silences
	sum.Adoptions += c.Adoptions
	sum.Refreshes += c.Refreshes
}
