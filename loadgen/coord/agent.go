package coord

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"i3bench/internal/hist"
)

// How an agent ends that was not told to.
var (
	// ErrAbandoned says that an agent had no sign of life from its coordinator.
	ErrAbandoned = errors.New("coord: the coordinator is silent")
	// ErrNoWork says that no coordinator came in time.
	ErrNoWork = errors.New("coord: no coordinator has work")
)

// An Assignment is an agent's part of the work.
type Assignment struct {
	Part, Parts int // the number of the agent, from 0, and how many there are
	Work        []byte
}

// A Worker does an agent's part. Prepare, Run and Close are called in this order, by one goroutine at a time;
// Live beside Run, and ReadAt after it.
type Worker interface {
	// Prepare gets everything ready, so that Run can begin at once.
	Prepare(ctx context.Context, a Assignment) error
	// Run does the work, the first of it at begin. When ctx is done it stops at once; what it has
	// measured by then is its result.
	Run(ctx context.Context, begin time.Time) error
	// Live returns what was measured since the last call, by kind, at most 32 kinds.
	Live() map[string]*hist.Histogram
	// ReadAt reads the results, as io.ReaderAt says.
	ReadAt(p []byte, off int64) (n int, err error)
	// Close ends everything that Prepare began, if it was called.
	Close() error
}

// An AgentConfig says which run an agent is for.
type AgentConfig struct {
	Run     string        // as in [Config]
	Version string        // of the program
	Wait    time.Duration // for a coordinator that gives it work. Default: 10 minutes
	// Told is called with what happens, for a log; nil for nobody.
	Told func(what string)

	now func() time.Time // the clock that others see; for tests
}

// An agent is one while it runs.
type agent struct {
	bus    Bus
	cfg    AgentConfig
	worker Worker
	self   report // what does not change
	to     string // where its reports go
	ended  chan struct{}
	work   sync.WaitGroup

	ctx    context.Context // of the work
	cancel context.CancelFunc

	mu      sync.Mutex
	state   State
	cause   error
	from    string        // its coordinator
	limit   time.Duration // how long that one may be silent
	heard   time.Time     // when it was heard last
	stopped bool          // was told to
	over    bool          // was told to end, or there is nothing to do
	told    State         // in the last report
}

// RunAgent takes part in one run and returns when that is over: nil if its coordinator said so or needs nobody, the
// error of the worker, [ErrAbandoned], [ErrNoWork] or that of the context. All that the worker does is over then.
func RunAgent(ctx context.Context, bus Bus, cfg AgentConfig, w Worker) error {
	reports, beats, orders, err := subjects(cfg.Run)
	if err != nil {
		return err
	}
	cfg.Wait = cmp.Or(cfg.Wait, defaultWait)
	if cfg.now == nil {
		cfg.now = time.Now
	}
	host, _ := os.Hostname() // without a name it is still an agent
	a := &agent{
		bus: bus, cfg: cfg, worker: w, to: reports, ended: make(chan struct{}), state: Idle, heard: time.Now(),
		self: report{Agent: rand.Text(), Host: host, PID: os.Getpid(), CPUs: runtime.NumCPU(), Version: cfg.Version},
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	noOrders, err := bus.Subscribe(orders+a.self.Agent, a.ordered)
	if err != nil {
		return err
	}
	defer noOrders()
	noBeats, err := bus.Subscribe(beats, a.beat)
	if err != nil {
		return err
	}
	defer noBeats()
	err = a.live(ctx)
	a.mu.Lock()
	a.stopped = true // whatever the worker says now
	a.mu.Unlock()
	a.cancel()
	a.work.Wait()
	if a.from != "" { // no order is carried out any more
		err = errors.Join(err, w.Close())
	}
	return err
}

// live reports until the run is over.
func (a *agent) live(ctx context.Context) error {
	const measures = int(time.Second / BeatPeriod) // reports between two with what was measured
	tick := time.NewTicker(BeatPeriod)
	defer tick.Stop()
	for n := 0; ; n++ {
		a.report(n%measures == 0)
		select {
		case <-ctx.Done():
			a.finish(Failed, context.Cause(ctx))
			a.report(true)
			return context.Cause(ctx)
		case <-a.ended:
			a.mu.Lock()
			defer a.mu.Unlock()
			return a.cause
		case <-tick.C:
		}
		if err := a.silent(time.Now()); err != nil {
			return err
		}
	}
}

// silent says that nothing was heard for too long.
func (a *agent) silent(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	quiet := now.Sub(a.heard)
	switch {
	case a.from == "" && quiet > a.cfg.Wait:
		return fmt.Errorf("%w: run %.80q, within %v", ErrNoWork, cmp.Or(a.cfg.Run, "default"), a.cfg.Wait)
	case a.from != "" && quiet > a.limit:
		return fmt.Errorf("%w for %v: it may have been for %v", ErrAbandoned, quiet.Round(time.Millisecond), a.limit)
	}
	return nil
}

// report says how the agent is, and that it has finished together with the last of what was measured. If the
// bus does not take it, the coordinator notices.
func (a *agent) report(measured bool) {
	rep := a.self
	a.mu.Lock()
	rep.State = a.state
	if a.cause != nil {
		rep.Error = fmt.Sprintf("%.500s", a.cause.Error())
	}
	measured = measured && rep.State == Running || rep.State == Finished && a.told != Finished
	a.told = rep.State
	a.mu.Unlock()
	if measured {
		rep.Live = make(map[string][]byte)
		for kind, h := range a.worker.Live() {
			rep.Live[kind] = h.AppendTo(nil)
		}
	}
	_ = a.bus.Publish(a.to, encode(rep))
}

// beat takes a coordinator's sign of life.
func (a *agent) beat(m Message) {
	var b beat
	if decode(m.Data, &b) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.from == "" && b.Over:
		a.tell("nothing to do")
		a.end()
	case a.from == b.From && !b.Over:
		a.heard = time.Now()
	case a.from == b.From:
		a.end()
	}
}

// end has the agent return. The caller holds the lock.
func (a *agent) end() {
	if !a.over {
		a.over, a.stopped = true, true
		close(a.ended)
	}
}

// tell says what happens.
func (a *agent) tell(format string, args ...any) {
	if a.cfg.Told != nil {
		a.cfg.Told(fmt.Sprintf(format, args...))
	}
}

// ordered answers an order.
func (a *agent) ordered(m Message) {
	now := a.cfg.now().UnixNano()
	var o order
	if m.Answer == nil {
		return
	}
	err := decode(m.Data, &o)
	ans := answer{Now: now}
	if err == nil {
		ans, err = a.obey(o, ans)
	}
	if err != nil {
		ans = answer{Error: err.Error()}
	}
	_ = m.Answer(encode(ans)) // who asked notices
	if o.Do == doEnd && err == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.end()
	}
}

// obey carries out an order, as far as it does not take long.
func (a *agent) obey(o order, ans answer) (answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o.Do == doClock {
		return ans, nil
	}
	if a.from != "" && a.from != o.From {
		return ans, errors.New("another coordinator has given it work")
	}
	want := map[string]State{doPrepare: Idle, doStart: Ready, doRead: Finished}[o.Do]
	if want != "" && a.state != want {
		return ans, fmt.Errorf("the agent is %s: want %s", a.state, want)
	}
	switch o.Do {
	case doPrepare:
		return ans, a.prepare(o)
	case doStart:
		return ans, a.start(o)
	case doStop:
		a.tell("told to stop: %.200s", o.Reason)
		a.stopped = true
		a.cancel()
		return ans, nil
	case doRead:
		return a.read(o)
	case doEnd:
		a.stopped = true
		a.cancel()
		return ans, nil
	}
	return ans, fmt.Errorf("order %.40q: want one of those that there are", o.Do)
}

// prepare begins to prepare the work. The caller holds the lock.
func (a *agent) prepare(o order) error {
	if o.From == "" || o.Part < 0 || o.Part >= o.Parts || o.Parts > maxAgents || o.Limit <= 0 {
		return fmt.Errorf("part %d of %d, limit %v: want a part, and a limit", o.Part, o.Parts, o.Limit)
	}
	a.from, a.limit, a.heard, a.state = o.From, o.Limit, time.Now(), Preparing
	a.tell("agent %d of %d", o.Part, o.Parts)
	a.work.Go(func() {
		a.finish(Ready, a.worker.Prepare(a.ctx, Assignment{Part: o.Part, Parts: o.Parts, Work: o.Work}))
	})
	return nil
}

// start has the work begin, at its time. The caller holds the lock.
func (a *agent) start(o order) error {
	now := time.Now()
	left := time.Duration(o.At - a.cfg.now().UnixNano())
	if left <= 0 || left > time.Minute {
		return fmt.Errorf("beginning in %v: want a time to come, within a minute", left)
	}
	a.state = Running
	a.tell("begins in %v", left.Round(time.Millisecond))
	a.work.Go(func() { a.finish(Finished, a.worker.Run(a.ctx, now.Add(left))) })
	return nil
}

// finish notes that something has come to its end. What was stopped has its results as well.
func (a *agent) finish(s State, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.state == Failed:
	case err != nil && !a.stopped:
		a.state, a.cause = Failed, err
		a.tell("failed: %v", err)
	default:
		a.state = s
		a.tell("%s", s)
	}
}

// read reads a chunk of the results. The caller holds the lock.
func (a *agent) read(o order) (answer, error) {
	buf := make([]byte, chunk)
	n, err := a.worker.ReadAt(buf, o.At)
	if err != nil && err != io.EOF {
		return answer{}, err
	}
	return answer{Data: buf[:n], Last: err == io.EOF}, nil
}
