package experiments

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/loadgen"
	"i3bench/loadgen/coord"
	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

// A begunOp is an operation as it was begun.
type begunOp struct {
	stream int
	op     loadgen.Op
	action loadgen.Action
}

// A log is the operations that were begun.
type log struct {
	mu  sync.Mutex
	ops []begunOp
}

func (l *log) observe(stream int, op loadgen.Op, a loadgen.Action) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ops = append(l.ops, begunOp{stream, op, a})
}

// sorted returns them by stream and number.
func (l *log) sorted() []begunOp {
	slices.SortFunc(l.ops, func(a, b begunOp) int {
		if a.stream != b.stream {
			return a.stream - b.stream
		}
		return int(a.op.Index) - int(b.op.Index)
	})
	return l.ops
}

// parted loads a scenario with all kinds of operations.
func parted(t *testing.T, more ...string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Load("soak", slices.Concat(tiny, []string{
		"cluster.standing=14", "cluster.visitors=28", "cluster.timeout=8s", "objectives=[]",
		"phases=[{for: 1s, load: [" +
			"{schedule: poisson, rate: 60, mix: {join: 1, repair: 1, refresh: 1, flip: 1, anycast: 1, packet: 1}}," +
			"{schedule: constant, rate: 12, mix: {leave: 1, crash: 1, move: 1}}," +
			"{schedule: sessions, rate: 10, typical: 300ms}]}, {for: 300ms, load: [" +
			"{schedule: constant, rate: 50, mix: {repair: 1}}," +
			"{schedule: constant, rate: 10, mix: {restart: 1}}]}]",
	}, more))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// planOps returns the operations that a scenario has.
func planOps(t *testing.T, s *scenario.Scenario) []begunOp {
	t.Helper()
	var l log
	spans, err := s.Resolve(1)
	if err != nil {
		t.Fatal(err)
	}
	stream := 0
	for _, span := range spans {
		for _, p := range span.Streams {
			plan, err := p.Open()
			if err != nil {
				t.Fatal(err)
			}
			for i := uint64(0); ; i++ {
				op, ok := plan.At(i)
				if !ok {
					break
				}
				l.observe(stream, op, plan.Action(op.Index))
			}
			stream++
		}
	}
	return l.sorted()
}

// together carries a scenario out with agents on a bus within the process.
func together(t *testing.T, s *scenario.Scenario, n int, host netip.Addr, sink Sink) (*log, error) {
	t.Helper()
	var begun log
	bus := coord.NewMemory()
	var done sync.WaitGroup
	for range n {
		done.Go(func() {
			if err := coord.RunAgent(t.Context(), bus, coord.AgentConfig{}, &Agent{Observe: begun.observe}); err != nil {
				t.Error(err)
			}
		})
	}
	a := Agents{
		Scenario: s, Seed: 1, Bus: bus, Config: coord.Config{Agents: n, Silence: time.Minute}, Host: host,
		Observe: begun.observe,
		Met: func(all []coord.Member) {
			if len(all) != n {
				t.Errorf("%d agents, want %d", len(all), n)
			}
		},
	}
	m := meter{t: t}
	err := a.Run(t.Context(), sink, m.step)
	done.Wait()
	return &begun, err
}

// One agent and seven offer the same operations at the same times, one by one: those of the plan. Each is
// accounted for in the samples of the run.
func TestAgentsOfferTheSame(t *testing.T) {
	t.Parallel()
	s := parted(t)
	want := planOps(t, s)
	for _, n := range []int{1, 7} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var r recorder
			begun, err := together(t, s, n, netip.Addr{}, &r)
			if err != nil {
				t.Fatal(err)
			}
			if got := begun.sorted(); !slices.Equal(got, want) {
				t.Errorf("%d operations were begun, planned are %d", len(got), len(want))
			}
			r.known(t)
			all := 0
			for _, kind := range scenario.Kinds() {
				begun := r.expectAccounts(t, kind)
				all += begun
				t.Logf("%-8s %v", kind, r.statuses(kind))
				if begun > 0 && r.statuses(kind)[reports.StatusOK] == 0 {
					t.Errorf("%s: %v", kind, r.statuses(kind))
				}
			}
			if all != len(want) {
				t.Errorf("%d operations are accounted for, of %d", all, len(want))
			}
			sent, received := r.counter("datagrams sent"), r.counter("datagrams received")
			// Not all are counted at one moment.
			if sent == 0 || received > sent*11/10 || received < sent*9/10 {
				t.Errorf("%d datagrams sent, %d received", sent, received)
			}
		})
	}
}

// Where nodes and agents are not on loopback, all use addresses of the machine.
func TestAgentsBeyondLoopback(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: ten seconds on sockets")
	}
	t.Parallel()
	host := ownAddress(t)
	var r recorder
	s := parted(t)
	if _, err := together(t, s, 2, host, &r); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{reports.KindJoin, reports.KindRepair, reports.KindAnycast} {
		if n := r.statuses(kind); n[reports.StatusOK] == 0 {
			t.Errorf("%s: %v", kind, n)
		}
	}
}

// ownAddress returns an address of this machine that is not loopback.
func ownAddress(t *testing.T) netip.Addr {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			return p.Addr()
		}
	}
	t.Skip("this machine has no IPv4 address but loopback")
	return netip.Addr{}
}

// What several agents cannot carry out is refused before anything begins.
func TestAgentsRefuse(t *testing.T) {
	for want, c := range map[string]struct {
		sets   []string
		agents int
	}{
		"world sim":                    {[]string{"world=sim"}, 2},
		"14 standing receivers: want":  {nil, 15},
		"2 receivers that come and go": {[]string{"cluster.visitors=2"}, 3},
	} {
		a := Agents{Scenario: parted(t, c.sets...), Seed: 1, Config: coord.Config{Agents: c.agents}}
		if err := a.Run(t.Context(), new(recorder), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// An agent that is stopped on the way has taken all its receivers away when it returns, and its run is
// INVALID; what was measured by then, by the others, is kept.
func TestAgentStopped(t *testing.T) {
	t.Parallel()
	bus := coord.NewMemory()
	ctx, kill := context.WithCancel(t.Context())
	var done sync.WaitGroup
	agents := []*Agent{{}, {}}
	errs := make([]error, 2)
	for i, a := range agents {
		ctx := ctx
		if i > 0 {
			ctx = t.Context()
		}
		done.Go(func() { errs[i] = coord.RunAgent(ctx, bus, coord.AgentConfig{}, a) })
	}
	var once sync.Once
	s := parted(t, "phases=[{for: 1h, load: [{schedule: constant, rate: 50, mix: {join: 1, repair: 1}}]}]")
	e := Agents{Scenario: s, Seed: 1, Bus: bus, Config: coord.Config{Agents: 2, Silence: 20 * time.Second}}
	var r recorder
	err := e.Run(t.Context(), &r, func(done, _ int, what string) {
		if done > 500 && strings.Contains(what, "join") {
			once.Do(kill)
		}
	})
	done.Wait()
	if !errors.Is(err, ErrInvalid) || !errors.Is(err, coord.ErrLost) {
		t.Error(err)
	}
	if !errors.Is(errs[0], context.Canceled) || errs[1] != nil {
		t.Errorf("agents %v", errs)
	}
	if r.statuses(reports.KindJoin)[reports.StatusOK] == 0 {
		t.Error("nothing was kept of the agent that was left")
	}
	for i, a := range agents {
		for _, s := range a.run.stays {
			called := false
			s.Join() // on a closed endpoint nothing happens
			s.Endpoint.Do(func(machine.Time, *machine.Outbox) { called = true })
			if called {
				t.Errorf("a receiver of agent %d still runs", i)
			}
		}
	}
}
