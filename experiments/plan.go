package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"i3bench/i3/multicast"
	"i3bench/reports"
	"i3bench/sim/topology"
	"i3bench/testbed"
)

// A Plan says how the paper's experiments are simulated. Its methods return the
// jobs of the rows that a simulator can make, each for some of the paper's figures
// and tables, for a [Suite] to run.
type Plan struct {
	Seeds []uint64
	// LargeSeeds are those with which groups of more than LargeSize grow.
	LargeSeeds []uint64
	Sizes      []int // of the groups, strictly ascending
	Servers    int   // i3 nodes
	Degree     int   // D
	Lifetime   time.Duration
	Periods    int // lifetimes for which refreshes are counted
	// Nets are simulated in full; Others with two seeds, up to OtherSize. The
	// largest group is on the first of Nets, with the last of Variants.
	Nets, Others []Net
	Variants     []Variant
	// Faults are those of Recoveries and Scales; Trees have clock skew and jitter
	// alone.
	Faults Faults
	// NodeLoss and HostLoss bound the loss rates of hops between nodes and of hosts' last
	// hops in Recoveries; section 6.3 has [testbed.PaperNodeMax] and [testbed.PaperHostMax].
	NodeLoss, HostLoss float64
	// Packets are sent with losses and counted, to groups of up to LargeSize.
	Packets int
	// Matrix is the measured or made-up one of the wide-area experiment.
	Matrix *topology.Matrix
	// Scale is the size of the largest group.
	Scale   int
	Workers int

	nets netCache
}

// Bounds of the parts of a plan.
const (
	LargeSize   = 4096 // of groups of all seeds
	OtherSize   = 1024 // of groups on other networks
	otherSeeds  = 2
	countedSize = 16384 // of groups in which refreshes are counted, but for the first seed's
	uniformSize = 4096  // the same with refresh-unif, see [Growth]
	timesSize   = 1024  // the group of Figure 13(b)

	recoveryWarmUp = 80
	recoveryRate   = 10 // packets a second
	scaleSeconds   = 60
	wanPackets     = 160
	wanWarmUp      = 80
)

// literal names the paper's own variant.
const literal = "paper"

// LiteralVariant is the paper's protocol to the letter, with its refresh-level.
func LiteralVariant() Variant {
	v := PaperVariant()
	v.Refresh = multicast.ByLevel
	return v
}

// RelaysVariant is the project's own: three relays at the source, a wide search
// that counts hops, an owner's slot for refreshes, and a second sibling that is
// asked for a repair before the tree is climbed.
func RelaysVariant() Variant {
	return Variant{Name: "relays", Relays: 3, Search: multicast.WideSearch()}
}

func (p *Plan) config(seed uint64, v Variant) GroupConfig {
	return GroupConfig{Seed: seed, Degree: p.Degree, Variant: v, Lifetime: p.Lifetime, Faults: p.Faults}
}

// upTo returns the sizes up to a limit.
func (p *Plan) upTo(limit int) []int {
	i, _ := slices.BinarySearch(p.Sizes, limit+1)
	return p.Sizes[:i]
}

// onServers runs f on the network of the servers.
func (p *Plan) onServers(net Net, seed uint64, f func(*topology.Network) (string, error)) (string, error) {
	return p.nets.use(netKey{net, seed, p.Servers}, f)
}

// largestFirst orders jobs so that no large one is left alone at the end. Those
// on the same network stay beside each other, as they were made.
func largestFirst(jobs []Job) []Job {
	slices.SortStableFunc(jobs, func(a, b Job) int { return b.Weight - a.Weight })
	return jobs
}

// schemes names the refresh schemes in the groups of samples.
var schemes = map[multicast.RefreshScheme]string{
	multicast.OwnerFirst: reports.SchemeOwnerFirst,
	multicast.ByLevel:    reports.SchemeLevel,
	multicast.Uniform:    reports.SchemeUniform,
}

// Trees returns the jobs of Figures 11 and 12. Refreshes are counted on the first
// network alone, there with refresh-unif, too.
func (p *Plan) Trees() []Job {
	var jobs []Job
	for i, net := range p.Nets {
		for _, seed := range p.Seeds {
			for _, v := range p.Variants {
				e := Growth{Config: p.config(seed, v), Sizes: p.upTo(p.largest(seed, i)), Periods: p.Periods}
				if i == 0 && (v.Name == literal || seed == p.Seeds[0]) {
					e.Scheme = schemes[v.Refresh]
				}
				if seed != p.Seeds[0] {
					e.Counted = countedSize
				}
				if e.Scheme == reports.SchemeLevel && slices.Contains(p.LargeSeeds, seed) {
					e.Uniform = uniformSize
					if seed == p.Seeds[0] {
						e.Uniform = math.MaxInt
					}
				}
				jobs = append(jobs, p.tree(e, net)...)
			}
		}
	}
	for _, net := range p.Others {
		for _, seed := range p.Seeds[:min(otherSeeds, len(p.Seeds))] {
			for _, v := range p.Variants {
				jobs = append(jobs, p.tree(Growth{Config: p.config(seed, v), Sizes: p.upTo(OtherSize)}, net)...)
			}
		}
	}
	return largestFirst(jobs)
}

// largest is the limit of the trees that grow with a seed on the i-th network: the
// first is looked at most closely.
func (p *Plan) largest(seed uint64, i int) int {
	if slices.Contains(p.LargeSeeds, seed) && (i == 0 || seed == p.Seeds[0]) {
		return math.MaxInt - 1
	}
	return LargeSize
}

// tree is the job of one tree, none if it has no size.
func (p *Plan) tree(e Growth, net Net) []Job {
	if len(e.Sizes) == 0 {
		return nil
	}
	v, seed := e.Config.Variant, e.Config.Seed
	e.Name = groupName(v, net)
	e.Config.HeartbeatMax = 5 * time.Second // nothing is lost, and heartbeats would be most of the work
	return []Job{{
		Stage: reports.StageTree, Seed: seed, Weight: e.Work(),
		Key: fmt.Sprintf("tree %s %s seed %d to %d", e.Name, schemes[v.Refresh], seed, slices.Max(e.Sizes)),
		Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
			return p.onServers(net, seed, func(servers *topology.Network) (string, error) {
				e := e // the job must not keep the network
				e.Config.Net = servers
				return e.Run(ctx, sink, step)
			})
		},
	}}
}

// groupName is the group of the samples of a variant on a network.
func groupName(v Variant, net Net) string { return fmt.Sprintf("%s/%s", v.Name, net) }

// Recoveries returns the jobs of Figure 13 and Table 1.
func (p *Plan) Recoveries() []Job {
	var jobs []Job
	for _, n := range p.upTo(LargeSize) {
		for _, net := range p.Nets {
			for _, seed := range p.Seeds {
				for _, v := range p.Variants {
					if !slices.Contains(p.recoverySeeds(v, n), seed) {
						continue
					}
					v.Repair.Scheme = multicast.LowestLoss
					jobs = append(jobs, p.recovery(net, v, reports.SchemeLoss, n, seed))
					v.Repair.Scheme = multicast.Spread
					jobs = append(jobs, p.recovery(net, v, reports.SchemeRandom, n, seed))
				}
			}
		}
	}
	return largestFirst(jobs)
}

// recoverySeeds returns the seeds with which losses are repaired in groups of a size.
// Large groups vary little, and Table 1 is of the paper's variant.
func (p *Plan) recoverySeeds(v Variant, n int) []uint64 {
	seeds := p.Seeds
	if v.Name != literal {
		seeds = p.LargeSeeds
	}
	switch {
	case n <= OtherSize:
		return seeds
	case v.Name == literal:
		return p.LargeSeeds
	}
	return p.LargeSeeds[:min(1, len(p.LargeSeeds))]
}

func (p *Plan) recovery(net Net, v Variant, scheme string, n int, seed uint64) Job {
	e := Recovery{
		Config: p.config(seed, v), Name: scheme + "/" + groupName(v, net), Receivers: n, Packets: p.Packets,
		WarmUp: recoveryWarmUp, PerSecond: recoveryRate, Times: n == timesSize,
	}
	e.Config.Loss = testbed.Loss{Seed: seed, NodeMax: p.NodeLoss, HostMax: p.HostLoss}
	e.Config.Hurry, e.Config.Cache = 3, 256
	e.Config.HeartbeatMin = 2 * time.Second / recoveryRate // none between two packets
	return Job{
		Stage: reports.StageRecovery, Seed: seed, Weight: e.Work(),
		Key: fmt.Sprintf("recovery %s %d receivers seed %d", e.Name, n, seed),
		Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
			return p.onServers(net, seed, func(servers *topology.Network) (string, error) {
				e := e
				e.Config.Net = servers
				return e.Run(ctx, sink, step)
			})
		},
	}
}

// Clusters returns the jobs of Table 2 in virtual time, without jitter and with
// that of the time for a query.
func (p *Plan) Clusters() []Job {
	var jobs []Job
	for _, seed := range p.Seeds {
		jobs = append(jobs, clusterJob(seed, 0, reports.JitterNone), clusterJob(seed, QueryTime, reports.JitterQuery))
	}
	return jobs
}

func clusterJob(seed uint64, jitter time.Duration, group string) Job {
	e := Cluster{
		World: Sim, Nodes: 32, Degree: 4, Receivers: []int{8, 16, 32, 48, 64}, Jitter: jitter, Group: group,
	}
	return Job{
		Stage: reports.StageCluster, Seed: seed, Weight: 64, Key: fmt.Sprintf("cluster %s seed %d", group, seed),
		Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
			return e.run(ctx, seed, sink, func(done int, _ string) { step(done) })
		},
	}
}

// WANs returns the jobs of Figures 14 and 15 in virtual time.
func (p *Plan) WANs() []Job {
	var jobs []Job
	for _, seed := range p.Seeds {
		e := WAN{
			World: Sim, Matrix: p.Matrix, Nodes: min(50, p.Matrix.Len()), PerNode: 2, Degree: 8,
			Packets: wanPackets, WarmUp: wanWarmUp, PerSecond: 20,
		}
		jobs = append(jobs, Job{
			Stage: reports.StageWAN, Seed: seed, Weight: e.Nodes*e.PerNode + wanProbes + wanWarmUp + wanPackets,
			Key: fmt.Sprintf("wan seed %d", seed),
			Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
				done := 0
				return e.run(ctx, seed, PaperVariant(), sink, func(string) { done++; step(done) })
			},
		})
	}
	return jobs
}

// Matches returns the jobs that compare the simulator with sockets.
func (p *Plan) Matches() []Job {
	var jobs []Job
	for _, world := range []Kind{UDP, Sim} {
		for _, seed := range p.Seeds {
			e := Match{
				World: world, Nodes: 32, Degree: 4, Receivers: 64, Seed: seed, Every: 250 * time.Millisecond,
				Settle: 30 * time.Second,
			}
			jobs = append(jobs, Job{
				Stage: reports.StageMatch, Seed: seed, Weight: 64, Key: fmt.Sprintf("match %s seed %d", world, seed),
				Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
					return e.Run(ctx, sink, step)
				},
			})
		}
	}
	return jobs
}

// Scales returns the job of the largest group.
func (p *Plan) Scales() []Job {
	net, v, seed := p.Nets[0], p.Variants[len(p.Variants)-1], p.Seeds[0]
	e := Scale{Config: p.config(seed, v), Name: groupName(v, net), Receivers: p.Scale, Seconds: scaleSeconds}
	e.Config.Workers, e.Config.Cache, e.Config.Size = p.Workers, 8, 16
	e.Config.HeartbeatMin, e.Config.HeartbeatMax = 5*time.Second, 5*time.Second // a packet a second says more
	return []Job{{
		Stage: reports.StageScale, Seed: seed, Weight: e.Work(),
		Key: fmt.Sprintf("scale %s %d receivers seed %d", e.Name, p.Scale, seed),
		Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
			return p.onServers(net, seed, func(servers *topology.Network) (string, error) {
				e := e
				e.Config.Net = servers
				return e.Run(ctx, sink, step)
			})
		},
	}}
}
