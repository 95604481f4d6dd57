package experiments

import (
	"context"
	"fmt"
	"time"

	"i3bench/reports"
	"i3bench/sim/topology"
)

// NodeLoad counts, in virtual time, what the nodes of a group have to do: for packets, at rest, and for receivers that
// join and leave. A capacity planner scales it up.
type NodeLoad struct {
	Config    GroupConfig
	Name      string // of variant and network, the group of the samples
	Receivers int
}

// What is counted in a group, and for how long.
const (
	loadPackets = 20 // at loadEvery
	loadEvery   = 50 * time.Millisecond
	loadSilence = time.Second // after the last of them
	loadComers  = 20          // one in so many comes and goes
)

// Work returns how much work the experiment is, see [Job].
func (e NodeLoad) Work() int { return 2*e.Receivers + loadPackets }

// nodeSums are what all nodes did together, and the copies of each.
type nodeSums struct {
	requests, copies, toHosts float64
	each                      []float64
	at                        time.Duration // virtual
}

func (g *group) nodeSums() (s nodeSums) {
	for _, n := range g.bed.Nodes() {
		c := n.Machine.Counters()
		s.requests += float64(c.Packets - c.Data)
		s.copies += float64(c.Copies)
		s.toHosts += float64(c.HostCopies)
		s.each = append(s.each, float64(c.Copies))
	}
	s.at = time.Duration(g.world.Now())
	return s
}

// since returns what was done since an earlier look.
func (s nodeSums) since(before nodeSums) nodeSums {
	d := nodeSums{
		requests: s.requests - before.requests, copies: s.copies - before.copies, toHosts: s.toHosts - before.toHosts,
		at: s.at - before.at,
	}
	for i := range s.each {
		d.each = append(d.each, s.each[i]-before.each[i])
	}
	return d
}

// Run counts and returns the hash of the trace.
func (e NodeLoad) Run(ctx context.Context, sink Sink, step func(done int)) (trace string, err error) {
	g, err := newGroup(e.Config)
	if err != nil {
		return "", err
	}
	defer g.close()
	if err := g.grow(ctx, e.Receivers, step); err != nil {
		return "", fmt.Errorf("%d receivers: %w", e.Receivers, err)
	}
	s := reports.Sample{
		Stage: reports.StageNodes, Seed: e.Config.Seed, Group: e.Name, Host: len(g.bed.Nodes()), N: int64(e.Receivers),
	}
	put := func(kind string, value float64) {
		s.Kind, s.Value = kind, value
		sink.Sample(s)
	}
	put(reports.KindDepthMean, g.meanLevel())
	put(reports.KindTriggers, g.triggers()/float64(e.Receivers))
	e.packets(g, put)
	step(e.Receivers + loadPackets)
	requests, copies := e.rest(ctx, g, put)
	step(e.Receivers*3/2 + loadPackets)
	if err := e.come(ctx, g, requests+copies, put); err != nil {
		return "", fmt.Errorf("%d receivers and more: %w", e.Receivers, err)
	}
	step(e.Work())
	return g.world.TraceHash(), ctx.Err()
}

func (g *group) meanLevel() float64 {
	sum := 0
	for _, m := range g.members {
		sum += m.Machine.Level()
	}
	return float64(sum) / float64(len(g.members))
}

func (g *group) triggers() (sum float64) {
	for _, n := range g.bed.Nodes() {
		sum += float64(n.Machine.Triggers())
	}
	return sum
}

// packets counts the copies of packets: how many stay inside a node, and how many the busiest node makes.
func (e NodeLoad) packets(g *group, put func(string, float64)) {
	before := g.nodeSums()
	for range loadPackets {
		g.send()
		g.run(loadEvery)
	}
	g.run(loadSilence)
	d := g.nodeSums().since(before)
	most := 0.0
	for _, n := range d.each {
		most = max(most, n)
	}
	put(reports.KindHottest, most*float64(len(d.each))/d.copies)
	put(reports.KindLocal, max(0, 1-(d.copies-d.toHosts)/d.toHosts))
}

// rest counts what is done in a lifetime without packets, for each receiver and second.
func (e NodeLoad) rest(ctx context.Context, g *group, put func(string, float64)) (requests, copies float64) {
	before := g.nodeSums()
	for left := e.Config.lifetime(); left > 0 && ctx.Err() == nil; left -= time.Second {
		g.run(time.Second)
	}
	d := g.nodeSums().since(before)
	each := float64(e.Receivers) * d.at.Seconds()
	put(reports.KindRestRequests, d.requests/each)
	put(reports.KindRestCopies, d.copies/each)
	return d.requests / d.at.Seconds(), d.copies / d.at.Seconds()
}

// come counts what receivers make of work that join and leave again, beside what is done anyhow in a second.
func (e NodeLoad) come(ctx context.Context, g *group, rest float64, put func(string, float64)) error {
	before, n := g.nodeSums(), max(1, e.Receivers/loadComers)
	if err := g.grow(ctx, e.Receivers+n, func(int) {}); err != nil {
		return err
	}
	for _, m := range g.members[e.Receivers:] {
		m.Leave()
		g.run(0)
	}
	g.run(5 * time.Second)
	d := g.nodeSums().since(before)
	put(reports.KindJoinPackets, max(0, d.requests+d.copies-rest*d.at.Seconds())/float64(n))
	return nil
}

// The groups whose nodes are looked at: so many receivers for each node, and so many nodes at least.
var loadPerNode = []int{16, 64, 256}

const leastLoadNodes = 4

// NodeLoads returns the jobs that count what nodes have to do, on the first network.
func (p *Plan) NodeLoads() []Job {
	var jobs []Job
	for _, n := range p.upTo(LargeSize) {
		for _, per := range loadPerNode {
			nodes := n / per
			if nodes < leastLoadNodes || nodes > p.Servers {
				continue
			}
			for _, seed := range p.LargeSeeds {
				for _, v := range p.Variants {
					jobs = append(jobs, p.nodeLoad(v, seed, n, nodes))
				}
			}
		}
	}
	return largestFirst(jobs)
}

func (p *Plan) nodeLoad(v Variant, seed uint64, n, nodes int) Job {
	net := p.Nets[0]
	e := NodeLoad{Config: p.config(seed, v), Name: groupName(v, net), Receivers: n}
	e.Config.HeartbeatMax = 5 * time.Second
	return Job{
		Stage: reports.StageNodes, Seed: seed, Weight: e.Work(),
		Key: fmt.Sprintf("nodes %s %d receivers on %d seed %d", e.Name, n, nodes, seed),
		Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
			return p.nets.use(netKey{net, seed, nodes}, func(servers *topology.Network) (string, error) {
				e := e
				e.Config.Net = servers
				return e.Run(ctx, sink, step)
			})
		},
	}
}
