package coord

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"i3bench/internal/hist"
)

// How a run ends that is worth nothing.
var (
	// ErrLost says that an agent was lost: what the others measured is not what was wanted.
	ErrLost = errors.New("an agent was lost")
	// ErrFailed says that an agent could not do its part.
	ErrFailed = errors.New("an agent failed")
)

// A Config says what run a coordinator is for.
type Config struct {
	// Run names the run, among others on the same bus. Default: default.
	Run string
	// Version is that of the program: agents of another one take no part.
	Version string
	// Agents is how many carry out the work, at least 1.
	Agents int
	// Silence is how long an agent may be silent until it is lost, and a third of the time after which
	// agents end that hear nothing. Default: [DefaultSilence].
	Silence time.Duration
	// Wait is how long agents may take to come, and then to be ready. Default: 10 minutes.
	Wait time.Duration
}

// defaultWait is how long a coordinator waits for agents, and agents for a coordinator.
const defaultWait = 10 * time.Minute

// Lead is the time from the order to begin to the beginning.
const Lead = 2 * time.Second

// answerTime is how long an agent may take to answer.
const answerTime = 5 * time.Second

// A Coordinator has agents carry out a piece of work: [Coordinator.Gather], [Coordinator.Prepare],
// [Coordinator.Run], [Coordinator.Results] and [Coordinator.Close], in this order.
type Coordinator struct {
	bus    Bus
	cfg    Config
	id     string
	beats  string
	orders string
	cancel func() // of the subscription
	stop   chan struct{}
	beaten sync.WaitGroup
	news   chan struct{} // something was heard, or a beat has passed

	mu       sync.Mutex
	roster   roster
	assigned bool
}

// NewCoordinator returns one that looks out for agents, and gives signs of life until it is closed.
func NewCoordinator(bus Bus, cfg Config) (*Coordinator, error) {
	if cfg.Agents < 1 || cfg.Agents > maxAgents {
		return nil, fmt.Errorf("coord: %d agents: want 1 to %d", cfg.Agents, maxAgents)
	}
	cfg.Silence, cfg.Wait = cmp.Or(cfg.Silence, DefaultSilence), cmp.Or(cfg.Wait, defaultWait)
	if cfg.Silence < 2*BeatPeriod {
		return nil, fmt.Errorf("coord: silence of %v: want at least %v", cfg.Silence, 2*BeatPeriod)
	}
	reports, beats, orders, err := subjects(cfg.Run)
	if err != nil {
		return nil, err
	}
	c := &Coordinator{
		bus: bus, cfg: cfg, id: rand.Text(), beats: beats, orders: orders,
		stop: make(chan struct{}), news: make(chan struct{}, 1),
		roster: roster{
			version: cfg.Version, want: cfg.Agents, patient: int(cfg.Silence / BeatPeriod),
			refused: make(map[string]string), live: make(map[string]*hist.Histogram),
		},
	}
	if c.cancel, err = bus.Subscribe(reports, c.hear); err != nil {
		return nil, err
	}
	c.beaten.Go(c.beat)
	return c, nil
}

// hear takes a report.
func (c *Coordinator) hear(m Message) {
	var rep report
	err := decode(m.Data, &rep)
	c.mu.Lock()
	if err != nil {
		c.roster.bad++
	} else {
		c.roster.hear(rep)
	}
	c.mu.Unlock()
	c.tell()
}

// tell wakes who waits.
func (c *Coordinator) tell() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// beat gives signs of life and counts those of the agents.
func (c *Coordinator) beat() {
	tick := time.NewTicker(BeatPeriod)
	defer tick.Stop()
	for {
		// A bus that does not take it is noticed as silence, on both sides.
		_ = c.bus.Publish(c.beats, encode(beat{From: c.id}))
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		c.mu.Lock()
		c.roster.beat(c.assigned)
		c.mu.Unlock()
		c.tell()
	}
}

// until waits until cond, which is called while nothing changes, holds or fails.
func (c *Coordinator) until(ctx context.Context, cond func() (bool, error)) error {
	for {
		c.mu.Lock()
		ok, err := cond()
		c.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.news:
		}
	}
}

// Gather waits for the agents, reads their clocks and returns who they are, by their numbers.
func (c *Coordinator) Gather(ctx context.Context) ([]Member, error) {
	bounded, cancel := context.WithTimeout(ctx, c.cfg.Wait)
	defer cancel()
	err := c.until(bounded, func() (bool, error) {
		c.assigned = len(c.roster.members) == c.cfg.Agents
		return c.assigned, nil
	})
	if err != nil && ctx.Err() == nil {
		return nil, c.few()
	}
	if err != nil {
		return nil, err
	}
	known := c.known()
	for i, m := range c.members() {
		if err := c.readClock(ctx, m); err != nil {
			return nil, fmt.Errorf("%w: clock of agent %d (%v): %w", ErrLost, i, known[i], err)
		}
	}
	return c.known(), nil
}

// few says that not enough agents came, and why, as far as that is known.
func (c *Coordinator) few() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := fmt.Errorf("coord: %d agents within %v: want %d", len(c.roster.members), c.cfg.Wait, c.cfg.Agents)
	for _, id := range slices.Sorted(maps.Keys(c.roster.refused)) {
		return fmt.Errorf("%w; %s", err, c.roster.refused[id])
	}
	return err
}

// members returns the agents. What changes of them belongs to mu.
func (c *Coordinator) members() []*Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.roster.members)
}

// known returns what is known of the agents now.
func (c *Coordinator) known() (all []Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.roster.members {
		all = append(all, *m)
	}
	return all
}

// readClock asks an agent for its time, several times.
func (c *Coordinator) readClock(ctx context.Context, m *Member) error {
	var rs []reading
	for range clockQuestions {
		asked := time.Now()
		a, err := c.order(ctx, m, order{Do: doClock})
		if err != nil {
			return err
		}
		took := time.Since(asked) // without steps of the wall clock
		rs = append(rs, reading{asked.UnixNano(), a.Now, asked.UnixNano() + int64(took)})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m.Clock, m.ClockError = offset(rs)
	return nil
}

// order asks something of an agent.
func (c *Coordinator) order(ctx context.Context, m *Member, o order) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	o.From = c.id
	data, err := c.bus.Request(ctx, c.orders+m.id, encode(o))
	if err != nil {
		return a, err
	}
	if err := decode(data, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, fmt.Errorf("refused to %s: %s", o.Do, a.Error)
	}
	return a, nil
}

// orderAll asks something of all agents that are not lost, beside each other.
func (c *Coordinator) orderAll(ctx context.Context, make func(i int, m Member) order) error {
	known, members := c.known(), c.members()
	errs := slices.Repeat([]error{nil}, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
		if known[i].lost {
			continue
		}
		wg.Go(func() {
			if _, err := c.order(ctx, m, make(i, known[i])); err != nil {
				errs[i] = fmt.Errorf("%w: agent %d (%v): %w", ErrLost, i, known[i], err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Prepare gives each agent its part of the work and waits until all are ready.
func (c *Coordinator) Prepare(ctx context.Context, work []byte) error {
	if len(work) > MaxWork {
		return fmt.Errorf("coord: work of %d bytes: want at most %d", len(work), MaxWork)
	}
	err := c.orderAll(ctx, func(i int, _ Member) order {
		return order{Do: doPrepare, Part: i, Parts: c.cfg.Agents, Limit: deadMan * c.cfg.Silence, Work: work}
	})
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, c.cfg.Wait)
	defer cancel()
	err = c.until(bounded, func() (bool, error) { return c.roster.reached(Ready) })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("coord: not all %d agents were ready within %v", c.cfg.Agents, c.cfg.Wait)
	}
	return err
}

// Run has the agents begin, at a time that it tells begun, and waits until all have finished. If one is lost
// or fails the others are stopped, which have their results nevertheless; the error is [ErrLost] then.
func (c *Coordinator) Run(ctx context.Context, begun func(at time.Time)) error {
	at := time.Now().Add(Lead)
	err := c.orderAll(ctx, func(_ int, m Member) order {
		return order{Do: doStart, At: at.UnixNano() + int64(m.Clock)}
	})
	if err == nil {
		begun(at)
		err = c.until(ctx, func() (bool, error) { return c.roster.reached(Finished) })
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrFailed) {
		err = fmt.Errorf("%w: %w", ErrLost, err)
	}
	c.halt(err)
	return err
}

// halt stops the agents that are left, and waits a while for their results.
func (c *Coordinator) halt(cause error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*answerTime)
	defer cancel()
	_ = c.orderAll(ctx, func(int, Member) order { return order{Do: doStop, Reason: cause.Error()} })
	_ = c.until(ctx, func() (bool, error) {
		for _, m := range c.roster.members {
			if !m.lost && m.state == Running {
				return false, nil
			}
		}
		return true, nil
	})
}

// Live returns what the agents have measured so far, as far as their reports have come.
func (c *Coordinator) Live() map[string]*hist.Histogram {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]*hist.Histogram, len(c.roster.live))
	for kind, h := range c.roster.live {
		snapshot := *h
		all[kind] = &snapshot
	}
	return all
}

// Results hands over the results of each agent that has finished, one after the other, and fails with the
// first that cannot be read whole. All agents are asked at once for the beginning of theirs.
func (c *Coordinator) Results(ctx context.Context, take func(agent int, m Member, r io.Reader) error) error {
	known := c.known()
	pullers := make([]*puller, len(known))
	var wg sync.WaitGroup
	for i, m := range c.members() {
		if !known[i].lost && known[i].state == Finished {
			p := &puller{ctx: ctx, from: c, member: m}
			pullers[i] = p
			wg.Go(func() { p.err = p.fill() })
		}
	}
	wg.Wait()
	for i, p := range pullers {
		if p == nil {
			continue
		}
		if err := take(i, known[i], p); err != nil {
			return fmt.Errorf("coord: results of agent %d (%v): %w", i, known[i], err)
		}
	}
	return nil
}

// A puller reads the results of an agent, a chunk at a time.
type puller struct {
	ctx    context.Context
	from   *Coordinator
	member *Member
	at     int64
	have   []byte
	last   bool
	err    error
}

// Read implements io.Reader.
func (p *puller) Read(b []byte) (int, error) {
	for len(p.have) == 0 && p.err == nil {
		if p.err = io.EOF; !p.last {
			p.err = p.fill()
		}
	}
	if len(p.have) == 0 {
		return 0, p.err
	}
	n := copy(b, p.have)
	p.have = p.have[n:]
	return n, nil
}

// fill reads the next chunk.
func (p *puller) fill() error {
	a, err := p.from.order(p.ctx, p.member, order{Do: doRead, At: p.at})
	if err != nil {
		return err
	}
	if len(a.Data) == 0 && !a.Last {
		return io.ErrNoProgress
	}
	p.have, p.last = a.Data, a.Last
	p.at += int64(len(a.Data))
	return nil
}

// Close ends the run: all agents go.
func (c *Coordinator) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	_ = c.orderAll(ctx, func(int, Member) order { return order{Do: doEnd} })
	close(c.stop)
	c.beaten.Wait()
	_ = c.bus.Publish(c.beats, encode(beat{From: c.id, Over: true}))
	c.cancel()
}
