package experiments

import (
	"context"
	"fmt"
	"math"
	"time"

	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/sim"
	"i3bench/sim/topology"
	"i3bench/testbed"
	"i3bench/verify"
)

// A GroupConfig says what group is simulated.
type GroupConfig struct {
	Net     *topology.Network // one place for each i3 server
	Seed    uint64
	Degree  int // D
	Variant Variant
	// Lifetime is T and Hurry is k, see [host.Config].
	Lifetime time.Duration
	Hurry    int
	Faults   Faults
	// Loss gives the losses, which are off until they are asked for.
	Loss testbed.Loss
	// Cache is how many packets a receiver keeps for repairs. Default: 64.
	Cache int
	// HeartbeatMin and HeartbeatMax are those of [multicast.Config].
	HeartbeatMin, HeartbeatMax time.Duration
	// Size is the number of bytes of a packet. Default: 128.
	Size    int
	Workers int
}

// A group is a multicast group in virtual time: a source, an i3 node at each
// place of a network, and receivers at places drawn at random.
type group struct {
	cfg     GroupConfig
	world   *sim.World
	net     *testbed.Network
	bed     *testbed.Bed
	rng     prng.Source
	members []*groupMember

	sent     machine.Time // when the last packet was sent
	owedFrom uint64       // receivers are owed the packets after this one
	faults   faultClock
	faultRNG prng.Source
}

// A groupMember is a receiver of a group and what is seen of it. Machines of
// different places run at the same time: nothing here is shared between members.
type groupMember struct {
	*testbed.Receiver
	latest  uint64           // sequence number of the last packet that came down the tree
	latency machine.Duration // of that packet
	joined  bool
	failed  bool
	crashed bool
	owed    verify.Delivery
	repairs []machine.Duration

	refreshed []uint16 // how often it refreshed each link of its chain
}

// The streams of random numbers of a group.
const (
	streamSource = 200 + iota
	streamSites
	streamFaults
)

// newGroup deploys the nodes and the source.
func newGroup(cfg GroupConfig) (*group, error) {
	if cfg.Cache == 0 {
		cfg.Cache = 64
	}
	if cfg.Size == 0 {
		cfg.Size = wanSize
	}
	g := &group{
		cfg: cfg, net: testbed.NewNetwork(cfg.Net, 0, cfg.Loss),
		rng: prng.New(cfg.Seed, streamSites), faultRNG: prng.New(cfg.Seed, streamFaults),
	}
	g.net.Mute(true)
	g.world = sim.New(sim.Config{
		Seed: cfg.Seed, Network: g.net, Jitter: machine.Duration(cfg.Faults.Jitter), Workers: cfg.Workers,
	})
	source := prng.New(cfg.Seed, streamSource)
	var err error
	g.bed, err = testbed.New(testbed.Config{
		Open:    func() (testbed.Endpoint, error) { return g.world.Open() },
		Network: g.net, Seed: cfg.Seed, Nodes: cfg.Net.Len(), SourceSite: source.IntN(cfg.Net.Len()), Degree: cfg.Degree,
		MaxSkew: machine.Duration(cfg.Faults.Skew),
		Group: multicast.Config{
			Search: cfg.Variant.Search, Repair: cfg.Variant.Repair, Refresh: cfg.Variant.Refresh,
			Relays: cfg.Variant.Relays, Probe: cfg.Variant.Probe, Cache: cfg.Cache,
			HeartbeatMin: machine.Duration(cfg.HeartbeatMin), HeartbeatMax: machine.Duration(cfg.HeartbeatMax),
			Host: host.Config{Lifetime: machine.Duration(cfg.Lifetime), Hurry: cfg.Hurry},
		},
	})
	if err != nil {
		return nil, err
	}
	g.run(2 * time.Second) // the source's triggers
	return g, nil
}

// run lets the world run for at least so long, to the end of a window.
func (g *group) run(d time.Duration) {
	g.world.Run(g.world.Whole(g.world.Now().Add(max(1, machine.Duration(d)))))
}

// add deploys a receiver, at a place drawn at random, and lets it join.
func (g *group) add() error {
	m := &groupMember{}
	r, err := g.bed.AddReceiver(g.rng.IntN(g.cfg.Net.Len()), multicast.Events{
		Joined: func(machine.Time, uint64) {
			m.joined = true
		},
		Deliver: func(now machine.Time, seq uint64, sent int64, payload []byte) {
			m.owed.Delivered(seq, payload)
			if sent != 0 {
				m.latest, m.latency = seq, now.Sub(g.sent)
			}
		},
		Repaired: func(_ machine.Time, _ uint64, took machine.Duration) { m.repairs = append(m.repairs, took) },
		Lost: func(_ machine.Time, seq uint64) {
			if seq > g.owedFrom {
				m.owed.Lost(seq)
			}
		},
		Failed: func(machine.Time) { m.failed = true },
		Refreshed: func(_ machine.Time, level int) {
			for len(m.refreshed) <= level {
				m.refreshed = append(m.refreshed, 0)
			}
			m.refreshed[level]++
		},
	})
	if err != nil {
		return err
	}
	m.Receiver = r
	g.members = append(g.members, m)
	m.Join()
	return nil
}

// Growing: a group grows by a fortieth a second, so that one in twenty receivers
// or so is on its way at a time, whatever the size. Below leastRate it would take
// too long.
const (
	growthPerSecond = 1.0 / 40
	leastRate       = 0.5 // receivers a second
)

// grow lets receivers join until there are n, and waits until all are attached.
func (g *group) grow(ctx context.Context, n int, step func(int)) error {
	due := 0.0
	for len(g.members) < n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		begun := g.world.Now()
		g.run(0) // one window
		due += g.world.Now().Sub(begun).Seconds() * math.Max(leastRate, growthPerSecond*float64(len(g.members)))
		for ; due >= 1 && len(g.members) < n; due-- {
			if err := g.add(); err != nil {
				return err
			}
		}
		step(len(g.members))
	}
	return g.settle(ctx)
}

// settleMax bounds the wait for the last receivers.
const settleMax = 120 * time.Second

// settle waits until all receivers are in the tree. Whoever gave up begins anew.
func (g *group) settle(ctx context.Context) error {
	waiting := g.members
	for end := g.world.Now().Add(machine.Duration(settleMax)); g.world.Now() < end; g.run(time.Second) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var still []*groupMember
		for _, m := range waiting {
			if m.failed {
				m.failed = false
				m.Join()
			}
			if !m.Machine.Settled() || !m.joined {
				still = append(still, m)
			}
		}
		if waiting = still; len(waiting) == 0 {
			g.run(time.Second)
			return nil
		}
	}
	return fmt.Errorf("%d of %d receivers not in the tree after %v", len(waiting), len(g.members), settleMax)
}

// owe makes every receiver be owed all packets from now on, and forgets what was
// delivered and repaired before.
func (g *group) owe() {
	g.owedFrom = g.bed.Source().Machine.Highest()
	for _, m := range g.members {
		m.owed.Joined(g.owedFrom)
		m.repairs = nil
	}
}

// judge returns how many packets were owed to a receiver and how many of them it
// got exactly once and unaltered, when the source's last was last.
func (m *groupMember) judge(last uint64) (owed, once int) {
	v := m.owed.Judge(last)
	return v.Owed, max(0, v.Once-v.Altered)
}

// send sends one packet and returns its number.
func (g *group) send() uint64 {
	seq := g.bed.Source().Machine.Highest() + 1
	g.sent = g.world.Now()
	return g.bed.Source().Send(verify.AppendPayload(nil, seq, g.cfg.Size))
}

// close stops everything.
func (g *group) close() {
	for _, m := range g.members {
		m.Endpoint.Close()
	}
	g.bed.Close()
}
