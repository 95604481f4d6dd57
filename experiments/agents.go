package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"

	"i3bench/internal/hist"
	"i3bench/loadgen"
	"i3bench/loadgen/coord"
	"i3bench/loadgen/scenario"
)

// Agents has several agents carry out a scenario, each the operations of its share of the receivers. Nodes
// and source are in this process. Its samples are those of one run: that of a scenario that one process
// carries out.
type Agents struct {
	Scenario *scenario.Scenario
	Seed     uint64
	Bus      coord.Bus
	Config   coord.Config
	// Host is the address of this machine at which nodes and source are to be reached. Zero: loopback,
	// where agents must be on this machine, too.
	Host netip.Addr
	// Met is told who the agents are, by their numbers, before anything is offered; nil for nobody.
	Met func([]coord.Member)
	// Observe is told of every operation that is not an agent's when it begins, as in [Scenario].
	Observe func(stream int, op loadgen.Op, a loadgen.Action)
}

// Check says what keeps the scenario from being carried out by several agents.
func (a Agents) Check() error {
	s, n := a.Scenario, a.Config.Agents
	switch {
	case s.World != string(UDP):
		return fmt.Errorf("experiments: scenario %s: world %s: want udp, for agents are processes", s.Name, s.World)
	case s.Cluster.Standing < n:
		return fmt.Errorf("experiments: %d standing receivers: want at least one for each of %d agents",
			s.Cluster.Standing, n)
	case s.Cluster.Visitors < n:
		return fmt.Errorf("experiments: %d receivers that come and go: want at least one for each of %d agents",
			s.Cluster.Visitors, n)
	}
	return nil
}

// Run deploys the nodes, has the agents carry the scenario out, and hands on their samples. Where an agent
// was lost it hands on those of the others, and returns [ErrInvalid].
func (a Agents) Run(ctx context.Context, sink Sink, progress Progress) error {
	if err := a.Check(); err != nil {
		return err
	}
	c, err := coord.NewCoordinator(a.Bus, a.Config)
	if err != nil {
		return err
	}
	defer c.Close()
	progress(0, 1, fmt.Sprintf("waiting for %d agents", a.Config.Agents))
	members, err := c.Gather(ctx)
	if err != nil {
		return invalidIfLost(err)
	}
	if a.Met != nil {
		a.Met(members)
	}
	m := newMerger(sink)
	ground, err := a.deploy(ctx, m)
	if err != nil {
		return err
	}
	defer ground.close()
	if err := a.prepare(ctx, c, ground, progress); err != nil {
		return invalidIfLost(err)
	}
	err = a.watch(ctx, c, ground, progress)
	ground.datagrams()
	ground.missedCounters()
	// What was measured is kept, whatever happened.
	readErr := c.Results(context.WithoutCancel(ctx), func(i int, who coord.Member, r io.Reader) error {
		n, err := unspool(r, m)
		m.agent(a.Seed, i, who, n)
		return err
	})
	ground.common.finish(m.parts, a.Config.Agents, m)
	m.finish(a.Seed)
	return errors.Join(invalidIfLost(err), readErr)
}

// invalidIfLost makes the loss of an agent a run that says nothing.
func invalidIfLost(err error) error {
	if errors.Is(err, coord.ErrLost) {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return err
}

// deploy deploys what all agents use: nodes, source, and those who answer anycast questions.
func (a Agents) deploy(ctx context.Context, sink Sink) (*scenarioRun, error) {
	spans, err := a.Scenario.Resolve(a.Seed)
	if err != nil {
		return nil, err
	}
	e := Scenario{World: UDP, Cluster: a.Scenario.Cluster, Spans: spans, Seed: a.Seed, Observe: a.Observe}
	r := newScenarioRun(e, share{ground: true}, sink)
	r.common = &common{run: r, ops: make(map[mark]commonOp)}
	if err := r.deployGround(a.Host); err != nil {
		r.close()
		return nil, err
	}
	r.onClose(r.closeReceivers)
	r.sleep(50 * time.Millisecond) // the source's triggers
	if r.has(scenario.Anycast) {
		group, rng := r.newAnycast()
		err = group.addMembers(ctx, &rng)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// prepare gives the agents their work and waits until all their receivers are there.
func (a Agents) prepare(ctx context.Context, c *coord.Coordinator, ground *scenarioRun, progress Progress) error {
	encoded, err := a.Scenario.Encode()
	if err != nil {
		return err
	}
	work, err := json.Marshal(agentWork{Scenario: encoded, Seed: a.Seed, Ground: ground.bed.Ground()})
	if err != nil {
		return err
	}
	progress(0, 1, fmt.Sprintf("%d standing receivers join", a.Scenario.Cluster.Standing))
	return c.Prepare(ctx, work)
}

// watch has the agents begin, begins what is about all receivers, and reports progress until the agents have finished.
func (a Agents) watch(ctx context.Context, c *coord.Coordinator, ground *scenarioRun, progress Progress) error {
	done, begun := make(chan struct{}), make(chan time.Time, 1)
	var others sync.WaitGroup
	others.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		var at time.Time
		length := a.length()
		for {
			select {
			case <-done:
				return
			case at = <-begun:
			case <-tick.C:
				passed := max(0, min(time.Since(at), length))
				if !at.IsZero() {
					progress(int(passed/time.Millisecond), int(length/time.Millisecond)+1, liveText(a.Config.Agents, c.Live()))
				}
			}
		}
	})
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := c.Run(ctx, func(at time.Time) {
		begun <- at
		others.Go(func() {
			if err := ground.offer(ctx, at, func(int, int, string) {}); err != nil {
				cancel(err)
			}
		})
	})
	if err != nil {
		cancel(err)
	}
	close(done)
	others.Wait()
	return err
}

// length returns how long all phases are together.
func (a Agents) length() (sum time.Duration) {
	spans, err := a.Scenario.Resolve(a.Seed)
	if err != nil {
		return 1
	}
	for _, s := range spans {
		sum += s.For
	}
	return sum
}

// liveText says what agents have measured so far.
func liveText(agents int, live map[string]*hist.Histogram) string {
	parts := []string{fmt.Sprintf("%d agents", agents)}
	for _, kind := range append(scenario.Kinds(), liveLate) {
		if h := live[kind]; h != nil {
			p99 := time.Duration(h.Quantile(0.99)).Round(10 * time.Microsecond)
			parts = append(parts, fmt.Sprintf("%d %s p99 %v", h.Count(), kind, p99))
		}
		if h := live[kind+" failed"]; h != nil {
			parts = append(parts, fmt.Sprintf("%d %s failed", h.Count(), kind))
		}
	}
	return strings.Join(parts, ", ")
}
