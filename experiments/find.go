package experiments

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"i3bench/cluster"
	"i3bench/loadgen/find"
	"i3bench/reports"
)

// The ways in which a search ends without an answer that can be trusted.
var (
	// ErrInvalid is returned where the figures say nothing about the system: the
	// generator was the limit, or a part of the run was lost.
	ErrInvalid = errors.New("INVALID")
	// ErrNoRate is returned where no rate is known to meet the objectives, where the
	// budget was used up, or where trials contradict each other.
	ErrNoRate = errors.New("no answer")
)

// Find searches for the largest rate of joins, with repairs beside them, at which
// a group on real sockets meets objectives. Its trials are what [Load] does, one
// after the other.
type Find struct {
	Load       // the group; rates and times are those of the trials
	Objectives []reports.Objective
	// Config says how to search, but for its objectives and its budget.
	Config find.Config
	// Ratio is the number of joins for each repair.
	Ratio float64
	// Budget is how long everything may take.
	Budget time.Duration
	// Late is the p99 of the generator's lateness beyond which a trial is invalid.
	// Zero: [reports.LateLimit].
	Late time.Duration
	// Keep keeps the group for the next trial where all objectives were met and all
	// receivers leave within Settle. Otherwise each trial has a new group, for trials are
	// to be independent: joins that were given up leave links to receivers that have
	// gone, which delay joins until they lapse, at lower rates too.
	Keep   bool
	Settle time.Duration
}

// A findRun is the search while it goes on.
type findRun struct {
	Find
	sink     Sink
	progress Progress
	begin    time.Time
	group    *loadRun         // nil: the next trial deploys one
	system   string           // reports.SystemNew if it has had no trial
	sockets  cluster.Counters // of the groups that were closed
}

// Run runs the search.
func (f Find) Run(ctx context.Context, sink Sink, progress Progress) error {
	r := &findRun{Find: f, sink: sink, progress: progress, begin: time.Now()}
	for i, o := range f.Objectives {
		sink.Sample(reports.Sample{
			Stage: reports.StageFind, Kind: reports.KindObjective, Group: o.Text, Host: i, Value: o.Limit,
		})
	}
	healthy := watchHealth(sink, reports.StageFind)
	defer func() {
		r.close()
		healthy()
		socketDrops(sink, reports.StageFind, r.sockets)
	}()
	c := f.Config
	c.Objectives = reports.Bounds(f.Objectives)
	c.Budget = max(f.Budget-time.Since(r.begin), time.Nanosecond).Seconds()
	result, err := find.Run(c, func(p find.Plan) (find.Outcome, error) { return r.trial(ctx, p) })
	if err != nil {
		return fmt.Errorf("find: %w", err)
	}
	return verdict(result)
}

// verdict returns the error of a result that is no answer.
func verdict(r find.Result) error {
	switch r.All.State {
	case find.Found, find.AtLeast:
		return nil
	case find.Limited:
		return fmt.Errorf("find: %w: the generator was the limit from %.0f joins/s on", ErrInvalid, r.Ceiling)
	}
	return fmt.Errorf("find: %w: %s", ErrNoRate, reports.FoundText(r.All.State, r.All.Against))
}

// deploy deploys a new group.
func (r *findRun) deploy(ctx context.Context) (err error) {
	r.system = reports.SystemNew
	r.group, err = r.Load.deploy(ctx, func(_, _ int, what string) { r.tell(what) })
	return err
}

// close ends the group.
func (r *findRun) close() {
	if r.group != nil {
		c := r.group.world.Counters()
		r.sockets.Sent += c.Sent
		r.sockets.Received += c.Received
		r.group.close()
		r.group = nil
	}
}

// tell reports progress: the time that has passed, of the budget.
func (r *findRun) tell(what string) {
	passed := min(time.Since(r.begin), r.Budget)
	r.progress(int(passed/time.Millisecond), int(r.Budget/time.Millisecond), what)
}

// trial carries out a trial, on a new group if there is none.
func (r *findRun) trial(ctx context.Context, p find.Plan) (find.Outcome, error) {
	begin := time.Now()
	if r.group == nil {
		if err := r.deploy(ctx); err != nil {
			return find.Outcome{}, err
		}
	}
	g, c := r.group, &collector{sink: r.sink, trial: p.Number}
	g.Joins, g.Repairs, g.For = p.Rate, p.Rate/r.Ratio, time.Duration(p.Seconds*float64(time.Second))
	g.Seed = r.Seed + uint64(p.Number)
	g.late = time.Duration(r.lateLimit())
	name := fmt.Sprintf("trial %d (%s), %.0f joins/s for %v", p.Number+1, p.Purpose, p.Rate, g.For.Round(time.Millisecond))
	g.phase = name
	r.tell(name)
	if err := r.offer(ctx, c, func(_, _ int, what string) { r.tell(name + ": " + what) }); err != nil {
		return find.Outcome{}, err
	}
	s := reports.Sample{
		Stage: reports.StageFind, Kind: reports.KindTrial, Level: p.Number, Group: p.Purpose.String(), Status: r.system,
		Value: p.Rate, N: int64(g.unsent()), StartNS: int64(g.For),
	}
	outcome := c.trialOf(s).Outcome(r.Objectives, r.lateLimit())
	r.rest(ctx, outcome)
	s.ServiceNS = int64(time.Since(begin))
	outcome.Took = float64(s.ServiceNS) / 1e9
	r.sink.Sample(s)
	return outcome, ctx.Err()
}

// rest lets the group come to rest after a trial, or ends it.
func (r *findRun) rest(ctx context.Context, o find.Outcome) {
	r.system = reports.SystemKept
	if !r.Keep || !r.met(o) || !r.group.settle(ctx, r.Settle) {
		r.close()
	}
}

// met reports whether a trial counts, and met all objectives.
func (r *findRun) met(o find.Outcome) bool {
	for i, b := range reports.Bounds(r.Objectives) {
		if !b.Met(o.Values[i]) {
			return false
		}
	}
	return o.Invalid == ""
}

// lateLimit is how late the generator may be, in nanoseconds.
func (r *findRun) lateLimit() float64 {
	if r.Late > 0 {
		return float64(r.Late)
	}
	return reports.LateLimit(r.Objectives)
}

// unsent returns how many operations of the last offer were not started.
func (r *loadRun) unsent() (n uint64) {
	for _, ops := range []*operations{r.joins, r.losses} {
		if ops.stats != nil {
			n += ops.stats.Missed + ops.stats.Dropped
		}
	}
	return n
}

// settle forgets what is still to be done, and reports whether all receivers of
// the pool have left within the limit.
func (r *loadRun) settle(ctx context.Context, limit time.Duration) bool {
	for waiting := true; waiting; {
		select {
		case <-r.orders:
		default:
			waiting = false
		}
	}
	for _, s := range r.stays {
		s.forget()
	}
	return waitUntil(ctx, udpWorld{r.world}, limit, func() bool { return len(r.idle) == cap(r.idle) })
}

// A collector keeps the samples of a trial, and hands them on as such.
type collector struct {
	sink  Sink
	trial int

	mu     sync.Mutex
	byKind map[string][]reports.Sample
}

// Sample takes a sample of the load. The sums of each second can be had from the
// others, and are left out.
func (c *collector) Sample(s reports.Sample) {
	if s.Kind == reports.KindOffered {
		return
	}
	s.Stage, s.Level = reports.StageFind, c.trial
	c.mu.Lock()
	if c.byKind == nil {
		c.byKind = make(map[string][]reports.Sample)
	}
	c.byKind[s.Kind] = append(c.byKind[s.Kind], s)
	c.mu.Unlock()
	c.sink.Sample(s)
}

// trialOf returns the figures of the trial.
func (c *collector) trialOf(s reports.Sample) reports.Trial {
	c.mu.Lock()
	defer c.mu.Unlock()
	return reports.SummarizeTrial(s, c.byKind[reports.KindJoin], c.byKind[reports.KindRepair], c.byKind[reports.KindLate])
}
