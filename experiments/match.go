package experiments

import (
	"context"
	"fmt"
	"time"

	"i3bench/reports"
	"i3bench/sim/topology"
	"i3bench/testbed"
)

// Match compares the two worlds: receivers join a group at given times, on nodes
// with given delays, once in virtual time and once on sockets. Neither depth nor
// the queries at each level should tell which it was.
type Match struct {
	World     Kind
	Nodes     int
	Degree    int
	Receivers int
	Seed      uint64
	// Every is the time between two joins.
	Every time.Duration
	// Settle is the time after the last of them.
	Settle time.Duration
}

// matchSites is the size of the made-up network of which the nodes' sites are.
const matchSites = 490

// Run runs the experiment for one seed and returns the hash of its trace, if it has
// one.
func (e Match) Run(ctx context.Context, sink Sink, step func(done int)) (trace string, err error) {
	net, err := e.network()
	if err != nil {
		return "", err
	}
	w, err := NewWorld(e.World, e.Seed, net, 0)
	if err != nil {
		return "", err
	}
	bed, err := testbed.New(testbed.Config{
		Open: w.Open, Network: net, Seed: e.Seed, Nodes: e.Nodes, Degree: e.Degree,
	})
	if err != nil {
		return "", err
	}
	defer bed.Close()
	members, err := e.join(ctx, w, bed, step)
	defer closeAll(members)
	if err != nil {
		return "", err
	}
	e.samples(members, sink)
	return traceOf(w), nil
}

// network returns the delays between the nodes: those of sites drawn from a made-up
// network.
func (e Match) network() (*testbed.Network, error) {
	all, err := topology.Generate(e.Seed, matchSites)
	if err != nil {
		return nil, err
	}
	pick, err := all.Pick(e.Seed, e.Nodes)
	if err != nil {
		return nil, err
	}
	sites, err := all.Sub(pick)
	if err != nil {
		return nil, err
	}
	return testbed.NewNetwork(sites, 0, testbed.Loss{}), nil
}

// join lets the receivers join at their times. What it returns is to be closed, also
// with an error.
func (e Match) join(ctx context.Context, w World, bed *testbed.Bed, step func(int)) (members []*member, err error) {
	pause(ctx, w, time.Second) // the source's triggers
	for i := range e.Receivers {
		m, err := addMember(bed, i%e.Nodes)
		if err != nil {
			return members, err
		}
		members = append(members, m)
		m.start()
		pause(ctx, w, e.Every)
		if ctx.Err() != nil {
			return members, ctx.Err() // receivers that come at once would build another tree
		}
		step(i + 1)
	}
	joined := waitUntil(ctx, w, e.Settle, func() bool { return allJoined(members) })
	if ctx.Err() != nil {
		return members, ctx.Err()
	}
	if !joined {
		return members, fmt.Errorf("match, %s, seed %d: not all receivers joined within %v", e.World, e.Seed, e.Settle)
	}
	return members, nil
}

func allJoined(members []*member) bool {
	for _, m := range members {
		if !m.joined() {
			return false
		}
	}
	return true
}

func (e Match) samples(members []*member, sink Sink) {
	s := reports.Sample{Stage: reports.StageMatch, Kind: reports.KindDepth, Seed: e.Seed, Group: string(e.World)}
	s.Value = float64(depth(members))
	sink.Sample(s)
	s.Kind = reports.KindLevel
	for _, m := range members {
		m.look(func() {
			s.Host, s.Level, s.Value = m.Number, m.Machine.Level(), float64(m.Machine.Counters().Queries)
		})
		sink.Sample(s)
	}
}
