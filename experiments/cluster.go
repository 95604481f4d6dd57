package experiments

import (
	"context"
	"fmt"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
	"i3bench/testbed"
)

// Cluster is the experiment of section 7.1: receivers join one after the other
// a group on a cluster without delays. It samples the depth of the tree at
// several group sizes and the distance queries that each receiver processed.
type Cluster struct {
	World     Kind
	Nodes     int      // i3 nodes; the paper has 32
	Degree    int      // D; the paper has 4 here
	Receivers []int    // group sizes at which the depth is sampled, ascending
	Seeds     []uint64 // one run each
	Search    multicast.SearchPolicy
	// Jitter bounds how late a datagram is in virtual time. Without it all distances
	// of a level are equal, and the search knows no better than the first that
	// replied.
	Jitter time.Duration
	Group  string // of the samples; empty where all have the same jitter
}

// QueryTime is the time that the paper's implementation takes for a distance query
// (section 7.1): on its cluster an answer is late by up to that.
const QueryTime = 200 * time.Microsecond

// Run runs the experiment.
func (c Cluster) Run(ctx context.Context, sink Sink, progress Progress) error {
	last := c.Receivers[len(c.Receivers)-1]
	for i, seed := range c.Seeds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		report := func(n int, what string) { progress(i*last+n, len(c.Seeds)*last, what) }
		if _, err := c.run(ctx, seed, sink, report); err != nil {
			return fmt.Errorf("cluster, seed %d: %w", seed, err)
		}
	}
	return nil
}

// run grows one tree from the first receiver to the last. A tree of 16 is what a
// run with 16 receivers would have built, so one run serves all sizes. It returns
// the hash of its trace, if it has one.
func (c Cluster) run(ctx context.Context, seed uint64, sink Sink, report func(int, string)) (string, error) {
	w, err := NewWorld(c.World, seed, nil, c.Jitter)
	if err != nil {
		return "", err
	}
	bed, err := testbed.New(testbed.Config{
		Open: w.Open, Seed: seed, Nodes: c.Nodes, Degree: c.Degree, Group: multicast.Config{Search: c.Search},
	})
	if err != nil {
		return "", err
	}
	defer bed.Close()
	w.Sleep(50 * time.Millisecond) // the source's triggers
	var members []*member
	defer func() { closeAll(members) }()
	for _, size := range c.Receivers {
		for len(members) < size {
			m, err := c.join(ctx, w, bed, len(members))
			if err != nil {
				return "", err
			}
			members = append(members, m)
			c.sampleJoin(m, seed, sink)
			report(len(members), fmt.Sprintf("seed %d: %d receivers", seed, len(members)))
		}
		sink.Sample(reports.Sample{
			Stage: reports.StageCluster, Kind: reports.KindDepth, Seed: seed, Group: c.Group, N: int64(size),
			Value: float64(depth(members)),
		})
	}
	c.sampleQueries(members, seed, sink)
	return traceOf(w), nil
}

func (c Cluster) sampleQueries(members []*member, seed uint64, sink Sink) {
	for _, m := range members {
		m.look(func() {
			sink.Sample(reports.Sample{
				Stage: reports.StageCluster, Kind: reports.KindQueries, Seed: seed, Group: c.Group, Host: m.Number,
				N: int64(len(members)), Level: m.Machine.Level(), Value: float64(m.Machine.Counters().Queries),
			})
		})
	}
}

// join lets one receiver join and waits until others can find it.
func (c Cluster) join(ctx context.Context, w World, bed *testbed.Bed, n int) (*member, error) {
	m, err := addMember(bed, n%c.Nodes)
	if err != nil {
		return nil, err
	}
	m.start()
	if !waitUntil(ctx, w, 20*time.Second, m.settled) {
		m.Endpoint.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("receiver %d did not join within 20 s", n)
	}
	w.Sleep(time.Millisecond) // a parent that became full changes its set
	return m, nil
}

func (c Cluster) sampleJoin(m *member, seed uint64, sink Sink) {
	m.look(func() {
		sink.Sample(reports.Sample{
			Stage: reports.StageCluster, Kind: reports.KindJoin, Seed: seed, Group: c.Group, Host: m.Number,
			Level: m.Machine.Level(), N: int64(m.Machine.Counters().QueriesSent),
			Value: float64(m.attached.Sub(m.started)),
		})
	})
}

// depth returns the largest level of any member.
func depth(members []*member) (d int) {
	for _, m := range members {
		m.Endpoint.Do(func(machine.Time, *machine.Outbox) { d = max(d, m.Machine.Level()) })
	}
	return d
}
