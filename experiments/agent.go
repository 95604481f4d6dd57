package experiments

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"i3bench/internal/hist"
	"i3bench/internal/prng"
	"i3bench/loadgen"
	"i3bench/loadgen/coord"
	"i3bench/loadgen/scenario"
	"i3bench/testbed"
)

// agentWork is what [Agents] tells each of its agents.
type agentWork struct {
	Scenario []byte // encoded
	Seed     uint64
	Ground   testbed.Ground
}

// An Agent carries out a share of a scenario for [Agents], on nodes and with a source that are in another
// process. It implements [coord.Worker], with samples as results.
type Agent struct {
	// Observe is told of every operation when it begins, as in [Scenario].
	Observe func(stream int, op loadgen.Op, a loadgen.Action)

	run   *scenarioRun
	spool *spool
	count sync.Once
	err   error // of the spool
}

var _ coord.Worker = (*Agent)(nil)

// Prepare deploys the agent's receivers, and has the standing ones join.
func (a *Agent) Prepare(ctx context.Context, part coord.Assignment) (err error) {
	var work agentWork
	if err := json.Unmarshal(part.Work, &work); err != nil {
		return fmt.Errorf("agent: work of %d bytes: %w", len(part.Work), err)
	}
	s, err := scenario.Decode(work.Scenario)
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	spans, err := s.Resolve(work.Seed)
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	if a.spool, err = newSpool(); err != nil {
		return err
	}
	e := Scenario{World: UDP, Cluster: s.Cluster, Spans: spans, Seed: work.Seed, Observe: a.Observe}
	a.run = newScenarioRun(e, share{part: part.Part, parts: part.Parts}, a.spool)
	return a.run.deployShare(ctx, work.Ground)
}

// Run carries out the agent's operations.
func (a *Agent) Run(ctx context.Context, begin time.Time) error {
	return a.run.offer(ctx, begin, func(int, int, string) {})
}

// Live returns the latencies of operations that have ended since the last call, by kind, those that failed
// apart, and how late operations began.
func (a *Agent) Live() map[string]*hist.Histogram { return a.spool.recent() }

// ReadAt reads the samples. The first call counts what the receivers and sockets have done: all agents have
// finished then, and what one of them has sent another has received.
func (a *Agent) ReadAt(p []byte, off int64) (int, error) {
	a.count.Do(func() {
		a.run.counters()
		a.err = a.spool.finish()
	})
	if a.err != nil {
		return 0, a.err
	}
	return a.spool.ReadAt(p, off)
}

// Close takes all receivers away at once.
func (a *Agent) Close() error {
	if a.run != nil {
		a.run.close()
	}
	if a.spool != nil {
		return a.spool.close()
	}
	return nil
}

// deployShare deploys a share of the receivers on a ground.
func (r *scenarioRun) deployShare(ctx context.Context, g testbed.Ground) error {
	host, err := hostTowards(g)
	if err != nil {
		return err
	}
	if err := r.openWorld(host); err != nil {
		return err
	}
	if r.bed, err = testbed.OnGround(r.bedConfig(), g, r.share.part); err != nil {
		return err
	}
	r.follows = newFollows(r)
	r.startHands()
	r.onClose(r.closeReceivers)
	if err := r.deployReceivers(ctx, func(int, int, string) {}); err != nil {
		return err
	}
	if !r.has(scenario.Anycast) {
		return nil
	}
	a, _ := r.newAnycast()
	return a.addAsker(prng.Hash3(r.Seed, streamAnycast, uint64(r.share.part), 0))
}

// hostTowards returns the address of this machine that reaches the nodes, or none if they are on loopback.
func hostTowards(g testbed.Ground) (netip.Addr, error) {
	if len(g.Places) == 0 || g.Places[0].Addr.Addr().IsLoopback() {
		return netip.Addr{}, nil
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(g.Places[0].Addr)) // sends nothing
	if err != nil {
		return netip.Addr{}, fmt.Errorf("agent: no way to the nodes: %w", err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
